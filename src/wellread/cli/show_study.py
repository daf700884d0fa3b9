"""A study in the terminal: what changes along each series, what was predicted, what variants do."""

from collections.abc import Iterator, Sequence
from typing import Literal

from rich.markup import escape

from wellread.base.text import human_number
from wellread.cli import show
from wellread.formats.estimates import Estimate, Unit
from wellread.formats.findings import Fit, Trend
from wellread.formats.predictions import ScoredPrediction
from wellread.formats.studies import TRAINING, Series, Study


def tables(found: Study) -> None:
    """A table for each series, then predictions, underfitting, sudden steps and effects."""
    for series in found.series:
        rows = [t for t in found.trends if (t.series, t.axis) == (series.name, series.axis)]
        if rows:
            _trends(found, series, rows)
    limits = [fit for fit in found.fits if fit.form == "power" and fit.is_better]
    for fit in limits:
        show.out.print(f"{_of(fit.task, fit.metric, fit.series)}: {_law(fit)}", markup=False)
    for one in found.underfitting:
        _line(f"{one.series}: " * bool(one.series) + f"{one.verdict}: {one.reason}")
    for step in found.suddenness:
        if step.verdict == "sudden":
            name = _of(step.task, step.metric, step.series)
            _line(f"{name} is sudden from {step.smaller} to {step.larger}")
    if found.predictions:
        _predictions(found.predictions)
    if found.effects:
        _effects(found)
    for text in _by_reason([*found.not_compared, *found.unpaired]):
        _line(f"not compared: {text}")


def _by_reason(texts: Sequence[str]) -> Iterator[str]:
    """Of texts `NAME: REASON` one for each reason, with all its names.

    >>> list(_by_reason(["a: no item", "b: no item", "c"]))
    ['a, b: no item', 'c']
    """
    names: dict[str, list[str]] = {}
    for text in texts:
        name, colon, reason = text.rpartition(": ")
        names.setdefault(colon + reason if colon else "", []).append(name if colon else text)
    yield from (", ".join(named) + reason for reason, named in names.items())


def _line(text: str) -> None:
    show.out.print(text, markup=False)


def _of(task: str, metric: str, series: str) -> str:
    return f"{task} {metric}{' of ' * bool(series)}{series}"


def _value(value: float, unit: Unit) -> str:
    return f"{100 * value:.1f} %" if unit == "share" else _short(value)


def _change(one: Estimate | None, unit: Unit) -> tuple[str, str]:
    """A difference and its interval, of shares in points."""
    if one is None:
        return "", ""
    numbers = (one.value, one.low, one.high)
    if unit == "share":
        value, *bounds = ("" if number is None else f"{100 * number:+.1f}" for number in numbers)
    else:
        value, *bounds = ("" if number is None else _short(number, "+") for number in numbers)
    return value, " to ".join(filter(None, bounds))


def _short(number: float, sign: Literal["", "+"] = "") -> str:
    """Three digits, and more of large whole parts.

    >>> _short(12.345), _short(-0.0123456, "+"), _short(23456.0)
    ('12.3', '-0.0123', '23,456')
    """
    return human_number(number, sign) if abs(number) >= 1000 else f"{number:{sign}.3g}"


def _trends(found: Study, series: Series, rows: Sequence[Trend]) -> None:
    """From the first group to the last, the slope, and where chance is left."""
    values = {(one.task, one.metric, one.group): one for one in found.group_scores}
    first, last = series.groups[0], series.groups[-1]
    title = f"{series.name}, " * bool(series.name) + f"along {series.axis}"
    _line(f"\n{title}: {', '.join(series.groups)}")
    table = show.plain_table(
        "task", "metric", escape(first), escape(last), "per tenfold", "95 %", "above chance",
        left=["task", "metric", "above chance"],
    )  # fmt: skip
    for trend in rows:
        ends = [values.get((trend.task, trend.metric, name)) for name in (first, last)]
        table.add_row(
            escape(trend.task), trend.metric,
            *("" if end is None else _value(end.value, end.unit) for end in ends),
            *_change(trend.per_tenfold, trend.unit),
            "" if trend.leaves_chance_at is None else f"from {escape(trend.leaves_chance_at)}",
        )  # fmt: skip
    show.print_table(table)
    _line("Slopes of shares are in points, of perplexities in nats: of their logarithms.")


def _law(fit: Fit) -> str:
    """A power law; a parameter that is not known is not shown."""
    exponent, limit = (
        _with_interval(fit.parameters[name]) if fit.is_determined(name) else "not determined"
        for name in ("exponent", "limit")
    )
    return f"a power law, exponent {exponent}, limit {limit}"


def _with_interval(one: Estimate) -> str:
    """
    >>> _with_interval(Estimate(value=0.5, low=0.25, high=1)), _with_interval(Estimate(value=2))
    ('0.5 (0.25 to 1)', '2')
    """
    if one.low is None or one.high is None:
        return _short(one.value)
    return f"{_short(one.value)} ({_short(one.low)} to {_short(one.high)})"


def _predictions(rows: Sequence[ScoredPrediction]) -> None:
    show.out.print()
    table = show.plain_table(
        "task",
        "metric",
        "size",
        "predicted",
        "95 %",
        "came",
        "",
        left=["task", "metric", "size", ""],
    )
    for one in rows:
        was = one.predicted
        shown = [_value(value, was.unit) for value in (was.value, was.low, was.high, one.actual)]
        table.add_row(
            escape(was.task), was.metric, escape(was.size), shown[0], f"{shown[1]} to {shown[2]}",
            shown[3], "inside" if one.is_inside else "outside",
        )  # fmt: skip
    show.print_table(table)
    if counted := [one for one in rows if one.counts]:
        inside = sum(one.is_inside for one in counted)
        nearer = sum(abs(one.error) < abs(one.naive_error) for one in counted)
        _line(f"{inside} of {len(counted)} inside; {nearer} nearer than the largest model before")
    for reason in sorted({one.reason for one in rows if not one.counts}):
        _line(f"does not count: {reason}")


def _effects(found: Study) -> None:
    show.out.print()
    left = ["variant", "task", "metric", ""]
    table = show.plain_table(*left[:3], "reference", "difference", "95 %", "seeds", "", left=left)
    for one in found.effects:
        name = "-".join([one.variant, *map(str, one.settings.values())])
        task = "" if one.task == TRAINING else one.task
        share: Unit = "share" if one.unit == "share" else "number"
        table.add_row(
            escape(name), escape(task), one.metric, _value(one.reference_value, share),
            *_change(one.difference, one.unit), f"{len(one.seeds)}", one.verdict,
        )  # fmt: skip
    show.print_table(table)
