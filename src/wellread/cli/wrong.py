"""What to do where a folder is not what a command takes: the one that is, or how it is made."""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from wellread.base.errors import WellreadError, WrongArtifact
from wellread.base.manifest import is_artifact, read_manifest

MOST = 3  # folders named
# stage -> how a command's words call what it makes
NAMES = {
    "links": "LINKS",
    "crawl": "PAGES",
    "corpus": "CORPUS",
    "plant": "CORPUS",
    "tokenizer": "TOKENIZER",
    "tokens": "TOKENS",
    "train": "RUN",
    "import": "RUN",
    "export": "RUN",
    "evaluate": "RESULTS",
    "overlap-index": "INDEX",
    "overlap": "OVERLAP",
}
MADE_BY = {
    "links": "links DUMPS -o links",
    "crawl": "crawl LINKS -o pages",
    "corpus": "corpus PAGES -o corpus",
    "tokenizer": "tokenizer train CORPUS -o tokenizer",
    "tokens": "tokens CORPUS --tokenizer TOKENIZER -o tokens",
    "train": "train TOKENS -o run",
    "evaluate": "evaluate RUN --suite small --corpus CORPUS -o results",
    "overlap-index": "overlap index CORPUS -o index",
    "overlap": "overlap measure INDEX RESULTS -o overlap",
}
SHOWN_BY = {
    "links": "links report LINKS",
    "corpus": "corpus report CORPUS",
    "plant": "corpus report CORPUS",
    "train": "sample RUN",
    "import": "sample RUN",
    "export": "sample RUN",
    "overlap-index": "overlap show INDEX TEXTS",
}


def with_way(error: WellreadError) -> str:
    """The sentence; of a wrong artifact, what of the right kind is near, or the way to make it."""
    if not isinstance(error, WrongArtifact):
        return str(error)
    if near := list(_near(error.place, error.expected)):
        more = " or another" if near[MOST:] else ""
        return f"{error}; name {' or '.join(map(str, near[:MOST]))}{more}"
    made = next((MADE_BY[stage] for stage in error.expected if stage in MADE_BY), None)
    if made is None:
        return str(error)
    is_text = error.found is None and error.place.is_file()
    name = "CORPUS" if is_text else NAMES.get(error.found or "", "")
    return f"{error}; `wellread {_filled(made, name, error.place)}` makes it"


def shown_by(place: Path) -> str | None:
    """The command that shows what a stage made at `place`; None: there is no special one."""
    stage = read_manifest(place).stage
    way = SHOWN_BY.get(stage)
    return None if way is None else f"wellread {_filled(way, NAMES[stage], place)}"


def _filled(command: str, name: str, place: Path) -> str:
    words = (shlex.quote(str(place)) if word == name else word for word in command.split())
    return " ".join(words)


def _near(place: Path, stages: Sequence[str]) -> Iterator[Path]:
    """Artifacts of `stages` in `place`, or else in the run that it lies in."""
    run = place.parent.parent if place.parent.name in ("runs", "results") else place.parent
    around = [run] if is_artifact(place) or place.is_file() else []
    for folder in (place, *around):
        below = sorted(path for level in ("*", "*/*") for path in folder.glob(level))
        yield from (
            path for path in below if is_artifact(path) and read_manifest(path).stage in stages
        )
