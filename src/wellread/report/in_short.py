"""The report's beginning: the run in a paragraph of numbers, beside what the abstract claims."""

from collections.abc import Callable
from statistics import fmean
from typing import NamedTuple

from wellread.base.text import human_bytes, human_seconds
from wellread.formats.published import paper
from wellread.formats.results import Score
from wellread.report import designed, studied
from wellread.report.blocks import NOT_RUN, Block, Cell, Column, Prose, Section, Table, big
from wellread.report.both_losses import LOSS, losses_of
from wellread.report.evidence import CORPUS, CRAWL, HELD_OUT, LINKS, Evidence, Scored
from wellread.report.families import families
from wellread.report.measured import measured
from wellread.report.papers_tables import ours_of


def in_short(evidence: Evidence) -> Section:
    blocks: list[Block] = [Prose(text=_paragraph(evidence), is_lead=True), _claims(evidence)]
    return Section(key="in-short", title="In short", blocks=blocks)


def _paragraph(evidence: Evidence) -> str:
    said = [_corpus(evidence), _models(evidence), _changes(evidence), _chance(evidence)]
    return " ".join(filter(None, said))


def _corpus(evidence: Evidence) -> str:
    stages = {LINKS: "links", CRAWL: "pages", CORPUS: "documents"}
    made = [(evidence.first(stage), name) for stage, name in stages.items()]
    found = [(artifact.manifest, name) for artifact, name in made if artifact is not None]
    if not found:
        return ""
    first, last = found[0][0], found[-1][0]
    source = "submissions" if first.stage == LINKS else "records"
    steps = [f"{manifest.counts['out']:,} {name}" for manifest, name in found]
    text = f"{first.counts['in']:,} {source} gave {', then '.join(steps)}"
    size = last.counts.get("bytes") if last.stage == CORPUS else None
    return f"{text}{f', {human_bytes(size)} of text' if size else ''}."


def _models(evidence: Evidence) -> str:
    runs = evidence.trainings
    if not runs:
        return "No model was trained."
    sizes = sorted(run.artifact.manifest.facts["num_parameters"] for run in runs)
    of = f"{big(sizes[0])}" + (f" to {big(sizes[-1])}" if sizes[-1] > sizes[0] else "")
    on_it = " on it" if evidence.first(CORPUS) else ""
    seconds = sum(run.artifact.seconds for run in runs)
    models = f"{len(runs):,} models of {of} parameters were" if len(runs) > 1 else (
        f"One model of {of} parameters was"
    )  # fmt: skip
    best = best_held_out(evidence)
    assert best is not None  # of a training, if of no task
    whose = f"the best, {best.name}, reads" if len(runs) > 1 else "it reads"
    return (
        f"{models} trained{on_it} in {human_seconds(seconds)}; {whose} "
        f"held-out text at {best.said}."
    )


class HeldOut(NamedTuple):
    """How well the best model reads held-out text."""

    name: str
    bits: float
    said: str


def best_held_out(evidence: Evidence) -> HeldOut | None:
    """By the task of held-out documents; where it was not run, by the end of training."""
    scored = [
        HeldOut(one.name, score.value, f"{score.value:.3f} bits per byte{_ends(score)}")
        for one in evidence.scored
        for result in one.results
        for score in result.scores
        if one.is_ours and (result.stem, score.metric) == (HELD_OUT, LOSS)
    ]
    trained = [
        HeldOut(run.name, bits, f"{bits:.3f} bits per byte")
        for run in evidence.trainings
        for bits in [run.artifact.manifest.facts["held_out_bits_per_byte"]]
    ]
    return min(scored or trained, key=lambda one: one.bits, default=None)


def _ends(score: Score) -> str:
    is_there = score.low is not None and score.high is not None
    return f" (95 % {score.low:.3f} to {score.high:.3f})" if is_there else ""


def _changes(evidence: Evidence) -> str:
    said = designed.in_short(evidence.study) if evidence.study else ""
    return f"{said[0].upper()}{said[1:]}." if said else ""


def _chance(evidence: Evidence) -> str:
    """In how many tasks the largest model's interval is above what guessing gives.

    Of several seeds of the largest, every one's.
    """
    if not evidence.scored:
        return "Nothing was scored."
    name, seeds = _largest_scored(evidence)
    is_above: dict[str, bool] = {}
    for task, found in measured(seeds).items():
        for one in found:
            low, chance = one.score.low, one.score.chance
            if low is not None and chance is not None:
                is_above[task] = is_above.get(task, True) and low > chance
    if not is_above:
        return ""
    above = [task for task, is_so in is_above.items() if is_so]
    named = f"{len(above)}: {', '.join(above)}" if above else "none"
    tasks = f"{len(is_above)} task{'s' * (len(is_above) > 1)}"
    whose = (
        f"every seed of {name} is above it with its whole 95 % interval"
        if len(seeds) > 1
        else f"{name} is above it with its whole 95 % interval"
    )
    return f"Of {tasks} for which guessing has a score, {whose} in {named}."


def _largest_scored(evidence: Evidence) -> tuple[str, list[Scored]]:
    """The last model, with all its seeds; of variants the one that others are compared to."""
    reference = next(iter(evidence.study.variants), "") if evidence.study else ""
    variants = {run.name: run.variant for run in evidence.study.runs} if evidence.study else {}
    compared = [one for one in evidence.scored if variants.get(one.name, "") == reference]
    last = (compared or evidence.scored)[-1]
    for name, runs in families(evidence.trainings).items():
        names = {run.name for run in runs}
        if last.is_ours and last.name in names:
            return name, [one for one in evidence.scored if one.is_ours and one.name in names]
    return last.name, [last]


def _claims(evidence: Evidence) -> Table:
    here: dict[str, Callable[[Evidence], Cell]] = {
        "data": _data,
        "coqa": _coqa,
        "size": _size,
        "largest": _largest,
        "state of the art": _state_of_the_art,
        "underfits": _underfits,
        "samples": _samples,
    }
    theirs = paper().webtext
    return Table(
        key="claims",
        caption="What the paper’s abstract says, and what this run has of it",
        columns=[Column("the abstract", "name"), Column("here")],
        rows=[[Cell(f"“{claim.words}”"), here[claim.key](evidence)] for claim in paper().claims],
        note=f"Millions: “slightly over” {theirs.num_documents:,} documents, "
        f"{human_bytes(theirs.num_bytes)}.",
    )


def _data(evidence: Evidence) -> Cell:
    artifact = evidence.first(CORPUS)
    if artifact is None:
        return NOT_RUN
    documents = artifact.manifest.counts["out"]
    return Cell(f"{documents:,} documents", documents, target="corpus")


def _coqa(evidence: Evidence) -> Cell:
    theirs = next(one for one in paper().scores if one.task == "coqa")
    ours = ours_of(theirs, measured(evidence.scored))
    if not ours:
        return NOT_RUN
    return Cell(
        f"{100 * ours[-1].score.value:.1f} F1, {ours[-1].scored.name}", target="scores-paper"
    )


def _size(evidence: Evidence) -> Cell:
    found = studied.of_size(evidence.study) if evidence.study else ""
    return Cell(found, target="study") if found else NOT_RUN


def _largest(evidence: Evidence) -> Cell:
    sizes = [run.artifact.manifest.facts["num_parameters"] for run in evidence.trainings]
    return Cell(f"{max(sizes):,} parameters", max(sizes), target="models") if sizes else NOT_RUN


def _state_of_the_art(evidence: Evidence) -> Cell:
    """Of the data sets of Table 3, on how many a metric of ours is better than the best before."""
    tasks = measured(evidence.scored)
    ran: dict[str, bool] = {}
    for theirs in (one for one in paper().scores if one.source == "Table 3"):
        for one in ours_of(theirs, tasks):
            before = (theirs.earlier_best or 0) / (100 if theirs.unit == "percent" else 1)
            gain = one.score.value - before
            is_better = (gain > 0) == one.score.higher_is_better and gain != 0
            ran[theirs.task] = ran.get(theirs.task, False) or is_better
    if not ran:
        return NOT_RUN
    said = f"better than the best before it on {sum(ran.values())} of {len(ran)} that were run"
    return Cell(said, target="table-table-3")


def _underfits(evidence: Evidence) -> Cell:
    losses = losses_of(evidence)
    if not losses:
        return NOT_RUN
    name, seeds = _largest_scored(evidence)
    names = {one.name for one in seeds}
    largest = [loss for loss in losses if loss.name in names]
    if not largest:
        name, largest = losses[-1].name, losses[-1:]
    there = fmean(loss.training.value for loss in largest)
    here = fmean(loss.held_out.value for loss in largest)
    of = f", mean of {len(largest)} seeds" if len(largest) > 1 else ""
    return Cell(
        f"{name}{of}: {there:.3f} bits per byte on training text, {here:.3f} on held-out text",
        target="table-both-losses",
    )


def _samples(evidence: Evidence) -> Cell:
    is_there = any(scored.samples for scored in evidence.scored)
    return Cell("to be read below", target="samples") if is_there else NOT_RUN
