"""Natural Questions, the open form: exact match after a few example pairs (section 3.8)."""

import msgspec

from wellread.evaluate.metrics import EXACT_MATCH
from wellread.evaluate.questions import (
    CONFIDENCE,
    METRICS,
    SHOTS,
    draw_shots,
    most_common_answers,
    question_type,
    read_questions,
    score_answers,
)
from wellread.evaluate.task import (
    Axis,
    BenchmarkFile,
    Loaded,
    Sources,
    Task,
    as_loaded,
    benchmark_path,
)
from wellread.evaluate.written import SHOT_SEED

OBTAIN = (
    "It is nq_open/{} in github.com/google-research-datasets/natural-questions; save it under that "
    "name"
)
FOLDER = (
    "https://raw.githubusercontent.com/google-research-datasets/natural-questions/master/nq_open"
)
FILE = BenchmarkFile(
    path="nq_open/NQ-open.dev.jsonl",
    sha256="f15567f38099f3615f5b8a685c0aef449c11ad90d3da3735e8d1b98115b40616",
    obtain=OBTAIN.format("NQ-open.dev.jsonl"),
    url=f"{FOLDER}/NQ-open.dev.jsonl",
)
# No question of it is in the other file.
OTHERS = BenchmarkFile(
    path="nq_open/NQ-open.efficientqa.dev.1.1.jsonl",
    sha256="0ad45e2fa9fd32d10b3cf08c63e6d22f97ba1a0ce44ea98040f4c18bce7e268d",
    obtain=OBTAIN.format("NQ-open.efficientqa.dev.1.1.jsonl"),
    url=f"{FOLDER}/NQ-open.efficientqa.dev.1.1.jsonl",
)


def load(sources: Sources) -> Loaded:
    path = benchmark_path(OTHERS, sources)
    others = read_questions(path)
    shots = draw_shots(others, sources.settings, path)
    most_common = most_common_answers(others)
    return as_loaded(
        [
            msgspec.structs.replace(asked, most_common=most_common[question_type(asked.question)])
            for asked in read_questions(benchmark_path(FILE, sources), shots)
        ]
    )


TASK = Task(
    source="NQ-open, development set, 3,610 questions",
    licence="CC BY-SA 3.0",
    files=(FILE, OTHERS),
    axes={
        "shots": SHOTS,
        "shot_seed": SHOT_SEED,
        "shots_from": Axis(
            default="efficientqa-dev",
            reason="the 1,800 questions of EfficientQA's development set, of which none is scored; "
            "the paper's pairs are not known",
        ),
    },
    metrics={
        **METRICS,
        "accuracy_top_1_percent": CONFIDENCE,
        "exact_match_most_common_answer": msgspec.structs.replace(
            EXACT_MATCH,
            is_baseline=True,
            note="the most common answer for each question word among EfficientQA's 1,800 "
            "questions; the paper does not say over which it counts",
        ),
    },
    published="natural-questions",
    load=load,
    score=score_answers,
)
