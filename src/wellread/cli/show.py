"""What a person sees while a stage works and when it is done."""

import contextlib
import functools
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from wellread.base import progress as base
from wellread.base.files import write_bytes
from wellread.base.manifest import BAD_RECORDS, Manifest
from wellread.base.text import human_bytes, human_number, human_seconds

if TYPE_CHECKING:
    from wellread.evaluate.plan import Description
    from wellread.formats.sweeps import Sweep
    from wellread.report.blocks import Figure

SECONDS_BETWEEN_LINES = 10  # when the output is no terminal
REFRESHES_PER_SECOND = 8
WIDTH_OF_BAR, WIDTH_OF_NUMBERS = 24, 60  # the latter with label and times
NARROW_NOTE = 30  # characters of a note that a whole bar is to leave room for

GAP = 2  # between two columns of a table
WIDTH_OF_FILES = 160  # of what is no terminal: tables there need not fit into 80 columns


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream is not None and stream.isatty() else WIDTH_OF_FILES
    return Console(stderr=stderr, highlight=False, soft_wrap=True, width=width)


err, out = _console(stderr=True), _console(stderr=False)


class Row(NamedTuple):
    """How far one piece of work is, as it is shown."""

    show: base.Progress
    remove: Callable[[], None]


@contextlib.contextmanager
def progress(label: str) -> Iterator[base.Progress]:
    """A bar with the time left on a terminal; a line now and then elsewhere."""
    with rows() as row:
        yield row(label).show


@contextlib.contextmanager
def rows() -> Iterator[Callable[[str], Row]]:
    """As `progress`, for what goes on side by side: a row for each label, until it is removed."""
    if not err.is_terminal:
        yield lambda label: Row(_lines(label), lambda: None)
        return
    is_narrow = err.width < WIDTH_OF_BAR + WIDTH_OF_NUMBERS + NARROW_NOTE
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=WIDTH_OF_BAR // 3 if is_narrow else WIDTH_OF_BAR),
        TextColumn("{task.fields[count]}  [dim]{task.fields[note]}[/]"),
        TimeElapsedColumn(),
        TextColumn("[dim]left[/]"),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=err, transient=True, refresh_per_second=REFRESHES_PER_SECOND
    ) as bars:
        yield functools.partial(_bar, bars)


def _bar(bars: Progress, label: str) -> Row:
    task = bars.add_task(label, total=None, count="", note="")

    room = max(0, bars.console.width - WIDTH_OF_NUMBERS - WIDTH_OF_BAR // 3)

    def show(done: float, total: float | None, note: str = "") -> None:
        brief = escape(textwrap.shorten(note, max(room, NARROW_NOTE // 2), placeholder="…"))
        bars.update(task, completed=done, total=total, count=_count(done, total), note=brief)

    return Row(show, functools.partial(bars.remove_task, task))


def _lines(label: str) -> base.Progress:
    last = time.monotonic()
    first: tuple[float, float] | None = None  # what goes on has much done when it begins

    def show(done: float, total: float | None, note: str = "") -> None:
        nonlocal first, last
        now = time.monotonic()
        first = first or (now, done)
        if err.quiet or now - last < SECONDS_BETWEEN_LINES:
            return
        last = now
        left = ""
        if total and done > first[1]:
            seconds = (now - first[0]) * (total - done) / (done - first[1])
            left = f", {human_seconds(seconds)} left"
        print(f"{label}: {_count(done, total)} {note}{left}", file=sys.stderr, flush=True)

    return show


def _count(done: float, total: float | None) -> str:
    if not done:
        return ""
    return f"{done:,.0f}" if total is None else f"{done:,.0f} of {total:,.0f}"


def summary(manifest: Manifest) -> str:
    """One line: what came in, what came out, and the commonest reasons for the difference."""
    counts = manifest.counts
    parts = []
    if "held_out_first" in manifest.facts:
        parts.append(_held_out(manifest.facts))
    elif "in" in counts and "out" in counts:
        parts.append(f"{counts['in']:,} in, {counts['out']:,} out")
    commonest = sorted(manifest.dropped.items(), key=lambda pair: -pair[1])[:3]
    if commonest:
        shown = ", ".join(f"{reason} {number:,}" for reason, number in commonest)
        more = len(manifest.dropped) - len(commonest)
        parts.append(f"dropped: {shown}" + (f" and {more} more reasons" if more else ""))
    bad = sum(count for name, count in counts.items() if name.startswith(BAD_RECORDS))
    if bad:
        parts.append(f"bad records in the input: {bad:,}")
    return "; ".join(parts)


def _held_out(facts: dict[str, Any]) -> str:
    """What training did to the held-out loss.

    >>> _held_out({"num_steps": 20, "held_out_first": {"step": 5, "loss": 5.5}, "held_out_loss": 4})
    '20 steps; held-out loss 5.500 after step 5, 4.000 at the end'
    >>> _held_out({"num_steps": 20, "held_out_first": {"step": 0, "loss": 4.5}, "held_out_loss": 4})
    '20 steps; held-out loss 4.500 before training, 4.000 at the end'
    """
    steps, first, last = facts["num_steps"], facts["held_out_first"], facts["held_out_loss"]
    before = "before training" if not first["step"] else f"after step {first['step']:,}"
    begun = f"{first['loss']:.3f} {before}, " if first["step"] < steps else ""
    return f"{steps:,} steps; held-out loss {begun}{last:.3f} at the end"


def finished(label: str, manifest: Manifest, *, since: datetime) -> None:
    """Say that a stage is done, or was before `since`; on the error stream: --json stays clean."""
    state = human_seconds(manifest.seconds) if manifest.finished_at >= since else "up to date"
    err.print(f"[green]✓[/] {label:<18} [dim]{state:>10}[/]  {escape(summary(manifest))}")


def vocabulary(manifest: Manifest) -> None:
    """What a vocabulary was learnt from, and how it fits, on the error stream."""
    counts, facts = manifest.counts, manifest.facts
    parts = []
    if counts:
        number = counts["out"]
        documents = f"{number:,} document{'s' * (number != 1)}"
        parts.append(f"{documents}, {human_bytes(counts['bytes'])}")
        parts.append(f"{counts['distinct pre-tokens']:,} distinct pre-tokens")
    parts.append(f"{facts['num_merges']:,} merges")
    if facts.get("merges_per_second"):
        parts[-1] += f" at {facts['merges_per_second']:,}/s"
    if facts.get("bytes_per_token"):
        parts.append(f"{facts['bytes_per_token']:.2f} bytes per token on {facts['measured_on']}")
    err.print(f"  [dim]{escape('; '.join(parts))}[/]")


def print_json(value: object) -> None:
    print(msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=1).decode())


def plain_table(*titles: str, left: Sequence[str]) -> Table:
    """A table without lines, its columns to the right but those named in `left`.

    Where a terminal is narrow its cells go on in the next line; nothing is cut.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        justify: Literal["left", "right"] = "left" if title in left else "right"
        table.add_column(title, justify=justify, overflow="fold")
    return table


def print_table(table: Table) -> None:
    """A table none of whose cells is cut or broken; titles break between words.

    Where there is no room for that, a block for each row: what it is, and then its cells by title.
    """
    titles = [str(column.header) for column in table.columns]
    cells = [[Text.from_markup(str(cell)) for cell in column.cells] for column in table.columns]
    least = [max((cell.cell_len for cell in column), default=0) for column in cells]
    natural = [max(one, cell_len(title)) for one, title in zip(least, titles, strict=True)]
    room = out.width - GAP * (len(titles) - 1)
    if sum(natural) > room:
        least = [
            max(one, *map(cell_len, title.split() or [""]))
            for one, title in zip(least, titles, strict=True)
        ]
        if sum(least) > room:
            _blocks(titles, list(zip(*cells, strict=True)), num_names=_num_names(table))
            return
        for column, width in zip(table.columns, least, strict=True):
            column.width = width
    out.print(table)


def print_hanging(markup: str, indent: int) -> None:
    """A line; what a terminal has no room for goes on below, further in than it begins."""
    text = Text.from_markup(markup)
    pieces = list(text.wrap(out, out.width - indent - GAP)) if out.is_terminal else [text]
    for number, piece in enumerate(pieces):
        out.print(Text(" " * (indent + GAP * bool(number))) + piece)


def _num_names(table: Table) -> int:
    """How many columns at the left say what a row is."""
    is_right = [column.justify == "right" for column in table.columns]
    return is_right.index(True) if True in is_right else 1


def _blocks(titles: Sequence[str], rows: Sequence[tuple[Text, ...]], *, num_names: int) -> None:
    for row in rows:
        out.print("  ".join(cell.plain for cell in row[:num_names]), style="bold", markup=False)
        pairs = zip(titles[num_names:], row[num_names:], strict=True)
        told = "; ".join(f"{title} {cell.plain}".strip() for title, cell in pairs if cell.plain)
        whole = textwrap.TextWrapper(
            out.width, initial_indent="  ", subsequent_indent="  ",
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
        for line in whole.wrap(told):
            out.print(line, markup=False)


def interval(low: float | None, high: float | None, sign: Literal["", "+"] = "") -> str:
    if low is None or high is None:
        return ""
    return f"{human_number(low, sign)} to {human_number(high, sign)}"


def sweep(found: "Sweep") -> None:
    """A row for each learning rate, and which to take."""
    table = plain_table("peak learning rate", "held-out loss", "", left=[""])
    for trial in found.trials:
        loss = "no number" if trial.held_out_loss is None else f"{trial.held_out_loss:.4f}"
        is_chosen = trial.learning_rate == found.chosen
        table.add_row(f"{trial.learning_rate:g}", loss, "chosen" if is_chosen else "")
    out.print(table)
    out.print(
        f"--peak-learning-rate {found.chosen:g} --final-learning-rate "
        f"{found.final_learning_rate:g}", markup=False,
    )  # fmt: skip
    if found.is_at_edge:
        out.print("the best is still the last one tried; give it as the peak and sweep again")


def _published(task: str) -> str:
    from wellread.formats.published import paper

    stated = [
        f"{row.metric} " + ", ".join(f"{size} {value:g}" for size, value in row.by_size.items())
        for row in paper().scores
        if row.task == task
    ]
    return f"the paper: {'; '.join(stated)}"


def tasks(rows: "Sequence[Description]") -> None:
    """A line for each task: what it measures, what it needs, whether the paper has its numbers."""
    table = plain_table("task", "what", "needs", "in the paper", left=["task", "what", "needs"])
    for row in rows:
        what = row.source.partition(":")[0].partition(",")[0]
        table.add_row(row.name, escape(what), row.needs, "yes" if row.published else "")
    out.print(table)
    out.print("all of one, with its settings: wellread evaluate --list TASK", markup=False)


def task(row: "Description") -> None:
    """Where a task's data comes from, what is measured, what may be varied."""
    out.print(f"[bold]{row.name}[/]  [dim]{escape(row.protocol)}[/]")
    tested = "; tested on records of its layout only" if row.is_layout_tested else ""
    out.print(f"  {row.source}{tested}; {', '.join(row.metrics)}", markup=False)
    if row.needs:
        out.print(f"  needs {row.needs}", markup=False)
    if row.published:
        out.print(f"  {_published(row.published)}", markup=False)
    for axis, meaning in row.axes.items():
        out.print(f"  {axis}: {meaning}", markup=False)


def keep(folder: Path, name: str, content: bytes, figures: Sequence["Figure"]) -> None:
    """Write a report's numbers as the file `name`, and its figures, into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / name, content)
    for figure in figures:
        write_bytes(folder / f"{figure.key}.svg", figure.file)
