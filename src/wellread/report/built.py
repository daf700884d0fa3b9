"""The first half of the report: what was built, models."""

from collections.abc import Iterator
from typing import Any

from wellread.base.text import human_seconds
from wellread.formats.metrics import Step
from wellread.formats.published import paper
from wellread.report.blocks import (
    NOT_RUN,
    NOTHING,
    Block,
    Cell,
    Column,
    Prose,
    Section,
    Table,
    Way,
    count,
    decimal,
    share,
)
from wellread.report.evidence import (
    CORPUS,
    CRAWL,
    LINKS,
    Artifact,
    Evidence,
    Training,
)
from wellread.report.families import FEW, families, families_table, mean_steps
from wellread.report.figures import POINTS_DRAWN, curves
from wellread.report.funnel import Level, funnel
from wellread.report.reasons import reason_words

# stage -> what goes in, what comes out
FUNNEL = {
    LINKS: ("submissions", "links"),
    CRAWL: ("links", "pages"),
    CORPUS: ("pages and documents read", "documents"),
}
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
REASONS_DRAWN = 3  # of a stage, the most frequent; the table has all
DOMAINS_SHOWN = 10


def absent(evidence: Evidence, *stages: str) -> Prose:
    """What is printed where a stage has not finished."""
    begun = [name for name, stage in evidence.unfinished if stage in stages]
    where = f"{', '.join(begun)} is unfinished" if begun else "no finished artifact"
    return Prose(text=f"Not run: {where} of stage {' or '.join(stages)} in {evidence.name}.")


def what_was_built(evidence: Evidence) -> Section:
    found = [a for stage in FUNNEL if (a := evidence.first(stage)) is not None]
    blocks: list[Block] = []
    if found:
        levels = list(_levels(found))
        blocks.append(
            funnel(
                levels,
                "From submissions to documents. Blue bars are what there was, orange bars what "
                "each reason took away.",
                "Waterfall of bars: "
                + "; ".join(f"{x.label}, {'less ' * x.is_drop}{x.number:,}" for x in levels),
            )
        )
    blocks += [_levels_table(evidence), *_drops_table(evidence, found)]
    # Links and corpus have sections of their own; a corpus of files has no crawl to miss.
    if evidence.first(CRAWL) is None and evidence.first(LINKS) is not None:
        blocks.append(absent(evidence, CRAWL))
    return Section(key="built", title="What was built", blocks=blocks, is_run=bool(found))


def _levels(found: list[Artifact]) -> Iterator[Level]:
    last = None
    for artifact in found:
        manifest = artifact.manifest
        before, after = FUNNEL[manifest.stage]
        entering = manifest.counts["in"]
        if entering != last:
            yield Level(before, entering, is_drop=False)
        ordered = sorted(manifest.dropped.items(), key=lambda item: (-item[1], item[0]))
        for reason, number in ordered[:REASONS_DRAWN]:
            yield Level(reason_words(reason), number, is_drop=True)
        if rest := sum(number for _, number in ordered[REASONS_DRAWN:]):
            others = len(ordered) - REASONS_DRAWN
            yield Level(f"{others} more reason{'s' * (others > 1)}", rest, is_drop=True)
        last = manifest.counts["out"]
        yield Level(after, last, is_drop=False)


def _levels_table(evidence: Evidence) -> Table:
    webtext = paper().webtext
    published = {"links": webtext.num_links, "documents": webtext.num_documents}
    rows: list[list[Cell]] = []
    why: list[Way] = []
    last: int | None = None
    for stage, (before, after) in FUNNEL.items():
        artifact = evidence.first(stage)
        if artifact is not None:
            why.append(evidence.why(artifact.name))
        for name, place in ((before, "in"), (after, "out")):
            number = artifact.manifest.counts[place] if artifact else None
            if place == "in" and rows and number in (None, last):
                continue  # what the stage before put out
            last = number
            ours = NOT_RUN if number is None else count(number)
            theirs = published.get(name)
            rows.append([Cell(name), ours, count(theirs)])
    return Table(
        key="funnel",
        caption="From submissions to documents, beside WebText",
        columns=[Column("", "name"), Column("here", "number"), Column("WebText", "number")],
        rows=rows,
        why=why,
        note=f"WebText: paper, {webtext.source}; “slightly over 8 million documents”.",
    )


def _drops_table(evidence: Evidence, found: list[Artifact]) -> list[Table]:
    rows = []
    for artifact in found:
        manifest = artifact.manifest
        for reason, number in sorted(manifest.dropped.items(), key=lambda item: -item[1]):
            examples = manifest.examples.get(reason, [])
            rows.append(
                [
                    Cell(reason_words(reason), reason),
                    Cell(manifest.stage, target=evidence.anchor(artifact.name)),
                    count(number),
                    share(number, manifest.counts["in"]),
                    Cell(examples[0]) if examples else NOTHING,
                ]
            )
    if not rows:
        return []
    return [
        Table(
            key="drops",
            caption="What was left out, and why",
            columns=[
                Column("reason", "name"),
                Column("stage"),
                Column("left out", "number"),
                Column("of its input", "number"),
                Column("for example"),
            ],
            rows=rows,
            why=[evidence.why(a.name) for a in found],
            is_folded=True,
        )
    ]


def the_models(evidence: Evidence) -> Section:
    runs = evidence.trainings
    are_many = len(runs) > FEW
    named = [(run.name, run.steps) for run in runs]
    if are_many:
        named = [
            (name, mean_steps([run.steps for run in found]))
            for name, found in families(runs).items()
        ]
    blocks: list[Block] = []
    if runs:
        curve = curves(
            named,
            f"Loss while training{', means over seeds' if are_many else ''}. Strong lines with "
            "dots: held-out text, named at their last value; thin lines: the batches trained on"
            + (
                f", drawn as at most {POINTS_DRAWN} means of neighbouring steps."
                if any(len(steps) > POINTS_DRAWN for _, steps in named)
                else "."
            ),
            "Curves of loss in nats per token against tokens seen, one pair a run. "
            + "; ".join(
                f"{name} ends at held-out loss {_last_loss(steps)}" for name, steps in named
            ),
        )
        blocks += [curve, *[families_table(evidence)] * are_many]
        blocks.append(_runs_table(evidence, is_folded=are_many))
    else:
        blocks.append(absent(evidence, "train"))
    return Section(key="models", title="The models", blocks=blocks, is_run=bool(runs))


def _last_loss(steps: list[Step]) -> str:
    found = [step.held_out_loss for step in steps if step.held_out_loss is not None]
    return f"{found[-1]:.2f}" if found else "unknown"


def _runs_table(evidence: Evidence, *, is_folded: bool) -> Table:
    rows = []
    for run in evidence.trainings:
        manifest = run.artifact.manifest
        facts = manifest.facts
        rows.append(
            [
                Cell(run.name, target=evidence.anchor(run.artifact.name)),
                Cell(str(manifest.config["model"]["size"])),
                count(facts.get("num_parameters")),
                count(facts.get("num_steps")),
                count(facts.get("tokens_seen")),
                _held_out(facts),
                decimal(facts.get("held_out_bits_per_byte"), 3),
                count(facts.get("tokens_per_second")),
                Cell(human_seconds(run.artifact.seconds), run.artifact.seconds),
                _flops(run),
            ]
        )
    return Table(
        key="models",
        caption="Every run" if is_folded else "The models trained",
        is_folded=is_folded,
        columns=[
            Column("run", "name"),
            Column("size"),
            Column("parameters", "number"),
            Column("steps", "number"),
            Column("tokens seen", "number"),
            Column("held-out loss", "number"),
            Column("bits per byte", "number"),
            Column("tokens/s", "number"),
            Column("time", "number"),
            Column("FLOPs", "number"),
        ],
        rows=rows,
        why=[evidence.why(run.artifact.name) for run in evidence.trainings],
        note="Size: layers × width. Loss in nats per token, at the last step, on the first windows "
        "of the held-out tokens: a context long, side by side, across documents. The task held-out "
        "of evaluation has other texts and windows, and so another number. FLOPs: of the matrix "
        "products, forward and backward; tokens/s: the median. No energy was measured.",
    )


def _held_out(facts: dict[str, Any]) -> Cell:
    cell = decimal(facts.get("held_out_loss"), 3)
    low, high = facts.get("held_out_low"), facts.get("held_out_high")
    if low is None or high is None:
        return cell
    return cell._replace(low=low, high=high, detail=f"{low:.3f} to {high:.3f}")


def _flops(run: Training) -> Cell:
    """Of all steps: those of a token, by the last measured speed, times the tokens seen."""
    measured = [s for s in run.steps if s.flops_per_second and s.tokens_per_second]
    if not measured:
        return NOTHING
    last = measured[-1]
    of_token = (last.flops_per_second or 0) / (last.tokens_per_second or 1)
    flops = of_token * run.steps[-1].tokens
    mantissa, _, power = f"{flops:.1e}".partition("e+")
    return Cell(f"{mantissa} · 10{str(int(power)).translate(RAISED)}", flops)
