"""`wellread overlap`: what texts share with a corpus, and what that does to scores."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from wellread.base.errors import InputError
from wellread.cli import show, show_copying, show_overlap, show_passages
from wellread.cli.options import Json, Out, takes_settings
from wellread.cli.stages import do_stage
from wellread.overlap.config import OverlapConfig, SplitConfig

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
@takes_settings(OverlapConfig, "overlap", without=("ngram_words", *OF_INDEX))
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
    do_stage(
        "overlap measure", out, measure, json=json, result=(read_overlap, show_overlap.overlap)
    )


@overlap_app.command("clean")
@takes_settings(OverlapConfig, "overlap", without=("ngram_words", *OF_INDEX))
def overlap_clean(
    overlap: Annotated[Path, typer.Argument(help="What `wellread overlap measure` wrote.")],
    results: Annotated[list[Path], typer.Argument(help="Results directories.")],
    out: Out,
    config: OverlapConfig,
    json: Json = False,
) -> None:
    """Score again without the items that overlap with the corpus."""
    from wellread.evaluate.clean import clean_scores
    from wellread.formats.clean_scores import read_clean_scores

    clean = partial(clean_scores, overlap, results, out, config)
    do_stage("overlap clean", out, clean, json=json, result=(read_clean_scores, show_overlap.clean))


@overlap_app.command("split-check")
@takes_settings(SplitConfig, "split-check")
def overlap_split_check(
    train: Annotated[Path, typer.Argument(help="Training documents, or a corpus with splits.")],
    config: SplitConfig,
    test: Annotated[Path | None, typer.Argument(help="Test documents.")] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Directory for the result and all items.")
    ] = None,
    json: Json = False,
) -> None:
    """Check how much of a test set is in its training set, or of a set in itself.

    Exit status 1 if the share is over --limit.
    """
    from wellread.formats.split_check import read_split_check
    from wellread.overlap.split import check_split, write_split_check

    if out is not None:
        check = partial(write_split_check, train, test, out, config)
        with show.progress("overlap split-check") as progress:
            check(progress=progress)
        found = read_split_check(out)
    else:
        with show.progress("overlap split-check") as progress:
            found = check_split(train, test, config, progress=progress).found
    if json:
        show.print_json(found)
    else:
        show_overlap.split_check(found)
    if found.is_over:
        raise typer.Exit(1)


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
    """Show where overlap comes from: the passages, and the documents that have them."""
    from wellread.overlap.show import show_passages as find

    if (test is None) == (text is None):
        raise InputError("overlap show: name a TEST, or give a text with --text")
    if str(test) == "-":
        test, text = None, _standard_input()
    with show.progress("overlap show") as progress:
        found = find(
            index,
            test,
            text=text,
            corpus=corpus,
            items=items or (),
            number=number,
            progress=progress,
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
@takes_settings(OverlapConfig, "overlap", without=("ngram_words", *OF_INDEX))
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
    """Measure what models copy from their corpus, and what they recite."""
    from wellread.formats.copying import read_copying
    from wellread.overlap.copied import measure_copying

    measure = partial(measure_copying, index, results, out, config, corpus=corpus)
    do_stage("overlap copied", out, measure, json=json, result=(read_copying, show_copying.copying))


@overlap_app.command("merge")
def overlap_merge(
    indexes: Annotated[list[Path], typer.Argument(help="Indexes built with one --num-ngrams.")],
    out: Out,
    json: Json = False,
) -> None:
    """Make one index of several."""
    from wellread.overlap.merge import merge_indexes

    do_stage("overlap merge", out, partial(merge_indexes, indexes, out), json=json)
