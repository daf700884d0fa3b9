"""`wellread overlap index`, `measure`, `merge`: what texts share with a corpus."""

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


# Settings that only an index is built with.
OF_INDEX = (
    "false_positive_rate", "mode", "num_ngrams", "split", "memory", "threads", "engine"
)  # fmt: skip


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
    """Put the 8-grams of a corpus into an index."""
    from wellread.overlap.index import index_corpus

    do_stage("overlap index", out, partial(index_corpus, corpus, out, config), json=json)


@overlap_app.command("measure")
@takes_settings(OverlapConfig, "overlap", without=OF_INDEX)
def overlap_measure(
    index: Annotated[Path, typer.Argument(help="What `wellread overlap index` wrote.")],
    tests: Annotated[list[Path], typer.Argument(help="Results directories, or documents.")],
    out: Out,
    config: OverlapConfig,
    json: Json = False,
) -> None:
    """Measure how much of each test set the corpus contains."""
    from wellread.formats.overlap import read_overlap
    from wellread.overlap.measure import measure_test_sets

    do_stage(
        "overlap measure", out, partial(measure_test_sets, index, tests, out, config), json=json
    )
    if not json:
        show_overlap.overlap(read_overlap(out))


@overlap_app.command("merge")
def overlap_merge(
    indexes: Annotated[list[Path], typer.Argument(help="Indexes built with one --num-ngrams.")],
    out: Out,
    json: Json = False,
) -> None:
    """Make one index of several."""
    from wellread.overlap.merge import merge_indexes

    do_stage("overlap merge", out, partial(merge_indexes, indexes, out), json=json)
