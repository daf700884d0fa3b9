"""A recipe: one TOML file with a section per stage, read strictly and whole before any work."""

import itertools
from pathlib import Path
from typing import Any

import msgspec

from wellread.base.config import Config, convert, read_toml
from wellread.base.errors import InputError
from wellread.base.text import suggestion
from wellread.model.sizes import ModelConfig
from wellread.pipeline.stages import STAGES
from wellread.report.config import ReportConfig

SECTIONS = [*dict.fromkeys(stage.section for stage in STAGES.values()), "model", "report"]


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """What a recipe asks for, converted and checked."""

    path: Path
    name: str
    stages: dict[str, Config]  # in the order they run
    given: dict[str, dict[str, list[Path]]]  # stage -> argument -> files named in the recipe
    runs: dict[str, tuple[ModelConfig, Config]]  # run name -> what is trained
    report: ReportConfig | None


def read_recipe(path: Path, *, data: Path | None = None) -> Recipe:
    """The recipe in `path`; relative paths in it are from `data`, else from its own folder."""
    raw = read_toml(path)
    name = str(raw.pop("name", path.stem))
    for key, value in raw.items():
        if key not in SECTIONS:
            raise InputError(f"{path}: unknown section [{key}]{suggestion(key, SECTIONS)}")
        if not isinstance(value, dict):
            raise InputError(f"{path}: {key} is not a section; write [{key}]")
    root = data if data is not None else path.parent
    given: dict[str, dict[str, list[Path]]] = {}
    stages: dict[str, Config] = {}
    for stage_name, stage in STAGES.items():
        if stage.is_wanted(raw):
            section = dict(raw[stage.section])
            where = f"{path}, section [{stage.section}]"
            given[stage_name] = {
                key: _files(section.pop(key), root, f"{where}, key {key!r}")
                for key in sorted(stage.given & section.keys())
            }
            stages[stage_name] = convert(section, stage.load_config(), where=where, root=root)
    _check_wiring(path, stages, given)
    report = raw.get("report")
    return Recipe(
        path=path,
        name=name,
        stages=stages,
        given=given,
        runs=_runs(path, raw, stages, root),
        report=None
        if report is None
        else convert(report, ReportConfig, where=f"{path}, section [report]"),
    )


def _files(value: Any, root: Path, where: str) -> list[Path]:
    """Paths and globs as the recipe names them; a pattern that matches nothing is an error."""
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise InputError(f"{where}: expected a list of paths, got {value!r}")
    found: list[Path] = []
    for pattern in value:
        path = (root / pattern).absolute()
        anchor = Path(path.anchor)  # pathlib's patterns are relative
        is_glob = not path.exists() and any(sign in pattern for sign in "*?[")
        matches = sorted(anchor.glob(str(path.relative_to(anchor)))) if is_glob else [path]
        if not matches or not all(match.exists() for match in matches):
            raise InputError(
                f"{where}: no file {root / pattern}; mend the recipe, or name the folder of the "
                "data with --data"
            )
        found += matches
    return found


def _check_wiring(
    path: Path, stages: dict[str, Config], given: dict[str, dict[str, list[Path]]]
) -> None:
    for name in stages:
        stage = STAGES[name]
        for argument, sources in stage.takes.items():
            present = any(source in stages for source in sources)
            if not present and argument not in stage.optional and not given[name].get(argument):
                need = " or ".join(
                    [f"a section [{STAGES[source].section}]" for source in sources]
                    + ([f"the key {argument!r}"] if argument in stage.given else [])
                )
                raise InputError(f"{path}: [{stage.section}] needs {need}")


def _runs(
    path: Path, raw: dict[str, Any], stages: dict[str, Config], root: Path
) -> dict[str, tuple[ModelConfig, Config]]:
    """Each model that is trained: one, or one for every combination that [study] varies."""
    if "train" not in stages:
        return {}
    vary: dict[str, list[Any]] = raw.get("study", {}).get("vary", {})
    runs: dict[str, tuple[ModelConfig, Config]] = {}
    for values in itertools.product(*vary.values()):
        sections = {"model": dict(raw.get("model", {})), "train": dict(raw["train"])}
        for key, value in zip(vary, values, strict=True):
            section, _, field = key.partition(".")
            if section not in sections or not field:
                raise InputError(
                    f"{path}, section [study]: vary {key!r} is neither model.KEY nor train.KEY"
                )
            if key == "train.start":
                raise InputError(
                    f"{path}, section [study]: {key} is an input, which runs are not compared by; "
                    "write a recipe for each model to start from"
                )
            sections[section][field] = value
        model = convert(sections["model"], ModelConfig, where=f"{path}, section [model]")
        model.architecture(vocab_size=257)  # an unknown size is refused here, before any work
        kind, where = STAGES["train"].load_config(), f"{path}, section [train]"
        config = convert(sections["train"], kind, where=where, root=root)
        start = sections["train"].get("start")
        name = Path(start).name if start else model.size
        runs["-".join(str(value) for value in values) or name] = (model, config)
    return runs


def own_recipe(name: str) -> Path:
    """The recipe `name` that comes with wellread: beside the package, or in its checkout."""
    package = Path(__file__).parents[1]
    for folder in (package / "recipes", package.parents[1] / "recipes"):
        if (folder / f"{name}.toml").is_file():
            return folder / f"{name}.toml"
    raise InputError(f"there is no recipe {name!r} with this installation of wellread")
