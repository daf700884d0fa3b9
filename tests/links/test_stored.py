"""What was read of dumps is not lost with a run, and never taken for something else."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from wellread.base.errors import WellreadError
from wellread.base.manifest import Manifest, is_artifact
from wellread.base.previous import LASTING
from wellread.base.seeds import generator
from wellread.formats.links import Link, read_links
from wellread.links.config import LinksConfig
from wellread.links.harvest import harvest_links


def write_dumps(folder: Path, count: int, posts: int = 50) -> list[Path]:
    source = generator(0, "dumps")
    folder.mkdir(exist_ok=True)
    dumps = [folder / f"RS_{number}.ndjson" for number in range(count)]
    for number, dump in enumerate(dumps):
        records = [
            {
                "created_utc": 1_300_000_000 + int(n),
                "score": int(n % 9),
                "url": f"http://a{n % 7}-{number}.com/{n % 50}",
                "subreddit": f"s{n % 4}",
            }
            for n in source.integers(10_000, size=posts)
        ]
        dump.write_bytes(b"\n".join(map(msgspec.json.encode, records)) + b"\n")
    return dumps


def cut_short(dump: Path) -> None:
    dump.rename(dump.with_suffix(".whole"))
    dump.write_bytes(b"\x1f\x8b" + dump.with_suffix(".whole").read_bytes()[:20])


def hide(dump: Path) -> None:
    """What is in it can no longer be read, though nothing says so."""
    status = dump.stat()
    dump.write_bytes(b"\n" * status.st_size)
    os.utime(dump, ns=(status.st_atime_ns, status.st_mtime_ns))


def result(manifest: Manifest, out: Path) -> tuple[list[Link], dict[str, int], dict[str, object]]:
    assert not (out / LASTING).exists()
    return list(read_links(out)), manifest.dropped, manifest.facts


def test_a_damaged_dump_does_not_lose_the_others(tmp_path: Path) -> None:
    dumps, out = write_dumps(tmp_path / "dumps", 4), tmp_path / "out"
    good = [dumps[0], *dumps[2:]]
    expected = result(harvest_links(good, tmp_path / "alone", LinksConfig()), tmp_path / "alone")
    cut_short(dumps[1])
    said = r"RS_1\.ndjson: damaged or cut short .* 3 others gave is kept for a run without it"
    with pytest.raises(WellreadError, match=said):
        harvest_links(dumps, out, LinksConfig(threads=1))
    assert not is_artifact(out)
    for dump in good:
        hide(dump)
    assert result(harvest_links(good, out, LinksConfig(threads=2)), out) == expected


def test_other_settings_or_a_dump_that_changed_are_read_again(tmp_path: Path) -> None:
    dumps, out = write_dumps(tmp_path / "dumps", 3), tmp_path / "out"
    cut_short(dumps[2])
    with pytest.raises(WellreadError):
        harvest_links(dumps, out, LinksConfig())
    dumps[2].with_suffix(".whole").rename(dumps[2])
    dumps[0].write_bytes(dumps[1].read_bytes() * 2)
    config = LinksConfig(min_karma=5)
    found = result(harvest_links(dumps, out, config), out)
    assert found == result(harvest_links(dumps, tmp_path / "new", config), tmp_path / "new")


def test_work_on_other_settings_leaves_the_finished_table_until_it_is_done(tmp_path: Path) -> None:
    dumps, out = write_dumps(tmp_path / "dumps", 3), tmp_path / "out"
    first = harvest_links(dumps[:2], out, LinksConfig())
    cut_short(dumps[2])
    with pytest.raises(WellreadError):
        harvest_links(dumps, out, LinksConfig())
    assert harvest_links(dumps[:2], out, LinksConfig()) == first
    hide(dumps[0])  # which is then known from the work that failed
    dumps[2].with_suffix(".whole").rename(dumps[2])
    whole = harvest_links(dumps, out, LinksConfig())
    assert whole.counts["in"] == 150


@pytest.mark.slow
@pytest.mark.parametrize("stops", [1, 8])
def test_a_run_that_is_killed_at_any_moment_goes_on(tmp_path: Path, stops: int) -> None:
    dumps, out = write_dumps(tmp_path / "dumps", 30, posts=2_000), tmp_path / "out"
    arguments = ["links", *map(str, dumps), "-o", str(out), "--threads", "2"]
    source = generator(1, "kills")
    for _ in range(stops):
        kill_after_an_account(arguments, out, float(source.random()))
    found = result(harvest_links(dumps, out, LinksConfig(threads=2)), out)
    whole = harvest_links(dumps, tmp_path / "whole", LinksConfig(threads=2))
    assert found == result(whole, tmp_path / "whole")
    assert sorted(path.name for path in out.iterdir()) == [
        "links-00000.parquet",
        "links-report.json",
        "manifest.json",
    ]


def kill_after_an_account(arguments: Sequence[str], out: Path, seconds: float) -> None:
    """So long after one more dump was read; or not, if it was done before."""
    before = set((out / LASTING).glob("*.json"))
    with subprocess.Popen(
        [sys.executable, "-m", "wellread", *arguments], stderr=subprocess.DEVNULL
    ) as child:
        while child.poll() is None and set((out / LASTING).glob("*.json")) <= before:
            time.sleep(0.005)
        time.sleep(seconds * 0.3)
        child.send_signal(signal.SIGKILL)
