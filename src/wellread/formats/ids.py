"""What the ids of tokens are: arrays of the smallest of two types in which every id fits."""

from typing import Any

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.unsignedinteger[Any]]


def dtype_for(vocab_size: int) -> Any:
    """uint16 while every id fits. Arithmetic on it wraps: widen first."""
    return np.uint16 if vocab_size <= 65_536 else np.uint32
