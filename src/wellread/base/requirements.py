"""The libraries that an installed package declares, and which of them are absent or too old."""

import importlib.metadata
from collections.abc import Iterator
from typing import NamedTuple

from packaging.requirements import Requirement


class Library(NamedTuple):
    """A library that is declared, as it is here."""

    name: str
    wanted: str  # ">=2.1"; empty: any version
    found: str | None  # its version; None: it is not installed
    extra: str  # which brings it; empty: always

    @property
    def is_right(self) -> bool:
        """Whether its version is one of those declared."""
        specifier = Requirement(f"{self.name}{self.wanted}").specifier
        return self.found is not None and specifier.contains(self.found, prereleases=True)


def libraries(package: str, extras: tuple[str, ...] = ()) -> list[Library]:
    """Those of `package`, and of its `extras`, that this Python and system need."""
    found: dict[str, Library] = {}
    for extra in ("", *extras):
        for one in _declared(package, extra):
            found.setdefault(one.name, one)
    return list(found.values())


def _declared(package: str, extra: str) -> Iterator[Library]:
    for line in importlib.metadata.requires(package) or ():
        one = Requirement(line)
        is_of_extra = one.marker is not None and "extra" in str(one.marker)
        is_wanted = one.marker is None or one.marker.evaluate({"extra": extra})
        if one.name != package and is_of_extra == bool(extra) and is_wanted:
            yield Library(one.name, str(one.specifier), version_of(one.name), extra)


def version_of(library: str) -> str | None:
    """The installed version; None: it is not installed."""
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None
