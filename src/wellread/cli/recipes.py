"""`wellread run` and `wellread demo`: whole recipes."""

import contextlib
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from wellread.base.manifest import Manifest
from wellread.base.processes import is_first
from wellread.base.text import human_seconds
from wellread.cli import interrupt, show
from wellread.cli.options import Json, Out


def register(app: typer.Typer) -> None:
    app.command("run")(run)
    app.command("demo")(demo)


def run(
    recipe: Annotated[Path, typer.Argument(help="A TOML file with a section per stage.")],
    out: Out,
    data: Annotated[
        Path | None, typer.Option(help="Folder that the recipe's paths are taken from.")
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Show the steps and stop.")] = False,
    json: Json = False,
) -> None:
    """Run every stage of a recipe; what is up to date is left, what was killed goes on."""
    run_steps(recipe, out, data, only_plan=plan, json=json)


def run_steps(
    recipe: Path,
    out: Path,
    data: Path | None,
    *,
    until: str | None = None,
    only_plan: bool = False,
    json: bool,
) -> None:
    """Run a recipe and show how it goes; `until` is the last stage to run, if not all are."""
    from wellread.pipeline.plan import (
        Step,
        check,
        plan,
        refuse_late_prediction,
        run_step,
        states,
        up_to,
        wait_for,
    )
    from wellread.pipeline.recipe import read_recipe

    read = read_recipe(recipe, data=data)
    steps = plan(read, out) if until is None else up_to(until, read, out)
    check(read, steps)
    show.err.print(f"[bold]{escape(read.name)}[/]: {len(steps)} steps into {escape(str(out))}")
    if only_plan:
        width = max(len(step.name) for step in steps)
        for number, (step, state) in enumerate(states(steps), start=1):
            where = escape(str(step.out))
            show.err.print(f"  {number:>2} {step.name:<{width}} {state:<22} [dim]{where}[/]")
    refuse_late_prediction(steps)
    if only_plan:
        return
    manifests: dict[str, Manifest] = {}

    def label(step: Step) -> str:
        return f"[{len(manifests) + 1}/{len(steps)}] {step.name}"

    started = time.monotonic()
    for step in steps:
        since = datetime.now(UTC)
        postponed = interrupt.postponed() if step.is_stoppable else contextlib.nullcontext()
        with postponed as should_stop, show.progress(label(step)) as progress:
            if step.is_stoppable or is_first():
                manifest = run_step(read, out, step, progress, should_stop)
            else:  # torchrun's other processes share the training only
                manifest = wait_for(step)
        show.finished(label(step), manifest, since=since)
        manifests[step.name] = manifest
    report = out / "report" / "index.html"
    if json:
        show.print_json(manifests)
    else:
        written = f"; the report is {report}" if report.exists() else ""
        took = human_seconds(time.monotonic() - started)
        show.out.print(f"done in {took}{written}", markup=False)


def demo(
    out: Out = Path("demo"),
    quick: Annotated[bool, typer.Option("--quick", help="Smaller, in under 3 minutes.")] = False,
    port: Annotated[int, typer.Option(help="Of the little web on 127.0.0.1.")] = 8765,
    json: Json = False,
) -> None:
    """The whole system on the documentation that is already on this machine, in minutes."""
    from wellread.base.manifest import read_manifest
    from wellread.demo.prepare import prepare_demo
    from wellread.demo.server import serve

    recipe = "demo-quick" if quick else "demo"
    with show.progress("the little web") as progress:
        path = prepare_demo(out, recipe, port, progress=progress)
    web = read_manifest(out / "web")
    show.err.print(f"[green]✓[/] the little web: {web.counts['pages']:,} pages of documentation")
    with serve(out / "web", port):
        run_steps(path, out, out, json=json)
