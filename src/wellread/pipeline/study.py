"""The stage `study`, with the resampling of `evaluate`: stages do not import each other."""

from functools import partial

from wellread.evaluate.resampling import resample_results
from wellread.studies.fit import fit_study as fit

fit_study = partial(fit, resample=resample_results)
