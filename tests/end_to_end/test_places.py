"""Commands write to the folders that they are given, and else to caches."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import wellread

REPOSITORY = Path(__file__).parents[2]
PACKAGE = Path(wellread.__file__).parent
PROGRAM = """
import sys
from wellread.cli.main import main

for line in sys.stdin:
    status = main(line.split())
    assert status == 0, (line, status)
"""
COMMANDS = """
doctor
links dump.ndjson -o links
links report links -o links-figures
corpus texts --validation-per-mille 500 -o corpus
corpus report corpus
tokenizer train corpus -o tokenizer --vocab-size 300
tokens corpus --tokenizer tokenizer -o tokens
train tokens -o run --size 1x64 --context 64 --steps 2 --warmup-steps 0 --batch-sequences 2
sample run --prompt One --max-new-tokens 2
evaluate run --tasks held-out --corpus corpus -o results
show results
overlap index corpus -o index
overlap measure index results -o overlap
export run -o model
report . -o report
why results
"""


def tree(folder: Path) -> set[str]:
    found = (path.relative_to(folder) for path in folder.rglob("*"))
    return {str(path) for path in found if "__pycache__" not in path.parts}


@pytest.mark.slow
def test_nothing_is_written_but_outputs_and_caches(tmp_path: Path) -> None:
    work, home, temporary = (tmp_path / name for name in ("work", "home", "temporary"))
    for folder in (work, home, temporary):
        folder.mkdir()
    shutil.copytree(REPOSITORY / "docs" / "how", work / "texts")
    submission = {
        "url": "http://a.example/b", "score": 9, "created_utc": 1500000000, "id": "a",
        "subreddit": "s", "is_self": False, "over_18": False, "title": "t", "domain": "a.example",
    }  # fmt: skip
    (work / "dump.ndjson").write_text(json.dumps(submission) + "\n")
    given, package = {path.name for path in work.iterdir()}, tree(PACKAGE)
    environment = {
        "HOME": str(home), "TMPDIR": str(temporary), "PATH": str(Path(sys.executable).parent),
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""), "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=COMMANDS.strip(),
        cwd=work,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    named = {line.split(" -o ")[1].split()[0] for line in COMMANDS.splitlines() if " -o " in line}
    assert {path.name for path in work.iterdir()} == given | named
    assert {path.name for path in home.iterdir()} <= {".cache"}
    assert tree(temporary) == set()
    assert tree(PACKAGE) == package
