"""The first half of the report: what was built, links, tokenizer, models."""

from collections.abc import Iterator

from wellread.base.text import human_seconds
from wellread.formats.metrics import Step
from wellread.formats.published import paper
from wellread.report.blocks import (
    NOTHING,
    Block,
    Cell,
    Column,
    Prose,
    Section,
    Table,
    count,
    decimal,
    share,
)
from wellread.report.evidence import (
    CORPUS,
    CRAWL,
    LINKS,
    TOKENIZER,
    TOKENS,
    Artifact,
    Evidence,
)
from wellread.report.families import FEW, families, families_table, mean_steps
from wellread.report.figures import POINTS_DRAWN, curves
from wellread.report.funnel import Level, funnel
from wellread.report.link_figures import karma, months

# stage -> what goes in, what comes out
FUNNEL = {
    LINKS: ("submissions", "links"),
    CRAWL: ("links", "pages"),
    CORPUS: ("pages and documents read", "documents"),
}
REASONS_DRAWN = 5  # of a stage, the most frequent; the table has all
DOMAINS_SHOWN = 15


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
    blocks += [absent(evidence, stage) for stage in FUNNEL if evidence.first(stage) is None]
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
            yield Level(reason, number, is_drop=True)
        if rest := sum(number for _, number in ordered[REASONS_DRAWN:]):
            others = len(ordered) - REASONS_DRAWN
            yield Level(f"{others} more reason{'s' * (others > 1)}", rest, is_drop=True)
        last = manifest.counts["out"]
        yield Level(after, last, is_drop=False)


def _levels_table(evidence: Evidence) -> Table:
    webtext = paper().webtext
    published = {"links": webtext.num_links, "documents": webtext.num_documents}
    rows = []
    why = []
    for stage, (before, after) in FUNNEL.items():
        artifact = evidence.first(stage)
        if artifact is not None:
            why.append(evidence.why(artifact.name))
        for name, place in ((before, "in"), (after, "out")):
            if name == "links" and place == "in":
                continue  # what the stage before put out
            ours = (
                count(artifact.manifest.counts[place])
                if artifact
                else Cell("not run", is_muted=True)
            )
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
                    Cell(reason),
                    Cell(manifest.stage),
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
        )
    ]


def the_links(evidence: Evidence) -> Section:
    title, artifact, found = "The links", evidence.first(LINKS), evidence.links
    if artifact is None or found is None:
        return Section(key="links", title=title, blocks=[absent(evidence, LINKS)], is_run=False)
    table = Table(
        key="sites",
        caption="The sites with most links",
        columns=[Column("site", "name"), Column("links", "number"), Column("of all", "number")],
        rows=[
            [Cell(row.name), count(row.links), share(row.links, found.links)]
            for row in found.domains[:DOMAINS_SHOWN]
        ],
        why=[evidence.why(artifact.name)],
        note="A site by its registered name, without the public suffix, as OpenAI counts "
        "WebText's; wellread links report sets its list beside these.",
    )
    drawn = [months(found), karma(found.karma)] if found.links else []
    return Section(key="links", title=title, blocks=[*drawn, table], is_run=True)


def the_tokenizer(evidence: Evidence) -> Section:
    artifact = evidence.first(TOKENIZER)
    header, tokens = evidence.tokens, evidence.first(TOKENS)
    rows, why = [], []
    columns = [Column("", "name"), Column("here", "number"), Column("paper", "number")]
    if artifact is not None:
        facts = artifact.manifest.facts
        why.append(evidence.why(artifact.name))
        stated = next(s.value for s in paper().settings if s.key == "vocab_size")
        rows += [
            [Cell("vocabulary"), count(facts.get("vocab_size")), count(stated)],
            [Cell("merges"), count(facts.get("num_merges")), NOTHING],
            [
                Cell("bytes per token, held-out text"),
                decimal(facts.get("bytes_per_token"), 2),
                NOTHING,
            ],
        ]
    if header is not None and tokens is not None:
        why.append(evidence.why(tokens.name))
        rows += [
            [Cell(f"tokens of split “{name}”"), count(split.num_tokens), NOTHING]
            for name, split in header.splits.items()
        ]
    blocks: list[Block] = []
    if rows:
        blocks.append(
            Table(
                key="tokenizer",
                caption="Byte-level BPE: the vocabulary and what it makes of the corpus",
                columns=columns,
                rows=rows,
                why=why,
            )
        )
    blocks += [absent(evidence, s) for s in (TOKENIZER, TOKENS) if evidence.first(s) is None]
    return Section(key="tokenizer", title="The tokenizer", blocks=blocks, is_run=bool(rows))


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
    blocks.append(_sizes_table())
    return Section(key="models", title="The models", blocks=blocks, is_run=bool(runs))


def _last_loss(steps: list[Step]) -> str:
    found = [step.held_out_loss for step in steps if step.held_out_loss is not None]
    return f"{found[-1]:.2f}" if found else "unknown"


def _runs_table(evidence: Evidence, *, is_folded: bool) -> Table:
    rows = []
    for run in evidence.trainings:
        manifest = run.artifact.manifest
        facts = manifest.facts
        seconds = run.steps[-1].seconds if run.steps else None
        rows.append(
            [
                Cell(run.name),
                Cell(str(manifest.config["model"]["size"])),
                count(facts.get("num_parameters")),
                count(facts.get("num_steps")),
                count(facts.get("tokens_seen")),
                decimal(facts.get("held_out_loss"), 3),
                decimal(facts.get("held_out_bits_per_byte"), 3),
                count(facts.get("tokens_per_second")),
                Cell(human_seconds(seconds), seconds) if seconds is not None else NOTHING,
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
        ],
        rows=rows,
        why=[evidence.why(run.artifact.name) for run in evidence.trainings],
        note="Size: layers × width. Loss in nats per token, at the last step, on the first windows "
        "of the held-out tokens: a context long, side by side, across documents. The task held-out "
        "of evaluation has other texts and windows, and so another number.",
    )


def _sizes_table() -> Table:
    return Table(
        key="sizes",
        caption="The paper’s four models, for comparison",
        columns=[
            Column("printed as", "name"),
            Column("parameters", "number"),
            Column("layers", "number"),
            Column("width", "number"),
            Column("heads", "number"),
        ],
        rows=[
            [
                Cell(size.printed),
                Cell(size.actual),
                count(size.layers),
                count(size.width),
                count(size.heads),
            ]
            for size in paper().sizes
        ],
        note="Paper, Table 2, whose parameter counts its authors later corrected.",
    )
