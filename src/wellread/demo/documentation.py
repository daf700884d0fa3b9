"""The documentation of an installed package as articles: `python -m wellread.demo.documentation`.

A process of its own, because importing a package's every module has effects. It takes a package's
name as argument ("stdlib": Python's library) and writes articles to standard output, as JSON lines.
"""

import contextlib
import importlib
import inspect
import os
import pkgutil
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from wellread.demo.docstrings import Block, blocks_of, is_prose

STDLIB = "stdlib"
# Modules that open windows or browsers, print, run tests or programs, or are not for reading.
DENIED = {
    "antigravity", "this", "idlelib", "lib2to3", "test", "tests", "testing", "turtle",
    "turtledemo", "tkinter", "ensurepip", "pip", "msilib", "distutils", "conftest", "setup",
    "__main__", "benchmarks", "examples", "app", "cli", "commands", "scripts",
}  # fmt: skip
PAGE_CHARACTERS = 4_500  # a page is closed at the next member once it is this long
MAX_CHARACTERS = 12_000  # or anywhere
MIN_PROSE_CHARACTERS = 700
MIN_PROSE_SHARE = 0.45
MAX_SIGNATURE = 200
MAX_CODE_LINES = 16


class Article(msgspec.Struct, frozen=True, kw_only=True):
    """What one page says."""

    name: str  # unique within the package: dotted, with a part number from the second part on
    title: str
    blocks: list[Block]


def modules(root: str) -> Iterator[ModuleType]:
    """A package's public modules, parents first; those that cannot be imported are passed over."""
    names = sorted(sys.stdlib_module_names) if root == STDLIB else [root]
    for name in names:
        if not _is_denied(name):
            yield from _with_children(name)


def _with_children(name: str) -> Iterator[ModuleType]:
    try:
        module = importlib.import_module(name)
    except BaseException:  # noqa: BLE001  # another platform's, an optional library's, sys.exit
        return
    yield module
    children = sorted(child.name for child in pkgutil.iter_modules(getattr(module, "__path__", [])))
    for child in children:
        if not _is_denied(child):
            yield from _with_children(f"{name}.{child}")


def _is_denied(name: str) -> bool:
    return name in DENIED or name.startswith(("_", "test_"))


def articles(root: str) -> Iterator[Article]:
    """The articles on a package, those that are mostly prose, each docstring told once."""
    told: set[str] = set()
    for module in modules(root):
        sections = [_docstring(module, told)]
        classes = []
        for name, member in sorted(vars(module).items()):
            if not _is_own(name, member, module):
                continue
            section = _member(name, member, told)
            if inspect.isclass(member) and _length(section) > PAGE_CHARACTERS // 3:
                classes.append((name, section))
            elif section:
                sections.append(section)
        yield from _pages(module.__name__, f"The {module.__name__} module", sections)
        for name, section in classes:
            title = f"{name} in {module.__name__}"
            yield from _pages(f"{module.__name__}.{name}", title, _split(section))


def _is_own(name: str, member: Any, module: ModuleType) -> bool:
    if name.startswith("_") or not callable(member):
        return False
    home = _quietly(member, "__module__") or module.__name__
    return str(home).split(".")[0].lstrip("_") in (module.__name__.split(".")[0], "builtins")


def _quietly(thing: Any, attribute: str) -> Any:
    """An attribute, or None: lazy objects of strangers may raise anything when touched."""
    try:
        return getattr(thing, attribute, None)
    except Exception:  # noqa: BLE001
        return None


def _member(name: str, member: Any, told: set[str]) -> list[Block]:
    """A function or a class with its methods; empty if it says nothing new."""
    blocks = _docstring(member, told)
    if not inspect.isclass(member):
        return (
            [Block(kind="heading", text=name), *_signature(name, member), *blocks] if blocks else []
        )
    found = [Block(kind="heading", text=f"class {name}"), *_signature(name, member), *blocks]
    size = len(found)
    for method_name, method in sorted(vars(member).items()):
        if method_name.startswith("_") or inspect.isclass(method):
            continue
        is_documented = callable(method) or hasattr(type(method), "__get__")
        inner = _docstring(method, told) if is_documented else []
        if inner:
            label = f"{name}.{method_name}"
            found += [Block(kind="heading", text=label), *_signature(label, method), *inner]
    return found if blocks or len(found) > size else []


def _docstring(thing: Any, told: set[str]) -> list[Block]:
    text = _quietly(thing, "__doc__")
    inherited = _quietly(type(thing), "__doc__")
    if not isinstance(text, str) or text == inherited or text in told:
        return []
    told.add(text)
    blocks = blocks_of(scrub(text))
    # Some packages draw the numbers of their examples when they are imported, and say so.
    return [_shortened(block) for block in blocks if "may vary" not in block.text]


def _shortened(block: Block) -> Block:
    if block.kind != "code":
        return block
    return Block(kind="code", text="\n".join(block.text.split("\n")[:MAX_CODE_LINES]))


def _signature(label: str, thing: Any) -> list[Block]:
    try:
        text = scrub(f"{label}{inspect.signature(thing)}")
    except Exception:  # noqa: BLE001  # written in C, or a stranger's lazy object
        return []
    return [Block(kind="code", text=text)] if len(text) <= MAX_SIGNATURE else []


def scrub(text: str) -> str:
    """Without what differs between runs and machines: addresses in memory, places on disk.

    >>> scrub("<function f at 0x7f2a10>")
    '<function f>'
    """
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", text)
    text = re.sub(r"0x[0-9a-f]{9,}", "0x0", text)
    for place in (*sys.path, sys.prefix, sys.base_prefix, str(Path.home()), str(Path.cwd())):
        if len(place) > 4:
            text = text.replace(place, "/usr/lib/python3")
    return text


def _length(blocks: list[Block]) -> int:
    return sum(len(block.text) for block in blocks)


def _split(blocks: list[Block]) -> list[list[Block]]:
    """A class as sections, one for each heading."""
    sections: list[list[Block]] = []
    for block in blocks:
        if block.kind == "heading" or not sections:
            sections.append([])
        sections[-1].append(block)
    return sections


def _pages(name: str, title: str, sections: list[list[Block]]) -> Iterator[Article]:
    """Sections packed into pages; pages that are not mostly prose are left out."""
    pages: list[list[Block]] = [[]]
    for section in sections:
        if _length(pages[-1]) + _length(section) / 2 > PAGE_CHARACTERS:
            pages.append([])
        for block in section:
            if _length(pages[-1]) > MAX_CHARACTERS:
                pages.append([])
            pages[-1].append(block)
    kept = [page for page in pages if _is_readable(page)]
    for number, page in enumerate(kept, start=1):
        part = f"-{number}" if number > 1 else ""
        said = f", part {number}" if number > 1 else ""
        yield Article(name=name + part, title=title + said, blocks=page)


def _is_readable(blocks: list[Block]) -> bool:
    prose = sum(len(block.text) for block in blocks if is_prose(block))
    return prose >= MIN_PROSE_CHARACTERS and prose >= MIN_PROSE_SHARE * _length(blocks)


def main() -> None:
    results = os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("r+b", buffering=0) as nowhere:  # imported modules may print, or ask
        for stream in (0, 1, 2):
            os.dup2(nowhere.fileno(), stream)
    warnings.simplefilter("ignore")
    with contextlib.closing(results):
        for article in articles(sys.argv[1]):
            results.write(msgspec.json.encode(article) + b"\n")
        results.flush()
    os._exit(0)  # imported modules' own exit hooks are nothing to wait for


if __name__ == "__main__":
    main()
