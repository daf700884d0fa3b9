"""What the system lets this process have of the machine: a container's share, by control groups."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")


def allowed_cores(root: Path = ROOT, own: Path = OWN) -> float | None:
    """Cores' worth of time that may be used; None: all."""
    found = []
    for text in _limits("cpu.max", root, own):
        quota, _, period = text.partition(" ")
        if quota != "max":
            found.append(int(quota) / int(period))
    return min(found, default=None)


def allowed_memory(root: Path = ROOT, own: Path = OWN) -> int | None:
    """Bytes of memory that may be used; None: all."""
    return min((int(t) for t in _limits("memory.max", root, own) if t != "max"), default=None)


def _limits(name: str, root: Path, own: Path) -> Iterator[str]:
    """The files `name` of the groups (version 2) that this process is in, one within the other."""
    if not own.is_file():
        return
    for line in own.read_text().splitlines():
        hierarchy, _, path = line.split(":", 2)
        inside = root / path.lstrip("/")
        if hierarchy == "0":
            for group in (inside, *inside.parents):
                if group.is_relative_to(root) and (group / name).is_file():
                    yield (group / name).read_text().strip()
