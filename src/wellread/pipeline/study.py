"""The stage `study`, with the comparison of `evaluate`: stages do not import each other."""

from functools import partial

from wellread.evaluate.compare import compare_results
from wellread.studies.fit import fit_study as fit

fit_study = partial(fit, compare=compare_results)
