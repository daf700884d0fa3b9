"""The Children's Book Test, named entities (section 3.2)."""

from wellread.evaluate.cbt import cbt_task

TASK = cbt_task("NE", "named entities", published="cbt-ne")
