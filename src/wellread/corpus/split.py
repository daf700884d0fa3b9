"""Which documents train and which are held out, decided by what a document is and nothing else."""

from hashlib import sha256

import numpy as np
import numpy.typing as npt

BUCKETS = 1000


def bucket_of(identity: str) -> int:
    """By hash of a URL, or of the text of a document that has none.

    >>> bucket_of("http://example.com/")
    367
    """
    return int.from_bytes(sha256(identity.encode()).digest()[:8]) % BUCKETS


def splits_of(
    buckets: npt.NDArray[np.int16], *, validation_per_mille: int, test_per_mille: int
) -> npt.NDArray[np.int8]:
    """The place of each document's split in `formats.documents.SPLITS`.

    >>> splits_of(np.array([3, 54, 367]), validation_per_mille=50, test_per_mille=10).tolist()
    [1, 2, 0]
    """
    held_out = validation_per_mille + test_per_mille
    return np.where(buckets < validation_per_mille, 1, np.where(buckets < held_out, 2, 0)).astype(
        np.int8
    )
