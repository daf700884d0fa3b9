"""A recipe as steps to do in order; each does nothing if its output is there already."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from wellread.base.config import read_toml
from wellread.base.errors import InputError, WellreadError
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
from wellread.pipeline.runs import MODEL, Run
from wellread.pipeline.stages import REPORT, STAGES, Stage

RECIPE_COPY = "recipe.toml"
UP_TO_DATE = "up to date"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One call of one stage."""

    stage: str
    name: str  # "corpus", "train 4x192"
    out: Path
    call: Callable[..., Manifest]  # takes `progress=`; imports its stage when called
    after: tuple[Path, ...]  # what it takes of other steps
    of_run: str | None = None  # by name, for a stage of each run

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


def states(steps: Sequence[Step]) -> Iterator[tuple[Step, str]]:
    """Each step and what running the recipe now would do about it, in words; nothing is written."""
    pending: dict[Path, str] = {}
    for step in steps:
        awaited = [pending[path] for path in step.after if path in pending]
        state = _state(step, awaited[-1] if awaited else None)
        if state != UP_TO_DATE:
            pending[step.out] = step.name
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


def is_done(step: Step) -> bool:
    """Whether the step is up to date; one that cannot be done is not, and says why when it runs."""
    with contextlib.suppress(WellreadError), only_looking():
        step.call(progress=silent)
        return True
    return False


def plan(recipe: Recipe, out: Path) -> list[Step]:
    """The steps of `recipe` that write under `out`, in order."""
    if out.is_dir() and (owner := owner_of(out)):
        raise InputError(f"{out}: belongs to stage {owner!r}; give another --out for a whole run")
    refuse_another_recipe(out, recipe.name)
    if not recipe.stages and recipe.report is None:
        raise InputError(f"{recipe.path}: has no section of a stage, so there is nothing to do")
    steps: list[Step] = []
    predicted = [name for name, run in recipe.runs.items() if run.is_predicted]
    family = [name for name in recipe.runs if name not in predicted]
    per_run = [name for name in recipe.stages if STAGES[name].per_run]
    for name in recipe.stages:
        if name in per_run:
            steps += [_step(name, run, recipe, out) for run in family]
        else:
            steps += [_step(name, which, recipe, out) for which in _outputs(name, recipe)]
        if STAGES[name].foretells:
            steps += [_step(later, run, recipe, out) for later in per_run for run in predicted]
    if recipe.report is not None:
        call = partial(_call_report, recipe, out)
        everything = tuple(step.out for step in steps)
        steps.append(Step(stage=REPORT, name=REPORT, out=out / REPORT, call=call, after=everything))
    return steps


def _step(name: str, which: str, recipe: Recipe, out: Path) -> Step:
    """The call of a stage for a run, or for what several runs take of it; "": there is one."""
    stage, place = STAGES[name], _place(name, which, out)
    arguments: dict[str, Any] = {"config": recipe.stages[name], "out": place}
    if stage.varies and recipe.runs:
        settings = _run_of(stage, which, recipe).settings
        arguments["config"] = settings[stage.section]
        if name == "train":
            arguments["model"] = settings[MODEL]
    after: list[Path] = []
    for argument, sources in stage.sources(recipe.stages).items():
        taken = [
            _place(source, one, out)
            for source in sources
            for one in _taken(stage, which, source, recipe)
        ]
        after += taken
        paths = [*recipe.given[name].get(argument, []), *taken]
        if argument in stage.many:
            arguments[argument] = paths
        elif paths:
            arguments[argument] = paths[0]
    return Step(
        stage=name,
        name=f"{name} {which}".strip(),
        out=place,
        call=partial(_call, stage, arguments),
        after=tuple(after),
        of_run=which if stage.per_run else None,
    )


def _place(name: str, which: str, out: Path) -> Path:
    stage = STAGES[name]
    place = out / stage.directory.format(run=which)
    return place if stage.per_run else place / which


def _outputs(name: str, recipe: Recipe) -> list[str]:
    """The names of a stage's outputs: of runs, or of what runs share; "": there is one."""
    if STAGES[name].per_run:
        return list(recipe.runs)
    if STAGES[name].varies and recipe.runs:
        return list(dict.fromkeys(run.shared[name] for run in recipe.runs.values()))
    return [""]


def _taken(stage: Stage, which: str, source: str, recipe: Recipe) -> list[str]:
    """The outputs of `source` that a call of a stage takes.

    What is made for a run takes what that run is made of; its scores are on what the first run
    has, so that items are the same; what is about all runs takes those of all.
    """
    outputs = _outputs(source, recipe)
    if STAGES[source].per_run:
        if stage.per_run:
            return [which]
        return [run for run in outputs if not (stage.foretells and recipe.runs[run].is_predicted)]
    if not stage.varies or not recipe.runs:
        return outputs[:1]
    return [_run_of(stage, which, recipe).shared.get(source, "")]


def _run_of(stage: Stage, which: str, recipe: Recipe) -> Run:
    """The first run that takes an output of a stage."""
    if stage.per_run:
        return recipe.runs[which]
    return next(run for run in recipe.runs.values() if run.shared[stage.name] == which)


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


def refuse_late_prediction(steps: Sequence[Step]) -> None:
    """A prediction is made before the runs that it is about, and then it stays."""
    for number, step in enumerate(steps):
        if step.stage == REPORT or not STAGES[step.stage].foretells:
            continue
        later = [one.out for one in steps[number:] if one.of_run is not None]
        begun = [str(out) for out in later if out.is_dir() and owner_of(out)]
        changed = (found for found in states(steps[: number + 1]) if found[1] != UP_TO_DATE)
        if begun and (first := next(changed, None)):
            raise InputError(
                f"{step.out}: {first[0].name} is {first[1]!r}, and after its runs have begun a "
                "prediction is none; put back what was changed, or delete "
                f"{', '.join(begun)} to predict anew"
            )


def copy_recipe(recipe: Recipe, out: Path) -> None:
    """To what is made of it."""
    out.mkdir(parents=True, exist_ok=True)
    write_bytes(out / RECIPE_COPY, _named(recipe))


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


def run_recipe(
    path: str | Path, out: str | Path, *, data: str | Path | None = None
) -> dict[str, Manifest]:
    """Do all that the recipe in `path` asks for; the manifest of each step by its name."""
    recipe, out = read_recipe(Path(path), data=Path(data) if data else None), Path(out)
    steps = plan(recipe, out)
    check(recipe, steps)
    refuse_late_prediction(steps)
    copy_recipe(recipe, out)
    return {step.name: step.run() for step in steps}


def _call(stage: Stage, arguments: Mapping[str, Any], **watched: Any) -> Manifest:
    manifest: Manifest = stage.load_function()(**arguments, **watched)
    return manifest


def _call_report(recipe: Recipe, out: Path, *, progress: Progress) -> Manifest:
    from wellread.report.build import write_report

    assert recipe.report is not None
    return write_report(out, out / REPORT, recipe.report, progress=progress)
