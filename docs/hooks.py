"""What MkDocs asks while it builds the manual: what is made, and files outside `docs`."""

import os
import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files, InclusionLevel

sys.path.insert(0, str(Path(__file__).parent))

import decisions
import reference
import tables

DOCS = Path(__file__).resolve().parent
REPOSITORY = DOCS.parent
MADE = {
    "commands": reference.commands,
    "recipe keys": reference.recipe_keys,
    "Python names": reference.python_names,
    "decisions": decisions.index,
    "benchmarks in short": tables.summary,
}
MARK = re.compile(r"^<!-- made: ([^>]*?) -->$", re.MULTILINE)
LINK = re.compile(r"(\]\()([^)#\s]+)((?:#[^)\s]*)?\))")
BLOCK = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def on_config(config: Any) -> Any:
    """A folder in the navigation, named with a slash at its end, is every page in it."""
    config.nav = [_unfolded(entry) for entry in config.nav]
    return config


def on_files(files: Files, *, config: Any) -> Files:
    """A page for each file outside `docs` that a page links to, so that no link leads nowhere."""
    for page in [file for file in files if file.is_documentation_page()]:
        for _, target, _ in LINK.findall(BLOCK.sub("", page.content_string)):
            path = _target(page.src_uri, target)
            if path is None or path.is_relative_to(DOCS) or files.get_file_from_path(_uri(path)):
                continue
            file = File.generated(config, _uri(path), content=_as_page(path))
            file.inclusion = InclusionLevel.NOT_IN_NAV
            files.append(file)
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Put what is made in place of its mark, and lead links to where the manual has their files."""
    here = page.file.src_uri

    def turned(found: re.Match[str]) -> str:
        path = _target(here, found[2])
        if path is None:
            return found[0]
        return found[1] + os.path.relpath(_uri(path), Path(here).parent) + found[3]

    parts = BLOCK.split(tables.with_tables(markdown) if here == "benchmarks.md" else markdown)
    text = "".join(part if part.startswith("```") else LINK.sub(turned, part) for part in parts)
    return MARK.sub(lambda found: MADE[found[1]](), text)


def _target(page: str, link: str) -> Path | None:
    """The file of the repository that a link in a page leads to; None: it leaves the repository."""
    if "://" in link or link.startswith("mailto:"):
        return None
    shown = page.startswith("files/")
    folder = REPOSITORY / page.removeprefix("files/") if shown else DOCS / page
    path = Path(os.path.normpath(folder.parent / link))
    return path / "index.md" if path.is_dir() else path


def _uri(path: Path) -> str:
    """Where the manual has a file of the repository."""
    if path.is_relative_to(DOCS):
        return path.relative_to(DOCS).as_posix()
    return f"files/{path.relative_to(REPOSITORY).as_posix().removesuffix('.md')}.md"


def _as_page(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text
    return f"# {path.relative_to(REPOSITORY)}\n\n```{path.suffix[1:]}\n{text}```\n"


def _unfolded(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    [(title, inside)] = entry.items()
    if isinstance(inside, list):
        return {title: [_unfolded(one) for one in inside]}
    if not inside.endswith("/"):
        return entry
    pages = sorted(path.relative_to(DOCS).as_posix() for path in (DOCS / inside).rglob("*.md"))
    return {title: sorted(pages, key=lambda page: not page.endswith("index.md"))}
