"""`wellread why`: where a number comes from."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from wellread.base.text import human_bytes, human_seconds
from wellread.cli import show
from wellread.cli.options import Json
from wellread.pipeline.why import Origin, trace


def register(app: typer.Typer) -> None:
    app.command("why")(why)


def why(
    result: Annotated[Path, typer.Argument(help="A result, or anything else in a run.")],
    json: Json = False,
) -> None:
    """Walk a result back through its manifests to the dump."""
    origins = list(trace(result))
    if json:
        show.print_json([_plain(origin) for origin in origins])
        return
    show.out.print(f"[bold]{escape(str(result))}[/] comes from")
    for origin in origins:
        show.out.print("  " * origin.depth + _line(origin))


def _line(origin: Origin) -> str:
    note = f"  [yellow]{origin.note}[/]" if origin.note else ""
    path = escape(str(origin.path))
    manifest = origin.manifest
    if manifest is None:
        size = human_bytes(origin.path.stat().st_size) if origin.path.exists() else ""
        digest = f" sha256 {origin.sha256[:12]}" if origin.sha256 else ""
        return f"[cyan]file[/] {path} [dim]{size}{digest}[/]{note}"
    when = f"{manifest.finished_at:%Y-%m-%d %H:%M} UTC, {human_seconds(manifest.seconds)}"
    facts = show.summary(manifest)
    return f"[green]{manifest.stage}[/] {path} [dim]{manifest.digest[:12]}, {when}[/]{note}" + (
        f"  {escape(facts)}" if facts and not origin.note else ""
    )


def _plain(origin: Origin) -> dict[str, object]:
    manifest = origin.manifest
    return {
        "depth": origin.depth,
        "path": str(origin.path),
        "stage": manifest.stage if manifest else None,
        "digest": manifest.digest if manifest else origin.sha256,
        "note": origin.note,
    }
