"""The runs behind results directories: which is of which variant, group and series."""

import itertools
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from wellread.base.errors import InputError
from wellread.base.manifest import Manifest, is_artifact, read_manifest
from wellread.formats import results as evaluation
from wellread.formats.metrics import Step, read_metrics, seconds_spent
from wellread.formats.results import Result
from wellread.formats.studies import SIZE, Group, Series
from wellread.studies.config import SEED, StudyConfig, set_beside
from wellread.studies.settings import origins, others, setting, settings_of

NUM_PARAMETERS = "num_parameters"  # among the facts of a run's manifest
ALL = "all"  # the group of a study that varies seeds only


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run of the family, and where its results are."""

    name: str
    location: Path
    variant: str  # "": the study has none
    settings: dict[str, Any]  # those that the study varies, but the seed
    seed: int
    is_predicted: bool
    others: dict[str, Any]  # all else that made it what it is: settings, digests of inputs
    tokenizer: Any  # what tells it from another
    corpus: Any
    manifest: Manifest
    steps: list[Step]  # that its training logged
    directories: dict[str, Path]  # stem -> results directory
    results: dict[str, Result]  # stem -> scores

    @property
    def num_parameters(self) -> int:
        found: int = self.manifest.facts[NUM_PARAMETERS]
        return found

    @property
    def group(self) -> str:
        parts = [self.variant, *map(str, self.settings.values())]
        return "-".join(filter(None, parts)) or ALL

    def started_at(self) -> datetime:
        """When its training began, or later if it was interrupted."""
        spent = seconds_spent(self.manifest, self.steps)
        return self.manifest.finished_at - timedelta(seconds=spent)


def read_runs(results: Sequence[Path], config: StudyConfig) -> list[Run]:
    """The runs behind results directories, by number of parameters; several may be of one run."""
    runs: dict[Path, Run] = {}
    for directory in results:
        location = run_directory(directory)
        run = runs.get(location) or _describe(location, config)
        runs[location] = run
        for result in evaluation.read_results(directory, variants=True):
            if result.stem in run.results:
                raise InputError(
                    f"{directory}: {result.stem!r} of run {run.name!r} is in "
                    f"{run.directories[result.stem]} too; name one of them"
                )
            run.results[result.stem] = result
            run.directories[result.stem] = directory
    if len(runs) < 2:
        raise InputError(f"a study compares at least 2 runs; these results are of {len(runs)}")
    found = sorted(runs.values(), key=lambda run: (run.num_parameters, run.name))
    for one, other in itertools.pairwise(sorted(found, key=lambda run: run.name)):
        if one.name == other.name:
            raise InputError(f"{one.location} and {other.location}: two runs of one name")
    _check_protocols(found)
    return found


def _check_protocols(runs: Sequence[Run]) -> None:
    first: dict[str, Run] = {}
    for run in runs:
        for stem, result in run.results.items():
            before = first.setdefault(stem, run)
            if (protocol := before.results[stem].protocol) != result.protocol:
                raise InputError(
                    f"{run.directories[stem]}: {stem!r} was scored as {result.protocol}, for "
                    f"{before.name!r} as {protocol}; evaluate both alike"
                )


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
    made = origins(location)
    every = settings_of(made)
    varied = {key: setting(every, key, location) for key in config.vary}
    for key, value in varied.items():
        known = [*config.vary[key], *(config.predict if key == SIZE else ())]
        if value not in known:
            raise InputError(
                f"{location}: {key} is {value!r}, which is none of the study's values {known!r}"
            )
    changed = (key for changes in config.variants.values() for key in changes)
    beside = (name for key in config.beside for name in set_beside(config, key))
    named = [*config.vary, *changed, *beside, SEED]
    digests = others(made, [])
    return Run(
        name=location.name,
        location=location,
        variant=_variant(every, config, location),
        settings={key: value for key, value in varied.items() if key != SEED},
        seed=manifest.config.get("train", {}).get("seed", 0),
        is_predicted=varied.get(SIZE) in config.predict,
        others=others(made, named),
        tokenizer=digests.get("tokenizer", digests.get("tokens")),
        corpus=digests.get("corpus", digests.get("tokens")),
        manifest=manifest,
        steps=list(read_metrics(location)),
        directories={},
        results={},
    )


def _variant(settings: dict[str, Any], config: StudyConfig, location: Path) -> str:
    """Of the variants whose settings the run has, the one that names the most."""
    if not config.variants:
        return ""
    fitting = [
        name
        for name, changes in config.variants.items()
        if all(setting(settings, key, location) == value for key, value in changes.items())
    ]
    most = max((len(config.variants[name]) for name in fitting), default=0)
    found = [name for name in fitting if len(config.variants[name]) == most]
    if len(found) != 1:
        which = " and ".join(found) or "none"
        raise InputError(
            f"{location}: of the study's variants {', '.join(config.variants)} its settings are "
            f"those of {which}; each variant is to differ from the others"
        )
    return found[0]


def groups_of(runs: Sequence[Run]) -> list[Group]:
    """Runs that differ in nothing but their seed, in the order of their first."""
    together: dict[str, list[Run]] = {}
    for run in runs:
        together.setdefault(run.group, []).append(run)
    return [
        Group(
            name=name,
            variant=alike[0].variant,
            settings=alike[0].settings,
            num_parameters=alike[0].num_parameters,
            is_predicted=alike[0].is_predicted,
            runs=[run.name for run in sorted(alike, key=lambda run: run.seed)],
        )
        for name, alike in together.items()
    ]


def series_of(groups: Sequence[Group], config: StudyConfig) -> Iterator[Series]:
    """The groups along each setting whose values are numbers, and along the size of the model."""
    for axis, values in config.vary.items():
        is_number = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
        if axis == SEED or not (is_number or axis == SIZE):
            continue
        together: dict[tuple[str, ...], list[tuple[float, Group]]] = {}
        for group in groups:
            x = float(group.num_parameters if axis == SIZE else group.settings[axis])
            rest = [str(value) for key, value in group.settings.items() if key != axis]
            together.setdefault((group.variant, *rest), []).append((x, group))
        for parts, found in together.items():
            along = sorted(found, key=lambda pair: pair[0])
            if len(along) > 1:
                yield Series(
                    name="-".join(filter(None, parts)),
                    axis=axis,
                    variant=parts[0],
                    fixed={k: v for k, v in along[0][1].settings.items() if k != axis},
                    groups=[group.name for _, group in along],
                    x=[x for x, _ in along],
                )
