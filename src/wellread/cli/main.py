"""Where the command starts and every error ends: one sentence and an exit status."""

import importlib.metadata
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from wellread.base.errors import WellreadError
from wellread.base.processes import is_first
from wellread.cli import (
    corpus,
    doctor,
    interrupt,
    models,
    overlap,
    playground,
    recipes,
    results,
    show,
    stages,
    texts,
    tokenizer,
    why,
)

app = typer.Typer(
    name="wellread",
    help="GPT-2's system: links, corpus, tokenizer, training, zero-shot scores, overlap, report.",
    epilog="Every command takes --debug: show where an error came from.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its tables cut the names of options in 80 columns
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _show_version(asked: bool) -> None:
    if asked:
        print(f"wellread {importlib.metadata.version('wellread')}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    pass


for commands in (recipes, stages, overlap, results, models, texts, playground, why, doctor):
    commands.register(app)
tokenizer.register(stages.tokenizer_app)
corpus.register(stages.corpus_app)


# Newer Typers bring a click of their own, older ones use the installed one; this class is the
# parent of all its refusals of a call in either.
CallRefused: type[Exception] = typer.BadParameter.__mro__[2]


def _interrupted(number: int, _frame: FrameType | None) -> None:
    """End at once: what a stage leaves when it is killed is what it goes on from."""
    interrupt.end(number, "the same command goes on from here")


def _say(sentence: object) -> None:
    if is_first():
        print(f"wellread: {sentence}", file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit status (0 done, 2 refused, 1 failed, 130 or 143 interrupted)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    os.environ.setdefault("DAFT_PROGRESS_BAR", "0")  # it would write over ours
    # PyTorch's idle threads look for work for milliseconds, on cores that our kernels then lack;
    # after so many looks, some 20 microseconds, they sleep. It is read when PyTorch is loaded.
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    if not is_first():
        show.err.quiet = show.out.quiet = True
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the end
    signal.signal(signal.SIGTERM, _interrupted)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as in a shell's background job
        signal.signal(signal.SIGINT, _interrupted)
    try:
        given = [a for a in arguments if a != "--debug"]
        status = app(given, prog_name="wellread", standalone_mode=False)
    except WellreadError as error:
        if debug:
            traceback.print_exc()
        _say(error)
        return error.exit_status
    except typer.Exit as done:
        return done.exit_code
    except CallRefused as error:
        if is_first():
            error.show()  # type: ignore[attr-defined]
        return 2
    except (KeyboardInterrupt, typer.Abort):  # a library that handles Ctrl-C itself raises it
        _interrupted(signal.SIGINT, None)
    except BrokenPipeError:  # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status if isinstance(status, int) else 0  # of a command that raised typer.Exit
