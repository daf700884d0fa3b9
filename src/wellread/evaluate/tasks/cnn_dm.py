"""CNN and Daily Mail: ROUGE of summaries after `TL;DR:` (section 3.6)."""

from wellread.evaluate.summaries import (
    AXES,
    BASELINES,
    METRICS,
    listed_stories,
    read_story,
    score_summaries,
)
from wellread.evaluate.task import (
    BenchmarkFile,
    Loaded,
    Sources,
    Task,
    as_loaded,
    benchmark_path,
    counted,
)

FILE = BenchmarkFile(
    path="cnn-dm/all_test.txt",
    sha256=None,
    obtain="It is url_lists/all_test.txt in github.com/abisee/cnn-dailymail; save it under that "
    "name, and beside it the folders cnn/stories and dailymail/stories of "
    "https://cs.nyu.edu/~kcho/DMQA/",
)
NUM_ARTICLES = 11_490  # of the test split (See et al. 2017)


def load(sources: Sources) -> Loaded:
    listing = benchmark_path(FILE, sources)
    paths = counted(listed_stories(listing), NUM_ARTICLES, listing)
    return as_loaded([read_story(path) for path in paths])


TASK = Task(
    source="CNN and Daily Mail, test split of See et al. 2017, 11,490 articles as published",
    licence="the publishers'; collected for research",
    files=(FILE,),
    axes=AXES,
    metrics={**METRICS, **BASELINES},
    published="cnn-dm",
    is_layout_tested=True,
    load=load,
    score=score_summaries,
)
