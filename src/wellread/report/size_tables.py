"""The tables of the section on model size."""

from wellread.formats.estimates import Estimate
from wellread.formats.findings import Fit
from wellread.report.blocks import NOT_RUN, NOTHING, Cell, Column, Table, Way, count, score
from wellread.report.study_words import (
    amount,
    estimate_cell,
    interval,
    ranged_cell,
    score_name,
    with_minus,
)
from wellread.report.trends import Sizes


def predictions_table(sizes: Sizes, why: list[Way]) -> Table:
    """What was predicted of the next size, and what came."""
    scored = {(p.predicted.task, p.predicted.metric, p.predicted.size): p for p in sizes.scored}
    rows = []
    late = dict.fromkeys(one.reason for one in sizes.scored if not one.counts)
    for said in sizes.predicted:
        one = scored.get((said.task, said.metric, said.size))
        rows.append(
            [
                Cell(score_name(said.task, said.metric)),
                Cell(said.size),
                score(said.largest_value, said.metric),
                ranged_cell(said.value, said.low, said.high, said.unit),
                score(one.actual, said.metric) if one else NOT_RUN,
                Cell("inside" if one.is_inside else "outside") if one else NOTHING,
                Cell("yes" if one.counts else "no") if one else NOTHING,
            ]
        )
    return Table(
        key="size-predictions",
        caption="Was the next size predicted?",
        columns=[
            Column("score", "name"),
            Column("size"),
            Column("largest before", "number"),
            Column("predicted", "number"),
            Column("came", "number"),
            Column("came inside"),
            Column("predicted before training"),
        ],
        rows=rows,
        why=why,
        note="Predicted from the smaller sizes by the form, a line over the logarithm of size or a "
        "power law, that predicts left out sizes better. Largest before: the score of the largest "
        "size that was known, which is what a forecast of no change would say."
        + "".join(f" Not predicted before training: {reason}." for reason in late),
        is_folded=True,
    )


def gaps_table(sizes: Sizes, why: list[Way]) -> Table:
    found = [gap for one in sizes.underfitting for gap in one.gaps]
    return Table(
        key="size-gaps",
        caption="Loss on held-out and on training documents, by size",
        columns=[
            Column("size", "name"),
            Column("parameters", "number"),
            Column("held-out", "number"),
            Column("training", "number"),
            Column("gap", "number"),
        ],
        rows=[
            [
                Cell(gap.group),
                count(gap.num_parameters),
                estimate_cell(gap.held_out, "nats", of=False),
                estimate_cell(gap.training, "nats", of=False),
                estimate_cell(gap.gap, "nats"),
            ]
            for gap in found
        ],
        why=why,
        note="Nats per token, means over seeds, with 95 % intervals. "
        + " ".join(f"{one.verdict}: {with_minus(one.reason)}." for one in sizes.underfitting),
        is_folded=True,
    )


def gains_table(sizes: Sizes, why: list[Way]) -> Table:
    return Table(
        key="size-gains",
        caption="What ten times the parameters do to each score",
        columns=[
            Column("score", "name"),
            Column("by tenfold", "number"),
            Column("smallest to largest", "number"),
            Column("of the room", "number"),
            Column("rank", "number"),
            Column("chance", "number"),
            Column("leaves chance at"),
        ],
        rows=[
            [
                Cell(score_name(t.task, t.metric)),
                estimate_cell(t.per_tenfold, t.unit),
                estimate_cell(t.whole, t.unit),
                estimate_cell(t.standardised, t.unit),
                _rank(t.rank, t.num_ranked),
                score(t.chance, t.metric),
                Cell(t.leaves_chance_at) if t.leaves_chance_at else NOTHING,
            ]
            for t in sizes.trends
        ],
        why=why,
        note="Shares in percentage points; perplexities by their logarithm, in nats. Of "
        "the room: towards better, of what lies between chance and 100 %; others in their own "
        "unit. Rank: among scores of one kind, 1 is the steepest. A task leaves chance at the "
        "first size from which on every 95 % interval excludes it.",
        is_folded=True,
    )


def _rank(rank: Estimate | None, number: int) -> Cell:
    if rank is None:
        return NOTHING
    ends = f"{rank.low:.0f} to {rank.high:.0f}" if rank.low and rank.high else ""
    text = f"{rank.value:.0f} of {number}"
    return Cell(text, rank.value, low=rank.low, high=rank.high, detail=ends)


def steps_table(sizes: Sizes, why: list[Way]) -> Table:
    return Table(
        key="size-steps",
        caption="Smooth or sudden: the largest step between two sizes",
        columns=[
            Column("score", "name"),
            Column("whole gain", "number"),
            Column("largest step"),
            Column("beyond a line’s", "number"),
            Column("by chance", "number"),
            Column("verdict"),
        ],
        rows=[
            [
                Cell(score_name(one.task, one.metric)),
                estimate_cell(one.whole, one.unit),
                Cell(f"{one.smaller} to {one.larger}"),
                estimate_cell(one.excess, "share"),
                NOTHING if one.probability is None else Cell(f"{one.probability:.3f}",
                                                             one.probability),
                Cell(one.verdict, is_muted=one.verdict == "not decided"),
            ]
            for one in sizes.steps
        ],
        why=why,
        note="Beyond a line’s: the step’s share of the whole gain less the share that a straight "
        "line over the logarithm of size has there, in percentage points. By chance: how often a "
        "straight line with this noise has a step as large.",
        is_folded=True,
    )  # fmt: skip


def fits_table(sizes: Sizes, why: list[Way]) -> Table:
    return Table(
        key="size-fits",
        caption="The fits",
        columns=[
            Column("score", "name"),
            Column("form"),
            Column("parameters of the fit"),
            Column("scatter", "number"),
            Column("error on sizes left out", "number"),
            Column("used"),
        ],
        rows=[
            [
                Cell(score_name(fit.task, fit.metric)),
                Cell("power law" if fit.form == "power" else "line"),
                Cell("; ".join(_parameters(fit))),
                _plain(fit.residual, fit),
                _plain(fit.left_out_error, fit),
                Cell("yes") if fit.is_better else NOTHING,
            ]
            for fit in sizes.fits
        ],
        why=why,
        note="Line: intercept + slope · log10 of parameters. Power law: limit + factor · "
        "parameters^−exponent, the factor at the smallest size. With 95 % intervals; a limit is "
        "not determined if its interval is wider than all that was measured, an exponent if its "
        "interval goes to the end of those tried. Perplexities are fitted by their logarithm.",
        is_folded=True,
    )


def _parameters(fit: Fit) -> list[str]:
    said = []
    for name, found in fit.parameters.items():
        if not fit.is_determined(name):
            said.append(f"{name} not determined")
            continue
        if name == "exponent":
            ends = "" if found.low is None or found.high is None else (
                f" ({found.low:.3f} to {found.high:.3f})"
            )  # fmt: skip
            said.append(f"exponent {found.value:.3f}{ends}")
            continue
        ends = interval(found.low, found.high, fit.unit)
        said.append(f"{name} {amount(found.value, fit.unit)}" + (f" ({ends})" if ends else ""))
    return said


def _plain(value: float | None, fit: Fit) -> Cell:
    return NOTHING if value is None else Cell(amount(value, fit.unit), value)
