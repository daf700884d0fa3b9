"""The files of CBT, Winograd and LAMBADA, and the settings that say how they are read."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from wellread.base.errors import InputError
from wellread.evaluate.cbt import as_question as cbt_question
from wellread.evaluate.cbt import as_written, read_cbt
from wellread.evaluate.config import EvaluateConfig
from wellread.evaluate.last_word import read_plain, straight
from wellread.evaluate.plan import prepare
from wellread.evaluate.stop_words import STOP_WORDS
from wellread.evaluate.winograd import as_question, in_place, read_winograd

CBT = """1 `` Come here , '' said she .
2 ` Why ? ' said he -LSB- softly -RSB- .
21 `` You XXXXX have my brothers ' keys , '' said she .\tshould\t\tshould|ca
"""


def loaded(wanted: str, data: Path) -> list[Any]:
    return list(prepare(EvaluateConfig(tasks=[wanted], data=data)).prepared[0].examples)


def test_a_cbt_sentence_is_written_anew_around_each_candidate(tmp_path: Path) -> None:
    path = tmp_path / "cbt.txt"
    path.write_text(CBT.replace("have", "n't have"))
    settings = {"scope": "rest", "detokenizer": "on"}
    options = cbt_question(read_cbt(path)[0], settings).options
    start = '"Come here," said she. \'Why?\' said he [softly]. "You'
    assert [(option.prompt, option.scored) for option in options] == [
        (start, " shouldn't have my brothers' keys,\" said she."),
        (start, " can't have my brothers' keys,\" said she."),
    ]
    choices = cbt_question(read_cbt(path)[0], {**settings, "scope": "choice"}).options
    assert [option.scored for option in choices] == [" should", " ca"]


@pytest.mark.parametrize(
    ("before", "after", "prompt", "scored"),
    [
        ("He said , `` ", " ! ''", 'P. He said, "', 'come!"'),  # joins what stands before it
        ("", " he said .", "P.", " come he said."),
        ('It is " ', ' " so .', 'P. It is "', ' come " so .'),  # cannot be undone: stays as it is
    ],
)
def test_a_candidate_joins_what_stands_around_it(
    before: str, after: str, prompt: str, scored: str, tmp_path: Path
) -> None:
    path = tmp_path / "cbt.txt"
    path.write_text(f"1 P .\n21 {before}XXXXX{after}\tcome\t\tcome|go\n")
    question = cbt_question(read_cbt(path)[0], {"scope": "rest", "detokenizer": "on"})
    assert (question.options[0].prompt, question.options[0].scored) == (prompt, scored)
    assert question.text == prompt + scored


def test_quotations_that_begin_or_end_elsewhere_are_closed() -> None:
    assert as_written("Go ! '' He went . `` Stay !") == 'Go!" He went. "Stay!'
    assert as_written("` Say `` yes , '' ' he said .") == "'Say \"yes,\"' he said."


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("The cat slept .\tcat\t\tcat|dog", "3: not a CBT question; expected one XXXXX"),
        ("The XXXXX slept .\tcow\t\tcat|dog", "3: the answer 'cow' is not among the candidates"),
    ],
)
def test_a_damaged_question_is_named_by_file_and_line(
    question: str, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "cbt.txt"
    path.write_text(f"1 A .\n2 B .\n21 {question}\n")
    with pytest.raises(InputError, match=words):
        read_cbt(path)


@pytest.mark.real
@pytest.mark.parametrize("name", ["cbt-cn", "cbt-ne", "cbt-v", "cbt-p"])
def test_cbt_has_2000_items_to_validate_and_2500_to_test(
    name: str, layout_data: Path, tmp_path: Path
) -> None:
    assert len(loaded(name, layout_data)) == 2000
    assert len(loaded(f"{name}|split=test", layout_data)) == 2500
    short = tmp_path / f"CBTest/data/cbtest_{name[4:].upper()}_valid_2000ex.txt"
    short.parent.mkdir(parents=True)
    short.write_text(CBT)
    with pytest.raises(InputError, match="1 items where the benchmark has 2,000"):
        loaded(name, tmp_path)


@pytest.mark.real
def test_the_real_cbt_items_lose_their_tokens_and_keep_their_words(layout_data: Path) -> None:
    for path in sorted(layout_data.rglob("*.txt")):
        example = read_cbt(path)[0]
        found = cbt_question(example, {"scope": "rest", "detokenizer": "on"})
        stored = cbt_question(example, {"scope": "rest", "detokenizer": "off"})
        assert len(found.options) == 10
        assert not any(mark in found.text for mark in (" ,", " .", " n't", "`", "''", "-L"))
        words = [
            text.replace("-LRB-", "").replace("-RRB-", "") for text in (found.text, stored.text)
        ]
        letters = ["".join(filter(str.isalnum, text)) for text in words]
        assert letters[0] == letters[1].replace("LSB", "").replace("RSB", "")


@pytest.mark.real
def test_the_first_273_schemas_are_the_published_ones(real_data: Path) -> None:
    data = real_data / "benchmarks"
    assert len(loaded("winograd", data)) == 273
    assert len(loaded("winograd|schemas=285", data)) == 285
    lines = (data / "winograd/winograd_wsc.jsonl").read_text(encoding="utf-8").splitlines()
    released = [json.loads(line) for line in lines]
    found = loaded("winograd", data)
    assert [schema.after for schema in found] == [row["continuation"] for row in released]
    assert [schema.right for schema in found] == [row["gold"] for row in released]


@pytest.mark.real
def test_each_rule_brings_the_answers_nearer_to_those_put_in_by_hand(real_data: Path) -> None:
    folder = real_data / "benchmarks/winograd"
    lines = (folder / "winograd_wsc.jsonl").read_text(encoding="utf-8").splitlines()
    by_hand = [json.loads(line)["context_options"] for line in lines]
    schemas = read_winograd(folder / "WSCollection.xml")[:273]
    agreeing, changed = {}, {}
    for rules in ("stored", "harness", "written"):
        options = [as_question(schema, "partial", rules).options for schema in schemas]
        prompts = [[option.prompt for option in each] for each in options]
        pairs = [
            pair for each in zip(prompts, by_hand, strict=True) for pair in zip(*each, strict=True)
        ]
        agreeing[rules] = sum(one == other for one, other in pairs)
        answers = [(schema, answer) for schema in schemas for answer in schema.answers]
        changed[rules] = sum(in_place(s, answer, rules) != answer for s, answer in answers)
    assert len(by_hand) == 273
    assert agreeing == {"stored": 314, "harness": 388, "written": 428}
    assert changed == {"stored": 0, "harness": 82, "written": 142}


@pytest.mark.real
@pytest.mark.parametrize(
    ("number", "answer", "harness", "written"),
    [
        (1, "The city councilmen", "the city councilmen", "the city councilmen"),  # because they
        (45, "Ann's", "Ann's", "Ann"),  # because she is nosy
        (27, "Tina's", "Tina's", "Tina's"),  # and it did look better
        (97, "the worm", "the worm", "The worm"),  # It was tasty.
        (174, "that duck", "that duck", "That duck"),  # below that duck! It had
        (209, "Emma's", "Emma's's", "Emma's"),  # and her education
        (231, "The man", "the man's", "the man's"),  # onto his shoulders
    ],
)
def test_answers_stand_where_the_pronoun_stood(
    number: int, answer: str, harness: str, written: str, real_data: Path
) -> None:
    schema = read_winograd(real_data / "benchmarks/winograd/WSCollection.xml")[number - 1]
    assert answer in schema.answers
    assert in_place(schema, answer, "harness") == harness
    assert in_place(schema, answer, "written") == written


@pytest.mark.real
def test_all_of_lambada_loads_with_plain_quotes(real_data: Path) -> None:
    stored = loaded("lambada", real_data / "benchmarks")
    plain = loaded("lambada|text=quotes", real_data / "benchmarks")
    assert (len(stored), len(plain)) == (5153, 5153)
    curly = [any(mark in p.prompt + p.target for mark in "“”") for p in stored]
    assert sum(curly) == 1622
    for one, other in zip(stored, plain, strict=True):
        assert other.prompt + other.target == straight(one.prompt + one.target)
        assert not set("“”") & set(other.prompt + other.target)
        assert other.prompt.startswith("\n")


@pytest.mark.real
def test_the_original_text_of_lambada_is_read_by_line(real_data: Path, tmp_path: Path) -> None:
    archive = real_data / "benchmarks/original_layouts/lambada__plain_text_1.1.0_dummy_data.zip"
    with zipfile.ZipFile(archive) as opened:
        name = next(n for n in opened.namelist() if n.endswith("lambada_test_plain_text.txt"))
        two = opened.read(name)
    path = tmp_path / "lambada/lambada_test_plain_text.txt"
    path.parent.mkdir()
    path.write_bytes(two)
    assert [(p.item, p.target) for p in read_plain(path)] == [("1", " trophy"), ("2", " bagless")]
    with pytest.raises(InputError, match="2 items where the benchmark has 5,153"):
        loaded("lambada|text=original", tmp_path)
    path.write_bytes(two * 2576 + two.splitlines(keepends=True)[0])
    assert len(loaded("lambada|text=original", tmp_path)) == 5153


@pytest.mark.real
def test_the_filter_leaves_99_of_lambadas_words_out_of_reach(real_data: Path) -> None:
    words = [p.target[1:] for p in loaded("lambada", real_data / "benchmarks")]
    assert sum(word.lower() in STOP_WORDS for word in words) == 58
    assert sum(not word.isalnum() for word in words) == 41
