"""What texts share with a corpus, on a terminal."""

from typing import TYPE_CHECKING

from wellread.cli.show import out, plain_table

if TYPE_CHECKING:
    from wellread.formats.overlap import Overlap


def overlap(found: "Overlap") -> None:
    """A row for each test set: how many of its n-grams are in the corpus."""
    ngrams = f"{found.index.ngram_words}-grams"
    table = plain_table("test set", "items", ngrams, "in the corpus", "95 %", left=["test set"])
    for row in found.test_sets:
        share, interval = "none to ask for", ""
        if row.share is not None:
            share = f"{100 * row.share:.2f} %"
            interval = f"{100 * (row.low or 0):.2f} to {100 * (row.high or 0):.2f}"
        table.add_row(row.name, f"{row.num_items:,}", f"{row.num_ngrams:,}", share, interval)
    out.print(table)
