"""Hugging Face's `tokenizer.json` and the small files beside it, in and out."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from wellread.base.errors import InputError
from wellread.tokenizer.alphabet import PATTERN
from wellread.tokenizer.assemble import Merges, assemble
from wellread.tokenizer.ranks import merges_follow_from_tokens
from wellread.tokenizer.strict import read_json
from wellread.tokenizer.vocabulary import END_OF_TEXT, Vocabulary

# GPT-2's own, and as tiktoken has written it, which is found in files converted from there.
PATTERNS = (
    PATTERN,
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
)
# What each setting of a BPE model may be. Where every byte has a token, nothing is unknown: the
# settings for unknown characters cannot come to bear, whatever they are.
MODEL: dict[str, tuple[object, ...]] = {
    "type": ("BPE",),
    "dropout": (None, 0),
    "continuing_subword_prefix": (None, ""),
    "end_of_word_suffix": (None, ""),
    "ignore_merges": (False, True),
}
T = TypeVar("T")
ANY_VALUE = {"unk_token", "fuse_unk", "byte_fallback", "vocab", "merges"}


class AddedToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token that is found in a text before it is split."""

    content: str
    id: int | None = None  # in tokenizer_config.json the key beside it
    special: bool = False
    single_word: bool = False
    lstrip: bool = False
    rstrip: bool = False
    # `normalized`, which is there too, is without effect where there is no normalizer.


Named = str | AddedToken | list[str | AddedToken] | None  # in special_tokens_map.json


def read_tokenizer_json(path: Path) -> Vocabulary:
    """The vocabulary of a `tokenizer.json`, refused if it would give ids other than GPT-2's scheme.

    Its settings `truncation` and `padding` are not looked at; they belong to one call.
    """
    found = read_json(path)
    model = _check_model(path, found.get("model"))
    if found.get("normalizer") is not None:
        raise InputError(
            f"{path}: has a normalizer, {found['normalizer']}; GPT-2's scheme has none"
        )
    _check_split(path, found.get("pre_tokenizer"))
    _check_post_processor(path, found.get("post_processor"))
    listed = _convert(path, found.get("added_tokens", []), list[AddedToken])
    added = _check_added(path, ((token.id, token) for token in listed))
    ids = with_added(path, model["vocab"], added)
    merges = _merges(path, model["merges"])
    vocabulary = assemble(
        path, ids, merges, where=lambda n: f"{path}: model.merges[{n}]", special=added
    )
    if model.get("ignore_merges") and not merges_follow_from_tokens(vocabulary):
        raise InputError(
            f"{path}: model.ignore_merges is true and some token is not what its merges make, so "
            "ids would differ; GPT-2's scheme has merges only"
        )
    return vocabulary


def _check_split(path: Path, split: Any) -> None:
    match split:
        case {"type": "ByteLevel", "add_prefix_space": False} if split.get("use_regex", True):
            return
        case {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated"} as first,
                {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False},
            ],
        } if pattern in PATTERNS and not first.get("invert"):
            return
        case {"type": "ByteLevel", "add_prefix_space": True}:
            raise InputError(
                f"{path}: pre_tokenizer.add_prefix_space is true: a space before each text changes "
                "its ids, and GPT-2's scheme adds none"
            )
    raise InputError(
        f"{path}: pre_tokenizer is {split}; expected ByteLevel with GPT-2's pattern (use_regex) "
        "and without add_prefix_space"
    )


def _check_post_processor(path: Path, processor: Any) -> None:
    """Refuse what puts tokens around a text; the frame of nothing, which is often there, is not."""
    match processor:
        case None | {"type": "ByteLevel"}:
            return
        case {"type": "TemplateProcessing", "single": [{"Sequence": _}]}:
            return
    raise InputError(
        f"{path}: post_processor is {processor}, which adds tokens to each text; GPT-2's scheme "
        "adds none"
    )


def _check_model(path: Path, model: Any) -> Mapping[str, Any]:
    match model:
        case {"vocab": dict(), "merges": list()}:
            pass
        case _:
            if isinstance(model, dict) and model.get("type") in (None, "BPE"):
                key = "merges" if isinstance(model.get("vocab"), dict) else "vocab"
                raise InputError(f"{path}: model has no {key}; expected BPE with vocab and merges")
            kind = model.get("type") if isinstance(model, dict) else model
            raise InputError(f"{path}: model is {kind}; expected BPE with vocab and merges")
    for key, value in model.items():
        if key not in ANY_VALUE and value not in MODEL.get(key, ()):
            expected = " or ".join(map(repr, MODEL[key])) if key in MODEL else "no such key"
            raise InputError(
                f"{path}: model.{key} is {value!r}, which changes ids; expected {expected}, as in "
                "GPT-2's scheme"
            )
    checked: Mapping[str, Any] = model
    return checked


def _check_added(path: Path, added: Iterable[tuple[int | None, AddedToken]]) -> dict[str, int]:
    """Text and id of added tokens; refused if plain text that has them would get other ids here."""
    found: dict[str, int] = {}
    for number, token in added:
        if not token.special:
            raise InputError(
                f"{path}: added token {token.content!r} is not special, so it is cut out of every "
                "text; GPT-2's scheme has bytes, merges and special tokens only"
            )
        for flag in ("single_word", "lstrip", "rstrip"):
            if getattr(token, flag):
                raise InputError(
                    f"{path}: added token {token.content!r} has {flag}; GPT-2's scheme takes "
                    "special tokens as they stand"
                )
        if number is None or found.setdefault(token.content, number) != number:
            raise InputError(f"{path}: added token {token.content!r} has no id, or two")
    return found


def _convert(path: Path, value: Any, kind: type[T]) -> T:
    try:
        return msgspec.convert(value, kind, str_keys=True)
    except msgspec.ValidationError as error:
        raise InputError(f"{path}: added tokens are not as expected ({error})") from None


def _merges(path: Path, merges: Sequence[Any]) -> Merges:
    """From the forms "a b" and, since tokenizers 0.20, ["a", "b"]."""
    left, right = [], []
    for number, merge in enumerate(merges):
        match merge.split(" ") if isinstance(merge, str) else merge:
            case [str(first), str(second)]:
                left.append(first)
                right.append(second)
            case _:
                raise InputError(
                    f"{path}: model.merges[{number}] is {merge!r}; expected two tokens"
                )
    return Merges(left, right)


def with_added(path: Path, ids: Mapping[str, int], added: Mapping[str, int]) -> dict[str, int]:
    """`ids` and `added` together; `path` is the file of the latter."""
    for text, number in added.items():
        if ids.get(text, number) != number:
            raise InputError(
                f"{path}: added token {text!r} has id {number}, but {ids[text]} in the vocabulary"
            )
    return {**ids, **added}


def read_added(directory: Path) -> tuple[Path, dict[str, int], set[str]]:
    """The added tokens of a folder with vocab.json: their file, their ids, all special tokens.

    They are in `tokenizer_config.json`; or, as older versions of transformers wrote them, in
    `added_tokens.json` and `special_tokens_map.json`, which are not looked at where the first has
    them.
    """
    path = directory / "tokenizer_config.json"
    config = read_json(path) if path.is_file() else {}
    for key in ("add_prefix_space", "add_bos_token"):
        if config.get(key):
            raise InputError(f"{path}: {key} is true, which changes ids; GPT-2's scheme adds none")
    if "added_tokens_decoder" in config:
        listed = _convert(path, config["added_tokens_decoder"], dict[int, AddedToken])
        added = _check_added(path, listed.items())
        return path, added, set(added)
    path = directory / "special_tokens_map.json"
    named = _convert(path, read_json(path) if path.is_file() else {}, dict[str, Named])
    names = {
        token if isinstance(token, str) else token.content
        for value in named.values()
        if value is not None
        for token in (value if isinstance(value, list) else [value])
    }
    path = directory / "added_tokens.json"
    ids = _convert(path, read_json(path) if path.is_file() else {}, dict[str, int])
    tokens = [(i, AddedToken(content=text, special=text in names)) for text, i in ids.items()]
    return path, _check_added(path, tokens), names


def tokenizer_json(
    vocab: Mapping[str, int], merges: Sequence[str], vocabulary: Vocabulary
) -> bytes:
    """The content of `tokenizer.json`; merges as "a b", which every version of tokenizers reads."""
    byte_level = {
        "type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True
    }  # fmt: skip
    model = {
        "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
        "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
        "vocab": vocab, "merges": merges,
    }  # fmt: skip
    added = [{"id": number, **_added(text)} for text, number in vocabulary.special.items()]
    content = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
        "normalizer": None, "pre_tokenizer": byte_level, "post_processor": byte_level,
        "decoder": byte_level, "model": model,
    }  # fmt: skip
    return msgspec.json.encode(content)


def tokenizer_config_json(vocabulary: Vocabulary) -> bytes:
    """The content of `tokenizer_config.json`, from which transformers knows the class to make."""
    content = {
        "tokenizer_class": "GPT2Tokenizer",
        "bos_token": END_OF_TEXT,
        "eos_token": END_OF_TEXT,
        "unk_token": END_OF_TEXT,
        "add_prefix_space": False,
        "added_tokens_decoder": {n: _added(text) for text, n in vocabulary.special.items()},
    }
    return msgspec.json.encode(content)


def _added(text: str) -> dict[str, object]:
    return {
        "content": text, "single_word": False, "lstrip": False, "rstrip": False,
        "normalized": False, "special": True,
    }  # fmt: skip
