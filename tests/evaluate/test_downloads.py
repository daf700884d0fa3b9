"""Benchmark files from a server: the right content, or nothing and a reason."""

import functools
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from wellread.base.errors import WellreadError
from wellread.evaluate.task import BenchmarkFile, MissingData, Sources, benchmark_path

CONTENT = b"The stars are many.\n" * 50_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/moved.txt":
            self.send_response(302)
            self.send_header("Location", "/whole.txt")
            self.end_headers()
            return
        if self.path == "/gone.txt":
            self.send_error(404)
            return
        content = CONTENT.replace(b"many", b"none") if self.path == "/other.txt" else CONTENT
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:1000] if self.path == "/cut.txt" else content)

    def log_message(self, *_: object) -> None:
        """Nothing on the screen."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{found.server_address[1]}"
        found.shutdown()


def asked(url: str, data: Path, *, is_fetching: bool = True) -> Path:
    file = BenchmarkFile(path="stars/stars.txt", sha256=SHA256, obtain="It is there.", url=url)
    return benchmark_path(file, Sources(data, None, {}, is_fetching))


@pytest.mark.parametrize("name", ["whole.txt", "moved.txt"])
def test_an_absent_file_is_fetched_once(server: str, tmp_path: Path, name: str) -> None:
    path = asked(f"{server}/{name}", tmp_path)
    assert path == tmp_path / "stars/stars.txt"
    assert path.read_bytes() == CONTENT
    assert asked("http://127.0.0.1:9/never-asked", tmp_path) == path


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("other.txt", "gives another text than the benchmark's"),
        ("cut.txt", "could not be fetched|gives another text"),
        ("gone.txt", "could not be fetched .*404"),
    ],
)
def test_what_is_wrong_cut_or_gone_leaves_nothing(
    server: str, tmp_path: Path, name: str, said: str
) -> None:
    with pytest.raises(WellreadError, match=said):
        asked(f"{server}/{name}", tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(WellreadError, match="could not be fetched"):
        asked("http://127.0.0.1:9/stars.txt", tmp_path)


def test_nothing_is_fetched_unasked(server: str, tmp_path: Path) -> None:
    download = functools.partial(asked, f"{server}/whole.txt", tmp_path)
    with pytest.raises(MissingData, match=r"there is no such file. It is there."):
        download(is_fetching=False)
