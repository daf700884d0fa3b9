"""Models that are read while the page is open already."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from wellread.playground.given import Given
from wellread.tokenizer.tokenizer import Tokenizer

if TYPE_CHECKING:
    from wellread.model.gpt2 import GPT2
    from wellread.playground.asking import Example

READING = "The model is still being read: the answer comes as soon as it is there."


class Loaded(NamedTuple):
    """A model that can write."""

    name: str
    model: "GPT2"
    tokenizer: Tokenizer

    @property
    def facts(self) -> str:
        config = self.model.config
        millions = config.num_parameters / 1e6
        return (
            f"{millions:,.{1 if millions < 10 else 0}f} million parameters, "
            f"a context of {config.context:,} tokens, {self.tokenizer.vocab_size:,} ids, "
            f"on {self.model.wte.weight.device.type}"
        )


class Desk(NamedTuple):
    """What the page works with. Each model and tokenizer is there once it has been read."""

    given: Given
    tokenizer: "Future[Tokenizer] | None"
    models: "Sequence[Future[Loaded]]"  # the one named, then that beside it
    examples: "Future[dict[str, list[Example]]]"  # texts for the tasks, by preset


def laid_out(given: Given, located: Callable[[Path], Path]) -> Desk:
    """Begin to read all that is named, one after the other, in the background."""
    reader = ThreadPoolExecutor(1, thread_name_prefix="reading")  # the page's own thread is free
    if given.model is None:
        alone = reader.submit(Tokenizer.load, given.tokenizer) if given.tokenizer else None
        return Desk(given, alone, (), Future())
    tokenizer = reader.submit(tokenizer_of, given.model, located)
    model = reader.submit(load, given.model, located)
    examples = reader.submit(task_examples)
    others = [reader.submit(load, given.other, located)] if given.other else []
    return Desk(given, tokenizer, [model, *others], examples)


def still_reading(models: "Sequence[Future[Loaded]]") -> str:
    """What to say before an answer that has to wait; "": it need not."""
    return "" if all(model.done() for model in models) else READING


def task_examples() -> "dict[str, list[Example]]":
    from wellread.playground.asking import examples

    return examples()


def tokenizer_of(path: Path, located: Callable[[Path], Path]) -> Tokenizer:
    from wellread.model.load import load_tokenizer  # PyTorch takes seconds: the page is open then

    return load_tokenizer(located(path))


def load(path: Path, located: Callable[[Path], Path]) -> Loaded:
    """The model at `path`, its kernels compiled."""
    from wellread.generation.sample import generate
    from wellread.model.load import check_vocabulary, load_model, load_tokenizer

    place = located(path)
    model, tokenizer = load_model(place), load_tokenizer(place)
    check_vocabulary(tokenizer, model.config, place)
    generate(model, tokenizer, ["a"], max_new_tokens=2)  # the first takes seconds to compile
    return Loaded(path.resolve().name, model, tokenizer)
