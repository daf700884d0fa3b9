"""A model's zero-shot scores, with the protocol, the interval and every item (section 3)."""

from wellread.base.modules import make_callable

make_callable(__name__, "wellread.evaluate.scores:evaluate")
