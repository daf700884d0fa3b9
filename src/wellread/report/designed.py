"""The report's section on changes of design: each variant held against the reference."""

from collections.abc import Iterator, Sequence

from wellread.formats import findings
from wellread.formats.estimates import Unit
from wellread.formats.metrics import Step
from wellread.formats.studies import HELD_OUT_BITS, TRAINING, Study
from wellread.report.blocks import (
    NOTHING,
    Answers,
    Block,
    Cell,
    Column,
    Figure,
    Section,
    Table,
    Way,
    metric_name,
)
from wellread.report.design_figures import Curve, Family, gradients_by_depth, loss_gaps, mean_curve
from wellread.report.evidence import HELD_OUT, STUDY, Evidence
from wellread.report.study_figures import Effect, ranked
from wellread.report.study_words import amount, estimate_cell, in_words, task_name

MAIN = ((HELD_OUT, "bits_per_byte"), (TRAINING, HELD_OUT_BITS))  # the first that there is
TASKS_DRAWN = 16  # effects on tasks
PART = 10  # gradient norms are of the first and of the last tenth of the steps logged


def the_design(evidence: Evidence) -> Section | None:
    """None where no study has variants."""
    study = evidence.study
    if study is None or not study.variants:
        return None
    why = evidence.ways_to(STUDY)
    main = _main(study)
    blocks: list[Block] = [Answers(rows=list(_answers(study, main)))]
    blocks += _main_figure(main)
    families = list(_families(evidence, study))
    apart = [
        name
        for name, changed in study.variants.items()
        if any(key.startswith("corpus.") for key in changed)
    ]
    blocks += _curves(families, apart)
    blocks += _tasks(study)
    blocks += [_table(study, why)]
    return Section(key="design", title="What the paper changed", blocks=blocks)


def _main(study: Study) -> list[findings.Effect]:
    for metric in MAIN:
        found = [e for e in study.effects if (e.task, e.metric) == metric]
        if found:
            return found
    return []


def _answers(study: Study, main: list[findings.Effect]) -> Iterator[tuple[str, str]]:
    reference, *others = study.variants
    yield "What is compared?", f"{', '.join(others)}, each against “{reference}”."
    for verdict, question in (("worse", "What does harm?"), ("better", "What helps?")):
        found = sorted(
            (e for e in main if e.verdict == verdict), key=lambda e: -abs(e.difference.value)
        )
        if found:
            said = "; ".join(f"{_name(e)} {in_words(e.difference, e.unit)}" for e in found)
            yield question, f"Held-out loss: {said}."
    if undecided := [_name(e) for e in main if not e.verdict]:
        yield "What is not decided?", f"{', '.join(undecided)}: the intervals hold zero."
    if study.not_compared:
        yield "What cannot be compared?", f"{'; '.join(study.not_compared)}."


def in_short(study: Study) -> str:
    """What the study found of its variants, in a sentence; empty if it has none."""
    main = _main(study)
    number = {v: sum(e.verdict == v for e in main) for v in ("worse", "better", "")}
    return (
        f"held-out loss rises with {number['worse']} of {len(main)} changes, falls with "
        f"{number['better']}, undecided {number['']}"
        if main
        else ""
    )


def _name(effect: findings.Effect) -> str:
    settings = ", ".join(f"{value}" for value in effect.settings.values())
    return f"{effect.variant} ({settings})" if settings else effect.variant


def _main_figure(main: list[findings.Effect]) -> list[Figure]:
    if not main:
        return []
    first = main[0]
    ordered = sorted(main, key=lambda effect: -effect.difference.value)
    effects = [_effect(one, _name(one), one.unit) for one in ordered]
    return [
        ranked(
            "design-effects",
            effects,
            f"What each change does to held-out bits per byte against “{first.reference}”, paired "
            "by seed, with 95 % intervals; short strokes are single seeds. Right of the dashed "
            "line is worse, left is better; grey intervals hold zero.",
            "; ".join(f"{effect.label} {effect.text}" for effect in effects),
            units=("held-out bits per byte, change less reference", "bits"),
            ticks=lambda value: f"{value:+.3g}".replace("-", "−"),
        )
    ]


def _effect(one: findings.Effect, label: str, unit: Unit) -> Effect:
    series = {"better": 0, "worse": 1, "": None}[one.verdict]
    found = one.difference
    text = amount(found.value, unit, is_difference=True)
    return Effect(label, found.value, found.low, found.high, text, series, one.by_seed)


def _tasks(study: Study) -> list[Figure]:
    """Effects on tasks scored in shares, where they decide."""
    found = [e for e in study.effects if e.unit == "share" and e.verdict]
    if not found:
        return []
    order = {name: place for place, name in enumerate(study.variants)}
    found.sort(key=lambda e: (order[e.variant], e.task))
    effects = [
        _effect(one, f"{_name(one)}: {task_name(one.task)}", "share") for one in found[:TASKS_DRAWN]
    ]
    asked = sum(e.unit == "share" for e in study.effects)
    more = f" Drawn: {len(effects)}; the table has all." * (len(found) > len(effects))
    return [
        ranked(
            "design-tasks",
            effects,
            f"Tasks: the {len(found)} of {asked} effects on scores whose 95 % interval leaves out "
            f"zero, in percentage points. One in twenty would by luck alone.{more}",
            "; ".join(f"{effect.label} {effect.text}" for effect in effects),
            units=("percentage points, change less reference", "points"),
            ticks=lambda value: f"{100 * value:+g}".replace("-", "−"),
        )
    ]


def _families(evidence: Evidence, study: Study) -> Iterator[Family]:
    """The runs of each variant at the other settings that come first, and what they logged."""
    steps = {training.name: training.steps for training in evidence.trainings}
    settings = study.runs[0].settings if study.runs else {}
    for variant in study.variants:
        found = [
            steps[run.name]
            for run in study.runs
            if run.variant == variant and run.name in steps and run.settings == settings
        ]
        if found:
            yield Family(
                variant,
                [_curve(one) for one in found],
                [norms for one in found if (norms := _norms(one, first=True))],
                [norms for one in found if (norms := _norms(one, first=False))],
            )


def _curve(steps: list[Step]) -> Curve:
    return [
        (step.step, step.held_out_bits_per_byte)
        for step in steps
        if step.held_out_bits_per_byte is not None
    ]


def _norms(steps: list[Step], *, first: bool) -> list[float] | None:
    """Mean norms by block, over the first or the last steps that have them."""
    logged = [step.gradient_norms for step in steps if step.gradient_norms]
    number = -(-len(logged) // PART)
    part = logged[:number] if first else logged[-number:]
    return [sum(column) / len(column) for column in zip(*part, strict=True)] if part else None


def _curves(families: Sequence[Family], apart: Sequence[str]) -> Iterator[Figure]:
    """`apart` are variants of another corpus, and so of other held-out text."""
    if len(families) < 2:
        return
    first, reference = families[0], families[0].name
    own = "".join(f" {name} is measured on held-out text of its own." for name in apart)
    if first in (drawn := [family for family in families if all(family.losses)]):
        yield loss_gaps(
            drawn,
            f"Held-out loss while training, less that of “{reference}” (grey) at the same step: "
            "strong lines are means, thin ones single seeds. Above zero is worse. The first fifth "
            f"of the steps is left out.{own}",
            "; ".join(
                f"{family.name} ends at {mean_curve(family.losses)[-1][1]:.3f}" for family in drawn
            ),
            "bits per byte, less the reference’s",
        )
    if first in (drawn := [family for family in families if family.late]):
        yield gradients_by_depth(
            drawn,
            f"Norm of each block’s gradient beside that of “{reference}” (grey), means over seeds: "
            "dotted in the first tenth of the steps, whole in the last. Flat lines say that all "
            "depths learn alike.",
            "; ".join(
                f"{family.name}, last tenth: first block {family.late[0][0]:.3g}, last block "
                f"{family.late[0][-1]:.3g}"
                for family in drawn
            ),
        )


def _table(study: Study, why: list[Way]) -> Table:
    return Table(
        key="design-effects",
        caption="Every effect",
        columns=[
            Column("variant", "group"),
            Column("task", "name"),
            Column("metric"),
            Column("reference", "number"),
            Column("variant’s", "number"),
            Column("difference", "number"),
            Column("seeds", "number"),
            Column("interval over"),
            Column("verdict"),
        ],
        rows=[
            [
                Cell(_name(e)),
                Cell(task_name(e.task), e.task),
                Cell(metric_name(e.metric)),
                Cell(amount(e.reference_value, e.unit), e.reference_value),
                Cell(amount(e.variant_value, e.unit), e.variant_value),
                estimate_cell(e.difference, e.unit),
                Cell(str(len(e.seeds)), len(e.seeds)),
                Cell(e.varied),
                Cell(e.verdict) if e.verdict else
                NOTHING if e.higher_is_better is None else Cell("undecided", is_muted=True),
            ]
            for e in study.effects
        ],
        why=why,
        note="Variant less reference with its 95 % interval, paired by seed; shares in percentage "
        "points, perplexities by their logarithm, in nats. "
        + " ".join(
            f"{name}: {', '.join(f'{key} = {value}' for key, value in changed.items())}."
            for name, changed in study.variants.items()
            if changed
        ),
        is_folded=True,
    )  # fmt: skip
