"""The stage `study`: results of several runs in, their scores side by side out."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from wellread.base.errors import InputError
from wellread.base.manifest import (
    Manifest,
    finished,
    is_artifact,
    read_manifest,
    writing,
)
from wellread.base.progress import Progress, silent
from wellread.base.text import suggestion
from wellread.formats import results as evaluation
from wellread.formats.comparisons import Compare, Side
from wellread.formats.results import Result
from wellread.formats.studies import STAGE, Difference, Point, Study
from wellread.studies.config import StudyConfig

log = logging.getLogger(__name__)
DIGITS_SHOWN = 12  # of a digest
NUM_PARAMETERS = "num_parameters"  # among the facts of a run's manifest


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run of the family, and where its results are."""

    name: str
    settings: dict[str, Any]  # those that the study varies
    others: dict[str, Any]  # all else that made it what it is: settings, digests of inputs
    num_parameters: int
    directories: dict[str, Path]  # task -> results directory
    results: dict[str, Result]  # task -> scores


class Pair(NamedTuple):
    """Two runs that differ in one setting, the second having the next more parameters."""

    smaller: Run
    larger: Run


def fit_study(
    results: Sequence[Path],
    out: Path,
    config: StudyConfig,
    *,
    compare: Compare,
    progress: Progress = silent,
) -> Manifest:
    """Write every score of the runs behind `results`, and what each gains over the next smaller.

    Runs are paired if they differ in just one of the settings varied, each with the next larger.
    `compare` makes the differences of two results; a task whose items they do not share is named
    as unpaired. What else the runs differ in is named, in a warning too.
    """
    runs = read_runs(results, config)
    pairs = next_larger_pairs(runs)
    inputs = {"results": list(results)}
    if done := finished(out, stage=STAGE, config=config, inputs=inputs):
        return done
    with writing(out, stage=STAGE, config=config, inputs=inputs) as draft:
        points = [point for run in runs for point in _points(run)]
        differences: list[Difference] = []
        unpaired: list[str] = []
        for number, pair in enumerate(pairs, start=1):
            for task in sorted(pair.smaller.results.keys() & pair.larger.results.keys()):
                found = _differences(pair, task, config.seed, compare)
                differences += found
                if not found and pair.smaller.results[task].scores:
                    unpaired.append(f"{task} of {pair.smaller.name} and {pair.larger.name}")
            progress(number, len(pairs), f"{pair.larger.name} against {pair.smaller.name}")
        study = Study(
            vary=config.vary,
            points=points,
            differences=differences,
            unpaired=unpaired,
            differs_too=differing(runs),
        )
        if study.caution:
            log.warning("%s: %s", out, study.caution)
        draft.write("study.json", msgspec.json.format(msgspec.json.encode(study), indent=1))
        draft.counts.update({"in": len(points), "out": len(points)})
        draft.counts.update({"runs": len(runs), "differences": len(differences)})
    return read_manifest(out)


def read_runs(results: Sequence[Path], config: StudyConfig) -> list[Run]:
    """The runs behind results directories, by number of parameters; several may be of one run."""
    runs: dict[Path, Run] = {}
    for directory in results:
        location = run_directory(directory)
        run = runs.setdefault(location, _describe(location, config))
        for result in evaluation.read_results(directory):
            if result.task in run.results:
                raise InputError(
                    f"{directory}: {result.task!r} of run {run.name!r} is in "
                    f"{run.directories[result.task]} too; name one of them"
                )
            run.results[result.task] = result
            run.directories[result.task] = directory
    if len(runs) < 2:
        raise InputError(f"a study compares at least 2 runs; these results are of {len(runs)}")
    return sorted(runs.values(), key=lambda run: (run.num_parameters, run.name))


def run_directory(results: Path) -> Path:
    """The run that a results directory is about."""
    manifest = evaluation.results_manifest(results)
    models = manifest.inputs.get("model", [])
    location = results.resolve() / models[0].path if models else results
    if not models or not is_artifact(location):
        raise InputError(
            f"{results}: not the results of a finished run; a study needs the run's settings"
        )
    return location.resolve()


def _describe(location: Path, config: StudyConfig) -> Run:
    manifest = read_manifest(location)
    if NUM_PARAMETERS not in manifest.facts:
        raise InputError(f"{location}: its manifest has no {NUM_PARAMETERS}; not a training run")
    settings = {key: _setting(manifest.config, key, location) for key in config.vary}
    for key, value in settings.items():
        if value not in config.vary[key]:
            raise InputError(
                f"{location}: {key} is {value!r}, which is none of the study's values "
                f"{config.vary[key]!r}"
            )
    others = {**_flat(manifest.config), **_inputs(location, manifest, depth=2)}
    return Run(
        name=location.name,
        settings=settings,
        others={key: value for key, value in others.items() if key not in settings},
        num_parameters=manifest.facts[NUM_PARAMETERS],
        directories={},
        results={},
    )


def _setting(config: dict[str, Any], key: str, location: Path) -> Any:
    value: Any = config
    for depth, part in enumerate(parts := key.split(".")):
        if not isinstance(value, dict) or part not in value:
            known = value if isinstance(value, dict) else {}
            there = [".".join([*parts[:depth], name]) for name in known]
            raise InputError(f"{location}: the run has no setting {key!r}{suggestion(key, there)}")
        value = value[part]
    return value


def _flat(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """
    >>> _flat({"model": {"size": "2x64"}, "seed": 0})
    {'model.size': '2x64', 'seed': 0}
    """
    found: dict[str, Any] = {}
    for key, value in config.items():
        found |= (
            _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
        )
    return found


def _inputs(location: Path, manifest: Manifest, *, depth: int) -> dict[str, str]:
    """Short digests of an artifact's inputs, and of what these were made of, if they are there."""
    found: dict[str, str] = {}
    for role, inputs in manifest.inputs.items():
        digests = [one.digest or "".join(f.sha256 for f in one.files.values()) for one in inputs]
        found[role] = " ".join(digest[:DIGITS_SHOWN] for digest in digests)
        for one in inputs if depth > 1 else []:
            if is_artifact(origin := location / one.path):
                found |= _inputs(origin, read_manifest(origin), depth=depth - 1)
    return found


def differing(runs: Sequence[Run]) -> dict[str, list[Any]]:
    """What the runs differ in besides the settings varied: name -> values, in order of the runs."""
    found: dict[str, list[Any]] = {}
    for key in dict.fromkeys(key for run in runs for key in run.others):
        values: list[Any] = []
        for run in runs:
            if (value := run.others.get(key)) not in values:
                values.append(value)
        if len(values) > 1:
            found[key] = values
    return found


def next_larger_pairs(runs: Sequence[Run]) -> list[Pair]:
    """Each run with the next larger one that differs from it in a single setting."""
    pairs = []
    for run in runs:
        larger = [
            other
            for other in runs
            if other.num_parameters > run.num_parameters
            and sum(other.settings[key] != run.settings[key] for key in run.settings) == 1
        ]
        if larger:
            pairs.append(Pair(run, min(larger, key=lambda r: (r.num_parameters, r.name))))
    return pairs


def _points(run: Run) -> list[Point]:
    return [
        Point(
            run=run.name,
            settings=run.settings,
            num_parameters=run.num_parameters,
            task=task,
            metric=score.metric,
            value=score.value,
            low=score.low,
            high=score.high,
            chance=score.chance,
        )
        for task, result in sorted(run.results.items())
        for score in result.scores
    ]


def _differences(pair: Pair, task: str, seed: int, compare: Compare) -> list[Difference]:
    smaller, larger = (Side(run.directories[task], run.results[task]) for run in pair)
    if smaller.result.protocol != larger.result.protocol:
        raise InputError(
            f"{larger.directory}: {task!r} was scored as {larger.result.protocol}, for "
            f"{pair.smaller.name!r} as {smaller.result.protocol}; evaluate both alike"
        )
    return [
        Difference(
            task=task,
            metric=paired.metric,
            smaller=pair.smaller.name,
            larger=pair.larger.name,
            difference=paired.difference,
            low=paired.low,
            high=paired.high,
            num_items=paired.num_items,
            num_units=paired.num_units,
            higher_is_better=paired.higher_is_better,
        )
        for paired in compare(smaller, larger, seed)
    ]
