"""The report's section on overlap: what the training text has of the tests."""

from wellread.base.text import in_percent
from wellread.formats.overlap import Overlap, Share, TestSet
from wellread.formats.published import published_overlap
from wellread.report.blocks import (
    NOT_COMPARABLE,
    NOTHING,
    Block,
    Cell,
    Column,
    Figure,
    Prose,
    Section,
    Table,
    Way,
    count,
    share,
)
from wellread.report.built import absent
from wellread.report.clean import the_clean_scores
from wellread.report.evidence import OVERLAP, Evidence
from wellread.report.figures import Group, Mark, diamonds, forest


def the_overlap(evidence: Evidence) -> Section:
    overlap, artifact = evidence.overlap, evidence.first(OVERLAP)
    if overlap is None or artifact is None:
        return Section(
            key="overlap", title="Overlap", blocks=[absent(evidence, OVERLAP)], is_run=False
        )
    why = [evidence.why(artifact.name)]
    blocks: list[Block] = [
        _introduction(overlap),
        *_figure(overlap.test_sets),
        _table(overlap, why),
        *the_clean_scores(evidence),
    ]
    return Section(key="overlap", title="Overlap of test sets with the corpus", blocks=blocks)


def _introduction(overlap: Overlap) -> Prose:
    words, index = overlap.index.ngram_words, overlap.index
    by_chance = sum(one.num_by_chance for one in overlap.test_sets)
    return Prose(
        text=f"How much of each test set the corpus already contains: the share of its "
        f"{words}-word sequences found in {overlap.corpus} "
        f"({index.num_documents:,} documents). The filter was designed for a "
        f"false-positive rate of {index.false_positive_rate:.0e}; of "
        f"{index.num_random_checked:,} random sequences it claimed "
        f"{index.num_random_found:,}, and of all those of the tests {by_chance:.1g} wrong ones are "
        "to be expected. What chance alone would share is the column on shuffled words: each "
        "item’s own words in random order."
    )


def percent(number: float | None) -> Cell:
    return NOTHING if number is None else Cell(f"{in_percent(number)} %", number)


def _table(overlap: Overlap, why: list[Way]) -> Table:
    words = overlap.index.ngram_words
    return Table(
        key="overlap",
        caption=f"Share of {words}-grams of each test set found in the training text",
        columns=[
            Column("test set", "name"),
            Column("items", "number"),
            Column(f"{words}-grams", "number"),
            Column("found", "number"),
            Column("share", "number"),
            Column("items with any", "number"),
            Column("paper: WebText", "number"),
            Column("paper: own train", "number"),
            Column("unique", "number"),
            Column("within lines", "number"),
            Column("shuffled words", "number"),
        ],
        rows=[_row(one) for one in overlap.test_sets],
        why=why,
        is_folded=True,
        note="The share counts every sequence as often as it stands in the set. Unique: each "
        "distinct one once. Within lines: without those that cross the end of a line. The paper "
        "does not say which it used. Intervals are over items, or over the documents that they "
        "come from. Paper: Table 6, and section 4 for LAMBADA; another corpus, so a reference "
        "only. Table 6 as the paper has it is with the paper’s tables.",
    )


def _row(one: TestSet) -> list[Cell]:
    theirs, whole = published_overlap(one.name), one.whole
    printed = [theirs.webtext_train, theirs.own_train] if theirs else []
    paper = [percent(v / 100) if v is not None else NOTHING for v in printed]
    with_any = share(one.items_with_any, one.num_items).text
    return [
        Cell(one.name),
        count(one.num_items),
        count(whole.num_ngrams),
        count(whole.num_found),
        _share(whole),
        Cell(f"{one.items_with_any:,}", one.items_with_any, detail=with_any),
        *(paper or [NOT_COMPARABLE, NOT_COMPARABLE]),
        percent(one.shares["unique"].share),
        percent(one.shares["within"].share),
        percent(one.shuffled.share),
    ]


def _share(found: Share) -> Cell:
    cell = percent(found.share)
    if found.low is None or found.high is None:
        return cell
    detail = f"{in_percent(found.low)} to {in_percent(found.high)}"
    return cell._replace(low=found.low, high=found.high, detail=detail)


def _figure(test_sets: list[TestSet]) -> list[Figure]:
    groups = []
    for one in test_sets:
        if one.whole.share is None:
            continue
        theirs = published_overlap(one.name)
        is_alone = one.own_train is None and theirs is None
        marks = [_mark("" if is_alone else "this corpus", one.whole, 0)]
        if one.own_train is not None:
            marks.append(_mark("its own train", one.own_train.shares["all"], 1))
        if theirs is not None:
            marks.append(Mark("WebText (paper)", theirs.webtext_train / 100, None, None, None))
        groups.append(Group(one.name, marks))
    if not groups:
        return []
    return [
        forest(
            "overlap",
            groups,
            "Share of each test set’s word sequences that the training text contains, with 95 % "
            f"intervals{diamonds(groups, '; open diamonds are what the paper found in WebText')}.",
            "Points with intervals: "
            + "; ".join(
                f"{g.title}: "
                + ", ".join(f"{m.label} {in_percent(m.value)} %".strip() for m in g.marks)
                for g in groups
            ),
            unit="share of the test set found in the training text",
        )
    ]


def _mark(label: str, found: Share, series: int) -> Mark:
    return Mark(label, found.share or 0.0, found.low, found.high, series)
