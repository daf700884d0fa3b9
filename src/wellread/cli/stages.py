"""One command for each stage: `wellread links`, `crawl`, `corpus`, ... `report`."""

import contextlib
import functools
import inspect
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from typer.core import TyperCommand, TyperGroup

from wellread.base.config import convert
from wellread.base.errors import InputError
from wellread.base.manifest import Manifest, read_manifest
from wellread.base.suggest import nearest, no_such
from wellread.cli import complete, interrupt, show, show_crawl, show_links, show_study
from wellread.cli import results as scored
from wellread.cli.models import located
from wellread.cli.options import FiguresOut, Json, Out, WebtextDomains, takes_settings
from wellread.cli.recipes import run_steps, run_study
from wellread.corpus.config import CorpusConfig
from wellread.crawl.config import CrawlConfig
from wellread.evaluate.config import EvaluateConfig
from wellread.formats import link_report
from wellread.links.config import LinksConfig
from wellread.model.sizes import ModelConfig
from wellread.pipeline.recipe import recipe_or_other
from wellread.report.config import ReportConfig
from wellread.studies.config import StudyConfig
from wellread.tokenizer.config import TokenizerConfig
from wellread.tokens.config import TokensConfig
from wellread.train.config import TrainConfig

GOES_ON = ("links", "crawl", "corpus", "evaluate")  # from what they had when they were interrupted


class _FirstByDefault(TyperGroup):
    """`links DUMPS` is `links take DUMPS`: the command that was registered first."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        is_named = bool(args) and args[0] in self.commands
        is_path = bool(args) and Path(args[0]).exists()
        near = nearest(args[0], self.commands) if args and not is_named and not is_path else []
        if near:
            ctx.fail(f"No such command {args[0]!r}. Did you mean {near[0]!r}?")
        first = next(iter(self.commands))
        return super().parse_args(ctx, args if is_named or not args else [first, *args])


class _First(TyperCommand):
    """The command of such a group that needs no name; its usage has none."""

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        pieces = " ".join(self.collect_usage_pieces(ctx))
        formatter.write_usage(ctx.parent.command_path, pieces)


links_app = typer.Typer(
    name="links", cls=_FirstByDefault, help="Links out of Reddit dumps.", no_args_is_help=True
)
corpus_app = typer.Typer(
    name="corpus", cls=_FirstByDefault, help="Documents out of pages.", no_args_is_help=True
)
tokenizer_app = typer.Typer(name="tokenizer", help="Byte-level BPE.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    for command in (crawl, tokens, train, evaluate, study, report):
        app.command(command.__name__)(command)
    app.add_typer(links_app)
    app.add_typer(corpus_app)
    app.add_typer(tokenizer_app)


def do_stage(
    label: str,
    out: Path,
    work: Callable[..., Manifest],
    *,
    json: bool,
    more: Callable[[Manifest], None] | None = None,
    result: tuple[Callable[[Path], Any], Callable[[Any], None]] | None = None,
) -> None:
    """Let a stage work and say what came of it.

    `result`: how that is read, which is what JSON then has instead of the manifest, and shown.
    """
    since = datetime.now(UTC)
    kept = interrupt.goes_on() if label in GOES_ON else contextlib.nullcontext()
    with kept, show.progress(label) as progress:
        manifest = work(progress=progress)
    if json:
        show.print_json(manifest if result is None else result[0](out))
        return
    show.finished(label, manifest, since=since)
    if more is not None:
        more(manifest)
    show.out.print(str(out), markup=False)
    if result is not None:
        read, shown = result
        shown(read(out))


@links_app.command("take", cls=_First)
@takes_settings(LinksConfig, "links")
def links(
    dumps: Annotated[
        list[Path],
        typer.Argument(help="Dumps of submissions, folders of them, patterns; - reads one."),
    ],
    config: LinksConfig,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Directory to write to.")] = None,
    explain: Annotated[
        str | None, typer.Option(metavar="URL", help="Only say why this URL is in or out.")
    ] = None,
    json: Json = False,
) -> None:
    """Take the outbound links with at least 3 karma from dumps of Reddit submissions.

    What is in a table of links says `wellread links report LINKS`.
    """
    if (out is None) == (explain is None):
        raise InputError("links: give -o DIRECTORY, or --explain URL")
    if explain is not None:
        from wellread.links.explain import explain_url

        with show.progress("explain") as progress:
            found = explain_url(explain, dumps, config, progress=progress)
        show.print_json(found) if json else show_links.explanation(found)
        return
    from wellread.links.harvest import harvest_links

    assert out is not None
    do_stage("links", out, partial(harvest_links, dumps, out, config), json=json)


@links_app.command("report")
def links_report(
    links: Annotated[Path, typer.Argument(help="What `wellread links` wrote.")],
    out: FiguresOut = None,
    webtext_domains: WebtextDomains = None,
    json: Json = False,
) -> None:
    """Show links by year, karma and site, beside WebText's own, and what each rule dropped.

    The figures have them by month.
    """
    from wellread.links.report import report_links

    found = report_links(links, webtext_domains=webtext_domains)
    show.print_json(found) if json else show_links.report(found)
    if out is not None:
        from wellread.report.link_figures import link_figures

        show.keep(out, link_report.NAME, link_report.encode(found), link_figures(found))


@takes_settings(CrawlConfig, "crawl")
def crawl(
    links: Annotated[Path, typer.Argument(help="What `wellread links` wrote.")],
    config: CrawlConfig,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Directory to write to.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would take, and stop.")
    ] = False,
    json: Json = False,
) -> None:
    """Fetch the pages that links point to, in good manners, and keep them as WARC."""
    if dry_run:
        show_crawl.prospect(links, out, config, json=json)
        return
    from wellread.crawl.stage import crawl as fetch

    if out is None:
        raise InputError("crawl: name an --out directory, or give --dry-run")
    do_stage("crawl", out, partial(fetch, links, out, config, replaces=False), json=json)


@corpus_app.command("build", cls=_First)
@takes_settings(CorpusConfig, "corpus")
def corpus(
    sources: Annotated[
        list[Path], typer.Argument(help="Pages (a crawl, WARC, HTML) or documents (JSONL, text).")
    ],
    out: Out,
    config: CorpusConfig,
    links: Annotated[Path | None, typer.Option(help="Links, for the karma of documents.")] = None,
    json: Json = False,
) -> None:
    """Make documents of pages: main text, language, cleaning, duplicates, split.

    What is in a corpus says `wellread corpus report CORPUS`; why a page is in it or is not,
    `wellread corpus explain CORPUS URL`.
    """
    from wellread.corpus.build import build_corpus

    do_stage("corpus", out, partial(build_corpus, sources, out, config, links=links), json=json)


@tokenizer_app.command("train")
@takes_settings(TokenizerConfig, "tokenizer")
def train_tokenizer(
    corpus: Annotated[
        list[Path], typer.Argument(help="Corpora, JSONL, Parquet, text files, or folders of them.")
    ],
    out: Out,
    config: TokenizerConfig,
    json: Json = False,
) -> None:
    """Learn a vocabulary from a corpus."""
    from wellread.tokenizer.build import train_tokenizer as learn

    do_stage("tokenizer", out, partial(learn, corpus, out, config), json=json, more=show.vocabulary)


@takes_settings(TokensConfig, "tokens")
def tokens(
    corpus: Annotated[Path, typer.Argument(help="A corpus, JSONL, Parquet or a text folder.")],
    out: Out,
    tokenizer: Annotated[Path, typer.Option(help="Folder with the vocabulary, or a model's.")],
    config: TokensConfig,
    json: Json = False,
) -> None:
    """Encode a corpus into shards of token ids."""
    from wellread.tokens.build import tokenize_corpus

    if not tokenizer.exists():  # a model's, by its name in the hub's cache
        tokenizer = located(tokenizer)
    do_stage("tokens", out, partial(tokenize_corpus, corpus, tokenizer, out, config), json=json)


def or_recipe(
    argument: str, run: Callable[..., None], beside: Sequence[str]
) -> Callable[[Callable[..., None]], Any]:
    """Let a command take a recipe as its `argument`, which `run` then gets with options `beside`.

    A recipe is a file .toml, or the name of one of ours where nothing else here has it. Other
    options are settings, which are refused: its copy in OUT says what was done.
    """

    def decorate(command: Callable[..., None]) -> Any:
        @functools.wraps(command)
        def wrapper(call: typer.Context, **arguments: Any) -> None:
            named = arguments[argument]
            recipe = recipe_or_other(named[0] if isinstance(named, list) else named)
            options = [
                name
                for name in call.params
                if name not in (argument, "out", "json")
                and getattr(call.get_parameter_source(name), "name", "") == "COMMANDLINE"
            ]
            if recipe.suffix != ".toml":
                # Settings are checked before paths: of several that are not there it would say
                # that nothing varies.
                for path in named if isinstance(named, list) else ():
                    if not path.exists():
                        raise no_such(path, f"{argument}, or a recipe")
                command(**arguments)
                return
            for name in options:
                if name not in beside:
                    flag = "--" + name.replace("_", "-")
                    raise InputError(
                        f"{command.__name__}: {flag} beside a recipe; write settings into "
                        f"{recipe}, or name {argument} instead of it"
                    )
            if isinstance(named, list) and len(named) > 1:
                raise InputError(f"{command.__name__}: {named[1]} beside the recipe {recipe}")
            run(recipe, **{name: arguments[name] for name in ("out", "json", *beside)})

        own = inspect.Parameter("call", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
        others = inspect.signature(command).parameters.values()
        wrapper.__signature__ = inspect.Signature([own, *others])  # type: ignore[attr-defined]
        wrapper.__annotations__ = command.__annotations__ | {"call": typer.Context}
        return wrapper

    return decorate


@or_recipe("tokens", partial(run_steps, until="train"), beside=["data"])
@takes_settings(TrainConfig, "train")
def train(
    tokens: Annotated[
        Path,
        typer.Argument(
            help="What `wellread tokens` wrote; or a recipe (.toml, or the name of one of ours), "
            "whose models are trained in OUT, with all that comes before. No settings beside a "
            "recipe.",
            autocompletion=complete.recipes,
        ),
    ],
    out: Out,
    config: TrainConfig,
    size: Annotated[
        str,
        typer.Option(help="124M ... 1558M, or LAYERSxWIDTH.", autocompletion=complete.sizes),
    ] = "124M",
    context: Annotated[int, typer.Option(help="Tokens that the model sees at once.")] = 1024,
    norm: Annotated[str, typer.Option(help="pre, or post as in GPT-1.")] = "pre",
    final_norm: Annotated[bool, typer.Option(help="The norm before the head.")] = True,
    residual_scaling: Annotated[bool, typer.Option(help="Of weights at the start.")] = True,
    tied_head: Annotated[bool, typer.Option(help="The head is the token embedding.")] = True,
    scores: Annotated[
        Path | None, typer.Option(help="Score every checkpoint, into a directory of its own here.")
    ] = None,
    tasks: Annotated[str, typer.Option(help="For --scores, separated by commas.")] = "",
    data: Annotated[
        Path | None, typer.Option(help="For --scores: the tasks' files; for a recipe: its paths'.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="For --scores: items of each task.")] = None,
    sweep_learning_rate: Annotated[
        bool,
        typer.Option("--sweep-learning-rate", help="Only find the best rate, by short runs."),
    ] = False,
    sweep_steps: Annotated[
        int | None, typer.Option(help="Of each short run. [default: 200, or --steps]")
    ] = None,
    json: Json = False,
) -> None:
    """Train a model; run the same command again to go on after an interruption."""
    from wellread.train.build import train as fit

    def score(folder: Path) -> None:
        from wellread.evaluate.run import evaluate as scored_on

        assert scores is not None
        scored_on(folder, scores / folder.name, scoring)

    if (scores is None) != (not tasks):
        raise InputError("train: --scores DIR and --tasks TASKS belong together")
    scoring = EvaluateConfig(tasks=tasks.split(",") if tasks else [], data=data, limit=limit)
    if scores is not None:  # a missing file is said now, not at the first checkpoint
        from wellread.evaluate.plan import prepare

        prepare(scoring)
    given = {
        "size": size, "context": context, "norm": norm, "final_norm": final_norm,
        "residual_scaling": residual_scaling, "tied_head": tied_head,
    }  # fmt: skip
    model = convert(given, ModelConfig, where="train")
    if config.start is not None:
        config = msgspec.structs.replace(config, start=str(located(Path(config.start))))
    if sweep_steps is not None and not sweep_learning_rate:
        raise InputError("train: --sweep-steps belongs to --sweep-learning-rate")
    on_checkpoint = score if scores is not None else None
    with interrupt.goes_on(), interrupt.postponed() as should_stop:
        if sweep_learning_rate:
            from wellread.formats.sweeps import read_sweep
            from wellread.train import sweep

            work = partial(sweep.sweep_learning_rate, tokens, out, model, config)
            work = partial(work, steps=sweep_steps, should_stop=should_stop)
            do_stage("sweep", out, work, json=json, more=lambda _: show.sweep(read_sweep(out)))
        else:
            work = partial(fit, tokens, out, model, config, replaces=False)
            work = partial(work, on_checkpoint=on_checkpoint, should_stop=should_stop)
            do_stage("train", out, work, json=json)


@takes_settings(EvaluateConfig, "evaluate")
def evaluate(
    config: EvaluateConfig,
    model: Annotated[
        Path | None, typer.Argument(help="A run, a checkpoint, or what `import` reads.")
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Directory to write to.")] = None,
    corpus: Annotated[
        Path | None, typer.Option(help="Corpus whose held-out documents are used.")
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="Show every task and stop; with its name, all of one.")
    ] = False,
    every_checkpoint: Annotated[
        bool, typer.Option("--every-checkpoint", help="Of a run, each into OUT/STEP.")
    ] = False,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Say how long each task takes, and stop.")
    ] = False,
    json: Json = False,
) -> None:
    """Score a model on tasks, zero-shot, with intervals."""
    if list_:
        _list_tasks(None if model is None else str(model), json=json)
        return
    if model is None or (out is None and not estimate):
        raise InputError("evaluate: name a MODEL and an --out directory, or give --list")
    from wellread.evaluate.run import estimate as estimated
    from wellread.evaluate.run import evaluate as score
    from wellread.formats.checkpoints import intact_checkpoints
    from wellread.formats.results import read_results

    place = located(model)
    if estimate:
        with show.progress("estimate") as progress:
            found, not_run = estimated(place, config, corpus=corpus, progress=progress)
        scored.estimates(found)
        scored.missing(not_run)
        return
    assert out is not None
    is_long = config.suite is not None or config.budget is not None
    announce = scored.estimates if is_long else None
    places = {place: out}
    if every_checkpoint:
        places = {folder: out / folder.name for folder in intact_checkpoints(place)}
        if not places:
            raise InputError(f"{place}: no checkpoints here; --every-checkpoint is for runs")
    for one, where in places.items():
        do_stage(
            "evaluate",
            where,
            partial(score, one, where, config, corpus=corpus, announce=announce),
            json=json,
        )
        if not json:
            scored.scores(read_results(where, variants=True), read_manifest(where).facts)


def _list_tasks(name: str | None, *, json: bool) -> None:
    from wellread.evaluate.plan import list_tasks

    rows = list_tasks(name)
    if json:
        show.print_json(rows)
    elif name is not None:
        show.task(rows[0])
    else:
        show.tasks(rows)


@or_recipe("results", run_study, beside=["data", "plan", "jobs", "devices"])
@takes_settings(StudyConfig, "study", without=("variants", "beside", "predict"))
def study(
    results: Annotated[
        list[Path],
        typer.Argument(
            help="Results directories of runs; or a recipe (.toml, or the name of one of ours), "
            "whose runs are made in OUT.",
            autocompletion=complete.recipes,
        ),
    ],
    out: Out,
    config: StudyConfig,
    data: Annotated[
        Path | None, typer.Option(help="For a recipe: folder that its paths are taken from.")
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Of a recipe, show the steps, stop.")
    ] = False,
    jobs: Annotated[int, typer.Option(help="For a recipe: how many runs go on at a time.")] = 1,
    devices: Annotated[
        str | None, typer.Option(help="For a recipe: a run on each at a time: cuda:0,cuda:1.")
    ] = None,
    json: Json = False,
) -> None:
    """Compare the runs of a family over the settings in which they differ, or make them too."""
    from wellread.formats.studies import read_study
    from wellread.pipeline.study import fit_study

    given = {"--data": data, "--plan": plan, "--jobs": jobs > 1, "--devices": devices}
    for flag, value in given.items():
        if value:
            raise InputError(f"study: {flag} is for a recipe, which {results[0]} is not")
    fit = partial(fit_study, results, out, config)
    do_stage("study", out, fit, json=json, result=(read_study, show_study.tables))


@takes_settings(ReportConfig, "report")
def report(
    runs: Annotated[
        list[Path],
        typer.Argument(help="A run or study, finished or not; or several, or their reports."),
    ],
    out: Out,
    config: ReportConfig,
    json: Json = False,
) -> None:
    """Write one page with every number beside the paper's; of several runs, how they differ.

    The first of several is what the others are held against.
    """
    from wellread.pipeline.comparison import report_runs

    do_stage("report", out, partial(report_runs, runs, out, config), json=json)
