"""Twenty sentence pairs of this project's own in the layout of newstest2014, in both directions."""

from wellread.evaluate.task import Loaded, Sources, Task, as_loaded, own_data
from wellread.evaluate.translation import (
    METRICS,
    both_directions,
    read_parallel,
    score_translations,
)


def load(_: Sources) -> Loaded:
    folder = own_data("translation")
    pairs = read_parallel(folder / "newstest.en", folder / "newstest.fr")
    shots = read_parallel(folder / "shots.en", folder / "shots.fr")
    return as_loaded(both_directions(pairs, shots))


TASK = Task(
    source="20 items written for this project, in the benchmark's layout",
    licence="MIT, with this package",
    metrics=METRICS,
    load=load,
    score=score_translations,
)
