"""Every `sh` block of the README and the manual runs as it stands, and so does every example."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = REPOSITORY / "examples"
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


@pytest.fixture(scope="module")
def demo(folder: Path) -> Path:
    """The quick demo and an export of its model, as the README makes them."""
    for made, command in (
        ("demo-quick", "wellread demo --quick -o demo-quick"),
        ("my-gpt2", "wellread export demo-quick/runs/2x128 -o my-gpt2"),
    ):
        if not (folder / made).exists():
            command_line = [sys.executable, "-m", *command.split()]
            subprocess.run(command_line, cwd=folder, check=True)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "arguments", "given", "says"),
    [
        ("evaluate_hugging_face_model", "my-gpt2 demo-winograd", "", "accuracy"),
        ("train_a_tokenizer", "tok 600 README.md", "", "Tokenizer(600 ids, 343 merges)"),
        ("overlap_of_two_texts", "docs README.md", "", "8-grams of README.md are in docs"),
        ("a_task_of_your_own", "my-gpt2", "", "exact_match 0.00 of 4"),
        ("fine_tune_and_chat", "README.md my-gpt2 tuned 2", "The corpus\n", "step 2 of 2"),
        ("read_artifacts_with_duckdb", "demo-quick", "", "python.example"),
    ],
)
def test_every_example_runs(demo: Path, name: str, arguments: str, given: str, says: str) -> None:
    program = EXAMPLES / f"{name}.py"
    assert len(program.read_text(encoding="utf-8").splitlines()) < 40
    ran = subprocess.run(
        [sys.executable, program, *arguments.split()],
        cwd=demo,
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert says in ran.stdout


def test_no_example_is_forgotten() -> None:
    assert len(list(EXAMPLES.glob("*.py"))) == 6


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target
