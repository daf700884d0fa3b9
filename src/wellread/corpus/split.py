"""Which documents train and which are held out, decided by what a document is and nothing else."""

from hashlib import sha256


def split_of(group_key: str, *, validation_per_mille: int, test_per_mille: int) -> str:
    """By hash of the near-duplicate group's smallest URL, so that near-copies never part.

    >>> split_of("http://example.com/", validation_per_mille=50, test_per_mille=10)
    'train'
    """
    bucket = int.from_bytes(sha256(group_key.encode()).digest()[:8]) % 1000
    if bucket < validation_per_mille:
        return "validation"
    return "test" if bucket < validation_per_mille + test_per_mille else "train"
