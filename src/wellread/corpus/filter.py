"""What a filter is, and the question that all of them answer."""

import math
from collections.abc import Callable, Iterable, Mapping

import msgspec

from wellread.base import plugins
from wellread.base.errors import InputError
from wellread.corpus import filters
from wellread.formats.documents import Document


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """One reason to leave a document out: a number that is too large, or too small."""

    reason: str  # completes "dropped: ...", with {limit} for the number
    measure: Callable[[Document], float]
    limit: float
    is_most: bool  # True: what measures more than `limit` is left out; False: what measures less


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """Which filter refused a document, why, and what it measured."""

    name: str
    reason: str
    value: float


def load_filters(wanted: Iterable[str]) -> dict[str, Filter]:
    """Filters by name, in order: `too-short` with its own limit, `too-short=200` with another."""
    found: dict[str, Filter] = {}
    for one in wanted:
        name, equals, number = one.partition("=")
        chosen = plugins.load(filters, name, "FILTER")
        if name in found:
            raise InputError(f"the filter {name!r} is given twice; leave one out")
        if equals:
            limit = _limit(one, number, chosen.limit)
            chosen = msgspec.structs.replace(chosen, limit=limit)
        found[name] = chosen
    return found


def _limit(one: str, number: str, default: float) -> float:
    try:
        limit = float(number)
    except ValueError:
        limit = math.nan
    if not 0 <= limit < math.inf:
        raise InputError(f"filter {one!r}: expected a limit of 0 or more, such as {default:g}")
    return limit


def rejected_by(document: Document, filters: Mapping[str, Filter]) -> Rejection | None:
    """What the first filter says that refuses `document`, or None if all keep it."""
    for name, filter_ in filters.items():
        value = filter_.measure(document)
        if value > filter_.limit if filter_.is_most else value < filter_.limit:
            reason = filter_.reason.format(limit=filter_.limit)
            return Rejection(name=name, reason=reason, value=value)
    return None
