"""Models in and out: `import` and `export`; and where a MODEL that is only a name may be."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from wellread.base.config import convert
from wellread.base.manifest import Manifest
from wellread.cli import show
from wellread.cli.options import Json, Out
from wellread.model.config import ExportConfig, ImportConfig

AS_STORED = ImportConfig().dtype
Tokenizer = Annotated[
    Path | None, typer.Option(help="Folder with the vocabulary, if the model brings none.")
]
Dtype = Annotated[
    str, typer.Option(help="Of the weights: stored (as they are), float32, bfloat16, float16.")
]


def register(app: typer.Typer) -> None:
    app.command("import")(import_)
    app.command("export")(export)


def located(model: Path) -> Path:
    """The file or folder of a MODEL; the hub's cache is where the environment says."""
    from wellread.model.sources import locate

    return locate(model, hub_cache=_hub_cache())


def _hub_cache() -> Path | None:
    """As Hugging Face's library reads the environment; None: it says nothing."""
    if cache := os.environ.get("HF_HUB_CACHE"):
        return Path(cache).expanduser()
    if home := os.environ.get("HF_HOME"):
        return Path(home).expanduser() / "hub"
    if cache := os.environ.get("XDG_CACHE_HOME"):
        return Path(cache).expanduser() / "huggingface" / "hub"
    return None


def import_(
    source: Annotated[
        Path,
        typer.Argument(
            help="A Hugging Face folder or the name of one in its cache (gpt2), OpenAI's folder, "
            "nanoGPT's ckpt.pt, a run or a checkpoint."
        ),
    ],
    out: Out,
    dtype: Dtype = AS_STORED,
    vocab_size: Annotated[
        int | None, typer.Option(help="Keep this many ids, the first; 50257 of padded 50304.")
    ] = None,
    tokenizer: Tokenizer = None,
    json: Json = False,
) -> None:
    """Take over a model: config.json, model.safetensors and the vocabulary, with a manifest."""
    from wellread.model.exchange import import_model

    given = {"dtype": dtype, "vocab_size": vocab_size}
    config = convert(given, ImportConfig, where="import", strict=False)
    place, since = located(source), datetime.now(UTC)
    with show.progress("import") as progress:
        manifest = import_model(place, out, config, tokenizer=tokenizer, progress=progress)
    _done("import", manifest, out, since, json=json)


def export(
    model: Annotated[Path, typer.Argument(help="A run, a checkpoint, or what `import` reads.")],
    out: Out,
    dtype: Dtype = AS_STORED,
    tokenizer: Tokenizer = None,
    json: Json = False,
) -> None:
    """Write a model as Hugging Face's plain gpt2, with its vocabulary and a model card."""
    from wellread.model.exchange import export_model

    config = convert({"dtype": dtype}, ExportConfig, where="export")
    place, since = located(model), datetime.now(UTC)
    with show.progress("export") as progress:
        manifest = export_model(place, out, config, tokenizer=tokenizer, progress=progress)
    _done("export", manifest, out, since, json=json)


def _done(label: str, manifest: Manifest, out: Path, since: datetime, *, json: bool) -> None:
    if json:
        show.print_json(manifest)
        return
    show.finished(label, manifest, since=since)
    facts = manifest.facts
    show.err.print(
        f"  {facts['kind']}: {facts['num_parameters']:,} parameters, {facts['dtype']}", markup=False
    )
    for note in facts["notes"]:
        show.err.print(f"  {note}", markup=False)
    show.out.print(str(out), markup=False)
