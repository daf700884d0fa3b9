"""The Children's Book Test, verbs (section 3.2; the paper reports other kinds)."""

from wellread.evaluate.cbt import cbt_task

TASK = cbt_task("V", "verbs", published=None)
