"""Every `sh` block of the README and the manual runs as it stands."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[str]:
    """The lines of a page's `sh` blocks, without `make`, which is what runs this test."""
    lines = "".join(BLOCK.findall(page.read_text(encoding="utf-8"))).splitlines()
    return [line for line in lines if line.strip() and not line.startswith(("make ", "#"))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a reader stands in: the checkout, and the quick demo once the README made it."""
    here = tmp_path_factory.mktemp("reader")
    (here / ".venv").mkdir()
    (here / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    for name in ("recipes", "docs"):
        shutil.copytree(REPOSITORY / name, here / name)
    shutil.copy(REPOSITORY / "README.md", here)
    return here


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_command_runs(folder: Path) -> None:
    found = {page: commands(page) for page in PAGES}
    assert len(found[REPOSITORY / "README.md"]) >= 5
    for page, lines in found.items():
        script = "\n".join(["set -e", *lines])
        ran = subprocess.run(
            ["bash", "-c", script],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            # A reader's machine has nothing else to do: all its cores train.
            env={k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
            | {"COLUMNS": "100"},
        )
        assert ran.returncode == 0, f"{page}: {ran.stderr[-2000:]}"
    assert (folder / "demo-quick" / "report" / "index.html").is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target
