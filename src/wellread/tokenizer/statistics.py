"""How well tokenizers fit a text: bytes per token by kind and script, ids used and never used."""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import regex

from wellread.base.progress import Progress, silent
from wellread.tokenizer.count import Counter, to_utf8
from wellread.tokenizer.tokenizer import Tokenizer

Counts = npt.NDArray[np.int64]

MAX_DISTINCT = 1 << 19  # pre-tokens held before they are encoded and added up
NUM_LONGEST = 10

KINDS = ("prose", "code", "numbers", "other")
NO_SCRIPT = "no script"
OTHER_SCRIPT = "other scripts"
# Unicode's Script property. Those with most speakers or most text on the web; the rest is one row.
SCRIPTS = (
    "Latin", "Cyrillic", "Greek", "Arabic", "Hebrew", "Devanagari", "Bengali", "Tamil", "Telugu",
    "Gujarati", "Kannada", "Malayalam", "Gurmukhi", "Sinhala", "Thai", "Lao", "Khmer", "Myanmar",
    "Georgian", "Armenian", "Ethiopic", "Han", "Hiragana", "Katakana", "Hangul",
)  # fmt: skip
_ALL_SCRIPTS = (*SCRIPTS, OTHER_SCRIPT, NO_SCRIPT)


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the text, and what one tokenizer makes of it."""

    name: str
    num_bytes: int
    num_tokens: int
    bytes_per_token: float


class UsedToken(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    hex: str  # of its bytes, separated by spaces
    num_bytes: int
    count: int


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """One tokenizer on the text."""

    name: str
    vocab_size: int
    num_tokens: int
    bytes_per_token: float | None  # None: a text without tokens
    tokens_per_word: float | None
    by_kind: list[Share]  # those that the text has
    by_script: list[Share]  # by bytes, most first
    longest: list[UsedToken]  # by bytes, then by id
    num_unused: int
    unused_share: float  # of the ids that are not special
    unused: list[int]  # special ids are not counted: their text is plain text here


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """A text and how each tokenizer fits it."""

    num_documents: int
    num_bytes: int  # in UTF-8
    num_words: int  # separated by white space
    fits: list[Fit]


def measure(
    texts: Iterable[str],
    tokenizers: Mapping[str, Tokenizer],
    *,
    max_distinct: int = MAX_DISTINCT,
    progress: Progress = silent,
) -> Statistics:
    """Statistics of all tokenizers, by name, over one pass through `texts`, each a document.

    Memory does not grow with the text: pre-tokens are counted, and each distinct one is encoded
    once, or again after `max_distinct` others.

    >>> toy = Tokenizer.train(["low lower lowest"], vocab_size=259)
    >>> measure(["low low"], {"toy": toy}).fits[0].tokens_per_word
    1.5
    """
    sums = [_Sums(tokenizer) for tokenizer in tokenizers.values()]
    pre_tokens = {kind: Counter() for kind in KINDS}
    num_documents = num_words = 0
    for text in texts:
        num_documents += 1
        of_kind: dict[str, list[bytes]] = {kind: [] for kind in KINDS}
        for block in blocks(text):
            of_kind[kind_of(block)].append(to_utf8(block))
            num_words += len(block.split())
        for kind, counter in pre_tokens.items():
            counter.count(of_kind[kind])
        if sum(counter.num_distinct for counter in pre_tokens.values()) >= max_distinct:
            _add(pre_tokens, sums)
        progress(num_documents, None, "documents")
    _add(pre_tokens, sums)
    return Statistics(
        num_documents=num_documents,
        num_bytes=int(sums[0].table[..., 0].sum()) if sums else 0,
        num_words=num_words,
        fits=[_fit(name, one, num_words) for name, one in zip(tokenizers, sums, strict=True)],
    )


# White space with a blank line in it. The next block begins with the run's last character, where
# GPT-2's pattern ends a pre-token in any case; so splitting blocks is splitting the text.
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*(?=\S)")


def blocks(text: str) -> Iterator[str]:
    """`text` cut at blank lines, so that the pre-tokens stay those of the whole.

    >>> list(blocks("one\\nblock\\n\\n  another"))
    ['one\\nblock\\n\\n ', ' another']
    """
    cuts = [match.end() - 1 for match in _BLANK_LINE.finditer(text)]
    for start, end in itertools.pairwise([0, *cuts, len(text)]):
        if start < end:
            yield text[start:end]


_SPACES = b" \t\n\r\v\f"
_DIGITS = b"0123456789"
_CODE_SIGNS = b"{}[]()<>=+*/\\|&^%$#@~_;`"
_NO_LETTERS = bytes(byte for byte in range(128) if not chr(byte).isalpha())


def kind_of(block: str) -> str:
    """One of `KINDS`, by the block's characters that are no ASCII white space.

    Numbers: at least half are digits from 0 to 9. Code: at least a tenth are signs that programs
    use more than prose does. Prose: at least half are letters. In this order; what is left is
    other.

    >>> kind_of("It was late."), kind_of("f(x) = x**2"), kind_of("3.14 2.72"), kind_of("-----")
    ('prose', 'code', 'numbers', 'other')
    """
    raw = block.encode("utf-8", "surrogatepass")
    size = len(block) - _count(raw, _SPACES)
    if not size:
        return "other"
    if 2 * _count(raw, _DIGITS) >= size:
        return "numbers"
    if 10 * _count(raw, _CODE_SIGNS) >= size:
        return "code"
    letters = (
        len(raw.translate(None, _NO_LETTERS)) if raw.isascii() else sum(map(str.isalpha, block))
    )
    return "prose" if 2 * letters >= size else "other"


def _count(raw: bytes, among: bytes) -> int:
    return len(raw) - len(raw.translate(None, among))


_SCRIPT = regex.compile(
    "|".join(rf"(?P<{script}>\p{{Script={script}}})" for script in SCRIPTS)
    + r"|(?P<other>[^\p{Script=Common}\p{Script=Inherited}\p{Script=Unknown}])"
)


def script_of(pre_token: str) -> str:
    """The Unicode script of the first character that has one of its own.

    >>> script_of(" Москва"), script_of("日本語のテキスト"), script_of(" 2019")
    ('Cyrillic', 'Han', 'no script')
    """
    found = _SCRIPT.search(pre_token)
    if found is None:
        return NO_SCRIPT
    name: str = found.lastgroup
    return OTHER_SCRIPT if name == "other" else name


@cache
def _place_of_script() -> dict[str, int]:
    return {script: at for at, script in enumerate(_ALL_SCRIPTS)}


class _Sums:
    """What one tokenizer has made of the pre-tokens so far."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.sizes: Counts = np.array([len(token) for token in tokenizer.tokens], dtype=np.int64)
        self.used: Counts = np.zeros(tokenizer.vocab_size, dtype=np.int64)  # by id
        # by kind and script: bytes, tokens
        self.table: Counts = np.zeros((len(KINDS), len(_ALL_SCRIPTS), 2), dtype=np.int64)

    def add(self, batch: "_Batch") -> None:
        encoded = self.tokenizer.encode_batch(batch.pieces)
        num_tokens: Counts = np.array([len(ids) for ids in encoded], dtype=np.int64)
        ids = np.concatenate(encoded).astype(np.int64)
        np.add.at(self.used, ids, np.repeat(batch.counts, num_tokens))
        starts = np.concatenate(([0], np.cumsum(num_tokens)[:-1]))
        num_bytes = np.add.reduceat(self.sizes[ids], starts)
        places = (batch.kinds, batch.scripts)
        np.add.at(self.table[..., 0], places, num_bytes * batch.counts)
        np.add.at(self.table[..., 1], places, num_tokens * batch.counts)


class _Batch(NamedTuple):
    """Distinct pre-tokens of each kind, with what each counts for."""

    pieces: Sequence[bytes]
    counts: Counts
    kinds: Counts  # places in KINDS
    scripts: Counts  # places in _ALL_SCRIPTS


def _add(pre_tokens: dict[str, Counter], sums: Sequence[_Sums]) -> None:
    """Add the counted pre-tokens to the sums, and forget them."""
    places = _place_of_script()
    for at, kind in enumerate(KINDS):
        counted = list(pre_tokens[kind].counted())
        if not counted:
            continue
        pieces = [piece for piece, _ in counted]
        scripts = [script_of(piece.decode("utf-8", "replace")) for piece in pieces]
        batch = _Batch(
            pieces,
            np.array([count for _, count in counted], dtype=np.int64),
            np.full(len(pieces), at),
            np.array([places[script] for script in scripts], dtype=np.int64),
        )
        for one in sums:
            one.add(batch)
        pre_tokens[kind].clear()


def _fit(name: str, sums: _Sums, num_words: int) -> Fit:
    num_bytes, num_tokens = (int(total) for total in sums.table.sum(axis=(0, 1)))
    special = list(sums.tokenizer.vocabulary.special.values())
    is_counted = np.ones(len(sums.used), dtype=bool)
    is_counted[special] = False
    unused = np.flatnonzero((sums.used == 0) & is_counted)
    used = np.flatnonzero(sums.used)
    longest = used[np.argsort(-sums.sizes[used], kind="stable")][:NUM_LONGEST]
    return Fit(
        name=name,
        vocab_size=len(sums.used),
        num_tokens=num_tokens,
        bytes_per_token=num_bytes / num_tokens if num_tokens else None,
        tokens_per_word=num_tokens / num_words if num_words else None,
        by_kind=_shares(KINDS, sums.table.sum(axis=1)),
        by_script=sorted(
            _shares(_ALL_SCRIPTS, sums.table.sum(axis=0)), key=lambda share: -share.num_bytes
        ),
        longest=[
            UsedToken(
                id=number,
                hex=sums.tokenizer.tokens[number].hex(" ").upper(),
                num_bytes=int(sums.sizes[number]),
                count=int(sums.used[number]),
            )
            for number in longest.tolist()
        ],
        num_unused=len(unused),
        unused_share=len(unused) / int(is_counted.sum()),
        unused=unused.tolist(),
    )


def _shares(names: Sequence[str], rows: Counts) -> list[Share]:
    return [
        Share(
            name=name,
            num_bytes=num_bytes,
            num_tokens=num_tokens,
            bytes_per_token=num_bytes / num_tokens,
        )
        for name, (num_bytes, num_tokens) in zip(names, rows.tolist(), strict=True)
        if num_tokens
    ]
