"""Training text beside held-out text, as in the paper's figure 4."""

from collections.abc import Iterator
from typing import NamedTuple

from wellread.formats.results import Result, Score
from wellread.report.blocks import Block, Cell, Column, Table, Way, count, estimate, score
from wellread.report.copying_figures import Loss, losses_by_size
from wellread.report.evidence import HELD_OUT, Evidence

LOSS = "bits_per_byte"
ROWS_OPEN = 12  # of a table that is not folded


class Both(NamedTuple):
    """A model's two losses."""

    loss: Loss
    why: list[Way]


def losses_of(evidence: Evidence) -> list[Loss]:
    """Of models that have both, from small to large."""
    return [both.loss for both in both_losses(evidence)]


def both_losses(evidence: Evidence) -> Iterator[Both]:
    """Of models that have both, from small to large."""
    for scored in evidence.scored:
        held_out = next((one for one in scored.results if one.task == HELD_OUT), None)
        if held_out is None or scored.on_training is None:
            continue
        there, here = _loss(scored.on_training), _loss(held_out)
        if there is None or here is None:
            continue
        size = scored.artifact.manifest.facts.get("num_parameters", 0)
        stems = (scored.on_training.stem, held_out.stem)
        why = [evidence.why(f"{scored.artifact.name}/{stem}.json") for stem in stems]
        yield Both(Loss(scored.name, size, there, here), why)


def _loss(result: Result) -> Score | None:
    return next((one for one in result.scores if one.metric == LOSS), None)


def shown(losses: list[Both]) -> Iterator[Block]:
    found = sorted((one.loss for one in losses), key=lambda loss: loss.num_parameters)
    sizes = {loss.num_parameters for loss in found}
    if 1 < len(sizes) == len(found):  # of several seeds of a size a study draws the means
        yield losses_by_size(found)
    rows = []
    for loss in found:
        cells = [Cell(loss.name), count(loss.num_parameters)]
        for one in (loss.training, loss.held_out):
            cells += [estimate(one.value, one.low, one.high, LOSS), count(one.num_items)]
        difference = loss.held_out.value - loss.training.value
        rows.append([*cells, score(difference, LOSS, is_difference=True)])
    yield Table(
        key="both-losses",
        is_folded=len(rows) > ROWS_OPEN,
        caption="Bits per byte on training documents and on held-out ones",
        columns=[
            Column("model", "name"),
            Column("parameters", "number"),
            Column("training", "number"),
            Column("training documents", "number"),
            Column("held-out", "number"),
            Column("held-out documents", "number"),
            Column("difference", "number"),
        ],
        rows=rows,
        why=[line for one in losses for line in one.why],
        note="Lower is better; intervals over documents, which are others on both sides: of few "
        "documents the difference says little. The paper’s figure 4 has perplexity on WebText: "
        "both fall together as models grow, so that even its largest still underfits.",
    )
