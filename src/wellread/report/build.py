"""The stage `report`: a run's artifacts in, one page out, with its tables and figures beside it."""

import csv
import io
import os
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC
from pathlib import Path

import jinja2
import markupsafe

from wellread.base.errors import InputError
from wellread.base.manifest import Manifest, finished, read_manifest, writing
from wellread.base.progress import Progress, silent
from wellread.base.suggest import suggestion
from wellread.formats.comparisons import read_comparison
from wellread.report.account import the_chain, the_deviations, the_time
from wellread.report.beside_paper import beside_paper
from wellread.report.blocks import Fact, Figure, Section, Table, Way, big, printable
from wellread.report.built import the_models, what_was_built
from wellread.report.compared import compared, difference_numbers
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
from wellread.report.in_short import best_held_out, in_short
from wellread.report.linked import the_links
from wellread.report.markdown import to_markdown
from wellread.report.overlap import the_overlap
from wellread.report.planted import the_planted
from wellread.report.samples import the_samples
from wellread.report.scored import the_scores
from wellread.report.sized import the_sizes
from wellread.report.studied import the_study
from wellread.report.tokenized import the_tokenizer

# To a section that was not asked for it would lead nowhere.
INNER_LINK = re.compile(r'<a href="#([^"]+)">(.*?)</a>', re.DOTALL)
# None: the run has nothing that the section is about.
SECTIONS: tuple[Callable[[Evidence], Section | None], ...] = (
    in_short,
    what_was_built,
    the_links,
    the_corpus,
    the_tokenizer,
    the_models,
    the_sizes,
    the_design,
    the_planted,
    beside_paper,
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
    runs: str | Path | Sequence[str | Path],
    out: str | Path,
    config: ReportConfig,
    *,
    comparison: str | Path | None = None,
    progress: Progress = silent,
) -> Manifest:
    """Write `index.html`, `report.md`, `tables/` and `figures/` on the artifacts found in `runs`.

    Artifacts that are not there are printed as not run. Of several runs the page is about how they
    differ from the first, by the artifact `comparison`.
    """
    places = [Path(run) for run in ([runs] if isinstance(runs, str | Path) else runs)]
    out, comparison = Path(out), Path(comparison) if comparison else None
    found = [find_artifacts(run) for run in places]
    inputs = {"artifacts": [path for paths in found for path in paths]}
    if comparison is not None:
        inputs["comparison"] = [comparison]
    if done := finished(out, stage=OWN, config=config, inputs=inputs):
        return done
    with writing(out, stage=OWN, config=config, inputs=inputs) as draft:
        draft.facts["runs"] = [
            Path(os.path.relpath(run.resolve(), out.resolve())).as_posix() for run in places
        ]
        compares = read_comparison(comparison) if comparison is not None else None
        names = compares.runs if compares is not None else [None]
        evidences = [
            read_evidence(
                run,
                paths,
                out,
                samples=config.samples_per_model,
                name=name,
                is_one=compares is None,
            )
            for run, paths, name in zip(places, found, names, strict=True)
        ]
        if comparison is not None and compares is not None:
            command = f"wellread why {shlex.quote(os.path.relpath(comparison, out))}"
            sections = compared(evidences, compares, Way(comparison.name, "comparison", command))
            title = config.title or " and ".join(run.name for run in evidences)
            facts = difference_numbers(compares)
        else:
            sections = list(_sections(evidences[0], progress))
            title, facts = config.title or evidences[0].name, in_numbers(evidences[0])
        sections = _chosen(sections, config)
        newest = max(a.manifest.finished_at for one in evidences for a in one.artifacts)
        newest = newest.astimezone(UTC)
        date = f"{newest.day} {newest:%B %Y, %H:%M} UTC"
        draft.write("index.html", to_html(title, date, facts, sections).encode())
        draft.write("report.md", printable(to_markdown(title, date, facts, sections)).encode())
        for block in (block for section in sections for block in section.blocks):
            if isinstance(block, Table):
                draft.write(f"tables/{block.key}.csv", to_csv(block).encode())
            elif isinstance(block, Figure):
                draft.write(f"figures/{block.key}.svg", block.file)
        draft.counts["in"] = draft.counts["out"] = len(sections)
        draft.counts["artifacts"] = sum(map(len, found))
    return read_manifest(out)


def _sections(evidence: Evidence, progress: Progress) -> Iterator[Section]:
    for number, make in enumerate(SECTIONS):
        if (section := make(evidence)) is not None:
            progress(number + 1, len(SECTIONS), section.title)
            yield section


def _chosen(sections: list[Section], config: ReportConfig) -> list[Section]:
    keys = [section.key for section in sections]
    for name in config.sections:
        if name not in keys:
            raise InputError(
                f"sections: the report has none called {name!r}{suggestion(name, keys)}"
            )
    return [one for one in sections if not config.sections or one.key in config.sections]


def in_numbers(evidence: Evidence) -> list[Fact]:
    """The run in a row of numbers, from submissions to the best bits per byte."""
    facts: list[Fact] = []

    def add(number: float | None, name: str, text: str | None = None) -> None:
        if number is not None or facts:  # a corpus of files begins with documents
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
    best = best_held_out(evidence)
    add(best and best.bits, "best held-out bits per byte", f"{best.bits:.3f}" if best else None)
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
    page = environment.get_template("page.html.j2").render(
        title=title, date=date, facts=facts, sections=sections, style=markupsafe.Markup(style)
    )
    there = set(re.findall(r' id="([^"]+)"', page))
    return INNER_LINK.sub(lambda link: link[0] if link[1] in there else link[2], page)


def to_csv(table: Table) -> str:
    """Twelve digits where the page rounds; shares as fractions; intervals in columns of their own.

    Every column, those too that the page leaves out because they say nothing.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    ranged = [
        any(row[place].low is not None for row in table.rows) for place in range(len(table.columns))
    ]
    header = []
    for column, has_interval in zip(table.columns, ranged, strict=True):
        of = f"{column.name}, " if sum(ranged) > 1 else ""
        header += [column.name, *([f"{of}95 % from", f"{of}to"] if has_interval else [])]
    writer.writerow(header)
    for row in table.rows:
        values: list[object] = []
        for cell, has_interval in zip(row, ranged, strict=True):
            text = ", ".join(name for name, _ in cell.links) or cell.text
            values.append(text if cell.value is None else cell.value)
            values += [cell.low, cell.high] if has_interval else []
        writer.writerow(map(_in_file, values))
    return buffer.getvalue()


def _in_file(value: object) -> object:
    """Without the digits that only the binary form of a number has."""
    if isinstance(value, float):
        return f"{value:.12g}"
    return printable(value) if isinstance(value, str) else value
