"""The language modelling sets of table 3, and what a longer context is worth."""

import math
import shutil
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wellread.base.errors import InputError
from wellread.evaluate.compression import blocks
from wellread.evaluate.config import EvaluateConfig
from wellread.evaluate.language_model import LanguageModel, Request, Scored
from wellread.evaluate.language_modelling import line_blocks, num_words, score_texts
from wellread.evaluate.plan import inputs_of
from wellread.evaluate.run import Evaluated, evaluate_model
from wellread.evaluate.task import Loaded, Setup, Sources, choose
from wellread.evaluate.wikitext import articles
from wellread.tokenizer.tokenizer import Tokenizer

LN_257 = math.log(257)


def load(wanted: str, data: Path) -> Loaded:
    chosen = choose(wanted)
    return chosen.task.load(Sources(data, None, chosen.settings))


def one_result(
    lm: LanguageModel, tokenizer: Tokenizer, wanted: str, corpus: Path | None = None, **config: Any
) -> Evaluated:
    [found] = evaluate_model(lm, tokenizer, EvaluateConfig(tasks=[wanted], **config), corpus=corpus)
    return found


@pytest.fixture(scope="session")
def wikitext_raw(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Path:
    """A folder with the raw file alone: its lines, and the blank ones of the tokenised file."""
    folder = tmp_path_factory.mktemp("raw")
    benchmarks = real_data / "benchmarks"
    lines = (benchmarks / "wikitext2_raw/wiki.test.raw").read_text(encoding="utf-8").splitlines()
    tokenised = (benchmarks / "wikitext2/test.txt").read_text(encoding="utf-8").splitlines()
    written = iter(lines)
    whole = [next(written) if line.strip() else line for line in tokenised]
    (folder / "wikitext2_raw").mkdir()
    path = folder / "wikitext2_raw/wiki.test.raw"
    path.write_text("".join(f"{line}\n" for line in whole), encoding="utf-8")
    return folder


@pytest.mark.real
def test_wikitext103_is_wikitext2_with_other_words_unknown(real_data: Path, tmp_path: Path) -> None:
    (tmp_path / "wikitext103").mkdir()
    shutil.copy(
        real_data / "benchmarks/wikitext103/derived_wiki.test.tokens",
        tmp_path / "wikitext103/wiki.test.tokens",
    )
    found = load("wikitext103", tmp_path).examples
    other = load("wikitext2", real_data / "benchmarks").examples
    assert [text.item for text in found] == [text.item for text in other]
    assert sum(num_words(text.text, "word+eos") for text in found) == 245_569
    counts = [sum(text.text.count("<unk>") for text in texts) for texts in (other, found)]
    assert counts[0] > 5 * counts[1] > 0


@pytest.mark.real
def test_raw_wikitext_needs_only_the_raw_file(
    wikitext_raw: Path, uniform: LanguageModel, byte_tokenizer: Tokenizer
) -> None:
    wanted = "wikitext2|text=raw|detokenizer=off|unit=harness"
    config = EvaluateConfig(tasks=[wanted], data=wikitext_raw)
    assert inputs_of(Path("model"), config)["data"] == [
        wikitext_raw / "wikitext2_raw/wiki.test.raw"
    ]
    result, items = one_result(uniform, byte_tokenizer, wanted, data=wikitext_raw)
    text = (wikitext_raw / "wikitext2_raw/wiki.test.raw").read_bytes()
    # Each of the 60 articles begins and ends with white space: two empty words.
    assert sum(item.num_units or 0 for item in items) == 241_211 + 2 * 60
    expected = LN_257 * len(text) / (241_211 + 120)
    assert math.log(result.scores[0].value) == pytest.approx(expected)
    assert b"<unk>" not in text
    with pytest.raises(InputError, match=r"wikitext2/test\.txt: there is no such file"):
        load("wikitext2", wikitext_raw)


@pytest.mark.real
@pytest.mark.parametrize("split", ["valid", "without blank lines"])
def test_wikitext_is_known_by_its_words_and_its_articles(
    split: str, real_data: Path, tmp_path: Path
) -> None:
    source = real_data / "benchmarks/wikitext103/derived_wiki.valid.tokens"
    words = "213,886 words where the benchmark has 241,211"
    if split != "valid":
        source = real_data / "benchmarks/wikitext2_raw/wiki.test.raw"
        words = "1 articles where the benchmark has 60"
    (tmp_path / "wikitext103").mkdir()
    shutil.copy(source, tmp_path / "wikitext103/wiki.test.tokens")
    with pytest.raises(InputError, match=words):
        load("wikitext103", tmp_path)


def test_a_line_is_a_sentence_of_its_own_or_follows_the_hundred_before(
    made_benchmarks: Path,
) -> None:
    alone = load("1bw", made_benchmarks).examples
    together = load("1bw|scope=all", made_benchmarks).examples
    assert (len(alone), len(together)) == (6075, 61)
    assert alone[1].text.startswith("Mr. 1 's ship didn 't sail from beta 1 2 ")
    assert not any(text.before for text in alone)
    assert [text.item for text in together[:2]] == ["line 1", "line 101"]
    assert [text.before for text in together[:2]] == ["", together[0].text]
    assert "".join(text.text for text in together) == "".join(text.text for text in alone)


@pytest.mark.parametrize(
    ("name", "path", "words"),
    [
        ("1bw", "1bw/news.en.heldout-00000-of-00050", "4 words and line ends where the benchmark"),
        ("enwik8", "enwik8/enwik8", "11 bytes where the benchmark has 100,000,000"),
        ("wikitext103", "wikitext103/wiki.test.tokens", "3 words where the benchmark"),
    ],
)
def test_another_text_under_the_name_is_refused(
    name: str, path: str, words: str, tmp_path: Path
) -> None:
    (tmp_path / path).parent.mkdir()
    (tmp_path / path).write_text("Not this .\n")
    with pytest.raises(InputError, match=words):
        load(name, tmp_path)


def test_text8_has_only_27_characters(made_benchmarks: Path, tmp_path: Path) -> None:
    (tmp_path / "text8").mkdir()
    (tmp_path / "text8/text8").symlink_to(made_benchmarks / "enwik8/enwik8")
    with pytest.raises(InputError, match=r"has the byte .* where the benchmark has only"):
        load("text8", tmp_path)


@pytest.mark.parametrize("name", ["enwik8", "text8"])
def test_the_end_of_the_file_comes_in_blocks_whose_bytes_are_all_there(
    name: str, made_benchmarks: Path
) -> None:
    found = load(name, made_benchmarks).examples
    whole = b"".join(block.text for block in found)
    assert whole == (made_benchmarks / name / name).read_bytes()[-5_000_000:]
    assert (len(whole), len(found)) == (5_000_000, 100)
    assert [block.before for block in found] == [b"", *(block.text for block in found[:-1])]


@pytest.mark.parametrize("name", ["enwik8|stride=context", "text8|stride=64"])
def test_a_uniform_model_needs_the_bits_of_its_vocabulary_for_each_byte(
    name: str, made_benchmarks: Path, uniform: LanguageModel, byte_tokenizer: Tokenizer
) -> None:
    lm = type(uniform)(np.full((257, 257), -LN_257), 128)  # type: ignore[call-arg]
    result, items = one_result(lm, byte_tokenizer, name, data=made_benchmarks, limit=3)
    assert result.scores[0].value == pytest.approx(8.005625)  # log2(257)
    assert sum(item.num_tokens or 0 for item in items) == sum(item.num_units or 0 for item in items)
    assert result.scores[0].metric == choose(name).task.metrics.popitem()[0]


def test_a_text_in_blocks_is_read_through(
    bigram: Callable[[Any, int], Any], byte_tokenizer: Tokenizer
) -> None:
    a, blank, b = byte_tokenizer.encode("a b").tolist()
    table = np.full((257, 257), -99.0)
    table[256, a], table[a, blank], table[blank, b] = np.log([0.5, 0.25, 0.125])
    table[b, blank], table[blank, a] = np.log([0.75, 0.375])
    setup = Setup(bigram(table, 4), byte_tokenizer, {"stride": "1", "prefix": "eot"}, 0)
    found = score_texts(setup, blocks(b"a b a b", 3))
    assert [scoring.num_tokens for scoring in found] == [3, 4]
    assert found[0].log_prob == pytest.approx(math.log(0.5 * 0.25 * 0.125))
    assert found[1].log_prob == pytest.approx(math.log(0.75 * 0.375 * 0.25 * 0.125))


@pytest.mark.real
def test_no_cut_changes_a_token(real_data: Path) -> None:
    tokenizer = Tokenizer.load(real_data / "vocab")
    pages = (real_data / "pages/newspaper_html").rglob("*.html")
    text = b"".join(path.read_bytes()[:20_000] for path in sorted(pages)[:20])
    parts = [tokenizer.encode(block.text) for block in blocks(text, 10)]
    assert len(parts) > 5000
    assert np.concatenate(parts).tolist() == tokenizer.encode(text).tolist()


@pytest.mark.real
def test_the_original_layouts_load(real_data: Path) -> None:
    def read(archive: str, ending: str) -> str:
        path = real_data / f"benchmarks/original_layouts/{archive}_1.0.0_dummy_data.zip"
        with zipfile.ZipFile(path) as opened:
            name = next(name for name in opened.namelist() if name.endswith(ending))
            return opened.read(name).decode()

    news = line_blocks(read("lm1b__plain_text", "news.en.heldout-00016-of-00050"), 1)
    assert [len(text.text.split()) for text in news] == [28, 24, 31, 29, 15]
    for archive, ending in (
        ("wikitext__wikitext-103-v1", "wiki.test.tokens"),
        ("wikitext__wikitext-103-raw-v1", "wiki.test.raw"),
    ):
        content = read(archive, ending)
        assert "".join(text.text for text in articles(content)) == content


class Reader:
    """A nat for each token of a short window, half a nat in a longer one; 1/4 after 64 tokens of
    a document's beginning."""

    def __init__(self, context: int) -> None:
        self.context, self.end_of_text = context, 256
        self.asked: list[Request] = []

    def log_probs(self, requests: Sequence[Request]) -> list[Scored]:
        self.asked += requests
        answers = []
        for context, continuation in requests:
            length = len(context) + len(continuation)
            nats = np.full(len(continuation), 1.0 if length <= 65 else 0.5)
            if context[0] == self.end_of_text:
                nats = np.where(np.arange(len(continuation)) < 64, 2.0, 0.25)
            answers.append(Scored(-nats, is_greedy=False))
        return answers

    def generate(self, *arguments: Any, **options: Any) -> list[Any]:
        raise NotImplementedError


def test_the_same_tokens_are_scored_with_each_length_of_context(
    corpus: Path, byte_tokenizer: Tokenizer
) -> None:
    lm = Reader(context=300)
    result, items = one_result(lm, byte_tokenizer, "context-length|stride=64", corpus)
    values = {score.metric: score.value * math.log(2) for score in result.scores}
    assert values == pytest.approx(
        {
            "bits_per_byte_64": 1.0,
            "bits_per_byte_128": 0.5,
            "bits_per_byte_256": 0.5,
            "gain_128": 0.5,
            "gain_256": 0.5,
            "bits_per_byte_tokens_1-64": 2.0,
            "bits_per_byte_tokens_65-128": 0.25,
            "bits_per_byte_tokens_129-256": 0.25,
        },
        abs=0.01,  # a last window may be short
    )
    assert "not measured: bits_per_byte_1024, bits_per_byte_512, " in result.note
    assert len(items) == 2
    assert all(len(r.context) + len(r.continuation) <= 257 for r in lm.asked)
    scored = sum(len(r.continuation) for r in lm.asked if r.context[0] != 256)
    assert scored == 3 * sum(item.num_units or 0 for item in items)


def test_a_context_below_the_shortest_length_is_refused(
    corpus: Path, byte_tokenizer: Tokenizer
) -> None:
    with pytest.raises(InputError, match="context of 32 tokens is below 64"):
        one_result(Reader(context=32), byte_tokenizer, "context-length", corpus)
