"""What a caller of Tokenizer may rely on, beyond the ids themselves."""

import copy
import multiprocessing
import multiprocessing.reduction
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import cycle, islice, pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference.bpe import BYTES, slow_tokens
from tests.tokenizer.trouble import BYTES as BAD_TEXTS
from tests.tokenizer.trouble import TEXTS, fuzzed_strings
from wellread.base.errors import InputError
from wellread.tokenizer.tokenizer import Tokenizer
from wellread.tokenizer.vocabulary import Vocabulary

# "low" and " low" are single tokens, the two halves of "é" are not one, and bytes 2 and 3 of an
# emoji are.
LOW = {letter: BYTES.index(ord(letter)) for letter in " low"}
MIDDLE = (BYTES.index(0x9F), BYTES.index(0x98))
MERGES = [(LOW["l"], LOW["o"]), (256, LOW["w"]), (LOW[" "], 257), MIDDLE]


def with_special(*special: str) -> Tokenizer:
    tokens = slow_tokens(MERGES)
    numbers = {text: len(tokens) + place for place, text in enumerate(special)}
    tokens += [text.encode() for text in special]
    return Tokenizer(Vocabulary(tokens=tokens, merges=MERGES, special=numbers))


TOKENIZER = with_special("<|endoftext|>")
END = TOKENIZER.end_of_text
ONLY_BYTES = Tokenizer.train([], vocab_size=257)


def test_ids_are_16_bit_numbers_where_all_fit() -> None:
    assert TOKENIZER.encode("low").dtype == np.uint16
    assert TOKENIZER.encode("").dtype == np.uint16
    assert TOKENIZER.encode_batch(["low", ""])[1].dtype == np.uint16


@pytest.mark.parametrize(
    ("num_ids", "dtype"), [(65_535, np.uint16), (65_536, np.uint16), (65_537, np.uint32)]
)
def test_ids_are_32_bit_numbers_from_65_537_ids_on(num_ids: int, dtype: type) -> None:
    pairs = [(left, right) for left in range(256) for right in range(256)]
    merges = pairs[: num_ids - 257]
    tokens = [*slow_tokens(merges), b"<|endoftext|>"]
    special = {"<|endoftext|>": num_ids - 1}
    tokenizer = Tokenizer(Vocabulary(tokens=tokens, merges=merges, special=special))
    assert tokenizer.vocab_size == num_ids
    ids = tokenizer.encode("<|endoftext|>", allowed_special={"<|endoftext|>"})
    assert ids.dtype == tokenizer.encode("a").dtype == tokenizer.encode("").dtype == dtype
    assert ids.tolist() == [num_ids - 1]
    assert tokenizer.decode(ids) == "<|endoftext|>"


@pytest.mark.parametrize("text", ["", b""])
def test_an_empty_text_has_no_ids(text: str | bytes) -> None:
    assert TOKENIZER.encode(text).tolist() == []
    assert TOKENIZER.encode_batch([text, text])[0].tolist() == []
    assert TOKENIZER.count_tokens(text) == 0
    assert TOKENIZER.encode_with_offsets(text).ids.tolist() == []


def test_nothing_decodes_to_an_empty_text() -> None:
    assert TOKENIZER.decode([]) == ""
    assert TOKENIZER.decode_bytes([]) == b""
    assert list(TOKENIZER.decode_stream([])) == []
    assert TOKENIZER.encode_batch([]) == []


@settings(deadline=None)
@given(TEXTS)
def test_a_str_and_its_utf_8_have_the_same_ids_and_come_back(text: str) -> None:
    ids = TOKENIZER.encode(text)
    assert ids.tolist() == TOKENIZER.encode(text.encode()).tolist()
    assert TOKENIZER.decode(ids) == text
    assert TOKENIZER.decode(ids.tolist()) == text
    assert TOKENIZER.count_tokens(text) == len(ids)


@settings(deadline=None)
@given(st.lists(TEXTS | BAD_TEXTS, max_size=12), st.sampled_from([None, 1, 2, 5]))
def test_a_batch_has_the_ids_of_each_text_whatever_the_threads(
    texts: list[str | bytes], threads: int | None
) -> None:
    batch = TOKENIZER.encode_batch(texts, threads=threads)
    assert [ids.tolist() for ids in batch] == [TOKENIZER.encode(text).tolist() for text in texts]


def test_a_large_batch_has_the_same_ids_with_one_thread_and_two() -> None:
    texts = [*fuzzed_strings(2_000, "batch"), "low " * 100_000, "", "x" * 50_000]
    one, two = (TOKENIZER.encode_batch(texts, threads=threads) for threads in (1, 2))
    assert len(one) == len(two) == len(texts)
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert one[2_000].tolist() == [257] + [258] * 99_999 + [LOW[" "]]
    assert one[-1].tolist() == [BYTES.index(ord("x"))] * 50_000


def test_a_text_of_megabytes_has_the_same_ids_with_one_thread_and_two() -> None:
    part = "".join(fuzzed_strings(2_000, "large")).encode()
    for data in (part * 20, part * 5 + b" \xff\x80" * 1_000_000, b"\n" * 3_000_000 + part):
        one, two = (TOKENIZER.encode_batch([b"low", data], threads=threads) for threads in (1, 2))
        assert np.array_equal(one[1], two[1])
        assert np.array_equal(one[1], TOKENIZER.encode(data))
        assert TOKENIZER.decode_bytes(two[1]) == data


def test_the_results_of_a_call_are_not_changed_by_the_next() -> None:
    first = TOKENIZER.encode("low low")
    batch = TOKENIZER.encode_batch(["low", " low"])
    TOKENIZER.encode("other words of another length")
    TOKENIZER.encode_batch(["other", "words"])
    assert first.tolist() == [257, 258]
    assert [ids.tolist() for ids in batch] == [[257], [258]]


def test_the_text_of_a_special_token_is_plain_text_by_default() -> None:
    assert END not in TOKENIZER.encode("low<|endoftext|>low")
    assert END not in TOKENIZER.encode_batch(["<|endoftext|>"])[0]
    assert TOKENIZER.decode(TOKENIZER.encode("<|endoftext|>")) == "<|endoftext|>"
    assert TOKENIZER.count_tokens("<|endoftext|>") == 13


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("low<|endoftext|> low", [257, END, 258]),
        (b"low<|endoftext|> low", [257, END, 258]),
        ("<|endoftext|><|endoftext|>", [END, END]),
        ("low <|endoftext|>", [257, LOW[" "], END]),
        ("low", [257]),
        ("", []),
    ],
)
def test_an_allowed_special_token_is_one_id(text: str | bytes, ids: list[int]) -> None:
    assert TOKENIZER.encode(text, allowed_special={"<|endoftext|>"}).tolist() == ids


def test_an_allowed_special_token_in_bytes_that_are_not_utf_8_is_one_id() -> None:
    ids = TOKENIZER.encode(b"\xff<|endoftext|>\xe2\x82", allowed_special={"<|endoftext|>"})
    assert ids[1] == END
    assert TOKENIZER.decode_bytes(ids) == b"\xff<|endoftext|>\xe2\x82"


def test_only_the_special_tokens_that_are_named_are_allowed_and_the_longest_wins() -> None:
    tokenizer = with_special("<|endoftext|>", "<|end|>", "<|end|>low")
    text = "<|end|>low<|endoftext|>"
    assert tokenizer.encode(text, allowed_special=["<|end|>"]).tolist()[:2] == [261, 257]
    assert 260 not in tokenizer.encode(text, allowed_special=["<|end|>"])
    everything = ["<|endoftext|>", "<|end|>", "<|end|>low"]
    assert tokenizer.encode(text, allowed_special=everything).tolist() == [262, 260]
    assert tokenizer.encode("<|end|> low", allowed_special=everything).tolist() == [261, 258]


def test_a_special_token_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"<\|pad\|>.*<\|endoftext\|>"):
        TOKENIZER.encode("low", allowed_special={"<|pad|>"})


def test_offsets_say_where_each_token_starts_in_bytes_and_characters() -> None:
    offsets = TOKENIZER.encode_with_offsets("é low")
    assert offsets.ids.tolist()[2:] == [258]
    # The second byte of é is a token that starts inside character 0; the end is the last entry.
    assert offsets.byte_starts.tolist() == [0, 1, 2, 6]
    assert offsets.char_starts.tolist() == [0, 0, 1, 5]


def test_a_token_that_starts_inside_a_character_has_that_characters_place() -> None:
    offsets = TOKENIZER.encode_with_offsets("a😀b")  # F0, 9F 98, 80
    assert len(offsets.ids) == 5
    assert offsets.byte_starts.tolist() == [0, 1, 2, 4, 5, 6]
    assert offsets.char_starts.tolist() == [0, 1, 1, 1, 2, 3]


def test_a_byte_that_is_not_utf_8_counts_as_a_character_of_its_own() -> None:
    offsets = ONLY_BYTES.encode_with_offsets(b"a\xff\x80\x80b\xe2\x82c")
    assert offsets.byte_starts.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8]
    assert offsets.char_starts.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8]


def test_offsets_of_a_str_with_a_lone_surrogate_are_those_of_its_replacement() -> None:
    offsets = ONLY_BYTES.encode_with_offsets("a\ud800b")
    assert offsets.byte_starts.tolist() == [0, 1, 2, 3, 4, 5]
    assert offsets.char_starts.tolist() == [0, 1, 1, 1, 2, 3]


@settings(deadline=None)
@given(TEXTS)
def test_a_texts_slices_between_offsets_are_its_tokens(text: str) -> None:
    data, offsets = text.encode(), TOKENIZER.encode_with_offsets(text)
    assert offsets.ids.tolist() == TOKENIZER.encode(text).tolist()
    starts = offsets.byte_starts.tolist()
    tokens = [data[start:end] for start, end in pairwise(starts)]
    assert tokens == [TOKENIZER.tokens[number] for number in offsets.ids.tolist()]
    # As many characters come before a token as end before it.
    whole = [len(data[:start].decode("utf-8", "ignore")) for start in starts]
    assert offsets.char_starts.tolist() == whole


@pytest.mark.parametrize("wrong", [END + 1, 65_536, 2**40, -1])
def test_an_id_outside_the_vocabulary_is_refused_by_number(wrong: int) -> None:
    for decode in (TOKENIZER.decode, TOKENIZER.decode_bytes):
        with pytest.raises(InputError, match=str(wrong)):
            decode([0, wrong])
    with pytest.raises(InputError, match=str(wrong)):
        list(TOKENIZER.decode_stream([0, wrong]))


def test_ids_of_every_numpy_width_and_of_any_iterable_are_decoded() -> None:
    for dtype in (np.uint16, np.uint32, np.int64):
        assert TOKENIZER.decode(np.array([257, 258], dtype=dtype)) == "low low"
    assert TOKENIZER.decode(iter([257, 258])) == "low low"
    assert TOKENIZER.decode_bytes((257, 258)) == b"low low"
    with pytest.raises(InputError, match="-1"):
        TOKENIZER.decode(np.array([257, -1]))


def test_the_id_of_end_of_text_is_decoded_as_its_text() -> None:
    assert TOKENIZER.decode([257, END]) == "low<|endoftext|>"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"a\xffb", "a\ufffdb"),
        (b"\xe2\x82", "\ufffd"),
        (b"\xe2\x82a", "\ufffda"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
        (b"\x80\x80", "\ufffd\ufffd"),
    ],
)
def test_bytes_that_are_not_utf_8_are_decoded_as_replacement_characters(
    data: bytes, text: str
) -> None:
    ids = TOKENIZER.encode(data)
    assert TOKENIZER.decode_bytes(ids) == data
    assert TOKENIZER.decode(ids) == text
    assert "".join(TOKENIZER.decode_stream(ids)) == text


def test_a_stream_gives_a_character_when_its_last_byte_has_come() -> None:
    taken: list[int] = []

    def coming() -> Iterator[int]:
        for number in TOKENIZER.encode("a😀b").tolist():
            taken.append(number)
            yield number

    stream = TOKENIZER.decode_stream(coming())
    assert [(next(stream), len(taken)) for _ in range(3)] == [("a", 1), ("😀", 4), ("b", 5)]


def test_a_stream_without_end_is_read_as_it_comes() -> None:
    ids = cycle(TOKENIZER.encode("low é").tolist())
    assert "".join(islice(TOKENIZER.decode_stream(ids), 6)) == "low élow é"


def test_a_stream_that_ends_inside_a_character_gives_what_there_is() -> None:
    ids = TOKENIZER.encode("a😀".encode()[:-1])
    assert "".join(TOKENIZER.decode_stream(ids)) == TOKENIZER.decode(ids) == "a\ufffd"


@settings(deadline=None)
@given(st.lists(st.integers(0, END), max_size=60))
def test_a_stream_of_any_ids_gives_the_text_of_decode(ids: list[int]) -> None:
    pieces = list(TOKENIZER.decode_stream(ids))
    assert "".join(pieces) == TOKENIZER.decode(ids)
    assert "" not in pieces


@settings(deadline=None)
@given(TEXTS)
def test_a_stream_of_a_texts_ids_has_no_replacement_the_text_has_not(text: str) -> None:
    assert "".join(TOKENIZER.decode_stream(TOKENIZER.encode(text))) == text


def test_a_generator_of_texts_can_be_learnt_from() -> None:
    texts = (text for text in ["low low", "low"])
    tokens = Tokenizer.train(texts, vocab_size=260).tokens
    assert tokens[256:] == [b"lo", b"low", b" low", b"<|endoftext|>"]


@pytest.mark.parametrize("vocab_size", [256, 0, -1])
def test_a_vocabulary_too_small_for_the_bytes_is_refused(vocab_size: int) -> None:
    with pytest.raises(InputError, match=str(vocab_size)):
        Tokenizer.train(["low"], vocab_size=vocab_size)


def copies(tokenizer: Tokenizer) -> list[Tokenizer]:
    tokenizer.encode("used before it is copied")
    sent = multiprocessing.reduction.ForkingPickler.dumps(tokenizer)
    return [copy.deepcopy(tokenizer), multiprocessing.reduction.ForkingPickler.loads(sent)]


def test_copies_of_a_used_tokenizer_encode_for_themselves() -> None:
    tokenizer = Tokenizer.train(["low lower lowest"], vocab_size=262)
    ids = tokenizer.encode("slower").tolist()
    for other in copies(tokenizer):
        assert other.encode("slower").tolist() == ids
        assert tokenizer.encode("lowest").tolist() == other.encode("lowest").tolist()


def test_a_used_tokenizer_goes_to_other_processes() -> None:
    tokenizer = Tokenizer.train(["low lower lowest"], vocab_size=262)
    expected = [tokenizer.encode(text).tolist() for text in ("low", "slower", "")]
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert [
            ids.tolist() for ids in pool.map(tokenizer.encode, ("low", "slower", ""))
        ] == expected


def test_offsets_are_64_bit_integers_even_of_nothing() -> None:
    tokenizer = Tokenizer.train([], vocab_size=257)
    for text in ("", "\u00e9!"):
        offsets = tokenizer.encode_with_offsets(text)
        assert offsets.byte_starts.dtype == offsets.char_starts.dtype == np.int64


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: t.encode(5), "a text is of type int; expected str or bytes"),
        (lambda t: t.encode("a", threads=0), "threads is 0; at least 1"),
        (lambda t: t.encode_batch("abc"), "one text, 'abc', where several are expected"),
        (lambda t: Tokenizer.train("abc", 300), "one text, 'abc', where several are expected"),
        (lambda t: Tokenizer.train(["a"], 2**40), "at most 2,097,152 fit"),
        (
            lambda t: t.encode_column(pa.array(["a"])),
            "a column of string, a StringArray with 0 nul",
        ),
        (
            lambda t: t.encode_column(pa.array(["a", None], pa.large_string())),
            "a LargeStringArray with 1 nulls; expected",
        ),
        (lambda t: t.encode("a", allowed_special="all"), "allowed_special is the text 'all'"),
        (lambda t: t.decode("123"), "ids are '123'; expected one row of integers"),
        (lambda t: t.decode(5), "ids are 5; expected one row of integers"),
        (lambda t: t.decode(np.array([[1, 2], [3, 4]])), r"ids of shape \(2, 2\) and type int64"),
        (lambda t: t.decode([1.5]), r"ids of shape \(1,\) and type float64; expected"),
        (lambda t: Tokenizer.train(["a"], "300"), "vocab_size is '300'"),
        (lambda t: Tokenizer.train(["a"], 300, memory=0), "and memory 0; expected whole numbers"),
        (lambda t: t.save(__file__), "a file is in the way; name a folder"),
    ],
)
def test_a_wrong_call_is_refused_in_a_sentence(
    call: Callable[[Tokenizer], object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        call(Tokenizer.train([], vocab_size=257))
