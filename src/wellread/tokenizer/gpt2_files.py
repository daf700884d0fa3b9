"""GPT-2's own two files: vocab.json with the ids and merges.txt with the merges."""

from pathlib import Path

import msgspec

from wellread.base.errors import InputError
from wellread.tokenizer.assemble import Merges, assemble
from wellread.tokenizer.hugging_face import read_added, with_added
from wellread.tokenizer.strict import read_json, read_text
from wellread.tokenizer.vocabulary import Vocabulary

NAMES = (("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe"))
COUNTS = "merge_counts.txt"
HEADER = "#version"


def read_gpt2_files(vocab_path: Path, merges_path: Path) -> Vocabulary:
    """The vocabulary of the two files, with what other files of their folder add to it.

    Those are Hugging Face's lists of added tokens, and `merge_counts.txt`.
    """
    ids = read_json(vocab_path)
    first, merges = _read_merges(merges_path)
    added_path, added, special = read_added(vocab_path.parent)
    vocabulary = assemble(
        vocab_path,
        with_added(added_path, ids, added),
        merges,
        where=lambda number: f"{merges_path}:{first + number}",
        special=special,
    )
    counts_path = merges_path.with_name(COUNTS)
    if not counts_path.is_file():
        return vocabulary
    counts = _read_counts(counts_path)
    if len(counts) != len(vocabulary.merges):
        raise InputError(
            f"{counts_path}: has {len(counts)} counts for the {len(vocabulary.merges)} merges of "
            f"{merges_path.name}; remove it, or put the right one there"
        )
    return msgspec.structs.replace(vocabulary, merge_counts=counts)


def _read_merges(path: Path) -> tuple[int, Merges]:
    """The number of the first merge's line, and the merges.

    A file that was cut short is noticed later, by the tokens that are left without a merge.
    """
    # The header and the newline at the end are no merges: keep either and every rank is off by
    # one (openai/gpt-2, src/encoder.py, get_encoder).
    header, *lines = read_text(path).rstrip("\n").split("\n")
    first = 2
    if not header.startswith(HEADER):
        lines, first = [header, *lines], 1
    for number, line in enumerate(lines, start=first):
        if line.count(" ") != 1:
            raise InputError(
                f"{path}:{number}: found {line!r}; expected two tokens with a space between"
            )
    parts = " ".join(lines).split(" ") if lines else []
    return first, Merges(parts[::2], parts[1::2])


def _read_counts(path: Path) -> list[int]:
    lines = read_text(path).split("\n")
    if lines.pop():
        raise InputError(f"{path}: the last line has no end, so the file was cut; copy it anew")
    for number, line in enumerate(lines, start=1):
        if not (line.isascii() and line.isdigit()):
            raise InputError(f"{path}:{number}: found {line!r}; expected a whole number")
    return [int(line) for line in lines]


def vocab_json(vocab: dict[str, int]) -> bytes:
    return msgspec.json.encode(vocab)


def merges_txt(merges: list[str]) -> bytes:
    return "\n".join([f"{HEADER}: 0.2", *merges, ""]).encode()


def merge_counts_txt(counts: list[int]) -> bytes:
    return "".join(f"{count}\n" for count in counts).encode()
