"""What a crawl would take, for a person who decides whether to begin it."""

from pathlib import Path

from wellread.base.errors import InputError
from wellread.cli import show
from wellread.crawl.config import CrawlConfig


def prospect(links: Path, out: Path | None, config: CrawlConfig, *, json: bool) -> None:
    """Say how much there is to fetch, and how long that takes; fetches nothing."""
    if config.source == "warc":
        raise InputError("crawl: --dry-run is for the web and Common Crawl; archives are only read")
    if config.source == "web":
        from wellread.crawl.estimate import describe, estimate

        found = estimate(links, config)
        show.print_json(found) if json else show.out.print(describe(found), markup=False)
        return
    from wellread.crawl.commoncrawl import describe as describe_found
    from wellread.crawl.stage import survey

    if out is None:
        raise InputError(
            "crawl: name an --out directory; looking links up in Common Crawl is the longest part "
            "of it, and the crawl then goes on from there"
        )
    with show.progress("crawl") as progress:
        known = survey(links, out, config, progress=progress)
    show.print_json(known) if json else show.out.print(describe_found(known), markup=False)
