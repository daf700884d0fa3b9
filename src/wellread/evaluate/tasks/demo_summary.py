"""Twenty articles of this project's own in the layout of CNN/DailyMail's stories."""

import msgspec

from wellread.evaluate.summaries import AXES, METRICS, read_stories, score_summaries
from wellread.evaluate.task import Task, as_loaded, own_data

TASK = Task(
    version=2,
    source="20 items written for this project, in the benchmark's layout",
    licence="MIT, with this package",
    axes={**AXES, "tokens": msgspec.structs.replace(AXES["tokens"], default="60")},
    metrics=METRICS,
    load=lambda _: as_loaded(read_stories(own_data("stories"))),
    score=score_summaries,
)
