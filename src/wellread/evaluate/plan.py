"""Which tasks are asked of a model, under which protocols, with which items."""

from pathlib import Path
from typing import NamedTuple

import msgspec

from wellread.base import plugins
from wellread.base.errors import InputError
from wellread.evaluate import tasks
from wellread.evaluate.budget import Prepared
from wellread.evaluate.config import EvaluateConfig
from wellread.evaluate.suite import suite_tasks, variants
from wellread.evaluate.task import Chosen, Loaded, Sources, Task, choose


class Description(NamedTuple):
    """What `wellread evaluate --list` shows of a task."""

    name: str
    source: str
    needs: str  # the options that name its texts
    licence: str
    metrics: list[str]
    protocol: str  # with every axis at its default
    axes: dict[str, str]  # axis -> its values, and why it is one
    published: str | None  # key of the paper's values; None: not comparable
    is_layout_tested: bool  # on a few records only


class Plan(NamedTuple):
    """What is asked of a model."""

    prepared: list[Prepared]
    not_run: dict[str, str]  # task of a suite -> why it cannot be done here


def list_tasks(name: str | None = None) -> list[Description]:
    """Every task there is, or the one of this name."""
    names = plugins.names(tasks) if name is None else [name]
    return [_describe(choose(one)) for one in names]


def _describe(chosen: Chosen) -> Description:
    task: Task = chosen.task
    return Description(
        name=chosen.name,
        source=task.source,
        needs=_needs(task),
        licence=task.licence,
        metrics=list(task.metrics),
        protocol=chosen.protocol,
        axes={
            name: " | ".join([axis.default, *axis.others, *["a number"] * axis.takes_number])
            + f" ({axis.reason})"
            for name, axis in task.axes.items()
        },
        published=task.published,
        is_layout_tested=task.is_layout_tested,
    )


def _needs(task: Task) -> str:
    """What there must be besides a model."""
    if task.uses_corpus:
        return "--corpus"
    if not task.files:
        return ""
    return "--data, or --download" if all(file.url for file in task.files) else "--data"


def chosen_tasks(config: EvaluateConfig) -> dict[str, Chosen]:
    """What `tasks`, `suite` and `axes` mean together, each protocol once, by the files' name.

    The first protocol of a task is the one that reports and studies take.
    """
    wanted = [*config.tasks, *(suite_tasks(config.suite) if config.suite else [])]
    several = [one for name in wanted for one in variants(choose(name), config.axes)]
    found: dict[str, Chosen] = {}
    for one in {one.protocol: one for one in several}.values():
        changed = [f"{axis}={value}" for axis, value in one.changed.items()] or ["default"]
        found[",".join([one.name, *changed]) if one.name in found else one.name] = one
    return found


def inputs_of(
    model: Path, config: EvaluateConfig, corpus: Path | None = None
) -> dict[str, list[Path]]:
    """What the stage reads: the model, and of corpus and data what the chosen tasks use."""
    chosen = chosen_tasks(config).values()
    inputs = {"model": [model]}
    if corpus is not None and any(one.task.uses_corpus for one in chosen):
        inputs["corpus"] = [corpus]
    read = [config.data / file.path for one in chosen for file in one.files if config.data]
    if there := [path for path in dict.fromkeys(read) if path.exists()]:
        inputs["data"] = there
    return inputs


def prepare(config: EvaluateConfig, corpus: Path | None = None) -> Plan:
    """Every task with its examples: whatever is missing or wrong is refused here.

    Of a suite's tasks, and of other protocols than the one named, the reason is kept instead.
    """
    chosen = chosen_tasks(config)
    if not chosen:
        names = ", ".join(plugins.names(tasks))
        raise InputError(f"no task is named: give --suite paper, or --tasks with some of {names}")
    named = {choose(name).protocol for name in config.tasks}
    plan = Plan([], {})
    for stem, one in chosen.items():
        try:
            loaded: Loaded = one.task.load(
                Sources(config.data, corpus, one.settings, config.download)
            )
        except InputError as error:
            if one.protocol in named:
                if type(error) is InputError:  # others say of which place they are
                    raise InputError(f"{one.name}: {error}") from None
                raise
            plan.not_run[stem] = str(error)
            continue
        examples = loaded.examples[: config.limit]
        plan.prepared.append(Prepared(one, examples, loaded.num_available, stem))
    if not plan.prepared:
        raise InputError(f"no task of the suite can be run: {next(iter(plan.not_run.values()))}")
    return plan


def check_files(config: EvaluateConfig) -> None:
    """Refuse named tasks whose files are missing or wrong, before there is a corpus or a model.

    Files that are to be fetched are left to their turn.
    """
    named = {name: choose(name) for name in config.tasks}
    wanted = [
        name
        for name, one in named.items()
        if not one.task.uses_corpus and not (config.download and any(f.url for f in one.files))
    ]
    if wanted:
        prepare(msgspec.structs.replace(config, tasks=wanted, suite=None, axes="default"))
