"""Twenty Winograd schemas of this project's own in the layout of WSCollection.xml."""

from wellread.evaluate.choices import METRICS
from wellread.evaluate.task import Task, as_loaded, own_data
from wellread.evaluate.winograd import ANSWERS, SCORING, read_winograd, score_schemas

TASK = Task(
    source="20 items written for this project, in the benchmark's layout",
    licence="MIT, with this package",
    axes={"scoring": SCORING, "answers": ANSWERS},
    metrics=METRICS,
    load=lambda _: as_loaded(read_winograd(own_data("winograd/WSCollection.xml"))),
    score=score_schemas,
)
