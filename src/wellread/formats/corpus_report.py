"""What a corpus is made of, in numbers: `corpus-report.json`, and what is drawn and said of it."""

from pathlib import Path

import msgspec

NAME = "corpus-report.json"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Documents that one rule left out; steps are in the order in which rules are asked."""

    outcome: str  # too-short
    reason: str  # fewer than 128 characters of text
    documents: int
    num_bytes: int  # of their text in UTF-8, as far as there was one


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """A bar of a histogram."""

    low: float
    high: float | None  # exclusive; None: no end
    count: int

    @property
    def label(self) -> str:
        """Of whole numbers.

        >>> Range(low=4, high=8, count=1).label, Range(low=1000, high=None, count=1).label
        ('4 to 7', '1,000 or more')
        """
        if self.high is None:
            return f"{self.low:,.0f} or more"
        last = self.high - 1
        return f"{self.low:,.0f}" if last <= self.low else f"{self.low:,.0f} to {last:,.0f}"

    @property
    def share_label(self) -> str:
        """Of shares of 1.

        >>> Range(low=0.95, high=0.98, count=1).share_label
        '95 to 98 %'
        >>> Range(low=1.0, high=None, count=1).share_label
        '100 %'
        """
        if self.high is None:
            return f"{100 * self.low:g} %" + (" or more" if self.low < 1 else "")
        return f"{100 * self.low:g} to {100 * self.high:g} %"


class DomainRow(msgspec.Struct, frozen=True, kw_only=True):
    """A site by the name that somebody registered, without its public suffix: `google`."""

    name: str
    documents: int
    webtext_links: int | None = None  # openai/gpt-2, domains.txt; None: not among its 1,000


class Example(msgspec.Struct, frozen=True, kw_only=True):
    url: str
    text: str  # what was found, with a little around it
    start: int  # where in `text` what was found lies, in characters
    end: int


class Demonstrations(msgspec.Struct, frozen=True, kw_only=True):
    """Texts that show a task, as a language model may learn it from (the paper's Table 1)."""

    kind: str  # translation
    meaning: str  # a sentence: what is counted
    found: int
    documents: int  # that have any
    examples: list[Example]


class CorpusReport(msgspec.Struct, frozen=True, kw_only=True):
    version: int = 1
    num_in: int  # records of the input: pages, ready documents, and what could not be read
    page_bytes: int  # of the bodies of pages and of ready documents, as they came
    steps: list[Step]
    documents: int  # kept
    num_bytes: int  # of their text in UTF-8
    splits: dict[str, int]  # documents
    repaired: int  # kept documents in which damaged encoding was mended
    removed_lines: int  # lines that a site repeats, taken out of kept documents
    removed_bytes: int
    languages: dict[str, int]  # bytes of kept text by the language that it seems to be in
    lengths: list[Range]  # kept documents by characters
    confidences: list[Range]  # ... by the share of the text that is in its main language
    karma: list[Range]  # ... by karma; empty without links
    group_sizes: list[Range]  # groups of near-duplicates by their members, from two
    domains: list[DomainRow]  # most documents first
    demonstrations: list[Demonstrations]
    tokens: int | None = None  # None: no tokenizer was given
    # Spearman's, of the numbers of names that both have; None: nothing to compare with.
    rank_correlation: float | None = None
    shared_names: int | None = None

    @property
    def text_bytes(self) -> int:
        """Of all text that was found, before any of it was left out."""
        return self.num_bytes + self.removed_bytes + sum(step.num_bytes for step in self.steps)


def encode(found: CorpusReport) -> bytes:
    return msgspec.json.format(msgspec.json.encode(found))


def read_corpus_report(directory: Path) -> CorpusReport:
    return msgspec.json.decode((directory / NAME).read_bytes(), type=CorpusReport)
