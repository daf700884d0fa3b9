"""WikiText's test set: its articles, tokenised or raw, known by their words."""

import itertools
import re

from wellread.evaluate.detokenize import WIKITEXT
from wellread.evaluate.language_modelling import WORD_AXES, Text, words_scorer
from wellread.evaluate.metrics import PERPLEXITY
from wellread.evaluate.task import (
    Axis,
    BenchmarkFile,
    Loaded,
    Sources,
    Task,
    as_loaded,
    benchmark_path,
    counted,
    files_read,
)

# Of WikiText-2's test.txt; the other files have the same articles, some words as <unk>.
NUM_WORDS, NUM_ARTICLES = 241_211, 60
TITLE = re.compile(r" = [^=].*[^=] = |  = [^=] = ")
TEXT = Axis(
    default="tokenised",
    others=("raw",),
    reason="tokenised, rare words are <unk>; raw, they are written. The two sets' published "
    "values differ, and only the tokenised files do",
)


def articles(content: str) -> list[Text]:
    """The articles, each from its title line, blank before and after, to the next."""
    lines = content.splitlines(keepends=True)
    starts = [
        number
        for number in range(1, len(lines) - 1)
        if TITLE.fullmatch(lines[number].rstrip("\n"))
        and not lines[number - 1].strip()
        and not lines[number + 1].strip()
    ]
    bounds = [0, *starts[1:], len(lines)]  # the blank line before the first title is its own
    return [
        Text(item=f"line {start + 1}", text="".join(lines[start:end]))
        for start, end in itertools.pairwise(bounds)
    ]


def wikitext_task(source: str, published: str, files: tuple[BenchmarkFile, BenchmarkFile]) -> Task:
    """A task on one of WikiText's two test sets; `files`: tokenised, raw."""

    def load(sources: Sources) -> Loaded:
        [file] = files_read(files, sources.settings)
        path = benchmark_path(file, sources)
        content = path.read_text(encoding="utf-8")
        counted(content.split(), NUM_WORDS, path, "words")
        return as_loaded(counted(articles(content), NUM_ARTICLES, path, "articles"))

    return Task(
        version=2,
        source=source,
        licence="CC BY-SA 3.0",
        files=files,
        axes={**WORD_AXES, "text": TEXT},
        metrics={"perplexity": PERPLEXITY},
        published=published,
        load=load,
        score=words_scorer(WIKITEXT),
        is_layout_tested=files[0].sha256 is None,
    )
