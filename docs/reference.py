"""The parts of the manual that are made from the code: commands, recipe keys, Python names."""

import importlib
import inspect
import re
from collections.abc import Iterator
from textwrap import dedent
from typing import Any

import typer

import wellread
from wellread.cli import stages
from wellread.cli.main import app
from wellread.cli.options import takes_settings
from wellread.model.sizes import ModelConfig
from wellread.pipeline.recipe import SECTIONS
from wellread.pipeline.stages import STAGES
from wellread.report.config import ReportConfig

ARRAY = re.compile(r"numpy\.ndarray\[[^]]*\], numpy\.dtype\[numpy\.(\w+)(?:\[[\w.]+\])?\]\]")
DEFAULT = re.compile(r"\s*\[default: (.*?)\]$")


def commands() -> str:
    """Every command: its call, what it does, its arguments and options with defaults."""
    return "\n".join(_command(path, one) for path, one in leaves())


def recipe_keys() -> str:
    """Every section of a recipe with its keys, types, defaults and meanings."""
    return "\n".join(_section(name) for name in ["model", *(s for s in SECTIONS if s != "model")])


def python_names() -> str:
    """Every name that a notebook imports from `wellread`."""
    return "\n".join(_name(name) for name in sorted(wellread.__all__, key=str.lower))


def leaves() -> Iterator[tuple[str, Any]]:
    """Each command that does something, by the words that call it."""
    yield from _leaves("wellread", typer.main.get_command(app))


def _leaves(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", {})
    if not inner:
        yield path, command
    for name, one in inner.items():
        is_first = isinstance(one, stages._First)  # `wellread links DUMPS` has no word for it
        yield from _leaves(path if is_first else f"{path} {name}", one)


def settings(section: str) -> dict[str, Any]:
    """The options that a section's keys are, by key; their help says meaning and default."""
    rows = [stage for stage in STAGES.values() if stage.section == section]
    apart: dict[str, type] = {"model": ModelConfig, "report": ReportConfig}
    config = apart[section] if section in apart else rows[0].load_config()
    found = inspect.signature(takes_settings(config, section)(lambda: None)).parameters
    options = {name: one.annotation.__metadata__[0] for name, one in found.items()}
    return {name: option for name, option in options.items() if name != "recipe"}


def files(section: str) -> list[str]:
    """The keys of a section that name files."""
    return sorted({key for s in STAGES.values() if s.section == section for key in s.given})


def _command(path: str, command: Any) -> str:
    takes = [p for p in command.params if p.param_type_name == "argument"]
    call = " ".join([path, *map(_metavar, takes)])
    rows = [[f"`{_metavar(p)}`", "", p.help or ""] for p in takes]
    rows += [_option(p) for p in command.params if p.param_type_name == "option"]
    title = path.removeprefix("wellread ")
    return f"## {title}\n\n{_prose(command.help)}\n\n```text\n{call}\n```\n\n" + table(
        ["option", "default", "what it is"], rows
    )


def _metavar(argument: Any) -> str:
    name = argument.metavar or argument.name.upper()
    return name + ("..." if argument.nargs == -1 else "")


def _option(option: Any) -> list[str]:
    meaning, default = _split(option.help or "")
    flags = ", ".join(f"`{flag}`" for flag in [*option.opts, *option.secondary_opts])
    kind = f" `{option.metavar}`" if option.metavar else ""
    own = option.default
    if not default and not option.required and own not in (None, False, [], ()):
        default = str(own)
    return [flags + kind, "must be given" if option.required else _code(default), meaning]


def _section(name: str) -> str:
    rows = [
        [f"`{key}`", "list of paths", "", "files, or patterns with `*` and `?`"]
        for key in files(name)
    ]
    for key, option in settings(name).items():
        meaning, default = _split(option.help)
        kind = (option.metavar or "true or false").strip("<>").replace("|", " or ")
        rows.append([f"`{key}`", kind, _code(default), meaning])
    return f"### [{name}]\n\n" + table(["key", "value", "default", "what it is"], rows)


def _split(help_text: str) -> tuple[str, str]:
    found = DEFAULT.search(help_text)
    return (help_text[: found.start()], found[1]) if found else (help_text, "")


def _code(default: str) -> str:
    return f"`{default}`" if default else ""


def _name(name: str) -> str:
    place = wellread._PLACES[name]
    found = getattr(importlib.import_module(place), name)
    parts = [f"## {name}", _signature(name, found), _prose(inspect.getdoc(found))]
    if isinstance(found, type):
        parts += [
            f"### {name}.{inner}\n\n{_signature(inner, member)}\n\n{_prose(inspect.getdoc(member))}"
            for inner, member in _members(found)
        ]
    return "\n\n".join(parts) + "\n"


def _members(found: type) -> Iterator[tuple[str, Any]]:
    for name, raw in vars(found).items():
        if not name.startswith("_") and (callable(raw) or isinstance(raw, (classmethod, property))):
            yield name, raw if isinstance(raw, property) else getattr(found, name)


def _signature(name: str, found: Any) -> str:
    if isinstance(found, property):
        return f"```text\n{name}\n```"
    signature = inspect.signature(found)
    has_return = signature.return_annotation is not inspect.Signature.empty
    gives = f" -> {inspect.formatannotation(signature.return_annotation)}" if has_return else ""
    parameters = [str(one) for one in signature.parameters.values()]
    line = _short(f"{name}({', '.join(parameters)}){gives}")
    if len(line) > 88:
        line = _short("\n    ".join([f"{name}(", *(f"{one}," for one in parameters)]))
        line += _short(f"\n){gives}")
    return f"```text\n{line}\n```"


def _short(signature: str) -> str:
    """Without the modules of types, and with a function's name for a function."""
    text = re.sub(r"<function <?(\w+)>? at \w+>", r"\1", signature)
    text = ARRAY.sub(r"ndarray[\1]", text)
    return re.sub(r"\b(?:\w+\.)+(?=[A-Z])", "", text)


def _prose(text: str | None) -> str:
    """A docstring as Markdown: its examples become blocks."""
    out, is_example = [], False
    for line in dedent(text or "").strip().splitlines():
        begins = line.startswith(">>>")
        if begins and not is_example:
            out.append("```pycon")
            is_example = True
        elif is_example and not line.strip():
            out.append("```")
            is_example = False
        out.append(line)
    return "\n".join([*out, "```"] if is_example else out)


def table(head: list[str], rows: list[list[str]]) -> str:
    """Rows as a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(c) for c in line) + " |" for line in lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
