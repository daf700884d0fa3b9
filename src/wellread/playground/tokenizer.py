"""The tab Tokenizer: a text as tokens, a word's merges as a tree, two vocabularies compared."""

from functools import lru_cache
from typing import NamedTuple

from markupsafe import Markup

from wellread.base.errors import InputError
from wellread.playground import html
from wellread.playground.limits import WORD
from wellread.tokenizer.explain import explain, visible
from wellread.tokenizer.explain_page import inline
from wellread.tokenizer.tokenizer import Tokenizer
from wellread.tokenizer.vocabulary import NUM_BYTES, Vocabulary

TEXT = "GPT-2 reads bytes, not words: naïve, don't, 2,048 and 🙂 all become tokens."
WORD_FOR_TREE = " documentation"


class Split(NamedTuple):
    """A text as one tokenizer has it."""

    tokens: list[tuple[str, int]]  # visible, id
    num_bytes: int
    num_characters: int

    @property
    def facts(self) -> str:
        if not self.tokens:
            return "Type something: it is split at every keystroke."
        return (
            f"{len(self.tokens):,} tokens · {self.num_characters:,} characters · "
            f"{self.num_bytes:,} bytes · {self.num_bytes / len(self.tokens):.2f} bytes a token"
        )


def split(tokenizer: Tokenizer, text: str) -> Split:
    ids = tokenizer.encode(text).tolist()
    return Split(
        [(visible(tokenizer.tokens[id_]), id_) for id_ in ids],
        len(text.encode("utf-8", "replace")),
        len(text),
    )


def tree(tokenizer: Tokenizer, word: str) -> Markup:
    """The merges of a word, from its bytes to its ids."""
    if not word:
        return html.note("Type a word. With a space before it, it is the word inside a sentence.")
    if len(word.encode("utf-8", "replace")) > WORD:
        return html.note(f"A word of more than {WORD} bytes is too wide to draw: shorten it.")
    found = explain(tokenizer, word)
    merges = [merge for pre_token in found.pre_tokens for merge in pre_token.merges]
    tokens = len(found.tokens)
    words = (
        f"{found.num_bytes} bytes, {len(merges)} merges, {tokens} token{'s' * (tokens != 1)}. "
        "From the top: bytes, each merge with its rank (the lowest was learnt first and is applied "
        "first), ids."
    )
    picture = Markup('<div class="wr-scroll wr-tree" tabindex="0">{}</div>').format(
        Markup(inline(found.pre_tokens))
    )
    return picture + html.facts(words)


class Compared(NamedTuple):
    name: str
    vocab_size: int
    num_tokens: int
    num_bytes: int

    @property
    def row(self) -> tuple[str, ...]:
        each = f"{self.num_bytes / self.num_tokens:.2f}" if self.num_tokens else ""
        return self.name, f"{self.vocab_size:,}", f"{self.num_tokens:,}", each


def compared(named: dict[str, Tokenizer], text: str) -> list[Compared]:
    """How many tokens each makes of the text."""
    num_bytes = len(text.encode("utf-8", "replace"))
    return [
        Compared(name, tokenizer.vocab_size, len(tokenizer.encode(text)), num_bytes)
        for name, tokenizer in named.items()
    ]


def comparison(rows: list[Compared]) -> Markup:
    """The rows as a table, and what follows from them in a sentence."""
    shown = html.table(
        ["tokenizer", "ids", "tokens", "bytes a token"],
        [row.row for row in rows],
        numbers=(1, 2, 3),
    )
    first, *others = rows
    return shown + Markup("").join(html.facts(_against(first, other)) for other in others)


def _against(first: Compared, other: Compared) -> str:
    if first.num_tokens == other.num_tokens:
        return f"{other.name}: as many tokens for this text."
    more = other.num_tokens / first.num_tokens - 1
    room = first.num_tokens / other.num_tokens - 1
    return (
        f"{other.name}: {abs(more):.0%} {'more' if more > 0 else 'fewer'} tokens, so that "
        f"{abs(room):.0%} {'less' if more > 0 else 'more'} text fits into one context."
    )


@lru_cache(maxsize=8)
def first_merges(tokenizer: Tokenizer, number: int) -> Tokenizer:
    """The same vocabulary as it was after its first merges: what a smaller one would have been.

    >>> toy = Tokenizer.train(["low lower lowest"], vocab_size=259)
    >>> first_merges(toy, 1).vocab_size, len(first_merges(toy, 0).encode("low"))
    (258, 3)
    """
    vocabulary = tokenizer.vocabulary
    if not 0 <= number <= len(vocabulary.merges):
        raise InputError(f"{number} merges; the tokenizer has 0 to {len(vocabulary.merges):,}")
    tokens = vocabulary.tokens[: NUM_BYTES + number]
    specials = list(vocabulary.special)
    return Tokenizer(
        Vocabulary(
            tokens=[*tokens, *(name.encode() for name in specials)],
            merges=vocabulary.merges[:number],
            special={name: len(tokens) + at for at, name in enumerate(specials)},
        )
    )
