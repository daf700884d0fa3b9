"""The report of one run, or of several with their models held against the first run's."""

import math
import posixpath
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from wellread.base.config import Config
from wellread.base.errors import InputError
from wellread.base.manifest import Manifest, finished, is_artifact, read_manifest, writing
from wellread.base.progress import Progress, silent
from wellread.evaluate.compare import compare_results
from wellread.formats.comparisons import STAGE, By, Comparison, Matched, Side, write_comparison
from wellread.formats.results import Result, read_results, results_in
from wellread.pipeline.stages import REPORT
from wellread.report.build import write_report
from wellread.report.config import ReportConfig


class ComparisonConfig(Config, frozen=True):
    """Settings of the stage `comparison`."""

    seed: int = 0  # of the bootstrap


def report_runs(
    given: Sequence[Path], out: Path, config: ReportConfig, *, progress: Progress = silent
) -> Manifest:
    """Write the report of a run; of several runs, or reports, how they differ from the first.

    The comparison behind the latter is an artifact of its own, beside the report.
    """
    runs = [run_of(path) for path in given]
    if len(runs) == 1:
        return write_report(runs[0], out, config, progress=progress)
    if len({run.resolve() for run in runs}) < len(runs):
        raise InputError("report: a run is named twice; name runs that differ")
    beside = out.with_name(f"{out.name}-{STAGE}")
    compare_runs(runs, beside, ComparisonConfig(), progress=progress)
    return write_report(runs, out, config, comparison=beside, progress=progress)


def run_of(path: Path) -> Path:
    """The run that a report is of; any other path as it is."""
    place = path.parent if path.is_file() else path
    if not is_artifact(place) or (manifest := read_manifest(place)).stage != REPORT:
        return path
    runs = manifest.facts.get("runs", [])
    if len(runs) != 1:
        raise InputError(f"{path}: a report of {len(runs)} runs; name the runs themselves")
    return place / str(runs[0])


def compare_runs(
    runs: Sequence[Path], out: Path, config: ComparisonConfig, *, progress: Progress = silent
) -> Manifest:
    """Hold each model of the later runs against one of the first run's, on the items of both."""
    models = [_models(run) for run in runs]
    inputs = {"results": [model.place for found in models for model in found]}
    if done := finished(out, stage=STAGE, config=config, inputs=inputs):
        return done
    pairs = [
        (number, *pair)
        for number, found in enumerate(models[1:], start=1)
        for pair in matches(models[0], found)
    ]
    with writing(out, stage=STAGE, config=config, inputs=inputs) as draft:
        made = []
        for done_so_far, (number, first, second, by) in enumerate(pairs):
            made.append(_matched(number, first, second, by, config.seed))
            progress(done_so_far + 1, len(pairs), f"{second.name} against {first.name}")
        write_comparison(draft, Comparison(runs=run_names(runs), models=made))
        draft.counts["in"] = sum(map(len, models))
        draft.counts["out"] = len(made)
    return read_manifest(out)


class Model(NamedTuple):
    name: str
    place: Path  # of its results
    num_parameters: int | None


def _models(run: Path) -> list[Model]:
    found = [(place, read_manifest(place).facts) for place in results_in(run)]
    return [Model(place.name, place, facts.get("num_parameters")) for place, facts in found]


def matches(first: Sequence[Model], second: Sequence[Model]) -> list[tuple[Model, Model, By]]:
    """Those of one name; where there are none, the only ones, else each with the nearest in size.

    >>> small, large = (Model(name, Path(name), n) for name, n in (("a", 10), ("b", 1000)))
    >>> other = Model("c", Path("c"), 900)
    >>> [(one.name, two.name, by) for one, two, by in matches([small, large], [other])]
    [('b', 'c', 'nearest size')]
    """
    by_name = {model.name: model for model in first}
    named: list[tuple[Model, Model, By]] = [
        (by_name[model.name], model, "name") for model in second if model.name in by_name
    ]
    if named:
        return named
    if len(first) == len(second) == 1:
        return [(first[0], second[0], "being the only ones")]
    sized = [model for model in first if model.num_parameters]
    return [
        (min(sized, key=lambda one: _distance(one, model)), model, "nearest size")
        for model in second
        if model.num_parameters and sized
    ]


def _distance(one: Model, other: Model) -> float:
    """Of their sizes, on a scale of logarithms."""
    return abs(math.log((one.num_parameters or 1) / (other.num_parameters or 1)))


def _matched(number: int, first: Model, second: Model, by: By, seed: int) -> Matched:
    ours, theirs = (_by_protocol(model.place) for model in (first, second))
    found = {
        protocol: compare_results(
            Side(first.place, ours[protocol]), Side(second.place, theirs[protocol]), seed
        )
        for protocol in ours
        if protocol in theirs
    }
    return Matched(
        run=number,
        first=first.name,
        second=second.name,
        by=by,
        scores=[paired for scores in found.values() for paired in scores],
        unpaired=[protocol for protocol, scores in found.items() if not scores],
    )


def _by_protocol(place: Path) -> dict[str, Result]:
    return {one.protocol: one for one in read_results(place) if one.scores}


def run_names(runs: Sequence[Path]) -> list[str]:
    """The names of their directories, with the one above where two are alike.

    >>> run_names([Path("/a/run"), Path("/b/run")])
    ['a/run', 'b/run']
    """
    paths = [run.resolve() for run in runs]
    seen = Counter(path.name for path in paths)
    return [
        path.name if seen[path.name] == 1 else posixpath.join(path.parent.name, path.name)
        for path in paths
    ]
