"""Commands on a corpus: `corpus plant`, `report`, `explain`."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from wellread.cli import show, show_corpus
from wellread.cli.options import FiguresOut, Json, Out, WebtextDomains, takes_settings
from wellread.cli.stages import do_stage
from wellread.corpus.config import PlantConfig
from wellread.formats import corpus_report

Corpus = Annotated[Path, typer.Argument(help="What `wellread corpus` wrote.")]


def register(app: typer.Typer) -> None:
    for command in (plant, report, explain):
        app.command(command.__name__)(command)


@takes_settings(PlantConfig, "plant")
def plant(corpus: Corpus, out: Out, config: PlantConfig, json: Json = False) -> None:
    """Put demonstrations of two toy tasks in the training documents of a corpus.

    What a model learnt of them say the tasks planted-words and planted-rule of `evaluate`.
    """
    from wellread.corpus.plant import plant as planted

    do_stage("plant", out, partial(planted, corpus, out, config), json=json)


def report(
    corpus: Corpus,
    out: FiguresOut = None,
    webtext_domains: WebtextDomains = None,
    json: Json = False,
) -> None:
    """Show what each rule left out, and documents by length, language, karma, site and task."""
    from wellread.corpus.report import report_corpus

    found = report_corpus(corpus, webtext_domains=webtext_domains)
    show.print_json(found) if json else show_corpus.report(found)
    if out is not None:
        from wellread.report.corpus_figures import corpus_figures

        show.keep(out, corpus_report.NAME, corpus_report.encode(found), corpus_figures(found))


def explain(
    corpus: Corpus,
    what: Annotated[
        str,
        typer.Argument(help="A URL, the name of an outcome (too-short), or how a reason begins."),
    ],
    examples: Annotated[int, typer.Option("-n", "--examples", help="Records shown.")] = 5,
    json: Json = False,
) -> None:
    """Say why a page is in a corpus or is not; or what was left out for a reason, by examples."""
    from wellread.corpus.explain import explain as explained

    found = explained(corpus, what, examples=examples)
    show.print_json(found) if json else show_corpus.explanation(found)
