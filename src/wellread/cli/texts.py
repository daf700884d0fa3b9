"""The command that lets a model write: `sample`."""

import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.text import Text

from wellread.cli import show
from wellread.cli.models import located

if TYPE_CHECKING:
    from wellread.generation.sample import Piece

# Bits of surprise, and how a token of up to as many is shown.
SURPRISE = ((1.0, "green"), (4.0, "default"), (8.0, "yellow"), (math.inf, "red"))


def register(app: typer.Typer) -> None:
    app.command("sample")(sample)


def sample(
    model: Annotated[Path, typer.Argument(help="A run, a checkpoint, or what `import` reads.")],
    prompt: Annotated[
        str | None,
        typer.Option(help='Text to go on from; "": a new document; none: ask, on a terminal.'),
    ] = None,
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="How many samples.")] = 1,
    max_new_tokens: Annotated[int, typer.Option(min=1)] = 100,
    temperature: Annotated[float, typer.Option(min=0.01)] = 1.0,
    top_k: Annotated[
        int, typer.Option(min=1, help="Choose among the k likeliest; 1: greedy.")
    ] = 40,
    top_p: Annotated[
        float | None, typer.Option(help="Choose among the likeliest that make up this share.")
    ] = None,
    stop: Annotated[
        list[str] | None, typer.Option(help="End before this text; may be given several times.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    dtype: Annotated[str, typer.Option(help="float32 or bfloat16.")] = "float32",
    show_probabilities: Annotated[
        bool, typer.Option("--show-probabilities", help="Colour each token by its surprise.")
    ] = False,
    json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Let a model write."""
    from wellread.generation.sample import Sampling, sample_texts, stream_text
    from wellread.model.load import load_model, load_tokenizer

    place = located(model)
    network = load_model(place, device=device, dtype=dtype)
    tokenizer = load_tokenizer(place)
    sampling = Sampling(
        max_new_tokens=max_new_tokens, temperature=temperature, top_k=top_k, top_p=top_p
    )

    def pieces(given: str, number: int) -> "Iterator[Piece]":
        return stream_text(
            network, tokenizer, given, sampling, seed=seed, sample=number, stop=stop or ()
        )

    if prompt is None and not json and sys.stdin.isatty() and sys.stdout.isatty():
        _ask(lambda given, turn: _write(given, pieces(given, turn), colours=show_probabilities))
        return
    given = prompt or ""
    if json:
        samples = sample_texts(
            network, tokenizer, [given] * number, sampling, seed=seed, stop=stop or ()
        )
        show.print_json([{"prompt": given, **msgspec.structs.asdict(one)} for one in samples])
        return
    for at in range(number):
        if at:
            print("-" * 40)
        _write(given, pieces(given, at), colours=show_probabilities)


def _write(prompt: str, pieces: "Iterator[Piece]", *, colours: bool) -> None:
    """The prompt and what follows, as it comes."""
    show.out.print(Text(prompt, style="bold" if colours else ""), end="")
    for piece in pieces:
        bits = -piece.log_prob / math.log(2)
        style = next(style for limit, style in SURPRISE if bits <= limit) if colours else ""
        show.out.print(Text(piece.text, style=style), end="")
    print(flush=True)
    if colours:
        names = ("up to 1 bit", "to 4", "to 8", "more")
        legend = Text("surprise: ", style="dim")
        for name, (_, style) in zip(names, SURPRISE, strict=True):
            legend.append(f"{name}  ", style=style)
        show.err.print(legend)


def _ask(answer: Callable[[str, int], None]) -> None:
    """Prompts until the end of input (Ctrl-D)."""
    show.err.print(
        "[dim]A text to go on from; an empty line starts a new document; Ctrl-D ends.[/]"
    )
    turn = 0
    while True:
        try:
            given = input("> ")
        except EOFError:
            print()
            return
        answer(given, turn)
        turn += 1
