"""Lists of what a crawl keeps out of: domains by the million, and what owners had taken down."""

import hashlib
import logging
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from wellread.base.errors import InputError
from wellread.base.files import list_lines
from wellread.base.urls import ascii_host, canonical_url
from wellread.crawl.config import CrawlConfig

log = logging.getLogger(__name__)
# Host names as lists have them: underscores too, and at least two labels, which leaves out a hosts
# file's own `localhost`.
DOMAIN = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+")


class DomainList:
    """Domains with all below them, in 8 bytes each.

    Kept are 64 bits of BLAKE2b: of 10 million domains, one host in 2 * 10^12 is taken for listed.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._hashes = array("Q", map(_hash, names))
        np.frombuffer(self._hashes, np.uint64).sort()  # in place: the array lends its memory

    @classmethod
    def read(cls, path: Path) -> "DomainList":
        """The domains of `path`; the layouts are those of `domains_in`."""
        return cls(domains_in(path))

    def covers(self, url: str) -> bool:
        """Whether the host of `url`, or a domain above it, is listed."""
        return any(self._has(name) for name in _host_and_parents(urlsplit(url).hostname or ""))

    def _has(self, name: str) -> bool:
        wanted = _hash(name)
        place = bisect_left(self._hashes, wanted)
        return place < len(self._hashes) and self._hashes[place] == wanted


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest())


def _host_and_parents(host: str) -> Iterator[str]:
    """
    >>> list(_host_and_parents("a.b.com"))
    ['a.b.com', 'b.com']
    """
    host = host.rstrip(".")
    yield host
    while "." in (host := host.partition(".")[2]):
        yield host


def list_files(path: Path) -> list[Path]:
    return sorted(path.rglob("domains")) if path.is_dir() else [path]


def domains_in(path: Path) -> Iterator[str]:
    """The domains of a list: one a line, or a hosts file; or every file `domains` below a folder.

    The folder is the layout of the University of Toulouse's lists (UT1), the hosts file that of
    StevenBlack's. Lines that name no domain are passed over and counted in a warning; a list
    without any domain is an InputError.
    """
    found = num_bad = 0
    first_bad = ""
    for file in list_files(path):
        for number, line in list_lines(file):
            names = [line] if DOMAIN.fullmatch(line) else _domains_of(line)  # nearly all are plain
            if names is None:
                num_bad += 1
                first_bad = first_bad or f"{file}:{number}: {line[:80]!r}"
                continue
            found += len(names)
            yield from names
    if not found:
        bad = f"; {first_bad} is none" if first_bad else ""
        layout = "files named `domains` with " if path.is_dir() else ""
        raise InputError(f"{path}: no domains here{bad}; expected {layout}one domain a line")
    if num_bad:
        log.warning("%s: %d lines name no domain (first %s)", path, num_bad, first_bad)


def _domains_of(line: str) -> list[str] | None:
    """The domains of a line, none if it is a hosts file's own, or None if it is something else."""
    words = line.split()
    if len(words) > 1 and _is_address(words[0]):
        return [name for word in words[1:] if (name := _domain(word))]
    name = _domain(line) if len(words) == 1 else None
    return None if name is None else [name]


def _domain(word: str) -> str | None:
    """
    >>> _domain("*.Example.COM."), _domain("bücher.example"), _domain("not/one")
    ('example.com', 'xn--bcher-kva.example', None)
    """
    name = ascii_host(word.lower().removeprefix("*").strip("."))
    return name if name and DOMAIN.fullmatch(name) else None


def _is_address(word: str) -> bool:
    try:
        ip_address(word.partition("%")[0])
    except ValueError:
        return False
    return True


class TakedownList:
    """What owners had taken down: addresses, domains with all below them, and prefixes.

    http and https are one here, and an address is met in any spelling that is canonically the same.
    """

    def __init__(self, urls: set[str], prefixes: set[str], domains: set[str]) -> None:
        self._urls, self._prefixes, self._domains = urls, prefixes, domains
        self._lengths = sorted({len(prefix) for prefix in prefixes})

    @classmethod
    def read(cls, path: Path) -> "TakedownList":
        """One of them a line; what is none of them is an InputError with its line."""
        urls, prefixes, domains = set[str](), set[str](), set[str]()
        for number, line in list_lines(path):
            is_prefix = line.endswith("*")
            place = _place(line.removesuffix("*"))
            if place is not None:
                (prefixes if is_prefix else urls).add(place)
            elif (name := _domain(line)) and "/" not in line:
                domains.add(name)
            else:
                raise InputError(
                    f"{path}:{number}: {line[:80]!r}; expected a URL, a domain, or a "
                    "URL's beginning with * behind it"
                )
        if not (urls or prefixes or domains):
            raise InputError(f"{path}: nothing to take down; expected a URL or domain a line")
        return cls(urls, prefixes, domains)

    def covers(self, url: str) -> bool:
        """Whether what lies at `url` is to be taken down."""
        place = _place(url)
        if place is None:
            return False
        if place in self._urls or any(place[:size] in self._prefixes for size in self._lengths):
            return True
        host = urlsplit(f"//{place}").hostname or ""
        return any(name in self._domains for name in _host_and_parents(host))


class Lists:
    """All that the settings of a crawl keep it out of."""

    def __init__(self, config: CrawlConfig) -> None:
        self._blocked = {name: DomainList.read(path) for name, path in config.blocklists.items()}
        self._takedown = TakedownList.read(config.takedown) if config.takedown else None

    def refusal(self, url: str) -> str | None:
        """The outcome of a link to `url` if a list has it."""
        for name, domains in self._blocked.items():
            if domains.covers(url):
                return f"blocked_{name}"
        return "taken_down" if self._takedown is not None and self._takedown.covers(url) else None


def _place(url: str) -> str | None:
    """
    >>> _place("HTTPS://a.com:443/b#c"), _place("a.com")
    ('a.com/b', None)
    """
    canonical = canonical_url(url)
    return None if canonical is None else canonical.partition("://")[2]
