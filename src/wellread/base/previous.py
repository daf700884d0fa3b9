"""A finished artifact stays, set aside in its own directory, until another has taken its place.

Each move is a rename, and a file says that moves are under way: a process that is killed between
two of them leaves what the next one can go on from.
"""

import shutil
from pathlib import Path

PREVIOUS = ".previous"
MOVING = ".moving"
# Work that is good for other settings or inputs too, by names that say for which: it stays until
# the artifact is finished.
LASTING = ".lasting"


def set_aside(out: Path, manifest: str) -> None:
    """Empty `out`: a finished artifact, which has a `manifest`, is kept; what is not is deleted."""
    previous, moving = out / PREVIOUS, out / MOVING
    if (out / manifest).is_file() and not moving.exists():
        shutil.rmtree(previous, ignore_errors=True)
        moving.touch()
    if not moving.exists():
        _delete_all(out)
        return
    previous.mkdir(exist_ok=True)
    for path in out.iterdir():
        if path not in (previous, moving, out / LASTING):
            path.replace(previous / path.name)
    moving.unlink()


def put_back(out: Path, manifest: str) -> None:
    """What was set aside instead of what is unfinished; the manifest last."""
    previous, moving = out / PREVIOUS, out / MOVING
    _delete_all(out)
    moving.touch()
    for path in sorted(previous.iterdir(), key=lambda path: path.name == manifest):
        path.replace(out / path.name)
    previous.rmdir()
    moving.unlink()


def _delete_all(out: Path) -> None:
    """But for what was set aside, and what lasts."""
    for path in out.iterdir():
        if path.name in (PREVIOUS, LASTING):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
