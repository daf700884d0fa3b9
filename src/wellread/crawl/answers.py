"""What Scrapy's answers and exceptions mean."""

from typing import Any
from urllib.parse import urldefrag, urljoin

from w3lib.url import safe_url_string

REDIRECTS = {301, 302, 303, 307, 308}
# Scrapy's and Twisted's exceptions by class name; both packages renamed theirs between versions.
REASONS = {
    "CancelledError": "too_large",
    "CannotResolveHostError": "dns",
    "DNSLookupError": "dns",
    "DownloadCancelledError": "too_large",
    "DownloadTimeoutError": "timeout",
    "TCPTimedOutError": "timeout",
    "TimeoutError": "timeout",
}


def pairs(headers: Any) -> list[tuple[str, str]]:
    return [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, values in headers.items()
        for value in values
    ]


def header(response: Any, name: str) -> str:
    return str((response.headers.get(name) or b"").decode("latin-1"))


def redirect_target(response: Any) -> str | None:
    """The web address that a redirect leads to."""
    location = response.headers.get("Location")
    if response.status not in REDIRECTS or not location:
        return None
    try:
        target = urldefrag(urljoin(response.url, safe_url_string(location))).url
    except ValueError:
        return None
    return target if target.startswith(("http://", "https://")) else None


def milliseconds_of(meta: Any) -> int | None:
    seconds = meta.get("download_latency")
    return None if seconds is None else round(seconds * 1000)


def reason_of(error: Exception) -> str:
    if type(error).__name__ == "IgnoreRequest":
        return "robots_txt" if "robots.txt" in str(error) else "too_large"
    return REASONS.get(type(error).__name__, "connection")


def robots_verdict(error: Exception) -> str | None:
    """What robots.txt said of a request that failed; None: nothing that is known."""
    if type(error).__name__ != "IgnoreRequest" or "robots.txt" not in str(error):
        return None
    return "forbidden" if "Forbidden" in str(error) else "unreachable"
