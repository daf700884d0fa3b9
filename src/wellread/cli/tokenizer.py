"""Commands on a vocabulary: `tokenizer encode`, `decode`, `explain`, `stats`."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import typer

from wellread.base.errors import InputError
from wellread.base.suggest import no_such
from wellread.cli import show
from wellread.cli.options import Json

Vocabulary = Annotated[Path, typer.Option("--tokenizer", help="Folder or file of a vocabulary.")]


def register(app: typer.Typer) -> None:
    for command in (encode, decode, explain, stats):
        app.command(command.__name__)(command)


def encode(
    tokenizer: Vocabulary,
    text: Annotated[str | None, typer.Argument(help="Default: standard input.")] = None,
) -> None:
    """Print the ids of a text."""
    from wellread.tokenizer.tokenizer import Tokenizer

    print(*Tokenizer.load(tokenizer).encode(_given(text)).tolist())


def _given(text: str | None) -> bytes:
    """The bytes of an argument, or of standard input: any bytes, UTF-8 or not."""
    return sys.stdin.buffer.read() if text is None else os.fsencode(text)


def decode(
    tokenizer: Vocabulary,
    ids: Annotated[list[int] | None, typer.Argument(help="Default: standard input.")] = None,
) -> None:
    """Print the text of ids; into a file or pipe, exactly their bytes and no line end."""
    from wellread.tokenizer.tokenizer import Tokenizer

    try:
        given = ids if ids is not None else [int(word) for word in sys.stdin.read().split()]
    except ValueError as error:
        raise InputError(f"standard input: expected ids separated by spaces ({error})") from None
    loaded = Tokenizer.load(tokenizer)
    if outside := [number for number in given if not 0 <= number < loaded.vocab_size]:
        raise InputError(f"id {outside[0]} is not in the vocabulary of {loaded.vocab_size} ids")
    if sys.stdout.isatty():
        print(loaded.decode(given))
    else:
        sys.stdout.buffer.write(loaded.decode_bytes(given))


def explain(
    tokenizer: Vocabulary,
    texts: Annotated[
        list[str] | None,
        typer.Argument(help="One, or several to compare with the first. Default: standard input."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page that a browser shows.")
    ] = None,
    svg: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a picture of split and merges.")
    ] = None,
    json: Json = False,
) -> None:
    """Show how a text becomes ids: split, bytes, merges; and why similar texts differ."""
    from wellread.cli import show_tokenizer
    from wellread.tokenizer import explain as explaining
    from wellread.tokenizer.explain_page import to_html, to_svg
    from wellread.tokenizer.tokenizer import Tokenizer

    loaded = Tokenizer.load(tokenizer)
    given = [os.fsencode(text) for text in texts] if texts else [_given(None)]
    explained = [explaining.explain(loaded, text) for text in given]
    compared = [explaining.compare(explained[0], later) for later in explained[1:]]
    if html is not None:
        _write(html, to_html(loaded, tokenizer.resolve().name, explained, compared))
    if svg is not None:
        _write(svg, to_svg(explained))
    if json:
        show.print_json({"texts": explained, "comparisons_with_first": compared})
    elif html is None and svg is None:
        show_tokenizer.explanations(explained, compared)


def _write(path: Path, text: str) -> None:
    if not path.parent.is_dir():
        raise InputError(f"{path}: no folder {path.parent}")
    path.write_text(text, encoding="utf-8", newline="\n")
    show.err.print(f"wrote {path}", markup=False)


def stats(
    texts: Annotated[
        list[Path], typer.Argument(help="Each a corpus, JSONL, Parquet, a text or a folder of it.")
    ],
    tokenizer: Annotated[
        list[Path], typer.Option(help="Folder or file of a vocabulary; again for each other one.")
    ],
    split: Annotated[
        Literal["train", "validation", "test"] | None,
        typer.Option(help="Only these documents of a corpus. Default: all."),
    ] = None,
    json: Json = False,
) -> None:
    """Compare tokenizers on texts: bytes per token by kind and script, tokens never used."""
    from wellread.cli import show_tokenizer
    from wellread.formats.documents import read_documents
    from wellread.tokenizer.statistics import measure
    from wellread.tokenizer.tokenizer import Tokenizer

    if missing := [path for path in texts if not path.exists()]:
        raise no_such(missing[0], "texts")
    names = _names(tokenizer)
    loaded = {name: Tokenizer.load(path) for name, path in zip(names, tokenizer, strict=True)}

    def given() -> Iterator[str]:
        for path in texts:
            for document in read_documents(path):
                if split is None or document.split == split:
                    yield document.text

    with show.progress("stats") as progress:
        measured = measure(given(), loaded, progress=progress)
    if json:
        show.print_json(measured)
    else:
        show_tokenizer.statistics(measured)


def _names(paths: list[Path]) -> list[str]:
    """The last parts of the paths, or, where these are not distinct, the whole paths."""
    names = [path.resolve().name for path in paths]
    if len(set(names)) < len(names):
        names = [str(path) for path in paths]
    if len(set(names)) < len(names):
        raise InputError("stats: the same --tokenizer is given twice")
    return names
