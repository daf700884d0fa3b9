"""The command that lets a model write: `sample`."""

import functools
import itertools
import math
import os
import signal
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.text import Text

from wellread.base.errors import InputError
from wellread.cli import show
from wellread.cli.models import located

if TYPE_CHECKING:
    from wellread.generation.sample import Piece

# Bits of surprise, and how a token of up to as many is shown.
SURPRISE = ((1.0, "green"), (4.0, "default"), (8.0, "yellow"), (math.inf, "red"))


def register(app: typer.Typer) -> None:
    app.command("sample")(sample)


def _ends_when_interrupted(command: Callable[..., None]) -> Callable[..., None]:
    """Ctrl-C ends a line and the command, or what the command makes of it.

    Of other commands it is said that they go on from there when called again; not of this.
    """

    @functools.wraps(command)
    def called(**arguments: Any) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            command(**arguments)
        except KeyboardInterrupt:
            print(flush=True)
            raise typer.Exit(128 + signal.SIGINT) from None

    return called


@_ends_when_interrupted
def sample(
    model: Annotated[Path, typer.Argument(help="A run, a checkpoint, or what `import` reads.")],
    prompt: Annotated[
        str | None,
        typer.Option(
            help='Text to go on from; "": a new document; -: what comes on standard input; none: '
            "ask, on a terminal."
        ),
    ] = None,
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="How many samples.")] = 1,
    max_new_tokens: Annotated[int, typer.Option(min=1)] = 100,
    temperature: Annotated[float, typer.Option(min=0.01)] = 1.0,
    top_k: Annotated[
        int, typer.Option(min=0, help="Choose among the k likeliest; 1: greedy; 0: among all.")
    ] = 40,
    top_p: Annotated[
        float | None, typer.Option(help="Choose among the likeliest that make up this share.")
    ] = None,
    stop: Annotated[
        list[str] | None, typer.Option(help="End before this text; may be given several times.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    dtype: Annotated[
        str,
        typer.Option(help="float32, bfloat16, float16, float64, or stored: as in the file."),
    ] = "float32",
    show_probabilities: Annotated[
        bool,
        typer.Option("--show-probabilities", help="Each token's surprise, as a colour or in bits."),
    ] = False,
    json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Let a model write."""
    from wellread.generation.sample import (
        Sampling,
        longest_prompt,
        sample_texts,
        starts,
        stream_text,
    )
    from wellread.model.load import check_vocabulary, load_model, load_tokenizer

    sampling = Sampling(
        max_new_tokens=max_new_tokens, temperature=temperature, top_k=top_k or None, top_p=top_p
    )
    given = _given(prompt)
    place = located(model)
    network = load_model(place, device=device, dtype=dtype)
    tokenizer = load_tokenizer(place)
    check_vocabulary(tokenizer, network.config, place)

    def write(given: str, first: int) -> None:
        """`number` samples, from number `first` on of those that the seed gives."""
        lost = len(starts(tokenizer, [given])[0]) - longest_prompt(sampling, network.config.context)
        if lost > 0:
            show.err.print(
                f"[dim]the first {lost:,} tokens of the prompt have no room in the model's context "
                f"of {network.config.context:,} and are not read[/]"
            )
        for at in range(first, first + number):
            if at > first:
                print("-" * 40)
            pieces = stream_text(
                network, tokenizer, given, sampling, seed=seed, sample=at, stop=stop or ()
            )
            _write(given, pieces, with_surprise=show_probabilities)

    if json:
        samples = sample_texts(
            network, tokenizer, [given] * number, sampling, seed=seed, stop=stop or ()
        )
        show.print_json([{"prompt": given, **msgspec.structs.asdict(one)} for one in samples])
        return
    if prompt is None and sys.stdin.isatty() and sys.stdout.isatty():
        _ask(write, number)
    else:
        write(given, 0)


def _given(prompt: str | None) -> str:
    """The text of the option `--prompt`."""
    if prompt == "-":
        content = sys.stdin.buffer.read()
    else:
        if prompt is None and _is_fed():
            show.err.print(
                "[dim]standard input is not read; --prompt - takes the prompt from it[/]"
            )
        content = os.fsencode(prompt or "")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"--prompt: not UTF-8 at byte {error.start}") from None


def _is_fed() -> bool:
    """Whether standard input is a file or a pipe rather than a terminal or nothing."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError, AttributeError):  # closed, or no real file
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode)


def _write(prompt: str, pieces: "Iterator[Piece]", *, with_surprise: bool) -> None:
    """The prompt and what follows, as it comes; nothing if the first of it is refused.

    Where there are no colours, a token's surprise stands behind it, in bits.
    """
    has_colours = show.out.color_system is not None and not show.out.no_color
    first = list(itertools.islice(pieces, 1))
    show.out.print(Text(prompt, style="bold" if with_surprise else ""), end="")
    for piece in itertools.chain(first, pieces):
        shown = Text(piece.text)
        if with_surprise:
            bits = -piece.log_prob / math.log(2)
            shown.stylize(next(style for limit, style in SURPRISE if bits <= limit))
            shown.append("" if has_colours else f"[{bits:.1f}]")
        show.out.print(shown, end="")
    print(flush=True)
    if with_surprise:
        show.err.print(_legend(has_colours=has_colours))


def _legend(*, has_colours: bool) -> Text:
    if not has_colours:
        return Text("[2.5]: bits of surprise of the token before it", style="dim")
    legend = Text("surprise: ", style="dim")
    for name, (_, style) in zip(("up to 1 bit", "to 4", "to 8", "more"), SURPRISE, strict=True):
        legend.append(f"{name}  ", style=style)
    return legend


def _ask(answer: Callable[[str, int], None], number: int) -> None:
    """Prompts until the end of input; each is answered by `number` samples, other than before."""
    show.err.print(
        "[dim]A text to go on from; an empty line starts a new document; Ctrl-C stops a sample, "
        "Ctrl-D ends.[/]"
    )
    for first in itertools.count(step=number):
        try:
            given = input("> ")
        except EOFError:
            print()
            return
        try:
            answer(given, first)
        except KeyboardInterrupt:
            print(flush=True)
