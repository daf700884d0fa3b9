"""Every block of the README and the manual runs as it stands, or is checked; so do examples."""

import doctest
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = REPOSITORY / "examples"
DOCS = REPOSITORY / "docs"
IN_NAVIGATION = re.findall(r"(\S+\.md)$", (REPOSITORY / "mkdocs.yml").read_text(), re.MULTILINE)
PAGES = list(
    dict.fromkeys(
        [REPOSITORY / "README.md"]
        + [DOCS / page for page in IN_NAVIGATION]
        + sorted(DOCS.rglob("*.md"))
    )
)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NO_COMMAND = ("make ", "#", ". .venv/")  # what installs, and so runs this test


def blocks(page: Path, kind: str) -> list[str]:
    """The blocks of a page in one language."""
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [text for language, text in found if language == kind]


def load(name: str) -> ModuleType:
    """A module of the folder `docs`, as MkDocs loads it."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    return load("reference")


@pytest.fixture(scope="module")
def commands(reference: ModuleType) -> dict[str, Any]:
    return dict(reference.leaves())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a reader stands in: the checkout, and what the pages before have made."""
    here = tmp_path_factory.mktemp("reader")
    (here / ".venv").mkdir()
    (here / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    for name in ("recipes", "docs"):
        shutil.copytree(REPOSITORY / name, here / name)
    shutil.copy(REPOSITORY / "README.md", here)
    return here


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_block_of_commands_and_of_python_runs(folder: Path) -> None:
    # One thread, as other tests run beside: two that wait for each other on one core take longer.
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "COLUMNS": "100",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
    for page in PAGES:
        lines = "".join(blocks(page, "sh")).splitlines()
        shell = "\n".join(line for line in lines if not line.startswith(NO_COMMAND))
        python = "\n".join(text for text in blocks(page, "python") if ">>>" not in text)
        for call in (["bash", "-ec", shell], [sys.executable, "-c", python]):
            ran = subprocess.run(
                call, cwd=folder, capture_output=True, text=True, check=False, env=environment
            ) if call[-1].strip() else None  # fmt: skip
            assert ran is None or ran.returncode == 0, f"{page}: {ran.stderr[-2000:]}"
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


@pytest.mark.parametrize(
    "page", [page for page in PAGES if ">>>" in page.read_text()], ids=lambda page: page.name
)
def test_examples_give_what_stands_below_them(page: Path) -> None:
    ran = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert ran.attempted >= 2
    assert ran.failed == 0


def calls(text: str) -> Iterator[list[str]]:
    """The words of each call of wellread in a block, without what stands before and after it."""
    for line in text.replace("\\\n", " ").splitlines():
        for part in re.split(r" \| |&&|;", line):
            words = shlex.split(part, comments=True)
            if "wellread" in words and words[0] in (
                "wellread",
                "$",
                "torchrun",
                ".venv/bin/wellread",
            ):
                yield words[words.index("wellread") :]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_cannot_run_here_calls_commands_and_options_that_exist(
    page: Path, commands: dict[str, Any]
) -> None:
    for block in blocks(page, "console"):
        for words in calls(block):
            name = " ".join(words[:3]) if " ".join(words[:3]) in commands else " ".join(words[:2])
            assert name in commands, words
            known = {"--help", "--debug"}
            for option in commands[name].params:
                known |= {*option.opts, *option.secondary_opts}
            given = {word for word in words if re.match(r"--?[a-z]", word)}
            assert given <= known, (words, given - known)


def test_the_reference_has_every_command_option_key_and_name(reference: ModuleType) -> None:
    import wellread
    from wellread.pipeline.recipe import SECTIONS
    from wellread.pipeline.stages import STAGES

    commands = reference.commands()
    for path, command in reference.leaves():
        assert f"## {path.removeprefix('wellread ')}\n" in commands
        assert all(
            f"`{flag}`" in commands for p in command.params for flag in p.opts if "-" in flag
        )
    keys = reference.recipe_keys()
    assert {f"### [{section}]" for section in SECTIONS} <= set(keys.splitlines())
    for stage in STAGES.values():
        for key in [*stage.given, *stage.load_config().__struct_fields__]:
            assert f"| `{key}` |" in keys, (stage.name, key)
    names = reference.python_names()
    assert all(f"## {name}\n" in names for name in wellread.__all__)


def test_a_line_for_a_peer_says_what_its_table_says() -> None:
    summary = load("tables").summary().splitlines()
    [line] = [line for line in summary if line.startswith("| near-duplicates | datasketch")]
    ours, theirs = 3.7, 37.6  # seconds, docs/benchmarks/corpus-duplicates.md
    assert line.split("|")[3].split()[0] == "10.29"
    assert abs(theirs / ours - 10.29) < 0.2


@pytest.mark.slow
def test_the_manual_builds_without_a_broken_link_and_asks_nobody(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    for page in tmp_path.rglob("*.html"):
        html = page.read_text(encoding="utf-8")
        assert not re.findall(r"<(?:script|img|link rel=\"stylesheet\")[^>]*=\"https?:", html), page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target
