"""What an answer may cost in time, bytes and headers.

Scrapy's and Twisted's own limits, checked against a hostile site (tests/crawl/test_hostile.py),
with their gaps closed. Twisted reads headers without end. Scrapy trusts every certificate unless
told otherwise, limits the time of each request but not of a page, stores a compressed body that
ends too early, and passes on each chunk, be it of one byte, at a cost of its own.
"""

from time import monotonic
from typing import Any

from scrapy import exceptions
from scrapy.core.downloader.handlers import http11
from twisted.internet.error import ConnectionDone
from twisted.web import _newclient
from twisted.web.client import HTTPConnectionPool
from twisted.web.http import _ChunkedTransferDecoder

from wellread.crawl.answers import lasting_cause
from wellread.crawl.blocklists import Lists
from wellread.crawl.config import CrawlConfig
from wellread.crawl.resolver import SETTING, GuardedResolver
from wellread.formats.decoding import ENCODINGS, decoded
from wellread.formats.refused import Refused

MAX_ROBOTS_BYTES = 500 * 1024  # RFC 9309, section 2.5: what a crawler must read at least
MAX_HEADER_BYTES = 256 * 1024  # ours: browsers take about as much
IDLE_SECONDS = 30.0  # ours: until a host's next turn; Twisted's 240 would hold thousands open
CUT_AT = "cut_at"  # in a request's meta: how much of the answer is wanted, and no more
STATUS = "status"  # in a request's meta: of an answer whose body did not come to its end
RECEIVED = "num_received"  # in its meta: bytes of an answer that may be cut, so far
SECONDS = "seconds_spent"  # in a request's meta: on the page so far, over redirects and retries


class _LimitedParser(http11._LenientHTTPClientParser):  # type: ignore[misc]  # Scrapy is untyped here
    """Reads an answer up to limits; answers of status 1xx before it count with it."""

    head_bytes = body_bytes = 0
    most_bytes = 0  # of a body as it is sent, set by the protocol

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        if self.state in (_newclient.STATUS, _newclient.HEADER):
            self.head_bytes += len(data)
            if self.head_bytes > MAX_HEADER_BYTES:
                raise Refused("header_flood")

    def lineLengthExceeded(self, _line: bytes) -> None:
        raise Refused("header_flood")

    def switchToBodyMode(self, decoder: Any) -> None:
        """Pass chunks on together: to Scrapy one of a byte is as much work as one of 64 KiB."""
        self._pieces: list[bytes] = []
        if isinstance(decoder, _ChunkedTransferDecoder):
            self._deliver, self._finish = decoder.dataCallback, decoder.finishCallback
            decoder.dataCallback, decoder.finishCallback = self._pieces.append, self._end
        super().switchToBodyMode(decoder)

    def rawDataReceived(self, data: bytes) -> None:
        self.body_bytes += len(data)
        if self.body_bytes > self.most_bytes:
            raise Refused("too_large")
        super().rawDataReceived(data)
        self._pass_on()

    def _end(self, rest: bytes) -> None:
        self._pass_on()
        self._finish(rest)

    def _pass_on(self) -> None:
        if self._pieces:
            whole = b"".join(self._pieces)
            self._pieces.clear()
            self._deliver(whole)


class _LimitedProtocol(http11._LenientHTTP11ClientProtocol):  # type: ignore[misc]
    most_bytes = 0

    def request(self, request: Any) -> Any:
        finished = super().request(request)
        if self._parser is not None:
            self._parser.__class__ = _LimitedParser  # as Scrapy does with the class above it
            self._parser.most_bytes = self.most_bytes
        return finished

    def _giveUp(self, reason: Any) -> None:
        """Hang up on who breaks the rules; TLS would wait for a farewell that need not come."""
        if not reason.check(ConnectionDone):
            self.transport.abortConnection()
        super()._giveUp(reason)


class ForgetfulPool(HTTPConnectionPool):  # type: ignore[misc]
    """Twisted's, which keeps an empty list for each host that it ever had a connection to."""

    def getConnection(self, key: Any, endpoint: Any) -> Any:
        connection = super().getConnection(key, endpoint)
        self._forget(key)
        return connection

    def _removeConnection(self, key: Any, connection: Any) -> None:
        super()._removeConnection(key, connection)
        self._forget(key)

    def _forget(self, key: Any) -> None:
        if not self._connections.get(key, True):
            del self._connections[key]


def _limited_factory(most_bytes: int) -> type:
    class Factory(http11._LenientHTTP11ClientFactory):  # type: ignore[misc]
        def buildProtocol(self, _addr: Any) -> Any:
            protocol = _LimitedProtocol(self._quiescentCallback)
            protocol.most_bytes = most_bytes
            return protocol

    return Factory


class GuardedHandler(http11.HTTP11DownloadHandler):  # type: ignore[misc]
    """Scrapy's for http and https, with a limit for heads and for the time of a whole page."""

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        config: CrawlConfig = crawler.settings[SETTING]
        self._request_seconds, self._page_seconds = config.timeout_seconds, config.page_seconds
        largest = max(config.max_page_bytes, MAX_ROBOTS_BYTES)
        self._pool.__class__ = ForgetfulPool  # as Scrapy does with parsers
        self._pool._factory = _limited_factory(largest + MAX_HEADER_BYTES)  # with its chunks' sizes
        self._pool.cachedConnectionTimeout = IDLE_SECONDS

    async def download_request(self, request: Any) -> Any:
        from twisted.internet import reactor  # which one is settled only once Scrapy runs

        resolver = reactor.nameResolver
        assert isinstance(resolver, GuardedResolver)
        spent = request.meta.get(SECONDS, 0.0)
        if spent >= self._page_seconds:
            raise exceptions.DownloadTimeoutError(f"{request.url}: out of time")
        request.meta["download_timeout"] = min(self._request_seconds, self._page_seconds - spent)
        started = monotonic()
        try:
            response = await super().download_request(request)
        except exceptions.CannotResolveHostError:
            if reason := resolver.refusal_for(request.url):
                raise Refused(reason) from None
            raise
        except ValueError:  # Twisted's, of a host that is no name
            raise Refused("bad_url") from None
        except Exception as error:
            if (broken_off := getattr(error.__cause__, "response", None)) is not None:
                request.meta[STATUS] = broken_off.code
            if reason := lasting_cause(error):
                raise Refused(reason) from error
            raise
        finally:
            request.meta[SECONDS] = spent + monotonic() - started
        if not 100 <= response.status <= 999:
            raise Refused("bad_response")
        return response


class LinkGuard:
    """Keeps requests from going out to what a list has, of robots.txt and redirects too."""

    def __init__(self, config: CrawlConfig) -> None:
        self._lists = Lists(config)

    @classmethod
    def from_crawler(cls, crawler: Any) -> "LinkGuard":
        return cls(crawler.settings[SETTING])

    def process_request(self, request: Any) -> None:
        if reason := self._lists.refusal(request.url):
            raise Refused(reason)


class Decoding:
    """A robots.txt as it was before its transfer; a page is decoded where it is judged."""

    def process_request(self, request: Any) -> None:
        request.headers.setdefault("Accept-Encoding", ENCODINGS)

    def process_response(self, request: Any, response: Any) -> Any:
        encodings = b",".join(response.headers.getlist("Content-Encoding")).decode("latin-1")
        if CUT_AT not in request.meta or response.status != 200 or not encodings:
            return response
        cut_at = request.meta[CUT_AT]
        is_cut = request.meta.get(RECEIVED, 0) > cut_at
        body = decoded(response.body, encodings, cut_at, is_start_enough=True, is_cut=is_cut)
        return response.replace(body=body)
