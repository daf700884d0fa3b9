"""What the paper published, `published.toml`, for printing beside our own numbers."""

from functools import cache
from importlib import resources
from typing import Any

import msgspec


class _Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Read strictly, so that a misspelt key in the data file is found by the first test."""


class Size(_Row, frozen=True):
    """One of the paper's four models."""

    printed: str  # as in the paper, where the counts are wrong
    actual: str
    layers: int
    width: int
    heads: int


class WebText(_Row, frozen=True):
    source: str
    num_links: int
    num_documents: int
    num_bytes: int  # of text
    num_french_bytes: int  # that a detector found


class Claim(_Row, frozen=True):
    """A sentence of the abstract, or a part of one."""

    key: str
    words: str


class Answers(_Row, frozen=True):
    """Table 5: the answers of which the largest model is surest."""

    source: str
    num_shown: int
    num_right: int


class PublishedScore(_Row, frozen=True):
    """A metric of one task, by printed size."""

    task: str  # what a result names in `comparable_to`
    metric: str
    unit: str  # "percent": a result of ours holds the fraction
    source: str
    by_size: dict[str, float]  # as printed
    under: dict[str, str] = {}  # the settings of the task that these are values of; {}: all
    earlier_best: float | None = None  # the state of the art then, in the same unit
    note: str = ""

    def value(self, size: str) -> float | None:
        """The score of the model printed as `size`, as our results would hold it."""
        printed = self.by_size.get(size)
        return printed / 100 if printed is not None and self.unit == "percent" else printed

    def nearest(self, size: str) -> tuple[str, float]:
        """Of `size`, else of the largest model that has this score, some tasks' only one: which
        that is, and its score.
        """
        found = size if size in self.by_size else list(self.by_size)[-1]
        value = self.value(found)
        assert value is not None
        return found, value


class Summary(_Row, frozen=True):
    """A row of table 4: ROUGE F1 on CNN/Daily Mail, percent."""

    system: str
    rouge1: float
    rouge2: float
    rougeL: float
    average: float


class PublishedOverlap(_Row, frozen=True):
    """Percent of a test set's 8-grams that a training set holds."""

    test_set: str
    source: str
    webtext_train: float
    own_train: float | None = None


class PublishedClean(_Row, frozen=True):
    """What the paper says of a score without the items that overlap with WebText."""

    task: str  # what a result names in `comparable_to`
    metric: str
    unit: str  # "percent": a result of ours holds the fraction, and differences are in points
    source: str
    whole: float | None = None  # of all items
    clean: float | None = None  # of those without overlap
    whole_less_clean: tuple[float, float] | None = None  # from, to
    overlapping_less_clean: float | None = None
    num_overlapping: int | None = None  # items with any overlap
    note: str = ""

    @property
    def words(self) -> str:
        """
        >>> published_clean("lambada", "accuracy").words
        '63.2, clean 62.9'
        >>> published_clean("coqa", "f1_news").words
        'overlapping +3'
        """
        said = []
        if self.whole is not None:
            said.append(f"{self.whole:g}, clean {self.clean:g}")
        if self.whole_less_clean is not None:
            low, high = self.whole_less_clean
            said.append(f"all less clean +{low:g} to +{high:g}")
        if self.overlapping_less_clean is not None:
            said.append(f"overlapping {self.overlapping_less_clean:+g}")
        if self.num_overlapping is not None:
            said.append(f"{self.num_overlapping} items overlap")
        return "; ".join(said)


class PublishedCopying(_Row, frozen=True):
    """Percent of 8-grams that samples, and held-out text, share with the training text."""

    source: str
    samples_below_percent: float  # most samples are below it
    percent_of_samples_without: float  # at least
    held_out_median_percent: float


class Setting(_Row, frozen=True):
    """A choice that the paper states."""

    stage: str
    key: str  # within the stage's settings, `section.key`
    name: str
    value: Any
    source: str


class Paper(_Row, frozen=True):
    sizes: list[Size]
    domains: dict[str, int]  # WebText's links, most first
    claims: list[Claim]
    answers: Answers
    webtext: WebText
    scores: list[PublishedScore]
    summaries: list[Summary]
    overlaps: list[PublishedOverlap]
    clean_scores: list[PublishedClean]
    copying: PublishedCopying
    settings: list[Setting]


@cache
def paper() -> Paper:
    """Everything in the data file."""
    text = (resources.files("wellread.formats") / "published.toml").read_bytes()
    return msgspec.toml.decode(text, type=Paper)


def published(task: str | None, metric: str, protocol: str = "") -> PublishedScore | None:
    """The paper's values of a metric; None: the paper has none, or ours is not comparable.

    What a protocol does not name is as in the paper.

    >>> published("lambada", "perplexity").by_size["117M"]
    35.13
    >>> published(None, "perplexity") is None
    True
    >>> published("cnn-dm", "rouge1", "cnn-dm:1|hint=none").by_size["1542M"]
    21.58
    """
    given = dict(part.partition("=")[::2] for part in protocol.split("|")[1:])
    found = (
        score
        for score in paper().scores
        if (score.task, score.metric) == (task, metric)
        and all(given.get(axis, value) == value for axis, value in score.under.items())
    )
    return next(found, None)


def nearest_size(num_parameters: int | None) -> str:
    """The paper's name of its model that is nearest in size; of an unknown size, its smallest.

    >>> nearest_size(675_328), nearest_size(774_030_080)
    ('117M', '762M')
    """
    sizes = [(float(size.actual.rstrip("M")), size.printed) for size in paper().sizes]
    mine = (num_parameters or 0) / 1e6
    return min(sizes, key=lambda size: abs(size[0] - mine))[1]


def published_overlap(test_set: str) -> PublishedOverlap | None:
    return next((row for row in paper().overlaps if row.test_set == test_set), None)


def published_clean(task: str | None, metric: str) -> PublishedClean | None:
    """By what a result is comparable to; None: the paper says nothing of it."""
    found = (row for row in paper().clean_scores if (row.task, row.metric) == (task, metric))
    return next(found, None)
