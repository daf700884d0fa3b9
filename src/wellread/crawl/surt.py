"""The key under which Common Crawl's index files an address: its SURT.

A sort-friendly reordering of the address: host names from the right, then port, path and query.
The key forgets what seldom matters (the scheme, `www.`, upper case, a last slash, the order of a
query's fields, session identifiers), so that two pages may share one; `match` tells them apart.

The rules are those of the Internet Archive's canonicalizer as its library `surt` 0.3.1 has them,
which writes Common Crawl's keys (github.com/commoncrawl/webarchive-indexing, through pywb). That
library may not be used here: it is under the AGPL. docs/decisions/0012-common-crawl.md says how
the two were compared.
"""

import re
from itertools import product
from urllib.parse import quote_from_bytes, unquote_to_bytes, urlsplit

from wellread.base.urls import canonical_url

MATCHES = ("exact", "scheme", "www", "slash")  # how a captured address is its link's, best first
PLAIN = re.compile(r"[!-~]*")
KEPT = "!\"$&'()*+,-./:;<=>?@[\\]^_`{|}~"  # what an escaped key has as it is
WWW = re.compile(r"^www\d*\.")
# ASP.NET's session in a path: (S(...)) or (...) before a page whose name ends in .aspx.
PATH_SESSION = re.compile(
    r"^(.*/)\((?:(?:[a-z]\([0-9a-z]{24}\))+|[0-9a-z]{24})\)/([^?]+\.aspx.*)$", re.IGNORECASE
)
QUERY_SESSIONS = [
    re.compile(rf"^(.*)(?:{field})(?:&(.*))?$", re.IGNORECASE)
    for field in (
        r"jsessionid=[0-9a-z]{32}",
        r"phpsessid=[0-9a-z]{32}",
        r"sid=[0-9a-z]{32}",
        r"aspsessionid[a-z]{8}=[a-z]{24}",
        r"cfid=[^&]+&cftoken=[^&]+",
    )
]


def surt_key(url: str) -> str:
    """The key of a web address that has a host.

    >>> surt_key("https://www.Example.com:8080/Path/?b=d&a=c")
    'com,example:8080)/path?a=c&b=d'
    """
    parts = urlsplit(url)
    host = WWW.sub("", (parts.hostname or "").strip("."))
    port = f":{parts.port}" if parts.port not in (None, 80, 443) else ""
    query = _query(parts.query)
    reversed_host = ",".join(reversed(host.split(".")))
    return f"{reversed_host}{port}){_path(parts.path)}" + (f"?{query}" if query else "")


def surt_keys(url: str) -> list[str]:
    """The keys that captures of a canonical address may have.

    A canonical address says `a=` where the page may have been linked as `?a`, and `+` where it may
    have been linked with `%20`: keys of the index tell these apart.

    >>> surt_keys("http://a.com/?x=1+2&y=")
    ['com,a)/?x=1+2&y=', 'com,a)/?x=1+2&y', 'com,a)/?x=1%202&y=', 'com,a)/?x=1%202&y']
    """
    address, mark, query = url.partition("?")
    if not mark:
        return [surt_key(url)]
    blanks = [query, re.sub(r"=(?=&|$)", "", query)]
    spaces = [("+", "+"), ("+", "%20")]
    spelt = [blank.replace(*space) for space, blank in product(spaces, blanks)]
    return list(dict.fromkeys(surt_key(f"{address}?{text}") for text in spelt))


def match(url: str, captured: str) -> str | None:
    """How `captured` is the page of the canonical `url`, one of MATCHES; None: it is another.

    >>> match("http://a.com/B", "https://www.a.com/B"), match("http://a.com/B", "http://a.com/b")
    ('www', None)
    """
    canonical = canonical_url(captured)
    if canonical == url:
        return "exact"
    if canonical is None:
        return None
    ours, theirs = urlsplit(url), urlsplit(canonical)
    hosts = [parts.netloc.removeprefix("www.") for parts in (ours, theirs)]
    paths = [parts.path.rstrip("/") for parts in (ours, theirs)]
    if hosts[0] != hosts[1] or paths[0] != paths[1] or ours.query != theirs.query:
        return None
    if ours.path != theirs.path:
        return "slash"
    return "scheme" if ours.netloc == theirs.netloc else "www"


def _path(path: str) -> str:
    if "%" in path or "//" in path or "/." in path or not PLAIN.fullmatch(path):
        path = _escaped(_without_dots(_unescaped(path)))
    path = path.lower() or "/"
    if session := PATH_SESSION.match(path):
        path = session[1] + session[2]
    return path[:-1] if path.endswith("/") and len(path) > 1 else path


def _query(query: str) -> str:
    if "%" in query or not PLAIN.fullmatch(query):
        query = _escaped(_unescaped(query))
    query = query.lower()
    if "id" in query:  # which all fields of sessions have
        for field in QUERY_SESSIONS:
            if found := field.match(query):
                query = found[1] + (found[2] or "")
    return "&".join(sorted(query.split("&"), key=lambda field: field.split("=", 1)))


def _unescaped(text: str) -> bytes:
    """`text` without its escapes, and theirs, to the last."""
    before, after = b"", unquote_to_bytes(text)
    while before != after:
        before, after = after, unquote_to_bytes(after)
    return after


def _escaped(text: bytes) -> str:
    return quote_from_bytes(text, safe=KEPT)


def _without_dots(path: bytes) -> bytes:
    kept: list[bytes] = []
    for part in path.split(b"/")[1:]:
        if part == b".." and kept:
            kept.pop()
        elif part != b".":
            kept.append(part)
    return b"/" + b"/".join([part for part in kept[:-1] if part] + kept[-1:])
