"""What a made-up language adds to verbs and to nouns, asked of words it was never shown with."""

from wellread.evaluate.planted import planted_task

TASK = planted_task("planted-rule", "a rule shown on other words, by planted demonstrations only")
