"""README.md of an exported model: what is known of it, and what is not."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from wellread.base.errors import InputError
from wellread.base.manifest import Manifest, is_artifact, read_manifest
from wellread.formats.checkpoints import read_state
from wellread.model.sizes import PRINTED, SIZES, Architecture

# Of a run's manifest: key of the facts, and what it is.
FACTS = (
    ("tokens_seen", "tokens seen"),
    ("epochs", "epochs"),
    ("held_out_loss", "held-out loss, nats per token"),
    ("held_out_bits_per_byte", "held-out bits per byte"),
)
UNKNOWN = "unknown"


class Origin(NamedTuple):
    """Where a model comes from, as far as its folder tells."""

    is_ours: bool  # trained here
    rows: list[tuple[str, str]]


def origin_of(model: Path) -> Origin:
    """What the manifests and the state beside `model` say."""
    is_checkpoint = model.parent.name == "checkpoints"
    run = model.parents[1] if is_checkpoint else model
    rows: list[tuple[str, str]] = []
    if is_checkpoint and (model / "state.json").is_file():
        state = read_state(model)
        rows += [("checkpoint", f"step {state.step:,}"), ("tokens seen", f"{state.tokens:,}")]
    manifest = read_manifest(run) if is_artifact(run) else None
    if manifest is None or manifest.stage not in ("train", "import", "export"):
        return Origin(
            is_ours=is_checkpoint, rows=[*rows, ("training run", UNKNOWN), ("corpus", UNKNOWN)]
        )
    if manifest.stage != "train":
        kind = str(manifest.facts.get("kind", UNKNOWN))
        return Origin(is_ours=False, rows=[("taken over from", kind), ("corpus", UNKNOWN)])
    rows.append(("training run", f"wellread digest `{manifest.digest}`"))
    if not is_checkpoint:
        rows += [
            (what, _shown(manifest.facts[key])) for key, what in FACTS if key in manifest.facts
        ]
    rows.append(("seed", str(manifest.config.get("train", {}).get("seed", UNKNOWN))))
    return Origin(is_ours=True, rows=[*rows, *_inputs(run, manifest)])


def _shown(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _inputs(run: Path, manifest: Manifest) -> list[tuple[str, str]]:
    """Digest of the tokens, and of the corpus if the tokens are still where they were."""
    tokens = manifest.inputs["tokens"][0]
    corpus = UNKNOWN
    try:
        made_of = read_manifest(run / tokens.path).inputs.get("corpus", [])
        if made_of:
            digest = made_of[0].digest
            corpus = f"wellread digest `{digest}`" if digest else f"files of {made_of[0].path}"
    except InputError:
        corpus = "the tokens are no longer beside the run, so that its digest is not known"
    rows = [("tokens", f"wellread digest `{tokens.digest}`"), ("corpus", corpus)]
    for start in manifest.inputs.get("start", []):
        digest = f", wellread digest `{start.digest}`" if start.digest else ""
        rows.append(("fine-tuned from", f"{Path(start.path).name}{digest}"))
    return rows


def size_name(config: Architecture) -> str:
    """
    >>> size_name(Architecture(layers=12, width=768, heads=12))
    '124M (117M in the paper)'
    >>> size_name(Architecture(layers=2, width=128, heads=2))
    '2x128'
    """
    for printed, name in PRINTED.items():
        if SIZES[name] == (config.layers, config.width, config.heads):
            return f"{name} ({printed} in the paper)"
    return f"{config.layers}x{config.width}"


def model_card(
    name: str, config: Architecture, dtype: str, origin: Origin, notes: Sequence[str] = ()
) -> str:
    """The page, in the form of the Hugging Face hub."""
    head = "the token embedding" if config.tied_head else "a matrix of its own"
    rows = [
        ("size", size_name(config)),
        ("parameters", f"{config.num_parameters:,}"),
        ("layers, width, heads", f"{config.layers}, {config.width}, {config.heads}"),
        ("context", f"{config.context:,} tokens"),
        ("vocabulary", f"{config.vocab_size:,} ids"),
        ("output head", head),
        ("weights", dtype),
        *origin.rows,
        ("licence", UNKNOWN),
    ]
    table = "\n".join(f"| {what} | {_cell(value)} |" for what, value in rows)
    said = "".join(f"\n{note[0].upper()}{note[1:]}.\n" for note in notes)
    made = "trained and exported" if origin.is_ours else "exported"
    return f"""---
library_name: transformers
pipeline_tag: text-generation
license: unknown
tags:
- gpt2
---

# {name}

A language model with the architecture of GPT-2, {made} by wellread.

| | |
|---|---|
{table}
{said}
The licence of the weights and of the text that they were trained on is not known to the program
that wrote this page; whoever publishes the model should state it here.

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained("FOLDER")
tokenizer = AutoTokenizer.from_pretrained("FOLDER")
```
"""


def _cell(value: str) -> str:
    return re.sub(r"\s+", " ", value).replace("|", r"\|")
