"""Dumps: files of one JSON record a line, compressed or not, read as a stream and only once."""

from collections.abc import Sequence
from pathlib import Path

from wellread.base.errors import InputError
from wellread.base.files import STDIN, input_files
from wellread.formats.compressed import DECOMPRESSORS

COMMENTS = "RC_"  # how the archives name dumps of comments, RS_ those of submissions
PLAIN = (".ndjson", ".jsonl")
# A folder may hold other JSON beside the dumps, so `.json` is read only when named.
SUFFIXES = (*DECOMPRESSORS, *PLAIN, ".json")


def expand_globs(dumps: Sequence[Path]) -> list[Path]:
    """`dumps` with each pattern (`RS_2015-*.zst`) replaced by the files it matches."""
    found: list[Path] = []
    for path in dumps:
        if path == STDIN or path.exists() or not set("*?[") & set(str(path)):
            found.append(path)
            continue
        root = Path(path.anchor)
        matches = sorted(root.glob(str(path.relative_to(root))))
        if not matches:
            raise InputError(f"{path}: no file matches this pattern; name dumps of submissions")
        found += matches
    return found


def dump_files(dumps: Sequence[Path]) -> list[Path]:
    """The files meant by `dumps` (files or folders; or `-` alone), each once, in order of name."""
    suffixes = (*DECOMPRESSORS, *PLAIN)
    if STDIN in dumps:
        if len(dumps) > 1:
            raise InputError("-: standard input is a dump of its own; name no others beside it")
        return [STDIN]
    paths = input_files(dumps, suffixes=suffixes, what="dumps of submissions", only_files=False)
    unique = {path.resolve(): path for path in paths if not path.is_dir()}
    for path in unique.values():
        if not path.is_file():
            raise InputError(f"{path}: no regular file, or a link to nothing; take it away")
        if path.name.startswith(COMMENTS):
            raise InputError(f"{path}: a dump of comments by its name; name submissions, RS_...")
        if path.suffix and path.suffix not in SUFFIXES:
            raise InputError(
                f"{path}: cannot tell how to read it; a dump's name ends in {', '.join(SUFFIXES)}"
            )
    return sorted(unique.values(), key=lambda path: (path.name, str(path)))
