"""enwik8: bits for each byte of the last five megabytes (section 3.1)."""

from wellread.evaluate.compression import bits_scorer, end_loader
from wellread.evaluate.language_modelling import PREFIX, STRIDE
from wellread.evaluate.metrics import BITS_PER_BYTE
from wellread.evaluate.task import BenchmarkFile, Task

FILE = BenchmarkFile(
    path="enwik8/enwik8",
    sha256=None,
    obtain="It is the one file of https://mattmahoney.net/dc/enwik8.zip; save it under that name",
)
TASK = Task(
    source="enwik8, the first 100 MB of Wikipedia's XML of 2006: its last 5,000,000 bytes",
    licence="GFDL",
    files=(FILE,),
    axes={"stride": STRIDE, "prefix": PREFIX},
    metrics={"bits_per_byte": BITS_PER_BYTE},
    published="enwik8",
    load=end_loader(FILE),
    score=bits_scorer("bits_per_byte"),
    is_layout_tested=True,
)
