"""What a shell offers after Tab where a word of ours is wanted; of files it knows itself."""

from collections.abc import Iterable
from pathlib import Path


def among(words: Iterable[str], incomplete: str) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]


def sizes(incomplete: str) -> list[str]:
    """The paper's sizes."""
    from wellread.model.sizes import SIZES

    return among(SIZES, incomplete)


def tasks(incomplete: str) -> list[str]:
    """Tasks, for the last of those that are separated by commas."""
    from wellread.base import plugins
    from wellread.evaluate import tasks as package

    before, comma, last = incomplete.rpartition(",")
    return [before + comma + name for name in among(plugins.names(package), last)]


def recipes(incomplete: str) -> list[str]:
    """The recipes that come with wellread, and files and folders that can lead to another one."""
    from wellread.pipeline.recipe import own_recipes

    folder = Path(incomplete if incomplete.endswith("/") else Path(incomplete).parent)
    here = sorted(folder.iterdir()) if folder.is_dir() else []
    paths = [f"{p}/" if p.is_dir() else str(p) for p in here if p.is_dir() or p.suffix == ".toml"]
    return among([*own_recipes(), *paths], incomplete)


LISTS = {"tasks": tasks}  # by the setting that lists them
