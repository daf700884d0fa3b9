"""What the files of a crawl say of where their pages come from."""

import importlib.metadata

from wellread.crawl.config import CrawlConfig, user_agent


def provenance(config: CrawlConfig) -> list[tuple[str, str]]:
    """Fields of a warcinfo record, by the names of the WARC standard and of Dublin Core."""
    fields = [("software", f"wellread/{importlib.metadata.version('wellread')}")]
    if config.source == "web":
        fields += [("http-header-user-agent", user_agent(config)), ("robots", "obey")]
        if config.user_agent_contact:
            fields.append(("operator", config.user_agent_contact))
    elif config.source == "commoncrawl":
        crawls = ", ".join(config.commoncrawl_crawls)
        fields.append(("description", f"pages out of Common Crawl's {crawls}"))
    else:
        fields.append(("description", "pages out of other archives"))
    return fields
