"""`wellread overlap index`, `measure`: what texts share with a corpus."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from wellread.cli import show_overlap
from wellread.cli.options import Json, Out, takes_settings
from wellread.cli.stages import do_stage
from wellread.overlap.config import OverlapConfig

overlap_app = typer.Typer(
    name="overlap", help="Shared 8-grams of texts and a corpus.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    app.add_typer(overlap_app)


@overlap_app.command("index")
@takes_settings(OverlapConfig, "overlap")
def overlap_index(
    corpus: Annotated[Path, typer.Argument(help="The corpus that a model was trained on.")],
    out: Out,
    config: OverlapConfig,
    json: Json = False,
) -> None:
    """Put the 8-grams of a corpus into a filter."""
    from wellread.overlap.index import index_corpus

    do_stage("overlap index", out, partial(index_corpus, corpus, out, config), json=json)


@overlap_app.command("measure")
@takes_settings(OverlapConfig, "overlap", without=("false_positive_rate", "split"))
def overlap_measure(
    index: Annotated[Path, typer.Argument(help="What `wellread overlap index` wrote.")],
    tests: Annotated[
        list[Path], typer.Argument(help="Results directories, or documents (PATH or NAME=PATH).")
    ],
    out: Out,
    config: OverlapConfig,
    own_train: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=PATH", help="The training text of test set NAME: any documents."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Measure how much of each test set the corpus, and its own training text, contain."""
    from wellread.formats.overlap import read_overlap
    from wellread.overlap.measure import measure_test_sets
    from wellread.overlap.reading import by_name

    measure = partial(measure_test_sets, index, tests, out, config, own_train=by_name(own_train))
    do_stage("overlap measure", out, measure, json=json)
    if not json:
        show_overlap.overlap(read_overlap(out))
