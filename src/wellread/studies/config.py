"""The recipe's section `[study]`: which runs there are, and how they are compared."""

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from wellread.base.config import Config
from wellread.formats.studies import SIZE

SEED = "train.seed"


class StudyConfig(Config, frozen=True):
    """Runs are variants x values of `vary` x seeds."""

    # setting -> its values: model.size=4x128,6x256
    vary: dict[str, list[Any]] = msgspec.field(default_factory=dict)
    # NAME -> {setting = value}, one change at a time; the first one is what others are compared to.
    variants: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    # varied setting -> value -> {setting = value} that go with it: a learning rate for each size.
    beside: dict[str, dict[str, dict[str, Any]]] = msgspec.field(default_factory=dict)
    seeds: tuple[int, ...] | None = None  # of the training; none: that of [train]
    predict: tuple[str, ...] = ()  # sizes that are trained after their scores were predicted
    seed: int = 0  # of bootstraps

    def __post_init__(self) -> None:
        for problem in _problems(self):
            raise ValueError(problem)


class Member(NamedTuple):
    """A run of a study."""

    variant: str | None
    varied: dict[str, Any]  # of `vary`: setting -> this run's value
    seed: int | None
    changes: dict[str, Any]  # of its variant, and beside its values
    is_predicted: bool

    @property
    def name(self) -> str:
        """Of its directory."""
        return _name([self.variant, *self.varied.values(), self.seed])

    @property
    def settings(self) -> dict[str, Any]:
        """All that the study sets, as `section.key`."""
        seeded = {} if self.seed is None else {SEED: self.seed}
        return {**self.changes, **self.varied, **seeded}


def members(config: StudyConfig) -> list[Member]:
    """Every run of the study, those to be predicted last.

    >>> study = StudyConfig(vary={"model.size": ["1x64", "2x64"]}, seeds=[0, 1], predict=["4x64"])
    >>> [run.name for run in members(study)]
    ['1x64-0', '1x64-1', '2x64-0', '2x64-1', '4x64-0', '4x64-1']
    """
    grids = [config.vary] + [config.vary | {SIZE: list(config.predict)}] * bool(config.predict)
    return [
        Member(
            variant=variant,
            varied=dict(zip(grid, values, strict=True)),
            seed=seed,
            changes=_changes(config, variant, dict(zip(grid, values, strict=True))),
            is_predicted=grid is not config.vary,
        )
        for grid in grids
        for variant in config.variants or (None,)
        for values in itertools.product(*grid.values())
        for seed in config.seeds or (None,)
    ]


def _changes(config: StudyConfig, variant: str | None, varied: dict[str, Any]) -> dict[str, Any]:
    changes = {} if variant is None else dict(config.variants[variant])
    for key, value in varied.items():
        changes |= config.beside.get(key, {}).get(str(value), {})
    return changes


def set_beside(config: StudyConfig, key: str) -> set[str]:
    """The settings that go with values of a varied one."""
    return {name for settings in config.beside.get(key, {}).values() for name in settings}


def name_within(config: StudyConfig, run: Member, reaches: Callable[[str], bool]) -> str:
    """The part of a run's name that says what it has of the settings that `reaches` is true of.

    >>> study = StudyConfig(vary={"plant.demonstrations": [0, 10]}, seeds=[7])
    >>> name_within(study, members(study)[1], lambda key: key.startswith("plant."))
    '10'
    """
    is_of_variants = any(reaches(key) for changes in config.variants.values() for key in changes)
    values = [
        value
        for key, value in run.varied.items()
        if any(map(reaches, {key, *set_beside(config, key)}))
    ]
    return _name([run.variant if is_of_variants else None, *values])


def _name(parts: Sequence[Any]) -> str:
    """What is there of the parts, as a directory may be called.

    >>> _name(["no residual/scaling", "2x64", 0]), _name([None, ".."])
    ('no-residual-scaling-2x64-0', '_')
    """
    named = (re.sub(r"[^\w.,+=-]+", "-", str(part)) for part in parts if part is not None)
    return "-".join(part.strip(".") or "_" for part in named)


def _problems(config: StudyConfig) -> Iterator[str]:
    """Sentences on what cannot be."""
    if not config.vary and not config.variants and config.seeds is None:
        yield "its runs would not differ; give vary, variants or seeds"
    yield from _of_lists(config)
    yield from _of_variants(config)
    yield from _of_values(config)
    if config.predict and SIZE not in config.vary:
        yield f"predict: names sizes that others foretell, so vary {SIZE}"
    if known := [size for size in config.predict if size in config.vary[SIZE]]:
        yield f"predict: {known[0]} is varied, so its scores are known; leave one out"
    if twice := _repeated([run.name for run in members(config)]):
        yield f"two runs would be called {twice[0]!r}; name the variants otherwise"


def _of_lists(config: StudyConfig) -> Iterator[str]:
    lists: dict[str, Sequence[Any]] = {f"vary {key!r}": v for key, v in config.vary.items()}
    if config.seeds is not None:
        lists["seeds"] = config.seeds
    for where, values in lists.items():
        if not values:
            yield f"{where}: expected one value, or more"
    for where, values in (lists | {"predict": config.predict}).items():
        if twice := _repeated(values):
            yield f"{where}: {twice[0]!r} is there twice"


def _of_variants(config: StudyConfig) -> Iterator[str]:
    names = list(config.variants)
    for number, (name, changes) in enumerate(config.variants.items()):
        if same := [other for other in names[:number] if config.variants[other] == changes]:
            yield f"variants: {name!r} does not differ from {same[0]!r}"
        if twice := sorted(changes.keys() & config.vary.keys()):
            yield f"{twice[0]} is varied, and set by the variant {name!r} too; leave one out"
    if config.seeds is not None:
        for where in ("vary", *names):
            if SEED in (config.vary if where == "vary" else config.variants[where]):
                yield f"{SEED} is set by {where!r}, and by seeds too; leave one out"


def _of_values(config: StudyConfig) -> Iterator[str]:
    set_elsewhere = config.vary.keys() | {k for one in config.variants.values() for k in one}
    for key, by_value in config.beside.items():
        values = [*config.vary.get(key, ()), *(config.predict if key == SIZE else ())]
        for value in by_value.keys() - {str(one) for one in values}:
            yield f"beside: {value!r} is none of the values that {key} is varied over"
        for name in sorted(set_beside(config, key) & set_elsewhere):
            yield f"beside: {name} is varied, or set by a variant, too; leave one out"


def _repeated(values: Sequence[Any]) -> list[Any]:
    return [value for number, value in enumerate(values) if value in values[:number]]
