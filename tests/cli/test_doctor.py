"""`wellread doctor` on an installation in which something is really wrong."""

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
import torch

import wellread
from wellread.base.allowance import allowed_cores, allowed_memory
from wellread.base.requirements import libraries
from wellread.cli.main import main
from wellread.cli.problems import Finding, findings

SOURCE = Path(wellread.__file__).parent


def found(environment: dict[str, str], here: Path) -> dict[str, Finding]:
    """By the first word of its command."""
    return {one.command.split()[0]: one for one in findings(environment, here)}


def a_program(folder: Path, name: str, script: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_nothing_is_missing_here(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    assert main(["doctor"]) == 0
    assert "nothing is missing" in capsys.readouterr().out


def test_another_wellread_on_the_path_is_a_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = a_program(tmp_path / "bin", "wellread")
    monkeypatch.setenv("PATH", str(other.parent))
    assert main(["doctor"]) == 1
    own = Path(sys.executable).parent
    assert capsys.readouterr().out.count(
        f"! `wellread` means {other}, which is not of this Python, {sys.executable}: "
        f'export PATH="{own}:$PATH"; hash -r\n'
    )


def test_a_gpu_that_pytorch_is_not_built_for_is_a_problem(tmp_path: Path) -> None:
    a_program(tmp_path / "bin", "nvidia-smi", "echo NVIDIA H100, 550.54")
    one = found({"PATH": f"{tmp_path / 'bin'}:/bin"}, tmp_path)["pip"]
    assert one.command.startswith("pip install --force-reinstall torch")
    is_without = torch.version.cuda is None  # or else too new for this driver
    words = "there is a GPU" if is_without else "cannot use the GPU"
    assert f"{words} (NVIDIA H100, 550.54)" in one.sentence


def test_more_threads_than_cores_are_a_problem_and_fewer_a_note(tmp_path: Path) -> None:
    one = found({"OMP_NUM_THREADS": "4096"}, tmp_path)["export"]
    assert one.kind == "problem"
    assert one.sentence.startswith("4096 threads will share the ")
    if len(os.sched_getaffinity(0)) > 1:
        assert found({"OMP_NUM_THREADS": "1"}, tmp_path)["unset"].kind == "note"


def test_places_that_cannot_be_written_are_a_problem(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    by_command = found({"TMPDIR": str(tmp_path / "file")}, tmp_path)
    assert by_command["export"].sentence.endswith("which sorting needs")


def test_a_containers_share_is_the_least_of_its_groups(tmp_path: Path) -> None:
    (tmp_path / "own").write_text("1:name=systemd:/\n0::/box/inner\n")
    inner = tmp_path / "groups" / "box" / "inner"
    inner.mkdir(parents=True)
    (inner / "cpu.max").write_text("max 100000\n")
    (inner.parent / "cpu.max").write_text("150000 100000\n")
    (inner.parent / "memory.max").write_text("4294967296\n")
    given = (tmp_path / "groups", tmp_path / "own")
    assert (allowed_cores(*given), allowed_memory(*given)) == (1.5, 4_294_967_296)
    assert allowed_cores(tmp_path / "none", tmp_path / "own") is None


def test_libraries_are_held_against_what_the_distribution_declares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def distribution(name: str, version: str, *requires: str) -> None:
        folder = tmp_path / f"{name}-{version}.dist-info"
        folder.mkdir()
        lines = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {r}" for r in requires)]
        (folder / "METADATA").write_text("Metadata-Version: 2.1\n" + "\n".join(lines) + "\n")

    distribution("reader", "1", "old>=2,<3", 'gone; extra == "all"', 'never; python_version < "3"')
    distribution("old", "1.9")
    monkeypatch.syspath_prepend(tmp_path)
    old, gone = libraries("reader", ("all",))
    assert (old.name, old.found, old.is_right, old.extra) == ("old", "1.9", False, "")
    assert (gone.name, gone.found, gone.extra) == ("gone", None, "all")
    assert [one.name for one in libraries("reader")] == ["old"]


@pytest.mark.slow
def test_an_environment_of_the_tokenizer_alone_is_whole_and_its_gaps_are_named(
    tmp_path: Path,
) -> None:
    """Compiled loops have nowhere to go there: the folders beside the modules are files."""
    venv.create(tmp_path / "env", symlinks=True)
    python = tmp_path / "env" / "bin" / "python"
    site = next((tmp_path / "env" / "lib").glob("python*/site-packages"))
    package = site / "wellread"
    shutil.copytree(SOURCE, package, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in [package, *(path for path in package.rglob("*") if path.is_dir())]:
        (folder / "__pycache__").write_text("in the way")
    here = next(Path(path) for path in sys.path if (Path(path) / "numba").is_dir())
    left_out = ("torch", "daft", "wellread", "__editable__", "_wellread", "typer-", "_virtualenv")
    for path in here.iterdir():
        if not path.name.startswith(left_out) and path.suffix != ".pth":
            (site / path.name).symlink_to(path)
    info = site / "wellread-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: wellread\nVersion: 0.1.0\n"
        "Requires-Dist: numba>=0.61\nRequires-Dist: typer>=0.20\nRequires-Dist: numpy>=99\n"
        'Provides-Extra: all\nRequires-Dist: torch>=2.11; extra == "all"\n'
    )
    environment = {"PATH": "/bin", "HOME": str(tmp_path / "none" / "home")}
    (tmp_path / "none").write_text("not a folder")
    command = [python, "-m", "wellread", "doctor", "--json"]
    ran = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False
    )
    assert ran.returncode == 1, ran.stderr
    shown = json.loads(ran.stdout)
    sentences = [one["sentence"] for one in shown["findings"]]
    assert shown["facts"]["wellread"] == "0.1.0, the tokenizer alone"
    assert sentences[0].startswith("compiled loops cannot be kept")
    assert sentences[1] == "missing: typer"
    assert sentences[2].startswith("versions that wellread does not work with: numpy ")
    assert sentences[-1] == "the tokenizer alone is installed; for the whole system"
    assert "compiled loops cannot be kept" in ran.stderr
