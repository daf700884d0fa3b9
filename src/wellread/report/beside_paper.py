"""The report's section that has each table and figure of the paper by its number."""

from wellread.report.blocks import NOT_RUN, Block, Cell, Column, Section, Table, folded
from wellread.report.evidence import Evidence
from wellread.report.measured import Tasks, measured
from wellread.report.papers_figures import FIGURES, panels_of, papers_figure
from wellread.report.papers_tables import (
    Numbered,
    table_2,
    table_3,
    table_4,
    table_5,
    table_6_beside,
)


def beside_paper(evidence: Evidence) -> Section:
    tasks = measured(evidence.scored)
    tables = {
        2: table_2(evidence),
        3: table_3(evidence, tasks),
        4: table_4(tasks),
        5: table_5(evidence),
        6: table_6_beside(evidence),
    }
    figures = {
        number: papers_figure(number, panels)
        for number in FIGURES
        if (panels := panels_of(number, tasks))
    }
    blocks: list[Block] = [
        _index(evidence, tasks, tables),
        *figures.values(),
        *(folded(one.table) if not one.ran else one.table for one in tables.values()),
    ]
    return Section(key="paper", title="The paper’s tables and figures, ours beside", blocks=blocks)


def _index(evidence: Evidence, tasks: Tasks, tables: dict[int, Numbered]) -> Table:
    """What of the paper was run here, and where it is."""
    shown = evidence.corpus is not None and bool(evidence.corpus.demonstrations)
    rows = [
        _row("Table 1", "translations that WebText has", int(shown), 1, "table-demonstrations"),
    ]
    for number, (table, ran, of) in tables.items():
        what = table.caption.partition(": ")[2]
        rows.append(_row(f"Table {number}", what, ran, of, f"table-{table.key}"))
    for number, (what, panels) in FIGURES.items():
        ran = len(panels_of(number, tasks))
        name = f"figure-paper-{number}"
        rows.append(_row(f"Figure {number}", f"{what}, by size", ran, len(panels), name))
    both = any(scored.on_training is not None for scored in evidence.scored)
    copied = evidence.copying is not None and any(m.samples for m in evidence.copying.models)
    rows += [
        _row(
            "Figure 4", "loss on training and held-out text, by size", both, 1, "table-both-losses"
        ),
        _row("Figure 5", "8-grams of samples that training text has", copied, 1, "figure-copied"),
    ]
    return Table(
        key="paper-index",
        caption="What of the paper was run here",
        columns=[Column("", "name"), Column("of"), Column("ours")],
        rows=rows,
    )


def _row(name: str, what: str, ran: int, of: int, place: str) -> list[Cell]:
    """`place` is where on the page it is, if any of it was run."""
    said = "run" if ran == of else f"{ran} of {of}"
    return [Cell(name), Cell(what), Cell(said, target=place) if ran else NOT_RUN]
