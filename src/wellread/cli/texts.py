"""Commands on a text at hand: `sample`, `tokenizer encode`, `tokenizer decode`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from wellread.base.errors import InputError
from wellread.cli import show
from wellread.cli.stages import tokenizer_app

Vocabulary = Annotated[Path, typer.Option("--tokenizer", help="Folder with the vocabulary.")]


def register(app: typer.Typer) -> None:
    app.command("sample")(sample)
    tokenizer_app.command("encode")(encode)
    tokenizer_app.command("decode")(decode)


def sample(
    model: Annotated[
        Path, typer.Argument(help="A training run, a checkpoint, a Hugging Face folder.")
    ],
    prompt: Annotated[str, typer.Option(help="Text to go on from; none: a new document.")] = "",
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="How many samples.")] = 1,
    max_new_tokens: Annotated[int, typer.Option(min=1)] = 100,
    temperature: Annotated[float, typer.Option(min=0.01)] = 1.0,
    top_k: Annotated[
        int, typer.Option(min=1, help="Choose among the k likeliest; 1: greedy.")
    ] = 40,
    seed: int = 0,
    device: str = "auto",
    json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Let a model write."""
    from wellread.generation.sample import generate
    from wellread.model.load import load_model, load_tokenizer

    texts = generate(
        load_model(model, device=device),
        load_tokenizer(model),
        [prompt] * number,
        max_new_tokens=max_new_tokens,
        temperature=temperature,
        top_k=top_k,
        seed=seed,
    )
    if json:
        show.print_json([{"prompt": prompt, "text": text} for text in texts])
        return
    for at, text in enumerate(texts):
        if at:
            print("-" * 40)
        print(prompt + text)


def encode(
    tokenizer: Vocabulary,
    text: Annotated[str | None, typer.Argument(help="Default: standard input.")] = None,
) -> None:
    """Print the ids of a text."""
    from wellread.tokenizer.tokenizer import Tokenizer

    given = sys.stdin.read() if text is None else text
    print(*Tokenizer.load(tokenizer).encode(given).tolist())


def decode(
    tokenizer: Vocabulary,
    ids: Annotated[list[int] | None, typer.Argument(help="Default: standard input.")] = None,
) -> None:
    """Print the text of ids."""
    from wellread.tokenizer.tokenizer import Tokenizer

    try:
        given = ids if ids is not None else [int(word) for word in sys.stdin.read().split()]
    except ValueError as error:
        raise InputError(f"standard input: expected ids separated by spaces ({error})") from None
    loaded = Tokenizer.load(tokenizer)
    if outside := [number for number in given if not 0 <= number < loaded.vocab_size]:
        raise InputError(f"id {outside[0]} is not in the vocabulary of {loaded.vocab_size} ids")
    print(loaded.decode(given))
