"""The little web is made: articles become pages of several sites, and a dump links to them."""

import hashlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import msgspec

from wellread.base.config import Config
from wellread.base.errors import WellreadError
from wellread.base.manifest import Draft, Manifest, finished, read_manifest, writing
from wellread.base.progress import Progress, silent
from wellread.demo.docstrings import Block
from wellread.demo.documentation import STDLIB, Article
from wellread.demo.dump import write_dump
from wellread.demo.oddities import oddities
from wellread.demo.site import STAGE, Where, write_answers, write_page
from wellread.demo.templates import TEMPLATES, Place, article_html, handbook

# What is documented, and under which host: Python's library, and packages that the install brought.
# Those that import fastest come first: a small web needs no others.
SITES = {
    STDLIB: "python.example",
    "numpy": "numpy.example",
    "matplotlib": "matplotlib.example",
    "networkx": "networks.example",
    "scipy": "scipy.example",
    "torch": "torch.example",
    "pyarrow": "arrow.example",
    "twisted": "twisted.example",
    "sympy": "symbols.example",
    "nltk": "language.example",
    "fontTools": "fonts.example",
    "daft": "daft.example",
    "scrapy": "crawlers.example",
    "PIL": "pictures.example",
    "lxml": "markup.example",
    "jinja2": "templates.example",
    "rich": "terminal.example",
    "typer": "commands.example",
}
LARGEST_SHARE = 0.25  # of the pages may come from one package
MIRROR = "mirror.example"
NUM_MIRRORED = 20  # pages that stand at a second address, and as many again with words changed
NUM_NEIGHBOURS = 6


class DemoConfig(Config, frozen=True):
    max_pages: int = 6_000
    seed: int = 0


def make_little_web(out: Path, config: DemoConfig, *, progress: Progress = silent) -> Manifest:
    """Write the pages, the odd answers and `dump/RS_demo.zst`; nothing if they are there already.

    Two runs on one machine write the same bytes.
    """
    if done := finished(out, stage=STAGE, config=config, inputs={}):
        return done
    with writing(out, stage=STAGE, config=config, inputs={}) as draft:
        pages: dict[Where, Article] = {}
        for number, (package, host) in enumerate(SITES.items()):
            room = config.max_pages - len(pages)
            progress(len(pages), config.max_pages, f"reading the documentation of {package}")
            if room > 0:
                limit = min(room, max(1, int(config.max_pages * LARGEST_SHARE)))
                chosen = choose(documentation_of(package, draft), limit)
                pages |= _write_site(draft, host, number, chosen)
        copies = _write_copies(draft, pages)
        odd = oddities(min(pages))
        write_answers(draft, odd)
        titles = {where: article.title for where, article in pages.items()} | copies
        draft.counts["submissions"] = write_dump(draft, titles, list(odd), config.seed)
        draft.counts["pages"] = len(pages)
        draft.counts["copies"] = len(copies)
        draft.counts["odd answers"] = len(odd)
    return read_manifest(out)


def documentation_of(package: str, draft: Draft) -> list[Article]:
    """The articles on a package; none, and a note in the manifest, where it is not installed."""
    process = subprocess.run(
        [sys.executable, "-P", "-m", "wellread.demo.documentation", package],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        # Sets in signatures are printed in the order of their hashes; no window may open.
        env={**os.environ, "PYTHONHASHSEED": "0", "MPLBACKEND": "Agg", "COLUMNS": "80"},
    )
    if process.returncode != 0:
        last = process.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise WellreadError(
            f"the documentation of {package} could not be read: status {process.returncode} {last}"
        )
    articles = [msgspec.json.decode(line, type=Article) for line in process.stdout.splitlines()]
    draft.facts.setdefault("articles", {})[package] = len(articles)
    return articles


def choose(articles: list[Article], limit: int) -> list[Article]:
    """At most `limit` articles, by the hash of their names, in the order they came.

    >>> every = [Article(name=n, title=n, blocks=[]) for n in ("a", "b", "c")]
    >>> [article.name for article in choose(every, 2)]
    ['b', 'c']
    """
    ranked = sorted(articles, key=lambda a: hashlib.sha256(a.name.encode()).digest())
    chosen = {article.name for article in ranked[:limit]}
    return [article for article in articles if article.name in chosen]


def _write_site(
    draft: Draft, host: str, number: int, articles: list[Article]
) -> dict[Where, Article]:
    """Write a package's pages in its site's template; where each stands."""
    template = TEMPLATES[number % len(TEMPLATES)]
    titled = [(path, article) for path, article in zip(paths_of(articles), articles, strict=True)]
    for at, (path, article) in enumerate(titled):
        near = titled[max(0, at - NUM_NEIGHBOURS // 2) : at + NUM_NEIGHBOURS // 2 + 1]
        neighbours = [(p, a.title) for p, a in near if p != path]
        place = Place(host=host, neighbours=neighbours)
        html = template(article.title, article_html(article.blocks), place)
        write_page(draft, (host, path), html)
    return {(host, path): article for path, article in titled}


def paths_of(articles: list[Article]) -> list[str]:
    """An address for each article; names that differ in case only get a number."""
    seen: Counter[str] = Counter()
    paths = []
    for article in articles:
        name = article.name.lower()
        seen[name] += 1
        paths.append(f"/{name}.html" if seen[name] == 1 else f"/{name}_{seen[name]}.html")
    return paths


def _write_copies(draft: Draft, pages: dict[Where, Article]) -> dict[Where, str]:
    """Write some pages again at other addresses, as they are and with a few words changed."""
    titles = {}
    for where in sorted(pages)[:: max(1, len(pages) // NUM_MIRRORED)]:
        article = pages[where]
        place = Place(host=MIRROR, neighbours=[("/", "Start")])
        for folder, blocks in (
            ("copy", article.blocks),
            ("revised", [_revised(block) for block in article.blocks]),
        ):
            there = (MIRROR, f"/{folder}/{where[0]}{where[1]}")
            write_page(draft, there, handbook(article.title, article_html(blocks), place))
            titles[there] = article.title
    return titles


def _revised(block: Block) -> Block:
    if block.kind != "paragraph":
        return block
    words = block.text.split(" ")
    return Block(
        kind=block.kind, text=" ".join(["Indeed", *words]) if len(words) > 40 else block.text
    )
