"""The rules that a submission's link must pass, one row each; the first that refuses is counted."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from wellread.base.urls import canonical_url, registrable_domain
from wellread.links.config import LinksConfig
from wellread.links.submissions import Submission, is_self_post, linked_url

REDDIT = frozenset(
    ("reddit.com", "redd.it", "redditmedia.com", "redditstatic.com", "reddituploads.com")
)
WIKIPEDIA = frozenset(("wikipedia.org", "wikipedia.com"))
# Sites of pictures, video, sound or short posts. None is among WebText's 1,000 most frequent
# domains (openai/gpt-2, domains.txt), which several would lead if the paper had kept them.
MEDIA = frozenset(
    (
        *("500px.com", "bandcamp.com", "blip.tv", "collegehumor.com", "dailymotion.com"),
        *("deviantart.com", "ebaumsworld.com", "facebook.com", "fbcdn.net"),
        *("flickr.com", "funnyordie.com", "gfycat.com", "giphy.com", "gyazo.com"),
        *("imageshack.us", "imgflip.com", "imgur.com", "instagram.com", "liveleak.com"),
        *("livememe.com", "memegenerator.net", "metacafe.com", "minus.com", "photobucket.com"),
        *("qkme.me", "quickmeme.com", "smugmug.com", "soundcloud.com", "spotify.com"),
        *("staticflickr.com", "streamable.com", "tinypic.com", "twimg.com", "twitch.tv"),
        *("twitter.com", "vimeo.com", "vine.co", "youtu.be"),
        *("youtube.com", "ytimg.com"),
    )
)
FILE_TYPE = re.compile(
    r"""\.(
      bmp|gif|gifv|ico|jpe?g|png|psd|svg|tiff?|webp               # pictures
    | aac|avi|flac|flv|m4a|m4v|mkv|mov|mp3|mp4|mpe?g|og[agv]|wav|webm|wm[av]
    | 7z|apk|bin|bz2|deb|dmg|exe|gz|iso|jar|msi|rar|rpm|tar|tgz|torrent|xz|zip
    | docx?|epub|mobi|pdf|pps|pptx?|ps|rtf|xlsx?                 # documents that are not HTML
    | atom|css|csv|eot|js|json|rss|swf|ttf|woff2?|xml
    )$""",
    re.IGNORECASE | re.VERBOSE,
)


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The settings, ready for one look-up per submission."""

    min_karma: int
    end_utc: float  # the first second that no longer counts
    subreddits: frozenset[str]  # refused, lower case
    domains: frozenset[str]  # refused, lower case


class Address(NamedTuple):
    """Where a submission points, before its URL is made canonical."""

    host: str
    domain: str  # registrable
    path: str


SUBMISSION_RULES: dict[str, Callable[[Submission, Policy], bool]] = {
    "karma not recorded": lambda post, _: post.score is None,
    "karma below the minimum": lambda post, policy: (post.score or 0) < policy.min_karma,
    "self post": lambda post, _: is_self_post(post),
    "over_18": lambda post, _: bool(post.over_18),
    "after the last day": lambda post, policy: post.created_utc >= policy.end_utc,
    "excluded subreddit": lambda post, policy: (post.subreddit or "").lower() in policy.subreddits,
    "no outbound URL": lambda post, _: linked_url(post) in ("", "[deleted]"),
}
# A cross-post of a self post has a path on Reddit as its URL.
REDDIT_PATH = re.compile(r"/(r|u|user)/")
NOT_AN_ADDRESS = "not a web address"
BACK_TO_REDDIT = "links back to Reddit"
ADDRESS_RULES: dict[str, Callable[[Address, Policy], bool]] = {
    BACK_TO_REDDIT: lambda address, _: address.domain in REDDIT,
    "site of pictures, video or short posts": lambda address, _: address.domain in MEDIA,
    "Wikipedia": lambda address, _: address.domain in WIKIPEDIA,
    "excluded domain": lambda address, policy: is_within(address.host, policy.domains),
    "file type that is not a page": lambda address, _: bool(FILE_TYPE.search(address.path)),
}


class Outbound(NamedTuple):
    """A link that passed every rule."""

    url: str  # canonical


def policy_of(config: LinksConfig) -> Policy:
    """The rules' view of the settings."""
    end_utc = float("inf")
    if config.until is not None:
        last_day = datetime.combine(config.until, time.min, tzinfo=UTC)
        end_utc = (last_day + timedelta(days=1)).timestamp()
    return Policy(
        min_karma=config.min_karma,
        end_utc=end_utc,
        subreddits=frozenset(name.lower() for name in config.excluded_subreddits),
        domains=frozenset(name.lower() for name in config.excluded_domains),
    )


def judge(submission: Submission, policy: Policy) -> Outbound | str:
    """The canonical link of `submission`, or the reason of the first rule that refuses it."""
    for reason, refuses in SUBMISSION_RULES.items():
        if refuses(submission, policy):
            return reason
    url = linked_url(submission)
    address = address_of(url)
    if address is None:
        return BACK_TO_REDDIT if REDDIT_PATH.match(url) else NOT_AN_ADDRESS
    for reason, forbids in ADDRESS_RULES.items():
        if forbids(address, policy):
            return reason
    # Last, because it costs more than all the rules together.
    canonical = canonical_url(url)
    return Outbound(canonical) if canonical else NOT_AN_ADDRESS


def address_of(url: str) -> Address | None:
    """The parts of an http or https URL that rules look at; None if it is no such URL."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
        if parts.scheme not in ("http", "https") or not host:
            return None
        return Address(host, registrable_domain(url), parts.path)
    except ValueError:  # an unclosed bracket, a host that is no name
        return None


def is_within(host: str, domains: frozenset[str]) -> bool:
    """Whether `host` is one of `domains` or below one.

    >>> is_within("news.example.com", frozenset(["example.com"]))
    True
    """
    labels = host.split(".")
    return any(".".join(labels[start:]) in domains for start in range(len(labels)))
