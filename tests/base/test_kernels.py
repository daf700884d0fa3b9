"""Cached machine code follows the sources it was made of."""

import subprocess
import sys
from pathlib import Path

INNER = "from wellread.base.kernels import kernel\n\n\n@kernel\ndef one():\n    return {}\n"
OUTER = (
    "from wellread.base.kernels import kernel\n\nfrom inner import one\n\n\n"
    "@kernel\ndef two():\n    return one() + 1\n"
)


def test_a_kernel_whose_callee_changed_in_another_file_is_compiled_again(tmp_path: Path) -> None:
    (tmp_path / "outer.py").write_text(OUTER)
    answers = []
    for value in (1, 10):
        (tmp_path / "inner.py").write_text(INNER.format(value))
        command = [sys.executable, "-c", "import outer; print(outer.two())"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        answers.append(done.stdout)
    assert answers == ["2\n", "11\n"]
