"""Work on other processes: what comes back, and what does not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.corpus.made import write_jsonl
from wellread.base.errors import WellreadError
from wellread.base.seeds import generator
from wellread.corpus.workers import work_on

LOUD = """
import os, sys
from wellread.corpus.workers import work_on

class Loud:
    def __init__(self, greeting):
        print(greeting)

    def __call__(self, item):
        print("out")
        print("err", file=sys.stderr)
        os.write(1, b"one")
        os.write(2, b"two")
        return int(item)

print(sorted(work_on([3, 4], Loud, ("hello",), 1)))
"""


def test_what_workers_print_is_not_on_standard_output() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LOUD],
        env=os.environ | {"DAFT_PROGRESS_BAR": "0"},  # as the command has it
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "[3, 4]\n"


def test_an_error_for_the_user_comes_back_as_it_is() -> None:
    class Failing:
        def __call__(self, item: str) -> int:
            raise WellreadError(f"no {item}")

    with pytest.raises(WellreadError, match="no 3"):
        list(work_on([3], Failing, (), 1))


FULL_DISK = """
import resource, sys
from pathlib import Path
from wellread.corpus.stored import Extract, stored_parts
from wellread.corpus.parts import parts_of
from wellread.corpus.workers import work_on
from wellread.base.errors import WellreadError

resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
source, out, processes = sys.argv[1:]
try:
    list(work_on(stored_parts(Path(out), parts_of([Path(source)]), "fast"), Extract, ("fast",),
         int(processes)))
except WellreadError as error:
    print(error)
"""


@pytest.mark.parametrize("processes", ["0", "1"])
def test_a_disk_without_room_gives_one_sentence(tmp_path: Path, processes: str) -> None:
    text = generator(3, "text").bytes(300_000).hex()
    source = write_jsonl(tmp_path / "in.jsonl", {"http://a.example/": text})
    ran = subprocess.run(
        [sys.executable, "-c", FULL_DISK, source, tmp_path, processes],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.startswith(f"{tmp_path}: no room to write (File too large); free some space")
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]
