"""The stage `evaluate`: a model's scores on chosen tasks."""

import functools
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from wellread.base.manifest import Draft, Manifest, finished, read_manifest, writing
from wellread.base.progress import Progress, silent
from wellread.evaluate.budget import (
    CHUNKS_OF_WHAT_IS_LEFT,
    Estimate,
    Prepared,
    probe,
    shares,
    shuffled,
)
from wellread.evaluate.config import EvaluateConfig
from wellread.evaluate.language_model import LanguageModel, TorchModel
from wellread.evaluate.metrics import Outcome, score_all
from wellread.evaluate.plan import inputs_of, prepare
from wellread.evaluate.task import Setup
from wellread.formats.results import STAGE, Item, Result, read_result, write_result
from wellread.model.load import check_vocabulary, load_model, load_tokenizer
from wellread.model.ranks import ALONE, Ranks, gathered, join, shared, together, wait
from wellread.model.sources import checkpoint_of, locate
from wellread.tokenizer.tokenizer import Tokenizer

NUM_REPORTS = 20  # of progress, for each task
MIN_EXAMPLES_AT_ONCE = 32  # what is generated side by side reads the weights once


class Evaluated(NamedTuple):
    """A task's scores, and what they were made of."""

    result: Result
    items: list[Item]


def evaluate_task(  # noqa: PLR0913 - who is asked what, for how long, and by how many
    lm: LanguageModel,
    tokenizer: Tokenizer,
    prepared: Prepared,
    *,
    seed: int = 0,
    estimate: Estimate | None = None,
    ranks: Ranks = ALONE,
    progress: Progress = silent,
) -> Evaluated:
    """A task's scores and items; a function of its arguments alone, but for the seconds.

    If `estimate` has a share that is less than it needs, items are taken in a random order until
    that time is over. Of several `ranks` each scores every so manieth, and all return the same.
    """
    started = time.monotonic()
    chosen, examples, num_available, stem = prepared
    setup = Setup(lm, tokenizer, chosen.settings, seed)
    order = list(range(len(examples)))
    share = estimate.share if estimate and estimate.is_a_part else None
    rate = 0.0  # items a second
    if estimate and share is not None:
        order = shuffled(examples, seed, chosen.name)
        rate = estimate.num_items / estimate.seconds
    own = order[ranks.rank :: ranks.size]
    most = max(MIN_EXAMPLES_AT_ONCE, -(-len(own) // NUM_REPORTS))
    outcomes: dict[int, Outcome] = {}
    while len(outcomes) < len(own):
        size = most
        if share is not None:
            spent = time.monotonic() - started
            rate = len(outcomes) / spent if outcomes else rate
            size = min(most, int(rate * (share - spent) / CHUNKS_OF_WHAT_IS_LEFT))
            if outcomes and size < 1:
                break
        numbers = own[len(outcomes) : len(outcomes) + max(size, 1)]
        found = chosen.task.score(setup, [examples[number] for number in numbers])
        outcomes.update(zip(numbers, found, strict=True))
        done = min(len(outcomes) * ranks.size, len(examples))
        of_share = min((time.monotonic() - started) / share, 1.0) if share else 0.0
        progress(max(done / len(examples), of_share), 1.0, f"{chosen.name}, item {done:,}")
    for part in gathered(outcomes, dict[int, Outcome], ranks):
        outcomes |= part
    in_order = [outcomes[number] for number in sorted(outcomes)]
    scores = score_all(chosen.task.metrics, in_order, seed=seed)
    without = chosen.task.metrics.keys() - {one.metric for one in scores}
    result = Result(
        task=chosen.name,
        protocol=chosen.protocol,
        stem=stem or chosen.name,
        comparable_to=chosen.task.published,
        num_items=len(outcomes),
        num_available=num_available,
        scores=scores,
        seconds=round(time.monotonic() - started, 3),
        note=_note(in_order, num_available, lm.context, without),
    )
    return Evaluated(result, [_with_sums(outcome) for outcome in in_order])


def _with_sums(outcome: Outcome) -> Item:
    return msgspec.structs.replace(outcome.item, unit=outcome.unit, sums=outcome.sums)


def _note(
    outcomes: Sequence[Outcome], num_available: int, context: int, without: Collection[str]
) -> str:
    """What a reader must know beside the protocol."""
    notes = [f"context of {context} tokens"]
    truncated = sum(outcome.is_truncated for outcome in outcomes)
    if truncated:
        notes.append(f"{truncated} items did not fit into it and were cut")
    if len(outcomes) < num_available:
        notes.append(f"a subset: {len(outcomes)} of {num_available}")
    if without:
        notes.append(f"not measured: {', '.join(sorted(without))}")
    return "; ".join(notes)


def evaluate_model(
    lm: LanguageModel,
    tokenizer: Tokenizer,
    config: EvaluateConfig,
    *,
    corpus: Path | None = None,
    progress: Progress = silent,
) -> Iterator[Evaluated]:
    """The chosen tasks, one after the other, on any LanguageModel; nothing is written."""
    for prepared in prepare(config, corpus).prepared:
        yield evaluate_task(lm, tokenizer, prepared, seed=config.seed, progress=progress)


def estimate_tasks(
    lm: LanguageModel,
    tokenizer: Tokenizer,
    prepared: Sequence[Prepared],
    config: EvaluateConfig,
    progress: Progress = silent,
) -> list[Estimate]:
    """How long each task takes, measured on a few of its items, and its share of the budget."""
    seconds = []
    for number, task in enumerate(prepared):
        progress(number, len(prepared), f"how long {task.chosen.name} takes")
        seconds.append(probe(Setup(lm, tokenizer, task.chosen.settings, config.seed), task))
    given: Sequence[float | None] = [None] * len(seconds)
    if config.budget is not None:
        given = shares(seconds, 60 * config.budget)
    return [
        Estimate(task.chosen.protocol, len(task.examples), needs, share)
        for task, needs, share in zip(prepared, seconds, given, strict=True)
    ]


def load_lm(model: Path, config: EvaluateConfig) -> tuple[TorchModel, Tokenizer]:
    """A model as evaluation asks it, and its tokenizer."""
    checkpoint_of(model)
    tokenizer = load_tokenizer(model)
    network = load_model(model, device=config.device, dtype=config.dtype)
    check_vocabulary(tokenizer, network.config, model)
    lm = TorchModel(network, tokenizer.end_of_text, batch_tokens=config.batch_tokens)
    return lm, tokenizer


def estimate(
    model: str | Path,
    config: EvaluateConfig,
    *,
    corpus: Path | None = None,
    progress: Progress = silent,
) -> tuple[list[Estimate], dict[str, str]]:
    """How long `evaluate` will take for each task, and why some cannot be done; writes nothing."""
    plan = prepare(config, corpus)
    lm, tokenizer = load_lm(locate(model), config)
    return estimate_tasks(lm, tokenizer, plan.prepared, config, progress), plan.not_run


def evaluate(
    model: str | Path,
    out: Path,
    config: EvaluateConfig,
    *,
    corpus: Path | None = None,
    announce: Callable[[list[Estimate]], None] | None = None,
    progress: Progress = silent,
) -> Manifest:
    """Score `model` on the tasks of `config`: a result (`formats.results`) for each, in `out`.

    Held-out tasks take their items from `corpus`. Tasks that an interrupted run with the same
    settings had finished are kept. `announce` is told beforehand how long each task will take.
    """
    ranks = join()
    with together(ranks):
        model = locate(model)
        inputs = inputs_of(model, config, corpus)
        done = finished(out, stage=STAGE, config=config, inputs=inputs)
    if done:
        return done
    with together(ranks):
        plan = prepare(config, corpus)
        lm, tokenizer = load_lm(model, config)
    estimates: list[Estimate] = []
    if announce or config.budget is not None:
        # By the first process alone: all must cut the items alike.
        if ranks.rank == 0:
            estimates = estimate_tasks(lm, tokenizer, plan.prepared, config, progress)
        estimates = shared(estimates, list[Estimate], ranks)
        if announce:
            announce(estimates)
    weights = [estimate.share or estimate.seconds for estimate in estimates]
    weights = weights or [float(len(task.examples)) for task in plan.prepared]

    def score(number: int) -> Evaluated:
        return evaluate_task(
            lm, tokenizer, plan.prepared[number], seed=config.seed, ranks=ranks,
            estimate=estimates[number] if estimates else None,
            progress=functools.partial(_among_all, progress, weights, number),
        )  # fmt: skip

    if ranks.rank > 0:
        for number in shared([], list[int], ranks):
            score(number)
        wait(ranks)
        return read_manifest(out)
    with writing(out, stage=STAGE, config=config, inputs=inputs, resume=True) as draft:
        weight, shape = lm.model.wte.weight, lm.model.config
        draft.facts |= {"device": str(weight.device), "seconds": {}}
        draft.facts |= {"not_run": plan.not_run, "num_parameters": shape.num_parameters}
        paths = [out / f"{task.stem}.json" for task in plan.prepared]
        left = [number for number, path in enumerate(paths) if not path.exists()]
        for number in shared(left, list[int], ranks):
            write_result(draft, *score(number))
        for path in paths:
            _account(draft, read_result(path))
    wait(ranks)
    return read_manifest(out)


def _among_all(
    progress: Progress,
    weights: Sequence[float],
    number: int,
    done: float,
    total: float | None,
    note: str = "",
) -> None:
    """A task's progress as progress among all tasks, in percent."""
    before, all_of_them = sum(weights[:number]), sum(weights)
    share = done / total if total else 0.0
    percent = 100 * (before + share * weights[number]) / all_of_them
    progress(percent, 100.0, f"% {note}")


def _account(draft: Draft, result: Result) -> None:
    draft.counts["in"] += result.num_available
    draft.counts["out"] += result.num_items
    if left := result.num_available - result.num_items:
        draft.drop("beyond the limit of items", result.stem, count=left)
    draft.facts["seconds"][result.stem] = result.seconds
