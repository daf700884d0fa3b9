"""What several results of one protocol give on the items that all have, resampled alike.

Shapes: R results, B resamples.
"""

from collections.abc import Callable, Sequence

import msgspec

from wellread.base.intervals import Floats
from wellread.formats.comparisons import Side


class Resampled(msgspec.Struct, frozen=True, kw_only=True):
    """A metric of each result, over the items that all of them have."""

    metric: str
    higher_is_better: bool
    values_R: Floats
    drawn_RB: Floats | None  # on the same units for all; None: there is only one unit
    num_items: int
    num_units: int  # documents, where several items come from one
    # Of perplexities: the words or tokens of each result's items. Where these are not the same,
    # as tokens of two vocabularies, the values cannot be compared.
    divisors_R: Floats | None


# Every metric of results of one protocol on the items that all have; the second is a seed.
Resample = Callable[[Sequence[Side], int], Sequence[Resampled]]
