"""What a crawl may do, and how patiently."""

import importlib.metadata
import re
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from msgspec import Meta, field

from wellread.base.config import Config
from wellread.base.errors import InputError

UNDER_WAY = 128  # links at a time, over all hosts
# Of pages under way, each as large as it may be; the process then takes some 750 MB in all.
OPEN_BYTES = 640 * 1024**2
MAX_PORT = 65_535
CONTACT = re.compile(r"(mailto:)?[!-~]+@[!-~]+\.[!-~]+|https?://[!-~]+")
CRAWL = re.compile(r"CC-MAIN-\d{4}(-\d{2}|-\d{4})?")
Seconds = Annotated[float, Meta(gt=0, le=24 * 3600.0)]
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

    # Manners and lists may change while a crawl is under way: they hold for what is asked next.
    WITHOUT_EFFECT: ClassVar[frozenset[str]] = frozenset(
        {
            *("commoncrawl_base", "commoncrawl_requests", "commoncrawl_patience_seconds"),
            *("user_agent_contact", "resolve", "requests_per_host", "delay_seconds"),
            *("max_wait_seconds", "max_outage_seconds", "timeout_seconds", "page_seconds"),
            *("retries", "segment_bytes", "blocklists", "takedown", "again"),
        }
    )

    source: Literal["web", "warc", "commoncrawl"] = "web"
    warcs: list[Path] = field(default_factory=list)  # files or folders, for source "warc"
    commoncrawl_crawls: list[str] = field(default_factory=list)  # such as CC-MAIN-2017-51
    commoncrawl_base: str = "https://data.commoncrawl.org/"  # where index and WARC files are
    # Common Crawl's own cc-downloader makes ten.
    commoncrawl_requests: Annotated[int, Meta(ge=1, le=10)] = 4  # at the same time
    commoncrawl_patience_seconds: Annotated[float, Meta(ge=0)] = 900.0  # with a server too busy
    user_agent_contact: str | None = None  # address or page that a site's owner can complain to
    # HOST or HOST:PORT that may lie at a private address.
    allow_hosts: list[str] = field(default_factory=list)
    # HOST or *.DOMAIN -> "ADDRESS:PORT" to connect to instead; allowed with it.
    resolve: dict[str, str] = field(default_factory=dict)
    requests_per_host: Annotated[int, Meta(ge=1)] = 1
    delay_seconds: Annotated[float, Meta(ge=0, le=24 * 3600.0)] = 1.0  # between requests to a host
    max_wait_seconds: Seconds = 300.0  # for a host that asks for patience
    # that one's own network is waited for; then the crawl ends, and can go on
    max_outage_seconds: Annotated[float, Meta(ge=0)] = 3600.0
    timeout_seconds: Seconds = 20.0  # of one request, to its last byte
    page_seconds: Seconds = 60.0  # of a page, over redirects and retries
    max_page_bytes: Annotated[int, Meta(ge=1)] = 5 * 1024**2  # after content decoding
    max_redirects: Annotated[int, Meta(ge=0)] = 5
    max_links_per_domain: Annotated[int, Meta(ge=1)] | None = None  # of one registrable domain
    # Plain lists, hosts files, or folders with files `domains`; outcomes bear the name.
    blocklists: dict[str, Path] = field(default_factory=dict)  # NAME=FILE: domains to keep out of
    # What it names is also removed from pages that are already there.
    takedown: Path | None = None  # a list of URLs, domains and PREFIX* to keep out
    # Outcomes, such as `timeout`, of a finished crawl whose links are asked for once more.
    again: list[str] = field(default_factory=list)
    # of a link after a time-out, a lost connection, a 5xx or a 429; three each of a host in trouble
    retries: Annotated[int, Meta(ge=0)] = 1
    segment_bytes: Annotated[int, Meta(ge=1)] = 1024**3  # after which a new file is begun
    # I/N: of the links only the Ith part of N (from 0), by a hash of the registrable domain.
    shard: str | None = None

    def __post_init__(self) -> None:
        parse_shard(self.shard)
        self._check_sources()
        for name in self.blocklists:
            if not re.fullmatch("[a-z0-9_]+", name):
                raise InputError(
                    f"crawl: blocklists has {name!r}; expected a name of a-z, 0-9 and _, which "
                    "outcomes then bear"
                )
        contact = self.user_agent_contact
        if contact is not None and not CONTACT.fullmatch(contact):
            raise InputError(
                f"crawl: user_agent_contact is {contact!r}; expected an address of mail or the web "
                "that the owner of a site can turn to"
            )
        for host, target in self.resolve.items():
            address, _, port = target.rpartition(":")
            if not address or not port.isdecimal() or int(port) > MAX_PORT:
                raise InputError(f"crawl: resolve.{host} is {target!r}; expected 'ADDRESS:PORT'")

    def _check_sources(self) -> None:
        if (self.source == "warc") != bool(self.warcs):
            raise InputError("crawl: give `warcs` together with source = 'warc', and only then")
        if self.again and self.source != "web":
            raise InputError("crawl: `again` is of source 'web'; archives stay as they are")
        if "fetched" in self.again:
            raise InputError("crawl: again has 'fetched'; pages that are there are kept")
        if "taken_down" in self.again:
            raise InputError("crawl: again has 'taken_down'; what was to go is not fetched anew")
        if (self.source == "commoncrawl") != bool(self.commoncrawl_crawls):
            raise InputError(
                "crawl: give `commoncrawl_crawls` together with source = 'commoncrawl', "
                "and only then"
            )
        for name in self.commoncrawl_crawls:
            if not CRAWL.fullmatch(name):
                raise InputError(f"crawl: {name!r} is no crawl; expected a name as CC-MAIN-2017-51")
        if not self.commoncrawl_base.startswith(("http://", "https://")):
            raise InputError(
                f"crawl: commoncrawl_base is {self.commoncrawl_base!r}; expected a web address"
            )

    @property
    def under_way(self) -> int:
        """Links at a time, over all hosts."""
        return max(1, min(UNDER_WAY, OPEN_BYTES // self.max_page_bytes))

    @property
    def host_retries(self) -> int:
        """How often a host is tried again that is not reached, or whose robots.txt is not read."""
        return 3 * self.retries


def user_agent(config: CrawlConfig) -> str:
    """Who visits, and where to complain."""
    version = importlib.metadata.version("wellread")
    contact = f" (+{config.user_agent_contact})" if config.user_agent_contact else ""
    return f"wellread/{version}{contact}"
