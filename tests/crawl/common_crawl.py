"""What the tests of the source "commoncrawl" share."""

from tests.sites.common_crawl import Captured, CommonCrawl
from wellread.crawl.config import CrawlConfig

CRAWL = "CC-MAIN-2017-51"
FILLER = [Captured(f"com,filler)/{n:03}", f"http://filler.com/{n:03}") for n in range(60)]


def settings(served: CommonCrawl, *crawls: str, **changes: object) -> CrawlConfig:
    given = {
        "source": "commoncrawl",
        "commoncrawl_crawls": list(crawls or [CRAWL]),
        "commoncrawl_base": served.base,
        "commoncrawl_patience_seconds": 0.0,
        "allow_hosts": ["127.0.0.1"],
        **changes,
    }
    return CrawlConfig(**given)  # type: ignore[arg-type]  # tests name any key
