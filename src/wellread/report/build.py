"""The stage `report`: a run's artifacts in, one page out, with its tables and figures beside it."""

import csv
import io
from collections.abc import Callable
from datetime import UTC
from pathlib import Path

import jinja2
import markupsafe

from wellread.base.manifest import Manifest, finished, read_manifest, writing
from wellread.base.progress import Progress, silent
from wellread.report.account import the_chain, the_deviations, the_time
from wellread.report.blocks import Fact, Figure, Section, Table, big, printable
from wellread.report.built import the_links, the_models, the_tokenizer, what_was_built
from wellread.report.config import ReportConfig
from wellread.report.copying import the_copying
from wellread.report.corpus import the_corpus
from wellread.report.designed import the_design
from wellread.report.evidence import (
    CORPUS,
    CRAWL,
    LINKS,
    OWN,
    Evidence,
    find_artifacts,
    read_evidence,
)
from wellread.report.markdown import to_markdown
from wellread.report.overlap import the_overlap
from wellread.report.planted import the_planted
from wellread.report.scored import the_samples, the_scores
from wellread.report.sized import the_sizes
from wellread.report.studied import the_study

# None: the run has nothing that the section is about.
SECTIONS: tuple[Callable[[Evidence], Section | None], ...] = (
    what_was_built,
    the_links,
    the_corpus,
    the_tokenizer,
    the_models,
    the_sizes,
    the_design,
    the_planted,
    the_scores,
    the_study,
    the_overlap,
    the_copying,
    the_samples,
    the_time,
    the_deviations,
    the_chain,
)


def write_report(
    run: Path, out: Path, config: ReportConfig, *, progress: Progress = silent
) -> Manifest:
    """Write `index.html`, `report.md`, `tables/` and `figures/` on the artifacts found in `run`.

    Artifacts that are not there are printed as not run.
    """
    found = find_artifacts(run)
    inputs = {"artifacts": found}
    if done := finished(out, stage=OWN, config=config, inputs=inputs):
        return done
    with writing(out, stage=OWN, config=config, inputs=inputs) as draft:
        evidence = read_evidence(run, found, samples=config.samples_per_model)
        sections = []
        for number, make in enumerate(SECTIONS):
            if (section := make(evidence)) is not None:
                sections.append(section)
                progress(number + 1, len(SECTIONS), section.title)
        title = config.title or evidence.name
        facts = in_numbers(evidence)
        newest = max(a.manifest.finished_at for a in evidence.artifacts).astimezone(UTC)
        date = f"{newest.day} {newest:%B %Y, %H:%M} UTC"
        draft.write("index.html", to_html(title, date, facts, sections).encode())
        draft.write("report.md", printable(to_markdown(title, date, facts, sections)).encode())
        for block in (block for section in sections for block in section.blocks):
            if isinstance(block, Table):
                draft.write(f"tables/{block.key}.csv", to_csv(block).encode())
            elif isinstance(block, Figure):
                draft.write(f"figures/{block.key}.svg", block.file)
        draft.counts["in"] = draft.counts["out"] = len(sections)
        draft.counts["artifacts"] = len(found)
    return read_manifest(out)


def in_numbers(evidence: Evidence) -> list[Fact]:
    """The run in a row of numbers, from submissions to the best bits per byte."""
    facts = []

    def add(number: float | None, name: str, text: str | None = None) -> None:
        facts.append(Fact("not run" if number is None else text or f"{number:,.0f}", name))

    def counted(stage: str, place: str) -> int | None:
        artifact = evidence.first(stage)
        return artifact.manifest.counts.get(place) if artifact else None

    add(counted(LINKS, "in"), "submissions")
    add(counted(LINKS, "out"), "links")
    add(counted(CRAWL, "out"), "pages")
    add(counted(CORPUS, "out"), "documents")
    splits = evidence.tokens.splits.values() if evidence.tokens else None
    tokens = sum(split.num_tokens for split in splits) if splits is not None else None
    add(tokens, "tokens", big(tokens) if tokens else None)
    add(len(evidence.trainings) or None, "models")
    found = [run.artifact.manifest.facts["held_out_bits_per_byte"] for run in evidence.trainings]
    best = min(found, default=None)
    add(
        best,
        "held-out bits per byte in training, best",
        f"{best:.3f}" if best is not None else None,
    )
    return facts


def to_html(title: str, date: str, facts: list[Fact], sections: list[Section]) -> str:
    """The page, with everything that it shows inside it."""

    def shown(value: object) -> object:
        is_plain = isinstance(value, str) and not isinstance(value, markupsafe.Markup)
        return printable(str(value)) if is_plain else value

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "page"),
        autoescape=True,
        finalize=shown,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = environment.loader.get_source(environment, "style.css")[0]  # type: ignore[union-attr]
    return environment.get_template("page.html.j2").render(
        title=title, date=date, facts=facts, sections=sections, style=markupsafe.Markup(style)
    )


def to_csv(table: Table) -> str:
    """Full precision where the page rounds; shares as fractions."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([column.name for column in table.columns])
    for row in table.rows:
        values = [cell.text if cell.value is None else cell.value for cell in row]
        writer.writerow([printable(v) if isinstance(v, str) else v for v in values])
    return buffer.getvalue()
