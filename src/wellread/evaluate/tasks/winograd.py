"""The Winograd schemas (section 3.4), from the collection by Ernest Davis and others."""

from wellread.evaluate.choices import METRICS
from wellread.evaluate.task import (
    Axis,
    BenchmarkFile,
    Loaded,
    Sources,
    Task,
    as_loaded,
    benchmark_path,
    counted,
)
from wellread.evaluate.winograd import ANSWERS, SCORING, read_winograd, score_schemas

NUM_SCHEMAS = 285
FILE = BenchmarkFile(
    path="winograd/WSCollection.xml",
    sha256="8d72fe16331cfcddfc2f8ec6f87c5a07e186f913e023705a998a5cc6011994e4",
    obtain="It is cs.nyu.edu/~davise/papers/WinogradSchemas/WSCollection.xml; save it under that "
    "name",
    url="https://cs.nyu.edu/~davise/papers/WinogradSchemas/WSCollection.xml",
)
SCHEMAS = Axis(
    default="273",
    others=("285",),
    reason="the paper's 273 are the first of the collection, which had that many then",
)


def load(sources: Sources) -> Loaded:
    path = benchmark_path(FILE, sources)
    schemas = counted(read_winograd(path), NUM_SCHEMAS, path)
    return as_loaded(schemas[: int(sources.settings["schemas"])])


TASK = Task(
    source="the collection of Winograd schemas, the first 273 of 285",
    licence="CC BY 4.0",
    files=(FILE,),
    axes={"schemas": SCHEMAS, "scoring": SCORING, "answers": ANSWERS},
    metrics=METRICS,
    published="winograd",
    load=load,
    score=score_schemas,
)
