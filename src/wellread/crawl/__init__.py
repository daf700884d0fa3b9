"""Links become pages: fetched politely from the web, or taken out of WARC files one already has."""

from wellread.crawl.config import CrawlConfig
from wellread.crawl.stage import crawl

__all__ = ["CrawlConfig", "crawl"]
