"""The 1 Billion Word benchmark's test set: perplexity for each word (section 3.1)."""

import itertools

import msgspec

from wellread.evaluate.detokenize import ONE_BILLION
from wellread.evaluate.language_modelling import WORD_AXES, line_blocks, num_words, words_scorer
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
)

NUM_WORDS = 159_658  # with line ends: tensorflow/tensor2tensor, data_generators/lm1b.py
NUM_SENTENCES = 6_075  # tensorflow/lingvo, tasks/lm/params/one_billion_wds.py
BLOCK_LINES = 100  # some 2,600 words: more than a context
FILE = BenchmarkFile(
    path="1bw/news.en.heldout-00000-of-00050",
    sha256=None,
    obtain="It is in heldout-monolingual.tokenized.shuffled of 1-billion-word-language-modeling-"
    "benchmark-r13output.tar.gz, https://www.statmt.org/lm-benchmark; save it under that name",
)
SCOPE = Axis(
    default="sentence",
    others=("all",),
    reason="the file's sentences are in random order, so that one says nothing of the next, and "
    "the paper names no choice; `all` reads them as one text, in blocks of 100 lines that only "
    "the interval knows",
)


def load(sources: Sources) -> Loaded:
    path = benchmark_path(FILE, sources)
    content = path.read_bytes().decode()
    counted(range(num_words(content, "word+eos")), NUM_WORDS, path, "words and line ends")
    sentences = counted(line_blocks(content, 1), NUM_SENTENCES, path, "sentences")
    if sources.settings["scope"] == "sentence":
        return as_loaded(sentences)
    blocks = line_blocks(content, BLOCK_LINES)
    after = [
        msgspec.structs.replace(block, before=previous.text)
        for previous, block in itertools.pairwise(blocks)
    ]
    return as_loaded([*blocks[:1], *after])


TASK = Task(
    source="1 Billion Word benchmark, held-out part 0 of 50: 6,075 sentences in random order",
    licence="Apache-2.0; the text is of WMT-11's news crawl",
    files=(FILE,),
    axes={**WORD_AXES, "scope": SCOPE},
    metrics={"perplexity": PERPLEXITY},
    published="1bw",
    load=load,
    score=words_scorer(ONE_BILLION),
    is_layout_tested=True,
)
