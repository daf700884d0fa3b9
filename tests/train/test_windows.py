"""Windows that begin where documents do: every token in one, each before its true successor."""

import shutil
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.packing import slow_windows
from wellread.base.errors import InputError
from wellread.formats import tables
from wellread.formats.tokens import DOCUMENTS, read_documents, read_split
from wellread.tokens.build import tokenize_corpus
from wellread.tokens.config import TokensConfig
from wellread.train.packing import pack
from wellread.train.windows import DocumentWindows, read_windows

LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=40)


def documents(lengths: list[int]) -> list[list[int]]:
    """Every token is another number, and a document's are in a row."""
    bounds = np.cumsum([0, *lengths])
    return [list(range(start, end)) for start, end in pairwise(bounds)]


def windows(lengths: list[int], context: int, shard: int = 10**6) -> list[list[int]]:
    bounds = np.cumsum([0, *lengths])
    text = np.arange(bounds[-1], dtype=np.uint16)
    shards = [text[at : at + shard] for at in range(0, len(text), shard)]
    found = DocumentWindows(shards, bounds, context)
    return [found[number].tolist() for number in range(found.num_windows)]


@given(LENGTHS, st.integers(1, 20), st.integers(1, 50))
def test_windows_are_those_of_the_slow_rule(lengths: list[int], context: int, shard: int) -> None:
    assert windows(lengths, context, shard) == slow_windows(documents(lengths), context)


@given(LENGTHS, st.integers(1, 20))
def test_every_token_is_seen_and_predicts_what_follows_it(lengths: list[int], context: int) -> None:
    starts = {document[0] for document in documents(lengths)}
    seen = Counter[int]()
    for window in windows(lengths, context):
        seen.update(window[:-1])
        for token, following in pairwise(window):
            is_end = token + 1 in starts or token + 1 == sum(lengths)
            assert following in starts if is_end else following == token + 1
    packed = pack(np.array(lengths), context)
    never = sum(lengths) - len(seen)
    assert never <= context
    assert sum(seen.values()) - len(seen) <= packed.twice <= sum(lengths) / 7
    assert not never or sum(lengths) - 1 not in seen  # they are of the last ones


def of_texts(*texts: str, context: int) -> DocumentWindows:
    text = np.frombuffer("".join(texts).encode(), np.uint8)
    return DocumentWindows([text], np.cumsum([0, *map(len, texts)]), context)


def read(found: DocumentWindows) -> list[str]:
    return [bytes(found[n].astype(np.uint8)).decode() for n in range(found.num_windows)]


def test_what_a_window_has_room_for_is_what_a_document_is_longer_than_whole_windows() -> None:
    found = of_texts("xyz", "01234", "abcdefghijk", "!", context=8)
    assert read(found) == ["01234xyza", "abcdefghi"]


def test_a_small_gap_is_filled_with_the_beginning_of_the_next_window() -> None:
    found = of_texts("0123456", "abcdefgh", "uvwxyz", "!?.", context=8)
    assert read(found) == ["abcdefgh0", "0123456uv", "uvwxyz!?."]
    assert found.shares() == {"windows": 1.0, "twice": 1 / 24, "left_out": 0.0}


def test_in_a_wide_gap_the_next_document_begins_and_is_cut() -> None:
    found = of_texts("01234", "abcdef", "uvwxy!", context=8)
    assert read(found) == ["abcdef012", "234uvwxy!"]
    assert found.shares() == {"windows": 0.5, "twice": 0.0, "left_out": 0.0}


def test_where_parts_of_a_window_lie_is_told_by_shard() -> None:
    shards = np.split(np.arange(24, dtype=np.uint16), [10, 12])
    found = DocumentWindows(shards, np.array([0, 7, 15, 24]), 8)
    assert found.places(0) == [(0, 7, 10), (1, 10, 12), (2, 12, 15), (0, 0, 1)]
    assert found[0].tolist() == [*range(7, 15), 0]


def test_held_out_windows_stay_where_they_are(tokens: Path) -> None:
    plain, at_documents = (read_windows(tokens, 32, document_starts=x) for x in (False, True))
    both = [(x.held_out.num_windows, x.held_out[3].tolist()) for x in (plain, at_documents)]
    assert both[0] == both[1]
    [ids] = read_split(tokens, "train")
    starts = read_documents(tokens, "train", ["start"])["start"].to_numpy()
    assert isinstance(at_documents.train, DocumentWindows)
    share = at_documents.train.shares()["windows"]
    assert share > 3 * np.mean([number % 32 == 0 for number in starts])
    assert at_documents.train.num_windows >= (len(ids) - 1) // 32


@pytest.mark.parametrize("tokens_per_shard", [10**6, 500])
def test_of_one_split_what_is_held_out_is_not_trained_on(
    tokens: Path, tmp_path: Path, tokens_per_shard: int
) -> None:
    texts = tmp_path / "texts.jsonl"
    texts.write_text("".join(f'{{"text": "{n} and {n}, or {n}"}}\n' for n in range(300)))
    out = tmp_path / "tokens"
    config = TokensConfig(tokens_per_shard=tokens_per_shard)
    tokenize_corpus(texts, tokens.parent / "tokenizer", out, config)
    train, held_out, split = read_windows(out, 16, document_starts=True)
    first = held_out.places(0)[0].start
    assert split == "train"
    seen: set[int] = set()
    for _, start, end in (place for n in range(train.num_windows) for place in train.places(n)):
        seen.update(range(start, end))
    assert max(seen) <= first
    assert len(seen) > first - 16


def test_documents_that_are_no_order_are_one_sentence(tokens: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(tokens, tmp_path / "tokens")
    with tables.open_table(copy / "documents.parquet", DOCUMENTS) as file:
        table = file.read()
    rest = table.filter(pc.not_equal(table["start"], 0))
    pq.write_table(rest, copy / "documents.parquet")
    with pytest.raises(InputError, match=r"documents.parquet: damaged; make the tokens again"):
        read_windows(copy, 32, document_starts=True)
