"""WikiText-103's test set: perplexity for each of its words (section 3.1)."""

from wellread.evaluate.task import BenchmarkFile
from wellread.evaluate.wikitext import wikitext_task

TASK = wikitext_task(
    "WikiText-103, test set as tokenised by its authors, or raw, 60 articles",
    published="wikitext103",
    files=(
        BenchmarkFile(
            path="wikitext103/wiki.test.tokens",
            sha256=None,
            obtain="It is wiki.test.tokens of wikitext-103-v1.zip; save it under that name",
            when={"text": ("tokenised",)},
        ),
        BenchmarkFile(
            path="wikitext103_raw/wiki.test.raw",
            sha256=None,
            obtain="It is wiki.test.raw of wikitext-103-raw-v1.zip; save it under that name",
            when={"text": ("raw",)},
        ),
    ),
)
