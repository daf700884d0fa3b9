"""Answers that come in time or are a time-out, for `requests`, whose own limit is for each read.

The look-up of the server's name and the connection to it come before and are not counted in.
"""

import io
import time
from http.client import HTTPResponse
from typing import Any

import requests.adapters
import urllib3.connection

# Ours: a request brings up to 70 MB, which no time limit alone fits. Slower is worth another try.
LEAST_BYTES_PER_SECOND = 1 << 16


class InTime(requests.adapters.HTTPAdapter):  # type: ignore[misc]  # requests has no types for us
    """A request's `timeout` is for all of its answer, but for what the body earns by coming."""

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = CONNECTIONS[pool.scheme]
        return pool


class _Wire(io.RawIOBase):
    """What comes through a socket until the deadline, then a TimeoutError."""

    def __init__(self, sock: Any, raw: io.RawIOBase) -> None:
        self._sock, self._raw, self._timeout = sock, raw, sock.gettimeout()
        self._deadline = time.monotonic() + self._timeout
        self.seconds_per_byte = 0.0  # by which the deadline moves

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(min(left, self._timeout))
        length = self._raw.readinto(buffer) or 0
        self._deadline += length * self.seconds_per_byte
        return length

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._wire = _Wire(sock, self.fp.detach())
        self.fp = io.BufferedReader(self._wire)

    def begin(self) -> None:
        super().begin()  # reads the head, of whatever length, in the bare time limit
        self._wire.seconds_per_byte = 1 / LEAST_BYTES_PER_SECOND


class _Connection(urllib3.connection.HTTPConnection):  # type: ignore[misc]
    response_class = _Answer


class _TlsConnection(urllib3.connection.HTTPSConnection):  # type: ignore[misc]
    response_class = _Answer


CONNECTIONS = {"http": _Connection, "https": _TlsConnection}
