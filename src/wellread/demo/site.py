"""The little web on disk: `pages/HOST/PATH` are plain answers, `answers.json` the others."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from wellread.base.manifest import Draft

STAGE = "demo"
HTML = "text/html; charset=utf-8"
Where = tuple[str, str]  # (host, path)


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the server says at one address, where it is not simply a page."""

    status: int = 200
    content_type: str = HTML
    body: str = ""
    repeat: int = 1  # how often `body` is said
    file: str = ""  # instead of `body`; relative to the web's directory
    location: str = ""
    delay_seconds: float = 0.0


def url_of(where: Where) -> str:
    return f"http://{where[0]}{where[1]}"


def write_page(draft: Draft, where: Where, html: str | bytes) -> None:
    content = html.encode() if isinstance(html, str) else html
    draft.write(f"pages/{where[0]}{where[1]}", content)


def page_files(web: Path) -> dict[Where, str]:
    """Every page on disk by host and path: nothing else can be asked for."""
    pages = web / "pages"
    found = {}
    for path in sorted(pages.rglob("*")):
        if path.is_file():
            host, _, rest = path.relative_to(pages).as_posix().partition("/")
            found[host, f"/{rest}"] = f"pages/{host}/{rest}"
    return found


def write_answers(draft: Draft, answers: Mapping[Where, Answer]) -> None:
    by_url = {url_of(where): answer for where, answer in sorted(answers.items())}
    draft.write("answers.json", msgspec.json.format(msgspec.json.encode(by_url), indent=1))


def read_answers(web: Path) -> dict[Where, Answer]:
    by_url = msgspec.json.decode((web / "answers.json").read_bytes(), type=dict[str, Answer])
    split = {url.removeprefix("http://").partition("/"): a for url, a in by_url.items()}
    return {(host, f"/{path}"): answer for (host, _, path), answer in split.items()}
