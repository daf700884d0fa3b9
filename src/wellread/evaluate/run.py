"""The stage `evaluate`: a model's scores on chosen tasks."""

import functools
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from wellread.base import plugins
from wellread.base.errors import InputError
from wellread.base.manifest import Draft, Manifest, finished, read_manifest, writing
from wellread.base.progress import Progress, silent
from wellread.evaluate import tasks
from wellread.evaluate.config import EvaluateConfig
from wellread.evaluate.language_model import LanguageModel, TorchModel
from wellread.evaluate.metrics import Outcome, score_all
from wellread.evaluate.task import (
    Chosen,
    Loaded,
    Setup,
    Sources,
    Task,
    choose,
)
from wellread.formats.results import STAGE, Item, Result, read_result, write_result
from wellread.model.load import check_vocabulary, load_model, load_tokenizer
from wellread.model.sources import locate
from wellread.tokenizer.tokenizer import Tokenizer

NUM_REPORTS = 20  # of progress, for each task
MIN_EXAMPLES_AT_ONCE = 8


class Description(NamedTuple):
    """What `wellread evaluate --list` shows of a task."""

    name: str
    source: str
    licence: str
    metrics: list[str]
    protocol: str  # with every axis at its default
    axes: dict[str, str]  # axis -> its values, and why it is one
    published: str | None  # key of the paper's values; None: not comparable


class Prepared(NamedTuple):
    """A task and its examples, within the limit."""

    chosen: Chosen
    examples: Sequence[Any]
    num_available: int


class Evaluated(NamedTuple):
    """A task's scores, and what they were made of."""

    result: Result
    items: list[Item]


def list_tasks() -> list[Description]:
    """Every task there is."""
    return [_describe(choose(name)) for name in plugins.names(tasks)]


def _describe(chosen: Chosen) -> Description:
    task: Task = chosen.task
    return Description(
        name=chosen.name,
        source=task.source,
        licence=task.licence,
        metrics=list(task.metrics),
        protocol=chosen.protocol,
        axes={
            name: " | ".join([axis.default, *axis.others, *["a number"] * axis.takes_number])
            + f" ({axis.reason})"
            for name, axis in task.axes.items()
        },
        published=task.published,
    )


def inputs_of(
    model: Path, config: EvaluateConfig, corpus: Path | None = None
) -> dict[str, list[Path]]:
    """What the stage reads: the model, and of corpus and data what the chosen tasks use."""
    chosen = [choose(task).task for task in config.tasks]
    inputs = {"model": [model]}
    if corpus is not None and any(task.uses_corpus for task in chosen):
        inputs["corpus"] = [corpus]
    files = [config.data / file.path for task in chosen for file in task.files if config.data]
    if files:
        inputs["data"] = files
    return inputs


def prepare(config: EvaluateConfig, corpus: Path | None = None) -> list[Prepared]:
    """Every task with its examples: whatever is missing or wrong is refused here."""
    if not config.tasks:
        raise InputError(f"`tasks` is empty; name some of {', '.join(plugins.names(tasks))}")
    prepared = []
    for wanted in config.tasks:
        chosen = choose(wanted)
        loaded: Loaded = chosen.task.load(Sources(config.data, corpus, chosen.settings))
        examples = loaded.examples[: config.limit]
        prepared.append(Prepared(chosen, examples, loaded.num_available))
    return prepared


def evaluate_task(
    lm: LanguageModel,
    tokenizer: Tokenizer,
    prepared: Prepared,
    *,
    seed: int = 0,
    progress: Progress = silent,
) -> Evaluated:
    """A task's scores and items; a function of its arguments alone, but for the seconds."""
    started = time.monotonic()
    chosen, examples, num_available = prepared
    setup = Setup(lm, tokenizer, chosen.settings, seed)
    size = max(MIN_EXAMPLES_AT_ONCE, -(-len(examples) // NUM_REPORTS))
    outcomes: list[Outcome] = []
    for start in range(0, len(examples), size):
        outcomes += chosen.task.score(setup, examples[start : start + size])
        progress(len(outcomes), len(examples), chosen.name)
    result = Result(
        task=chosen.name,
        protocol=chosen.protocol,
        comparable_to=chosen.task.published,
        num_items=len(outcomes),
        num_available=num_available,
        scores=score_all(chosen.task.metrics, outcomes, seed=seed),
        seconds=round(time.monotonic() - started, 3),
        note=_note(outcomes, num_available, lm.context),
    )
    return Evaluated(result, [outcome.item for outcome in outcomes])


def _note(outcomes: Sequence[Outcome], num_available: int, context: int) -> str:
    """What a reader must know beside the protocol."""
    notes = [f"context of {context} tokens"]
    truncated = sum(outcome.is_truncated for outcome in outcomes)
    if truncated:
        notes.append(f"{truncated} items did not fit into it and were cut")
    if len(outcomes) < num_available:
        notes.append(f"a subset: {len(outcomes)} of {num_available}")
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
    for prepared in prepare(config, corpus):
        yield evaluate_task(lm, tokenizer, prepared, seed=config.seed, progress=progress)


def evaluate(
    model: str | Path,
    out: Path,
    config: EvaluateConfig,
    *,
    corpus: Path | None = None,
    progress: Progress = silent,
) -> Manifest:
    """Score `model` on the tasks of `config`: `TASK.json` and `TASK.parquet` each, in `out`.

    Held-out tasks take their items from `corpus`. Tasks that an interrupted run with the same
    settings had finished are kept.
    """
    prepared = prepare(config, corpus)
    model = locate(model)
    inputs = inputs_of(model, config, corpus)
    if done := finished(out, stage=STAGE, config=config, inputs=inputs):
        return done
    tokenizer = load_tokenizer(model)
    network = load_model(model, device=config.device, dtype=config.dtype)
    check_vocabulary(tokenizer, network.config, model)
    lm = TorchModel(network, tokenizer.end_of_text, batch_tokens=config.batch_tokens)
    with writing(out, stage=STAGE, config=config, inputs=inputs, resume=True) as draft:
        draft.facts |= {"device": str(network.wte.weight.device), "seconds": {}}
        total = sum(len(task.examples) for task in prepared)
        for task in prepared:
            path = out / f"{task.chosen.name}.json"
            if not path.exists():
                show = functools.partial(_shifted, progress, draft.counts["out"], total)
                found = evaluate_task(lm, tokenizer, task, seed=config.seed, progress=show)
                write_result(draft, *found)
            _account(draft, read_result(path))
    return read_manifest(out)


def _shifted(
    progress: Progress, before: int, total: int, done: float, _: float | None, note: str = ""
) -> None:
    """A task's progress as progress among all tasks."""
    progress(before + done, total, note)


def _account(draft: Draft, result: Result) -> None:
    draft.counts["in"] += result.num_available
    draft.counts["out"] += result.num_items
    if left := result.num_available - result.num_items:
        draft.drop("beyond the limit of items", result.task, count=left)
    draft.facts["seconds"][result.task] = result.seconds
