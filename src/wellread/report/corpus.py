"""The report's section on the corpus."""

from itertools import zip_longest

import msgspec

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
    Way,
    count,
    share,
)
from wellread.report.built import DOMAINS_SHOWN, absent
from wellread.report.corpus_figures import corpus_funnel, shapes
from wellread.report.evidence import CORPUS, Artifact, Evidence
from wellread.report.reasons import reason_words

LANGUAGES_SHOWN = 8
EXCERPTS_SHOWN, EXCERPT_SHOWN = 3, 600  # demonstrations; characters of one


def the_corpus(evidence: Evidence) -> Section:
    title, artifact, found = "The corpus", evidence.first(CORPUS), evidence.corpus
    if artifact is None:
        return Section(key="corpus", title=title, blocks=[absent(evidence, CORPUS)], is_run=False)
    why = [evidence.why(artifact.name)]
    blocks: list[Block] = [_beside_webtext(evidence, artifact, why)]
    if found is not None:
        blocks += [
            corpus_funnel(found),
            _steps(found, why),
            shapes(msgspec.structs.replace(found, karma=[])),
            *([_domains(found, why)] if found.domains else []),  # files have none
        ]
        blocks += _demonstrations(found, why)
    blocks += _examples(evidence, why)
    return Section(key="corpus", title=title, blocks=blocks)


def _beside_webtext(evidence: Evidence, artifact: Artifact, why: list[Way]) -> Table:
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
    if splits:
        said = ", ".join(f"{number:,} {name}" for name, number in splits.items())
        rows.append([Cell("documents by split"), Cell(said), NOTHING])
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
    others = [(name, n) for name, n in found.languages.items() if name not in ("en", "fr")]
    others.sort(key=lambda item: (-item[1], item[0]))
    names = ", ".join(name for name, _ in others[:LANGUAGES_SHOWN])
    rows = [[Cell("text that seems English"), _bytes(found.languages.get("en", 0)), NOTHING]]
    if others:
        total = sum(number for _, number in others)
        rows.append([Cell(f"in other languages ({names})"), _bytes(total), NOTHING])
    if found.tokens is not None:
        rows.append([Cell("tokens"), count(found.tokens), NOTHING])
    rows.append([Cell("mended documents"), count(found.repaired), NOTHING])
    return rows


def _steps(found: CorpusReport, why: list[Way]) -> Table:
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
        is_folded=True,
    )


def _domains(found: CorpusReport, why: list[Way]) -> Table:
    """Both lists by rank, the first of each."""
    theirs = list(paper().domains.items())[:DOMAINS_SHOWN]
    rows = []
    for ours, (name, links) in zip_longest(found.domains[:DOMAINS_SHOWN], theirs):
        here = [NOTHING, NOTHING]
        if ours is not None:
            of_all = share(ours.documents, found.documents).text
            here = [Cell(ours.name), count(ours.documents)._replace(detail=of_all)]
        rows.append([*here, Cell(name), count(links)])
    correlation = (
        f" Of the {found.shared_names:,} names that both have, the rank correlation is "
        f"{found.rank_correlation:.2f}."
        if found.rank_correlation is not None
        else ""
    )
    return Table(
        key="domains",
        caption="Where the documents come from, beside WebText’s links",
        columns=[
            Column("here", "name"),
            Column("documents", "number"),
            Column("WebText"),
            Column("links", "number"),
        ],
        rows=rows,
        why=why,
        note="A site by its registered name, without the public suffix, as OpenAI counts. WebText: "
        f"openai/gpt-2, domains.txt.{correlation}",
    )


def _demonstrations(found: CorpusReport, why: list[Way]) -> list[Block]:
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
            for one in sorted(found.demonstrations, key=lambda one: -one.found)
        ],
        is_folded=True,
        why=why,
        note="From such text, the paper supposes, a language model learns tasks that nobody taught "
        "it: its Table 1 shows English beside French as WebText happens to have it. Counted by "
        "patterns, which miss some and take others by mistake.",
    )
    excerpts = [
        Excerpt(
            label=f"A demonstration that the text has: {one.kind}, from {first.url}",
            text=first.text[: first.start + EXCERPT_SHOWN]
            + "…" * (len(first.text) > first.start + EXCERPT_SHOWN),
            spans=[(first.start, min(first.end, first.start + EXCERPT_SHOWN))],
        )
        for one in found.demonstrations
        for first in one.examples[:1]
    ]
    return [*excerpts[:EXCERPTS_SHOWN], table]


def _examples(evidence: Evidence, why: list[Way]) -> list[Block]:
    """What was kept and what was left out, as it begins."""
    found = evidence.corpus_examples
    if found is None or not (found.kept or found.dropped):
        return []
    rows = [
        [
            Cell(reason_words(one.reason) or "kept", one.reason or "kept"),
            Cell(one.text, detail=" · ".join(filter(None, [one.url, one.detail]))),
        ]
        for one in (*found.kept, *found.dropped)
    ]
    return [
        Table(
            key="corpus-examples",
            caption="Examples of what was kept, and of what each rule left out",
            columns=[Column("", "group"), Column("how the text begins")],
            rows=rows,
            why=why,
        )
    ]
