"""In what runs differ: their settings, and what each stage made of them, a column a run."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from wellread.base.config import flat
from wellread.base.text import human_bytes, human_seconds
from wellread.report.blocks import (
    NOT_RUN,
    NOTHING,
    Block,
    Cell,
    Column,
    Prose,
    Table,
    Way,
    big,
    count,
    decimal,
)
from wellread.report.evidence import (
    CORPUS,
    CRAWL,
    EVALUATE,
    LINKS,
    TOKENIZER,
    TOKENS,
    TRAIN,
    Artifact,
    Evidence,
)

PER_MODEL = (TRAIN, EVALUATE)


class Family(NamedTuple):
    """Models that are held against each other, one a run; None: the run has none to match."""

    names: list[str | None]

    @property
    def title(self) -> str:
        """
        >>> Family(["2x64", "2x64"]).title, Family(["2x64", None, "gpt2"]).title
        ('2x64', '2x64 and gpt2')
        """
        return " and ".join(dict.fromkeys(name for name in self.names if name is not None))


def run_columns(runs: list[Evidence]) -> list[Column]:
    return [Column(run.name, "number") for run in runs]


def what_differs(runs: list[Evidence], families: list[Family]) -> list[Block]:
    """Every setting that two runs do not share."""
    rows = [row for stage in _stages(runs) for row in _rows_of(stage, runs, families)]
    if not rows:
        return [Prose(text="No setting of any stage differs.")]
    return [
        Table(
            key="different-settings",
            caption="Settings that differ",
            columns=[
                Column("stage", "group"),
                Column("setting", "name"),
                *(Column(run.name) for run in runs),
            ],
            rows=rows,
            note="As each artifact’s manifest.json has them; all others are the same.",
        )
    ]


def _stages(runs: list[Evidence]) -> list[str]:
    return list(dict.fromkeys(a.manifest.stage for run in runs for a in run.artifacts))


def _rows_of(stage: str, runs: list[Evidence], families: list[Family]) -> Iterator[list[Cell]]:
    if stage not in PER_MODEL:
        yield from _different(stage, [run.first(stage) for run in runs])
        return
    for family in families:
        found = [_of_model(run, stage, name) for run, name in zip(runs, family.names, strict=True)]
        yield from _different(f"{stage} {family.title}", found)


def _of_model(run: Evidence, stage: str, name: str | None) -> Artifact | None:
    artifacts = (a for a in run.artifacts if a.manifest.stage == stage)
    return next((a for a in artifacts if a.name.rpartition("/")[2] == name), None)


def _different(title: str, artifacts: list[Artifact | None]) -> Iterator[list[Cell]]:
    if None in artifacts:
        yield [Cell(title), Cell("all"), *(Cell("run") if a else NOT_RUN for a in artifacts)]
        return
    configs = [flat(a.manifest.config) for a in artifacts if a is not None]
    for key in dict.fromkeys(key for one in configs for key in one):
        values = [one.get(key) for one in configs]
        values = [None if value == {} else value for value in values]  # its rows are elsewhere
        if any(value != values[0] for value in values):
            yield [Cell(title), Cell(key), *map(_value, values)]


def _value(value: Any) -> Cell:
    if value is None:
        return NOTHING
    if isinstance(value, list):
        return Cell(", ".join(map(str, value)) or "none")
    return Cell(str(value))


Fact = tuple[str, Callable[[Evidence], Cell]]


def corpora(runs: list[Evidence]) -> Table:
    """Links, pages, corpus, tokenizer and tokens of each run."""

    def counted(stage: str, place: str) -> Callable[[Evidence], Cell]:
        def cell(run: Evidence) -> Cell:
            artifact = run.first(stage)
            return count(artifact.manifest.counts.get(place)) if artifact else NOT_RUN

        return cell

    def size(run: Evidence) -> Cell:
        artifact = run.first(CORPUS)
        number = artifact.manifest.counts.get("bytes") if artifact else None
        return Cell(human_bytes(number), number) if number is not None else NOT_RUN

    def tokens(run: Evidence) -> Cell:
        splits = run.tokens.splits.values() if run.tokens else []
        return count(sum(split.num_tokens for split in splits)) if run.tokens else NOT_RUN

    def vocabulary(run: Evidence) -> Cell:
        artifact = run.first(TOKENIZER)
        return count(artifact.manifest.facts.get("vocab_size")) if artifact else NOT_RUN

    def compression(run: Evidence) -> Cell:
        artifact = run.first(TOKENIZER)
        return decimal(artifact.manifest.facts.get("bytes_per_token"), 2) if artifact else NOT_RUN

    facts: list[Fact] = [
        ("links", counted(LINKS, "out")),
        ("pages", counted(CRAWL, "out")),
        ("documents", counted(CORPUS, "out")),
        ("text", size),
        ("vocabulary", vocabulary),
        ("bytes per token, held-out text", compression),
        ("tokens", tokens),
    ]
    stages = (LINKS, CRAWL, CORPUS, TOKENIZER, TOKENS)
    return Table(
        key="compared-corpora",
        caption="From links to tokens",
        columns=[Column("", "name"), *run_columns(runs)],
        rows=[[Cell(name), *(make(run) for run in runs)] for name, make in facts],
        why=[_way(run, a) for run in runs for stage in stages if (a := run.first(stage))],
    )


def _way(run: Evidence, artifact: Artifact) -> Way:
    way = run.why(artifact.name)
    return way._replace(place=f"{run.name}/{way.place}")


def models(runs: list[Evidence], families: list[Family]) -> Table:
    rows, why = [], []
    for family in families:
        found = [_of_model(run, TRAIN, name) for run, name in zip(runs, family.names, strict=True)]
        why += [_way(run, a) for run, a in zip(runs, found, strict=True) if a is not None]
        for name, make in _MODEL_FACTS.items():
            rows.append(
                [Cell(family.title), Cell(name), *(make(a) if a else NOT_RUN for a in found)]
            )
    return Table(
        key="compared-models",
        caption="The models",
        columns=[Column("model", "group"), Column("", "name"), *run_columns(runs)],
        rows=rows,
        why=why,
    )


def _fact(name: str, digits: int = 0) -> Callable[[Artifact], Cell]:
    return lambda artifact: decimal(artifact.manifest.facts.get(name), digits)


def _parameters(artifact: Artifact) -> Cell:
    number = artifact.manifest.facts.get("num_parameters")
    return Cell(big(number), number) if number is not None else NOTHING


_MODEL_FACTS: dict[str, Callable[[Artifact], Cell]] = {
    "parameters": _parameters,
    "tokens seen": _fact("tokens_seen"),
    "held-out loss, nats per token": _fact("held_out_loss", 3),
    "held-out bits per byte": _fact("held_out_bits_per_byte", 3),
    "tokens a second": _fact("tokens_per_second"),
    "time": lambda a: Cell(human_seconds(a.seconds), a.seconds),
}


def durations(runs: list[Evidence]) -> Table:
    """A stage that several models have is summed over them."""

    def spent(run: Evidence, stage: str) -> Cell:
        found = [a.seconds for a in run.artifacts if a.manifest.stage == stage]
        return Cell(human_seconds(sum(found)), sum(found)) if found else NOT_RUN

    return Table(
        key="compared-time",
        caption="How long each stage took, its models together",
        columns=[Column("stage", "name"), *run_columns(runs)],
        rows=[[Cell(stage), *(spent(run, stage) for run in runs)] for stage in _stages(runs)],
    )
