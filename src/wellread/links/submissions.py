"""A submission as dumps since 2005 record it: only the fields that decide about its link."""

from typing import Annotated

import msgspec

LAST_SECOND = 253_402_300_799  # of the year 9999
MAX_KARMA = 2**53


class Submission(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One post. Fields that some years of the dumps lack are None."""

    created_utc: Annotated[int, msgspec.Meta(ge=0, le=LAST_SECOND)]
    score: Annotated[int, msgspec.Meta(ge=-MAX_KARMA, le=MAX_KARMA)] | None = None  # its karma
    subreddit: str | None = None
    url: str | None = None
    url_overridden_by_dest: str | None = None  # since 2019: where a link post really points
    domain: str | None = None
    is_self: bool | None = None
    over_18: bool | None = None


_DECODER = msgspec.json.Decoder(Submission, strict=False)  # some years write numbers as strings


def decode_submission(line: bytes) -> Submission:
    """The submission in a line of JSON; msgspec.DecodeError says what is malformed.

    >>> decode_submission(b'{"created_utc": "1119552233", "score": "183", "title": "x"}').score
    183
    """
    return _DECODER.decode(line)


def is_self_post(submission: Submission) -> bool:
    """Whether it is a text of its own; where `is_self` is missing its domain says `self.NAME`."""
    if submission.is_self is not None:
        return submission.is_self
    return (submission.domain or "").startswith("self.")


def linked_url(submission: Submission) -> str:
    """Where the post points, empty if nowhere. Reddit's API escapes `&`, `<` and `>`.

    >>> linked_url(Submission(created_utc=0, url="http://a.com/?x=1&amp;y=2"))
    'http://a.com/?x=1&y=2'
    """
    url = submission.url_overridden_by_dest or submission.url or ""
    if "&" in url:
        url = url.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return url.strip()
