"""Wheel and sdist, and what is installed of them in an empty environment."""

import hashlib
import importlib.metadata
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

REPOSITORY = Path(__file__).resolve().parents[2]
TOKENIZER_ALONE, WHOLE = 350e6, 2.2e9  # bytes
LIMITED = 'which is not installed: pip install "wellread[all]"\n'

pytestmark = pytest.mark.slow


def built(source: Path, out: Path) -> Path:
    """The wheel of `source`, with its sdist beside it."""
    command = [sys.executable, "-m", "hatchling", "build", "-d", out]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    [wheel] = out.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(REPOSITORY, tmp_path_factory.mktemp("dist"))


def contents(wheel: Path) -> dict[str, str]:
    with zipfile.ZipFile(wheel) as file:
        return {name: hashlib.sha256(file.read(name)).hexdigest() for name in file.namelist()}


def test_the_wheel_has_what_the_package_reads_and_the_sdist_makes_the_same(
    wheel: Path, tmp_path: Path
) -> None:
    found = contents(wheel)
    assert {
        "wellread/py.typed",
        "wellread/recipes/demo.toml",
        "wellread/formats/published.toml",
        "wellread/evaluate/tasks_data/winograd/WSCollection.xml",
        "wellread-0.1.0.dist-info/licenses/LICENSE",
    } <= found.keys()
    assert not [name for name in found if name.startswith(("tests", "docs"))]
    [sdist] = wheel.parent.glob("*.tar.gz")
    with tarfile.open(sdist) as packed:
        packed.extractall(tmp_path, filter="data")
    [source] = tmp_path.iterdir()
    assert contents(built(source, tmp_path / "again")) == found


def needed(requirement: str, found: dict[str, importlib.metadata.Distribution]) -> None:
    """Add to `found` what `requirement` brings, with all that this needs."""
    wanted = Requirement(requirement)
    own = importlib.metadata.distribution(wanted.name)
    is_new = found.setdefault(wanted.name.lower(), own) is own
    for text in own.requires or []:
        needs = Requirement(text)
        marked = [needs.marker is None or needs.marker.evaluate({"extra": extra})
                  for extra in ("", *wanted.extras)]  # fmt: skip
        if any(marked) and (needs.name.lower() not in found or needs.extras):
            needed(f"{needs.name}[{','.join(needs.extras)}]" if needs.extras else needs.name, found)
    assert is_new or wanted.extras


def num_bytes(found: dict[str, importlib.metadata.Distribution]) -> int:
    files = [file.locate() for one in found.values() for file in one.files or []]
    return sum(Path(file).stat().st_size for file in files if Path(file).is_file())


def test_the_tokenizer_alone_is_small_and_the_whole_fits_into_its_limit() -> None:
    base: dict[str, importlib.metadata.Distribution] = {}
    needed("wellread", base)
    assert "pyarrow" not in base
    assert num_bytes(base) < TOKENIZER_ALONE
    whole: dict[str, importlib.metadata.Distribution] = {}
    needed("wellread[all]", whole)
    if "+cpu" not in whole["torch"].version:
        pytest.skip("PyTorch's build here is not the one for CPUs")
    assert num_bytes(whole) < WHOLE


@pytest.fixture(scope="module")
def alone(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty environment with the wheel and the libraries of the tokenizer, no others."""
    folder = tmp_path_factory.mktemp("alone")
    venv.create(folder / "env", symlinks=True)
    python = folder / "env" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    subprocess.run([*pip, "--no-index", "--no-deps", wheel], check=True)
    found: dict[str, importlib.metadata.Distribution] = {}
    needed("wellread", found)
    del found["wellread"]
    libraries = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "env")}))
    for one in found.values():
        for top in {file.parts[0] for file in one.files or []} - {"..", "__pycache__"}:
            if not (libraries / top).exists():
                (libraries / top).symlink_to(one.locate_file(top))
    return folder / "env" / "bin" / "wellread"


def ran(program: Path, *arguments: str, cwd: Path, status: int = 0) -> str:
    """What a command prints, on either stream."""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [program, *arguments], cwd=cwd, env=own, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


def test_the_tokenizer_works_alone_and_what_is_more_says_how_to_install_it(
    alone: Path, tmp_path: Path
) -> None:
    (tmp_path / "text.txt").write_text("low lower lowest\n" * 3)
    train = ["tokenizer", "train", "text.txt", "--vocab-size", "260", "-o", "tok"]
    assert "3 merges" in ran(alone, *train, cwd=tmp_path)
    given = ["--tokenizer", "tok"]
    ids = ran(alone, "tokenizer", "encode", "slow", *given, cwd=tmp_path).split()
    assert ran(alone, "tokenizer", "decode", *ids, *given, cwd=tmp_path) == "slow"
    page = ["--html", "why.html"]
    assert "slow" in ran(alone, "tokenizer", "explain", "slow", *given, cwd=tmp_path)
    assert "why.html" in ran(alone, "tokenizer", "explain", "slow", *given, *page, cwd=tmp_path)
    assert "1 document, 51 bytes" in ran(
        alone, "tokenizer", "stats", "text.txt", *given, cwd=tmp_path
    )
    assert 'pip install "wellread[all]"' in ran(alone, "doctor", cwd=tmp_path)
    assert "tokenizer" in ran(alone, "--help", cwd=tmp_path)
    assert "tokenizer tok" in ran(alone, "why", "tok", cwd=tmp_path)
    for command in (
        ["tokens", "text.txt", *given, "-o", "out"],
        ["sample", "tok"],
        ["evaluate", "--list"],
        ["crawl", "links", "-o", "out"],
        ["report", "run", "-o", "out"],
        ["overlap", "index", "text.txt", "-o", "out"],
    ):
        said = ran(alone, *command, cwd=tmp_path, status=2)
        assert said.startswith("wellread: this needs the library ")
        assert said.endswith(LIMITED)


SCRIPT = '''"""What a user of the package writes."""

import sys
from pathlib import Path

import wellread
from wellread import TokenizerConfig, evaluate, generate, load_model

tokenizer = wellread.Tokenizer.train(["low lower lowest"], vocab_size=260)
text: str = tokenizer.decode([*tokenizer.encode("slow").tolist(), 256])
trained = wellread.train_tokenizer("texts", Path("tok"), TokenizerConfig(vocab_size=260))
try:
    model = load_model("run", device="cpu")
except wellread.WellreadError as error:
    sys.exit(str(error))
for new in generate(model, tokenizer, ["The function"], max_new_tokens=20, top_k=40):
    print(new.upper())
for result, items in evaluate(model, tokenizer, ["demo-lambada"], limit=10):
    best: float = max(score.value for score in result.scores)
    wrong: list[str | None] = [item.prediction for item in items if item.value == 0]
    print(result.task, round(best, 2), wrong)
index = wellread.build_overlap_index("train.txt", Path("index"))
for one in wellread.measure_overlap(index, ["a text"]):
    share: float | None = one.share
    print(one.num_found + one.num_ngrams, share)
wellread.Tokeniser
'''


def test_a_users_script_is_checked_strictly_and_a_name_that_is_none_of_ours_is_found(
    alone: Path, tmp_path: Path
) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    python = alone.with_name("python")
    mypy = [sys.executable, "-m", "mypy", "--strict", "--python-executable", python]
    done = subprocess.run(
        [*mypy, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == (
        'script.py:26: error: Module has no attribute "Tokeniser"  [attr-defined]\n'
        "Found 1 error in 1 file (checked 1 source file)\n"
    )
