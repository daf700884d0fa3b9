"""What `wellread corpus report` and `corpus explain` print."""

import re
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from wellread.base.text import human_bytes
from wellread.cli.show import out, plain_table
from wellread.formats.published import paper
from wellread.report.blocks import printable

if TYPE_CHECKING:
    from wellread.corpus.explain import Explanation, Record
    from wellread.formats.corpus_report import CorpusReport, Demonstrations

SITES, LANGUAGES, BAR = 20, 6, 30
PAST = 12  # reasons of an outcome beyond which they are summed
REASON = 42  # columns
LINES = 3  # of a text's beginning
AROUND, INSIDE = 80, 320  # characters of an example, beside what was found and of it


def report(found: "CorpusReport") -> None:
    """Tables: what each rule left out, lengths, languages, near-duplicates, sites, tasks shown."""
    mean = human_bytes(found.num_bytes / found.documents) if found.documents else "nothing"
    out.print(
        f"{found.num_in:,} records, {found.documents:,} documents of {mean} on average, "
        f"{human_bytes(found.num_bytes)} of text"
        + (f", {found.tokens:,} tokens" if found.tokens is not None else "")
        + "\n"
    )
    _steps(found)
    _bars("characters", [(row.label, row.count) for row in found.lengths])
    _bars("in main language", [(row.share_label, row.count) for row in found.confidences])
    _bars("karma", [(row.label, row.count) for row in found.karma])
    _bars("near-duplicates", [(row.label, row.count) for row in found.group_sizes], "groups")
    _languages(found)
    _sites(found)
    _demonstrations(found)


def _steps(found: "CorpusReport") -> None:
    left = ["left out as", "because"]
    table = plain_table("left out as", "records", "text", "because", left=left)
    for step in found.steps:
        size = human_bytes(step.num_bytes) if step.num_bytes else ""
        reason = escape(_cut(step.reason, REASON))
        table.add_row(escape(step.outcome), f"{step.documents:,}", size, reason)
    if found.removed_bytes:
        table.add_row(
            "", "", human_bytes(found.removed_bytes), f"{found.removed_lines:,} repeated lines"
        )
    out.print(table)


def _bars(title: str, rows: list[tuple[str, int]], what: str = "documents") -> None:
    if not rows:
        return
    table = plain_table(title, what, "", left=[""])
    most = max(count for _, count in rows) or 1
    for label, count in rows:
        table.add_row(label, f"{count:,}", "▇" * round(BAR * count / most))
    out.print()
    out.print(table)


def _languages(found: "CorpusReport") -> None:
    table = plain_table("language", "text", "share", left=["language"])
    ordered = sorted(found.languages.items(), key=lambda row: (-row[1], row[0]))
    for name, size in ordered[:LANGUAGES]:
        table.add_row(escape(name), human_bytes(size), _thousandths(size, found.num_bytes))
    out.print()
    out.print(table)
    webtext, french = paper().webtext, found.languages.get("fr", 0)
    out.print(
        f"\nFrench: {human_bytes(french)}, {_thousandths(french, found.num_bytes)}; in WebText "
        f"{human_bytes(webtext.num_french_bytes)}, "
        f"{_thousandths(webtext.num_french_bytes, webtext.num_bytes)} (paper, section 3.7)"
    )


def _thousandths(part: int, whole: int) -> str:
    return f"{100 * part / max(whole, 1):.3f} %"


def _sites(found: "CorpusReport") -> None:
    if not found.domains:
        return
    is_compared = found.shared_names is not None
    titles = ["site", "documents", *(["links in WebText"] if is_compared else [])]
    table = plain_table(*titles, left=["site"])
    for row in found.domains[:SITES]:
        beside = f"{row.webtext_links:,}" if row.webtext_links else "not in its 1,000"
        table.add_row(escape(row.name), f"{row.documents:,}", *([beside] if is_compared else []))
    out.print()
    out.print(table)
    if found.rank_correlation is not None:
        out.print(
            f"\n{found.shared_names:,} names are in both; rank correlation "
            f"{found.rank_correlation:.2f} (Spearman)"
        )


def _demonstrations(found: "CorpusReport") -> None:
    if not found.demonstrations:
        return
    table = plain_table("task shown", "found", "documents", left=["task shown"])
    for one in found.demonstrations:
        table.add_row(one.kind, f"{one.found:,}", f"{one.documents:,}")
    out.print()
    out.print(table)
    for one in found.demonstrations:
        _example(one)


def _example(found: "Demonstrations") -> None:
    """The first, with what was found in bold."""
    if not found.examples:
        return
    one = found.examples[0]
    before = _one_line(one.text[: one.start]).lstrip()
    inside = _cut(_one_line(one.text[one.start : one.end]), INSIDE)
    after = _cut(_one_line(one.text[one.end :]).rstrip(), AROUND)
    if len(before) > AROUND:
        before = "…" + before[-AROUND:]
    out.print(f"\n{found.kind}: {found.meaning}\n  {printable(one.url)}", markup=False)
    shown = Text.assemble((before, "dim"), (inside, "bold"), (after, "dim"))
    out.print(Padding(shown, (0, 0, 0, 2)), soft_wrap=False)


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", printable(text))


def explanation(found: "Explanation") -> None:
    """An address: what became of it; an outcome or reason: how many, why, and some of them."""
    if len(found.records) == found.found == 1:
        _record(found.records[0])
        return
    share = 100 * found.found / found.num_in
    out.print(
        f"{found.what}: {found.found:,} of {found.num_in:,} records ({share:.1f} %), "
        f"{human_bytes(found.num_bytes)} of text",
        markup=False,
    )
    rows = list(found.reasons.items())
    for reason, number in rows[:PAST] if len(rows) > 1 else []:
        out.print(f"  {number:,} {reason}", markup=False)
    if len(rows) > PAST:
        out.print(f"  {sum(n for _, n in rows[PAST:]):,} for {len(rows) - PAST} more reasons")
    for record in found.records:
        out.print()
        _record(record)


def _record(record: "Record") -> None:
    out.print(printable(record.url), markup=False)
    verdict = f"kept, in split {record.split}" if record.split else f"out: {record.reason}"
    detail = f" ({record.detail})" if record.detail else ""
    size = f"; {human_bytes(record.num_bytes)} of text" if record.num_bytes else ""
    out.print(printable(f"  {verdict}{detail}{size}"), markup=False)
    if record.beginning:
        shown = _cut(_one_line(record.beginning).strip(), LINES * (out.width - 2))
        out.print(Padding(Text(shown, "dim"), (0, 0, 0, 2)), soft_wrap=False)


def _cut(text: str, columns: int) -> str:
    """`text` in at most so many columns."""
    if cell_len(text) <= columns:
        return text
    while cell_len(text) > columns - 1:
        text = text[:-1]
    return text + "…"
