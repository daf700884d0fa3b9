"""Twenty stories of this project's own in the layout of the Children's Book Test."""

from wellread.evaluate.cbt import SCOPE, read_cbt, score_clozes
from wellread.evaluate.choices import METRICS
from wellread.evaluate.task import Task, as_loaded, own_data

TASK = Task(
    source="20 items written for this project, in the benchmark's layout",
    licence="MIT, with this package",
    axes={"scope": SCOPE},
    metrics=METRICS,
    load=lambda _: as_loaded(read_cbt(own_data("cbt/cbtest_CN_demo_20ex.txt"))),
    score=score_clozes,
)
