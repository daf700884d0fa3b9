"""The likeliest next word that is not ruled out: best first, over the ways to spell words.

A word is a space and then letters and digits. Its probability is that of its tokens, one after the
other, times that of a token which does not go on with letters or digits. Every beginning of a word
is at least as probable as the word, so the first allowed word that comes out of the queue is the
likeliest.
"""

import heapq
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from wellread.evaluate.language_model import Float32s, LanguageModel, Request
from wellread.tokenizer.tokenizer import Tokenizer

PROMPTS_AT_ONCE = 32  # with 8 beginnings each, their predictions over 50,257 ids are 51 MB
BEGINNINGS_AT_ONCE = 8
# Next tokens tried, the likeliest: more than there are stop words, capitalised ones with them.
NUM_BRANCHES = 512
MOST_TOKENS = 32  # of a word: longer ones are not looked for


class Spelling(NamedTuple):
    """A word or the beginning of one; in a queue the likeliest comes first."""

    cost: float  # minus its log probability
    ids: tuple[int, ...]
    is_word: bool  # the cost includes its end


class Kinds(NamedTuple):
    """What tokens can do to a word. A token that is no whole characters ends it."""

    begin_V: npt.NDArray[np.bool_]  # a space, with or without letters and digits after it
    go_on_V: npt.NDArray[np.bool_]  # letters and digits alone


def kinds_of(tokens: Sequence[bytes]) -> Kinds:
    """Of each token of a vocabulary.

    >>> kinds_of([b" ", b" cat", b"s", b".", b" (", b"1"])
    Kinds(begin_V=array([ True,  True, False, False, False, False]), go_on_V=array([False, False,\
  True, False, False,  True]))
    """
    texts = [token.decode("utf-8", "replace") for token in tokens]
    begin = [text == " " or (text[:1] == " " and text[1:].isalnum()) for text in texts]
    return Kinds(np.array(begin), np.array([text.isalnum() for text in texts]))


def likeliest_words(
    lm: LanguageModel,
    tokenizer: Tokenizer,
    requests: Sequence[Request],
    is_allowed: Callable[[str], bool],
) -> list[str]:
    """The likeliest allowed word after each context, its space with it; "" if there is none.

    A continuation that is not empty is how the word begins.
    """
    kinds = kinds_of(tokenizer.tokens)
    found: list[str] = []
    for start in range(0, len(requests), PROMPTS_AT_ONCE):
        some = requests[start : start + PROMPTS_AT_ONCE]
        queues = [[Spelling(0.0, tuple(map(int, r.continuation)), is_word=False)] for r in some]
        while turn := [(n, spelling) for n, q in enumerate(queues) for spelling in _to_try(q)]:
            asked = [Request(some[n].context, np.array(each.ids, int)) for n, each in turn]
            for (number, each), row in zip(turn, lm.next_log_probs(asked), strict=True):
                text = tokenizer.decode(each.ids)
                for spelling in _longer(each, text, row, kinds):
                    if not spelling.is_word or is_allowed(text):
                        heapq.heappush(queues[number], spelling)
        found += [tokenizer.decode(queue[0].ids) if queue else "" for queue in queues]
    return found


def _to_try(queue: list[Spelling]) -> list[Spelling]:
    """The beginnings likelier than the first word, taken out; none if a word is the likeliest."""
    taken: list[Spelling] = []
    while queue and not queue[0].is_word and len(taken) < BEGINNINGS_AT_ONCE:
        spelling = heapq.heappop(queue)
        if len(spelling.ids) < MOST_TOKENS:
            taken.append(spelling)
    return taken


def _longer(spelling: Spelling, text: str, log_probs_V: Float32s, kinds: Kinds) -> list[Spelling]:
    """The spelling with each next token, and as a word that ends here."""
    log_probs_V = log_probs_V[: len(kinds.begin_V)].astype(float)
    cost, ids, _ = spelling
    usable_V = kinds.go_on_V if ids else kinds.begin_V
    tokens = np.flatnonzero(usable_V & np.isfinite(log_probs_V))
    best = tokens[np.argsort(-log_probs_V[tokens], kind="stable")[:NUM_BRANCHES]]
    longer = [Spelling(cost - log_probs_V[t], (*ids, int(t)), is_word=False) for t in best]
    if text.strip():
        end = float(np.logaddexp.reduce(log_probs_V[~kinds.go_on_V]))
        if np.isfinite(end):
            longer.append(Spelling(cost - end, ids, is_word=True))
    return longer
