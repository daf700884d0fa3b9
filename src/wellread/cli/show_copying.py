"""What models copied from their training text, on a terminal."""

from typing import TYPE_CHECKING

from rich.markup import escape

from wellread.cli.show import out, plain_table, print_table
from wellread.report.blocks import printable

if TYPE_CHECKING:
    from rich.table import Table

    from wellread.formats.copying import Copied, Copying, Estimate, Longest, Texts

SHOWN = 300  # characters of a passage


def copying(found: "Copying") -> None:
    """Samples beside held-out text, then probes by how many documents have their words."""
    if any(model.samples for model in found.models):
        _texts(found)
    if any(model.extraction for model in found.models):
        _extraction(found)
    if found.num_false:
        out.print(
            f"\n{found.num_false:,} n-grams that the index held are in no document: false positives"
        )


def _texts(found: "Copying") -> None:
    from wellread.formats.published import paper

    table = plain_table(
        "text", "texts", f"{found.ngram_words}-grams found, median", "95 %", "none found",
        "95 %", "below 1 %", "longest copied", left=["text"],
    )  # fmt: skip
    for model in found.models:
        for kind, texts in (("samples", model.samples), ("held-out text", model.held_out)):
            if texts is not None:
                _text_row(table, f"{model.name}, {kind}", texts, found.ngram_words)
    theirs = paper().copying
    table.add_row(
        "[dim]the paper, samples[/]", "", "", "",
        f"over {theirs.percent_of_samples_without:.0f} %", "",
        f"most below {theirs.samples_below_percent:g} %", "",
    )  # fmt: skip
    table.add_row(
        "[dim]the paper, held-out text[/]", "", f"{theirs.held_out_median_percent} %", "", "", "",
        "", "",
    )  # fmt: skip
    print_table(table)
    longest = [(model.name, text.longest) for model in found.models if (text := model.samples)]
    for name, one in longest:
        if one is not None:
            _longest(name, one)


def _text_row(table: "Table", name: str, texts: "Texts", least: int) -> None:
    longest = f"{texts.longest.num_words:,} words" if texts.longest else f"fewer than {least} words"
    table.add_row(
        escape(name), f"{texts.num_texts:,}", percent(texts.median.value), interval(texts.median),
        percent(texts.without.value), interval(texts.without), percent(texts.below.value), longest,
    )  # fmt: skip


def _longest(name: str, one: "Longest") -> None:
    words = " ".join(printable(one.words).split())
    words = words if len(words) <= SHOWN else words[:SHOWN] + "…"
    also = f" and {one.num_documents - 1:,} more documents" if one.num_documents > 1 else ""
    out.print(
        f"\n{printable(name)}: longest copied, {one.num_words:,} words, from {one.url}{also}",
        markup=False,
    )
    out.print(f"  {words}", style="bold", markup=False)


def _extraction(found: "Copying") -> None:
    table = plain_table(
        "probes", "documents with the words", "times read", "probes", "recited whole", "95 %",
        "tokens that match", "95 %", left=["probes"],
    )  # fmt: skip
    for model in found.models:
        for row in model.extraction:
            kind = "held-out" if row.is_held_out else "training text"
            table.add_row(
                escape(f"{model.name}, {kind}"), row.documents or "unknown",
                _times(model, row.seen, is_held_out=row.is_held_out), f"{row.num_probes:,}",
                percent(row.exact.value), interval(row.exact),
                f"{row.matching.value:.1f} of {model.num_tokens}", _numbers(row.matching),
            )  # fmt: skip
    out.print()
    print_table(table)


def _times(model: "Copied", seen: str, *, is_held_out: bool) -> str:
    if model.epochs is None:
        return "epochs unknown"
    return seen or ("" if is_held_out else "unknown")


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def interval(one: "Estimate") -> str:
    if one.low is None or one.high is None:
        return ""
    return f"{100 * one.low:.1f} to {100 * one.high:.1f}"


def _numbers(one: "Estimate") -> str:
    return "" if one.low is None or one.high is None else f"{one.low:.1f} to {one.high:.1f}"
