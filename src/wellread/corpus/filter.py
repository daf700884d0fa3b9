"""What a filter is, and the question that all of them answer."""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from wellread.base import plugins
from wellread.corpus import filters
from wellread.formats.documents import Document


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """One reason to leave a document out."""

    reason: str  # completes "dropped: ..."
    keep: Callable[[Document], bool]


def load_filters(names: Iterable[str]) -> dict[str, Filter]:
    return {name: plugins.load(filters, name, "FILTER") for name in names}


def rejected_by(document: Document, filters: Mapping[str, Filter]) -> str | None:
    """The reason of the first filter that refuses `document`, or None if all keep it."""
    return next((f.reason for f in filters.values() if not f.keep(document)), None)
