"""A corpus made in parts: by several processes, in any order, after kills, on a cluster."""

import hashlib
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.corpus.made import TOPICS, text_about
from wellread.base.files import sha256_of
from wellread.corpus.build import build_corpus
from wellread.corpus.config import CorpusConfig
from wellread.corpus.parts import LEAST_BYTES, parts_of
from wellread.formats.corpus_outcomes import OUTCOMES_FILE

FILES = ("documents-00000.parquet", OUTCOMES_FILE, "corpus-report.json")
LETTERS = str.maketrans("0123456789", "ghijklmnop")
PAGE = "<html><body><article>{}</article></body></html>"


def write_pages(folder: Path, number: int) -> Path:
    """Pages of some 50 kB each, of which two make a part."""
    folder.mkdir()
    for page in range(number):
        named = hashlib.sha256(b"%d" % page).hexdigest().translate(LETTERS)
        topics = [f"{topic} {named[:20]}" for topic in TOPICS]
        paragraphs = [f"<p>{line}</p>" for line in text_about(*topics).split("\n")]
        padding = f"<script>{'x' * (LEAST_BYTES * 2 // 5)}</script>"
        (folder / f"{page:03}.html").write_text(PAGE.format("".join([*paragraphs, padding])))
    return folder


def digests(corpus: Path) -> list[str]:
    return [sha256_of(corpus / name) for name in FILES]


def test_processes_and_the_order_of_files_change_no_byte(tmp_path: Path) -> None:
    pages = write_pages(tmp_path / "pages", 6)
    assert len(parts_of([pages])) == 3
    build_corpus([pages], tmp_path / "one", CorpusConfig())
    backwards = [tmp_path / f"{name}" for name in ("b", "a")]
    for place, folder in enumerate(backwards):
        folder.mkdir()
        for page in sorted(pages.iterdir())[place::2]:
            shutil.copy(page, folder)
    build_corpus(backwards, tmp_path / "two", CorpusConfig())
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


@pytest.mark.slow
def test_a_corpus_killed_again_and_again_reads_no_part_twice(tmp_path: Path) -> None:
    pages = write_pages(tmp_path / "pages", 40)
    build_corpus([pages], tmp_path / "whole", CorpusConfig())
    out = tmp_path / "killed"
    command = [sys.executable, "-m", "wellread", "corpus", str(pages), "-o", str(out)]
    kept: dict[Path, int] = {}
    for least in (2, 7, 12):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
        deadline = time.monotonic() + 120
        while len(list((out / ".lasting").glob("[!.]*.parquet"))) < least:
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        now = {path: path.stat().st_mtime_ns for path in (out / ".lasting").glob("[!.]*.parquet")}
        assert kept.items() <= now.items()
        kept = now
        assert not (out / "manifest.json").exists()
    for path in pages.iterdir():  # what has been read is not needed again
        path.chmod(0o400)
    subprocess.run(command, check=True, timeout=300)
    assert digests(out) == digests(tmp_path / "whole")
    assert not (out / ".lasting").exists()


@pytest.mark.slow
def test_a_ray_cluster_makes_the_same_bytes(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    pages = write_pages(tmp_path / "pages", 6)
    build_corpus([pages], tmp_path / "here", CorpusConfig())
    command = [sys.executable, "-m", "wellread", "corpus", str(pages), "--engine", "ray"]
    subprocess.run([*command, "-o", str(tmp_path / "there")], check=True, timeout=300)
    assert digests(tmp_path / "here") == digests(tmp_path / "there")
