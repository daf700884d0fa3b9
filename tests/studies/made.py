"""Runs with results written by hand, as small as a study can have them."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from wellread.base.config import Config
from wellread.base.manifest import read_manifest, write_manifest, writing
from wellread.formats.metrics import Step, encode_step
from wellread.formats.results import Item, Result, Score, write_result


class RunSettings(Config, frozen=True):
    """The shape of a run's settings."""

    model: dict[str, Any]
    train: dict[str, Any] = msgspec.field(default_factory=dict)


def write_run(
    directory: Path,
    model: str | dict[str, Any],
    num_parameters: int,
    *,
    seed: int = 0,
    steps: int = 20,
    tokens: Path | None = None,
    facts: dict[str, Any] | None = None,
    logged: Sequence[Step] = (),
    finished_at: datetime | None = None,
) -> Path:
    settings = RunSettings(
        model={"size": model} if isinstance(model, str) else model,
        train={"seed": seed, "steps": steps},
    )
    inputs = {"tokens": [tokens]} if tokens else {}
    with writing(directory, stage="train", config=settings, inputs=inputs) as draft:
        draft.write("metrics.jsonl", b"".join(map(encode_step, logged)))
        draft.facts |= {"num_parameters": num_parameters, **(facts or {})}
    if finished_at is not None:
        manifest = read_manifest(directory)
        write_manifest(directory, msgspec.structs.replace(manifest, finished_at=finished_at))
    return directory


def score(metric: str, value: float, chance: float | None = None) -> Score:
    return Score(
        metric=metric,
        value=value,
        low=None,
        high=None,
        num_items=4,
        higher_is_better=metric == "accuracy",
        chance=chance,
    )


def write_results(
    directory: Path,
    run: Path,
    right: Sequence[float],
    *,
    nats: float | Sequence[float] = 2.0,
    task: str = "demo-lambada",
    protocol: str = "",
    stem: str = "",
    words: int = 2,
    documents: list[str] | None = None,
    prefix: str = "",
    chance: float | None = None,
) -> Path:
    """Items of so many words, right or wrong; each a document of its own, or of those named."""
    each = [nats] * len(right) if isinstance(nats, int | float) else list(nats)
    items = [
        Item(
            item=f"{prefix}{number}",
            text="",
            prompt="",
            target="",
            log_prob=-words * loss,
            unit=documents[number] if documents else None,
            sums={"accuracy": (float(is_right), 1.0), "perplexity": (-words * loss, words)},
        )
        for number, (is_right, loss) in enumerate(zip(right, each, strict=True))
    ]
    result = Result(
        task=task,
        protocol=protocol or f"{task}:1",
        stem=stem,
        comparable_to=None,
        num_items=len(items),
        num_available=len(items),
        scores=[
            score("accuracy", sum(right) / len(right), chance),
            score("perplexity", math.exp(sum(each) / len(each))),
        ],
        seconds=0.0,
    )
    with writing(directory, stage="evaluate", config=Config(), inputs={"model": [run]}) as draft:
        write_result(draft, result, items)
    return directory


class Vocabulary(Config, frozen=True):
    """The shape of a tokenizer's settings."""

    vocab_size: int = 257


class Demonstrations(Config, frozen=True):
    """The shape of the settings of a corpus with tasks planted in it."""

    demonstrations: int = 0


def write_tokens(
    folder: Path, text: bytes, *, vocab_size: int = 257, demonstrations: int | None = None
) -> Path:
    """Of a corpus, or of the planted one that was made of it."""
    corpus, tokenizer = [folder / "corpus"], [folder / "tokenizer"]
    planted = corpus if demonstrations is None else [folder / "plant"]
    made: dict[str, tuple[Config, dict[str, list[Path]]]] = {
        "corpus": (Config(), {}),
        "plant": (Demonstrations(demonstrations=demonstrations or 0), {"corpus": corpus}),
        "tokenizer": (Vocabulary(vocab_size=vocab_size), {"corpus": corpus}),
        "tokens": (Config(), {"corpus": planted, "tokenizer": tokenizer}),
    }
    for stage, (config, inputs) in made.items():
        if stage != "plant" or demonstrations is not None:
            with writing(folder / stage, stage=stage, config=config, inputs=inputs) as draft:
                draft.write("data", text)
    return folder / "tokens"


def ago(hours: float) -> datetime:
    return datetime.now(UTC) - timedelta(hours=hours)
