"""The account that every artifact directory carries; its presence means that the stage finished."""

import contextlib
import fcntl
import functools
import hashlib
import importlib.metadata
import logging
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from wellread.base.config import Config, deciding, to_plain, with_defaults
from wellread.base.errors import InputError, WellreadError, WrongArtifact
from wellread.base.files import (
    PARTIAL,
    HashingWriter,
    explaining_full_disks,
    make_directory,
    sha256_of,
    write_bytes,
)
from wellread.base.previous import LASTING, PREVIOUS, put_back, set_aside
from wellread.base.suggest import meant_path, no_such

log = logging.getLogger(__name__)
MANIFEST = "manifest.json"
UNFINISHED = "unfinished.json"  # which stage is at work here, until the manifest replaces it
MAX_EXAMPLES = 5  # bad records named per reason; the counts are complete
# How counts begin of records of an input that could not be read and belong to no drop.
BAD_RECORDS = "bad records: "


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it was when it was read or written."""

    num_bytes: int
    mtime_ns: int
    sha256: str


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """One input: an artifact (its stage and digest) or raw files (each with its digest)."""

    path: str  # relative to the manifest's directory for an artifact, absolute for raw files
    stage: str | None = None
    digest: str | None = None
    files: dict[str, File] = {}


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a stage read, did and wrote."""

    version: int = 1
    stage: str
    config: dict[str, Any]
    inputs: dict[str, list[Input]]
    counts: dict[str, int]
    dropped: dict[str, int]  # reason -> how many
    examples: dict[str, list[str]]  # reason -> the first few, by name
    facts: dict[str, Any]  # what else the stage measured
    outputs: dict[str, File]
    digest: str  # of stage, settings and outputs: the artifact's identity
    versions: dict[str, str]
    finished_at: datetime
    seconds: float


class Draft:
    """A manifest while its stage is at work."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.counts: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = {}
        self.facts: dict[str, Any] = {}
        self._read: dict[Path, File] = {}
        self._written: dict[str, File] = {}

    def drop(self, reason: str, example: str, *, count: int = 1) -> None:
        """Count something left out, and keep the first few by name."""
        self.dropped[reason] += count
        named = self.examples.setdefault(reason, [])
        if len(named) < MAX_EXAMPLES:
            named.append(example)

    def add(self, account: "Draft") -> None:
        """Count what was counted apart, after what is counted already."""
        self.counts.update(account.counts)
        self.dropped.update(account.dropped)
        for reason, examples in account.examples.items():
            named = self.examples.setdefault(reason, [])
            named += examples[: MAX_EXAMPLES - len(named)]

    def drops_named(self) -> str:
        """What was left out so far, for a sentence that says why nothing is left; empty if nothing.

        Most first, each with its first example.
        """
        said = [
            f"{reason} {count:,} (first: {self.examples[reason][0]})"
            for reason, count in self.dropped.most_common(3)
        ]
        return f"; left out: {', '.join(said)}" if said else ""

    def did_read(self, path: Path, sha256: str) -> None:
        """Record a raw input's digest, computed while it was streamed."""
        self._read[path.resolve()] = file_of(path, sha256)

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[HashingWriter]:
        """Write an output file: hashed on the way, in its place only when complete."""
        path = self.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with HashingWriter(path) as file:
            yield file
        self.did_write(name, file.sha256())

    def did_write(self, name: str, sha256: str) -> None:
        """Record an output's digest; what is not recorded is read again at the end."""
        self._written[name] = file_of(self.out / name, sha256)

    def write(self, name: str, content: bytes) -> None:
        with self.open(name) as file:
            file.write(content)


def file_of(path: Path, sha256: str) -> File:
    """The file as it is now, with a digest that is known already."""
    status = path.stat()
    return File(num_bytes=status.st_size, mtime_ns=status.st_mtime_ns, sha256=sha256)


def read_manifest(directory: Path) -> Manifest:
    """The manifest of a finished artifact; its absence or damage is an InputError."""
    path = directory / MANIFEST
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (FileNotFoundError, NotADirectoryError):
        raise _no_artifact(directory) from None
    except msgspec.DecodeError as error:
        raise InputError(f"{path}: damaged ({error}); delete the directory and rerun") from None


def _no_artifact(directory: Path, expected: Sequence[str] = ()) -> InputError:
    """What is at `directory`, where there is no manifest."""
    if meant := meant_path(directory):
        return InputError(f"{directory}: there is no such file or folder{meant}")
    if not directory.exists():
        what = "there is no such file or folder"
    elif not directory.is_dir():
        what = "a file; expected a folder that a stage made"
    elif (directory / UNFINISHED).is_file():
        what = f"unfinished work of stage {owner_of(directory)!r}; run its command again"
    else:
        what = f"no finished artifact (no {MANIFEST}) here"
    return WrongArtifact(f"{directory}: {what}", directory, None, expected)


def read_artifact(directory: Path, *stages: str) -> Manifest:
    """The manifest of `directory`, which must be a finished artifact of one of `stages`."""
    if not is_artifact(directory):
        raise _no_artifact(directory, stages)
    manifest = read_manifest(directory)
    if manifest.stage not in stages:
        raise other_artifact(directory, manifest.stage, stages)
    return manifest


def other_artifact(
    directory: Path, found: str, stages: Sequence[str], what: str = ""
) -> WrongArtifact:
    """That the finished artifact at `directory` is none of `stages`, in words `what` they are."""
    expected = what or " or ".join(map(repr, stages))
    sentence = f"{directory}: made by stage {found!r}, expected {expected}"
    return WrongArtifact(sentence, directory, found, stages)


def is_artifact(path: Path) -> bool:
    return (path / MANIFEST).is_file()


class NotUpToDate(WellreadError):
    """There is work to do, which `only_looking` keeps a stage from."""


_LOOKING: ContextVar[bool] = ContextVar("only looking", default=False)


@contextlib.contextmanager
def only_looking() -> Iterator[None]:
    """Let `finished` raise NotUpToDate in this block, so that a stage called there does no work."""
    token = _LOOKING.set(True)
    try:
        yield
    finally:
        _LOOKING.reset(token)


@contextlib.contextmanager
def writing(
    out: Path,
    *,
    stage: str,
    config: Config,
    inputs: Mapping[str, Sequence[Path]],
    resume: bool = False,
) -> Iterator[Draft]:
    """Own `out` for one stage's work; on success the manifest is its last file.

    A directory of another stage is refused. With `resume`, files of an interrupted run with the
    same settings and inputs stay; otherwise the directory is emptied first, but for the folder
    LASTING, which is deleted in the end. A finished artifact that was there is deleted on success
    only, and is back if the work fails with nothing to go on from.
    """
    started = time.monotonic()
    plain = to_plain(config)
    marker = marker_of(stage, config, inputs)
    with explaining_full_disks(out), contextlib.ExitStack() as held:
        is_new = _claim(out, stage, marker, resume=resume, held=held)
        held.push(functools.partial(_recover, out, resume=resume, is_new=is_new))
        draft = Draft(out)
        yield draft
        outputs = _outputs(draft)
        manifest = Manifest(
            stage=stage,
            config=plain,
            inputs={name: [_input(p, out, draft) for p in paths] for name, paths in inputs.items()},
            counts=dict(draft.counts),
            dropped=dict(sorted(draft.dropped.items())),
            examples=dict(sorted(draft.examples.items())),
            facts=draft.facts,
            outputs=outputs,
            digest=_digest(stage, deciding(plain, type(config)), outputs),
            versions=_versions(),
            finished_at=datetime.now(UTC),
            seconds=round(time.monotonic() - started, 3),
        )
        write_manifest(out, manifest)
        for folder in (PREVIOUS, LASTING):
            shutil.rmtree(out / folder, ignore_errors=True)
        (out / UNFINISHED).unlink()


def marker_of(stage: str, config: Config, inputs: Mapping[str, Sequence[Path]]) -> bytes:
    identities = {name: identity(paths) for name, paths in inputs.items()}
    settings = deciding(to_plain(config), type(config))
    content = {"stage": stage, "config": settings, "inputs": identities}
    return msgspec.json.encode(content, order="deterministic")


def _claim(
    out: Path, stage: str, marker: bytes, *, resume: bool, held: contextlib.ExitStack
) -> bool:
    """Whether nothing was there."""
    make_directory(out)
    locked(out, held)
    owner = owner_of(out)
    if owner not in (None, stage):
        raise InputError(f"{out}: belongs to stage {owner!r}, not {stage!r}; give another --out")
    if owner is None and any(out.iterdir()):
        raise InputError(f"{out}: {_content(out)}; give a new or empty directory")
    mark = out / UNFINISHED
    if resume and mark.exists() and mark.read_bytes() == marker:
        (out / MANIFEST).unlink(missing_ok=True)
        # By a process that was killed: the lock is ours. Folders are for the stages that make them.
        for left in [path for path in out.rglob(f".*{PARTIAL}") if path.is_file()]:
            left.unlink()
    else:
        _warn_of_other_settings(out, marker)
        set_aside(out, MANIFEST)
        write_bytes(mark, marker)
    return owner is None


def _content(out: Path) -> str:
    """What is in a directory that is no artifact, in words."""
    stages = []
    for path in sorted(out.iterdir()):
        with contextlib.suppress(InputError):
            read_manifest(path)
            stages.append(path.name)
    if not stages:
        return "not empty and not made by wellread"
    return f"holds a run, each stage in a folder of its own ({', '.join(stages)})"


def _warn_of_other_settings(out: Path, marker: bytes) -> None:
    if not is_artifact(out):
        return
    before, now = read_manifest(out).config, msgspec.json.decode(marker)["config"]
    if changed := sorted(key for key in now if before.get(key) != now[key]):
        log.warning(
            "%s: its results were made with other settings (%s) and are being replaced",
            out, ", ".join(changed),
        )  # fmt: skip


def _recover(
    out: Path, kind: type[BaseException] | None, *_: Any, resume: bool, is_new: bool
) -> None:
    """After a failure put back what was there before, unless the new work is worth going on with.

    That is work of a stage that resumes and did not refuse its settings or inputs.
    """
    if kind is None:
        return
    if is_new and issubclass(kind, InputError):
        files = [path for path in out.rglob("*") if path.is_file() and path.name != UNFINISHED]
        if not (resume and files):
            shutil.rmtree(out)
        return
    if not is_artifact(out / PREVIOUS):
        return
    begun = {path.name for path in out.iterdir()} - {PREVIOUS, UNFINISHED, LASTING}
    if not (resume and begun) or issubclass(kind, InputError):
        put_back(out, MANIFEST)


def locked(out: Path, held: contextlib.ExitStack) -> None:
    """Keep other processes out of `out` until `held` is closed, or this process ends."""
    directory = os.open(out, os.O_RDONLY)
    held.callback(os.close, directory)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(f"{out}: another process is at work there; wait for it to end") from None


def owner_of(out: Path) -> str | None:
    """The stage that made, or was making, what is in `out`."""
    for path in (out / MANIFEST, out / UNFINISHED, out / PREVIOUS / MANIFEST):
        if path.is_file():
            try:
                return str(msgspec.json.decode(path.read_bytes())["stage"])
            except (msgspec.DecodeError, KeyError, TypeError):
                raise InputError(f"{path}: damaged; delete {out} and run again") from None
    return None


def identity(paths: Sequence[Path]) -> list[list[Any]]:
    """What tells cheaply whether inputs changed: an artifact's digest, or sizes and times."""
    found: list[list[Any]] = []
    for path in paths:
        if is_artifact(path):
            found.append(["artifact", read_manifest(path).digest])
        else:
            found += [[str(p), p.stat().st_size, p.stat().st_mtime_ns] for p in _raw_files(path)]
    return found


def _raw_files(path: Path) -> list[Path]:
    if not path.exists():
        raise no_such(path, "an input")
    resolved = path.resolve()
    return sorted(p for p in resolved.rglob("*") if p.is_file()) if path.is_dir() else [resolved]


def _input(path: Path, out: Path, draft: Draft) -> Input:
    if is_artifact(path):
        manifest = read_manifest(path)
        relative = os.path.relpath(path.resolve(), out.resolve())
        return Input(path=relative, stage=manifest.stage, digest=manifest.digest)
    files = {str(p): draft._read.get(p) or file_of(p, sha256_of(p)) for p in _raw_files(path)}
    return Input(path=str(path.resolve()), files=files)


def _outputs(draft: Draft) -> dict[str, File]:
    found = {}
    for path in sorted(draft.out.rglob("*")):
        relative = path.relative_to(draft.out)
        name = relative.as_posix()
        is_own = relative.parts[0] not in (UNFINISHED, MANIFEST, PREVIOUS, LASTING)
        if is_own and path.is_file():
            found[name] = draft._written.get(name) or file_of(path, sha256_of(path))
    if not found:
        raise WellreadError(f"{draft.out}: the stage wrote nothing")
    return found


def _digest(stage: str, config: Any, outputs: Mapping[str, File]) -> str:
    identity = [stage, config, {name: file.sha256 for name, file in outputs.items()}]
    encoded = msgspec.json.encode(identity, order="deterministic")
    return hashlib.sha256(encoded).hexdigest()


def amended(manifest: Manifest, kind: type[Config], **changes: Any) -> Manifest:
    """The manifest of an artifact that was changed when it was finished; its settings stay.

    They are a `kind`.
    """
    changed = msgspec.structs.replace(manifest, **changes)
    settings = deciding(manifest.config, kind)
    return msgspec.structs.replace(
        changed, digest=_digest(manifest.stage, settings, changed.outputs)
    )


def write_manifest(directory: Path, manifest: Manifest) -> None:
    encoded = msgspec.json.format(msgspec.json.encode(manifest, enc_hook=str), indent=1)
    write_bytes(directory / MANIFEST, encoded)


def _versions() -> dict[str, str]:
    names = ("wellread", "numpy", "pyarrow", "torch", "trafilatura", "daft", "scrapy")
    found = {}
    for name in names:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def finished(
    out: Path, *, stage: str, config: Config, inputs: Mapping[str, Sequence[Path]]
) -> Manifest | None:
    """The manifest of `out` if it already holds what these inputs and settings give.

    Compares sizes, times and recorded digests, and reads no data, which is instant on any corpus,
    except of files that were copied: their times are new, so their content is compared.
    """
    found = None
    if is_artifact(out):
        found = _matching(out, stage, config, inputs)
    elif is_artifact(out / PREVIOUS):  # set aside for work that was then interrupted
        found = _matching(out / PREVIOUS, stage, config, inputs)
        if found is not None and not _LOOKING.get():
            with contextlib.ExitStack() as held:
                locked(out, held)
                put_back(out, MANIFEST)
    if found is None:
        work_ahead(out)
    return found


def work_ahead(out: Path) -> None:
    """Say that `out` needs work: to who only looks, by NotUpToDate."""
    if _LOOKING.get():
        raise NotUpToDate(f"{out}: not what these settings and inputs give")


Inputs = Mapping[str, Sequence[Path]]


def _matching(place: Path, stage: str, config: Config, inputs: Inputs) -> Manifest | None:
    manifest = read_manifest(place)
    if manifest.stage != stage:
        return None
    stored = with_defaults(manifest.config, type(config))
    before, now = (deciding(plain, type(config)) for plain in (stored, to_plain(config)))
    if before != now:
        return None
    if manifest.inputs.keys() != inputs.keys():
        return None
    for name, paths in inputs.items():
        recorded = manifest.inputs[name]
        if len(recorded) != len(paths) or not all(map(_is_same_input, recorded, paths)):
            return None
    unchanged = all(_unchanged(place / name, file) for name, file in manifest.outputs.items())
    return manifest if unchanged else None


def changed_files(artifact: Path) -> list[str]:
    """The files of a finished artifact that are not as its manifest has them, or not there.

    As instant as `finished`.
    """
    outputs = read_manifest(artifact).outputs
    return [name for name, file in outputs.items() if not _unchanged(artifact / name, file)]


def _is_same_input(recorded: Input, path: Path) -> bool:
    if is_artifact(path) or recorded.digest is not None:
        return is_artifact(path) and read_manifest(path).digest == recorded.digest
    found = _raw_files(path)
    if len(found) != len(recorded.files):
        return False
    return all(
        _unchanged(path, file, was_at=Path(name))
        for path, (name, file) in zip(found, recorded.files.items(), strict=True)
    )


def _unchanged(path: Path, recorded: File, was_at: Path | None = None) -> bool:
    """Whether `path` has the recorded content; its time says so for a file that was not moved."""
    if not path.is_file() or path.stat().st_size != recorded.num_bytes:
        return False
    is_untouched = path.stat().st_mtime_ns == recorded.mtime_ns and was_at in (None, path)
    return is_untouched or sha256_of(path) == recorded.sha256
