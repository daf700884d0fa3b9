"""A stage's settings as command-line options: declared once, in the stage's config."""

import inspect
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import msgspec
import typer

from wellread.base.config import Config, convert, read_toml
from wellread.base.errors import InputError
from wellread.base.suggest import suggestion
from wellread.cli import complete
from wellread.pipeline.stages import STAGES

Out = Annotated[Path, typer.Option("-o", "--out", help="Directory to write to.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
FiguresOut = Annotated[
    Path | None, typer.Option("-o", "--out", help="A folder for figures (SVG) and JSON.")
]
WebtextDomains = Annotated[
    Path | None,
    typer.Option(help="domains.txt of github.com/openai/gpt-2: WebText's 1,000 sites."),
]
FIELD = re.compile(r"((?:^ {4}# .*\n)*)^ {4}(\w+): .*?(?:#\s*(.*))?$", re.MULTILINE)


def comments(config: type[Config]) -> dict[str, str]:
    """What the source says beside each field, or else above it: its unit, source or reason."""
    return {
        name: note or " ".join(above.replace("#", " ").split())
        for above, name, note in FIELD.findall(inspect.getsource(config))
    }


def takes_settings(
    config: type[Config], section: str, *, without: Sequence[str] = ()
) -> Callable[[Callable[..., None]], Any]:
    """Let a command take every setting of `config` as an option, those `without` use for it apart.

    The command's parameter `config` is replaced by one option for each field, and by `--recipe`,
    a file whose section gives the settings that no option gives.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        fields = [f for f in msgspec.structs.fields(config) if f.name not in without]

        def wrapper(**arguments: Any) -> None:
            recipe = arguments.pop("recipe")
            given = {f.name: arguments.pop(f.name) for f in fields}
            raw = _section(recipe, section) if recipe else {}
            raw |= {
                field.name: _parsed(given[field.name], field)
                for field in fields
                if given[field.name] not in (None, [])
            }
            root = recipe.parent if recipe else None
            arguments["config"] = convert(raw, config, where=section, root=root, strict=False)
            command(**arguments)

        wrapper.__name__, wrapper.__doc__ = command.__name__, command.__doc__
        own = [p for p in inspect.signature(command).parameters.values() if p.name != "config"]
        notes = comments(config)
        options = [_option(field, notes.get(field.name, "")) for field in fields]
        file = Annotated[
            Path | None,
            typer.Option(
                "--recipe",
                help=f"Take settings from section {section} of this file.",
                autocompletion=complete.recipes,
            ),
        ]
        options.append(_keyword("recipe", file))
        parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own] + options
        wrapper.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        wrapper.__annotations__ = {p.name: p.annotation for p in parameters}
        return wrapper

    return decorate


def _section(recipe: Path, section: str) -> dict[str, Any]:
    from wellread.pipeline.recipe import named_recipe

    raw = read_toml(named_recipe(recipe))
    if section not in raw:
        raise InputError(f"{recipe}: no section [{section}]{suggestion(section, raw)}")
    files = {key for stage in STAGES.values() if stage.section == section for key in stage.given}
    return {key: value for key, value in raw[section].items() if key not in files}


def _parsed(value: Any, field: msgspec.structs.FieldInfo) -> Any:
    """What the options say; KEY=VALUE, given once or more, is a table (KEY=A,B where it lists)."""
    kind = _without_none(field.type)
    if get_origin(kind) in (list, tuple) and get_args(kind)[0] in (str, int):
        return [part for text in value for part in text.split(",") if part]
    if get_origin(kind) is not dict:
        return value
    pairs = [text.partition("=") for text in value]
    if not all(separator for _, separator, _ in pairs):
        raise InputError(f"{_flag(field)} {' '.join(value)}: expected KEY=VALUE")
    holds_lists = get_origin(get_args(kind)[1]) is list
    return {key: found.split(",") if holds_lists else found for key, _, found in pairs}


def _flag(field: msgspec.structs.FieldInfo) -> str:
    return "--" + field.name.replace("_", "-")


def _option(field: msgspec.structs.FieldInfo, note: str) -> inspect.Parameter:
    flag = _flag(field)
    kind = _without_none(field.type)
    default = _default(field)
    help_text = note + (f" [default: {default}]" if default else "")
    about: dict[str, Any] = {"help": help_text.strip(), "show_default": False}
    if kind is bool:
        option = typer.Option(f"{flag}/--no-{flag[2:]}", **about)
        return _keyword(field.name, Annotated[bool | None, option])
    if get_origin(kind) in (list, tuple, dict):
        metavar = "KEY=VALUE" if get_origin(kind) is dict else "<text>"
        about["autocompletion"] = complete.LISTS.get(field.name)
        option = typer.Option(flag, metavar=metavar, **about)
        return _keyword(field.name, Annotated[list[str] | None, option])
    if choices := [str(choice) for choice in get_args(kind)]:
        about["autocompletion"] = lambda incomplete: complete.among(choices, incomplete)
    option = typer.Option(flag, metavar=_metavar(kind), **about)
    return _keyword(field.name, Annotated[str | None, option])


def _keyword(name: str, annotation: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation
    )


def _without_none(kind: Any) -> Any:
    """The type that matters: `int` of `int | None` and of `Annotated[int, ...]`."""
    if get_origin(kind) is Annotated:
        return _without_none(get_args(kind)[0])
    rest = [part for part in get_args(kind) if part is not type(None)]
    is_optional = len(rest) < len(get_args(kind))
    return _without_none(rest[0]) if is_optional and len(rest) == 1 else kind


def _metavar(kind: Any) -> str:
    choices = get_args(kind)
    if choices:
        return "|".join(map(str, choices))
    names = {int: "<int>", float: "<number>", Path: "<path>", str: "<text>"}
    return names.get(kind, f"<{getattr(kind, '__name__', 'text')}>")


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default is not msgspec.NODEFAULT:
        value = field.default
    elif field.default_factory is not msgspec.NODEFAULT:
        value = field.default_factory()
    else:
        return "none: must be given"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value[:6])) + (", ..." if len(value) > 6 else "")
    return str(value) if value not in (None, {}) else ""
