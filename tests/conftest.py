"""Fixtures that many tests share."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Read when PyTorch is loaded, here and by commands that tests start. Small models gain nothing by a
# second thread, and one that waits for work keeps the processor from others.
os.environ.setdefault("OMP_NUM_THREADS", "1")

REPOSITORY = Path(__file__).resolve().parents[1]
CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real dumps, pages, texts and benchmarks (docs/test-data.md says where from)."""
    folder = Path(os.environ.get("WELLREAD_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real files absent: no folder {folder} (set WELLREAD_TEST_DATA)")
    return folder


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Debian's Chromium, asking nothing of the network."""
    from playwright.sync_api import sync_playwright  # only who looks at a page waits for it

    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no browser: install Debian's chromium")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM))
        yield found
        found.close()


@pytest.fixture
def two_threads() -> Iterator[None]:
    """PyTorch works on two threads, and what shares its work as PyTorch does."""
    import torch  # only who runs a model waits for it

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)
