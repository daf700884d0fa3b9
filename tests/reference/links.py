"""Links of submissions, collected in a dictionary: the slow obvious version of `links.merge`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any


def merged(
    rows: Sequence[tuple[str, str, int, int, str]], *, sums_karma: bool
) -> list[dict[str, Any]]:
    """Of rows of URL, domain, karma, creation (s) and subreddit, one for each URL."""
    of_url: dict[str, list[tuple[int, int, str, str]]] = {}
    for url, domain, karma, created, subreddit in rows:
        of_url.setdefault(url, []).append((-karma, created, subreddit, domain))
    return [
        {
            "url": url,
            "domain": min(found)[3],
            "karma": -sum(row[0] for row in found) if sums_karma else -min(found)[0],
            "subreddit": min(found)[2],
            "created_utc": datetime.fromtimestamp(min(row[1] for row in found), UTC),
            "submissions": len(found),
            "subreddits": sorted({row[2] for row in found}),
        }
        for url, found in sorted(of_url.items())
    ]
