"""Twenty questions of this project's own in the layout of NQ-open."""

from wellread.evaluate.questions import METRICS, read_questions, read_shots, score_answers
from wellread.evaluate.task import Loaded, Sources, Task, as_loaded, own_data


def load(_: Sources) -> Loaded:
    shots = read_shots(own_data("qa/NQ-open.shots.jsonl"))
    return as_loaded(read_questions(own_data("qa/NQ-open.demo.jsonl"), shots))


TASK = Task(
    source="20 items written for this project, in the benchmark's layout",
    licence="MIT, with this package",
    metrics=METRICS,
    load=load,
    score=score_answers,
)
