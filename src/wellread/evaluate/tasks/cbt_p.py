"""The Children's Book Test, prepositions (section 3.2; the paper reports other kinds)."""

from wellread.evaluate.cbt import cbt_task

TASK = cbt_task("P", "prepositions", published=None)
