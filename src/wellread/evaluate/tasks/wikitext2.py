"""WikiText-2's test set, tokenised: perplexity for each of its words (section 3.1)."""

import itertools
import re

from wellread.evaluate.detokenize import WIKITEXT
from wellread.evaluate.language_modelling import WORD_AXES, Text, words_scorer
from wellread.evaluate.metrics import PERPLEXITY
from wellread.evaluate.task import BenchmarkFile, Task, as_loaded, benchmark_path

FILE = BenchmarkFile(
    path="wikitext2/test.txt",
    sha256="d790b833ef8cf03a90db7bf1271b7520b83c45ce07ba3c1a9699df81e239eca0",
    obtain="It is wiki.test.tokens of wikitext-2-v1.zip (also data/wikitext-2/test.txt in "
    "github.com/pytorch/examples, word_language_model); save it under that name",
)
TITLE = re.compile(r" = [^=].*[^=] = |  = [^=] = ")


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


TASK = Task(
    source="WikiText-2, test set as tokenised by its authors, 60 articles",
    licence="CC BY-SA 3.0",
    files=(FILE,),
    axes=WORD_AXES,
    metrics={"perplexity": PERPLEXITY},
    published="wikitext2",
    load=lambda sources: as_loaded(
        articles(benchmark_path(FILE, sources).read_text(encoding="utf-8"))
    ),
    score=words_scorer(WIKITEXT),
)
