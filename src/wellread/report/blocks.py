"""What a section is made of, before it becomes HTML, Markdown, CSV or SVG."""

import re
from typing import Literal, NamedTuple

import msgspec

from wellread.base.text import in_pieces
from wellread.formats.estimates import unit_of

# Control characters, lone surrogates, and the marks that reorder text on a screen.
UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]"
)
PROPER_NAMES = {
    "rouge1": "ROUGE-1", "rouge2": "ROUGE-2", "rougeL": "ROUGE-L", "rouge": "ROUGE",
    "bleu": "BLEU", "f1": "F1",
}  # fmt: skip


class Cell(NamedTuple):
    text: str  # as read by people
    value: float | str | None = None  # as read by programs; None: the text
    is_muted: bool = False
    target: str = ""  # id on the page that it links to
    low: float | None = None  # the 95 % interval of `value`
    high: float | None = None
    detail: str = ""  # in small letters below the text: that interval in words, a command
    links: tuple[tuple[str, str], ...] = ()  # (text, id on the page or ""), instead of the text


class Column(NamedTuple):
    name: str
    # One "name" heads each row, after a "group" that may head several.
    kind: Literal["group", "name", "number", "text", "code"] = "text"
    target: str = ""  # id on the page that its name links to


class Way(NamedTuple):
    """Where numbers come from."""

    place: str  # within the run
    target: str  # id of its artifact's entry in the chain of manifests
    command: str  # that walks on from there


class Table(msgspec.Struct, frozen=True, kw_only=True):
    key: str  # file name and id
    caption: str
    detail: str = ""  # in small letters below the caption
    columns: list[Column]
    rows: list[list[Cell]]
    row_ids: list[str] = []  # one a row, if rows are linked to
    why: list[Way] = []  # the ways back from its numbers
    note: str = ""
    is_folded: bool = False  # on the page, until it is asked for
    kind: Literal["table"] = "table"

    @property
    def spans(self) -> list[int]:
        """How many rows the first cell of each row heads; 0: one above heads it."""
        spans = [1] * len(self.rows)
        if self.columns[0].kind != "group":
            return spans
        for row in range(len(self.rows) - 1, 0, -1):
            if self.rows[row][0] == self.rows[row - 1][0]:
                spans[row - 1] += spans[row]
                spans[row] = 0
        return spans

    @property
    def trimmed(self) -> "Table":
        """Without the columns that say nothing in any row: for the page; the file has them all."""
        kept = [
            place
            for place, column in enumerate(self.columns)
            if column.kind in ("group", "name")
            or any(row[place] not in (NOTHING, NOT_COMPARABLE) for row in self.rows)
        ]
        return msgspec.structs.replace(
            self,
            columns=[self.columns[place] for place in kept],
            rows=[[row[place] for place in kept] for row in self.rows],
        )


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    caption: str  # says what to see
    alt: str
    wide: str  # SVG for the page, from a tablet's width up
    narrow: str
    file: bytes  # SVG on its own
    kind: Literal["figure"] = "figure"


class Prose(msgspec.Struct, frozen=True, kw_only=True):
    text: str
    is_lead: bool = False  # what a reader takes away
    kind: Literal["prose"] = "prose"


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """What a section found, before what it is drawn from."""

    rows: list[tuple[str, str]]  # question, answer
    kind: Literal["answers"] = "answers"


class Heading(msgspec.Struct, frozen=True, kw_only=True):
    text: str
    key: str
    kind: Literal["heading"] = "heading"


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """Samples: what models were given, and what each wrote, one beside the other."""

    label: str
    prompt: str  # empty: nothing
    texts: list[tuple[str, str]]  # (model, text)
    is_folded: bool = False
    kind: Literal["beside"] = "beside"


class Excerpt(msgspec.Struct, frozen=True, kw_only=True):
    """A text in which something was found."""

    label: str
    text: str
    spans: list[tuple[int, int]]  # what was found, in characters
    kind: Literal["excerpt"] = "excerpt"

    @property
    def pieces(self) -> list[tuple[str, bool]]:
        """The text in order, and of each piece whether it was found."""
        return list(in_pieces(self.text, self.spans))


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A file shown as it is."""

    label: str
    text: str
    kind: Literal["listing"] = "listing"


Block = Table | Figure | Prose | Answers | Heading | Beside | Excerpt | Listing


class Section(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    title: str
    blocks: list[Block]
    is_run: bool = True


class Fact(NamedTuple):
    """One of the numbers at the top."""

    text: str
    label: str


NOTHING = Cell("–", "", is_muted=True)
NOT_RUN = Cell("not run", is_muted=True)
NOT_COMPARABLE = Cell("not comparable", is_muted=True)


def printable(text: str) -> str:
    """
    >>> printable("a\\x1b[31m\\u202eb")
    'a[31mb'
    """
    return UNPRINTABLE.sub("", text)


def slug(text: str) -> str:
    """
    >>> slug("results/4x128 (small)")
    'results-4x128-small'
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def count(number: float | None) -> Cell:
    return NOTHING if number is None else Cell(f"{number:,.0f}", number)


def decimal(number: float | None, digits: int) -> Cell:
    return NOTHING if number is None else Cell(f"{number:,.{digits}f}", number)


def share(part: float, whole: float) -> Cell:
    return Cell(f"{100 * part / whole:.1f} %", part / whole) if whole else NOTHING


def better(*, higher: bool) -> str:
    """An arrow after a metric's name, towards what is better."""
    return "↑" if higher else "↓"


def metric_name(metric: str) -> str:
    """As people write it.

    >>> metric_name("exact_match"), metric_name("rougeL"), metric_name("bleu_en-fr")
    ('exact match', 'ROUGE-L', 'BLEU en-fr')
    """
    return " ".join(PROPER_NAMES.get(word, word) for word in metric.split("_"))


def is_share(metric: str) -> bool:
    return unit_of(metric) == "share"


def score(number: float | None, metric: str, *, is_difference: bool = False) -> Cell:
    """A score with the digits its metric deserves; shares in percent, their differences in points.

    >>> score(0.4599, "accuracy").text, score(35.126, "perplexity").text
    ('46.0 %', '35.13')
    >>> [score(gap, "accuracy", is_difference=True).text for gap in (-0.021, -0.0001)]
    ['−2.1', '+0.0']
    """
    if number is None:
        return NOTHING
    sign = "+" if is_difference else ""
    if is_share(metric):
        text = f"{_rounded(100 * number, 1):{sign}.1f}" + ("" if is_difference else " %")
    else:
        digits = 3 if metric.startswith("bits") else 2 if abs(number) < 1000 else 0
        text = f"{_rounded(number, digits):{sign},.{digits}f}"
    return Cell(text.replace("-", "−"), number)


def folded(table: Table) -> Table:
    return msgspec.structs.replace(table, is_folded=True)


def estimate(
    value: float | None, low: float | None, high: float | None, metric: str, *, of: bool = False
) -> Cell:
    """A score, or with `of` a difference of scores, with its 95 % interval below it.

    >>> estimate(0.021, 0.009, 0.033, "accuracy")[4:7]
    (0.009, 0.033, '0.9 to 3.3')
    >>> estimate(0.06, 0.03, 0.09, "accuracy", of=True).detail
    '+3.0 to +9.0'
    """
    cell = score(value, metric, is_difference=of)
    if value is None or low is None or high is None:
        return cell
    ends = [score(end, metric, is_difference=of).text.removesuffix(" %") for end in (low, high)]
    return cell._replace(low=low, high=high, detail=" to ".join(ends))


def items_in(num_items: int, num_units: int) -> Cell:
    """How many items, and of how many documents where these are others."""
    if num_units == num_items:
        return count(num_items)
    return Cell(f"{num_items:,} in {num_units:,}", num_items)


def _rounded(number: float, digits: int) -> float:
    """Not minus zero."""
    return round(number, digits) or 0.0


def big(number: float) -> str:
    """
    >>> big(1_234_567), big(900), big(1_000_000), big(45_000_000)
    ('1.2 M', '900', '1 M', '45 M')
    """
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            scaled = number / size
            return f"{scaled:.0f} {unit}" if scaled >= 10 else f"{round(scaled, 1):g} {unit}"
    return f"{number:.0f}"
