"""What Scrapy's answers and exceptions mean."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urldefrag, urljoin

from OpenSSL import SSL
from scrapy import exceptions
from service_identity.exceptions import VerificationError
from twisted.web import _newclient
from twisted.web.http import _MalformedChunkedDataError
from w3lib.url import safe_url_string

from wellread.crawl.policy import url_refusal, without_credentials
from wellread.formats.refused import SILENT, Refused

REDIRECTS = {301, 302, 303, 307, 308}
ASKED_TOO_MUCH = {429, 503}  # so says a host, perhaps with a Retry-After
AGAIN = {408, 429, 500, 502, 503, 504, 522, 524}  # worth a second try: Scrapy's RETRY_HTTP_CODES
UNANSWERED = SILENT - {"tls"}  # failures of a host that may pass
RETRIED = UNANSWERED | {"truncated"}
UNCONNECTED = {"bad_port", "bad_url", "private_address"}  # found out before any connection
OUTCOMES = {
    exceptions.CannotResolveHostError: "dns",
    exceptions.DownloadCancelledError: "too_large",
    exceptions.DownloadTimeoutError: "timeout",
    exceptions.NotSupported: "scheme",
    exceptions.ResponseDataLossError: "truncated",
}
# KeyError: an unknown transfer encoding; ValueError: a length that is no number.
MALFORMED = (_newclient.ParseError, _MalformedChunkedDataError, KeyError, ValueError)


def pairs(headers: Any) -> list[tuple[str, str]]:
    return [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, values in headers.items()
        for value in values
    ]


def header(response: Any, name: str) -> str:
    return str((response.headers.get(name) or b"").decode("latin-1"))


def milliseconds_of(meta: Any) -> int | None:
    seconds = meta.get("download_latency")
    return None if seconds is None else round(seconds * 1000)


def redirect_target(response: Any) -> str | None:
    """Where an answer sends on to, or None if it does not; Refused if that may not be asked for."""
    location = response.headers.get("Location")
    if response.status not in REDIRECTS or not location:
        return None
    try:
        target = urljoin(response.url, safe_url_string(location.strip()))
        target = urldefrag(without_credentials(target)).url
    except ValueError:  # an unclosed bracket, a port that is no number
        raise Refused("bad_url") from None
    if reason := url_refusal(target):
        raise Refused(reason)
    return str(safe_url_string(target))


def outcome_of(error: BaseException) -> str:
    """The outcome of a link whose request ended with `error`."""
    if isinstance(error, Refused):
        return error.outcome
    return next((name for kind, name in OUTCOMES.items() if isinstance(error, kind)), "connection")


def lasting_cause(error: BaseException) -> str | None:
    """The outcome of a failure that asking again would not change, else None."""
    for cause in _causes(error):
        if isinstance(cause, Refused):
            return cause.outcome
        # A connection that is cut during the handshake or later is no matter of certificates.
        is_cut = isinstance(cause, SSL.SysCallError) or "unexpected eof" in str(cause)
        if isinstance(cause, (SSL.Error, VerificationError)) and not is_cut:
            return "tls"
        if isinstance(cause, MALFORMED):
            return "bad_response"
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what lies beneath; Twisted wraps a request's failures in lists."""
    while error is not None:
        yield error
        for reason in getattr(error, "reasons", ()):
            yield from _causes(reason.value)
        error = error.__cause__
