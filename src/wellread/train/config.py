"""The recipe's section `[train]`, and the learning rate that follows from it."""

import math
from typing import Literal

import msgspec

from wellread.base.config import Config, Place
from wellread.model.sizes import ModelConfig


class TrainConfig(Config, frozen=True):
    """How a model is trained. The paper fixes the batch; what it leaves open is marked assumed."""

    start: Place | None = None  # a MODEL to fine-tune, which also gives size; none: fresh weights
    batch_sequences: int = 512  # paper, section 2.3
    sequences_per_pass: int = 8  # ours: how many a device has in memory at once
    steps: int = 600_000  # assumed: nanoGPT's; the paper gives no number
    early_steps: int = 0  # ours: so many at first with the next two, if they are set
    early_batch_sequences: int | None = None
    early_context: int | None = None  # windows are cut into pieces of so many tokens
    peak_learning_rate: float = 6e-4  # assumed: GPT-3's for this size; tuned by hand in the paper
    final_learning_rate: float = 6e-5  # assumed: a tenth of the peak, GPT-3
    warmup_steps: int = 2_000  # assumed: nanoGPT's
    schedule: Literal["cosine", "stable"] = "cosine"  # after warm-up; stable: constant, then down
    decay_share: float = 0.2  # ours: of all steps, in which a stable rate goes down to the final
    zero_projections: bool = False  # ours: fresh blocks add nothing, their c_proj are 0
    embeddings: Literal["random", "counts"] = "random"  # as they begin; counts: of neighbours
    positions: Literal["random", "sinusoids"] = "random"  # as they begin
    embedding_rate: float = 1.0  # ours: times the learning rate, of embeddings
    document_masks: bool = (
        False  # attention stays within a document, also when held-out is measured
    )
    optimizer: Literal["adamw", "muon"] = "adamw"  # muon: for the blocks' matrices, AdamW beside it
    weight_decay: float = 0.1  # assumed: GPT-3's
    beta_1: float = 0.9  # assumed: GPT-3's
    beta_2: float = 0.95  # assumed: GPT-3's
    clip_gradient_norm: float = 1.0  # assumed: GPT-3's
    held_out_every_steps: int = 1_000
    held_out_sequences: int = 200  # the first ones of the validation split, the same every time
    log_every_steps: int = 10
    tensorboard: bool = False  # event files beside metrics.jsonl, for TensorBoard
    save_every_steps: int = 1_000
    keep_checkpoints: int = 2  # the newest ones
    keep_every_steps: int | None = None  # checkpoints at multiples of it stay for good
    on_bad_batch: Literal["stop", "skip"] = "stop"  # without a loss; skip reads each step's
    spike_nats: float | None = 3.0  # ours: how far above the median a loss is a spike; inf: never
    precision: Literal["auto", "float32", "bfloat16"] = "auto"  # of matrix products
    sharding: Literal["none", "full"] = "none"  # full: each process has a part of every tensor
    recomputes: bool = False  # activations in the backward pass: less memory, up to a third slower
    compiles: bool = False  # torch.compile, for accelerators: needs a compiler; no gain on CPUs
    device: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.batch_sequences % self.sequences_per_pass:
            raise ValueError("batch_sequences is not a multiple of sequences_per_pass")
        for name in (
            "steps", "held_out_every_steps", "log_every_steps", "save_every_steps",
            "keep_checkpoints", "keep_every_steps",
        ):  # fmt: skip
            if (number := getattr(self, name)) is not None and number < 1:
                raise ValueError(f"{name} is less than 1")
        for name in ("early_batch_sequences", "early_context"):
            if (number := getattr(self, name)) is not None and number < 1:
                raise ValueError(f"{name} is less than 1")
        if self.embedding_rate <= 0:
            raise ValueError(f"embedding_rate is {self.embedding_rate}; expected more than 0")
        if self.early_steps < 0:
            raise ValueError(f"early_steps is {self.early_steps}; it cannot be negative")
        if self.keep_every_steps is not None and self.keep_every_steps % self.save_every_steps:
            raise ValueError("keep_every_steps is not a multiple of save_every_steps")
        if self.warmup_steps >= self.steps:
            raise ValueError(f"warmup_steps {self.warmup_steps} leaves nothing of {self.steps}")


class RunConfig(Config, frozen=True):
    """What a run's manifest records; a model that it started from is among the inputs."""

    model: ModelConfig
    train: TrainConfig


def recorded(config: TrainConfig) -> TrainConfig:
    """What of `config` makes a run what it is: with the same it may go on.

    An input is known by its digest, wherever it lies: as a setting, its path would make another run
    of one whose model was moved. And where weights lie and what is kept in memory changes nothing.
    """
    return msgspec.structs.replace(config, start=None, sharding="none", recomputes=False)


def learning_rate(step: int, config: TrainConfig) -> float:
    """Of the step with this number (from 0): linear warm-up, then down to the final rate.

    By a cosine; or, if the schedule is "stable", in a line at the end.

    >>> config = TrainConfig(steps=11, warmup_steps=2, peak_learning_rate=1.0,
    ...                      final_learning_rate=0.0)
    >>> [round(learning_rate(step, config), 3) for step in (0, 1, 2, 10)]
    [0.5, 1.0, 1.0, 0.03]
    >>> config = TrainConfig(steps=10, warmup_steps=2, peak_learning_rate=1.0,
    ...                      final_learning_rate=0.0, schedule="stable", decay_share=0.5)
    >>> [round(learning_rate(step, config), 3) for step in (0, 1, 4, 5, 6, 9)]
    [0.5, 1.0, 1.0, 1.0, 0.8, 0.2]
    """
    if step < config.warmup_steps:
        return config.peak_learning_rate * (step + 1) / config.warmup_steps
    span = config.peak_learning_rate - config.final_learning_rate
    if config.schedule == "stable":
        left = (config.steps - step) / (config.steps * config.decay_share)
        return config.final_learning_rate + span * min(1.0, left)
    done = (step - config.warmup_steps) / (config.steps - config.warmup_steps)
    return config.final_learning_rate + span * (1 + math.cos(math.pi * done)) / 2
