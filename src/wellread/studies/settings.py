"""What made a run: the settings of its training and of all that it was made from, and digests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wellread.base.config import flat
from wellread.base.errors import InputError
from wellread.base.manifest import Manifest, is_artifact, read_manifest
from wellread.base.suggest import suggestion

DIGITS_SHOWN = 12  # of a digest
# What a stage's settings change besides its own output.
CHANGED_BY = {
    "corpus": {"corpus", "plant", "tokenizer", "tokens"},
    "plant": {"plant", "tokens"},
    "tokenizer": {"tokenizer", "tokens"},
    "tokens": {"tokens"},
}


def origins(location: Path) -> dict[str, Manifest]:
    """The manifests of a run and of what it was made from, as far as they are there, by stage."""
    manifest = read_manifest(location)
    found = {manifest.stage: manifest}
    for inputs in manifest.inputs.values():
        for one in inputs:
            if one.stage is not None and is_artifact(origin := location / one.path):
                found = origins(origin) | found
    return found


def settings_of(made: dict[str, Manifest]) -> dict[str, Any]:
    """By section of a recipe; a run has those of its model and training."""
    sections: dict[str, Any] = {}
    for stage, manifest in made.items():
        sections |= manifest.config if stage == "train" else {stage: manifest.config}
    return sections


def setting(settings: dict[str, Any], key: str, location: Path) -> Any:
    """The value of `section.key`; that there is none is an InputError."""
    value: Any = settings
    for depth, part in enumerate(parts := key.split(".")):
        if not isinstance(value, dict) or part not in value:
            known = value if isinstance(value, dict) else {}
            there = [".".join([*parts[:depth], name]) for name in known]
            raise InputError(f"{location}: the run has no setting {key!r}{suggestion(key, there)}")
        value = value[part]
    return value


def others(made: dict[str, Manifest], named: Sequence[str]) -> dict[str, Any]:
    """All that made a run but the settings `named`, and what these change: settings, digests."""
    run = made["train"]
    digests = {
        role: " ".join(
            one.digest or "".join(f.sha256 for f in one.files.values()) for one in inputs
        )
        for role, inputs in run.inputs.items()
    } | {stage: manifest.digest for stage, manifest in made.items() if stage != "train"}
    shown = {name: digest[:DIGITS_SHOWN] for name, digest in digests.items()}
    changed = {stage for key in named for stage in CHANGED_BY.get(key.partition(".")[0], ())}
    found = {**flat(run.config), **shown}
    return {key: value for key, value in found.items() if key not in changed.union(named)}


def differing(all_others: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """What these differ in: name -> values, in their order."""
    found: dict[str, list[Any]] = {}
    for key in dict.fromkeys(key for one in all_others for key in one):
        values: list[Any] = []
        for one in all_others:
            if (value := one.get(key)) not in values:
                values.append(value)
        if len(values) > 1:
            found[key] = values
    return found
