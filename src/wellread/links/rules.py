"""The rules that a submission's link must pass, one row each; the first that refuses is counted."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from wellread.base.errors import InputError
from wellread.base.files import list_lines
from wellread.base.urls import canonical_url, registrable_domain
from wellread.links.config import DEFAULT_SUBREDDITS, LinksConfig
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
FILE_TYPES = frozenset(
    (
        *("bmp", "gif", "gifv", "ico", "jpg", "jpeg", "png", "psd", "svg", "tif", "tiff", "webp"),
        *("aac", "avi", "flac", "flv", "m4a", "m4v", "mkv", "mov", "mp3", "mp4", "mpg", "mpeg"),
        *("oga", "ogg", "ogv", "wav", "webm", "wma", "wmv"),
        *("7z", "apk", "bin", "bz2", "deb", "dmg", "exe", "gz", "iso", "jar", "msi", "rar"),
        *("rpm", "tar", "tgz", "torrent", "xz", "zip"),
        # documents that are not HTML
        *("doc", "docx", "epub", "mobi", "pdf", "pps", "ppt", "pptx", "ps", "rtf", "xls", "xlsx"),
        *("atom", "css", "csv", "eot", "js", "json", "rss", "swf", "ttf", "woff", "woff2", "xml"),
    )
)


DAY_SECONDS = 86_400


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The settings, ready for one look-up per submission."""

    min_karma: int
    end_utc: float  # the first second that no longer counts
    subreddits: frozenset[str]  # refused, lower case
    media: frozenset[str]  # registrable domains
    domains: frozenset[str]  # refused, lower case
    only_domains: frozenset[str]  # nothing but these, lower case; empty: no such rule


class Site(NamedTuple):
    """Where a submission points, as far as rules look at it."""

    host: str  # lower case
    domain: str  # registrable


NO_KARMA, LOW_KARMA = "karma not recorded", "karma below the minimum"
SUBMISSION_RULES: dict[str, Callable[[Submission, Policy], bool]] = {
    NO_KARMA: lambda post, _: post.score is None,
    LOW_KARMA: lambda post, policy: (post.score or 0) < policy.min_karma,
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
SITE_RULES: dict[str, Callable[[Site, Policy], bool]] = {
    BACK_TO_REDDIT: lambda site, _: site.domain in REDDIT,
    "site of pictures, video or short posts": lambda site, policy: site.domain in policy.media,
    "Wikipedia": lambda site, _: site.domain in WIKIPEDIA,
    "excluded domain": lambda site, policy: is_within(site.host, policy.domains),
    "not one of the only domains": lambda site, policy: (
        bool(policy.only_domains) and not is_within(site.host, policy.only_domains)
    ),
}
WRONG_FILE_TYPE = "file type that is not a page"


class Outbound(NamedTuple):
    """A link that passed every rule."""

    url: str  # canonical
    domain: str  # registrable


def policy_of(config: LinksConfig) -> Policy:
    """The rules' view of the settings."""
    end_utc = float("inf")
    if config.until is not None:
        end_utc = datetime.combine(config.until, time.min, tzinfo=UTC).timestamp() + DAY_SECONDS
    subreddits = [*config.excluded_subreddits, *_names_in(config.subreddits_file)]
    subreddits += DEFAULT_SUBREDDITS if config.own_lists else ()
    domains = [*config.excluded_domains, *_names_in(config.domains_file)]
    return Policy(
        # Sums are compared when all is read.
        min_karma=config.min_karma if config.karma == "best" else -(2**63),
        end_utc=end_utc,
        subreddits=frozenset(map(subreddit_name, subreddits)),
        media=MEDIA if config.own_lists else frozenset(),
        domains=frozenset(map(domain_name, domains)),
        only_domains=frozenset(map(domain_name, config.only_domains)),
    )


def subreddit_name(name: str) -> str:
    """
    >>> subreddit_name("r/Books")
    'books'
    """
    plain = name.strip().lower().strip("/").removeprefix("r/")
    if not plain.replace("_", "").replace("-", "").replace(".", "").isalnum():
        raise InputError(f"{name!r} is no name of a subreddit; expected one as in r/NAME")
    return plain


def domain_name(name: str) -> str:
    """
    >>> domain_name("*.Example.com"), domain_name("bücher.example")
    ('example.com', 'xn--bcher-kva.example')
    """
    plain = name.strip().lower().removeprefix("*").strip(".")
    canonical = canonical_url(f"http://{plain}/")
    if canonical is None or urlsplit(canonical).path != "/" or "/" in plain:
        raise InputError(f"{name!r} is no domain; expected one as example.com")
    return urlsplit(canonical).hostname or plain


def _names_in(file: Path | None) -> list[str]:
    return [name for _, name in list_lines(file)] if file else []


def judge(submission: Submission, policy: Policy) -> Outbound | str:
    """The canonical link of `submission`, or the reason of the first rule that refuses it."""
    for reason, refuses in SUBMISSION_RULES.items():
        if refuses(submission, policy):
            return reason
    return judge_url(linked_url(submission), policy)


def judge_url(url: str, policy: Policy) -> Outbound | str:
    """What `judge` says of a URL that a submission points to: of its canonical form."""
    canonical = canonical_url(url)
    if canonical is None:
        return BACK_TO_REDDIT if REDDIT_PATH.match(url) else NOT_AN_ADDRESS
    parts, domain = urlsplit(canonical), registrable_domain(canonical)
    if reason := judge_site(Site(parts.hostname or "", domain), policy):
        return reason
    _, dot, suffix = parts.path.rpartition(".")
    return WRONG_FILE_TYPE if dot and suffix.lower() in FILE_TYPES else Outbound(canonical, domain)


def judge_site(site: Site, policy: Policy) -> str | None:
    """The reason of the first rule that refuses all of a host's pages; None if none does."""
    return next((reason for reason, forbids in SITE_RULES.items() if forbids(site, policy)), None)


def is_within(host: str, domains: frozenset[str]) -> bool:
    """Whether `host` is one of `domains` or below one.

    >>> is_within("news.example.com", frozenset(["example.com"]))
    True
    """
    labels = host.split(".")
    return any(".".join(labels[start:]) in domains for start in range(len(labels)))
