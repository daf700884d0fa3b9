"""Little runs whose models answer some questions right, to be held against each other."""

from pathlib import Path

from wellread.base.config import Config
from wellread.base.manifest import Draft, writing
from wellread.formats.results import Item, Result, Score, write_result

WRONG, RIGHT = [0] * 20, [0] * 4 + [1] * 16
HALF = 0.06  # of the width of an interval


class Settings(Config, frozen=True):
    model: dict[str, str]
    steps: int


def write_run(run: Path, models: dict[str, tuple[int, list[int]]], *, steps: int = 600) -> Path:
    """A run of models, each of a size and with right (1) or wrong (0) answers of one task."""
    for name, (parameters, answers) in models.items():
        trained = run / "runs" / name
        with writing(
            trained, stage="train", config=Settings(model={"size": name}, steps=steps), inputs={}
        ) as draft:
            draft.facts |= {
                "num_parameters": parameters,
                "held_out_loss": 4.5,
                "held_out_bits_per_byte": 1.9,
            }
            draft.write("metrics.jsonl", b'{"step":1,"tokens":10}\n')
        inputs = {"model": [trained]}
        results = run / "results" / name
        with writing(results, stage="evaluate", config=Config(), inputs=inputs) as draft:
            draft.facts["num_parameters"] = parameters
            write_answers(draft, answers)
    return run


def write_answers(draft: Draft, answers: list[int]) -> None:
    value = sum(answers) / len(answers)
    score = Score(
        metric="accuracy", value=value, low=value - HALF, high=value + HALF,
        num_items=len(answers), higher_is_better=True, chance=0.1,
    )  # fmt: skip
    result = Result(
        task="demo-cbt", protocol="demo-cbt:1|scope=rest", comparable_to=None,
        num_items=len(answers), num_available=len(answers), scores=[score], seconds=1.0,
    )  # fmt: skip
    items = [
        Item(item=f"i{n}", text="", prompt="", target="", sums={"accuracy": (float(answer), 1.0)})
        for n, answer in enumerate(answers)
    ]
    write_result(draft, result, items)
