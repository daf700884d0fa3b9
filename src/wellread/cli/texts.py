"""The command that lets a model write: `sample`."""

from pathlib import Path
from typing import Annotated

import typer

from wellread.cli import show


def register(app: typer.Typer) -> None:
    app.command("sample")(sample)


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
