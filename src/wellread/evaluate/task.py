"""What a task is, how its setting is named, and where its data comes from."""

from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from wellread.base import plugins
from wellread.base.errors import InputError
from wellread.base.files import sha256_of
from wellread.base.suggest import did_you_mean, suggestion
from wellread.evaluate import tasks
from wellread.evaluate.downloads import download
from wellread.evaluate.language_model import LanguageModel
from wellread.evaluate.metrics import Metric, Outcome
from wellread.formats.published import paper
from wellread.tokenizer.tokenizer import Tokenizer

Settings = Mapping[str, str]  # axis -> value


class Axis(msgspec.Struct, frozen=True, kw_only=True):
    """A choice that the paper leaves open, or on which replications differ."""

    default: str
    others: tuple[str, ...] = ()
    takes_number: bool = False  # any positive whole number, too
    reason: str


class Sources(NamedTuple):
    """Where a task finds its data, and its settings, which may choose among them."""

    data: Path | None  # a folder of benchmark files
    corpus: Path | None  # for tasks made from held-out documents
    settings: Settings
    is_fetching: bool = False  # what is absent and may be fetched


class BenchmarkFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a released benchmark: another text under its name is refused."""

    path: str  # under the folder of benchmark files
    sha256: str | None  # None: not known here, so only layout and number of items are checked
    obtain: str  # how anyone gets it
    url: str | None = None  # of the file itself, if it may be fetched from there
    # Settings under which alone the task reads it: axis -> the values.
    when: dict[str, tuple[str, ...]] = {}


class MissingData(InputError):
    """A benchmark's file is not at hand; the sentence says how to get it."""


class Loaded(NamedTuple):
    """A task's examples, and how many there are in all: more if the task takes only some."""

    examples: Sequence[Any]
    num_available: int


class Setup(NamedTuple):
    """Who is asked, and how."""

    lm: LanguageModel
    tokenizer: Tokenizer
    settings: Settings
    seed: int

    def encode(self, prompt: str) -> npt.NDArray[Any]:
        """The prompt's ids; an empty prompt is the beginning of a document."""
        return self.tokenizer.encode(prompt) if prompt else np.array([self.lm.end_of_text])


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One task: its data, how a model is asked, and what is made of the answers."""

    version: int = 1  # raised when a change alters scores
    source: str
    licence: str
    load: Callable[[Sources], Loaded]
    score: Callable[[Setup, Sequence[Any]], list[Outcome]]
    metrics: dict[str, Metric]
    axes: dict[str, Axis] = {}
    files: tuple[BenchmarkFile, ...] = ()
    uses_corpus: bool = False
    published: str | None = None  # key of the paper's values; None: not comparable
    is_layout_tested: bool = False  # on a few records: the full data was not at hand

    def __post_init__(self) -> None:
        known = {row.task for row in paper().scores}
        if self.published is not None and self.published not in known:
            raise InputError(
                f"the paper has no scores of {self.published!r}"
                f"{suggestion(self.published, sorted(known))}"
            )


class Chosen(NamedTuple):
    """A task with a value for each of its axes."""

    name: str
    task: Task
    settings: Settings

    @property
    def changed(self) -> dict[str, str]:
        """The axes that are not at their defaults."""
        return {
            axis: value
            for axis, value in self.settings.items()
            if value != self.task.axes[axis].default
        }

    @property
    def files(self) -> list[BenchmarkFile]:
        """Those of the task's files that these settings read."""
        return files_read(self.task.files, self.settings)

    @property
    def protocol(self) -> str:
        """Names all that the scores depend on besides the model."""
        axes = [f"{axis}={value}" for axis, value in self.settings.items()]
        return "|".join([f"{self.name}:{self.task.version}", *axes])


def choose(wanted: str) -> Chosen:
    """The task that `NAME` or `NAME|AXIS=VALUE|...` means; the other axes at their defaults.

    A protocol, which begins with `NAME:VERSION`, is understood too.
    """
    named, *given = wanted.split("|")
    name, _, version = named.partition(":")
    task: Task = plugins.load(tasks, name, "TASK")
    if version and version != str(task.version):
        raise InputError(f"task {name!r} is of version {task.version} here, not {version}")
    settings = {axis: setting.default for axis, setting in task.axes.items()}
    for part in given:
        axis, _, value = part.partition("=")
        if axis not in task.axes:
            raise InputError(f"task {name!r} has no axis {axis!r}{suggestion(axis, task.axes)}")
        known = task.axes[axis]
        is_number = known.takes_number and value.isascii() and value.isdigit() and int(value) > 0
        if not is_number and value not in (known.default, *known.others):
            options = [known.default, *known.others, *["a whole number"] * known.takes_number]
            expected = f"{' or '.join(options)}{did_you_mean(value, options)}"
            raise InputError(f"task {name!r}: {axis}={value}; expected {expected}")
        settings[axis] = value
    return Chosen(name, task, settings)


def files_read(files: Sequence[BenchmarkFile], settings: Settings) -> list[BenchmarkFile]:
    return [
        file
        for file in files
        if all(settings[axis] in values for axis, values in file.when.items())
    ]


def benchmark_path(file: BenchmarkFile, sources: Sources) -> Path:
    """Where `file` lies, its digest checked; absent or different it is an InputError."""
    if sources.data is None:
        raise MissingData(f"{file.path} is needed: name its folder with --data. {file.obtain}")
    path = sources.data / file.path
    if sources.is_fetching and file.url and file.sha256 and not path.is_file():
        download(file.url, file.sha256, path)
    if not path.is_file():
        raise MissingData(f"{path}: there is no such file. {file.obtain}")
    if file.sha256 is None:
        return path
    found = sha256_of(path)
    if found != file.sha256:
        raise InputError(
            f"{path}: another text than the benchmark's (SHA-256 {found}, expected "
            f"{file.sha256}). {file.obtain}"
        )
    return path


def counted(
    examples: Sequence[Any], expected: int, path: Path, what: str = "items"
) -> Sequence[Any]:
    """`examples`, which the benchmark has `expected` of; another number is an InputError."""
    if len(examples) != expected:
        raise InputError(
            f"{path}: {len(examples):,} {what} where the benchmark has {expected:,}; another text "
            "than the benchmark's"
        )
    return examples


def own_data(name: str) -> Path:
    """A file or folder of the small tasks that come with this package."""
    return Path(str(resources.files("wellread.evaluate") / "tasks_data" / name))


def as_loaded(examples: Sequence[Any]) -> Loaded:
    """All that there is."""
    return Loaded(examples, len(examples))
