"""Training: from token shards to a run with its metrics and checkpoints."""

from wellread.train.build import train
from wellread.train.config import TrainConfig

__all__ = ["TrainConfig", "train"]
