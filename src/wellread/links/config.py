"""What decides which submissions count; the defaults are the paper's where it gives them."""

from datetime import date

import msgspec

from wellread.base.config import Config

# The model card speaks of a blocklist of "sexually explicit or otherwise offensive" communities
# and does not publish it. Ours: well-known explicit ones, and ones that Reddit itself banned.
EXCLUDED_SUBREDDITS = (
    *("amateur", "boobs", "gonewild", "holdthemoan", "legalteens", "milf", "nsfw"),
    *("nsfw_gif", "nsfw_gifs", "nsfw_videos", "nsfw2", "porn", "porn_gifs", "pornvids"),
    *("randomsexiness", "realgirls", "rule34", "sex_comics"),
    *("beatingwomen", "coontown", "creepshots", "cutefemalecorpses", "fatpeoplehate"),
    *("jailbait", "picsofdeadkids", "watchpeopledie"),
)


class LinksConfig(Config, frozen=True):
    """Settings of the stage `links`."""

    min_karma: int = 3  # paper 2.1, "at least 3 karma"
    until: date | None = date(2017, 12, 31)  # the last day that counts (UTC), paper 2.1
    excluded_subreddits: list[str] = msgspec.field(
        default_factory=lambda: list(EXCLUDED_SUBREDDITS)
    )
    excluded_domains: list[str] = msgspec.field(default_factory=list)  # with their subdomains
