"""Where the command starts and every error ends: one sentence and an exit status."""

import importlib.metadata
import logging
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from wellread.base.allowance import allowed_cores
from wellread.base.errors import WellreadError, missing_library
from wellread.base.processes import is_first
from wellread.base.threads import usable_cores
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
from wellread.cli.wrong import with_way

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


class _Notices(logging.Handler):
    """What the kernels have to say, above a progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        show.err.print(f"[dim]{record.getMessage()}[/]")


def _tell_of_compiling() -> None:
    kernels = logging.getLogger("wellread.base.kernels")
    if show.err.is_terminal and not kernels.handlers:
        kernels.addHandler(_Notices(logging.INFO))
        kernels.setLevel(logging.INFO)
        kernels.propagate = False


def _refuse(error: Exception) -> None:
    """Usage, and what is wrong with a call; of options that may be meant the nearest."""
    if possibilities := getattr(error, "possibilities", None):
        error.message = f"{error.message}. Did you mean {possibilities[0]}?"  # type: ignore[attr-defined]
        possibilities.clear()
    if is_first():
        error.show()  # type: ignore[attr-defined]


def _interrupted(number: int, _frame: FrameType | None) -> None:
    interrupt.end(number, interrupt.STARTS_OVER)


def _say(sentence: object) -> None:
    if is_first():
        print(f"wellread: {sentence}", file=sys.stderr, flush=True)


def _set_libraries_up() -> None:
    """What libraries read of the environment when they are loaded, where the user did not say."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    settings = {
        "DAFT_PROGRESS_BAR": "0",  # it would write over ours
        "DAFT_SHOW_QUERY_ID": "0",
        # By default a folder among the user's settings, and one among all users' temporary files.
        "MPLCONFIGDIR": str(caches / "matplotlib"),
        "TORCHINDUCTOR_CACHE_DIR": str(caches / "torchinductor"),
        # PyTorch's idle threads look for work for milliseconds, on cores that our kernels then
        # lack; after so many looks, some 20 microseconds, they sleep.
        "GOMP_SPINCOUNT": "20000",
    }
    if allowed_cores() is not None:  # of which PyTorch and OpenMP know nothing
        settings["OMP_NUM_THREADS"] = str(usable_cores())
    for name, value in settings.items():
        os.environ.setdefault(name, value)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit status (0 done, 2 refused, 1 failed, 130 or 143 interrupted)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    _set_libraries_up()
    if not is_first():
        show.err.quiet = show.out.quiet = True
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the end
    _tell_of_compiling()
    signal.signal(signal.SIGTERM, _interrupted)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as in a shell's background job
        signal.signal(signal.SIGINT, _interrupted)
    try:
        given = [a for a in arguments if a != "--debug"]
        status = app(given, prog_name="wellread", standalone_mode=False)
    except (WellreadError, ModuleNotFoundError) as error:
        if debug:
            traceback.print_exc()
        refusal = error if isinstance(error, WellreadError) else missing_library(error)
        _say(with_way(refusal))
        return refusal.exit_status
    except typer.Exit as done:
        return done.exit_code
    except CallRefused as error:
        _refuse(error)
        return 2
    except (KeyboardInterrupt, typer.Abort):  # a library that handles Ctrl-C itself raises it
        _interrupted(signal.SIGINT, None)
    except BrokenPipeError:  # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status if isinstance(status, int) else 0  # of a command that raised typer.Exit
