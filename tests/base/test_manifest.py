"""A directory looks finished only if its stage finished."""

import contextlib
import os
import shutil
from pathlib import Path

import msgspec
import pytest

from wellread.base.config import Config, with_defaults
from wellread.base.errors import InputError, WellreadError
from wellread.base.manifest import NotUpToDate, finished, only_looking, read_manifest, writing


class Settings(Config, frozen=True):
    size: int = 1


class Inner(Settings, frozen=True):
    colour: str = "red"


class Newer(Settings, frozen=True):
    tasks: list[str] = msgspec.field(default_factory=list)
    inner: Inner = Inner()


def make(out: Path, source: Path, size: int = 1, stage: str = "corpus") -> None:
    config = Settings(size=size)
    with writing(out, stage=stage, config=config, inputs={"source": [source]}) as draft:
        draft.counts["in"] = 2
        draft.drop("too short", "b")
        draft.write("result.txt", source.read_bytes())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.txt"
    path.write_text("hello")
    return path


def test_a_manifest_records_counts_drops_and_digests(tmp_path: Path, source: Path) -> None:
    make(tmp_path / "out", source)
    manifest = read_manifest(tmp_path / "out")
    hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    assert manifest.outputs["result.txt"].sha256 == hello
    assert manifest.inputs["source"][0].files[str(source)].sha256 == hello
    assert (manifest.counts, manifest.dropped) == ({"in": 2}, {"too short": 1})
    assert manifest.examples == {"too short": ["b"]}
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["manifest.json", "result.txt"]


def test_a_stage_that_fails_leaves_no_manifest(tmp_path: Path, source: Path) -> None:
    out = tmp_path / "out"
    with (
        pytest.raises(ZeroDivisionError),
        writing(out, stage="corpus", config=Settings(), inputs={"source": [source]}),
    ):
        1 / 0  # noqa: B018
    assert [p.name for p in out.iterdir()] == ["unfinished.json"]
    assert finished(out, stage="corpus", config=Settings(), inputs={"source": [source]}) is None


def test_it_is_up_to_date_until_settings_inputs_or_outputs_change(
    tmp_path: Path, source: Path
) -> None:
    out, inputs = tmp_path / "out", {"source": [source]}

    def is_finished(size: int = 1) -> bool:
        config = Settings(size=size)
        return finished(out, stage="corpus", config=config, inputs=inputs) is not None

    make(out, source)
    assert is_finished()
    assert not is_finished(size=2)
    os.utime(out / "result.txt", ns=(1, 1))
    assert is_finished()
    (out / "result.txt").write_text("jello")
    assert not is_finished()
    make(out, source)
    source.write_text("jello")
    assert not is_finished()


def test_a_setting_that_came_later_was_as_by_default(tmp_path: Path, source: Path) -> None:
    make(tmp_path / "out", source)

    def is_finished(config: Settings) -> bool:
        inputs = {"source": [source]}
        found = finished(tmp_path / "out", stage="corpus", config=config, inputs=inputs)
        return found is not None

    assert is_finished(Newer())
    assert not is_finished(Newer(tasks=["a"]))
    assert not is_finished(Newer(inner=Inner(colour="blue")))
    assert with_defaults({"inner": {"size": 7}}, Newer) == {
        "size": 1, "tasks": [], "inner": {"size": 7, "colour": "red"},
    }  # fmt: skip


def test_a_plain_copy_is_as_finished_as_what_it_is_a_copy_of(tmp_path: Path, source: Path) -> None:
    make(tmp_path / "a" / "out", source)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / source.name).write_bytes(source.read_bytes())
    shutil.copytree(tmp_path / "a" / "out", tmp_path / "b" / "out", copy_function=shutil.copy)
    inputs = {"source": [tmp_path / "b" / source.name]}
    assert finished(tmp_path / "b" / "out", stage="corpus", config=Settings(), inputs=inputs)
    (tmp_path / "b" / source.name).write_text("jello")
    assert not finished(tmp_path / "b" / "out", stage="corpus", config=Settings(), inputs=inputs)


def files_in(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    ("resume", "error", "begins", "is_back"),
    [
        (False, ZeroDivisionError, True, True),
        (True, InputError, True, True),
        (True, WellreadError, False, True),
        (True, WellreadError, True, False),  # something to go on from
    ],
)
def test_what_was_finished_is_back_when_its_replacement_fails(
    tmp_path: Path,
    source: Path,
    *,
    resume: bool,
    error: type[Exception],
    begins: bool,
    is_back: bool,
) -> None:
    out, inputs = tmp_path / "out", {"source": [source]}
    make(out, source)
    (out / "parts").mkdir()
    before = files_in(out)
    config = Settings(size=2)
    with (
        pytest.raises(error),
        writing(out, stage="corpus", config=config, inputs=inputs, resume=resume),
    ):
        assert not (out / "result.txt").exists()
        if begins:
            (out / "part").write_text("begun")
        raise error("no")
    assert (files_in(out) == before) is is_back
    assert (finished(out, stage="corpus", config=Settings(), inputs=inputs) is not None) is True
    assert files_in(out) == before
    make(out, source, size=2)
    assert sorted(p.name for p in out.iterdir()) == ["manifest.json", "result.txt"]


@pytest.mark.parametrize("moves", range(5))
def test_a_death_while_it_is_set_aside_or_put_back_loses_nothing(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch, moves: int
) -> None:
    out, inputs = tmp_path / "out", {"source": [source]}
    make(out, source)
    for name in ("more.txt", "most.txt"):
        (out / name).write_text(name)
    before = files_in(out)
    left = [moves]

    def die_later(path: Path, target: Path) -> None:
        if path.suffix != ".partial" and not left[0]:
            raise KeyboardInterrupt
        left[0] -= path.suffix != ".partial"
        path.rename(target)

    def replace_it() -> None:
        with (
            contextlib.suppress(KeyboardInterrupt, ZeroDivisionError),
            writing(out, stage="corpus", config=Settings(size=2), inputs=inputs),
        ):
            raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", die_later)
        replace_it()
    replace_it()
    assert files_in(out) == before


def test_an_artifact_made_again_with_the_same_content_keeps_its_digest(
    tmp_path: Path, source: Path
) -> None:
    make(tmp_path / "a", source)
    make(tmp_path / "b", source)
    assert read_manifest(tmp_path / "a").digest == read_manifest(tmp_path / "b").digest


def test_a_directory_of_another_stage_is_refused(tmp_path: Path, source: Path) -> None:
    make(tmp_path / "out", source, stage="links")
    with pytest.raises(InputError, match="belongs to stage 'links', not 'corpus'"):
        make(tmp_path / "out", source)
    assert (tmp_path / "out" / "manifest.json").exists()


def test_a_directory_with_somebodys_files_is_refused(tmp_path: Path, source: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="not empty and not made by wellread"):
        make(tmp_path / "out", source)
    assert (tmp_path / "out" / "thesis.txt").read_text() == "years of work"


def test_a_directory_with_a_whole_run_is_refused_as_that(tmp_path: Path, source: Path) -> None:
    run = tmp_path / "run"
    make(run / "corpus", source)
    (run / "notes").mkdir()
    (run / "notes" / "manifest.json").write_text("[]")  # somebody's
    with pytest.raises(InputError, match=r"holds a run, .* \(corpus\); give a new or empty"):
        make(run, source, stage="report")
    assert sorted(path.name for path in run.iterdir()) == ["corpus", "notes"]


def test_what_a_killed_process_had_half_written_is_no_output(tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = {"stage": "train", "config": Settings(), "inputs": {}, "resume": True}
    with pytest.raises(WellreadError), writing(out, **arguments) as draft:  # type: ignore[arg-type]
        draft.write("kept.txt", b"whole")
        (out / ".big.bin.4711.partial").write_bytes(b"half")
        raise WellreadError("as if killed")
    with writing(out, **arguments) as draft:  # type: ignore[arg-type]
        assert [path.name for path in out.glob("*.txt")] == ["kept.txt"]
    assert list(read_manifest(out).outputs) == ["kept.txt"]


def test_an_interrupted_directory_is_kept_only_for_the_same_settings(
    tmp_path: Path, source: Path
) -> None:
    out, inputs = tmp_path / "out", {"source": [source]}

    def interrupted(size: int) -> list[str]:
        config = Settings(size=size)
        with (
            pytest.raises(KeyboardInterrupt),
            writing(out, stage="train", config=config, inputs=inputs, resume=True),
        ):
            (out / f"part-{size}").touch()
            raise KeyboardInterrupt
        return sorted(p.name for p in out.iterdir())

    assert interrupted(1) == ["part-1", "unfinished.json"]
    assert interrupted(1) == ["part-1", "unfinished.json"]
    assert interrupted(2) == ["part-2", "unfinished.json"]


def test_only_looking_moves_nothing_and_says_what_is_to_be_done(
    tmp_path: Path, source: Path
) -> None:
    out, inputs = tmp_path / "out", {"source": [source]}
    make(out, source)
    with (
        pytest.raises(WellreadError),
        writing(out, stage="corpus", config=Settings(size=2), inputs=inputs, resume=True),
    ):
        (out / "part").touch()
        raise WellreadError("no room")
    before = sorted(path.relative_to(out) for path in out.rglob("*"))
    with only_looking():
        assert finished(out, stage="corpus", config=Settings(), inputs=inputs)
        with pytest.raises(NotUpToDate):
            finished(out, stage="corpus", config=Settings(size=2), inputs=inputs)
    assert sorted(path.relative_to(out) for path in out.rglob("*")) == before
    assert finished(out, stage="corpus", config=Settings(), inputs=inputs)
    assert not (out / "part").exists()
