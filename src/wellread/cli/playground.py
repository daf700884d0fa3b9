"""`wellread playground`: a page in the browser."""

import importlib.util
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from wellread.base.errors import InputError
from wellread.cli import interrupt, show
from wellread.cli.models import located
from wellread.cli.recipes import demo
from wellread.playground.given import DEMOS, given

DEMO = Path(DEMOS[-1])
OFFER = f"There is no model here. Make a small one now, in {DEMO}/, in under three minutes?"


def register(app: typer.Typer) -> None:
    app.command("playground")(playground)


def playground(
    model: Annotated[
        Path | None,
        typer.Argument(
            help="A run, a checkpoint, what `import` reads, or a folder that a recipe filled; "
            "none: the demo's, if demo/ or demo-quick/ is here."
        ),
    ] = None,
    other: Annotated[
        Path | None, typer.Option(metavar="MODEL", help="A second model, to write beside it.")
    ] = None,
    corpus: Annotated[
        Path | None, typer.Option(help="The training text, for the tab Memory.")
    ] = None,
    index: Annotated[
        Path | None, typer.Option(help="What `wellread overlap index` made of it: quicker.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="None: one that is free.")
    ] = None,
    host: Annotated[
        str, typer.Option(help="0.0.0.0: other machines may ask too, with the token.")
    ] = "127.0.0.1",
) -> None:
    """Open a page to play with a model, its tokenizer, its tasks and its training text."""
    if importlib.util.find_spec("gradio") is None:
        raise InputError(
            "the playground needs Gradio, which is not installed: "
            'pip install "wellread[playground]"'
        )
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when Gradio is loaded
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    from wellread.model.sources import refuse_other
    from wellread.playground.server import address, bound, is_loopback, serve, token_for

    found = given(model, other=other, index=index, corpus=corpus)
    is_bare = found.model is found.tokenizer is None
    if is_bare and sys.stdin.isatty() and typer.confirm(OFFER, default=True, err=True):
        demo(DEMO, quick=True)
        found = given(None, other=other, index=index, corpus=corpus)
    for path in (found.model, found.other):
        if path is not None:
            refuse_other(located(path))  # now, not on the page
    token = token_for(host)
    listening = bound(host, port)
    if not is_loopback(host):
        show.err.print(
            f"wellread: {host} can be reached by other machines: whoever has the address below, "
            "with its token, can use the model, and see the passages of the training text that "
            "are found. It goes over the network unencrypted.",
            markup=False,
        )
    from wellread.playground.loading import laid_out
    from wellread.playground.page import built

    desk = laid_out(found, located)
    app = built(desk)
    show.out.print(f"playground: {address(listening, token)}", markup=False)
    with interrupt.ends_with("the page is closed"):
        serve(app, listening, token)
