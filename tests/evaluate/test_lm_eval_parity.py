"""The same items, model and protocol through lm-evaluation-harness: the same log-probabilities.

What it runs are its own task files and its own command, on local data. Where its protocol is
another than ours, OURS and CHANGED say so. `make parity` runs it.

Of a model that never finds the word it would not be known whether greedy answers agree. So that no
weights are needed, a small one first learns the words that end these passages by heart, not all of
them; WELLREAD_TRAINED_MODEL names another, as `wellread export` writes it.
"""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from wellread.evaluate.config import EvaluateConfig
from wellread.evaluate.language_model import TorchModel
from wellread.evaluate.language_modelling import Text, score_texts
from wellread.evaluate.last_word import Passage, read_lambada
from wellread.evaluate.metrics import Outcome
from wellread.evaluate.plan import prepare
from wellread.evaluate.task import Chosen, Setup, choose
from wellread.evaluate.winograd import Schema, read_winograd, score_schemas
from wellread.model.gpt2 import GPT2
from wellread.model.load import load_model, load_tokenizer, save_model
from wellread.model.sizes import Architecture
from wellread.tokenizer.tokenizer import Tokenizer

LAMBADA_ITEMS, WIKITEXT_ARTICLES, SCHEMAS = 600, 8, 273
TRAINED_ACCURACY = 0.02
# float32 on both sides, in batches of other sizes: absolute up to a log-probability of one nat,
# relative beyond, since a sum over a thousand tokens carries the error of each.
CLOSE = 1e-4
EPOCHS = 17  # after twelve it knows none of the endings, after forty all
OURS = {
    "lambada": "lambada|target=word|filter=none",
    # Windows of one context each that share a token, the first after <|endoftext|>.
    "wikitext": "wikitext2|text=tokenised|detokenizer=off|stride=context|prefix=eot",
}
CHANGED = {
    "lambada": ("lambada/lambada_openai.yaml", {}),
    # Their rules to undo the tokenisation cannot be inverted, so `wikitext2` does not have them.
    "wikitext": ("wikitext/wikitext.yaml", {"doc_to_target": "{{page}}"}),
    "wikitext_by_their_rules": ("wikitext/wikitext.yaml", {}),
    # Their continuation begins with a space already; the delimiter would put a second before it.
    "wsc273": ("wsc273/default.yaml", {"target_delimiter": ""}),
}

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.skipif("WELLREAD_PARITY" not in os.environ, reason="minutes: make parity runs it"),
]


class Theirs(NamedTuple):
    """A request of lm-evaluation-harness, and its answer."""

    context: str
    continuation: str
    log_prob: float
    is_greedy: bool | None  # rolling log-likelihoods have none


@pytest.fixture(scope="module")
def model(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    named = os.environ.get("WELLREAD_TRAINED_MODEL")
    if named:
        return Path(named)
    passages = read_lambada(real_data / "benchmarks/lambada/lambada_test.jsonl")[:LAMBADA_ITEMS]
    folder = tmp_path_factory.mktemp("model")
    learn_endings(passages, folder)
    return folder


def learn_endings(passages: Sequence[Passage], folder: Path) -> None:
    """A model that has seen what ends each passage, so often that it knows many of them."""
    tokenizer = Tokenizer.train([p.prompt + p.target for p in passages], vocab_size=1500)
    shape = Architecture(layers=1, width=256, heads=4, context=1024, vocab_size=1500)
    network = GPT2(shape).initialise(0)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    pairs = [(tokenizer.encode(p.prompt), tokenizer.encode(p.target)) for p in passages]
    pairs.sort(key=lambda pair: sum(map(len, pair)))
    batches = [pairs[start : start + 25] for start in range(0, len(pairs), 25)]
    source = np.random.default_rng(0)
    for _ in range(EPOCHS):
        for number in source.permutation(len(batches)):
            rows = [
                torch.from_numpy(np.concatenate(pair).astype(np.int64)) for pair in batches[number]
            ]
            ids_BT = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
            wanted_BT = torch.full_like(ids_BT, -100)
            for row, (ids, (_, target)) in enumerate(zip(rows, batches[number], strict=True)):
                wanted_BT[row, len(ids) - len(target) : len(ids)] = ids[-len(target) :]
            logits_BTV = network(ids_BT[:, :-1])
            loss = F.cross_entropy(logits_BTV.flatten(0, 1), wanted_BT[:, 1:].flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    save_model(network, folder, end_of_text=tokenizer.end_of_text)
    tokenizer.save(folder)


@pytest.fixture(scope="module")
def setup(model: Path) -> Setup:
    tokenizer = load_tokenizer(model)
    lm = TorchModel(load_model(model, device="cpu"), tokenizer.end_of_text)
    return Setup(lm, tokenizer, {}, seed=0)


@pytest.fixture(scope="module")
def schemas(real_data: Path) -> list[Schema]:
    return read_winograd(real_data / "benchmarks/winograd/WSCollection.xml")[:SCHEMAS]


def ours(name: str, real_data: Path, setup: Setup, limit: int) -> list[Outcome]:
    config = EvaluateConfig(tasks=[OURS[name]], data=real_data / "benchmarks", limit=limit)
    chosen, examples, *_ = prepare(config).prepared[0]
    outcomes: list[Outcome] = chosen.task.score(setup._replace(settings=chosen.settings), examples)
    return outcomes


def articles(real_data: Path) -> list[Text]:
    config = EvaluateConfig(
        tasks=[OURS["wikitext"]], data=real_data / "benchmarks", limit=WIKITEXT_ARTICLES
    )
    return list(prepare(config).prepared[0].examples)


def as_winograd_wsc(schema: Schema) -> dict[str, Any]:
    """A record of the data set that wsc273 reads, made from the same XML.

    There, every part is joined by a space, so that 18 schemas end in " .": joined as people write,
    as ours are, all can be compared.
    """
    glue = "" if schema.after.startswith(".") else " "
    start = f"{schema.before} " if schema.before else ""
    return {
        "text": f"{start}{schema.pronoun}{glue}{schema.after}",
        "pronoun": schema.pronoun,
        "pronoun_loc": len(start),
        "options": schema.answers,
        "label": schema.right,
    }


def write_tasks(folder: Path, files: dict[str, Path]) -> None:
    """Its own task files, with the data of `files`."""
    spec = importlib.util.find_spec("lm_eval")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    theirs = Path(spec.submodule_search_locations[0]) / "tasks"
    for name, (path, changes) in CHANGED.items():
        task = {
            "include": str(theirs / path),
            "task": f"local_{name}",
            "dataset_path": "json",
            "dataset_name": None,
            "dataset_kwargs": {"data_files": {"test": str(files[name])}},
            "training_split": None,
            "validation_split": None,
            **changes,
        }
        (folder / f"local_{name}.yaml").write_text(json.dumps(task))  # JSON is YAML, too


def write_lines(path: Path, records: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


@pytest.fixture(scope="module")
def theirs(
    model: Path, real_data: Path, schemas: list[Schema], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[list[Theirs]]]:
    """Task -> items -> requests, as its command with `--log_samples` gives them."""
    folder = tmp_path_factory.mktemp("lm_eval")
    pages = write_lines(folder / "pages.jsonl", [{"page": a.text} for a in articles(real_data)])
    wsc273 = write_lines(folder / "wsc273.jsonl", [as_winograd_wsc(schema) for schema in schemas])
    lambada = real_data / "benchmarks/lambada/lambada_test.jsonl"
    write_tasks(
        folder,
        {
            "lambada": lambada,
            "wikitext": pages,
            "wikitext_by_their_rules": pages,
            "wsc273": wsc273,
        },
    )
    command = [
        sys.executable, "-m", "lm_eval", "run", "--model", "hf",
        "--model_args", f"pretrained={model},dtype=float32", "--device", "cpu",
        "--batch_size", "8", "--limit", str(LAMBADA_ITEMS), "--include_path", str(folder),
        "--tasks", ",".join(f"local_{name}" for name in CHANGED),
        "--log_samples", "--output_path", str(folder / "out"),
    ]  # fmt: skip
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(folder / "cache")}
    done = subprocess.run(
        command, env={**os.environ, **offline}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return {name: list(read_samples(folder / "out", name)) for name in CHANGED}


def read_samples(out: Path, name: str) -> Iterator[list[Theirs]]:
    [path] = out.glob(f"*/samples_local_{name}_[0-9]*.jsonl")  # the rest is the time
    samples = [json.loads(line) for line in path.read_text().splitlines()]
    for sample in sorted(samples, key=lambda sample: sample["doc_id"]):
        arguments = sample["arguments"].values()
        yield [
            found(list(given.values()), answers[0])
            for given, answers in zip(arguments, sample["resps"], strict=True)
        ]


def found(given: list[str], answer: Any) -> Theirs:
    """Numbers are logged as text; a rolling log-likelihood has no context."""
    if isinstance(answer, str):
        return Theirs("", given[0], float(answer), None)
    return Theirs(given[0], given[1], float(answer[0]), answer[1] == "True")


def close(log_prob: float | None) -> Any:
    return pytest.approx(log_prob, rel=CLOSE, abs=CLOSE)


def test_lambada_word_by_word(
    theirs: dict[str, list[list[Theirs]]], real_data: Path, setup: Setup
) -> None:
    outcomes = ours("lambada", real_data, setup, LAMBADA_ITEMS)
    assert len(outcomes) == len(theirs["lambada"]) == LAMBADA_ITEMS
    for outcome, (answer,) in zip(outcomes, theirs["lambada"], strict=True):
        assert (outcome.item.prompt, outcome.item.target) == answer[:2]
        assert answer.log_prob == close(outcome.item.log_prob), outcome.item.item
        assert answer.is_greedy == (outcome.item.value == 1.0), outcome.item.item
    accuracy = sum(answer.is_greedy is True for (answer,) in theirs["lambada"]) / LAMBADA_ITEMS
    assert accuracy > TRAINED_ACCURACY, "not a trained model: greedy answers were not compared"


def test_wikitext_article_by_article(
    theirs: dict[str, list[list[Theirs]]], real_data: Path, setup: Setup
) -> None:
    outcomes = ours("wikitext", real_data, setup, WIKITEXT_ARTICLES)
    assert len(outcomes) == len(theirs["wikitext"]) == WIKITEXT_ARTICLES
    for outcome, (answer,) in zip(outcomes, theirs["wikitext"], strict=True):
        assert answer.continuation == outcome.item.text
        assert answer.log_prob == close(outcome.item.log_prob), outcome.item.item


def test_wikitext_as_they_join_it(
    theirs: dict[str, list[list[Theirs]]], real_data: Path, setup: Setup
) -> None:
    answers = [answer for (answer,) in theirs["wikitext_by_their_rules"]]
    texts = [Text(item="", text=answer.continuation) for answer in answers]
    chosen: Chosen = choose(OURS["wikitext"])
    scorings = score_texts(setup._replace(settings=chosen.settings), texts)
    assert [text.text for text in texts] != [article.text for article in articles(real_data)]
    for answer, scoring in zip(answers, scorings, strict=True):
        assert answer.log_prob == close(scoring.log_prob)


def test_winograd_schemas_answer_by_answer(
    theirs: dict[str, list[list[Theirs]]], schemas: list[Schema], setup: Setup
) -> None:
    setup = setup._replace(settings={"scoring": "partial", "answers": "harness"})
    turned = [msgspec.structs.replace(schema, right=1 - schema.right) for schema in schemas]
    right, wrong = score_schemas(setup, schemas), score_schemas(setup, turned)
    assert len(right) == len(theirs["wsc273"]) == SCHEMAS
    for schema, *both, answers in zip(schemas, right, wrong, theirs["wsc273"], strict=True):
        is_right = answers[schema.right].log_prob > answers[1 - schema.right].log_prob
        assert both[0].item.value == float(is_right), schema.item
        for number, outcome in zip((schema.right, 1 - schema.right), both, strict=True):
            assert (outcome.item.prompt, outcome.item.target) == answers[number][:2]
            assert answers[number].log_prob == close(outcome.item.log_prob), schema.item
