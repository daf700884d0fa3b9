"""A text on its way to ids, told and drawn; and the guide, whose examples run."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser

from wellread.base.errors import InputError
from wellread.tokenizer.alphabet import PATTERN
from wellread.tokenizer.explain import ALTERNATIVES, compare, explain, visible
from wellread.tokenizer.explain_page import to_html, to_svg
from wellread.tokenizer.tokenizer import Tokenizer

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEXTS = [
    "The bell had not rung, and the bells' ringers weren't there. DON'T ask; don't.",
    "In 2019, naïve cafés sold 1,000 cups.  Two  spaces,\n\n\ttabs.",
    "日本語のテキスト and 🙂 emoji, repeated: 🙂🙂🙂. हिन्दी",
] * 3
TOKENIZER = Tokenizer.train(TEXTS, vocab_size=340)
ODD = (
    "tab\there  \n\n <script>alert(1)</script>\u202eevil\u202c e\u0301 \u0301x "
    "🙂 👨‍👩‍👧 שלום हिन्दी 日本語 \x00\x1b[31m\x85 " + "x" * 90
)


def split(text: str | bytes) -> list[tuple[str, str]]:
    return [(p.text, p.alternative) for p in explain(TOKENIZER, text).pre_tokens]


def kinds(first: str | bytes, second: str | bytes) -> list[str]:
    compared = compare(explain(TOKENIZER, first), explain(TOKENIZER, second))
    return [reason.kind for reason in compared.reasons]


def test_the_alternatives_are_the_pattern() -> None:
    assert "|".join(alternative.pattern for alternative in ALTERNATIVES) == PATTERN


def test_each_alternative_is_named() -> None:
    assert split("It's 7 %\n\nof\tit") == [
        ("It", "letters"),
        ("'s", "contraction"),
        (" 7", "numbers"),
        (" %", "other"),
        ("\n", "space run"),
        ("\n", "single space"),
        ("of", "letters"),
        ("\t", "single space"),
        ("it", "letters"),
    ]


@given(st.text(max_size=60))
def test_the_ids_are_those_of_the_encoder(text: str) -> None:
    explained = explain(TOKENIZER, text)
    assert explained.ids == TOKENIZER.encode(text).tolist()
    assert explained.raw == TOKENIZER.decode_bytes(explained.ids)


@given(st.binary(max_size=60))
def test_the_ids_of_any_bytes_are_those_of_the_encoder(raw: bytes) -> None:
    assert explain(TOKENIZER, raw).ids == TOKENIZER.encode(raw).tolist()


def test_the_ids_of_the_training_texts_are_those_of_the_encoder() -> None:
    for text in TEXTS:
        assert explain(TOKENIZER, text).ids == TOKENIZER.encode(text).tolist()


def test_offsets_count_bytes_and_characters() -> None:
    pieces = explain(TOKENIZER, "né 🙂!").pre_tokens
    assert [(p.char_start, p.char_end, p.byte_start, p.byte_end) for p in pieces] == [
        (0, 2, 0, 3),
        (2, 5, 3, 9),
    ]
    assert [pieces[at].tokens[0].byte_start for at in (0, 1)] == [0, 3]


def test_merges_come_with_rank_count_and_state() -> None:
    toy = Tokenizer.train(["the cat sat on the mat"], vocab_size=261)
    (piece,) = explain(toy, " that").pre_tokens
    (merge,) = piece.merges
    assert (merge.rank, merge.count, merge.left, merge.right, merge.id) == (0, 3, "a", "t", 256)
    assert (merge.at, merge.after) == (3, ["Ġ", "t", "h", "at"])
    assert [(t.id, t.byte_start, t.hex) for t in piece.tokens] == [
        (220, 0, "20"),
        (83, 1, "74"),
        (71, 2, "68"),
        (256, 3, "61 74"),
    ]


def test_bytes_that_are_not_utf8_are_of_the_kind_other() -> None:
    assert split(b"ab\xff\xfe c") == [
        ("ab", "letters"),
        ("\ufffd\ufffd", "other"),
        (" c", "letters"),
    ]
    assert explain(TOKENIZER, b"\xff\xfe").num_characters == 2


def test_a_lone_surrogate_is_taken_as_the_replacement_character() -> None:
    assert explain(TOKENIZER, "a\ud83d").raw == "a\ufffd".encode()


def test_a_text_too_long_to_show_is_refused() -> None:
    with pytest.raises(InputError, match="a text of 3,000 bytes; explain shows"):
        explain(TOKENIZER, "word " * 600)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b" a\n\t", "␣a⏎⇥"),
        (b"\x00\x1b\x7f", "⟨U+0000⟩⟨U+001B⟩⟨U+007F⟩"),
        ("\u202e\u200d\ufe0f\xa0\x85".encode(), "⟨U+202E⟩⟨U+200D⟩⟨U+FE0F⟩⟨U+00A0⟩⟨U+0085⟩"),
        ("\u0301x".encode(), "◌\u0301x"),
        (b"\xf0\x9f", "⟨F0 9F⟩"),
        (b"!\x99\x82", "!⟨99 82⟩"),
        ("é🙂".encode(), "é🙂"),
    ],
)
def test_nothing_is_unseen(raw: bytes, shown: str) -> None:
    assert visible(raw) == shown


def test_a_space_before_a_word_is_the_reason() -> None:
    assert kinds("bell", " bell")[0] == "space"
    assert "alternative" not in kinds("bell", " bell")


def test_an_upper_case_contraction_falls_to_another_alternative() -> None:
    assert kinds("don't", "DON'T")[:2] == ["bytes", "alternative"]


def test_texts_that_mean_the_same_to_unicode_have_other_bytes() -> None:
    compared = compare(explain(TOKENIZER, "caf\u00e9"), explain(TOKENIZER, "cafe\u0301"))
    assert "U+00E9 LATIN SMALL LETTER E WITH ACUTE, C3 A9" in compared.reasons[0].sentence
    assert "mean the same to Unicode" in compared.reasons[0].sentence


def test_a_text_that_goes_on_parts_where_the_tokens_do() -> None:
    toy = Tokenizer.train(["the cat sat on the mat"], vocab_size=261)
    compared = compare(explain(toy, "ca"), explain(toy, "cat"))
    assert (compared.token, compared.byte) == (0, 0)
    assert (compared.first.stand_ins, compared.second.stand_ins) == ("c", "cat")
    assert [reason.kind for reason in compared.reasons] == ["end", "merge"]
    assert compared.reasons[1].sentence == (
        "Merges: the first text has no other, as none of its pairs has a rank; "
        "the second joins a and t (rank 0)."
    )


def test_equal_texts_have_no_reason_to_differ() -> None:
    compared = compare(explain(TOKENIZER, "a b"), explain(TOKENIZER, b"a b"))
    assert (compared.first, compared.second, compared.reasons) == (None, None, [])


@given(st.text(max_size=12), st.text(max_size=12))
def test_any_two_texts_that_differ_have_a_reason(one: str, other: str) -> None:
    first, second = explain(TOKENIZER, one), explain(TOKENIZER, other)
    assert bool(compare(first, second).reasons) == (first.ids != second.ids)


def page_of(*texts: str | bytes) -> str:
    explained = [explain(TOKENIZER, text) for text in texts]
    compared = [compare(explained[0], later) for later in explained[1:]]
    return to_html(TOKENIZER, "a <b> vocabulary", explained, compared)


def test_the_page_shows_text_and_runs_none_of_it() -> None:
    page = page_of("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>')
    assert "<script" not in page
    assert "<img" not in page
    assert "a &lt;b&gt; vocabulary" in page
    assert "&lt;script&gt;" in page


def test_the_page_needs_no_network() -> None:
    assert re.findall(r"(?:https?:)?//[a-z]", page_of("a", ODD)) == []


def test_the_pages_anchors_lead_somewhere() -> None:
    page = page_of("a b c", ODD, b"\xf0\x9f half")
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(re.findall(r'id="([^"]+)"', page))


def test_a_picture_is_escaped_and_only_of_short_texts() -> None:
    assert "&lt;b&gt;" in to_svg([explain(TOKENIZER, "<b>")])
    with pytest.raises(InputError, match="a picture shows at most 64"):
        to_svg([explain(TOKENIZER, "word " * 20)])


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_and_opens_what_a_link_leads_to(
    browser: Browser, tmp_path: Path, scheme: str, width: int
) -> None:
    (tmp_path / "page.html").write_text(page_of("Don't", "DON'T", ODD, b"\xf0\x9f half", ""))
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto((tmp_path / "page.html").as_uri())
    assert problems == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert not page.locator("#text-3-2").is_visible()
    page.locator('a[href="#text-3-2"]').press("Enter")
    page.locator("#text-3-2").wait_for(state="visible")
    page.close()


@pytest.mark.real
def test_what_the_guide_says_of_gpt2_is_so(real_data: Path) -> None:
    gpt2 = Tokenizer.load(real_data / "vocab")
    assert explain(gpt2, "dog").ids == [9703]
    assert explain(gpt2, " dog").ids == [3290]
    assert explain(gpt2, "<|endoftext|>").ids == [27, 91, 437, 1659, 5239, 91, 29]
    assert len(explain(gpt2, "é").ids) == 1
    piece = explain(gpt2, " Workstation").pre_tokens[0]
    assert [token.raw for token in piece.tokens] == [b" Work", b"station"]
    assert {merge.left + merge.right: merge.rank for merge in piece.merges}["st"] == 45
    assert b" Works" in gpt2.tokens
    assert (len(gpt2.tokens), len(gpt2.merges)) == (50_257, 50_000)


@pytest.mark.real
def test_the_guides_pictures_are_what_the_command_draws(real_data: Path) -> None:
    gpt2 = Tokenizer.load(real_data / "vocab")
    for name, texts in (
        ("tokenizer-contraction.svg", ["Don't", "DON'T"]),
        ("tokenizer-rank.svg", [" Workstation"]),
    ):
        drawn = to_svg([explain(gpt2, text) for text in texts])
        assert (DOCS / "images" / name).read_text(encoding="utf-8") == drawn
