"""Many runs at once: those that differ in nothing but their seed are one line and one row."""

from collections.abc import Iterable, Sequence
from statistics import fmean, stdev

from wellread.base.text import human_seconds
from wellread.formats.metrics import Step
from wellread.report.blocks import NOTHING, Cell, Column, Table, count, decimal
from wellread.report.evidence import Evidence, Training

FEW = 6  # runs that are shown one by one


def families(trainings: Iterable[Training]) -> dict[str, list[Training]]:
    """Runs by what their names have before the seed."""
    found: dict[str, list[Training]] = {}
    for training in trainings:
        seed = training.artifact.manifest.config.get("train", {}).get("seed")
        name = training.name.removesuffix(f"-{seed}") if seed is not None else training.name
        found.setdefault(name, []).append(training)
    return found


def mean_steps(runs: Sequence[list[Step]]) -> list[Step]:
    """Mean losses at the steps that all runs logged."""
    by_step = [{step.step: step for step in steps} for steps in runs]
    common = sorted(set.intersection(*map(set, by_step))) if by_step else []
    rows = [[steps[number] for steps in by_step] for number in common]
    return [
        Step(
            step=row[0].step,
            tokens=row[0].tokens,
            loss=_mean([step.loss for step in row]),
            held_out_loss=_mean([step.held_out_loss for step in row]),
        )
        for row in rows
    ]


def _mean(values: Sequence[float | None]) -> float | None:
    """None if one of them is unknown."""
    known = [value for value in values if value is not None]
    return fmean(known) if len(known) == len(values) else None


def families_table(evidence: Evidence) -> Table:
    rows = []
    for name, runs in families(evidence.trainings).items():
        manifest = runs[0].artifact.manifest
        facts = [run.artifact.manifest.facts for run in runs]
        losses = [fact["held_out_loss"] for fact in facts]
        seconds = sum(run.artifact.seconds for run in runs)
        rows.append(
            [
                Cell(name, target=evidence.anchor(runs[0].artifact.name)),
                count(len(runs)),
                Cell(str(manifest.config["model"]["size"])),
                count(facts[0].get("num_parameters")),
                count(facts[0].get("tokens_seen")),
                decimal(fmean(losses), 3),
                decimal(stdev(losses), 3) if len(losses) > 1 else NOTHING,
                decimal(fmean(fact["held_out_bits_per_byte"] for fact in facts), 3),
                Cell(human_seconds(seconds), seconds),
            ]
        )
    return Table(
        key="families",
        caption="The models trained, means over seeds",
        columns=[
            Column("runs", "name"),
            Column("seeds", "number"),
            Column("size"),
            Column("parameters", "number"),
            Column("tokens seen", "number"),
            Column("held-out loss", "number"),
            Column("between seeds", "number"),
            Column("bits per byte", "number"),
            Column("time of all", "number"),
        ],
        rows=rows,
        why=[evidence.why(run.artifact.name) for run in evidence.trainings],
        note="Size: layers × width. Loss in nats per token at the last step, on the first windows "
        "of the held-out tokens; between seeds: its standard deviation.",
    )
