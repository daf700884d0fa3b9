"""Work on other processes: what comes back, and what does not."""

import os
import subprocess
import sys

import pytest

from wellread.base.errors import WellreadError
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
