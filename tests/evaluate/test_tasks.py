"""What holds for every task there is, whoever adds one."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from wellread.base import plugins
from wellread.base.errors import InputError
from wellread.evaluate import tasks
from wellread.evaluate.budget import Prepared
from wellread.evaluate.config import EvaluateConfig
from wellread.evaluate.language_model import LanguageModel
from wellread.evaluate.plan import list_tasks, prepare
from wellread.evaluate.run import Evaluated, evaluate_task
from wellread.evaluate.task import choose
from wellread.formats.results import Item
from wellread.tokenizer.tokenizer import Tokenizer

NAMES = plugins.names(tasks)
WRITTEN = {"coqa", "cnn-dm"}  # tests/evaluate/test_written.py has them
MADE = [name for name in NAMES if choose(name).task.is_layout_tested and name not in WRITTEN]
OWN = [name for name in NAMES if not choose(name).task.files] + MADE
BENCHMARKS = [
    pytest.param(name, marks=pytest.mark.real)
    for name in NAMES
    if choose(name).task.files and not choose(name).task.is_layout_tested
]
# Settings that ask the model in another way.
VARIANTS = ["demo-lambada|filter=stop-words", "demo-lambada|target=token|filter=stop-words"]
DEMO = [name for name in NAMES if name.startswith("demo-")]
Load = Callable[..., Prepared]
Ask = Callable[..., Evaluated]


@pytest.fixture
def load(corpus: Path, request: pytest.FixtureRequest) -> Load:
    def loading(name: str, limit: int = 40) -> Prepared:
        data = None
        if choose(name).task.is_layout_tested:
            made = request.getfixturevalue("made_benchmarks")
            is_made = all((made / file.path).exists() for file in choose(name).files)
            data = made if is_made else request.getfixturevalue("layout_data")
        elif choose(name).task.files:
            data = request.getfixturevalue("real_data") / "benchmarks"
        return prepare(EvaluateConfig(tasks=[name], data=data, limit=limit), corpus).prepared[0]

    return loading


@pytest.fixture
def ask(byte_tokenizer: Tokenizer, load: Load) -> Ask:
    def asking(lm: LanguageModel, name: str, limit: int = 40) -> Evaluated:
        return evaluate_task(lm, byte_tokenizer, load(name, limit))

    return asking


def full_marks(metric: str, value: float) -> bool:
    if metric.startswith(("bits_per", "gain")):
        return value == pytest.approx(0.0)
    if metric.startswith("matching_tokens"):
        return value == pytest.approx(50.0)
    return value == pytest.approx(100.0 if metric.startswith("bleu") else 1.0)


@pytest.mark.parametrize("name", [*OWN, *VARIANTS, *BENCHMARKS])
def test_a_model_that_knows_the_answers_gets_full_marks(
    name: str, ask: Ask, uniform: LanguageModel, oracle: Callable[[Sequence[Item]], LanguageModel]
) -> None:
    # A reference of several sentences is only found whole where its whole line is read.
    asked = f"{name}|stop=line" if name.startswith("wmt14") else name
    if set(choose(name).task.metrics) == {"perplexity"}:  # what undoes the joining is charged
        asked = f"{name}|detokenizer=off"
    items = ask(uniform, asked).items
    scores = ask(oracle(items), asked).result.scores
    metrics = choose(asked).task.metrics
    ours = [score for score in scores if not metrics[score.metric].is_baseline]
    assert all(full_marks(score.metric, score.value) for score in ours), ours


@pytest.mark.parametrize("name", [*OWN, *VARIANTS, *BENCHMARKS])
def test_the_order_of_the_examples_changes_no_item(
    name: str, uniform: LanguageModel, byte_tokenizer: Tokenizer, load: Load
) -> None:
    prepared = load(name)
    turned = prepared._replace(examples=prepared.examples[::-1])
    found = evaluate_task(uniform, byte_tokenizer, prepared).items
    again = evaluate_task(uniform, byte_tokenizer, turned).items
    assert len({item.item for item in found}) == len(found)
    assert again[::-1] == found


REAL_WORDS = [pytest.param(name, marks=pytest.mark.real) for name in ("wikitext2", "ptb")]
PER_WORD = ["1bw", "1bw|scope=all", "wikitext103", *REAL_WORDS]


@pytest.mark.parametrize("name", ["held-out", *PER_WORD])
def test_a_uniform_model_has_one_perplexity_on_any_text(
    name: str, ask: Ask, uniform: LanguageModel
) -> None:
    result, items = ask(uniform, name if name == "held-out" else f"{name}|detokenizer=off")
    num_bytes = sum(len(item.text.encode()) for item in items)
    units = sum(item.num_units or 0 for item in items)
    if name == "held-out":
        assert [round(s.value, 6) for s in result.scores] == [257.0, round(math.log2(257), 6)]
    else:
        assert math.log(result.scores[0].value) == pytest.approx(math.log(257) * num_bytes / units)


@pytest.mark.parametrize("name", PER_WORD)
def test_a_uniform_model_pays_for_joined_text_and_for_what_undoes_it(
    name: str, ask: Ask, uniform: LanguageModel
) -> None:
    off, on = (ask(uniform, f"{name}|detokenizer={how}") for how in ("off", "on"))
    units = sum(item.num_units or 0 for item in off.items)
    assert units == sum(item.num_units or 0 for item in on.items)
    num_bytes = sum(len(item.text.encode()) for item in on.items)
    assert num_bytes < sum(len(item.text.encode()) for item in off.items)
    bits = units * math.log2(on.result.scores[0].value) - num_bytes * math.log2(257)
    assert 0 < bits < 0.02 * units


@pytest.mark.parametrize("name", ["demo-lambada", "cloze-last-word"])
def test_a_uniform_model_pays_for_every_byte_of_a_last_word(
    name: str, ask: Ask, uniform: LanguageModel
) -> None:
    result, items = ask(uniform, name)
    mean_bytes = np.mean([len(item.target.encode()) for item in items])
    values = {score.metric: score.value for score in result.scores}
    assert values["accuracy"] == 0.0
    assert math.log(values["perplexity"]) == pytest.approx(math.log(257) * mean_bytes)


def test_a_uniform_model_guesses_between_two_answers(ask: Ask, uniform: LanguageModel) -> None:
    score = ask(uniform, "demo-winograd").result.scores[0]
    assert (score.value, score.chance) == (0.5, 0.5)


def test_a_uniform_model_takes_the_shortest_of_ten_words(ask: Ask, uniform: LanguageModel) -> None:
    result, items = ask(uniform, "demo-cbt")
    # The candidates of the first story, shortest first: cat, then door and list among others.
    assert (items[0].prediction, items[0].value) == ("cat", 0.0)
    assert result.scores[0].chance == pytest.approx(0.1)


def test_samples_are_three_from_nothing_and_three_from_held_out_beginnings(
    ask: Ask, uniform: LanguageModel
) -> None:
    result, items = ask(uniform, "samples")
    assert [bool(item.prompt) for item in items] == [False] * 3 + [True] * 3
    assert result.scores == []


@pytest.mark.parametrize("name", DEMO)
def test_the_small_tasks_are_never_compared_with_the_published_values(
    name: str, ask: Ask, uniform: LanguageModel
) -> None:
    result = ask(uniform, name).result
    assert result.comparable_to is None
    assert result.num_items == (40 if name == "demo-translation" else 20)


def test_every_task_is_listed_with_its_protocol() -> None:
    protocols = {row.name: row.protocol for row in list_tasks()}
    assert list(protocols) == NAMES
    assert protocols["1bw"].startswith("1bw:1|text=tokenised|")
    assert protocols["1bw"].endswith("|unit=word+eos|scope=sentence")
    assert protocols["enwik8"] == "enwik8:1|stride=half|prefix=eot"
    assert protocols["lambada"] == "lambada:1|text=openai|target=word|filter=none"
    assert (
        protocols["wikitext2"]
        == "wikitext2:2|text=tokenised|detokenizer=on|stride=half|prefix=eot|unit=word+eos"
    )


def test_an_axis_is_set_in_the_tasks_name() -> None:
    chosen = choose("ptb|stride=32|unit=word")
    assert (
        chosen.protocol
        == "ptb:2|text=tokenised|detokenizer=on|stride=32|prefix=eot|unit=word|lines=100"
    )


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("cbt-cn|split=train", "expected valid or test"),
        ("lambda", "did you mean 'lambada'?"),
        ("ptb|strid=32", "did you mean 'stride'?"),
        ("ptb|stride=-1", "expected half or context or a whole number"),
        ("demo-winograd|scoring=best", "expected partial or full"),
    ],
)
def test_an_unknown_task_axis_or_value_is_refused(wanted: str, words: str) -> None:
    with pytest.raises(InputError) as refused:
        choose(wanted)
    assert words in str(refused.value)


def test_a_subset_is_marked(ask: Ask, uniform: LanguageModel) -> None:
    result = ask(uniform, "demo-qa", limit=3).result
    assert (result.num_items, result.num_available) == (3, 20)
    assert "a subset: 3 of 20" in result.note
