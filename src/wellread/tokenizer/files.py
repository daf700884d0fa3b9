"""Vocabulary files: which of a folder are read, and what is written."""

from pathlib import Path

from wellread.base.errors import InputError, WrongArtifact
from wellread.base.files import write_bytes
from wellread.base.manifest import is_artifact, other_artifact, read_manifest
from wellread.base.suggest import no_such
from wellread.tokenizer.alphabet import to_printable
from wellread.tokenizer.gpt2_files import (
    COUNTS,
    NAMES,
    merge_counts_txt,
    merges_txt,
    read_gpt2_files,
    vocab_json,
)
from wellread.tokenizer.hugging_face import (
    read_tokenizer_json,
    tokenizer_config_json,
    tokenizer_json,
)
from wellread.tokenizer.ranks import ranks_of, read_ranks
from wellread.tokenizer.vocabulary import Vocabulary

STAGES = ("tokenizer",)  # that make one
RANKS = "ranks.tiktoken"
KINDS = "vocab.json with merges.txt, encoder.json with vocab.bpe, tokenizer.json or *.tiktoken"


def read_vocabulary(path: Path) -> Vocabulary:
    """The vocabulary of a folder or a file.

    In a folder the first of these that is there counts, whatever the others say: vocab.json with
    merges.txt, encoder.json with vocab.bpe, tokenizer.json, the only file `*.tiktoken`. Of files
    that belong together either may be named, also with something before its usual name.
    """
    if path.is_dir():
        return _read_folder(path)
    if not path.exists():
        raise no_such(path, KINDS)
    for names in NAMES:
        for name in names:
            if path.name.endswith(name):
                beginning = path.name.removesuffix(name)
                vocab, merges = (path.with_name(beginning + other) for other in names)
                return read_gpt2_files(vocab, merges)
    if path.suffix == ".json":
        return read_tokenizer_json(path)
    if path.suffix == ".tiktoken":
        return read_ranks(path)
    raise InputError(f"{path}: no file of a vocabulary; expected a folder, or {KINDS}")


def _read_folder(directory: Path) -> Vocabulary:
    for vocab, merges in NAMES:
        if (directory / vocab).is_file() and (directory / merges).is_file():
            return read_gpt2_files(directory / vocab, directory / merges)
    if (directory / "tokenizer.json").is_file():
        return read_tokenizer_json(directory / "tokenizer.json")
    ranks = sorted(directory.glob("*.tiktoken"))
    if len(ranks) > 1:
        raise InputError(
            f"{directory}: {len(ranks)} files of ranks, {ranks[0].name} and {ranks[1].name} among "
            "them; name the one to read"
        )
    if ranks:
        return read_ranks(ranks[0])
    if (directory / "tokenizer").is_dir():  # of a run, or of tokens
        return _read_folder(directory / "tokenizer")
    halves = [name for names in NAMES for name in names if (directory / name).is_file()]
    found = f"; found {halves[0]} alone" if halves else ""
    if is_artifact(directory):
        raise other_artifact(directory, read_manifest(directory).stage, STAGES, "a vocabulary")
    sentence = f"{directory}: no tokenizer here{found}; expected {KINDS}"
    raise WrongArtifact(sentence, directory, None, STAGES)


def write_vocabulary(directory: Path, vocabulary: Vocabulary, *, with_ranks: bool = True) -> None:
    """Write the vocabulary to an existing folder in every format that can hold it.

    `vocab.json` and `merges.txt` for GPT-2's programs, `tokenizer.json` and
    `tokenizer_config.json` for Hugging Face's, and `ranks.tiktoken` for tiktoken, but only if its
    ids would be the same there (see `ranks_of`), which takes longer to find out than all the
    rest: not if not `with_ranks`. `merge_counts.txt`, a count a line in the order
    of merges, if the counts are known. A file of the last two names that does not belong to this
    vocabulary is removed.
    """
    special = {number: text for text, number in vocabulary.special.items()}
    texts = [
        special[number] if number in special else to_printable(token)
        for number, token in enumerate(vocabulary.tokens)
    ]
    vocab = {text: number for number, text in enumerate(texts)}
    if len(vocab) < len(texts):
        twice = next(text for number, text in enumerate(texts) if vocab[text] != number)
        raise InputError(f"{directory}: two tokens would be written {twice!r}; rename the special")
    merges = [f"{texts[left]} {texts[right]}" for left, right in vocabulary.merges]
    counts = vocabulary.merge_counts
    contents = {
        "vocab.json": vocab_json(vocab),
        "merges.txt": merges_txt(merges),
        "tokenizer.json": tokenizer_json(vocab, merges, vocabulary),
        "tokenizer_config.json": tokenizer_config_json(vocabulary),
        RANKS: ranks_of(vocabulary) if with_ranks else None,
        COUNTS: merge_counts_txt(counts) if counts else None,
    }
    for name, content in contents.items():
        if content is None:
            (directory / name).unlink(missing_ok=True)
        else:
            write_bytes(directory / name, content)
