"""Ask a model what you like, with intervals: python a_task_of_your_own.py [MODEL]

The answer to each question is what the model writes after it, up to the end of the line.
"""

import sys

import wellread
from wellread.evaluate.questions import METRICS, Asked, score_answers
from wellread.evaluate.task import Loaded, Sources, Task, as_loaded

PAIRS = {
    "What is the capital of France?": "Paris",
    "What is the capital of Italy?": "Rome",
    "What is the capital of Japan?": "Tokyo",
    "What is the capital of Egypt?": "Cairo",
}
SHOTS = [("What is the capital of Spain?", "Madrid"), ("What is the capital of Peru?", "Lima")]


def load(_: Sources) -> Loaded:
    asked = [Asked(item=q, question=q, answers=[a], shots=SHOTS) for q, a in PAIRS.items()]
    return as_loaded(asked)


def main(name: str = "gpt2") -> None:
    task = Task(source="here", licence="MIT", metrics=METRICS, load=load, score=score_answers)
    model, tokenizer = wellread.load_model(name), wellread.load_tokenizer(name)
    [(result, items)] = wellread.evaluate(model, tokenizer, {"capitals": task})
    for score in result.scores:
        print(f"{score.metric} {score.value:.2f} of {score.num_items} {score.note}")
    for item in items:
        print(f"{item.item} {item.prediction!r}, where {item.target!r} is right")


if __name__ == "__main__":
    main(*sys.argv[1:])
