"""What the page shows, as functions return it."""

from pathlib import Path

import pytest

from wellread.base.errors import InputError
from wellread.evaluate.language_model import TorchModel
from wellread.evaluate.task import Setup, choose
from wellread.generation.sample import sample_texts
from wellread.overlap.index import build_overlap_index
from wellread.playground import asking, html, memory
from wellread.playground.given import given
from wellread.playground.loading import Loaded, load
from wellread.playground.tasks import PRESETS, expectation, preset_of, prompt_page, scores_page
from wellread.playground.tokenizer import compared, first_merges, split, tree
from wellread.playground.write import Asked, Sample, samples
from wellread.playground.write_tab import asked_from


@pytest.fixture(scope="module")
def models(made: Path) -> list[Loaded]:
    return [load(made / "runs" / size, Path) for size in ("2x128", "1x64")]


def last(models: list[Loaded], asked: Asked) -> list[Sample]:
    return list(samples(models, asked))[-1]


def test_a_demo_in_the_current_folder_is_taken_whole_and_its_largest_model_writes(
    made: Path,
) -> None:
    found = given(None, current=made.parent)
    assert found.model == made / "runs" / "2x128"
    assert found.other == made / "runs" / "1x64"
    assert found.corpus == made / "corpus"
    assert found.found_in == made


def test_what_is_named_is_not_mixed_with_a_demo(made: Path, tmp_path: Path) -> None:
    assert given(tmp_path, current=made.parent).corpus is None
    assert given(made, corpus=tmp_path).corpus == tmp_path
    with pytest.raises(InputError, match=r"^--index .*nowhere: there is no such file or folder$"):
        given(None, index=tmp_path / "nowhere")


def test_both_models_write_what_sample_gives_for_the_seed(models: list[Loaded]) -> None:
    asked = Asked(prompt="The function", num_tokens=12, seed=5)
    for loaded, sample in zip(models, last(models, asked), strict=True):
        [expected] = sample_texts(
            loaded.model, loaded.tokenizer, ["The function"], asked.sampling(), seed=5
        )
        assert sample.text == expected.text
        assert sample.is_done


def test_the_likeliest_token_is_first_among_the_alternatives(models: list[Loaded]) -> None:
    [sample] = last(models[:1], Asked(prompt="", num_tokens=5, top_k=1))
    for one in sample.written:
        assert 2**-one.bits == pytest.approx(one.likely[0][1], rel=1e-4)
        assert [p for _, p in one.likely] == sorted((p for _, p in one.likely), reverse=True)


def test_a_prompt_beyond_the_context_is_said_to_be_cut(models: list[Loaded]) -> None:
    [sample] = last(models[:1], Asked(prompt="~" * 100, num_tokens=10))
    assert sample.num_lost == 101 - (64 - 10)
    assert "the first 47 tokens of the prompt have no room" in sample.facts(10)


def test_markup_in_a_text_stays_text() -> None:
    bad = '<img src=x onerror="alert(1)">'
    written = [html.Written(bad, 2.0, ((bad, 0.5),))]
    for page in (
        html.coloured(bad, written),
        html.seen(bad),
        html.note(bad),
        html.pieces([(bad, 1)]),
    ):
        assert "<img" not in page
        assert "&lt;img" in page


@pytest.mark.parametrize(
    ("at", "value", "sentence"),
    [
        (0, 0, "Temperature is 0: give a number from 0.05 to 10."),
        (1, -1, "Top-k is -1: give a number of at least 0."),
        (3, 401, "Tokens is 401: give a number from 1 to 400."),
        (4, None, "Seed is empty: give a number of at least 0."),
    ],
)
def test_a_setting_out_of_its_range_is_named(at: int, value: float | None, sentence: str) -> None:
    numbers: list[float | None] = [1.0, 40, 1.0, 80, 0]
    numbers[at] = value
    with pytest.raises(InputError) as refused:
        asked_from("a prompt", numbers)
    assert str(refused.value) == sentence


def test_the_tokens_of_one_character_have_the_colour_of_their_mean() -> None:
    page = html.coloured("", [html.Written("é", 8.0, (("Ã", 0.5),), num_tokens=2)])
    assert 'class="wr-token wr-s1"' in page
    assert 'data-tokens="2" data-bits="8.0"' in page


def test_a_prompt_is_shown_with_its_white_space() -> None:
    assert str(html.seen("a b\n\tc")) == "a<i>·</i><wbr>b<i>⏎</i>\n<i>⇥</i>c"


@pytest.mark.parametrize(
    ("key", "sent"),
    [
        ("summary", "\nTL;DR:"),
        ("en-fr", " ="),
        ("fr-en", " ="),
        ("questions", "\nA:"),
        ("reading", "\nQ: What did Tom carry?\nA:"),
        ("winograd", "The shelf did not fit through the door because "),
        ("last-word", ", lay the"),
    ],
)
def test_every_preset_sends_the_papers_prompt_and_scores_its_candidates(
    models: list[Loaded], key: str, sent: str
) -> None:
    example = asking.examples()[key][0]
    answered = asking.ask(models[0], key, example.text, example.candidates)
    assert sent in answered.prompt
    assert {one.name for one in answered.candidates} >= set(example.candidates)
    assert all(one.log_prob < 0 < one.num_tokens for one in answered.candidates)
    assert scores_page(answered).count("chosen: likeliest") == 1
    assert "<pre" in prompt_page(answered)


def test_a_schema_has_the_choice_that_evaluation_makes(models: list[Loaded]) -> None:
    chosen = choose("demo-winograd")
    lm = TorchModel(models[0].model, models[0].tokenizer.end_of_text)
    setup = Setup(lm, models[0].tokenizer, chosen.settings, 0)
    schemas = chosen.task.load(None).examples[:4]  # type: ignore[arg-type]
    outcomes = chosen.task.score(setup, schemas)
    for example, outcome in zip(asking.examples()["winograd"], outcomes, strict=False):
        answered = asking.ask(models[0], "winograd", example.text, example.candidates)
        assert answered.best.name == outcome.item.prediction
        assert answered.candidates[0].log_prob == pytest.approx(outcome.item.log_prob)


@pytest.mark.parametrize(
    ("key", "text", "sentence"),
    [
        ("questions", "  ", "The text is empty"),
        ("winograd", "No pronoun here.", "A schema needs its pronoun in brackets"),
        ("reading", "A text.\nQ: One?\nA: two", "no answer yet"),
    ],
)
def test_a_text_that_is_no_question_is_told_what_is_missing(
    models: list[Loaded], key: str, text: str, sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        asking.ask(models[0], key, text, ["a", "b"])


def test_little_is_expected_of_a_small_model_and_the_papers_score_stands_beside() -> None:
    assert {preset.key for preset in PRESETS} == asking.TASKS.keys()
    said = expectation(preset_of("en-fr"), 675_328)
    assert said.startswith("To expect of 0.7 million parameters: Without French")
    assert said.endswith("The paper’s largest model has a BLEU of 5.")


def test_a_text_is_split_into_tokens_that_join_to_it(models: list[Loaded]) -> None:
    found = split(models[0].tokenizer, "the names é")
    assert "".join(text for text, _ in found.tokens) == "the␣names␣⟨C3⟩⟨A9⟩"
    assert (found.num_characters, found.num_bytes) == (11, 12)
    assert "bytes a token" in found.facts


def test_the_merges_of_a_word_are_drawn(models: list[Loaded]) -> None:
    assert "<svg" in tree(models[0].tokenizer, " the")
    assert "too wide to draw" in tree(models[0].tokenizer, "x" * 61)


def test_fewer_merges_make_more_tokens(models: list[Loaded]) -> None:
    whole = models[0].tokenizer
    named = {"whole": whole, "none": first_merges(whole, 0)}
    one, other = compared(named, "The function returns")
    assert other.row == ("none", "257", "20", "1.00")
    assert one.num_tokens == 11


@pytest.mark.parametrize("with_index", [True, False])
def test_eight_words_of_the_training_set_are_found_in_their_document(
    made: Path, tmp_path: Path, *, with_index: bool
) -> None:
    index = tmp_path / "index" if with_index else None
    if index:
        build_overlap_index(made / "corpus", index)
    text = "So: opened the door of the shop every morning and left. A list of the names."
    found = memory.look_up(text, index, made / "corpus")
    [passage] = found.passages
    assert text[passage.start : passage.end] == "opened the door of the shop every morning and"
    assert passage.url == "http://shop.example/1"
    page = memory.page(found)
    assert "<mark>opened the door of the shop every morning and</mark>" in page
    assert 'href="http://shop.example/1"' in page
    assert page.count("counted the boxes by the river") == 1
    assert "1 passage stands in the training set too" in memory.in_words(found)


def test_a_document_is_a_link_only_to_the_web() -> None:
    assert memory.link("javascript:alert(1)") == "javascript:alert(1)"
    assert memory.link("file:a.jsonl#3") == "file:a.jsonl#3"
