"""The runs of a study, several at a time, and what a person sees of it."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from wellread.base.errors import WellreadError
from wellread.base.manifest import Manifest, read_manifest
from wellread.cli import interrupt, show
from wellread.pipeline.jobs import Job, Told, run_jobs
from wellread.pipeline.plan import Step, is_done


def do_side_by_side(
    steps: Sequence[Step],
    job: Callable[[str, list[Step]], Job],
    places: Sequence[Mapping[str, str]],
    labels: Mapping[str, str],  # of steps, by name
) -> dict[str, Manifest]:
    """Do steps of runs, those of one run in order; `job` is a run with its steps to do.

    One that fails ends its own run only, and is named at the end.
    """
    began = datetime.now(UTC)
    by_name = {step.name: step for step in steps}
    pending: dict[str, list[Step]] = {}
    for step in steps:
        if step.of_run not in pending and is_done(step):
            show.finished(labels[step.name], read_manifest(step.out), since=began)
        else:
            pending.setdefault(str(step.of_run), []).append(step)
    with interrupt.postponed() as should_stop, show.rows() as add_row:
        rows: dict[str, show.Row] = {}
        telling = threading.Lock()

        def tell(told: Told) -> None:
            step = by_name[told.step]
            with telling:
                if told.step not in rows:
                    rows[told.step] = add_row(labels[step.name])
                if told.is_done or told.error:
                    rows[told.step].remove()
                else:
                    rows[told.step].show(told.done, told.total, told.note)
                if told.is_done:
                    show.finished(labels[step.name], read_manifest(step.out), since=began)

        jobs = [job(run, some) for run, some in pending.items()]
        failed = run_jobs(jobs, places, tell, should_stop)
    if failed:
        runs: dict[str, list[str]] = {}
        for run, error in failed.items():
            runs.setdefault(error, []).append(run)
        why = "; ".join(f"{', '.join(some)}: {error}" for error, some in runs.items())
        many = len({step.of_run for step in steps})
        raise WellreadError(f"{len(failed)} of {many} runs failed, the others are done: {why}")
    return {step.name: read_manifest(step.out) for step in steps}
