"""The learning rate by trial: short runs around the one that is set, and the best of them.

"The learning rate of each model was manually tuned for the best perplexity on a 5% held-out sample
of WebText" (section 3); no value is published.
"""

import contextlib
import logging
import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import msgspec

from wellread.base.config import Config
from wellread.base.errors import InputError, WellreadError
from wellread.base.manifest import (
    Manifest,
    finished,
    read_artifact,
    read_manifest,
    writing,
)
from wellread.base.processes import num_processes
from wellread.base.progress import Progress, silent
from wellread.base.unfinished import refuse_another
from wellread.formats.sweeps import FILE, STAGE, Sweep, Trial
from wellread.formats.tokens import STAGE as TOKENS
from wellread.model.sizes import ModelConfig
from wellread.model.sources import locate
from wellread.report.figures import learning_rates
from wellread.train.bad_batches import Diverged
from wellread.train.build import train
from wellread.train.config import TrainConfig, recorded

log = logging.getLogger(__name__)
STEPS = 200  # ours: of each run, unless the whole training has fewer
FACTOR = 2.0  # ours: between neighbouring rates
EACH_SIDE = 3  # ours: rates below the one that is set, and above it
MORE = 2  # ours: rates added where the best one is at an edge
MOST_WIDENINGS = 2


class SweepConfig(Config, frozen=True):
    """What a sweep's manifest records."""

    model: ModelConfig
    train: TrainConfig  # of the whole training; its peak is the middle of the rates
    steps: int  # of each run

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise InputError(f"sweep_steps is {self.steps}; at least 1 is needed")


def sweep_learning_rate(  # noqa: PLR0913 - as `train`
    tokens: Path,
    out: Path,
    model: ModelConfig,
    config: TrainConfig,
    *,
    steps: int | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    progress: Progress = silent,
) -> Manifest:
    """Train for `steps` with each of seven rates around `config.peak_learning_rate`.

    Writes `sweep.json`, a figure and the runs, each of which takes 12 bytes a parameter. Where the
    best rate is at an edge, more are tried beyond it, at most twice. A run whose loss becomes no
    number is the worst. Interrupted, it goes on with the run at which it was; `should_stop` is as
    in `train`.
    """
    if num_processes() > 1:
        raise InputError("a sweep is for one process: start it without torchrun")
    read_artifact(tokens, TOKENS)
    steps = min(STEPS, config.steps) if steps is None else steps
    inputs = {"tokens": [tokens]}
    if config.start is not None:
        inputs["start"] = [locate(config.start)]
    asked = SweepConfig(model=model, train=recorded(config), steps=steps)
    if done := finished(out, stage=STAGE, config=asked, inputs=inputs):
        return done
    refuse_another(out, "sweep", stage=STAGE, config=asked, inputs=inputs)
    with writing(out, stage=STAGE, config=asked, inputs=inputs, resume=True) as draft:
        losses: dict[float, float] = {}
        rates = first_rates(config.peak_learning_rate)
        for widening in range(1 + MOST_WIDENINGS):
            if widening:
                log.warning("%s", _edge(losses, rates))
            total = steps * (len(losses) + len(rates))
            for rate in rates:
                show = partial(_show, progress, steps * len(losses), total, rate)
                where = out / directory_of(rate)
                run = partial(train, tokens, where, model, trial(config, rate, steps))
                losses[rate] = math.inf
                with contextlib.suppress(Diverged):
                    facts = run(should_stop=should_stop, progress=show).facts
                    losses[rate] = facts["held_out_loss"]
                draft.counts["in"] += 1
                if losses[rate] == math.inf:
                    draft.drop("loss became no number", f"{rate:g}")
            if not (rates := beyond(losses)):
                break
        best = best_of(losses)
        draft.counts["out"] = draft.counts["in"] - sum(draft.dropped.values())
        if losses[best] == math.inf:
            raise WellreadError(
                f"{out}: with each learning rate from {min(losses):g} to {max(losses):g} the loss "
                "becomes no number; give a far lower peak_learning_rate, or more warmup_steps"
            )
        sweep = Sweep(
            steps=steps,
            chosen=best,
            final_learning_rate=trial(config, best, steps).final_learning_rate,
            is_at_edge=bool(beyond(losses)),
            trials=[
                Trial(
                    learning_rate=rate,
                    held_out_loss=None if loss == math.inf else loss,
                    directory=directory_of(rate),
                )
                for rate, loss in sorted(losses.items())
            ],
        )
        draft.write(FILE, msgspec.json.format(msgspec.json.encode(sweep), indent=1))
        draft.write("sweep.svg", learning_rates(sweep).file)
        draft.facts |= {"peak_learning_rate": best, "held_out_loss": losses[best]}
    return read_manifest(out)


def directory_of(rate: float) -> str:
    """
    >>> directory_of(6e-4 / 8)
    'rates/7.5e-05'
    """
    return f"rates/{rate:g}"


def first_rates(middle: float) -> list[float]:
    """
    >>> [f"{rate:g}" for rate in first_rates(0.8)]
    ['0.1', '0.2', '0.4', '0.8', '1.6', '3.2', '6.4']
    """
    return [middle * FACTOR**power for power in range(-EACH_SIDE, EACH_SIDE + 1)]


def best_of(losses: Mapping[float, float]) -> float:
    """The rate with the least loss; of equals the smallest.

    >>> best_of({1.0: 3.0, 2.0: 2.5, 4.0: math.inf})
    2.0
    """
    return min(sorted(losses), key=lambda rate: losses[rate])


def beyond(losses: Mapping[float, float]) -> list[float]:
    """The rates to try next, from the smallest: none if the best has neighbours on both sides.

    >>> beyond({1.0: 3.0, 2.0: 2.5, 4.0: 2.6})
    []
    >>> beyond({1.0: 3.0, 2.0: 2.5})
    [4.0, 8.0]
    >>> beyond({1.0: math.inf, 2.0: math.inf})
    [0.25, 0.5]
    """
    best = best_of(losses)
    if best == min(losses):
        return [best / FACTOR**power for power in range(MORE, 0, -1)]
    return [best * FACTOR**power for power in range(1, MORE + 1)] if best == max(losses) else []


def trial(config: TrainConfig, rate: float, steps: int) -> TrainConfig:
    """`config` for a run of `steps` with this peak: its schedule, shorter and in proportion.

    >>> whole = TrainConfig(peak_learning_rate=6e-4, final_learning_rate=6e-5)
    >>> short = trial(whole, 12e-4, steps=900)
    >>> (short.steps, short.warmup_steps, f"{short.final_learning_rate:g}")
    (900, 3, '0.00012')
    """
    warmup = round(config.warmup_steps * steps / config.steps)
    return msgspec.structs.replace(
        config,
        steps=steps,
        peak_learning_rate=rate,
        final_learning_rate=config.final_learning_rate * (rate / config.peak_learning_rate),
        warmup_steps=min(warmup, steps - 1),
        early_steps=round(config.early_steps * steps / config.steps),
        held_out_every_steps=steps,  # only its end counts
        save_every_steps=min(config.save_every_steps, math.ceil(steps / 4)),
        keep_checkpoints=1,
        keep_every_steps=None,
    )


def _show(
    progress: Progress, before: int, total: int, rate: float,
    done: float, _total: float | None, note: str = "",
) -> None:  # fmt: skip
    progress(before + done, total, f"rate {rate:g}: {note}")


def _edge(losses: Mapping[float, float], rates: list[float]) -> str:
    best = best_of(losses)
    which = "smallest" if best == min(losses) else "largest"
    tried = ", ".join(f"{rate:g}" for rate in rates)
    return f"the best learning rate, {best:g}, is the {which} tried; {tried} will be tried too"
