"""What a crawl may do, and how patiently."""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, field

from wellread.base.config import Config
from wellread.base.errors import InputError
from wellread.formats.segments import SEGMENT_BYTES

UNDER_WAY = 128  # links at a time, over all hosts
Shard = tuple[int, int]  # number I of N, from 0
ALL: Shard = (0, 1)


def parse_shard(text: str | None) -> Shard:
    """
    >>> parse_shard("0/4"), parse_shard(None)
    ((0, 4), (0, 1))
    """
    if text is None:
        return ALL
    number, _, of = text.partition("/")
    if not (number.isdecimal() and of.isdecimal() and int(number) < int(of)):
        raise InputError(f"crawl: shard is {text!r}; expected I/N with I from 0 to N-1, as in 0/4")
    return int(number), int(of)


class CrawlConfig(Config, frozen=True):
    """The defaults are a polite crawl of the real web; the paper says nothing of its own."""

    source: Literal["web", "warc"] = "web"
    warcs: list[Path] = field(default_factory=list)  # files or folders, for source "warc"
    user_agent_contact: str | None = None  # address or page that a site's owner can complain to
    # HOST or HOST:PORT that may lie at a private address.
    allow_hosts: list[str] = field(default_factory=list)
    # HOST or *.DOMAIN -> "ADDRESS:PORT" to connect to instead; allowed with it.
    resolve: dict[str, str] = field(default_factory=dict)
    requests_per_host: Annotated[int, Meta(ge=1)] = 1
    delay_seconds: Annotated[float, Meta(ge=0)] = 1.0  # between requests to one host
    max_wait_seconds: Annotated[float, Meta(gt=0)] = 300.0  # for a host that asks for patience
    timeout_seconds: Annotated[float, Meta(gt=0)] = 20.0
    max_page_bytes: Annotated[int, Meta(ge=1)] = 5 * 1024**2  # after content decoding
    max_redirects: Annotated[int, Meta(ge=0)] = 5
    retries: Annotated[int, Meta(ge=0)] = 1  # after a time-out, a lost connection, a 5xx or a 429

    segment_bytes: Annotated[int, Meta(ge=1)] = SEGMENT_BYTES  # after which a new file is begun
    # I/N: of the links only the Ith part of N (from 0), by a hash of the registrable domain.
    shard: str | None = None

    def __post_init__(self) -> None:
        parse_shard(self.shard)
        if (self.source == "warc") != bool(self.warcs):
            raise InputError("crawl: give `warcs` together with source = 'warc', and only then")
        for host, target in self.resolve.items():
            address, _, port = target.rpartition(":")
            if not address or not port.isdecimal():
                raise InputError(f"crawl: resolve.{host} is {target!r}; expected 'ADDRESS:PORT'")
