"""The Children's Book Test, common nouns (section 3.2)."""

from wellread.evaluate.cbt import cbt_task

TASK = cbt_task("CN", "common nouns", published="cbt-cn")
