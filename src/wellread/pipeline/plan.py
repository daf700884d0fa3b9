"""A recipe as steps to do in order; each does nothing if its output is there already."""

import contextlib
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from wellread.base.config import read_toml
from wellread.base.errors import InputError
from wellread.base.files import write_bytes
from wellread.base.manifest import (
    Manifest,
    NotUpToDate,
    is_artifact,
    only_looking,
    owner_of,
    read_manifest,
)
from wellread.base.progress import Progress, silent
from wellread.pipeline.recipe import Recipe, read_recipe
from wellread.pipeline.stages import REPORT, STAGES, Stage

RECIPE_COPY = "recipe.toml"
UP_TO_DATE = "up to date"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One call of one stage."""

    stage: str
    name: str  # "corpus", "train 4x192"
    out: Path
    call: Callable[..., Manifest]  # takes `progress=`; imports its stage when called
    after: tuple[str, ...]  # the stages of the recipe whose output it takes

    @property
    def is_stoppable(self) -> bool:
        """Whether it can be asked to stop, and then keeps what it has done."""
        return self.stage == "train"

    def run(
        self, progress: Progress = silent, should_stop: Callable[[], bool] | None = None
    ) -> Manifest:
        if should_stop is None:
            return self.call(progress=progress)
        return self.call(progress=progress, should_stop=should_stop)


def states(steps: list[Step]) -> Iterator[tuple[Step, str]]:
    """Each step and what running the recipe now would do about it, in words; nothing is written."""
    pending: set[str] = set()
    for step in steps:
        awaited = [name for name in step.after if name in pending]
        state = _state(step, awaited[-1] if awaited else None)
        if state != UP_TO_DATE:
            pending.add(step.stage)
        yield step, state


def _state(step: Step, awaited: str | None) -> str:
    if awaited and is_artifact(step.out):
        return f"depends on {awaited}"
    if not awaited:
        with contextlib.suppress(NotUpToDate), only_looking():
            step.call(progress=silent)
            return UP_TO_DATE
    if is_artifact(step.out):
        return "to redo: changed"
    return "to finish: interrupted" if step.out.is_dir() and owner_of(step.out) else "to do"


def plan(recipe: Recipe, out: Path) -> list[Step]:
    """The steps of `recipe` that write under `out`, in order."""
    if out.is_dir() and (owner := owner_of(out)):
        raise InputError(f"{out}: belongs to stage {owner!r}; give another --out for a whole run")
    refuse_another_recipe(out, recipe.name)
    if not recipe.stages and recipe.report is None:
        raise InputError(f"{recipe.path}: has no section of a stage, so there is nothing to do")
    steps = []
    for name in recipe.stages:
        stage = STAGES[name]
        for run in recipe.runs if stage.per_run else [""]:
            where = out / stage.directory.format(run=run)
            label = f"{name} {run}".strip()
            call = partial(_call, stage, recipe, out, run)
            after = {source for sources in stage.takes.values() for source in sources}
            steps.append(
                Step(
                    stage=name, name=label, out=where, call=call,
                    after=tuple(source for source in recipe.stages if source in after),
                )
            )  # fmt: skip
    if recipe.report is not None:
        call = partial(_call_report, recipe, out)
        everything = tuple(recipe.stages)
        steps.append(Step(stage=REPORT, name=REPORT, out=out / REPORT, call=call, after=everything))
    return steps


def refuse_another_recipe(out: Path, name: str) -> None:
    """A run is its recipe's by name: with another, its stages would be replaced one by one."""
    copy = out / RECIPE_COPY
    before = read_toml(copy).get("name") if copy.is_file() else None
    if before not in (None, name):
        raise InputError(
            f"{out}: a run of the recipe {before!r} is there, which {name!r} would replace; give "
            f"another --out (a recipe with name = {before!r} goes on with that run)"
        )


def up_to(stage: str, recipe: Recipe, out: Path) -> list[Step]:
    """The steps of `recipe` that end with those of `stage`."""
    steps = plan(recipe, out)
    if stage not in recipe.stages:
        raise InputError(f"{recipe.path}: has no section [{STAGES[stage].section}]")
    last = max(number for number, step in enumerate(steps) if step.stage == stage)
    return steps[: last + 1]


def check(recipe: Recipe, steps: list[Step]) -> None:
    """Refuse now what a step of these would refuse when its turn comes, maybe hours later."""
    for name in dict.fromkeys(step.stage for step in steps if step.stage != REPORT):
        STAGES[name].check_config(recipe.stages[name])


def run_step(
    recipe: Recipe,
    out: Path,
    step: Step,
    progress: Progress = silent,
    should_stop: Callable[[], bool] | None = None,
) -> Manifest:
    """Do one step, if there is anything to do; `should_stop` is for steps that are stoppable."""
    out.mkdir(parents=True, exist_ok=True)
    write_bytes(out / RECIPE_COPY, _named(recipe))
    return step.run(progress, should_stop)


def _named(recipe: Recipe) -> bytes:
    """The recipe's text with its name, which may be that of its file."""
    content = recipe.path.read_bytes()
    if "name" in read_toml(recipe.path):
        return content
    return b"name = " + msgspec.json.encode(recipe.name) + b"\n" + content


def wait_for(step: Step) -> Manifest:
    """Until another process has done the step; its manifest."""
    while _state(step, None) != UP_TO_DATE:
        time.sleep(1)
    return read_manifest(step.out)


def run_recipe(path: Path, out: Path, *, data: Path | None = None) -> dict[str, Manifest]:
    """Do all that the recipe in `path` asks for; the manifest of each step by its name."""
    recipe = read_recipe(path, data=data)
    steps = plan(recipe, out)
    check(recipe, steps)
    return {step.name: run_step(recipe, out, step) for step in steps}


def _call(stage: Stage, recipe: Recipe, out: Path, run: str, **watched: Any) -> Manifest:
    arguments: dict[str, Any] = {}
    for argument, sources in stage.takes.items():
        paths = list(recipe.given[stage.name].get(argument, []))
        for source in sources:
            if source in recipe.stages:
                paths += _directories(STAGES[source], recipe, out, run if stage.per_run else None)
        if argument in stage.many:
            arguments[argument] = paths
        elif paths:
            arguments[argument] = paths[0]
    if stage.name == "train":
        arguments["model"], arguments["config"] = recipe.runs[run]
    else:
        arguments["config"] = recipe.stages[stage.name]
    where = out / stage.directory.format(run=run)
    manifest: Manifest = stage.load_function()(**arguments, out=where, **watched)
    return manifest


def _directories(source: Stage, recipe: Recipe, out: Path, run: str | None) -> list[Path]:
    runs = [""] if not source.per_run else [run] if run is not None else list(recipe.runs)
    return [out / source.directory.format(run=name) for name in runs]


def _call_report(recipe: Recipe, out: Path, *, progress: Progress) -> Manifest:
    from wellread.report.build import write_report

    assert recipe.report is not None
    return write_report(out, out / REPORT, recipe.report, progress=progress)
