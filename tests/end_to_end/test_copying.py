"""A model that has learnt its training text by heart is shown as copying, another is not."""

from pathlib import Path

import msgspec
import pytest

from tests.evaluate.test_copying_tasks import Reciter
from wellread.base.config import Config
from wellread.base.manifest import writing
from wellread.base.seeds import generator
from wellread.evaluate.config import EvaluateConfig
from wellread.evaluate.plan import prepare
from wellread.evaluate.run import evaluate_task
from wellread.formats.copying import Copied, read_copying
from wellread.formats.documents import Document, write_documents
from wellread.formats.results import STAGE as EVALUATE
from wellread.formats.results import write_result
from wellread.overlap.config import OverlapConfig
from wellread.overlap.copied import measure_copying
from wellread.overlap.index import index_corpus
from wellread.pipeline.plan import run_recipe
from wellread.tokenizer.tokenizer import Tokenizer

SYLLABLES = ["ka", "lo", "mi", "re", "su", "ta", "vo", "ne", "di", "pa"]
TASKS = ["copying-samples|tokens=120", "extraction|prompt=60|tokens=60"]


def text_of(number: int, num_words: int = 130) -> str:
    """Words of two syllables, a hundred in all."""
    drawn = generator(number, "text").integers(10, size=(num_words, 2))
    return " ".join(SYLLABLES[first] + SYLLABLES[second] for first, second in drawn)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("copying") / "corpus"
    documents = [
        Document(url=f"http://d/{number}", text=text_of(number), split=split)
        for number, split in enumerate(["train"] * 10 + ["validation"] * 10)
    ]
    with writing(out, stage="corpus", config=Config(), inputs={}) as draft:
        write_documents(draft, documents)
    index_corpus(out, out.parent / "index", OverlapConfig())
    return out


def copied_by(corpus: Path, says: str, knows: range) -> Copied:
    """What is measured of a model that knows some texts, and says something else of others."""
    tokenizer = Tokenizer.train([""], vocab_size=257)
    lm = Reciter(tokenizer, [text_of(number) for number in knows], else_says=says)
    place = corpus.parent / f"knows-{len(knows)}"
    with writing(place, stage=EVALUATE, config=Config(), inputs={"model": [corpus]}) as draft:
        for prepared in prepare(EvaluateConfig(tasks=TASKS), corpus).prepared:
            write_result(draft, *evaluate_task(lm, tokenizer, prepared))
    out = corpus.parent / f"copied-{len(knows)}"
    measure_copying(corpus.parent / "index", [place], out, OverlapConfig())
    (model,) = read_copying(out).models
    return model


def test_who_knows_the_training_text_by_heart_is_shown_as_copying(corpus: Path) -> None:
    model = copied_by(corpus, says=text_of(3), knows=range(10))
    assert model.samples is not None
    assert model.held_out is not None
    assert model.samples.shares == [1.0] * 10
    assert model.held_out.shares == [0.0] * 10
    assert model.samples.longest is not None
    assert model.samples.longest.url == "http://d/3"
    assert [(row.is_held_out, row.documents, row.exact.value) for row in model.extraction] == [
        (False, "1", 1.0),
        (True, "0", 0.0),
    ]


def test_who_says_something_else_is_not(corpus: Path) -> None:
    model = copied_by(corpus, says=text_of(99), knows=range(0))
    assert model.samples is not None
    assert model.samples.shares == [0.0] * 10
    assert [row.exact.value for row in model.extraction] == [0.0, 0.0]


RECIPE = """
[corpus]
sources = ["texts.jsonl"]
filters = []
languages = []
validation_per_mille = 200
near_duplicate_similarity = 1.0
[tokenizer]
vocab_size = 350
[tokens]
[model]
size = "2x128"
context = 128
[train]
batch_sequences = 8
steps = 300
document_starts = true
document_masks = true
peak_learning_rate = 4e-3
final_learning_rate = 1e-4
warmup_steps = 20
weight_decay = 0.0
device = "cpu"
[evaluate]
tasks = ["copying-samples|tokens=40", "extraction|prompt=30|tokens=30", "held-out", \
"held-out|split=train"]
[overlap]
[report]
"""


@pytest.mark.slow
def test_a_model_trained_over_and_over_on_one_text_recites_it(tmp_path: Path) -> None:
    rows = [{"text": text_of(number, 100), "url": f"http://d/{number}"} for number in range(16)]
    (tmp_path / "texts.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, rows)))
    (tmp_path / "recipe.toml").write_text(RECIPE)
    run_recipe(tmp_path / "recipe.toml", tmp_path / "out")
    (model,) = read_copying(tmp_path / "out" / "copying").models
    assert model.epochs is not None
    assert model.epochs > 50
    exact = {row.is_held_out: row.exact.value for row in model.extraction}
    assert exact[False] > 0.8
    assert exact[True] == 0.0
    page = (tmp_path / "out" / "report" / "index.html").read_text()
    assert 'id="table-recited"' in page
