"""The ids, against the reference, tiktoken and Hugging Face `tokenizers`."""

import gzip
import itertools
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st
from tiktoken_ext.openai_public import r50k_pat_str
from tokenizers import Tokenizer as HuggingFaceTokenizer
from tokenizers import models, pre_tokenizers
from warcio.archiveiterator import ArchiveIterator

from tests.reference.bpe import BYTES as BYTE_ORDER
from tests.reference.bpe import byte_characters, slow_decode, slow_encode, slow_tokens
from tests.tokenizer.trouble import BYTES, TEXTS, TROUBLE, fuzzed_strings
from wellread.base.seeds import generator
from wellread.formats.documents import read_documents
from wellread.tokenizer.tokenizer import Tokenizer
from wellread.tokenizer.vocabulary import Vocabulary

REPOSITORY = Path(__file__).resolve().parents[2]
Pair = tuple[int, int]


@cache
def repository_text() -> str:
    paths = [*sorted((REPOSITORY / "docs" / "how").glob("*.md")), REPOSITORY / "README.md"]
    return "".join(path.read_text(encoding="utf-8") for path in paths)


@cache
def learnt() -> Tokenizer:
    """A small vocabulary with merges in several scripts and across broken characters."""
    return Tokenizer.train([repository_text(), "".join(TROUBLE) * 3], vocab_size=1_000)


@cache
def wide() -> Tokenizer:
    """More than 65,536 ids: each two bytes are a token, in a shuffled order, and many a four.

    Nearly every boundary between pre-tokens shows in the ids, and many ids need 32 bits. Tokens
    of one, two and four bytes can be joined in one way only, so a library that looks for merges
    by the bytes they make, not by their parts, has the same ids.
    """
    random = generator(0, "tests", "wide")
    pairs = [(int(code) >> 8, int(code) & 255) for code in random.permutation(65_536)]
    twos = random.integers(256, 256 + 65_536, size=(10_000, 2)).tolist()
    return tokenizer_of(list(dict.fromkeys([*pairs, *((left, right) for left, right in twos)])))


@cache
def bytes_alone() -> Tokenizer:
    return tokenizer_of([])


def tokenizer_of(merges: Sequence[Pair]) -> Tokenizer:
    tokens = [*slow_tokens(merges), b"<|endoftext|>"]
    special = {"<|endoftext|>": len(tokens) - 1}
    return Tokenizer(Vocabulary(tokens=tokens, merges=list(merges), special=special))


@cache
def gpt2(real_data: Path) -> Tokenizer:
    return Tokenizer.load(real_data / "vocab")


@cache
def tiktoken_of(tokenizer: Tokenizer) -> tiktoken.Encoding:
    return tiktoken.Encoding(
        "theirs",
        pat_str=r50k_pat_str,
        mergeable_ranks={token: number for number, token in enumerate(tokenizer.tokens[:-1])},
        special_tokens={"<|endoftext|>": tokenizer.end_of_text},
    )


@cache
def hugging_face_of(tokenizer: Tokenizer) -> HuggingFaceTokenizer:
    stand_in = byte_characters()
    texts = ["".join(stand_in[byte] for byte in token) for token in tokenizer.tokens[:-1]]
    theirs = HuggingFaceTokenizer(
        models.BPE(
            vocab={text: number for number, text in enumerate(texts)},
            merges=[(texts[left], texts[right]) for left, right in tokenizer.merges],
        )
    )
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return theirs


def assert_all_agree(tokenizer: Tokenizer, texts: Iterable[str]) -> None:
    """That tiktoken and Hugging Face have the ids of `tokenizer` for each of `texts`."""
    texts = list(texts)
    ours = tokenizer.encode_batch(texts)
    tiktokens = tiktoken_of(tokenizer).encode_ordinary_batch(texts, num_threads=2)
    assert_ids_equal(texts, ours, tiktokens, "tiktoken")
    for start in range(0, len(texts), 5_000):  # their results are large
        part = texts[start : start + 5_000]
        theirs = [each.ids for each in hugging_face_of(tokenizer).encode_batch_fast(part)]
        assert_ids_equal(part, ours[start : start + 5_000], theirs, "tokenizers")


def assert_ids_equal(
    texts: Sequence[str], ours: Sequence[np.ndarray], theirs: Sequence[list[int]], name: str
) -> None:
    assert len(ours) == len(theirs) == len(texts)
    if [len(ids) for ids in ours] == [len(ids) for ids in theirs] and np.array_equal(
        np.concatenate(ours), np.fromiter(itertools.chain.from_iterable(theirs), dtype=np.int64)
    ):
        return
    for text, a, b in zip(texts, ours, theirs, strict=True):
        if not np.array_equal(a, b):
            at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
            near = slice(max(at - 5, 0), at + 5)
            pytest.fail(
                f"{len(text)} characters that start {text[:60]!r}: id {at} of {len(a)} is not "
                f"{name}'s: {a[near].tolist()} and {b[near]}"
            )


def in_contexts(characters: Iterable[str]) -> Iterator[str]:
    for character in characters:
        yield f"a{character}b {character}1{character}.{character}\n{character}'{character}'s  "


def characters(*, step: int = 1) -> Iterator[str]:
    return (chr(code) for code in range(0, 0x110000, step) if not 0xD800 <= code < 0xE000)


@pytest.mark.parametrize("tokenizer", [learnt, wide])
def test_repository_text_has_the_ids_of_other_libraries(
    tokenizer: Callable[[], Tokenizer],
) -> None:
    assert_all_agree(tokenizer(), repository_text().splitlines(keepends=True))
    assert_all_agree(tokenizer(), [repository_text()])


def test_repository_text_has_the_ids_of_the_reference() -> None:
    text = repository_text()[:20_000]
    assert learnt().encode(text).tolist() == slow_encode(text, learnt().merges)
    assert wide().encode(text).tolist() == slow_encode(text, wide().merges)


@settings(deadline=None, max_examples=200)
@given(TEXTS)
def test_troublesome_text_has_the_ids_of_all_and_comes_back(text: str) -> None:
    ids = learnt().encode(text)
    assert ids.tolist() == slow_encode(text, learnt().merges)
    assert ids.tolist() == tiktoken_of(learnt()).encode_ordinary(text)
    assert ids.tolist() == hugging_face_of(learnt()).encode(text).ids
    assert learnt().decode(ids) == text


@settings(deadline=None, max_examples=200)
@given(TEXTS)
def test_troublesome_text_has_the_ids_of_all_beyond_16_bits(text: str) -> None:
    ids = wide().encode(text)
    assert ids.tolist() == tiktoken_of(wide()).encode_ordinary(text)
    assert ids.tolist() == hugging_face_of(wide()).encode(text).ids
    assert wide().decode(ids) == text


@settings(deadline=None, max_examples=200)
@given(BYTES | st.binary(max_size=200))
def test_any_bytes_have_the_ids_of_the_reference_and_come_back(data: bytes) -> None:
    ids = learnt().encode(data)
    assert ids.tolist() == slow_encode(data, learnt().merges)
    assert learnt().decode_bytes(ids) == slow_decode(ids, learnt().merges) == data


def test_random_bytes_come_back() -> None:
    data = generator(0, "tests", "round trip").bytes(300_000)
    for tokenizer in (learnt(), wide()):
        assert tokenizer.decode_bytes(tokenizer.encode(data)) == data


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.sampled_from(["a", "b", "ab", " ", "é"]) | st.characters(categories=["Cs"])).map(
        "".join
    )
)
def test_lone_surrogates_and_pairs_have_the_ids_of_tiktoken(text: str) -> None:
    ids = learnt().encode(text).tolist()
    assert ids == tiktoken_of(learnt()).encode_ordinary(text) == slow_encode(text, learnt().merges)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("\ud800", "\ufffd"),
        ("a\udfffb", "a\ufffdb"),
        ("\udc80 \udcff", "\ufffd \ufffd"),  # what "surrogateescape" leaves in a str
        ("\ud83d\ude00", "😀"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
    ],
)
def test_a_lone_surrogate_is_a_replacement_character(text: str, meant: str) -> None:
    assert learnt().encode(text).tolist() == learnt().encode(meant).tolist()
    assert learnt().decode(learnt().encode(text)) == meant


def test_a_sample_of_code_points_has_the_ids_of_all() -> None:
    assert_all_agree(learnt(), in_contexts(characters(step=199)))
    assert_all_agree(wide(), in_contexts(characters(step=199)))


def test_fuzzed_strings_have_the_ids_of_all() -> None:
    assert_all_agree(learnt(), fuzzed_strings(3_000, "few"))


@pytest.mark.parametrize(
    "texts",
    [
        ["it'", "s", "it'l", "l", "'", "re", "1'", "s"],
        [" ", "low", "  ", " low", "\n", "\n"],
        ["l", "ow", "lo", "w", "", "low", "1", "2"],
        [b".\xe3\x80", b"\x80low", b".\xc2", b"\xa0"],  # U+3000 and U+00A0, in two texts each
        [b"a\xc3", b"\xa9b", b"a\xe6\x97", b"\xa5", b"1\xf0\x9d\x9f", b"\x99"],
    ],
)
def test_a_text_of_a_batch_does_not_look_into_the_next(texts: list[str | bytes]) -> None:
    for tokenizer in (learnt(), wide()):
        alone = [slow_encode(text, tokenizer.merges) for text in texts]
        for copies in (1, 40):
            batch = tokenizer.encode_batch(texts * copies)
            assert [ids.tolist() for ids in batch] == alone * copies


@pytest.mark.parametrize("num_same", [4, 12, 13, 28, 61, 62])
def test_words_that_differ_in_their_last_letters_are_not_mistaken_for_one_another(
    num_same: int,
) -> None:
    # Thousands of a length, so that any table of those seen before has to forget.
    letters = "abcdefghijklmnopqrstuvwxyz"
    ends = ["".join(end) for end in itertools.product(letters, repeat=3)]
    text = " ".join("x" * num_same + end for end in ends)
    for tokenizer in (bytes_alone(), learnt(), wide()):
        ids = tokenizer.encode(text * 2)
        assert tokenizer.decode(ids) == text * 2
    assert bytes_alone().count_tokens(text) == len(text)


def test_the_lowest_merge_comes_first_and_the_leftmost_of_its_places() -> None:
    a, b, c = (BYTE_ORDER.index(ord(letter)) for letter in "abc")
    bc, ab, aa, abc = 256, 257, 258, 259
    tokenizer = tokenizer_of([(b, c), (a, b), (a, a), (a, bc)])
    assert tokenizer.encode("abc").tolist() == [abc]
    assert tokenizer.encode("abab").tolist() == [ab, ab]
    assert tokenizer.encode("aaa").tolist() == [aa, a]
    assert tokenizer.encode("aaab").tolist() == [aa, ab]
    assert tokenizer.encode("aabc").tolist() == [aa, bc]


@pytest.mark.timeout(60)
def test_a_million_of_one_character_is_merged_without_quadratic_time() -> None:
    a = BYTE_ORDER.index(ord("a"))
    # aa, aaaa, and so on: id 256 is 2 of them, id 265 is 1,024.
    tokenizer = tokenizer_of([(a, a)] + [(number, number) for number in range(256, 265)])
    ids = tokenizer.encode("a" * 1_000_000)
    assert ids.tolist() == [265] * 976 + [264, 261]  # 976 * 1,024 + 512 + 64


@pytest.mark.timeout(60)
def test_a_long_run_of_one_character_has_the_ids_of_hugging_face() -> None:
    for character in " -é'":
        text = character * 200_000 + "s"
        assert learnt().encode(text).tolist() == hugging_face_of(learnt()).encode(text).ids


@pytest.mark.timeout(60)
def test_a_megabyte_without_a_space_has_the_ids_of_hugging_face() -> None:
    text = letters_without_space(1_000_000)
    assert learnt().encode(text).tolist() == hugging_face_of(learnt()).encode(text).ids


def letters_without_space(num_letters: int) -> str:
    codes = generator(0, "tests", "letters").integers(ord("a"), ord("z") + 1, size=num_letters)
    return codes.astype(np.uint8).tobytes().decode("ascii")


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.timeout(200)
def test_10_megabytes_without_a_space_have_gpt2s_ids(real_data: Path) -> None:
    assert_all_agree(gpt2(real_data), [letters_without_space(10_000_000)])


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.timeout(60)
@pytest.mark.parametrize("character", [*"a!0 \n-", "é", "\u3000"])
def test_a_megabyte_of_one_character_has_gpt2s_ids(character: str, real_data: Path) -> None:
    text = character * 1_000_000
    assert_all_agree(gpt2(real_data), [text])
    # tiktoken's pattern overflows its stack where a million spaces are followed by a word.
    theirs = hugging_face_of(gpt2(real_data)).encode(f"{text}.").ids
    assert gpt2(real_data).encode(f"{text}.").tolist() == theirs


@pytest.mark.slow
@pytest.mark.real
def test_100_000_fuzzed_strings_have_gpt2s_ids(real_data: Path) -> None:
    assert_all_agree(gpt2(real_data), fuzzed_strings(100_000, "many"))


@pytest.mark.slow
@pytest.mark.real
def test_random_bytes_come_back_from_gpt2s_ids(real_data: Path) -> None:
    data = generator(0, "tests", "round trip", "GPT-2").bytes(2_000_000)
    assert gpt2(real_data).decode_bytes(gpt2(real_data).encode(data)) == data


@pytest.mark.slow
@pytest.mark.real
def test_every_code_point_alone_has_gpt2s_ids(real_data: Path) -> None:
    assert_all_agree(gpt2(real_data), characters())


@pytest.mark.slow
@pytest.mark.real
def test_every_code_point_in_context_has_gpt2s_ids(real_data: Path) -> None:
    lines = list(in_contexts(characters()))
    together = ["".join(lines[start : start + 1_000]) for start in range(0, len(lines), 1_000)]
    assert_all_agree(gpt2(real_data), together)


@pytest.mark.real
def test_the_fast_gpt2_tokenizer_of_transformers_has_the_same_ids(
    real_data: Path, tmp_path: Path
) -> None:
    from transformers import GPT2TokenizerFast

    shutil.copy(real_data / "vocab" / "encoder.json", tmp_path / "vocab.json")
    shutil.copy(real_data / "vocab" / "vocab.bpe", tmp_path / "merges.txt")
    theirs = GPT2TokenizerFast.from_pretrained(tmp_path)
    texts = [*fuzzed_strings(2_000, "transformers"), repository_text()]
    plain = [text.replace("<|endoftext|>", "<|end|>") for text in texts]  # special to theirs
    expected = theirs(plain)["input_ids"]
    assert_ids_equal(plain, gpt2(real_data).encode_batch(plain), expected, "transformers")


@pytest.mark.real
def test_gpt2s_ids_of_the_reference_on_real_documents(real_data: Path) -> None:
    for text in list(document_texts(real_data))[:20]:
        ids = gpt2(real_data).encode(text)
        assert ids.tolist() == slow_encode(text, gpt2(real_data).merges)


def document_texts(real_data: Path) -> Iterator[str]:
    for document in read_documents(real_data / "documents" / "openwebtext_500.jsonl.gz"):
        yield document.text


def novels(real_data: Path) -> Iterator[str]:
    for path in sorted((real_data / "documents" / "novels").glob("*.txt")):
        yield path.read_text(encoding="utf-8", errors="replace")


def benchmark_texts(real_data: Path) -> Iterator[str]:
    """Every file that is text, as it is: markup, quotation marks and all."""
    suffixes = {".txt", ".json", ".jsonl", ".tsv", ".xml", ".md", ".yml", ".story", ".raw"}
    suffixes |= {".tokens", ".en", ".fr"}
    for path in sorted((real_data / "benchmarks").rglob("*")):
        if path.suffix in suffixes:
            yield path.read_text(encoding="utf-8", errors="replace")


def page_texts(real_data: Path) -> Iterator[str]:
    """HTML as text; pages in another encoding have many U+FFFD."""
    for path in sorted((real_data / "pages" / "newspaper_html").rglob("*.html")):
        yield path.read_text(encoding="utf-8", errors="replace")
    with gzip.open(real_data / "pages" / "articles.warc.gz") as file:
        for record in ArchiveIterator(file):
            yield record.content_stream().read().decode("utf-8", "replace")


@pytest.mark.real
@pytest.mark.parametrize("source", [document_texts, novels, benchmark_texts, page_texts])
def test_all_real_text_has_gpt2s_ids(
    source: Callable[[Path], Iterator[str]], real_data: Path
) -> None:
    assert_all_agree(gpt2(real_data), source(real_data))


@pytest.mark.real
def test_real_pages_come_back_byte_for_byte(real_data: Path) -> None:
    for path in sorted((real_data / "pages" / "newspaper_html").rglob("*.html")):
        data = path.read_bytes()
        assert gpt2(real_data).decode_bytes(gpt2(real_data).encode(data)) == data
