"""Settings from outside become typed values, strictly: a wrong key or type is refused."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar, get_args

import msgspec

from wellread.base.errors import InputError
from wellread.base.suggest import did_you_mean, meant_path, no_such, suggestion

T = TypeVar("T", bound=msgspec.Struct)
Place = Annotated[str, msgspec.Meta(description="a path, else a name known elsewhere")]


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every stage's settings derive from: frozen, by name, nothing unknown."""

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = frozenset()  # settings that the result is not of


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; unreadable or malformed files are an InputError with the line."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise no_such(path, "a .toml file") from None
    except IsADirectoryError:
        inside = sorted(map(str, path.glob("*.toml")))
        named = f"; name {' or '.join(inside)}" if inside else "; name a .toml file"
        raise InputError(f"{path}: a folder, not a recipe{named}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a recipe: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: not valid TOML: {error}") from None


def convert(
    raw: dict[str, Any],
    kind: type[T],
    *,
    where: str,
    root: Path | None = None,
    strict: bool = True,
) -> T:
    """`raw` as a `kind`, refusing unknown keys and wrong types in one sentence.

    Relative paths among the values are taken from `root`. `where` opens the error sentence. Not
    `strict`: numbers and dates may come as text, as they do from a command line.
    """
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for key, value in raw.items():
        if key not in fields:
            raise InputError(f"{where}: unknown key {key!r}{suggestion(key, list(fields))}")
        is_place = Place in get_args(fields[key].type) and isinstance(value, str)
        if is_place and root is not None and (root / value).exists():
            raw = raw | {key: str(root / value)}
    if missing := [key for key, field in fields.items() if field.required and key not in raw]:
        raise InputError(f"{where}: key {missing[0]!r} is missing")

    def from_text(wanted: type, value: Any) -> Any:
        if wanted is Path and isinstance(value, str):  # every path in a setting is an input
            path = (root or Path()) / Path(value).expanduser()
            if not path.exists():
                raise ValueError(f"there is no such file: {path}{meant_path(path)}")
            return path
        raise ValueError(f"Expected `{wanted.__name__}`, got `{type(value).__name__}`")

    try:
        return msgspec.convert(raw, kind, dec_hook=from_text, strict=strict)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `$.")
        name = place.rstrip("`").removesuffix("[...]")
        key = f"key {name!r}: " if name else ""
        if "RFC3339" in what and isinstance(raw.get(name), str):
            what = f"{raw[name]!r} is not a date; expected YEAR-MONTH-DAY, as 2017-12-31"
        choices = _choices(fields[name].type) if "enum value" in what and name in fields else []
        near = did_you_mean(what.split("'")[1], choices) if choices else ""
        expected = f"; expected {', '.join(choices)}{near}" if choices else ""
        raise InputError(f"{where}: {key}{what[0].lower()}{what[1:]}{expected}") from None


def _choices(kind: Any) -> list[str]:
    """The values of a Literal, in a union too."""
    inside = [_choices(part) for part in get_args(kind)]
    return [str(kind)] if isinstance(kind, str | int) else [one for some in inside for one in some]


def to_plain(value: Any) -> Any:
    """Settings as JSON-ready values, for manifests."""
    return msgspec.json.decode(msgspec.json.encode(value, enc_hook=str))


def flat(settings: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Plain settings by the whole of their names; a table that is empty is a value.

    >>> flat({"model": {"size": "2x64"}, "vary": {}, "seed": 0})
    {'model.size': '2x64', 'vary': {}, 'seed': 0}
    """
    found: dict[str, Any] = {}
    for key, value in settings.items():
        is_table = isinstance(value, dict) and value
        found |= flat(value, f"{above}{key}.") if is_table else {above + key: value}
    return found


def deciding(settings: Mapping[str, Any], kind: type[Config]) -> dict[str, Any]:
    """Of the plain `settings` of a `kind` those that the result depends on."""
    return {key: value for key, value in settings.items() if key not in kind.WITHOUT_EFFECT}


def with_defaults(settings: Mapping[str, Any], kind: type[Config]) -> dict[str, Any]:
    """Plain `settings` of a `kind`, and the defaults of those that it got since they were written.

    What was made before there was a setting was made as by default.
    """
    fields = msgspec.structs.fields(kind)
    defaults: dict[str, Any] = {}
    for field in fields:
        if field.default is not msgspec.NODEFAULT:
            defaults[field.name] = to_plain(field.default)
        elif field.default_factory is not msgspec.NODEFAULT:
            defaults[field.name] = to_plain(field.default_factory())
    inside = {
        field.name: with_defaults(settings[field.name], field.type)
        for field in fields
        if isinstance(field.type, type)
        and issubclass(field.type, Config)
        and isinstance(settings.get(field.name), dict)
    }
    return {**defaults, **settings, **inside}
