"""Byte ranges of the files of a web server, asked for with patience.

Common Crawl asks who takes its data to slow down at any unusual status and to come back later
(status.commoncrawl.org): an answer that says "too much" makes all threads wait, longer each time.
"""

import io
import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple, Self, TypeVar

import requests
import urllib3

from wellread.base.errors import WellreadError
from wellread.crawl.deadlines import InTime
from wellread.crawl.patience import retry_after

T = TypeVar("T")
# Asking again later may help: 403 is how the server's rate limit answers, 503 how the storage
# behind it does ("reduce your request rate").
TRY_LATER = {403, 408, 429, 500, 502, 503, 504}
ABSENT = {404, 410, 416}
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds; "no more than once per second is polite enough"
SLICE_BYTES = 1 << 18
CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class Absent(Exception):
    """The server has no such file, or the file no such bytes."""


class Part(NamedTuple):
    """Bytes of a file and how long the file is."""

    content: bytes
    file_size: int


class _Trouble(NamedTuple):
    """Why an answer could not be used this time, and after how many seconds to ask again."""

    what: str
    pause: float | None = None


class RangeServer:
    """The files below `base`. Its methods may be called from several threads."""

    def __init__(self, base: str, *, user_agent: str, timeout: float, patience: float) -> None:
        self.base = base.rstrip("/") + "/"
        self._timeout, self._patience = timeout, patience
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, InTime())
        self._session.headers.update({"User-Agent": user_agent, "Accept-Encoding": "identity"})
        self._guard = threading.Lock()  # of the next
        self._quiet_until = 0.0
        self._is_stopped = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._session.close()

    def stop(self) -> None:
        """Let every thread that waits for the server fail at once."""
        self._is_stopped.set()

    def read(self, path: str, start: int, length: int) -> bytes:
        """Bytes of the file from `start`: `length` of them, or fewer where the file ends."""
        return self._part(path, f"{start}-{start + length - 1}", start, length).content

    def tail(self, path: str, length: int) -> Part:
        """The last bytes of the file: `length` of them, or all if it has fewer."""
        return self._part(path, f"-{length}", None, length)

    def whole(self, path: str, *, at_most: int) -> bytes:
        """A small file; more than `at_most` bytes are an error."""

        def take(response: requests.Response) -> bytes | _Trouble:
            content = self._body(response, at_most)
            if len(content) > at_most:
                raise WellreadError(f"{self.base}{path}: longer than {at_most} bytes")
            promised = response.headers.get("Content-Length")
            return content if promised in (None, str(len(content))) else _Trouble("was cut short")

        return self._ask(path, {}, 200, take)

    def _part(self, path: str, span: str, start: int | None, length: int) -> Part:
        def take(response: requests.Response) -> Part | _Trouble:
            said = response.headers.get("Content-Range", "")
            found = CONTENT_RANGE.fullmatch(said)
            first, last, size = map(int, found.groups()) if found else (0, 0, 0)
            begin = max(size - length, 0) if start is None else start
            if (first, last) != (begin, min(begin + length, size) - 1):
                raise WellreadError(
                    f"{self.base}{path}: asked for bytes {span}, the server answered with {said!r}"
                )
            content = self._body(response, last - first + 1)
            is_whole = len(content) > last - first
            return Part(content, size) if is_whole else _Trouble("was cut short")

        return self._ask(path, {"Range": f"bytes={span}"}, 206, take)

    def _ask(
        self,
        path: str,
        headers: dict[str, str],
        status: int,
        take: Callable[[requests.Response], T | _Trouble],
    ) -> T:
        """What `take` makes of an answer with `status`; asks again while patience lasts."""
        pause, waited = FIRST_PAUSE, 0.0
        while True:
            self._wait_for_quiet()
            answer = self._once(path, headers, status, take)
            if not isinstance(answer, _Trouble):
                return answer
            rest = max(pause, answer.pause or 0.0)
            if waited + rest > self._patience:
                raise WellreadError(
                    f"{self.base}{path}: {answer.what} ({waited:.0f} s after the first try); "
                    "run the same command later to go on where it stopped"
                )
            self._be_quiet(rest)
            waited += rest
            pause = min(2 * pause, LONGEST_PAUSE)

    def _once(
        self,
        path: str,
        headers: dict[str, str],
        status: int,
        take: Callable[[requests.Response], T | _Trouble],
    ) -> T | _Trouble:
        try:
            with self._session.get(
                self.base + path,
                headers=headers,
                stream=True,
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                if response.status_code == status:
                    return take(response)
                if response.status_code in ABSENT:
                    raise Absent(f"{self.base}{path}: answered {response.status_code}")
                if response.status_code in TRY_LATER:
                    wait = retry_after(response.headers.get("Retry-After", ""), datetime.now(UTC))
                    return _Trouble(f"answered {response.status_code}", wait)
                raise WellreadError(
                    f"{self.base}{path}: answered {response.status_code}, expected {status}"
                    + ("; it serves no byte ranges" if response.status_code == 200 else "")
                )
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            return _Trouble(f"could not be read ({type(error).__name__})")

    def _body(self, response: requests.Response, enough: int) -> bytes:
        """The body, or at least `enough` bytes of it."""
        content = bytearray()
        while len(content) <= enough and (
            piece := response.raw.read1(SLICE_BYTES, decode_content=False)
        ):
            content += piece
        return bytes(content)

    def _wait_for_quiet(self) -> None:
        while (left := self._quiet_until - time.monotonic()) > 0:
            if self._is_stopped.wait(left):
                raise WellreadError(f"{self.base}: stopped; run the same command again")

    def _be_quiet(self, seconds: float) -> None:
        with self._guard:
            self._quiet_until = max(self._quiet_until, time.monotonic() + seconds)


class RemoteFile(io.RawIOBase):
    """A file of a server for readers that seek, such as pyarrow's: a request for each read."""

    def __init__(self, server: RangeServer, path: str, size: int) -> None:
        self._server, self._path, self._size = server, path, size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}
        self._position = start[whence] + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        left = max(self._size - self._position, 0)
        length = left if size < 0 else min(size, left)
        content = self._server.read(self._path, self._position, length) if length else b""
        self._position += len(content)
        return content
