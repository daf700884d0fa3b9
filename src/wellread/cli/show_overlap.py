"""What texts share with a corpus, on a terminal."""

from typing import TYPE_CHECKING

from rich.markup import escape

from wellread.cli import show

if TYPE_CHECKING:
    from wellread.formats.overlap import Overlap, Share


def percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.2f} %"


def interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{100 * low:.2f} to {100 * high:.2f}"


def overlap(found: "Overlap") -> None:
    """A row for each test set, then its countings, then the paper's Table 6."""
    ngrams = f"{found.index.ngram_words}-grams"
    table = show.plain_table(
        "test set", "items", "with any", ngrams, "in the corpus", "95 %", "unique", "within lines",
        "shuffled", left=["test set"],
    )  # fmt: skip
    for one in found.test_sets:
        whole = one.whole
        share = percent(whole.share) or "none to ask for"
        table.add_row(
            escape(one.name), f"{one.num_items:,}", f"{one.items_with_any:,}",
            f"{whole.num_ngrams:,}", share, interval(whole.low, whole.high),
            percent(one.shares["unique"].share), percent(one.shares["within"].share),
            percent(one.shuffled.share),
        )  # fmt: skip
    show.out.print(table)
    index = found.index
    chance = sum(one.num_by_chance for one in found.test_sets)
    show.out.print(
        f"false positives to expect among them: {chance:.2g}; of {index.num_random_checked:,} "
        f"random {ngrams} the index claimed {index.num_random_found:,}",
        markup=False,
    )
    _table_6(found)


def _table_6(found: "Overlap") -> None:
    """Where a test set has its own training text, or the paper a value."""
    from wellread.formats.overlap import table_6

    rows = table_6(found)
    names = [one.name for one in found.test_sets if any(one.name in row.paper for row in rows)]
    names += [name for name in rows[0].by_set if name not in names]
    if not names:
        return
    table = show.plain_table("training text", *map(escape, names), "mean", left=["training text"])
    for row, theirs in zip(rows, ("its own, the paper's", "WebText, the paper's"), strict=True):
        shown = [_with_interval(row.by_set.get(name)) for name in names]
        if any(shown):
            table.add_row(escape(row.name), *shown, percent(row.mean(names)))
        if row.paper:
            printed = [percent(row.paper.get(name)) for name in names]
            table.add_row(f"[dim]{theirs}[/]", *printed, percent(row.paper_mean(names)))
    show.out.print()
    show.out.print(table)


def _with_interval(share: "Share | None") -> str:
    if share is None or share.share is None:
        return ""
    known = interval(share.low, share.high)
    return percent(share.share) + (f" ({known})" if known else "")
