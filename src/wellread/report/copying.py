"""The report's section on what models copied: the paper's figures 4 and 5, and extraction."""

from collections.abc import Iterator

from wellread.formats.copying import Copied, Copying, Extracted, Texts
from wellread.formats.copying import Estimate as Number
from wellread.formats.published import paper
from wellread.report.blocks import (
    NOTHING,
    Block,
    Cell,
    Column,
    Excerpt,
    Heading,
    Prose,
    Section,
    Table,
    Way,
    count,
)
from wellread.report.both_losses import ROWS_OPEN, both_losses, shown
from wellread.report.built import absent
from wellread.report.copying_figures import Line, shares_of_texts
from wellread.report.evidence import COPYING, Evidence


def the_copying(evidence: Evidence) -> Section:
    title = "What the models copied"
    copying, artifact = evidence.copying, evidence.first(COPYING)
    losses = list(both_losses(evidence))
    blocks: list[Block] = []
    if copying is not None and artifact is not None:
        why = [evidence.why(artifact.name)]
        if any(model.samples for model in copying.models):
            blocks += _texts(evidence, copying, why)
        if any(model.extraction for model in copying.models):
            blocks += [Heading(text="Recited from memory", key="recited"), *_recited(copying, why)]
    if losses:
        blocks += [Heading(text="Training text beside held-out text", key="both-losses")]
        blocks += shown(losses)
    if not blocks:
        return Section(key="copying", title=title, blocks=[absent(evidence, COPYING)], is_run=False)
    return Section(key="copying", title=title, blocks=blocks)


def _texts(evidence: Evidence, copying: Copying, why: list[Way]) -> Iterator[Block]:
    words = copying.ngram_words
    yield Prose(
        text=f"Each model went on from the beginnings of held-out documents (k = 40). Of what it "
        f"wrote, and of what the documents themselves go on with, the share of {words}-word "
        f"sequences that stand in {copying.corpus} ({copying.num_documents:,} documents). A model "
        "that recites would copy more than people do, who quote and repeat each other."
    )
    yield shares_of_texts(list(_lines(evidence, copying)), words)
    yield _texts_table(copying, why)
    yield Heading(text="The samples that copied most", key="most-copied")
    if not evidence.most_copied:
        yield Prose(text=f"No sample has {words} words in a row of the training text.")
    for row in evidence.most_copied:
        others = row["num_documents"] - 1
        also = f" and {others:,} more document{'s' * (others != 1)}" if others else ""
        yield Excerpt(
            label=f"{row['model']}, after the beginning of {row['item']}: "
            f"{row['num_found']:,} of {row['num_ngrams']:,} {words}-grams copied; the longest "
            f"passage, {row['longest_words']:,} words, is in {row['url']}{also}",
            text=row["text"],
            spans=list(zip(row["starts"], row["ends"], strict=True)),
        )


def _lines(evidence: Evidence, copying: Copying) -> Iterator[Line]:
    """Samples of each model; held-out text once, where it is the same for all."""
    models = [model for model in copying.models if model.samples and model.held_out]
    for model in models:
        assert model.samples is not None
        series = _series(evidence, model.name)
        yield Line(f"samples, {model.name}", model.samples.shares, series, is_held_out=False)
    different: dict[tuple[float, ...], list[str]] = {}
    for model in models:
        assert model.held_out is not None
        different.setdefault(tuple(model.held_out.shares), []).append(model.name)
    for shares, names in different.items():
        name = "held-out text" + (f", {', '.join(names)}" if len(different) > 1 else "")
        yield Line(name, list(shares), None, is_held_out=True)


def _series(evidence: Evidence, name: str) -> int:
    known = [one.name for one in evidence.trainings] + [one.name for one in evidence.scored]
    return evidence.series(name) if name in known else len(known)


def _texts_table(copying: Copying, why: list[Way]) -> Table:
    theirs = paper().copying
    rows = []
    for model in copying.models:
        for kind, texts in (("samples", model.samples), ("held-out text", model.held_out)):
            if texts is not None:
                rows.append(_texts_row(model, kind, texts, copying.ngram_words))
    rows += [
        [
            Cell("the paper, WebText"), Cell("samples"), NOTHING, NOTHING,
            Cell(f"over {theirs.percent_of_samples_without:.0f} %"),
            Cell(f"most below {theirs.samples_below_percent:g} %"), NOTHING,
        ],
        [
            Cell("the paper, WebText"), Cell("held-out text"), NOTHING,
            Cell(f"{theirs.held_out_median_percent:.1f} %"), NOTHING, NOTHING, NOTHING,
        ],
    ]  # fmt: skip
    return Table(
        key="copied-texts",
        caption="How much of samples, and of held-out text, the training text has",
        columns=[
            Column("model", "group"),
            Column("text", "name"),
            Column("texts", "number"),
            Column("median share", "number"),
            Column("none found", "number"),
            Column("below 1 %", "number"),
            Column("longest passage", "number"),
        ],
        rows=rows,
        why=why,
        note=f"Shares are of {copying.ngram_words}-grams, each looked up word by word in every "
        f"document. Intervals: bootstrap over texts; of shares of texts, Wilson’s. Paper: "
        f"{theirs.source}; other models and texts, so a reference only. A passage of fewer than "
        f"{copying.ngram_words} words is not looked for.",
    )


def _texts_row(model: Copied, kind: str, texts: Texts, least: int) -> list[Cell]:
    longest = texts.longest.num_words if texts.longest else 0
    copied = f"{longest:,} words" if longest else f"fewer than {least} words"
    return [
        Cell(model.name),
        Cell(kind),
        count(texts.num_texts),
        percent(texts.median),
        percent(texts.without),
        percent(texts.below),
        Cell(copied, longest),
    ]


def percent(number: Number) -> Cell:
    return interval(Cell(f"{100 * number.value:.1f} %", number.value), number)


def interval(cell: Cell, number: Number, scale: float = 100) -> Cell:
    if number.low is None or number.high is None:
        return cell
    detail = f"{scale * number.low:.1f} to {scale * number.high:.1f}"
    return cell._replace(low=number.low, high=number.high, detail=detail)


def _recited(copying: Copying, why: list[Way]) -> Iterator[Block]:
    yield Prose(
        text="Given the first tokens of a document, does greedy decoding write the next ones? "
        "Training documents are grouped by how many documents have these words, held-out documents "
        "beside them show what comes back by chance. Times read: documents times epochs."
    )
    rows = [_recited_row(model, row) for model in copying.models for row in model.extraction]
    yield Table(
        key="recited",
        is_folded=len(rows) > ROWS_OPEN,
        caption="Probes that came back, by how often their words were seen",
        columns=[
            Column("model", "group"),
            Column("probes of", "name"),
            Column("documents with the words", "number"),
            Column("times read", "number"),
            Column("probes", "number"),
            Column("recited whole", "number"),
            Column("tokens that match", "number"),
        ],
        rows=rows,
        why=why,
        note="Recited whole: every token asked for is the document’s (Wilson’s interval). Tokens "
        "that match: up to the first other one (bootstrap over probes). Unknown: fewer than "
        f"{copying.ngram_words} words, or a model whose training is not known.",
    )


def _recited_row(model: Copied, row: Extracted) -> list[Cell]:
    return [
        Cell(model.name),
        Cell("held-out" if row.is_held_out else "training"),
        Cell(row.documents or "unknown", is_muted=not row.documents),
        Cell(row.seen or "unknown", is_muted=not row.seen),
        count(row.num_probes),
        percent(row.exact),
        interval(
            Cell(f"{row.matching.value:.1f} of {model.num_tokens}", row.matching.value),
            row.matching,
            scale=1,
        ),
    ]
