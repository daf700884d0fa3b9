"""Whether an answer is a page: one rule for the web, archives and Common Crawl."""

from wellread.crawl.policy import is_binary
from wellread.formats.pages import FETCHED, Outcome, Page, refusal
from wellread.formats.refused import Refused
from wellread.formats.replies import Reply, body_of


def page_of(reply: Reply, max_bytes: int) -> Page:
    """The page in an answer; Refused with the outcome of its link if there is none."""
    if reason := refusal(reply.status, reply.content_type) or reply.flaw:
        raise Refused(reason)
    body = body_of(reply, max_bytes)
    if is_binary(body, reply.content_type):
        raise Refused("not_a_page")
    return Page(
        url=reply.url,
        status=reply.status,
        content_type=reply.content_type,
        body=body,
        fetched_at=reply.fetched_at,
    )


def judged(reply: Reply, max_bytes: int) -> tuple[Outcome, Page | None]:
    """What an archived answer is to its link."""
    try:
        page = page_of(reply, max_bytes)
    except Refused as refused:
        return Outcome(url=reply.url, outcome=refused.outcome, status=reply.status), None
    num_bytes = len(page.body)
    return Outcome(url=reply.url, outcome=FETCHED, status=reply.status, num_bytes=num_bytes), page
