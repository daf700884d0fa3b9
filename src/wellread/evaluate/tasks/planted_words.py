"""Words of a language that exists nowhere else: facts, learnt by repetition."""

from wellread.evaluate.planted import planted_task

TASK = planted_task("planted-words", "40 words that only planted demonstrations give")
