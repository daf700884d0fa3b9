"""Why links have no page, in words: `crawl` counts by the names of outcomes."""

import re

WORDS = {
    "not_a_page": "neither HTML nor plain text",
    "bad_url": "no usable web address",
    "scheme": "neither http nor https",
    "taken_down": "taken down on request",
    "domain_limit": "enough links of the domain before it",
    "robots_txt": "robots.txt forbids it",
    "robots_failed": "robots.txt could not be read",
    "crawl_delay": "robots.txt asks for longer rests",
    "host_gave_up": "the host asked to be left alone",
    "host_unreachable": "the host did not answer",
    "dns": "the name has no address",
    "private_address": "not on the public internet",
    "bad_port": "a port that browsers refuse",
    "tls": "no valid certificate",
    "connection": "the connection broke",
    "timeout": "took too long",
    "too_many_redirects": "too many redirects",
    "header_flood": "too long a head",
    "bad_response": "no valid HTTP",
    "truncated": "cut short",
    "too_large": "too large",
    "bad_encoding": "not as its encoding says",
    "over_18": "marked as over 18",
}
_STATUS = re.compile(r"http_(\d+)")


def reason_words(reason: str) -> str:
    """
    >>> reason_words("http_404"), reason_words("blocked_ads"), reason_words("self post")
    ('status 404', 'in the blocklist ads', 'self post')
    """
    if status := _STATUS.fullmatch(reason):
        return f"status {status[1]}"
    if reason.startswith("blocked_"):
        return f"in the blocklist {reason.removeprefix('blocked_')}"
    return WORDS.get(reason, reason)
