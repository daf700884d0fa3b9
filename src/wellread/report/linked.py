"""The report's section on links."""

from wellread.report.blocks import Cell, Column, Section, Table, count, share
from wellread.report.built import DOMAINS_SHOWN, absent
from wellread.report.evidence import LINKS, Evidence
from wellread.report.link_figures import months_and_karma


def the_links(evidence: Evidence) -> Section:
    title, artifact, found = "The links", evidence.first(LINKS), evidence.links
    if artifact is None or found is None:
        return Section(key="links", title=title, blocks=[absent(evidence, LINKS)], is_run=False)
    table = Table(
        key="sites",
        caption="The sites with most links",
        columns=[Column("site", "name"), Column("links", "number"), Column("of all", "number")],
        rows=[
            [Cell(row.name), count(row.links), share(row.links, found.links)]
            for row in found.domains[:DOMAINS_SHOWN]
        ],
        why=[evidence.why(artifact.name)],
        note="A site by its registered name, without the public suffix, as OpenAI counts "
        "WebText's.",
        is_folded=True,
    )
    drawn = [months_and_karma(found)] if found.links else []
    return Section(key="links", title=title, blocks=[*drawn, table], is_run=True)
