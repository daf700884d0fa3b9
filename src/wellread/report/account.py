"""The end of the report: time, what differs from the paper, and the chain of manifests."""

import posixpath
from collections.abc import Iterator
from typing import Any

import msgspec

from wellread.base.config import flat
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
)
from wellread.report.evidence import TRAIN, Artifact, Evidence
from wellread.report.families import families
from wellread.report.figures import durations
from wellread.report.measured import name_of

DIGITS_SHOWN = 12  # of a digest
BARS_DRAWN = 20
ROWS_OPEN = 20  # of the chain, where it is not folded
PLACES_SHOWN = 3  # that share a setting
SOURCES_SHOWN = 6  # of an artifact


def the_time(evidence: Evidence) -> Section:
    rows = _durations(evidence)
    total = sum(seconds for _, seconds in rows)
    figure = durations(
        rows,
        f"How long each stage took: {human_seconds(total)} in all.",
        "Bars: " + "; ".join(f"{name} {human_seconds(seconds)}" for name, seconds in rows),
    )
    return Section(key="time", title="How long it took", blocks=[figure, _machine(evidence)])


def _durations(evidence: Evidence) -> list[tuple[str, float]]:
    """Of every artifact; of many, those that differ in their seed together."""
    if len(evidence.artifacts) <= BARS_DRAWN:
        return [(a.name, a.seconds) for a in evidence.artifacts]
    family = {
        run.name: f"{name} ({len(runs)} runs)" if len(runs) > 1 else name
        for name, runs in families(evidence.trainings).items()
        for run in runs
    }
    found: dict[str, float] = {}
    for artifact in evidence.artifacts:
        folder, _, name = artifact.name.rpartition("/")
        label = posixpath.join(folder, family.get(name, name))
        found[label] = found.get(label, 0.0) + artifact.seconds
    return list(found.items())


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
        caption="On what: versions, devices",
        columns=[Column("", "name"), Column("version")],
        rows=[[Cell(name), Cell(", ".join(versions))] for name, versions in found.items()],
        is_folded=True,
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
    listing = msgspec.json.format(msgspec.json.encode(_settings(evidence)), indent=2).decode()
    blocks.append(Listing(label="Every setting of every stage", text=listing))
    return Section(key="deviations", title="What differs from the paper", blocks=blocks)


def _settings(evidence: Evidence) -> dict[str, Any]:
    """Of every artifact; of several of a stage what all share once, and of each what it has."""
    found: dict[str, Any] = {}
    configs: dict[str, list[dict[str, Any]]] = {}
    for artifact in evidence.artifacts:
        configs.setdefault(artifact.manifest.stage, []).append(flat(artifact.manifest.config))
    for artifact in evidence.artifacts:
        stage, config = artifact.manifest.stage, artifact.manifest.config
        same = configs[stage]
        if len(same) == 1:
            found[artifact.name] = config
            continue
        own = {k: v for k, v in flat(config).items() if any(one.get(k) != v for one in same)}
        shared = {k: v for k, v in same[0].items() if all(one.get(k) == v for one in same)}
        found.setdefault(f"all {len(same)} of {stage}", shared)
        if own:
            found[artifact.name] = own
    return found


def _at(config: Any, key: str) -> Any:
    for part in key.split("."):
        config = config.get(part) if isinstance(config, dict) else None
    return config


def _setting_rows(setting: Setting, evidence: Evidence) -> Iterator[list[Cell]]:
    """A row for each value, with the artifacts that have it."""
    found: dict[str, tuple[Any, list[Artifact]]] = {}
    for artifact in evidence.artifacts:
        here = _setting(artifact, setting.key) if artifact.manifest.stage == setting.stage else None
        if here is not None:
            found.setdefault(str(here), (here, []))[1].append(artifact)
    for here, artifacts in found.values():
        yield [
            Cell(setting.name),
            _places(artifacts, evidence),
            _value(here),
            _value(setting.value),
            Cell(setting.source),
            Cell("same", is_muted=True) if here == setting.value else Cell("differs"),
        ]


def _places(artifacts: list[Artifact], evidence: Evidence) -> Cell:
    if len(artifacts) <= PLACES_SHOWN:
        return Cell("", links=tuple((a.name, evidence.anchor(a.name)) for a in artifacts))
    stage = artifacts[0].manifest.stage
    number = sum(a.manifest.stage == stage for a in evidence.artifacts)
    named = f"{len(artifacts)} of {number}" if len(artifacts) < number else f"all {number}"
    return Cell(f"{named} artifacts of {stage}")


def _setting(artifact: Artifact, key: str) -> Any:
    """What the stage found, else what it was told: a ready vocabulary overrules a setting."""
    if key in artifact.manifest.facts:
        return artifact.manifest.facts[key]
    return _at(artifact.manifest.config, key)


def _value(value: Any) -> Cell:
    if isinstance(value, int):
        return count(value)
    return Cell(", ".join(map(str, value)) if isinstance(value, list) else str(value))


def _notes_table(evidence: Evidence) -> Block:
    """Each note once, with how many results have it."""
    places: dict[str, list[str]] = {}
    for scored in evidence.scored:
        for result in scored.results:
            notes = [result.note, *(f"{s.metric}: {s.note}" for s in result.scores if s.note)]
            for note in filter(None, notes):
                tasks = places.setdefault(note, [])
                if (name := name_of(result, scored)) not in tasks:
                    tasks.append(name)
    if not places:
        return Prose(text="No result carries a note.")
    return Table(
        key="notes",
        caption="Notes that the results carry",
        columns=[Column("note", "name"), Column("of")],
        rows=[[Cell(note), Cell(", ".join(tasks))] for note, tasks in places.items()],
        is_folded=True,
    )


def the_chain(*runs: Evidence) -> Section:
    words = Prose(
        text="Each directory carries a manifest.json with its settings, the digests of its inputs, "
        "and a count and reason for everything left out. The command below a name walks its chain "
        "back to the dump. It is given from the directory of this report: cd there first."
    )
    tables = [_chain(run) for run in runs]
    return Section(key="chain", title="The chain of manifests", blocks=[words, *tables])


def _chain(evidence: Evidence) -> Table:
    names = {artifact.name for artifact in evidence.artifacts}
    return Table(
        key=f"{evidence.prefix}chain",
        caption=f"Every artifact of {evidence.name}, and what it was made from",
        columns=[
            Column("artifact", "name"),
            Column("stage"),
            Column("made from"),
            Column("in", "number"),
            Column("out", "number"),
            Column("time", "number"),
            Column("digest", "code"),
        ],
        is_folded=len(evidence.artifacts) > ROWS_OPEN,
        rows=[_chain_row(artifact, evidence, names) for artifact in evidence.artifacts],
        row_ids=[evidence.anchor(artifact.name) for artifact in evidence.artifacts],
    )


def _chain_row(artifact: Artifact, evidence: Evidence, names: set[str]) -> list[Cell]:
    manifest = artifact.manifest
    sources = [
        _input(one, artifact, evidence, names)
        for found in manifest.inputs.values()
        for one in found
    ]
    sources = list(dict.fromkeys(sources))
    more = len(sources) - SOURCES_SHOWN
    if more > 0:
        sources = [*sources[:SOURCES_SHOWN], (f"{more} more", "")]
    return [
        Cell(artifact.name, detail=evidence.why(artifact.name).command),
        Cell(manifest.stage),
        Cell("", links=tuple(sources)) if sources else Cell("none", is_muted=True),
        count(manifest.counts.get("in")),
        count(manifest.counts.get("out")),
        Cell(human_seconds(artifact.seconds), artifact.seconds),
        Cell(manifest.digest[:DIGITS_SHOWN], manifest.digest),
    ]


def _input(one: Input, artifact: Artifact, evidence: Evidence, names: set[str]) -> tuple[str, str]:
    """What it is called, and where on the page it is."""
    if one.digest is not None:
        place = posixpath.normpath(posixpath.join(artifact.name, one.path))
        return place, evidence.anchor(place) if place in names else ""
    size = human_bytes(sum(file.num_bytes for file in one.files.values()))
    name = posixpath.basename(one.path)
    if len(one.files) == 1:
        digest = next(iter(one.files.values())).sha256[:DIGITS_SHOWN]
        return f"{name}, {size}, sha256 {digest}", ""
    return f"{name}, {len(one.files):,} files, {size}", ""
