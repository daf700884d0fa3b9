"""From a result back to the dump: the chain of manifests behind a file."""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from wellread.base.errors import InputError
from wellread.base.manifest import MANIFEST, Manifest, changed_files, is_artifact, read_manifest
from wellread.base.suggest import no_such


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the way back."""

    depth: int
    path: Path
    manifest: Manifest | None  # None: a raw file
    sha256: str | None = None  # of a raw file
    note: str = ""  # "seen above", or what no longer agrees


def artifact_of(path: Path) -> Path:
    """The artifact directory that `path` is or lies in."""
    if path.parts[:1] in (("http:",), ("https:",)):
        raise InputError(
            "why: name a run first, then the address: wellread why RUN URL; why it is no link says "
            "`wellread links DUMPS --explain URL`"
        )
    if not path.exists():
        raise no_such(path, "a result, or its run")
    for folder in (path, *path.resolve().parents):
        if is_artifact(folder):
            return folder
    inside = sorted(found.parent for found in path.glob(f"**/{MANIFEST}"))[:3]
    names = f"; it holds {', '.join(map(str, inside))} and others" if inside else ""
    raise InputError(f"{path}: not inside a finished artifact (no {MANIFEST} above it){names}")


def trace(path: Path) -> Iterator[Origin]:
    """The artifact of `path` and all that it was made from, depth first."""
    yield from _trace(artifact_of(path), depth=0, expected=None, seen=set())


def _trace(folder: Path, *, depth: int, expected: str | None, seen: set[Path]) -> Iterator[Origin]:
    if not is_artifact(folder):
        yield Origin(depth=depth, path=folder, manifest=None, note="no longer there")
        return
    manifest = read_manifest(folder)
    note = _damage(folder)
    if expected not in (None, manifest.digest):
        note = "remade since: its digest has changed"
    resolved = folder.resolve()
    if resolved in seen:
        yield Origin(depth=depth, path=folder, manifest=manifest, note=note or "seen above")
        return
    seen.add(resolved)
    yield Origin(depth=depth, path=folder, manifest=manifest, note=note)
    for inputs in manifest.inputs.values():
        for item in inputs:
            if item.digest is not None:
                origin = Path(os.path.normpath(folder / item.path))
                yield from _trace(origin, depth=depth + 1, expected=item.digest, seen=seen)
                continue
            for name, file in item.files.items():
                yield Origin(
                    depth=depth + 1, path=Path(name), manifest=None, sha256=file.sha256,
                    note=_changes(Path(name), file.num_bytes),
                )  # fmt: skip


def _damage(folder: Path) -> str:
    """What of a finished artifact is not as its manifest has it."""
    if changed := changed_files(folder):
        more = f" and {len(changed) - 1} more" if changed[1:] else ""
        return f"changed since: {changed[0]}{more} not as in its manifest"
    return ""


def _changes(path: Path, num_bytes: int) -> str:
    if not path.exists():
        return "no longer there"
    return "" if path.stat().st_size == num_bytes else "changed since: its size differs"
