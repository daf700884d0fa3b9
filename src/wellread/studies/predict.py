"""The stage `study predict`: scores of sizes that are to be trained, from those that are."""

import itertools
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from wellread.base.config import convert
from wellread.base.errors import InputError
from wellread.base.intervals import Floats, middle
from wellread.base.manifest import Manifest, finished, read_manifest, writing
from wellread.base.progress import Progress, silent
from wellread.base.seeds import generator
from wellread.formats.predictions import NAME, STAGE, Predicted, Prediction
from wellread.formats.studies import SIZE, Group, Series
from wellread.model.sizes import ModelConfig
from wellread.studies import curves
from wellread.studies.config import StudyConfig
from wellread.studies.family import Run, groups_of, read_runs, series_of
from wellread.studies.measures import Means, Measure, by_group, means, measures, printed

DRAWS = 4000  # Student's t has long tails


def predict_study(
    results: Sequence[Path], out: Path, config: StudyConfig, *, progress: Progress = silent
) -> Manifest:
    """Write what every metric of the sizes in `config.predict` should be.

    `results` are those of the other sizes. The prediction counts only for runs whose training
    begins after it; `fit_study` checks that.
    """
    if not config.predict:
        raise InputError("nothing to predict: name sizes of models in `predict`")
    runs = read_runs(results, config)
    if known := [run.name for run in runs if run.is_predicted]:
        raise InputError(
            f"{out}: {known[0]} is of a size to be predicted, and was evaluated already; a "
            "prediction is made before"
        )
    inputs = {"results": list(results)}
    if done := finished(out, stage=STAGE, config=config, inputs=inputs):
        return done
    asked = {size: num_parameters(size, runs[-1]) for size in config.predict}
    with writing(out, stage=STAGE, config=config, inputs=inputs) as draft:
        prediction = _predict(runs, config, progress)
        draft.write(NAME, msgspec.json.format(msgspec.json.encode(prediction), indent=1))
        draft.counts.update({"in": len(runs), "out": len(prediction.predicted)})
        draft.facts["num_parameters"] = asked
    return read_manifest(out)


def _predict(runs: Sequence[Run], config: StudyConfig, progress: Progress) -> Prediction:
    predicted: list[Predicted] = []
    not_predicted: list[str] = []
    by_name = {run.name: run for run in runs}
    groups = {group.name: group for group in groups_of(runs)}
    along = [one for one in series_of(list(groups.values()), config) if one.axis == SIZE]
    every = list(measures(runs))
    for number, (series, measure) in enumerate(itertools.product(along, every)):
        members = [groups[name] for name in series.groups]
        values = by_group(measure, [group.runs for group in members])
        where = f"{measure.name}{' of ' * bool(series.name)}{series.name}"
        if values is None:
            not_predicted.append(f"{where}: not measured of every run")
        elif (least := curves.LEAST_SIZES["line"]) > len(members):
            not_predicted.append(f"{where}: {len(members)} sizes, where a line needs {least}")
        elif len({value for group in values for value in group}) == 1:
            not_predicted.append(f"{where}: the same of every run, so that no scatter is known")
        else:
            like = by_name[members[-1].runs[0]]
            sizes = {size: num_parameters(size, like) for size in config.predict}
            predicted += _of_sizes(sizes, series, measure, members, means(values), config.seed)
        progress(number, len(along) * len(every), where)
    return Prediction(predicted=predicted, not_predicted=not_predicted)


def num_parameters(size: str, run: Run) -> int:
    """Of a model of `size` that is else as the run's, whose own number tells its vocabulary."""
    model = convert(run.manifest.config["model"], ModelConfig, where=str(run.location))
    least, more = (model.architecture(words).num_parameters for words in (0, 1))
    vocab_size, rest = divmod(run.num_parameters - least, more - least)
    if rest or vocab_size < 1:
        raise InputError(
            f"{run.location}: its settings {run.manifest.config['model']} with no vocabulary give "
            f"{run.num_parameters:,} parameters; those of another size cannot be counted"
        )
    other = msgspec.structs.replace(model, size=size)
    return other.architecture(vocab_size).num_parameters


class Spread(NamedTuple):
    """What a mean over a group's seeds is off a curve by: a standard deviation, and how sure."""

    deviation: float
    freedom: int


def spread(found: Means, about_curve: float | None, freedom: int) -> Spread:
    """The scatter of the means about the curve, or that of seeds, whichever is larger."""
    seen = [Spread(about_curve, freedom)] if about_curve is not None else []
    if found.deviation is not None:
        seen.append(Spread(found.deviation / math.sqrt(found.num_seeds), found.freedom))
    return max(seen)


def _of_sizes(
    sizes: dict[str, int],
    series: Series,
    measure: Measure,
    members: Sequence[Group],
    found: Means,
    seed: int,
) -> Iterator[Predicted]:
    sizes_G = np.array(series.x)
    form = next(iter(curves.left_out_errors(measure.unit, sizes_G, found.mean_G)))
    curve = curves.fit(form, sizes_G, found.mean_G[None])
    about = curves.residual(curve, sizes_G, found.mean_G)
    noise = spread(found, about, curves.freedom(form, len(sizes_G)))
    for size, number in sizes.items():
        at = np.array([float(number)])
        drawn = predictive_draws(
            curve, sizes_G, at, noise, generator(seed, "predict", series.name, measure.name, size)
        )
        value, low, high = printed(measure.unit, np.array([curve.at(at)[0, 0], *middle(drawn)]))
        if measure.unit == "share":
            value, low, high = np.clip([value, low, high], 0, 1)
        yield Predicted(
            series=series.name,
            size=size,
            num_parameters=number,
            task=measure.task,
            metric=measure.metric,
            unit=measure.unit,
            higher_is_better=bool(measure.higher_is_better),
            value=float(value),
            low=float(low),
            high=float(high),
            form=form,
            largest=series.groups[-1],
            largest_value=float(printed(measure.unit, found.mean_G[-1:])[0]),
            runs=[run for group in members for run in group.runs],
        )


def predictive_draws(
    curve: curves.Curves, sizes_G: Floats, at: Floats, noise: Spread, source: np.random.Generator
) -> Floats:
    """A new group's mean at the size `at`: curves through drawn means, and its own scatter.

    For a line their middle is the interval of regression for a new observation, by Student's t.
    """
    chi_D1 = source.chisquare(noise.freedom, size=(DRAWS, 1))
    scale_D1 = noise.deviation * np.sqrt(noise.freedom / chi_D1)
    means_DG = curve.at(sizes_G) + scale_D1 * source.normal(size=(DRAWS, len(sizes_G)))
    refitted = curves.fit(curve.form, sizes_G, means_DG)
    drawn: Floats = (refitted.at(at) + scale_D1 * source.normal(size=(DRAWS, 1)))[:, 0]
    return drawn
