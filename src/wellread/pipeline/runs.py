"""The runs of a recipe: the settings that each is made with, and what they share on the way."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from wellread.base.config import Config, convert, to_plain
from wellread.base.errors import InputError
from wellread.base.suggest import suggestion
from wellread.model.sizes import ModelConfig
from wellread.pipeline.stages import STAGES
from wellread.studies.config import Member, StudyConfig, members, name_within

MODEL = "model"  # the section without a stage: training takes it beside its own
Settings = dict[str, Config]  # by section
NONE: Mapping[str, Any] = {}


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What a model is made with."""

    settings: Settings  # of the sections that a study may vary
    shared: dict[str, str]  # stage -> its output that the run takes, by name; "": all runs take it
    is_predicted: bool  # trained after its scores were predicted


class Sections(msgspec.Struct, frozen=True):
    """What a recipe says, as far as runs are made of it."""

    path: Path
    raw: Mapping[str, dict[str, Any]]  # settings by section
    stages: Sequence[str]  # that it asks for
    root: Path  # where relative paths are from

    @property
    def varied(self) -> list[str]:
        """The stages whose settings a study may vary."""
        return [name for name in self.stages if STAGES[name].varies]


def runs_of(recipe: Sections, study: StudyConfig | None) -> dict[str, Run]:
    """Each model that is trained, by its name: one, or all those of `study`."""
    if study is None:
        alone = Run(
            settings=settings_of(recipe),
            shared=dict.fromkeys(recipe.varied, ""),
            is_predicted=False,
        )
        return {_name_alone(recipe): alone}
    family = members(study)
    for key in dict.fromkeys(key for member in family for key in member.settings):
        _check_key(recipe, key)
    made = [settings_of(recipe, member.settings) for member in family]
    for number, settings in enumerate(made):
        if settings in made[:number]:
            names = (family[made.index(settings)].name, family[number].name)
            raise InputError(
                f"{recipe.path}, section [study]: {' and '.join(names)} have the same settings"
            )
    outputs = {stage: _outputs(stage, recipe, study, family, made) for stage in recipe.varied}
    return {
        member.name: Run(
            settings=settings,
            shared={stage: names[number] for stage, names in outputs.items()},
            is_predicted=member.is_predicted,
        )
        for number, (member, settings) in enumerate(zip(family, made, strict=True))
    }


def _name_alone(recipe: Sections) -> str:
    if start := recipe.raw["train"].get("start"):
        return Path(start).name
    return str(recipe.raw.get(MODEL, {}).get("size", ModelConfig().size))


def _check_key(recipe: Sections, key: str) -> None:
    """Whether a study may set it."""
    where = f"{recipe.path}, section [study]"
    section, _, field = key.partition(".")
    known = [MODEL, *(stage.section for stage in STAGES.values() if stage.varies)]
    if section not in known or not field:
        raise InputError(
            f"{where}: {key!r} is not SECTION.KEY of a section that may differ between runs"
            + suggestion(section, known)
        )
    inputs = {name for stage in STAGES.values() if stage.section == section for name in stage.given}
    if field in inputs or key == "train.start":
        raise InputError(
            f"{where}: {key} is an input, which runs are not compared by; write a recipe for each"
        )
    if section != MODEL and section not in {STAGES[name].section for name in recipe.varied}:
        raise InputError(f"{where}: {key} needs a section [{section}]")


def settings_of(recipe: Sections, changes: Mapping[str, Any] = NONE) -> Settings:
    """The recipe's settings of the sections that may differ between runs, with `changes`."""
    found: Settings = {}
    kinds = {STAGES[name].section: STAGES[name].load_config() for name in recipe.varied}
    for section, kind in ({MODEL: ModelConfig} | kinds).items():
        own = {
            key.removeprefix(f"{section}."): value
            for key, value in changes.items()
            if key.startswith(f"{section}.")
        }
        told = ", ".join(f"{key} = {value!r}" for key, value in own.items())
        where = f"{recipe.path}, section [{section}]" + (f" with {told}" if told else "")
        raw = {**recipe.raw.get(section, {}), **own}
        found[section] = convert(raw, kind, where=where, root=recipe.root)
    model = found[MODEL]
    assert isinstance(model, ModelConfig)
    model.architecture(vocab_size=257)  # an unknown size is refused here, before any work
    return found


def _outputs(
    stage: str,
    recipe: Sections,
    study: StudyConfig,
    family: Sequence[Member],
    made: Sequence[Settings],
) -> list[str]:
    """For each run the name of the stage's output that it takes; runs made alike share one."""
    reaching = _reaching(stage, recipe)
    names: dict[bytes, str] = {}
    taken = []
    for member, settings in zip(family, made, strict=True):
        own = msgspec.json.encode([to_plain(settings[section]) for section in sorted(reaching)])
        name = name_within(study, member, lambda key: key.partition(".")[0] in reaching)
        taken.append(names.setdefault(own, name))
    return taken if len(names) > 1 else [""] * len(taken)


def _reaching(stage: str, recipe: Sections) -> set[str]:
    """The sections that the output of a stage depends on, and that a study may vary."""
    found = {STAGES[stage].section}
    for sources in STAGES[stage].sources(recipe.stages).values():
        for source in sources:
            if STAGES[source].varies:
                found |= _reaching(source, recipe)
    return found
