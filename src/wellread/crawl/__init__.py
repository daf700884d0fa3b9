"""Links become pages: fetched politely from the web, or taken out of WARC files one already has."""

from wellread.base.modules import make_callable

make_callable(__name__, "wellread.crawl.stage:crawl")
