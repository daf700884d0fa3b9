"""Scores of a model in memory: what a notebook calls, and nothing is written."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from wellread.base.errors import InputError
from wellread.base.progress import Progress, silent
from wellread.evaluate.budget import Prepared
from wellread.evaluate.config import EvaluateConfig
from wellread.evaluate.language_model import LanguageModel, TorchModel
from wellread.evaluate.plan import prepare
from wellread.evaluate.run import Evaluated, evaluate_task
from wellread.evaluate.task import Chosen, Sources, Task
from wellread.model.gpt2 import GPT2
from wellread.model.load import check_vocabulary, refuse_path
from wellread.tokenizer.tokenizer import Tokenizer


def evaluate(  # noqa: PLR0913 - who is asked what
    model: GPT2 | LanguageModel,
    tokenizer: Tokenizer,
    tasks: Sequence[str] | Mapping[str, Task],
    *,
    data: str | Path | None = None,
    corpus: str | Path | None = None,
    limit: int | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> list[Evaluated]:
    """Each task's `result`, with its scores and their 95 % intervals, and its scored `items`.

    `tasks` are names as `wellread evaluate --list` has them, `NAME|AXIS=VALUE` for another
    protocol, or tasks of one's own by name (CONTRIBUTING.md says what a `Task` is). `data` is the
    folder of benchmark files; tasks of held-out text take it from `corpus`. `limit` items of each
    are scored, which the result says. `seed` is that of samples and intervals. What is unknown or
    absent is an InputError before any work.

    >>> from wellread.model.sizes import Architecture
    >>> tokenizer = Tokenizer.train([], vocab_size=257)
    >>> shape = Architecture(layers=1, width=64, heads=1, context=256, vocab_size=257)
    >>> [(result, items)] = evaluate(GPT2(shape), tokenizer, ["demo-winograd"], limit=10)
    >>> result.scores[0].metric, result.scores[0].num_items, len(items)
    ('accuracy', 10, 10)
    """
    if isinstance(tasks, str):
        raise InputError(f"one task, {tasks!r}, where several are expected: give a list")
    refuse_path(model)
    if isinstance(model, GPT2):
        check_vocabulary(tokenizer, model.config, "the model")
    lm = TorchModel(model, tokenizer.end_of_text) if isinstance(model, GPT2) else model
    sources = Sources(Path(data) if data else None, Path(corpus) if corpus else None, {})
    if isinstance(tasks, Mapping):
        prepared = [_own(name, task, sources, limit) for name, task in tasks.items()]
    else:
        config = EvaluateConfig(tasks=list(tasks), data=sources.data, limit=limit, seed=seed)
        prepared = prepare(config, sources.corpus).prepared
    return [evaluate_task(lm, tokenizer, one, seed=seed, progress=progress) for one in prepared]


def _own(name: str, task: Task, sources: Sources, limit: int | None) -> Prepared:
    settings = {axis: setting.default for axis, setting in task.axes.items()}
    loaded = task.load(sources._replace(settings=settings))
    chosen = Chosen(name, task, settings)
    return Prepared(chosen, loaded.examples[:limit], loaded.num_available, name)
