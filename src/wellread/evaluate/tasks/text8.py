"""text8: bits for each character of the last five million (section 3.1)."""

from string import ascii_lowercase

from wellread.evaluate.compression import bits_scorer, end_loader
from wellread.evaluate.language_modelling import PREFIX, STRIDE
from wellread.evaluate.metrics import BITS_PER_BYTE
from wellread.evaluate.task import BenchmarkFile, Task

FILE = BenchmarkFile(
    path="text8/text8",
    sha256=None,
    obtain="It is the one file of https://mattmahoney.net/dc/text8.zip; save it under that name",
)
TASK = Task(
    source="text8, Wikipedia's text of 2006 in 27 characters: its last 5,000,000",
    licence="GFDL",
    files=(FILE,),
    axes={"stride": STRIDE, "prefix": PREFIX},
    metrics={"bits_per_character": BITS_PER_BYTE},  # each is a byte
    published="text8",
    load=end_loader(FILE, letters=ascii_lowercase.encode() + b" "),
    score=bits_scorer("bits_per_character"),
    is_layout_tested=True,
)
