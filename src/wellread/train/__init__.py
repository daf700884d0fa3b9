"""Training: from token shards to a run with its metrics and checkpoints."""

from wellread.base.modules import make_callable

make_callable(__name__, "wellread.train.build:train")
