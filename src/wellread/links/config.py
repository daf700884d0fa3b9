"""What decides which submissions count; the defaults are the paper's where it gives them."""

from datetime import date
from pathlib import Path
from typing import ClassVar, Literal

from msgspec import field

from wellread.base.config import Config

# The model card speaks of a blocklist of "sexually explicit or otherwise offensive" communities
# and does not publish it. Ours: well-known explicit ones, and ones that Reddit itself banned.
DEFAULT_SUBREDDITS = (
    *("amateur", "boobs", "gonewild", "holdthemoan", "legalteens", "milf", "nsfw"),
    *("nsfw_gif", "nsfw_gifs", "nsfw_videos", "nsfw2", "porn", "porn_gifs", "pornvids"),
    *("randomsexiness", "realgirls", "rule34", "sex_comics"),
    *("beatingwomen", "coontown", "creepshots", "cutefemalecorpses", "fatpeoplehate"),
    *("jailbait", "picsofdeadkids", "watchpeopledie"),
)


class LinksConfig(Config, frozen=True):
    """Settings of the stage `links`. Names of subreddits and domains are compared without case."""

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = frozenset({"threads"})

    min_karma: int = 3  # paper 2.1, "at least 3 karma"
    karma: Literal["best", "sum"] = "best"  # of a page posted several times: its best, or the sum
    until: date | None = date(2017, 12, 31)  # the last day that counts (UTC), paper 2.1
    own_lists: bool = True  # our lists of explicit or offensive subreddits and of media sites
    excluded_subreddits: list[str] = field(default_factory=list)  # besides our list
    excluded_domains: list[str] = field(default_factory=list)  # with their subdomains
    only_domains: list[str] = field(default_factory=list)  # if any: these and subdomains only
    subreddits_file: Path | None = None  # more excluded subreddits, one a line, `#` for comments
    domains_file: Path | None = None  # more excluded domains, likewise
    threads: int | None = None  # none: one for each core

    def __post_init__(self) -> None:
        if self.threads is not None and self.threads < 1:
            raise ValueError(f"threads is {self.threads}; at least 1 is needed")
        if abs(self.min_karma) > 2**53:
            raise ValueError(f"min_karma is {self.min_karma}; no post has so much")
