"""A little web of a few dozen pages, made once."""

from pathlib import Path

import pytest

from wellread.demo.web import DemoConfig, make_little_web


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "web"
    make_little_web(out, DemoConfig(max_pages=40))
    return out
