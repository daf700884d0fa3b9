"""A recipe: one TOML file with a section per stage, read strictly and whole before any work."""

from pathlib import Path
from typing import Any

import msgspec

from wellread.base.config import Config, convert, read_toml
from wellread.base.errors import InputError
from wellread.base.suggest import nearest, suggestion
from wellread.pipeline.runs import Run, Sections, runs_of, settings_of
from wellread.pipeline.stages import STAGES
from wellread.report.config import ReportConfig
from wellread.studies.config import StudyConfig

SECTIONS = [*dict.fromkeys(stage.section for stage in STAGES.values()), "model", "report"]


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """What a recipe asks for, converted and checked."""

    path: Path
    name: str
    stages: dict[str, Config]  # in the order they run; where runs differ, as the first one has it
    given: dict[str, dict[str, list[Path]]]  # stage -> argument -> files named in the recipe
    runs: dict[str, Run]  # by name; those that are predicted come last
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
    wanted = [stage for stage in STAGES.values() if stage.is_wanted(raw)]
    given: dict[str, dict[str, list[Path]]] = {}
    for stage in wanted:
        section = raw[stage.section]
        where = f"{path}, section [{stage.section}]"
        given[stage.name] = {
            key: _files(section.pop(key), root, f"{where}, key {key!r}")
            for key in sorted(stage.given & section.keys())
        }
    _check_wiring(path, given)
    stages = {
        stage.name: convert(
            raw[stage.section],
            stage.load_config(),
            where=f"{path}, section [{stage.section}]",
            root=root,
        )
        for stage in wanted
        if not stage.varies
    }
    sections = Sections(path, raw, list(given), root)
    study = stages.get("study")
    assert study is None or isinstance(study, StudyConfig)
    runs = runs_of(sections, study) if "train" in given else {}
    first = next((run.settings for run in runs.values()), None) or settings_of(sections)
    return Recipe(
        path=path,
        name=name,
        stages={
            stage.name: first[stage.section] if stage.varies else stages[stage.name]
            for stage in wanted
        },
        given=given,
        runs=runs,
        report=None
        if "report" not in raw
        else convert(raw["report"], ReportConfig, where=f"{path}, section [report]"),
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


def _check_wiring(path: Path, given: dict[str, dict[str, list[Path]]]) -> None:
    for name in given:
        stage = STAGES[name]
        for argument, sources in stage.takes.items():
            present = any(source in given for source in sources)
            if not present and argument not in stage.optional and not given[name].get(argument):
                need = " or ".join(
                    [f"a section [{STAGES[source].section}]" for source in sources]
                    + ([f"the key {argument!r}"] if argument in stage.given else [])
                )
                raise InputError(f"{path}: [{stage.section}] needs {need}")


def named_recipe(recipe: Path) -> Path:
    """The file that `recipe` is, or else the recipe of this name that comes with wellread.

    A folder is no recipe: `demo-quick` is the recipe also where the demo's folder stands.
    """
    is_name = recipe.name == str(recipe) and not recipe.suffix
    if not is_name or recipe.is_file():
        return recipe
    own = own_recipes()
    return recipe if recipe.is_dir() and str(recipe) not in own else own_recipe(str(recipe))


def recipe_or_other(named: Path) -> Path:
    """A recipe of ours, if it is named, or almost, and nothing here is; else `named` itself."""
    is_other = named.exists() or named.suffix == ".toml"
    known = {} if is_other else own_recipes()
    return own_recipe(str(named)) if nearest(str(named), known) else named


def own_recipe(name: str) -> Path:
    """The recipe `name` that comes with wellread."""
    known = own_recipes()
    if name not in known:
        raise InputError(
            f"there is no file {name!r}, nor a recipe of this name with wellread"
            f"{suggestion(name, list(known))}"
        )
    return known[name]


def own_recipes() -> dict[str, Path]:
    """Those that come with wellread, by name: beside the package, or in its checkout."""
    package = Path(__file__).parents[1]
    folders = (package.parents[1] / "recipes", package / "recipes")
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.toml"))}
