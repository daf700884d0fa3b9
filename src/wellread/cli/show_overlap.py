"""What texts share with a corpus, on a terminal."""

from typing import TYPE_CHECKING

from rich.markup import escape

from wellread.base.text import human_number, in_percent
from wellread.cli import show

if TYPE_CHECKING:
    from wellread.formats.clean_scores import CleanScores, Gap, Part
    from wellread.formats.overlap import Overlap, Share
    from wellread.formats.split_check import SplitCheck, Suspect


def percent(share: float | None) -> str:
    return "" if share is None else f"{in_percent(share)} %"


def interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{in_percent(low)} to {in_percent(high)}"


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
    show.print_table(table)
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
    names = list(rows[0].by_set) or list(rows[1].paper)
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
    show.print_table(table)


def _with_interval(share: "Share | None") -> str:
    if share is None or share.share is None:
        return ""
    known = interval(share.low, share.high)
    return percent(share.share) + (f" ({known})" if known else "")


def clean(found: "CleanScores") -> None:
    """A row for each metric: on all items, on those without overlap, on the others by share."""
    from wellread.formats.published import published_clean

    table = show.plain_table(
        "results", "task", "metric", "all", "clean", "overlapping", "all less clean",
        "overlapping less clean", "items", "paper", left=["results", "task", "metric", "paper"],
    )  # fmt: skip
    for one in found.telling:
        theirs = published_clean(one.comparable_to, one.metric)
        table.add_row(
            escape(one.results), one.task, one.metric, _value(one.whole), _value(one.clean),
            _value(one.overlapping), _gap(one.whole_less_clean),
            _gap(one.overlapping_less_clean),
            f"{one.clean.num_items:,} + {one.overlapping.num_items:,}",
            theirs.words if theirs else "",
        )  # fmt: skip
    if table.row_count:
        show.print_table(table)
        _by_share(found)
    if found.all_clean:
        show.out.print(
            f"no item overlaps: {', '.join(found.all_clean)}; their scores are clean",
            markup=False,
        )
    if found.short:
        named = ", ".join(f"{task} {number:,}" for task, number in found.short.items())
        show.out.print(
            f"counted as clean, with fewer than {found.ngram_words} words: {named}", markup=False
        )


def _by_share(found: "CleanScores") -> None:
    """Of what overlaps in part, by the share of an item's n-grams."""
    table = show.plain_table(
        "results", "task", "metric", "share", "items", "score", "95 %",
        left=["results", "task", "metric", "share"],
    )  # fmt: skip
    noted = [part.note for one in found.telling for part in one.buckets if part.note]
    marks = {note: "*" * number for number, note in enumerate(dict.fromkeys(noted), start=1)}
    for one in found.telling:
        for part in one.buckets:
            table.add_row(
                escape(one.results), one.task, one.metric, part.name, f"{part.num_items:,}",
                _value(part), show.interval(part.low, part.high) + marks.get(part.note, ""),
            )  # fmt: skip
    if table.row_count:
        show.out.print()
        show.print_table(table)
    for note, mark in marks.items():
        show.out.print(f"{mark} {note}", markup=False)


def _value(part: "Part") -> str:
    return "no item" if part.value is None else human_number(part.value)


def _gap(gap: "Gap") -> str:
    if gap.difference is None:
        return ""
    known = show.interval(gap.low, gap.high, "+")
    return human_number(gap.difference, "+") + (f" ({known})" if known else "")


def split_check(found: "SplitCheck") -> None:
    """Items by share, the worst ones, and the verdict as the last line."""
    from wellread.formats.split_check import usual

    table = show.plain_table(f"of its {found.ngram_words}-grams", "items", left=[])
    for bucket, number in found.items_by_share.items():
        table.add_row(bucket, f"{number:,}")
    if found.num_short:
        table.add_row("too short", f"{found.num_short:,}")
    show.print_table(table)
    if found.worst:
        worst = show.plain_table(
            "item", "found", "in one document", "which", left=["item", "which"]
        )
        for one in found.worst:
            worst.add_row(
                escape(one.item), percent(one.num_found / one.num_ngrams),
                _in_one(one), escape(one.document or ""),
            )  # fmt: skip
        show.out.print()
        show.print_table(worst)
    show.out.print()
    show.out.print(usual(), markup=False)
    show.out.print(found.verdict, markup=False)


def _in_one(one: "Suspect") -> str:
    least, most = one.num_in_document / one.num_ngrams, one.most_in_document / one.num_ngrams
    return percent(least) if least == most else f"{in_percent(least)} to {percent(most)}"
