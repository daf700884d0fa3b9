"""The little web's Reddit: a dump of submissions as Reddit itself writes them, one JSON a line."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
import numpy as np

from wellread.base.manifest import Draft
from wellread.base.seeds import generator
from wellread.demo.site import Where, url_of
from wellread.formats.compressed import zstd

FIRST = int(datetime(2008, 1, 1, tzinfo=UTC).timestamp())
LAST = int(datetime(2017, 12, 31, tzinfo=UTC).timestamp())  # the paper's, section 2.1
AFTER = int(datetime(2018, 3, 1, tzinfo=UTC).timestamp())
MALFORMED = '{"id": "zzzzz", "score": 17, "url": "http://python.example/cut-sho'
SUBREDDITS = ("programming", "python", "learnprogramming", "compsci", "dataisbeautiful", "linux")
# How often, out of 100 pages that are linked to.
LOW_KARMA, RE_POSTED, LATE, OVER_18 = 15, 10, 3, 3
SELF_POSTS, WIKIPEDIA, MEDIA, DELETED = 6, 3, 4, 2
MEDIA_URLS = (
    "https://i.imgur.com/{}.jpg",
    "http://imgur.com/{}",
    "https://www.youtube.com/watch?v={}",
    "https://i.redd.it/{}.png",
)


def write_dump(draft: Draft, titles: Mapping[Where, str], odd: Sequence[Where], seed: int) -> int:
    """Write `dump/RS_demo.zst`; how many submissions it has, the malformed line not counted."""
    rng = generator(seed, "demo", "dump")
    submissions = [*_to_pages(titles, rng), *_to_oddities(odd), *_others(len(titles), rng)]
    low, high = FIRST, LAST
    times = np.sort(rng.integers(low, high, len(submissions)))
    order = rng.permutation(len(submissions))
    lines = []
    for number, (moment, at) in enumerate(zip(times, order, strict=True)):
        given = submissions[at]
        created = (
            AFTER + int(moment - low) % 10_000_000 if given.pop("late", False) else int(moment)
        )
        lines.append(msgspec.json.encode(_submission(number, created, given)))
    lines.insert(len(lines) // 2, MALFORMED.encode())
    draft.write("dump/RS_demo.zst", zstd.compress(b"\n".join(lines) + b"\n", 10))
    return len(submissions)


def _to_pages(titles: Mapping[Where, str], rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for where in sorted(titles):
        chance = rng.integers(0, 100, 4)
        url, title = url_of(where), titles[where]
        karma = int(rng.integers(-2, 3)) if chance[0] < LOW_KARMA else _karma(rng)
        given = {"url": url, "title": title, "score": karma}
        yield {**given, "over_18": bool(chance[1] < OVER_18), "late": bool(chance[2] < LATE)}
        if chance[3] < RE_POSTED:
            again = _respelled(where, int(chance[1]))
            yield {"url": again, "title": f"{title} (again)", "score": int(rng.integers(-2, 40))}


def _respelled(where: Where, choice: int) -> str:
    """The same page's address as people paste it."""
    host, path = where
    spellings = (
        f"http://{host}{path}?utm_source=reddit&utm_medium=social",
        f"http://{host}{path}#notes",
        f"HTTP://{host.upper()}{path}",
        f"http://{host}:80{path}",
    )
    return spellings[choice % len(spellings)]


def _to_oddities(odd: Sequence[Where]) -> Iterator[dict[str, Any]]:
    for where in odd:
        if where[1] != "/robots.txt":
            yield {"url": url_of(where), "title": "Have you seen this?", "score": 9}


def _others(num_pages: int, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """What is in every dump and leads to no page: self posts, media, Wikipedia, deleted ones."""

    def times(per_hundred: int) -> range:
        return range(max(2, num_pages * per_hundred // 100))

    for number in times(SELF_POSTS):
        text = "I read the manual twice and it still fails. What did you do?"
        yield {
            "is_self": True,
            "title": f"Question {number}",
            "selftext": text,
            "score": _karma(rng),
        }
    for number in times(WIKIPEDIA):
        url = f"https://en.wikipedia.org/wiki/Algorithm_{number}"
        yield {"url": url, "title": "From Wikipedia", "score": _karma(rng)}
    for number in times(MEDIA):
        url = MEDIA_URLS[number % len(MEDIA_URLS)].format(f"demo{number:04}")
        yield {"url": url, "title": "Look at this", "score": _karma(rng)}
    for _ in times(DELETED):
        gone = {"author": "[deleted]", "selftext": "[deleted]", "title": "[deleted by user]"}
        yield {**gone, "is_self": True, "score": _karma(rng)}


def _karma(rng: np.random.Generator) -> int:
    """At least 3 and now and then thousands, as karma is."""
    return 3 + int(min(rng.pareto(0.9) * 6, 30_000))


def _submission(number: int, created: int, given: Mapping[str, Any]) -> dict[str, Any]:
    """A submission with the fields of a real dump of these years."""
    name = _base36(1_000_000 + number)
    subreddit = SUBREDDITS[number % len(SUBREDDITS)]
    permalink = f"/r/{subreddit}/comments/{name}/"
    url = given.get("url", f"https://www.reddit.com{permalink}")
    is_self = given.get("is_self", False)
    defaults = {
        "archived": True,
        "author": f"reader{number % 97}",
        "created_utc": created,
        "domain": f"self.{subreddit}" if is_self else urlsplit(url).hostname,
        "edited": False,
        "gilded": 0,
        "id": name,
        "is_self": is_self,
        "num_comments": number % 41,
        "over_18": False,
        "permalink": permalink,
        "selftext": "",
        "stickied": False,
        "subreddit": subreddit,
        "subreddit_id": f"t5_{_base36(5_000 + number % len(SUBREDDITS))}",
        "thumbnail": "default",
        "url": url,
    }
    return {**defaults, **given}


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits
