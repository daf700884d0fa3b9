"""`wellread overlap index`, `measure`, `show`, `copied`: what texts share with a corpus."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from wellread.base.errors import InputError
from wellread.cli import show, show_copying, show_overlap, show_passages
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


@overlap_app.command("show")
def overlap_show(
    index: Annotated[Path, typer.Argument(help="What `wellread overlap index` wrote.")],
    test: Annotated[
        Path | None,
        typer.Argument(
            help="Results, documents, what `overlap measure` wrote, or - for a text on standard "
            "input."
        ),
    ] = None,
    items: Annotated[
        list[str] | None, typer.Argument(help="Which items; none: those with most overlap.")
    ] = None,
    text: Annotated[
        str | None, typer.Option("-t", "--text", help="Instead of TEST: a text.")
    ] = None,
    corpus: Annotated[
        Path | None, typer.Option(help="What the index was made of, if it is elsewhere now.")
    ] = None,
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="How many items.")] = 5,
    json: Json = False,
) -> None:
    """Show the passages that texts share with the corpus, and the documents that have them."""
    from wellread.overlap.show import show_passages as find

    if (test is None) == (text is None):
        raise InputError("overlap show: name a TEST, or give a text with --text")
    tests = text if text is not None else _standard_input() if str(test) == "-" else test
    assert tests is not None
    with show.progress("overlap show") as progress:
        found = find(
            index, tests, corpus=corpus, items=items or (), number=number, progress=progress
        )
    if json:
        show.print_json(found)
    else:
        show_passages.passages(found)


def _standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise InputError(f"standard input: not UTF-8 at byte {error.start}") from None


@overlap_app.command("copied")
@takes_settings(OverlapConfig, "overlap", without=("false_positive_rate", "split"))
def overlap_copied(
    index: Annotated[Path, typer.Argument(help="What `wellread overlap index` wrote.")],
    results: Annotated[
        list[Path], typer.Argument(help="Results with the tasks copying-samples and extraction.")
    ],
    out: Out,
    config: OverlapConfig,
    corpus: Annotated[
        Path | None, typer.Option(help="What the index was made of, if it is elsewhere now.")
    ] = None,
    json: Json = False,
) -> None:
    """Measure how much of what models write is copied from the corpus, and what they recite."""
    from wellread.formats.copying import read_copying
    from wellread.overlap.copied import measure_copying

    measure = partial(measure_copying, index, results, out, config, corpus=corpus)
    do_stage("overlap copied", out, measure, json=json)
    if not json:
        show_copying.copying(read_copying(out))
