"""WikiText-2's test set: perplexity for each of its words (section 3.1)."""

from wellread.evaluate.task import BenchmarkFile
from wellread.evaluate.wikitext import wikitext_task

TASK = wikitext_task(
    "WikiText-2, test set as tokenised by its authors, or raw, 60 articles",
    published="wikitext2",
    files=(
        BenchmarkFile(
            path="wikitext2/test.txt",
            sha256="d790b833ef8cf03a90db7bf1271b7520b83c45ce07ba3c1a9699df81e239eca0",
            obtain="It is wiki.test.tokens of wikitext-2-v1.zip (also data/wikitext-2/test.txt in "
            "github.com/pytorch/examples, word_language_model); save it under that name",
            url="https://raw.githubusercontent.com/pytorch/examples/main/word_language_model/"
            "data/wikitext-2/test.txt",
            when={"text": ("tokenised",)},
        ),
        BenchmarkFile(
            path="wikitext2_raw/wiki.test.raw",
            sha256=None,
            obtain="It is wiki.test.raw of wikitext-2-raw-v1.zip; save it under that name",
            when={"text": ("raw",)},
        ),
    ),
)
