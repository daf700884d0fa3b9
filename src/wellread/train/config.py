"""The recipe's section `[train]`, and the learning rate that follows from it."""

import math
import sys
from typing import Literal

import msgspec

from wellread.base.config import Config, Place
from wellread.model.sizes import ModelConfig


class TrainConfig(Config, frozen=True):
    """How a model is trained. The paper fixes the batch; what it leaves open is marked assumed."""

    start: Place | None = None  # a MODEL to fine-tune, which also gives size; none: fresh weights
    batch_sequences: int = 512  # paper, section 2.3
    sequences_per_pass: int = 8  # ours: at most so many are in a device's memory at once
    steps: int = 600_000  # assumed: nanoGPT's; the paper gives no number
    early_steps: int = 0  # ours: so many at first with the next two, if they are set
    early_batch_sequences: int | None = None  # fewer than batch_sequences, or more
    early_context: int | None = None  # windows are cut into pieces of so many tokens
    peak_learning_rate: float = 6e-4  # assumed: GPT-3's for this size; tuned by hand in the paper
    final_learning_rate: float = 6e-5  # assumed: a tenth of the peak, GPT-3
    warmup_steps: int = 2_000  # assumed: nanoGPT's
    schedule: Literal["cosine", "stable"] = "cosine"  # after warm-up; stable: constant, then down
    decay_share: float = 0.2  # ours: of all steps, in which a stable rate goes down to the final
    zero_projections: bool = False  # ours: fresh blocks add nothing, their c_proj are 0
    embeddings: Literal["random", "counts"] = "random"  # counts: of neighbours
    positions: Literal["random", "sinusoids"] = "random"  # as they begin
    embedding_rate: float = 1.0  # ours: times the learning rate, of embeddings
    document_masks: bool = False  # attention stays within a document, in held-out text too
    document_starts: bool = False  # where as many training windows begin as can
    optimizer: Literal["adamw", "muon"] = "adamw"  # muon: for the blocks' matrices, AdamW beside it
    weight_decay: float = 0.1  # assumed: GPT-3's
    beta_1: float = 0.9  # assumed: GPT-3's
    beta_2: float = 0.95  # assumed: GPT-3's
    clip_gradient_norm: float = 1.0  # assumed: GPT-3's; 0: gradients stay as they are
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
    compiles: bool = False  # torch.compile, on GPUs alone: needs a compiler
    device: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, (least, most) in LIMITS.items():
            number = getattr(self, name)
            if number is not None and not least <= number <= most:
                raise ValueError(f"{name} is {number}; expected {_range(least, most)}")
        if self.batch_sequences % min(self.sequences_per_pass, self.batch_sequences):
            raise ValueError(
                f"batch_sequences {self.batch_sequences} is not a multiple of sequences_per_pass "
                f"{self.sequences_per_pass}"
            )
        if self.keep_every_steps is not None and self.keep_every_steps % self.save_every_steps:
            raise ValueError("keep_every_steps is not a multiple of save_every_steps")
        if self.warmup_steps >= self.steps:
            raise ValueError(
                f"warmup_steps {self.warmup_steps} leaves nothing of {self.steps}; give fewer"
            )
        if self.final_learning_rate > self.peak_learning_rate:
            raise ValueError(
                f"final_learning_rate {self.final_learning_rate:g} is above peak_learning_rate "
                f"{self.peak_learning_rate:g}; give both"
            )
        early = (self.early_batch_sequences, self.early_context)
        if (self.early_steps > 0) == (early == (None, None)):
            raise ValueError(
                "early_steps goes with early_batch_sequences or early_context, and they with it"
            )


LIMITS: dict[str, tuple[float, float]] = {
    **dict.fromkeys(
        (
            "batch_sequences", "sequences_per_pass", "steps", "held_out_every_steps",
            "held_out_sequences", "log_every_steps", "save_every_steps", "keep_checkpoints",
            "keep_every_steps", "early_batch_sequences", "early_context",
        ),
        (1, 2**62),
    ),
    **dict.fromkeys(("warmup_steps", "early_steps", "seed"), (0, 2**62)),
    **dict.fromkeys(
        ("peak_learning_rate", "final_learning_rate", "weight_decay", "clip_gradient_norm"),
        (0, sys.float_info.max),
    ),
    **dict.fromkeys(("beta_1", "beta_2"), (0, math.nextafter(1, 0))),
    "decay_share": (sys.float_info.min, 1),
    "embedding_rate": (sys.float_info.min, sys.float_info.max),
}  # fmt: skip


def _range(least: float, most: float) -> str:
    """
    >>> _range(1, 2**62), _range(0, math.nextafter(1, 0))
    ('at least 1', 'at least 0 and less than 1')
    """
    low = "more than 0" if least == sys.float_info.min else f"at least {least:g}"
    if most > 1:
        return low
    return f"{low} and {'at most' if most == 1 else 'less than'} 1"


class RunConfig(Config, frozen=True):
    """What a run's manifest records; a model that it started from is among the inputs."""

    model: ModelConfig
    train: TrainConfig


# Settings of how and where a run is done, which may be others when it goes on.
FREE = (
    "sequences_per_pass", "log_every_steps", "tensorboard", "save_every_steps", "keep_checkpoints",
    "keep_every_steps", "on_bad_batch", "spike_nats", "sharding", "recomputes", "compiles",
    "device",
)  # fmt: skip


def recorded(config: TrainConfig) -> TrainConfig:
    """What of `config` makes a run what it is: with the same it may go on.

    An input is known by its digest, wherever it lies: as a setting, its path would make another run
    of one whose model was moved. And what is in FREE is as by default.
    """
    usual = {
        field.name: field.default
        for field in msgspec.structs.fields(TrainConfig)
        if field.name in FREE
    }
    one_pass = {"sequences_per_pass": config.batch_sequences}
    return msgspec.structs.replace(config, start=None, **(usual | one_pass))


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
