"""The end of the report: time, what differs from the paper, and the chain of manifests."""

import posixpath
from collections.abc import Iterator
from typing import Any

import msgspec

from wellread.base.manifest import Input
from wellread.base.text import human_bytes, human_seconds
from wellread.formats.published import Setting, paper
from wellread.report.blocks import (
    Block,
    Cell,
    Column,
    Listing,
    Prose,
    Section,
    Table,
    count,
    slug,
)
from wellread.report.evidence import TRAIN, Artifact, Evidence
from wellread.report.figures import durations

DIGITS_SHOWN = 12  # of a digest


def the_time(evidence: Evidence) -> Section:
    rows = [(a.name, a.manifest.seconds) for a in evidence.artifacts]
    total = sum(seconds for _, seconds in rows)
    figure = durations(
        rows,
        f"How long each stage took: {human_seconds(total)} in all.",
        "Bars: " + "; ".join(f"{name} {human_seconds(seconds)}" for name, seconds in rows),
    )
    table = Table(
        key="time",
        caption="How long each stage took",
        columns=[
            Column("artifact", "name"),
            Column("stage"),
            Column("in", "number"),
            Column("out", "number"),
            Column("time", "number"),
        ],
        rows=[
            [
                Cell(a.name),
                Cell(a.manifest.stage),
                count(a.manifest.counts.get("in")),
                count(a.manifest.counts.get("out")),
                Cell(human_seconds(a.manifest.seconds), a.manifest.seconds),
            ]
            for a in evidence.artifacts
        ],
        note="As each artifact’s manifest.json has it.",
    )
    return Section(key="time", title="How long it took", blocks=[figure, table, _machine(evidence)])


def _machine(evidence: Evidence) -> Table:
    """Versions as every manifest records them; where they differ, all."""
    found: dict[str, dict[str, None]] = {}
    for artifact in evidence.artifacts:
        for name, version in artifact.manifest.versions.items():
            found.setdefault(name, {})[version] = None
        if artifact.manifest.stage == TRAIN:
            for name in ("device", "threads"):
                if name in artifact.manifest.facts:
                    value = str(artifact.manifest.facts[name])
                    found.setdefault(f"{name} of training", {})[value] = None
    return Table(
        key="machine",
        caption="On what",
        columns=[Column("", "name"), Column("version")],
        rows=[[Cell(name), Cell(", ".join(versions))] for name, versions in found.items()],
    )


def the_deviations(evidence: Evidence) -> Section:
    rows = [row for setting in paper().settings for row in _setting_rows(setting, evidence)]
    blocks: list[Block] = []
    if rows:
        blocks.append(
            Table(
                key="settings",
                caption="What the paper fixes, and what was set here",
                columns=[
                    Column("setting", "name"),
                    Column("where"),
                    Column("here", "number"),
                    Column("paper", "number"),
                    Column("source"),
                    Column("verdict"),
                ],
                rows=rows,
                note="Here: as each artifact’s manifest.json has it.",
            )
        )
    blocks.append(_notes_table(evidence))
    settings = {artifact.name: artifact.manifest.config for artifact in evidence.artifacts}
    listing = msgspec.json.format(msgspec.json.encode(settings), indent=2).decode()
    blocks.append(Listing(label="Every setting of every stage", text=listing))
    return Section(key="deviations", title="What differs from the paper", blocks=blocks)


def _setting_rows(setting: Setting, evidence: Evidence) -> Iterator[list[Cell]]:
    for artifact in evidence.artifacts:
        if artifact.manifest.stage != setting.stage:
            continue
        here = _setting(artifact, setting.key)
        if here is None:
            continue
        is_same = here == setting.value
        yield [
            Cell(setting.name),
            Cell(artifact.name),
            _value(here),
            _value(setting.value),
            Cell(setting.source),
            Cell("same", is_muted=True) if is_same else Cell("differs"),
        ]


def _setting(artifact: Artifact, key: str) -> Any:
    """What the stage found, else what it was told: a ready vocabulary overrules a setting."""
    if key in artifact.manifest.facts:
        return artifact.manifest.facts[key]
    value: Any = artifact.manifest.config
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _value(value: Any) -> Cell:
    if isinstance(value, int):
        return count(value)
    return Cell(", ".join(map(str, value)) if isinstance(value, list) else str(value))


def _notes_table(evidence: Evidence) -> Block:
    rows = []
    for scored in evidence.scored:
        for result in scored.results:
            place = f"{scored.artifact.name}/{result.task}.json"
            notes = [result.note, *(f"{s.metric}: {s.note}" for s in result.scores if s.note)]
            rows += [[Cell(place), Cell(note)] for note in notes if note]
    if not rows:
        return Prose(text="No result carries a note.")
    return Table(
        key="notes",
        caption="Notes that the results carry",
        columns=[Column("result", "name"), Column("note")],
        rows=rows,
    )


def the_chain(evidence: Evidence) -> Section:
    names = {artifact.name for artifact in evidence.artifacts}
    rows = []
    for artifact in evidence.artifacts:
        manifest = artifact.manifest
        cells = [
            _input(role, one, artifact, names)
            for role, found in manifest.inputs.items()
            for one in found
        ]
        # One row for each input, so that each can be a link.
        for number, cell in enumerate(cells or [Cell("none", is_muted=True)]):
            is_first = number == 0
            rows.append(
                (
                    f"artifact-{slug(artifact.name)}" if is_first else "",
                    [
                        Cell(artifact.name),
                        Cell(manifest.stage),
                        Cell(manifest.digest[:DIGITS_SHOWN], manifest.digest),
                        cell,
                        Cell(f"{manifest.finished_at:%Y-%m-%d %H:%M}Z"),
                    ],
                )
            )
    table = Table(
        key="chain",
        caption="Every artifact, its digest, and what it was made from",
        columns=[
            Column("artifact", "name"),
            Column("stage"),
            Column("digest", "code"),
            Column("made from"),
            Column("finished", "code"),
        ],
        rows=[row for _, row in rows],
        row_ids=[key for key, _ in rows],
    )
    prose = Prose(
        text="Each directory carries a manifest.json with its settings, the digests of its "
        f"inputs, and a count and reason for everything left out. Commands are given from the "
        f"directory that holds {evidence.name}."
    )
    return Section(key="chain", title="The chain of manifests", blocks=[prose, table])


def _input(role: str, one: Input, artifact: Artifact, names: set[str]) -> Cell:
    if one.digest is not None:
        place = posixpath.normpath(posixpath.join(artifact.name, one.path))
        target = f"artifact-{slug(place)}" if place in names else ""
        return Cell(f"{role}: {place} {one.digest[:DIGITS_SHOWN]}", target=target)
    size = human_bytes(sum(file.num_bytes for file in one.files.values()))
    name = posixpath.basename(one.path)
    if len(one.files) == 1:
        digest = next(iter(one.files.values())).sha256[:DIGITS_SHOWN]
        return Cell(f"{role}: {name}, {size}, sha256 {digest}")
    return Cell(f"{role}: {name}, {len(one.files):,} files, {size}")
