"""Vocabulary files: against the libraries whose formats they are, and damaged in every way."""

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st
from tiktoken.load import load_tiktoken_bpe
from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers, processors, trainers
from tokenizers import Tokenizer as HuggingFace
from transformers import AddedToken, AutoTokenizer, GPT2TokenizerFast

from wellread.base.errors import InputError
from wellread.tokenizer.alphabet import PATTERN, byte_order
from wellread.tokenizer.files import read_vocabulary, write_vocabulary
from wellread.tokenizer.vocabulary import Vocabulary

END = "<|endoftext|>"
TEXTS = [
    "The bell had not rung, and the bells' ringers weren't there: hello, hello!",
    "In 2019, naïve cafés sold 1,000 cups; DON'T ask how.  Two  spaces,\n\n\ttabs.   ",
    "日本語のテキスト and 🙂 emoji, repeated: 🙂🙂🙂. हिन्दी, \u0085 and \u2003 too.",
    "<|endoftext|> and [PAD] as they are written",
]
BYTES = [bytes([byte]) for byte in byte_order()]
H, E, L = BYTES.index(b"h"), BYTES.index(b"e"), BYTES.index(b"l")
HELLO = Vocabulary(
    tokens=[*BYTES, b"he", b"ll", b"hell", b"hello", END.encode()],
    merges=[(H, E), (L, L), (256, 257), (258, BYTES.index(b"o"))],
    special={END: 260},
    merge_counts=[9, 7, 7, 5],
)
UNCOUNTED = Vocabulary(tokens=HELLO.tokens, merges=HELLO.merges, special=HELLO.special)


def trained(*, special_first: bool = True) -> HuggingFace:
    """360 tokens trained by `tokenizers`; the id of `<|endoftext|>` is 0, or the last."""
    theirs = HuggingFace(models.BPE())
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    theirs.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=360 if special_first else 359,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=[END] if special_first else [],
        show_progress=False,
    )
    theirs.train_from_iterator(TEXTS[:3] * 3, trainer)
    theirs.add_special_tokens([END])
    return theirs


def saved(folder: Path, theirs: HuggingFace) -> Path:
    theirs.save(str(folder / "tokenizer.json"))
    return folder / "tokenizer.json"


def hello(folder: Path) -> Path:
    """A folder with all files of HELLO."""
    write_vocabulary(folder, HELLO)
    return folder


def gpt2_files(folder: Path) -> Path:
    """A folder with vocab.json and merges.txt of HELLO alone."""
    write_vocabulary(folder, UNCOUNTED)
    for name in ("tokenizer.json", "tokenizer_config.json", "ranks.tiktoken"):
        (folder / name).unlink()
    return folder


def change(path: Path, old: str, new: str) -> None:
    content = path.read_bytes()
    assert old.encode() in content
    path.write_bytes(content.replace(old.encode(), new.encode(), 1))


def change_json(path: Path, edit: Callable[[Any], object]) -> None:
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


# What is written is read again, here and by the libraries.


def test_a_written_folder_has_a_file_for_every_library(tmp_path: Path) -> None:
    assert sorted(path.name for path in hello(tmp_path).iterdir()) == [
        "merge_counts.txt",
        "merges.txt",
        "ranks.tiktoken",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.json",
    ]
    assert (tmp_path / "merges.txt").read_text() == "#version: 0.2\nh e\nl l\nhe ll\nhell o\n"
    assert (tmp_path / "merge_counts.txt").read_text() == "9\n7\n7\n5\n"
    ranks = (tmp_path / "ranks.tiktoken").read_text().splitlines()
    assert (ranks[0], ranks[259], len(ranks)) == ("IQ== 0", "aGVsbG8= 259", 260)


@pytest.mark.parametrize("name", ["", "vocab.json", "merges.txt"])
def test_a_folder_and_its_two_files_are_read_with_the_counts(tmp_path: Path, name: str) -> None:
    assert read_vocabulary(hello(tmp_path) / name) == HELLO


@pytest.mark.parametrize("name", ["tokenizer.json", "ranks.tiktoken"])
def test_each_other_file_is_enough_alone(tmp_path: Path, name: str) -> None:
    assert read_vocabulary(hello(tmp_path) / name) == UNCOUNTED
    for path in tmp_path.iterdir():
        if path.name != name:
            path.unlink()
    assert read_vocabulary(tmp_path) == UNCOUNTED


def test_openais_names_and_a_beginning_before_the_name_are_read(tmp_path: Path) -> None:
    gpt2_files(tmp_path)
    (tmp_path / "vocab.json").rename(tmp_path / "encoder.json")
    (tmp_path / "merges.txt").rename(tmp_path / "vocab.bpe")
    assert read_vocabulary(tmp_path) == UNCOUNTED
    assert read_vocabulary(tmp_path / "vocab.bpe") == UNCOUNTED
    (tmp_path / "encoder.json").rename(tmp_path / "my-vocab.json")
    (tmp_path / "vocab.bpe").rename(tmp_path / "my-merges.txt")
    assert read_vocabulary(tmp_path / "my-merges.txt") == UNCOUNTED


def test_vocab_json_and_merges_txt_win_over_a_different_tokenizer_json(tmp_path: Path) -> None:
    saved(hello(tmp_path), trained())
    assert read_vocabulary(tmp_path) == HELLO


def test_a_vocabulary_without_merges_is_read_again(tmp_path: Path) -> None:
    only_bytes = Vocabulary(tokens=[*BYTES, END.encode()], merges=[], special={END: 256})
    write_vocabulary(tmp_path, only_bytes)
    for name in ("", "tokenizer.json", "ranks.tiktoken"):
        assert read_vocabulary(tmp_path / name) == only_bytes


def test_special_tokens_may_be_anywhere_and_any_text(tmp_path: Path) -> None:
    scattered = Vocabulary(
        tokens=[b"[PAD]", b"\xc4\xa0 PAD", *BYTES, b"he", END.encode(), b"hell", b"ll", b"bos"],
        merges=[(H + 2, E + 2), (L + 2, L + 2), (258, 261)],
        special={"[PAD]": 0, "Ġ PAD": 1, END: 259, "bos": 262},
    )
    write_vocabulary(tmp_path, scattered)
    assert not (tmp_path / "ranks.tiktoken").exists()
    assert read_vocabulary(tmp_path) == scattered
    assert read_vocabulary(tmp_path / "tokenizer.json") == scattered


def test_what_tokenizers_saves_is_read_with_its_ids_and_merges(tmp_path: Path) -> None:
    theirs = trained()
    read = read_vocabulary(saved(tmp_path, theirs))
    assert read.special == {END: 0}
    assert len(read.tokens) == theirs.get_vocab_size() == 360
    assert read.tokens[theirs.token_to_id("Ġthe")] == b" the"
    for number in range(1, 360):
        assert theirs.decode([number]) == read.tokens[number].decode(errors="replace")
    model = json.loads((tmp_path / "tokenizer.json").read_text())["model"]
    merges = [(theirs.token_to_id(a), theirs.token_to_id(b)) for a, b in model["merges"]]
    assert read.merges == merges


@pytest.mark.filterwarnings("ignore:Deprecated in 0.9.0")  # transformers calls tokenizers so
@pytest.mark.parametrize("special_first", [True, False])
def test_hugging_face_libraries_give_the_same_ids_from_what_we_write(
    tmp_path: Path, *, special_first: bool
) -> None:
    theirs = trained(special_first=special_first)
    theirs.add_special_tokens(["[PAD]"])
    original = tmp_path / "original"
    written = tmp_path / "written"
    original.mkdir()
    written.mkdir()
    write_vocabulary(written, read_vocabulary(saved(original, theirs)))
    again = HuggingFace.from_file(str(written / "tokenizer.json"))
    auto = AutoTokenizer.from_pretrained(written)
    fast = GPT2TokenizerFast.from_pretrained(written)
    (written / "tokenizer.json").unlink()
    two_files = GPT2TokenizerFast.from_pretrained(written)
    for text in TEXTS:
        ids = theirs.encode(text).ids
        assert again.encode(text).ids == ids
        assert auto(text)["input_ids"] == fast(text)["input_ids"] == ids
        assert two_files(text)["input_ids"] == ids
        assert auto.decode(ids, skip_special_tokens=True) == theirs.decode(ids)
    assert len(auto) == 361
    assert auto.eos_token_id == auto.bos_token_id == theirs.token_to_id(END)
    assert auto.convert_tokens_to_ids("[PAD]") == 360


def test_tiktoken_gives_the_same_ids_from_the_ranks_we_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")
    theirs = trained(special_first=False)
    write_vocabulary(tmp_path, read_vocabulary(saved(tmp_path, theirs)))
    ranks = load_tiktoken_bpe(str(tmp_path / "ranks.tiktoken"))
    encoding = tiktoken.Encoding(
        "ours", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={END: len(ranks)}
    )
    for text in TEXTS:
        assert encoding.encode(text, allowed_special="all") == theirs.encode(text).ids
    assert read_vocabulary(tmp_path / "ranks.tiktoken") == read_vocabulary(tmp_path)


def test_ranks_that_tiktoken_would_take_otherwise_are_not_written(tmp_path: Path) -> None:
    # Merging "hello" makes "he", "ll", "o": "lo" comes too late, and "hello" is never reached.
    unreachable = Vocabulary(
        tokens=[*BYTES, b"he", b"ll", b"lo", b"hel", b"hello", END.encode()],
        merges=[(H, E), (L, L), (L, BYTES.index(b"o")), (256, L), (259, 258)],
        special={END: 261},
    )
    (tmp_path / "ranks.tiktoken").write_text("of a vocabulary that was here before")
    (tmp_path / "merge_counts.txt").write_text("1\n")
    write_vocabulary(tmp_path, unreachable)
    assert read_vocabulary(tmp_path) == unreachable
    assert not (tmp_path / "ranks.tiktoken").exists()
    assert not (tmp_path / "merge_counts.txt").exists()


def test_two_merges_that_make_the_same_token_are_read_as_tokenizers_reads_them(
    tmp_path: Path,
) -> None:
    twice = Vocabulary(
        tokens=[*BYTES, b"he", b"el", b"hel", END.encode()],
        merges=[(H, E), (E, L), (256, L), (H, 257)],
        special={END: 259},
    )
    write_vocabulary(tmp_path, twice)
    assert not (tmp_path / "ranks.tiktoken").exists()
    assert read_vocabulary(tmp_path) == read_vocabulary(tmp_path / "tokenizer.json") == twice
    assert HuggingFace.from_file(str(tmp_path / "tokenizer.json")).encode("hel").ids == [258]


@pytest.mark.real
def test_gpt2s_merges_come_back_from_its_ranks_exactly(real_data: Path, tmp_path: Path) -> None:
    gpt2 = read_vocabulary(real_data / "vocab")
    assert (len(gpt2.tokens), len(gpt2.merges), gpt2.special) == (50257, 50000, {END: 50256})
    write_vocabulary(tmp_path, gpt2)
    assert read_vocabulary(tmp_path / "ranks.tiktoken") == gpt2
    assert read_vocabulary(tmp_path / "tokenizer.json") == gpt2
    merges = (real_data / "vocab" / "vocab.bpe").read_text(encoding="utf-8")
    assert (tmp_path / "merges.txt").read_text(encoding="utf-8") == merges


# Folders as Hugging Face users have them.


def test_a_fine_tuned_folder_of_transformers_is_read_with_its_pad_token(tmp_path: Path) -> None:
    theirs = GPT2TokenizerFast.from_pretrained(hello(tmp_path))
    theirs.add_special_tokens({"pad_token": "[PAD]"})
    (tmp_path / "new").mkdir()
    theirs.save_pretrained(tmp_path / "new")
    read = read_vocabulary(tmp_path / "new")
    assert read.special == {END: 260, "[PAD]": 261}
    assert read.merges == HELLO.merges


def test_added_tokens_of_an_old_folder_are_special(tmp_path: Path) -> None:
    gpt2_files(tmp_path)
    (tmp_path / "added_tokens.json").write_text('{"[PAD]": 261, "sep": 262}')
    (tmp_path / "special_tokens_map.json").write_text(
        '{"eos_token": {"content": "<|endoftext|>", "lstrip": false}, "pad_token": "[PAD]",'
        ' "additional_special_tokens": ["sep"], "mask_token": null}'
    )
    assert read_vocabulary(tmp_path).special == {END: 260, "[PAD]": 261, "sep": 262}


def test_added_tokens_of_tokenizer_config_are_special(tmp_path: Path) -> None:
    gpt2_files(tmp_path)
    (tmp_path / "added_tokens.json").write_text('{"left over": 9}')
    (tmp_path / "tokenizer_config.json").write_text(
        '{"added_tokens_decoder": {"260": {"content": "<|endoftext|>", "special": true},'
        ' "261": {"content": "pad", "normalized": true, "special": true}}}'
    )
    assert read_vocabulary(tmp_path).special == {END: 260, "pad": 261}


def test_an_added_token_that_is_not_special_is_refused(tmp_path: Path) -> None:
    gpt2_files(tmp_path)
    (tmp_path / "added_tokens.json").write_text('{"wellread": 261}')
    with pytest.raises(InputError, match=r"added_tokens\.json: added token 'wellread' is not spe"):
        read_vocabulary(tmp_path)


def test_an_added_token_with_two_ids_is_refused(tmp_path: Path) -> None:
    gpt2_files(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text(
        '{"added_tokens_decoder": {"261": {"content": "<|endoftext|>", "special": true}}}'
    )
    with pytest.raises(InputError, match=r"'<\|endoftext\|>' has id 261, but 260 in the vocab"):
        read_vocabulary(tmp_path)


@pytest.mark.parametrize("key", ["add_prefix_space", "add_bos_token"])
def test_a_tokenizer_config_that_changes_ids_is_refused(tmp_path: Path, key: str) -> None:
    gpt2_files(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({key: True}))
    with pytest.raises(InputError, match=rf"tokenizer_config\.json: {key} is true"):
        read_vocabulary(tmp_path)


# tokenizer.json: what gives the same ids is read, what does not is refused.


def test_merges_are_read_as_strings_and_as_pairs(tmp_path: Path) -> None:
    path = hello(tmp_path) / "tokenizer.json"
    assert '"merges":["h e","l l","he ll","hell o"]' in path.read_text()
    assert read_vocabulary(path) == UNCOUNTED
    pairs = [["h", "e"], ["l", "l"], ["he", "ll"], ["hell", "o"]]
    change_json(path, lambda content: content["model"].update(merges=pairs))
    assert read_vocabulary(path) == UNCOUNTED


@pytest.mark.parametrize(
    "pattern",
    [
        PATTERN,
        r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    ],
)
def test_gpt2s_pattern_as_a_split_of_its_own_is_read(tmp_path: Path, pattern: str) -> None:
    theirs = trained()
    ids = [theirs.encode(text).ids for text in TEXTS]
    expected = read_vocabulary(saved(tmp_path, theirs))
    theirs.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    assert [theirs.encode(text).ids for text in TEXTS] == ids
    assert read_vocabulary(saved(tmp_path, theirs)) == expected


def test_settings_without_effect_on_ids_are_read(tmp_path: Path) -> None:
    theirs = trained()
    ids = [theirs.encode(text).ids for text in TEXTS]
    expected = read_vocabulary(saved(tmp_path, theirs))
    theirs.model.unk_token = END
    theirs.model.fuse_unk = True
    theirs.model.byte_fallback = True
    theirs.model.ignore_merges = True
    theirs.model.end_of_word_suffix = ""
    theirs.post_processor = processors.TemplateProcessing(single="$A", pair="$A $B")
    assert [theirs.encode(text).ids for text in TEXTS] == ids
    assert read_vocabulary(saved(tmp_path, theirs)) == expected
    theirs.post_processor = processors.ByteLevel(trim_offsets=True)
    theirs.enable_truncation(1024)
    assert read_vocabulary(saved(tmp_path, theirs)) == expected


def lower_case(theirs: HuggingFace) -> None:
    theirs.normalizer = normalizers.Lowercase()


def prefix_space(theirs: HuggingFace) -> None:
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)


def without_pattern(theirs: HuggingFace) -> None:
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)


def other_pattern(theirs: HuggingFace) -> None:
    theirs.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\p{N}{1,3}|\S+|\s+"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def end_of_text_around(theirs: HuggingFace) -> None:
    theirs.post_processor = processors.TemplateProcessing(
        single=f"{END} $A", special_tokens=[(END, 0)]
    )


def dropout(theirs: HuggingFace) -> None:
    theirs.model.dropout = 0.1


def suffix(theirs: HuggingFace) -> None:
    theirs.model.end_of_word_suffix = "</w>"


def prefix(theirs: HuggingFace) -> None:
    theirs.model.continuing_subword_prefix = "##"


def plain_added(theirs: HuggingFace) -> None:
    theirs.add_tokens(["wellread"])


def stripping(theirs: HuggingFace) -> None:
    theirs.add_special_tokens([AddedToken("<mask>", lstrip=True)])


def whole_words(theirs: HuggingFace) -> None:
    theirs.add_special_tokens([AddedToken("<mask>", single_word=True)])


def ordinary_as_special(theirs: HuggingFace) -> None:
    theirs.add_special_tokens(["!"])


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (lower_case, "has a normalizer, {'type': 'Lowercase'}"),
        (prefix_space, "pre_tokenizer.add_prefix_space is true"),
        (without_pattern, "expected ByteLevel with GPT-2's pattern"),
        (other_pattern, "expected ByteLevel with GPT-2's pattern"),
        (end_of_text_around, "which adds tokens to each text"),
        (dropout, r"model.dropout is 0\.1\d*, which changes ids; expected None or 0"),
        (suffix, "model.end_of_word_suffix is '</w>', which changes ids"),
        (prefix, "model.continuing_subword_prefix is '##', which changes ids"),
        (plain_added, "added token 'wellread' is not special"),
        (stripping, "added token '<mask>' has lstrip"),
        (whole_words, "added token '<mask>' has single_word"),
        (ordinary_as_special, "'!' is declared special, but is also an ordinary token"),
    ],
)
def test_a_setting_that_changes_ids_is_refused_by_name(
    tmp_path: Path, setting: Callable[[HuggingFace], None], message: str
) -> None:
    theirs = trained()
    setting(theirs)
    with pytest.raises(InputError, match=rf"tokenizer\.json: .*{message}"):
        read_vocabulary(saved(tmp_path, theirs))


def test_ignored_merges_are_refused_where_they_matter(tmp_path: Path) -> None:
    unreachable = Vocabulary(
        tokens=[*BYTES, b"ll", b"el", b"ell", END.encode()],
        merges=[(L, L), (E, L), (257, L)],
        special={END: 259},
    )
    write_vocabulary(tmp_path, unreachable)
    path = tmp_path / "tokenizer.json"
    assert HuggingFace.from_file(str(path)).encode("ell").ids == [E, 256]
    change_json(path, lambda content: content["model"].update(ignore_merges=True))
    assert HuggingFace.from_file(str(path)).encode("ell").ids == [258]
    with pytest.raises(InputError, match=r"model\.ignore_merges is true"):
        read_vocabulary(path)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda c: c.update(model={"type": "Unigram", "vocab": []}), "model is Unigram"),
        (lambda c: c.pop("model"), "model is None; expected BPE"),
        (lambda c: c["model"].update(type="WordPiece"), "model.type is 'WordPiece'"),
        (lambda c: c["model"].update(brand_new=1), "model.brand_new is 1, .* expected no such key"),
        (lambda c: c["model"]["merges"].append("h"), r"model.merges\[4\] is 'h'; expected two"),
        (lambda c: c["model"]["merges"].append(["h", 1]), r"model.merges\[4\] is \['h', 1\]"),
        (lambda c: c["model"]["merges"].append("h q"), r"model.merges\[4\]: merge 'h q': its res"),
        (lambda c: c["model"]["merges"].append("h e"), r"merges\[4\]: .*first at .*merges\[0\]"),
        (lambda c: c["model"]["merges"].pop(), "token 'hello' with id 259: no merge makes it"),
        (lambda c: c["model"]["vocab"].update(hello="x"), "found \\('hello', 'x'\\); expected"),
        (lambda c: c["model"]["vocab"].update(hello=True), "found \\('hello', True\\); expected"),
        (lambda c: c["added_tokens"].append({"content": 7}), "Expected `str`, got `int`"),
        (lambda c: c["added_tokens"].append({"content": "x", "special": True}), "'x' has no id"),
    ],
)
def test_a_damaged_tokenizer_json_is_refused_with_the_key(
    tmp_path: Path, edit: Callable[[Any], object], message: str
) -> None:
    path = hello(tmp_path) / "tokenizer.json"
    change_json(path, edit)
    with pytest.raises(InputError, match=rf"tokenizer\.json: .*{message}"):
        read_vocabulary(path)


# vocab.json and merges.txt, damaged.


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"hello":259', '"hello":258', "id 258 is that of 'hell' and of 'hello'"),
        ('"<|endoftext|>":260', '"<|endoftext|>":261', "261 tokens and none with id 260"),
        ('"hello":259', '"hello":-1', "261 tokens and none with id 259"),
        ('"hello":259', '"hello":"259"', r"found \('hello', '259'\); expected .* a whole number"),
        ('"hello":259', '"hello":259.0', r"found \('hello', 259.0\)"),
        ('"hello":259', '"hello":259,"hello":259', "key 'hello' is there twice"),
        ('"!":0', '"\\u2603!":0', "byte 33 has no token, expected '!'"),
        ('"<|endoftext|>":260', '"\\u2603":260', "'☃' with id 260: it has '☃', which stands"),
        ('"<|endoftext|>":260', '"<|end|>":260', r"no token <\|endoftext\|>"),
        ('"<|endoftext|>":260', '"<|endoftext|>":260,"Ġhe":261', "token 'Ġhe' with id 261: no mer"),
        ('"<|endoftext|>":260', '"<|endoftext|>":260,"a-\\ud800":261', r"'a-\\ud800' .* is no tex"),
        ('"hello":259', '"hullo":259', r"merges\.txt:5: merge 'hell o': its result 'hello' is not"),
    ],
)
def test_a_damaged_vocab_json_is_refused_with_the_reason(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    change(gpt2_files(tmp_path) / "vocab.json", old, new)
    with pytest.raises(InputError, match=message):
        read_vocabulary(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"vocab\.json: the file is empty"),
        (b" \n", r"vocab\.json: the file is empty"),
        (b"{}", r"vocab\.json: found 'no token at all'"),
        (b"[1]", r"vocab\.json: has a list; expected an object"),
        (b'{"!": 0,\n"a": ', r"vocab\.json:2: not JSON \(Expecting value, column 6\)"),
        (b'{"!": ' + b"9" * 5000 + b"}", r"vocab\.json: not JSON as any tokenizer writes it"),
        (b"[" * 100_000, r"vocab\.json: not JSON as any tokenizer writes it"),
        (b'{"!": 0,\n\n"\xff": 1}', r"vocab\.json:3: not UTF-8 \(invalid start byte\)"),
    ],
)
def test_a_vocab_json_that_is_no_json_object_is_refused(
    tmp_path: Path, content: bytes, message: str
) -> None:
    (gpt2_files(tmp_path) / "vocab.json").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_vocabulary(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        ("h e\nl l\nhe ll\nhell  o\n", ":4: found 'hell  o'; expected two tokens with a space"),
        ("h e\nl l\n\nhe ll\nhell o\n", ":3: found ''; expected two tokens"),
        ("h e\nl l\nhe ll\nhell \n", ":4: merge 'hell ': its part '' is not in the vocabulary"),
        ("h e\nl l\nhe ll\nqqq o\n", ":4: merge 'qqq o': its part 'qqq' is not in the vocabulary"),
        ("h e\nhe ll\nl l\nhell o\n", ":2: merge 'he ll': its part 'll' is no byte and made by no"),
        ("h e\nl l\nhe ll\nhell o\nh e\n", ":5: merge 'h e' is there twice, first at .*txt:1;"),
        ("h e\nl l\nhe ll\nhell o\no h\n", ":5: merge 'o h': its result 'oh' is not in the vocab"),
        ("h e\nl l\nhe ll\nhell", ":4: found 'hell'; expected two tokens"),
        ("<|endoftext|> h\n", r":1: .*its part '<\|endoftext\|>' is no byte and made by no"),
    ],
)
def test_a_damaged_merges_txt_is_refused_with_the_line(
    tmp_path: Path, content: str, message: str
) -> None:
    (gpt2_files(tmp_path) / "merges.txt").write_text(content)
    with pytest.raises(InputError, match=rf"merges\.txt{message}" if content else message):
        read_vocabulary(tmp_path)


@pytest.mark.parametrize("num_bytes", range(15, 40))
def test_a_merges_txt_cut_anywhere_is_refused(tmp_path: Path, num_bytes: int) -> None:
    path = gpt2_files(tmp_path) / "merges.txt"
    content = path.read_bytes()
    whole = len(content) - 1  # without the last newline nothing is lost
    path.write_bytes(content[:num_bytes])
    if num_bytes >= whole:
        assert read_vocabulary(tmp_path) == UNCOUNTED
    else:
        with pytest.raises(
            InputError, match=r"(vocab\.json|merges\.txt).*(no merge|expected|part|result)"
        ):
            read_vocabulary(tmp_path)


def test_windows_line_ends_and_byte_order_marks_are_read(tmp_path: Path) -> None:
    gpt2_files(tmp_path)
    mark = b"\xef\xbb\xbf"
    for name in ("vocab.json", "merges.txt"):
        content = (tmp_path / name).read_bytes().replace(b"\n", b"\r\n")
        (tmp_path / name).write_bytes(mark + content)
    assert read_vocabulary(tmp_path) == UNCOUNTED


def test_a_merges_txt_without_its_header_is_read(tmp_path: Path) -> None:
    change(gpt2_files(tmp_path) / "merges.txt", "#version: 0.2\n", "")
    assert read_vocabulary(tmp_path) == UNCOUNTED


def test_a_vocabulary_of_another_pattern_is_refused(tmp_path: Path) -> None:
    other = Vocabulary(
        tokens=[*BYTES, b".h", END.encode()],
        merges=[(BYTES.index(b"."), H)],
        special={END: 257},
    )
    write_vocabulary(tmp_path, other)
    for name in ("", "ranks.tiktoken", "tokenizer.json"):
        with pytest.raises(InputError, match=r"token '\.h' is more than one piece under GPT-2's"):
            read_vocabulary(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("9\n7\n7\n", r"merge_counts\.txt: has 3 counts for the 4 merges of merges\.txt"),
        ("9\n7\n7\n5", r"merge_counts\.txt: the last line has no end, so the file was cut"),
        ("9\n7\nx\n5\n", r"merge_counts\.txt:3: found 'x'; expected a whole number"),
        ("9\n-7\n7\n5\n", r"merge_counts\.txt:2: found '-7'"),
    ],
)
def test_damaged_merge_counts_are_refused(tmp_path: Path, content: str, message: str) -> None:
    (hello(tmp_path) / "merge_counts.txt").write_text(content)
    with pytest.raises(InputError, match=message):
        read_vocabulary(tmp_path)


# Ranks, damaged.


def line(token: bytes, rank: int) -> str:
    return f"{base64.b64encode(token).decode()} {rank}\n"


LAST = line(b"hello", 259)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (line(b"he", 256), "aGU 256\n", r":257: 'aGU' is not base64 \(Incorrect padding\)"),
        (line(b"he", 256), "a*U= 256\n", r":257: 'a\*U=' is not base64"),
        (line(b"he", 256), "aGU= \n", ":257: found 'aGU= '; expected a token in base64, a space"),
        (line(b"he", 256), "aGU=256\n", ":257: found 'aGU=256'"),
        (line(b"he", 256), "\n", ":257: found ''"),
        (line(b"he", 256), "aGU= -1\n", ":257: found 'aGU= -1'"),
        (line(b"he", 256), "", ": 259 tokens and none with rank 256"),
        (LAST, line(b"hello", 300), ": 260 tokens and none with rank 259"),
        (LAST, line(b"hello", 25), ":260: b'hello' with rank 25 is at odds with line 26"),
        (LAST, line(b"hell", 259), ":260: b'hell' with rank 259 is at odds with line 259"),
        (LAST, line(b"hell", 258), ":260: b'hell' with rank 258 is at odds with line 259"),
        (LAST, line(b"help!", 259), r":260: token b'help!' is not two .* but 4: \[b'he'"),
        (line(b"!", 0), line(b"!!", 0), ": byte 33 has no token"),
        (LAST, "\xff 259\n", r":260: .*is not base64"),
    ],
)
def test_damaged_ranks_are_refused_with_the_line(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = hello(tmp_path) / "ranks.tiktoken"
    change(path, old, new)
    with pytest.raises(InputError, match=rf"ranks\.tiktoken{message}"):
        read_vocabulary(path)


def test_ranks_in_another_order_and_with_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = hello(tmp_path) / "ranks.tiktoken"
    path.write_bytes(b"".join(row + b"\r\n" for row in reversed(path.read_bytes().splitlines())))
    assert read_vocabulary(path) == UNCOUNTED


# Anything else that may happen to a file.


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(["vocab.json", "merges.txt", "tokenizer.json", "ranks.tiktoken"]),
    place=st.floats(0, 1),
    length=st.integers(0, 40),
    instead=st.binary(max_size=4)
    | st.sampled_from([b" ", b"\n", b'"', b"null", b"[]", b"{}", b"0"]),
)
def test_a_file_with_a_hole_is_read_or_refused_in_a_sentence(
    name: str, place: float, length: int, instead: bytes
) -> None:
    with TemporaryDirectory() as folder:
        path = hello(Path(folder)) / name
        content = path.read_bytes()
        start = int(place * len(content))
        path.write_bytes(content[:start] + instead + content[start + length :])
        with suppress(InputError):
            read = read_vocabulary(path)
            assert len(read.tokens) == 256 + len(read.merges) + len(read.special)


# Paths.


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "no tokenizer here; expected vocab.json with merges.txt"),
        (["vocab.json"], "no tokenizer here; found vocab.json alone"),
        (["a.tiktoken", "b.tiktoken"], "2 files of ranks, a.tiktoken and b.tiktoken among them"),
    ],
)
def test_a_folder_without_one_vocabulary_is_refused(
    tmp_path: Path, names: list[str], message: str
) -> None:
    for name in names:
        (tmp_path / name).write_text("{}")
    with pytest.raises(InputError, match=message):
        read_vocabulary(tmp_path)


def test_a_path_that_is_no_vocabulary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere: there is no such file or folder"):
        read_vocabulary(tmp_path / "nowhere")
    (tmp_path / "model.bin").write_bytes(b"")
    with pytest.raises(InputError, match=r"model\.bin: no file of a vocabulary; expected a folder"):
        read_vocabulary(tmp_path / "model.bin")
    (tmp_path / "vocab.json").write_text("{}")
    with pytest.raises(InputError, match=r"merges\.txt: there is no such file"):
        read_vocabulary(tmp_path / "vocab.json")


def test_two_tokens_of_the_same_writing_are_not_written(tmp_path: Path) -> None:
    clash = Vocabulary(
        tokens=[*BYTES, b" h", "Ġh".encode(), END.encode()],
        merges=[(220, H)],
        special={"Ġh": 257, END: 258},
    )
    with pytest.raises(InputError, match="two tokens would be written 'Ġh'"):
        write_vocabulary(tmp_path, clash)
