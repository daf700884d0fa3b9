"""What a crawl may do, and how patiently."""

import re
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, field

from wellread.base.config import Config
from wellread.base.errors import InputError

CRAWL = re.compile(r"CC-MAIN-\d{4}(-\d{2}|-\d{4})?")
Seconds = Annotated[float, Meta(gt=0, le=24 * 3600.0)]


class CrawlConfig(Config, frozen=True):
    """The defaults are a polite crawl of the real web; the paper says nothing of its own."""

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
    delay_seconds: Annotated[float, Meta(ge=0, le=24 * 3600.0)] = (
        1.0  # between requests to one host
    )
    timeout_seconds: Seconds = 20.0  # of one request, to its last byte
    page_seconds: Seconds = 60.0  # of a page, over redirects and retries
    max_page_bytes: Annotated[int, Meta(ge=1)] = 5 * 1024**2  # after content decoding
    max_redirects: Annotated[int, Meta(ge=0)] = 5
    max_links_per_domain: Annotated[int, Meta(ge=1)] | None = None  # of one registrable domain
    # Plain lists, hosts files, or folders with files `domains`; outcomes bear the name.
    blocklists: dict[str, Path] = field(default_factory=dict)  # NAME=FILE: domains to keep out of
    # What it names is also removed from pages that are already there.
    takedown: Path | None = None  # a list of URLs, domains and PREFIX* to keep out
    retries: Annotated[int, Meta(ge=0)] = 1  # after a time-out, a lost connection, a 5xx or a 429

    def __post_init__(self) -> None:
        if (self.source == "warc") != bool(self.warcs):
            raise InputError("crawl: give `warcs` together with source = 'warc', and only then")
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
        for name in self.blocklists:
            if not re.fullmatch("[a-z0-9_]+", name):
                raise InputError(
                    f"crawl: blocklists has {name!r}; expected a name of a-z, 0-9 and _, which "
                    "outcomes then bear"
                )
        for host, target in self.resolve.items():
            address, _, port = target.rpartition(":")
            if not address or not port.isdecimal():
                raise InputError(f"crawl: resolve.{host} is {target!r}; expected 'ADDRESS:PORT'")
