"""The report's beginning: the run in a paragraph of numbers, beside what the abstract claims."""

from collections.abc import Callable

from wellread.base.text import human_bytes, human_seconds
from wellread.formats.published import paper
from wellread.report import studied
from wellread.report.blocks import NOT_RUN, Block, Cell, Column, Prose, Section, Table, big
from wellread.report.both_losses import losses_of
from wellread.report.evidence import CORPUS, CRAWL, LINKS, Evidence
from wellread.report.measured import measured
from wellread.report.papers_tables import ours_of


def in_short(evidence: Evidence) -> Section:
    blocks: list[Block] = [Prose(text=_paragraph(evidence), is_lead=True), _claims(evidence)]
    return Section(key="in-short", title="In short", blocks=blocks)


def _paragraph(evidence: Evidence) -> str:
    return " ".join(filter(None, [_corpus(evidence), _models(evidence), _chance(evidence)]))


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
    best = min(runs, key=lambda run: run.artifact.manifest.facts["held_out_bits_per_byte"])
    bits = best.artifact.manifest.facts["held_out_bits_per_byte"]
    on_it = " on it" if evidence.first(CORPUS) else ""
    seconds = sum(run.artifact.manifest.seconds for run in runs)
    models = f"{len(runs):,} models of {of} parameters were" if len(runs) > 1 else (
        f"One model of {of} parameters was"
    )  # fmt: skip
    return (
        f"{models} trained{on_it} in {human_seconds(seconds)}; the best, {best.name}, reads "
        f"held-out text at {bits:.3f} bits per byte."
    )


def _chance(evidence: Evidence) -> str:
    """In how many tasks the largest model's interval is above what guessing gives."""
    if not evidence.scored:
        return "Nothing was scored."
    largest = evidence.scored[-1]
    asked = [
        (result.task, score)
        for result in largest.results
        for score in result.scores
        if score.chance is not None and score.low is not None
    ]
    if not asked:
        return ""
    above = [task for task, one in asked if one.low is not None and one.low > (one.chance or 0)]
    named = f": {', '.join(above)}" if above else ""
    return (
        f"Of {len(asked)} task{'s' * (len(asked) > 1)} for which guessing has a score, "
        f"{largest.name} is above it with its whole 95 % interval in {len(above)}{named}."
    )


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
    found = studied.in_short(evidence.study) if evidence.study else ""
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
    largest = losses[-1]
    there, here = largest.training.value, largest.held_out.value
    return Cell(
        f"{largest.name}: {there:.3f} bits per byte on training text, {here:.3f} on held-out text",
        target="table-both-losses",
    )


def _samples(evidence: Evidence) -> Cell:
    is_there = any(scored.samples for scored in evidence.scored)
    return Cell("to be read below", target="samples") if is_there else NOT_RUN
