"""The figures of the section on model size, made of a study's rows."""

from collections.abc import Iterator

from wellread.formats.studies import LOG_PROB
from wellread.report.blocks import Figure, metric_name, score
from wellread.report.evidence import HELD_OUT
from wellread.report.figures import in_points
from wellread.report.size_figures import (
    Foretold,
    Pair,
    Trend,
    losses,
    predictions,
    smooth_or_sudden,
    tasks_by_size,
)
from wellread.report.study_figures import Dot, Effect, ranked
from wellread.report.study_words import amount, score_name, task_name
from wellread.report.trends import Metric, Sizes

PANELS_DRAWN = 9  # of tasks
PAIRS_DRAWN = 4  # of metrics of one task
OPEN = " Open points are what was predicted, with its 95 % interval, before that size was trained."


def losses_drawn(sizes: Sizes) -> list[Figure]:
    if not sizes.losses:
        return []
    drawn = [sizes.trend(metric) for metric in sizes.losses]
    gaps = [
        Dot(gap.num_parameters, gap.gap.value, gap.gap.low, gap.gap.high)
        for found in sizes.underfitting
        for gap in found.gaps
    ]
    bands = ", fits with their 95 % bands" if any(trend.band for trend in drawn) else ""
    runs = ", small points for single runs" if any(_has_seeds(trend) for trend in drawn) else ""
    caption = f"Loss by size with 95 % intervals{bands}{runs}."
    if len(drawn) > 1:
        caption = (
            "Held-out and training loss by size, as in the paper’s figure 4, with 95 % intervals"
            f"{bands}{runs}. While both fall together the models underfit; the gap, held-out less "
            + (
                "training, is below zero, so that the held-out documents are the easier ones."
                if gaps and all(dot.value < 0 for dot in gaps)
                else "training, is what they know of their training text alone."
            )
        )
    alt = "Loss by parameters. " + ". ".join(
        f"{name}: {_said(trend)}"
        for trend, name in zip(drawn, ("held-out", "training"), strict=False)
    )
    training = drawn[1] if len(drawn) > 1 else None
    units = (metric_name(sizes.losses[0][1]), "gap, nats per token")
    return [losses(drawn[0], training, gaps, (caption + _open(drawn), alt), units)]


def _has_seeds(trend: Trend) -> bool:
    return len(trend.runs) > len(trend.dots)


def foretold(sizes: Sizes) -> list[Figure]:
    rows, inside = [], 0
    for one in sizes.foretold:
        said = one.predicted
        half = (said.high - said.low) / 2
        place = (one.actual - (said.high + said.low) / 2) / half
        inside += one.is_inside
        text = f"{score(said.value, said.metric).text}, came {score(one.actual, said.metric).text}"
        rows.append(Foretold(_label(said.task, said.metric), place, one.is_inside, text))
    if not rows:
        return []
    names = " and ".join(dict.fromkeys(one.predicted.size for one in sizes.foretold))
    return [
        predictions(
            rows,
            f"What came of {names} (filled) within the 95 % interval that the smaller sizes gave "
            f"for it (grey, each drawn to one width): {inside} of {len(rows)} inside. At the right "
            "the score predicted and the score that came.",
            "; ".join(f"{row.label}: {row.text}" for row in rows),
        )
    ]


def tasks_drawn(sizes: Sizes) -> list[Figure]:
    own = list(_own_metrics(sizes))
    if not own:
        return []
    drawn = [sizes.trend(metric) for metric in own[:PANELS_DRAWN]]
    metrics = list(dict.fromkeys(metric_name(metric) for _, metric in own))
    more = f" Drawn: {len(drawn)} of {len(own)} tasks; the tables have all." * (
        len(own) > len(drawn)
    )
    return [
        tasks_by_size(
            drawn,
            f"Tasks by size, as in the paper’s figures 1 and 2 ({', '.join(metrics)}), with 95 % "
            f"intervals{', the fit’s band' * any(t.band for t in drawn)}, and dashed what guessing "
            "would give. Those that depend on "
            f"size most come first.{_open(drawn)}"
            + " Open diamonds are what the paper printed." * any(t.published for t in drawn)
            + more,
            ". ".join(f"{trend.title}: {_said(trend)}" for trend in drawn),
        )
    ]


def gains(sizes: Sizes) -> list[Figure]:
    found = sizes.ranked
    if len(found) < 2:
        return []
    effects = []
    for trend in found:
        slope = trend.standardised
        assert slope is not None
        series = 0 if slope.is_above_zero else 1 if slope.is_below_zero else None
        text = (
            "" if trend.per_tenfold is None
            else amount(trend.per_tenfold.value, trend.unit, is_difference=True)
        )  # fmt: skip
        effects.append(
            Effect(_label(trend.task, trend.metric), slope.value, slope.low, slope.high, text,
                   series)
        )  # fmt: skip
    return [
        ranked(
            "size-gains",
            effects,
            "Which tasks depend on size most: how much of the way from chance to 100 % ten times "
            "the parameters go, with 95 % intervals; at the right the same in percentage points. "
            "Grey intervals hold zero.",
            "; ".join(f"{effect.label}: {effect.text} points" for effect in effects),
            units=("share of the way from chance to 100 %, by ten times the parameters", "points"),
            ticks=lambda value: f"{in_points(value)} %",
        )
    ]


def steps(sizes: Sizes) -> list[Figure]:
    """Tasks that have both metrics, those with a sudden step first."""
    verdicts = {(one.task, one.metric): one.verdict for one in sizes.steps}
    tasks = {
        one.task: (one.task, one.metric)
        for one in sizes.steps
        if not one.is_continuous and (one.task, LOG_PROB) in verdicts
    }
    ordered = sorted(tasks.values(), key=lambda metric: verdicts[metric] != "sudden")
    pairs = [
        Pair(
            task_name(task),
            sizes.trend((task, metric)),
            sizes.trend((task, LOG_PROB)),
            verdicts[task, metric],
            verdicts[task, LOG_PROB],
        )
        for task, metric in ordered[:PAIRS_DRAWN]
    ]
    if not pairs:
        return []
    more = f" Drawn: {len(pairs)} of {len(ordered)} tasks." * (len(ordered) > len(pairs))
    return [
        smooth_or_sudden(
            pairs,
            "Smooth or sudden: the same answers under a metric that counts successes (left) and "
            "under the log probability of the right answer (right). A step on the left alone "
            f"would be one of the metric, not of the model.{more}",
            ". ".join(
                f"{p.title}: {metric_name(p.stepped.metric)} {p.stepped_verdict} "
                f"({_said(p.stepped)}); log probability {p.verdict} ({_said(p.continuous)})"
                for p in pairs
            ),
        )
    ]


def _own_metrics(sizes: Sizes) -> Iterator[Metric]:
    """One metric for each task, the one that is ranked before others."""
    ordered = [(t.task, t.metric) for t in sizes.ranked]
    seen = set()
    for task, metric in [*ordered, *sizes.metrics()]:
        is_loss = (task, metric) in sizes.losses or task.startswith((HELD_OUT, "training"))
        if task not in seen and not is_loss:
            seen.add(task)
            yield task, metric


def _open(trends: list[Trend]) -> str:
    return OPEN if any(trend.predicted for trend in trends) else ""


def _label(task: str, metric: str) -> str:
    return task_name(task) if metric == "accuracy" else score_name(task, metric)


def _said(trend: Trend) -> str:
    """A trend in words, for those who do not see it."""
    kinds = ((trend.dots, ""), (trend.predicted, "predicted "), (trend.came, "came "))
    return ", ".join(
        f"{dot.at:,.0f} parameters {word}{score(dot.value, trend.metric).text}"
        for dots, word in kinds
        for dot in dots
    )
