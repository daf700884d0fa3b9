"""Fixtures that many tests share."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real dumps, pages, texts and benchmarks (docs/test-data.md says where from)."""
    folder = Path(os.environ.get("WELLREAD_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real files absent: no folder {folder} (set WELLREAD_TEST_DATA)")
    return folder
