"""`wellread why`: where a number comes from."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from wellread.base.text import human_bytes, human_seconds
from wellread.cli import show
from wellread.cli.options import Json
from wellread.pipeline.why import Origin, trace

if TYPE_CHECKING:
    from wellread.pipeline.follow import Sighting

SHOWN = 200  # characters of a text


def register(app: typer.Typer) -> None:
    app.command("why")(why)


def why(
    result: Annotated[Path, typer.Argument(help="A result, or anything else in a run.")],
    url: Annotated[
        str | None, typer.Argument(help="A page: what each stage of the run has of it.")
    ] = None,
    json: Json = False,
) -> None:
    """Walk a result back through its manifests to the dump; or follow a page through a run."""
    if url is not None:
        from wellread.pipeline.follow import follow

        sightings = follow(result, url)
        show.print_json(sightings) if json else _page(url, sightings)
        return
    origins = list(trace(result))
    if json:
        show.print_json([_plain(origin) for origin in origins])
        return
    show.out.print(f"[bold]{escape(str(result))}[/] comes from")
    for origin in origins:
        show.print_hanging(_line(origin), 2 * origin.depth)


def _page(url: str, sightings: "list[Sighting]") -> None:
    show.out.print(f"[bold]{escape(url)}[/]")
    for one in sightings:
        more = f" [dim]{one.num_rows:,} rows[/]" if one.num_rows > 1 else ""
        show.out.print(f"[green]{one.stage}[/] {escape(str(one.path))}{more}")
        for row in one.rows:
            cells = (f"[dim]{key}[/] {escape(_brief(value))}" for key, value in row.items())
            show.out.print("  " + ", ".join(cells))


def _brief(value: object) -> str:
    text = " ".join(f"{value:,}".split() if isinstance(value, int) else str(value).split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _line(origin: Origin) -> str:
    note = f"  [yellow]{origin.note}[/]" if origin.note else ""
    here = Path.cwd()
    is_below = origin.path.is_relative_to(here)
    path = escape(str(origin.path.relative_to(here) if is_below else origin.path))
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
