"""The report's section on the corpus."""

from wellread.base.text import human_bytes
from wellread.formats.corpus_report import CorpusReport
from wellread.formats.published import paper
from wellread.report.blocks import (
    NOTHING,
    Block,
    Cell,
    Column,
    Excerpt,
    Section,
    Table,
    count,
    share,
)
from wellread.report.built import DOMAINS_SHOWN, absent
from wellread.report.corpus_figures import corpus_funnel, shapes
from wellread.report.evidence import CORPUS, Artifact, Evidence

LANGUAGES_SHOWN = 8


def the_corpus(evidence: Evidence) -> Section:
    title, artifact, found = "The corpus", evidence.first(CORPUS), evidence.corpus
    if artifact is None:
        return Section(key="corpus", title=title, blocks=[absent(evidence, CORPUS)], is_run=False)
    why = [evidence.why(artifact.name)]
    blocks: list[Block] = [_beside_webtext(evidence, artifact, why)]
    if found is not None:
        blocks += [corpus_funnel(found), _steps(found, why), shapes(found), _domains(found, why)]
        blocks += _demonstrations(found, why)
    return Section(key="corpus", title=title, blocks=blocks)


def _beside_webtext(evidence: Evidence, artifact: Artifact, why: list[str]) -> Table:
    counts, found, webtext = artifact.manifest.counts, evidence.corpus, paper().webtext
    kept, size = counts["out"], counts.get("bytes")
    rows = [[Cell("documents"), count(kept), count(webtext.num_documents)]]
    if size is not None:
        theirs = webtext.num_bytes / webtext.num_documents
        rows += [
            [Cell("text"), _bytes(size), _bytes(webtext.num_bytes)],
            [Cell("mean length"), _bytes(size / kept) if kept else NOTHING, _bytes(theirs)],
        ]
    note = f"WebText: paper, {webtext.source}; its mean length follows from the two."
    if found is not None:
        rows += [*_french(found), *_others(found)]
        note += (
            " French: section 3.7, what a detector of languages found in a corpus from which pages "
            "in other languages had been removed."
        )
    splits = found.splits if found else {}
    if evidence.tokens is not None:
        splits = {name: one.num_documents for name, one in evidence.tokens.splits.items()}
    rows += [
        [Cell(f"of split “{name}”"), count(number), NOTHING] for name, number in splits.items()
    ]
    return Table(
        key="corpus",
        caption="The corpus, beside WebText",
        columns=[Column("", "name"), Column("here", "number"), Column("WebText", "number")],
        rows=rows,
        why=why,
        note=note,
    )


def _bytes(number: float) -> Cell:
    return Cell(human_bytes(number), number)


def _french(found: CorpusReport) -> list[list[Cell]]:
    webtext, french = paper().webtext, found.languages.get("fr", 0)
    return [
        [Cell("French left in the text"), _bytes(french), _bytes(webtext.num_french_bytes)],
        [
            Cell("French, of all text"),
            _thousandths(french, found.num_bytes),
            _thousandths(webtext.num_french_bytes, webtext.num_bytes),
        ],
    ]


def _thousandths(part: int, whole: int) -> Cell:
    """A share so small that the tenth of a percent would hide it."""
    return Cell(f"{100 * part / whole:.3f} %", part / whole) if whole else NOTHING


def _others(found: CorpusReport) -> list[list[Cell]]:
    by_size = sorted(found.languages.items(), key=lambda item: (-item[1], item[0]))
    shown = [(name, number) for name, number in by_size if name != "fr"][:LANGUAGES_SHOWN]
    rows = [[Cell(f"text in “{name}”"), _bytes(number), NOTHING] for name, number in shown]
    if found.tokens is not None:
        rows.append([Cell("tokens"), count(found.tokens), NOTHING])
    rows.append([Cell("mended documents"), count(found.repaired), NOTHING])
    return rows


def _steps(found: CorpusReport, why: list[str]) -> Table:
    """The funnel in numbers, every rule in the order in which they are asked."""
    records = found.num_in
    text = found.text_bytes
    rows = [[Cell("records read"), NOTHING, NOTHING, count(records), NOTHING, _bytes(text)]]
    for step in found.steps:
        records, text = records - step.documents, text - step.num_bytes
        rows.append(
            [
                Cell(step.reason), Cell(step.outcome), count(step.documents), count(records),
                _bytes(step.num_bytes), _bytes(text),
            ]
        )  # fmt: skip
    if found.removed_bytes:
        text -= found.removed_bytes
        rows.append(
            [
                Cell("lines that a site repeats"), NOTHING, count(0), count(records),
                _bytes(found.removed_bytes), _bytes(text),
            ]
        )  # fmt: skip
    return Table(
        key="corpus-steps",
        caption="What each rule of the corpus left out, and what was left then",
        columns=[
            Column("reason", "name"),
            Column("name", "code"),
            Column("records out", "number"),
            Column("left", "number"),
            Column("text out", "number"),
            Column("left", "number"),
        ],
        rows=rows,
        why=why,
        note="Examples: wellread corpus explain CORPUS NAME, or a URL in place of the name.",
    )


def _domains(found: CorpusReport, why: list[str]) -> Table:
    is_compared = found.shared_names is not None
    rows = []
    for row in found.domains[:DOMAINS_SHOWN]:
        cells = [Cell(row.name), count(row.documents), share(row.documents, found.documents)]
        rows.append([*cells, count(row.webtext_links)] if is_compared else cells)
    columns = [Column("site", "name"), Column("documents", "number"), Column("of all", "number")]
    said = (
        "WebText: openai/gpt-2, domains.txt."
        if is_compared
        else "wellread corpus report --webtext-domains sets WebText's list beside these."
    )
    return Table(
        key="domains",
        caption="Where the documents come from",
        columns=[*columns, Column("WebText, links", "number")] if is_compared else columns,
        rows=rows,
        why=why,
        note=f"A site by its registered name, without the public suffix, as OpenAI counts. {said}",
    )


def _demonstrations(found: CorpusReport, why: list[str]) -> list[Block]:
    if not found.demonstrations:
        return []
    table = Table(
        key="demonstrations",
        caption="Tasks that the text itself shows",
        columns=[
            Column("kind", "name"),
            Column("what is counted"),
            Column("found", "number"),
            Column("documents", "number"),
        ],
        rows=[
            [Cell(one.kind), Cell(one.meaning), count(one.found), count(one.documents)]
            for one in found.demonstrations
        ],
        why=why,
        note="From such text, the paper supposes, a language model learns tasks that nobody taught "
        "it: its Table 1 shows English beside French as WebText happens to have it. Counted by "
        "patterns, which miss some and take others by mistake.",
    )
    excerpts = [
        Excerpt(
            label=f"{one.kind}, from {first.url}",
            text=first.text,
            spans=[(first.start, first.end)],
        )
        for one in found.demonstrations
        for first in one.examples[:1]
    ]
    return [table, *excerpts]
