"""Vocabulary files in and out: vocab.json + merges.txt, and Hugging Face's tokenizer.json."""

from pathlib import Path

import msgspec

from wellread.base.errors import InputError
from wellread.tokenizer.alphabet import from_printable, to_printable
from wellread.tokenizer.vocabulary import END_OF_TEXT, Vocabulary

NAMES = (("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe"))


def find_files(directory: Path) -> tuple[Path, Path]:
    """The vocabulary and the merges in `directory`, under either of their two names."""
    for vocab, merges in NAMES:
        if (directory / vocab).is_file() and (directory / merges).is_file():
            return directory / vocab, directory / merges
    raise InputError(
        f"{directory}: no tokenizer here; expected vocab.json and merges.txt, or encoder.json "
        "and vocab.bpe"
    )


def read_vocabulary(directory: Path) -> Vocabulary:
    """The vocabulary in `directory`."""
    vocab_path, merges_path = find_files(directory)
    try:
        vocab = msgspec.json.decode(vocab_path.read_bytes(), type=dict[str, int])
    except msgspec.DecodeError as error:
        raise InputError(f"{vocab_path}: not a vocabulary ({error})") from None
    if sorted(vocab.values()) != list(range(len(vocab))):
        raise InputError(f"{vocab_path}: ids are not 0 to {len(vocab) - 1} without gap or repeat")
    if vocab.get(END_OF_TEXT) != len(vocab) - 1:
        raise InputError(f"{vocab_path}: {END_OF_TEXT} is not the last id; not GPT-2's scheme")
    tokens = [b""] * len(vocab)
    for text, number in vocab.items():
        tokens[number] = _to_bytes(text, vocab_path)
    merges = _read_merges(merges_path, vocab)
    return Vocabulary(tokens=tokens, merges=merges, special={END_OF_TEXT: len(tokens) - 1})


def _to_bytes(text: str, path: Path) -> bytes:
    if text == END_OF_TEXT:
        return text.encode()
    try:
        return from_printable(text)
    except KeyError as error:
        raise InputError(f"{path}: token {text!r} has {error}, which is no byte") from None


def _read_merges(path: Path, vocab: dict[str, int]) -> list[tuple[int, int]]:
    # The first line is a version header and the file ends with a newline: keep either and every
    # rank is off by one (openai/gpt-2, src/encoder.py, get_encoder).
    lines = path.read_text(encoding="utf-8").split("\n")
    first = 1 if lines[0].startswith("#version") else 0
    merges = []
    for number, line in enumerate(lines[first:-1], start=first + 1):
        left, space, right = line.partition(" ")
        missing = [part for part in (left, right, left + right) if part not in vocab]
        if not space or missing:
            raise InputError(
                f"{path}:{number}: merge {line!r} needs {missing}, not in the vocabulary"
            )
        merges.append((vocab[left], vocab[right]))
    return merges


def write_vocabulary(directory: Path, vocabulary: Vocabulary) -> None:
    """Write vocab.json, merges.txt, tokenizer.json and tokenizer_config.json."""
    texts = [to_printable(token) for token in vocabulary.tokens[:-1]] + [END_OF_TEXT]
    vocab = {text: number for number, text in enumerate(texts)}
    lines = [f"{texts[left]} {texts[right]}" for left, right in vocabulary.merges]
    (directory / "vocab.json").write_bytes(msgspec.json.encode(vocab))
    text = "\n".join(["#version: 0.2", *lines, ""])
    (directory / "merges.txt").write_text(text, encoding="utf-8", newline="\n")
    (directory / "tokenizer.json").write_bytes(msgspec.json.encode(_tokenizer_json(vocab, lines)))
    config = {
        "tokenizer_class": "GPT2Tokenizer",
        "bos_token": END_OF_TEXT,
        "eos_token": END_OF_TEXT,
        "unk_token": END_OF_TEXT,
        "add_prefix_space": False,
    }
    (directory / "tokenizer_config.json").write_bytes(msgspec.json.encode(config))


def _tokenizer_json(vocab: dict[str, int], merges: list[str]) -> dict[str, object]:
    byte_level = {
        "type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True
    }  # fmt: skip
    special = {
        "id": vocab[END_OF_TEXT], "content": END_OF_TEXT, "single_word": False, "lstrip": False,
        "rstrip": False, "normalized": False, "special": True,
    }  # fmt: skip
    model = {
        "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
        "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
        "vocab": vocab, "merges": merges,
    }  # fmt: skip
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [special],
        "normalizer": None, "pre_tokenizer": byte_level, "post_processor": byte_level,
        "decoder": byte_level, "model": model,
    }  # fmt: skip
