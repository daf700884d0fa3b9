"""What is likely to be wrong with an installation: each a sentence, and the command that mends it.

Three things go wrong most: PyTorch that does not fit the machine's GPU, places that cannot be
written or are too small, and libraries that are absent, too old, or another Python's.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import msgspec
import psutil

from wellread.base.allowance import allowed_memory
from wellread.base.requirements import Library, libraries, version_of
from wellread.base.text import human_bytes
from wellread.base.threads import usable_cores

Is = Literal["problem", "note"]  # a note is worth knowing, and all works without it
PACKAGE = "wellread"
OPTIONAL = ("ray", "tensorboard", "playground")  # extras that bring one thing more than `all`
LEAST_MEMORY = 6 * 2**30  # what the demo may use
LEAST_DISK = 3 * 2**30
LEAST_TEMPORARY = 2**30  # what sorting and joining may put there
CPU_BUILDS = "https://download.pytorch.org/whl/cpu"  # pytorch.org/get-started
QUERY = ("--query-gpu=name,driver_version", "--format=csv,noheader")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something about this machine, and what to do."""

    kind: Is
    sentence: str
    command: str


def findings(environment: Mapping[str, str], here: Path) -> list[Finding]:
    """All that is found, what keeps things from working first."""
    found = [
        *_of_gpu(environment),
        *_of_places(environment, here),
        *_of_libraries(wanted_libraries()),
        *_of_command(environment),
        *_of_threads(environment),
    ]
    return sorted(found, key=lambda one: one.kind, reverse=True)


def _problem(sentence: str, command: str) -> Finding:
    return Finding(kind="problem", sentence=sentence, command=command)


def gpus(environment: Mapping[str, str]) -> list[str]:
    """NVIDIA's cards and the version of their driver, as its own tool has them."""
    tool = shutil.which("nvidia-smi", path=environment.get("PATH"))
    if tool is None:
        return []
    ran = subprocess.run([tool, *QUERY], capture_output=True, text=True, check=False)
    return ran.stdout.splitlines() if ran.returncode == 0 else []


def _of_gpu(environment: Mapping[str, str]) -> Iterator[Finding]:
    if version_of("torch") is None:
        return
    import torch

    cards, cuda = gpus(environment), torch.version.cuda
    if cards and not torch.cuda.is_available():
        hidden = environment.get("CUDA_VISIBLE_DEVICES")
        if cuda is None:
            yield _problem(
                f"there is a GPU ({cards[0]}), and PyTorch {torch.__version__} is a build for the "
                "processor alone",
                "pip install --force-reinstall torch",
            )
        elif hidden in ("", "-1"):
            yield _problem("CUDA_VISIBLE_DEVICES hides the GPU", "unset CUDA_VISIBLE_DEVICES")
        else:
            yield _problem(
                f"PyTorch is built for CUDA {cuda} and cannot use the GPU ({cards[0]}): its driver "
                "is too old for that; update it, or take an older build of pytorch.org/get-started",
                "pip install --force-reinstall torch --index-url URL",
            )
    elif cuda is not None and not cards:
        yield Finding(
            kind="note",
            sentence="PyTorch brought several GB of CUDA libraries, and there is no GPU",
            command=f"pip install --force-reinstall torch --index-url {CPU_BUILDS}",
        )


def _of_places(environment: Mapping[str, str], here: Path) -> Iterator[Finding]:
    if not _may_write(here):
        yield _problem(f"{here}: you may not write in this folder", "cd ~")
    elif (free := shutil.disk_usage(here).free) < LEAST_DISK:
        yield _problem(
            f"{here}: {human_bytes(free)} are free on its disk, and the demo needs 3 GB",
            "df -h, and cd to a folder on a larger disk",
        )
    temporary = Path(environment.get("TMPDIR") or tempfile.gettempdir())
    if not _may_write(temporary) or shutil.disk_usage(temporary).free < LEAST_TEMPORARY:
        yield _problem(
            f"{temporary}: not a folder for temporary files with 1 GB free, which sorting needs",
            f"export TMPDIR={here}/tmp; mkdir $TMPDIR",
        )
    memory = min(psutil.virtual_memory().total, allowed_memory() or sys.maxsize)
    if memory < LEAST_MEMORY:
        yield _problem(f"{human_bytes(memory)} of memory: less than 6 GiB", "wellread demo --quick")
    if compiled_loops() is None:
        yield _problem(
            "compiled loops cannot be kept, so that every start takes a minute to compile them",
            f"export NUMBA_CACHE_DIR={here}/numba",
        )


def _may_write(folder: Path) -> bool:
    """Whether a file can be made there; what the system says of it is not always true of disks."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def compiled_loops() -> Path | None:
    """Where those of the tokenizer are kept; None: nowhere, as no such folder may be written."""
    from wellread.tokenizer.split import class_and_length

    folder = class_and_length.stats.cache_path
    return None if folder is None else Path(folder)


def is_tokenizer_alone() -> bool:
    """Whether none of the libraries is here that the extra `all` is taken for."""
    return version_of("torch") is None and version_of("daft") is None


def wanted_libraries() -> list[Library]:
    """The libraries that are declared, of `all` if it seems to be installed, of others if there."""
    extras = () if is_tokenizer_alone() else ("all",)
    needed = libraries(PACKAGE, extras)
    names = {one.name for one in needed}
    more = (one for one in libraries(PACKAGE, OPTIONAL) if one.found and one.name not in names)
    return [*needed, *more]


def _of_libraries(needed: list[Library]) -> Iterator[Finding]:
    if absent := [one for one in needed if one.found is None]:
        extra = "[all]" if any(one.extra for one in absent) else ""
        names = ", ".join(one.name for one in absent)
        yield _problem(f"missing: {names}", f'pip install "{PACKAGE}{extra}"')
    if wrong := [one for one in needed if one.found and not one.is_right]:
        said = ", ".join(f"{one.name} {one.found}, not {one.wanted}" for one in wrong)
        pins = " ".join(f'"{one.name}{one.wanted}"' for one in wrong)
        yield _problem(f"versions that wellread does not work with: {said}", f"pip install {pins}")
    if is_tokenizer_alone():
        yield Finding(
            kind="note",
            sentence="the tokenizer alone is installed; for the whole system",
            command=f'pip install "{PACKAGE}[all]"',
        )


def _of_command(environment: Mapping[str, str]) -> Iterator[Finding]:
    own = Path(sys.executable).parent
    first = shutil.which(PACKAGE, path=environment.get("PATH"))
    if first is not None and Path(first).resolve().parent not in (own, own.resolve()):
        yield _problem(
            f"`wellread` means {first}, which is not of this Python, {sys.executable}",
            f'export PATH="{own}:$PATH"; hash -r',
        )


def _of_threads(environment: Mapping[str, str]) -> Iterator[Finding]:
    usable = usable_cores()
    threads = environment.get("OMP_NUM_THREADS", "")
    number = int(threads) if threads.isdigit() else usable
    if number > usable:
        yield _problem(
            f"{number} threads will share the {usable} cores that this process may use",
            f"export OMP_NUM_THREADS={usable}",
        )
    elif number < usable:
        yield Finding(
            kind="note",
            sentence=f"OMP_NUM_THREADS={threads}, and {usable} cores: training leaves some idle",
            command="unset OMP_NUM_THREADS",
        )
