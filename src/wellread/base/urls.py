"""One spelling for each address, and the domain that owns it."""

import re
from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

import tldextract
from w3lib.url import canonicalize_url, url_query_cleaner

# Parameters that name the visit and not the page; the usual campaign and click identifiers.
TRACKING_PREFIX = b"utm_"
TRACKING_NAMES = (
    *("fbclid", "gclid", "dclid", "msclkid", "igshid", "mc_cid", "mc_eid", "ref_src"),
)
TRACKING = re.compile(rf"(utm_\w+|{'|'.join(TRACKING_NAMES)})", re.ASCII)
HOST = re.compile(r"[a-z0-9._-]+")
DEFAULT_PORTS = {"http": 80, "https": 443}


def ascii_host(name: str) -> str | None:
    """A host's name, which is in lower case, as a request carries it; None if it is no name.

    >>> ascii_host("bücher.example"), ascii_host("a b.example") is None
    ('xn--bcher-kva.example', True)
    """
    try:
        plain = name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:  # a label too long
        return None
    return plain if HOST.fullmatch(plain) else None


def canonical_url(url: str) -> str | None:
    """The one spelling under which a page is stored, or None if `url` is not a web address.

    >>> canonical_url("HTTP://Example.com:80/a?b=2&utm_source=x&a=1#top")
    'http://example.com/a?a=1&b=2'
    >>> canonical_url("http://example.com./")
    'http://example.com/'
    >>> canonical_url("mailto:someone@example.com") is None
    True
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
        if parts.scheme not in DEFAULT_PORTS or not host:
            return None
    except ValueError:  # a port that is no number, an unclosed bracket
        return None
    # A host's name may end in the root's dot, and is the same then.
    named = f"[{host}]" if ":" in host else ascii_host(host.removesuffix("."))
    if named is None:
        return None
    netloc = named if port in (None, DEFAULT_PORTS[parts.scheme]) else f"{named}:{port}"
    query = _without_tracking(parts.query)
    plain = urlunsplit((parts.scheme, netloc, parts.path or "/", query, ""))
    return str(canonicalize_url(plain))


def _without_tracking(query: str) -> str:
    names = [pair.split("=", 1)[0] for pair in query.split("&")]
    tracking = [name for name in names if TRACKING.fullmatch(name)]
    if not tracking:
        return query
    cleaned = url_query_cleaner(f"http://x/?{query}", tracking, remove=True, unique=False)
    return str(urlsplit(cleaned).query)


@lru_cache(maxsize=1)
def _public_suffixes() -> tldextract.TLDExtract:
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)  # the list in the package


@lru_cache(maxsize=100_000)
def _domain_of_host(host: str) -> str:
    return _public_suffixes()(host).top_domain_under_public_suffix or host


def registered_name(domain: str) -> str:
    """What was registered under the public suffix, of a registrable domain; others as they are.

    >>> registered_name("bbc.co.uk"), registered_name("127.0.0.1")
    ('bbc', '127.0.0.1')
    """
    name, _, rest = domain.partition(".")
    return name if rest and _is_public_suffix(rest) else domain


@lru_cache(maxsize=10_000)
def _is_public_suffix(name: str) -> bool:
    return bool(_public_suffixes()(f"no--name.{name}").suffix == name)


def host_of(url: str) -> str:
    """The host's name, or "" if `url` has none.

    >>> host_of("http://Example.com:80/a"), host_of("file:a.txt"), host_of("http://[")
    ('example.com', '', '')
    """
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # an unclosed bracket
        return ""


def registrable_domain(url: str) -> str:
    """The domain that somebody registered, by the public suffix list shipped with tldextract.

    >>> registrable_domain("https://news.bbc.co.uk/story")
    'bbc.co.uk'
    >>> registrable_domain("http://127.0.0.1:8000/page")
    '127.0.0.1'
    >>> registrable_domain("file:notes.txt"), registrable_domain("http://[notes]/")  # no host
    ('', '')
    """
    return _domain_of_host(host_of(url))
