"""Twenty articles of this project's own in the layout of CNN/DailyMail's stories."""

import msgspec

from wellread.evaluate.summaries import METRICS, NEW_TOKENS, read_stories, score_summaries
from wellread.evaluate.task import Task, as_loaded, own_data

TASK = Task(
    source="20 items written for this project, in the benchmark's layout",
    licence="MIT, with this package",
    axes={"tokens": msgspec.structs.replace(NEW_TOKENS, default="60")},
    metrics=METRICS,
    load=lambda _: as_loaded(read_stories(own_data("stories"))),
    score=score_summaries,
)
