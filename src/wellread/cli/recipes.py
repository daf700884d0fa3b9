"""`wellread run` and `wellread demo`: whole recipes."""

import contextlib
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from wellread.base.errors import InputError
from wellread.base.manifest import Manifest
from wellread.base.processes import is_first, num_processes
from wellread.base.text import human_seconds
from wellread.cli import complete, interrupt, show
from wellread.cli.options import Json, Out
from wellread.cli.problems import is_tokenizer_alone
from wellread.cli.side_by_side import do_side_by_side

if TYPE_CHECKING:
    from wellread.pipeline.plan import Step


DEMOS = {"demo": "", "demo-quick": " --quick"}  # recipes that need what that command makes


def register(app: typer.Typer) -> None:
    app.command("run")(run)
    app.command("demo")(demo)


def run(
    recipe: Annotated[
        Path,
        typer.Argument(
            help="A TOML file with a section per stage; or the name of one of ours.",
            autocompletion=complete.recipes,
        ),
    ],
    out: Out,
    data: Annotated[
        Path | None, typer.Option(help="Folder that the recipe's paths are taken from.")
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Show the steps and stop.")] = False,
    json: Json = False,
) -> None:
    """Run every stage of a recipe; what is up to date is left, what was killed goes on."""
    from wellread.pipeline.recipe import named_recipe

    if recipe.name in DEMOS and data is None and not recipe.is_file():
        raise InputError(
            f"run: the recipe {recipe} needs a little web of its own, which `wellread demo"
            f"{DEMOS[recipe.name]} -o {recipe}` makes and then runs it"
        )
    run_steps(named_recipe(recipe), out, data, only_plan=plan, json=json)


def run_steps(
    recipe: Path,
    out: Path,
    data: Path | None,
    *,
    until: str | None = None,
    places: Sequence[Mapping[str, str]] = (),
    only_plan: bool = False,
    json: bool,
) -> None:
    """Run a recipe and show how it goes; `until` is the last stage to run, if not all are.

    Given `places`, as many of its runs as these go on at a time, each in a process of its own.
    """
    from wellread.pipeline.jobs import Job
    from wellread.pipeline.plan import (
        Step,
        check,
        copy_recipe,
        plan,
        refuse_late_prediction,
        up_to,
    )
    from wellread.pipeline.recipe import read_recipe

    read = read_recipe(recipe, data=data)
    steps = plan(read, out) if until is None else up_to(until, read, out)
    check(read, steps)
    show.err.print(f"[bold]{escape(read.name)}[/]: {len(steps)} steps into {escape(str(out))}")
    if only_plan:
        _show_plan(steps)
    refuse_late_prediction(steps)
    if only_plan:
        return
    started = time.monotonic()
    width = max(len(step.name) for step in steps)
    labels = {
        step.name: f"[{number}/{len(steps)}] {step.name:<{width}}"
        for number, step in enumerate(steps, start=1)
    }
    manifests: dict[str, Manifest] = {}
    if is_first():
        copy_recipe(read, out)

    def job(run: str, some: list[Step]) -> Job:
        return Job(
            run=run,
            steps=[step.name for step in some],
            recipe=str(recipe),
            data=None if data is None else str(data),
            out=str(out),
            log=f"{some[0].out}.log",
        )

    with interrupt.goes_on():
        for are_of_runs, some in groupby(steps, key=lambda step: step.of_run is not None):
            if places and are_of_runs:
                manifests |= do_side_by_side(list(some), job, places, labels)
            else:
                manifests |= {step.name: _do(step, labels[step.name]) for step in some}
    report = out / "report" / "index.html"
    if json:
        show.print_json(manifests)
    else:
        written = f"; the report is {report}" if report.exists() else ""
        took = human_seconds(time.monotonic() - started)
        show.out.print(f"done in {took}{written}", markup=False)


def _show_plan(steps: "Sequence[Step]") -> None:
    from wellread.pipeline.plan import states

    width = max(len(step.name) for step in steps)
    for number, (step, state) in enumerate(states(steps), start=1):
        where = escape(str(step.out))
        show.err.print(f"  {number:>2} {step.name:<{width}} {state:<22} [dim]{where}[/]")


def _do(step: "Step", label: str) -> Manifest:
    from wellread.pipeline.plan import wait_for

    since = datetime.now(UTC)
    postponed = interrupt.postponed() if step.is_stoppable else contextlib.nullcontext()
    with postponed as should_stop, show.progress(label) as progress:
        if step.is_stoppable or is_first():
            manifest = step.run(progress, should_stop)
        else:  # torchrun's other processes share the training only
            manifest = wait_for(step)
    show.finished(label, manifest, since=since)
    return manifest


def run_study(
    recipe: Path,
    *,
    out: Path,
    data: Path | None,
    plan: bool,
    jobs: int,
    devices: str | None,
    json: bool,
) -> None:
    """`wellread study RECIPE`: `wellread run RECIPE`, but that a failed run ends no other."""
    from wellread.pipeline.jobs import places

    if num_processes() > 1:
        raise InputError("study: torchrun's processes share each run; `wellread run` does that")
    if jobs < 1:
        raise InputError(f"study: --jobs is {jobs}; at least 1 is needed")
    if devices is not None and jobs > 1:
        raise InputError("study: --jobs beside --devices, each of which has one run; leave it out")
    named = devices.split(",") if devices else []
    where = places(jobs, named)
    if named and not plan:
        _check_devices(named)
    run_steps(recipe, out, data, places=where, only_plan=plan, json=json)


def _check_devices(named: Sequence[str]) -> None:
    """A process that sees no GPU would train on the processor, and not say so."""
    import torch

    number = torch.cuda.device_count()
    for device in named:
        if int(device.partition(":")[2]) >= number:
            raise InputError(f"--devices: there is no {device}; PyTorch sees {number} CUDA devices")


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

    if is_tokenizer_alone():
        raise InputError(
            'demo: only the tokenizer is installed, and this is all: pip install "wellread[all]"'
        )
    recipe = "demo-quick" if quick else "demo"
    with interrupt.goes_on(), show.progress("the little web") as progress:
        path = prepare_demo(out, recipe, port, progress=progress)
    web = read_manifest(out / "web")
    show.err.print(f"[green]✓[/] the little web: {web.counts['pages']:,} pages of documentation")
    with serve(out / "web", port):
        run_steps(path, out, out, json=json)
