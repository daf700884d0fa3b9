"""The tables of `docs/benchmarks/`, and the lines that say how we stand beside each peer."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "benchmarks"
PLACE = re.compile(r"^\[The table\]\(benchmarks/([\w-]+\.md)\)$", re.MULTILINE)
CELLS = re.compile(r"(?<!\\)\|")
HEAD = ["stage", "peer", "wellread's speed / its", "device", "command"]


def with_tables(page: str) -> str:
    """The page with each table in place of the line that leads to its file."""
    return PLACE.sub(lambda found: _text(found[1]).strip(), page)


def summary() -> str:
    """One table of all peers; a peer without a ratio in its table is left out."""
    specs = tomllib.loads(_text("peers.toml"))["line"]
    rows = [row for spec in specs for row in _lines(spec)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [HEAD, ["---"] * len(HEAD), *rows])


def _lines(spec: dict[str, Any]) -> Iterator[list[str]]:
    rows = read_tables(_text(spec["table"]))[spec.get("number", 0)]
    peers = [row for row in rows if re.search(spec["rows"], " | ".join(row))]
    assert peers, f"{spec['table']}: no row is {spec['rows']}"
    for peer in peers:
        if ratio := _ratio(spec, rows, peer):
            name = spec.get("peer") or ", ".join(peer[column] for column in spec["name"])
            command = f"[{spec['command']}](#{spec['section']})"
            yield [spec["stage"], name, ratio, spec["device"], command]


def _ratio(spec: dict[str, Any], rows: list[list[str]], peer: list[str]) -> str:
    theirs = peer[spec["column"]]
    if "ours" not in spec:
        return theirs
    [ours] = [row for row in rows if re.search(spec["ours"], " | ".join(row))]
    return f"{_number(ours[spec['column']]) / _number(theirs):.3g}"


def _number(cell: str) -> float:
    """The median: the first number of a cell."""
    return float(cell.split()[0].replace(",", ""))


def read_tables(text: str) -> list[list[list[str]]]:
    """The tables in a Markdown text, as rows of cells, without their heads."""
    tables: list[list[list[str]]] = []
    is_inside = False
    for line in text.splitlines():
        is_row = line.startswith("|")
        if is_row and not is_inside:
            tables.append([])
        if is_row:
            tables[-1].append([cell.strip() for cell in CELLS.split(line.strip().strip("|"))])
        is_inside = is_row
    return [table[2:] for table in tables]


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
