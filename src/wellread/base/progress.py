"""How long work tells how far it is. Who shows it, and how, is the caller's business."""

from typing import Protocol


class Progress(Protocol):
    """Called by a stage now and then; cheap enough to call for every record."""

    def __call__(self, done: float, total: float | None, note: str = "") -> None:
        """`done` of `total` units (None: unknown), and a few words ("412 pages")."""


def silent(done: float, total: float | None, note: str = "") -> None:
    """A Progress for nobody."""
