"""Results on the screen and on paper: `show` and `compare`."""

import csv
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer
from rich.markup import escape

from wellread.base.errors import InputError
from wellread.base.manifest import is_artifact, read_artifact, read_manifest
from wellread.base.suggest import suggestion
from wellread.base.text import human_number, human_seconds
from wellread.cli import show, show_copying, show_overlap, show_study
from wellread.cli.options import Json
from wellread.cli.wrong import shown_by
from wellread.formats import studies
from wellread.formats.comparisons import verdict
from wellread.formats.published import nearest_size, published

if TYPE_CHECKING:
    from wellread.evaluate.budget import Estimate
    from wellread.formats.results import Result, Score

Form = Literal["table", "markdown", "csv", "lm-eval"]
SHOWN = 300  # characters of a text


def register(app: typer.Typer) -> None:
    app.command("show")(show_results)
    app.command("compare")(compare)


def show_results(
    results: Annotated[
        Path, typer.Argument(help="A results directory, a run's; a study, overlap, copying.")
    ],
    task: Annotated[str | None, typer.Option(help="Show the items of this task.")] = None,
    wrong: Annotated[bool, typer.Option("--wrong", help="Items that were not right.")] = False,
    surest: Annotated[
        bool, typer.Option("--surest", help="Answers of most confidence first, as in table 5.")
    ] = False,
    by_site: Annotated[
        bool, typer.Option("--by-site", help="The scores of --task for each site of its corpus.")
    ] = False,
    count: Annotated[int, typer.Option("-n", min=1, help="How many items.")] = 10,
    form: Annotated[Form, typer.Option(help="Of the scores.")] = "table",
    json: Json = False,
) -> None:
    """Show scores beside the paper's, or items with what the model said; or another result."""
    from wellread.formats.results import STAGE, read_results, results_in

    if results.is_file() and is_artifact(results.parent):
        results = results.parent
    if not is_artifact(results) and results.is_dir():
        folders = results_in(results)
        for folder in folders:  # of a run, or of `--every-checkpoint`
            show.out.print(f"[bold]{escape(str(folder))}[/]")
            show_results(folder, task, wrong, surest, by_site, count, form, json)
        if folders:
            return
    if is_artifact(results) and _shows_other(results, json=json):
        return
    manifest = read_artifact(results, STAGE)
    found = read_results(results, variants=True)
    if by_site:
        _sites(results, task or "held-out", count, json=json)
    elif surest:
        _surest(results, found, count, json=json)
    elif task or wrong:
        _items(results, found, task, count, wrong=wrong, json=json)
    elif json:
        show.print_json(found)
    else:
        scores(found, manifest.facts, form)


def _shows_other(artifact: Path, *, json: bool) -> bool:
    """Show what another stage than evaluation made, if this command does."""
    stage = read_manifest(artifact).stage
    if stage in (others := _others()):
        read, shown = others[stage]
        found = read(artifact)
        show.print_json(found) if json else shown(found)
    elif way := shown_by(artifact):
        raise InputError(f"{artifact}: made by stage {stage!r}, which `{way}` shows")
    return stage in others


def _others() -> dict[str, tuple[Callable[[Path], Any], Callable[[Any], None]]]:
    """How artifacts of other stages than evaluation are read, and shown."""
    from wellread.formats import clean_scores, copying, overlap

    return {
        studies.STAGE: (studies.read_study, _study),
        overlap.STAGE: (overlap.read_overlap, show_overlap.overlap),
        clean_scores.STAGE: (clean_scores.read_clean_scores, show_overlap.clean),
        copying.STAGE: (copying.read_copying, show_copying.copying),
    }


def _study(study: studies.Study) -> None:
    show_study.tables(study)
    if study.caution:
        show.err.print(f"[yellow]caution[/] {escape(study.caution)}")


def scores(found: "list[Result]", facts: dict[str, object], form: Form = "table") -> None:
    """A row for each metric of each task; what was not run, and why, at the end."""
    parameters = facts.get("num_parameters")
    size = nearest_size(parameters if isinstance(parameters, int) else None)
    rows = [_row(result, score, size) for result in found for score in result.scores]
    {"table": _table, "markdown": _markdown, "csv": _csv, "lm-eval": _lm_eval}[form](rows, size)
    if form == "table":
        _nearest(rows, size)
        _notes(found)
    not_run = facts.get("not_run")
    if isinstance(not_run, dict):
        missing(not_run)


def missing(not_run: dict[str, str]) -> None:
    """The tasks that cannot be done, and why."""
    for name, why in not_run.items():
        show.err.print(f"[yellow]not run[/] {escape(name)}: {escape(why)}")


class Row(NamedTuple):
    """A metric of a task, and the paper's value of it; the columns of CSV."""

    task: str
    protocol: str
    metric: str
    value: float
    low: float | None
    high: float | None
    chance: float | None
    paper: float | None
    paper_size: str  # whose value that is
    n: int
    of: int
    note: str


def _row(result: "Result", score: "Score", size: str) -> Row:
    stated = published(result.comparable_to, score.metric, result.protocol)
    paper_size, paper = stated.nearest(size) if stated else ("", None)
    return Row(
        task=result.stem,
        protocol=result.protocol,
        metric=score.metric,
        value=score.value,
        low=score.low,
        high=score.high,
        chance=score.chance,
        paper=paper,
        paper_size=paper_size,
        n=score.num_items,
        of=result.of(score),
        note="; ".join(filter(None, [result.note, score.note])),
    )


def _number(value: float | None) -> str:
    return "" if value is None else human_number(value)


def _cells(row: Row, size: str) -> list[str]:
    """As under `_titles`; the paper's value says of which model, if of another than the column."""
    other = "" if row.paper_size in ("", size) else f" ({row.paper_size})"
    return [
        row.task, row.metric, _number(row.value), show.interval(row.low, row.high),
        _number(row.paper) + other, _number(row.chance),
        f"{row.n:,}" + (f" of {row.of:,}" if row.n != row.of else ""),
    ]  # fmt: skip


def _titles(size: str) -> list[str]:
    return ["task", "metric", "value", "95 %", f"paper, {size}", "chance", "n"]


def _table(rows: Iterable[Row], size: str) -> None:
    table = show.plain_table(*_titles(size), left=["task", "metric"])
    last = None
    for row in rows:
        task, *cells = _cells(row, size)
        table.add_row("" if task == last else task, *cells)
        last = task
    show.out.print(table)


def _nearest(rows: Iterable[Row], size: str) -> None:
    """Of tasks that were scored under several protocols, the one that comes nearest the paper."""
    groups: dict[tuple[str, str, float], list[Row]] = {}
    for row in rows:
        if row.paper is not None and row.paper_size == size:
            task = row.task.partition(",")[0]
            groups.setdefault((task, row.metric, row.paper), []).append(row)
    for (_, metric, stated), group in groups.items():
        group.sort(key=lambda row: abs(row.value - stated))
        if len(group) > 1 and group[0].value != group[1].value:
            best = group[0]
            show.out.print(
                f"nearest the paper's {_number(stated)} ({size}) in {metric}: "
                f"{_number(best.value)} by {escape(best.protocol)}"
            )


def _notes(found: "list[Result]") -> None:
    """What a reader must know beside the numbers: cut items, subsets, signatures.

    What all tasks share is said once, and so is what all metrics of a task share.
    """
    parts = [result.note.split("; ") if result.note else [] for result in found]
    common = [part for part in parts[0] if all(part in others for others in parts)]
    if len(found) > 1 and common:
        show.out.print(f"[dim]all: {escape('; '.join(common))}[/]")
        parts = [[part for part in own if part not in common] for own in parts]
    for result, own in zip(found, parts, strict=True):
        metrics: dict[str, list[str]] = {}
        for score in result.scores:
            stated = published(result.comparable_to, score.metric, result.protocol)
            paper = f"the paper's is {stated.note}" if stated and stated.note else ""
            for note in filter(None, [score.note, paper]):
                metrics.setdefault(note, []).append(score.metric)
        said = [
            note if len(named) == len(result.scores) > 1 else f"{', '.join(named)}: {note}"
            for note, named in metrics.items()
        ]
        if own or said:
            show.out.print(f"[dim]{escape(result.stem)}: {escape('; '.join([*own, *said]))}[/]")


def _markdown(rows: Iterable[Row], size: str) -> None:
    titles = [*_titles(size), "protocol"]
    print(f"| {' | '.join(titles)} |")
    print("|" + "---|" * len(titles))
    for row in rows:
        protocol = row.protocol.replace("|", "\\|")
        print(f"| {' | '.join(_cells(row, size))} | `{protocol}` |")


def _csv(rows: Iterable[Row], _: str) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(Row._fields)
    writer.writerows(rows)


def _lm_eval(rows: Iterable[Row], _: str) -> None:
    """As lm-evaluation-harness prints: the standard error is a quarter of the interval's width."""
    print("|Tasks|Version|Filter|n-shot|Metric|   |Value|   |Stderr|")
    print("|---|--:|---|--:|---|---|--:|---|--:|")
    for row in rows:
        error = "N/A"
        if row.low is not None and row.high is not None:
            error = f"{(row.high - row.low) / (2 * 1.96):.4f}"
        named, *axes = row.protocol.split("|")
        shots = dict(axis.split("=") for axis in axes).get("shots", 0)
        part = "" if row.n == row.of else f" ({row.n} of {row.of})"
        print(
            f"|{row.task}{part}|{named.rpartition(':')[2]}|none|{shots}|{row.metric}|   "
            f"|{row.value:.4f}|±  |{error}|"
        )


def _items(
    results: Path, found: "list[Result]", task: str | None, count: int, *, wrong: bool, json: bool
) -> None:
    from wellread.formats.results import read_items

    stems = [result.stem for result in found]
    if task is not None and task not in stems:
        raise InputError(f"{results}: no result {task!r}{suggestion(task, stems)}")
    for stem in stems if task is None else [task]:
        rows = list(read_items(results, stem))
        below = ""
        if wrong:
            answers = [row for row in rows if row["value"] is not None and _is_answer(row)]
            if not answers and task is not None:
                raise InputError(
                    f"{results}: items of {stem!r} are texts, which are neither right nor wrong; "
                    "leave out --wrong"
                )
            if not answers:
                continue
            rows = sorted(
                (row for row in answers if row["value"] < 1), key=lambda row: row["value"]
            )
            below = " below full marks" + ", the worst first" * (len(rows) > 1)
        if json:
            show.print_json(rows[:count])
            continue
        items = f"{len(rows):,} item{'s' * (len(rows) != 1)}{below}"
        show.out.print(f"[bold]{escape(stem)}[/]  [dim]{items}[/]")
        for row in rows[:count]:
            _item(row)


def _surest(results: Path, found: "list[Result]", count: int, *, json: bool) -> None:
    """Section 3.8's table: question, generated answer, whether it is right, its probability."""
    from wellread.formats.results import question_of, read_items, surest_first

    rows = surest_first(row for one in found for row in read_items(results, one.stem))[:count]
    if not rows:
        raise InputError(f"{results}: no task here has answers with a confidence")
    if json:
        show.print_json(rows)
        return
    titles = ("question", "generated answer", "right", "probability")
    table = show.plain_table(*titles, left=titles[:3])
    for row in rows:
        is_right = "[green]yes[/]" if row["value"] == 1 else "no"
        answer = row["prediction"] or "(empty)"
        table.add_row(
            escape(question_of(row)), escape(answer), is_right, f"{row['confidence']:.1%}"
        )
    show.out.print(table)


def _sites(results: Path, task: str, count: int, *, json: bool) -> None:
    """One domain beside another: a row for each of the `count` sites of most items."""
    from wellread.evaluate.sites import score_by_site

    found = score_by_site(results, task)
    if json:
        show.print_json(found[:count])
        return
    table = show.plain_table("site", "metric", "value", "95 %", "n", left=["site", "metric"])
    for site in found[:count]:
        for score in site.scores:
            interval = show.interval(score.low, score.high)
            cells = (score.metric, _number(score.value), interval, f"{score.num_items:,}")
            table.add_row(escape(site.name), *cells)
    show.out.print(table)


def _is_answer(row: dict[str, Any]) -> bool:
    """Whether an item is answered, rather than a text whose `value` is in nats."""
    return bool(row["target"])


def _item(row: dict[str, Any]) -> None:
    def line(name: str, value: object, style: str = "") -> None:
        if value not in (None, ""):
            text = " ".join(str(value).split())
            cut = text if len(text) <= SHOWN else "... " + text[-SHOWN:]
            show.out.print(f"  [dim]{name:<10}[/] [{style or 'default'}]{escape(cut)}[/]")

    show.out.print(f"[cyan]{escape(str(row['item']))}[/]")
    line("prompt", row["prompt"] or row["text"])
    line("target", row["target"], "green")
    said = "(empty)" if row["prediction"] == "" else row["prediction"]
    line("prediction", said, "red" if row["value"] == 0 else "")
    nats = row["log_prob"]
    line("log prob", f"{nats:.3f} nats, {row['num_tokens']} tokens" if nats is not None else None)
    line("value", _number(row["value"]))


def estimates(found: "list[Estimate]") -> None:
    """How long each task is expected to take, before any of them begins."""
    table = show.plain_table("task", "items", "about", left=["task"])
    for one in found:
        needs = human_seconds(one.seconds)
        if one.share is not None and one.is_a_part:
            needs = f"{human_seconds(one.share)} of {needs}, a part of the items"
        table.add_row(escape(one.protocol), f"{one.num_items:,}", needs)
    total = sum(one.seconds if one.share is None else one.share for one in found)
    show.err.print(table)
    show.err.print(f"in all about {human_seconds(total)}")


def compare(
    first: Annotated[Path, typer.Argument(help="A results directory.")],
    second: Annotated[Path, typer.Argument(help="Another, of other weights.")],
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap.")] = 0,
    json: Json = False,
) -> None:
    """Compare two models item by item: each metric's difference and its 95 % interval."""
    from wellread.evaluate.compare import compare as paired

    found = paired(first, second, seed=seed)
    if json:
        show.print_json(found)
        return
    titles = ("task", "metric", str(first), str(second), "difference", "95 %", "n", "")
    table = show.plain_table(*titles, left=["task", "metric", ""])
    for one in found:
        units = "" if one.num_units == one.num_items else f" in {one.num_units:,}"
        table.add_row(
            escape(one.stem), one.metric, human_number(one.first), human_number(one.second),
            human_number(one.difference, "+"), show.interval(one.low, one.high, "+"),
            f"{one.num_items:,}{units}",
            verdict(one.low, one.high, higher_is_better=one.higher_is_better),
        )  # fmt: skip
    show.out.print(table)
