"""What the page is made for: the models, and where the training text is."""

from pathlib import Path

import msgspec

from wellread.base.errors import InputError
from wellread.base.suggest import meant_path

DEMOS = ("demo", "demo-quick")  # where `wellread demo` and the README put it
MAKE_DEMO = "wellread demo --quick -o demo-quick"
RUNS = "runs"


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What was named on the command line, or found in the folder of a finished recipe."""

    model: Path | None = None
    other: Path | None = None  # writes beside it
    tokenizer: Path | None = None  # where there is no model
    index: Path | None = None
    corpus: Path | None = None
    found_in: Path | None = None  # the folder, if it was not named


def given(
    model: Path | None,
    *,
    other: Path | None = None,
    index: Path | None = None,
    corpus: Path | None = None,
    current: Path = Path(),
) -> Given:
    """What is named; a folder that a recipe filled stands for all in it, and a demo's is found."""
    for name, path in (("--index", index), ("--corpus", corpus)):
        if path is not None and not path.exists():
            meant = meant_path(path)
            raise InputError(f"{name} {path}: there is no such file or folder{meant}")
    found_in = None
    if model is None:
        found_in = next((current / name for name in DEMOS if has_runs(current / name)), None)
    folder = found_in or model
    if folder is None or not has_runs(folder):
        tokenizer = current / "tokenizer"
        is_alone = model is None and tokenizer.is_dir()
        return Given(
            model=model,
            other=other,
            tokenizer=tokenizer if is_alone else None,
            index=index,
            corpus=corpus,
        )
    largest, *others = by_size(folder)
    return Given(
        model=largest,
        other=other or next(iter(others), None),
        index=index or _there(folder / "index", unless=corpus),
        corpus=corpus or _there(folder / "corpus", unless=index),
        found_in=found_in,
    )


def _there(path: Path, unless: Path | None) -> Path | None:
    return path if unless is None and path.is_dir() else None


def has_runs(folder: Path) -> bool:
    """Whether a recipe left finished training runs there."""
    return (folder / RUNS).is_dir() and bool(by_size(folder))


def by_size(folder: Path) -> list[Path]:
    """The runs in it that have a checkpoint, that with the largest files first."""
    runs = [run for run in (folder / RUNS).iterdir() if (run / "checkpoints").is_dir()]
    return sorted(runs, key=lambda run: (-_weight(run), run.name))


def _weight(run: Path) -> int:
    return max((f.stat().st_size for f in run.glob("checkpoints/*/model.safetensors")), default=0)
