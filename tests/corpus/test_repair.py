"""What is mended in a text, and what is left as its author wrote it."""

import ftfy.badness
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wellread.corpus.repair import SUSPECT, repaired

# The characters that damage is made of, and neighbours that make it look like damage or not.
PIECES = (
    *"aZ .,\n\r\t\0\v\x1f\x7f\x80\x85\x9d\xa0\xad\u200b\u2028\ufeff\ufffd\ufb01\ud83d\ude42\u0303"
    "ÂÃâ€™œŒŠžàéèÐÑÎØÙ¡¢£¤¦¨©ª«¬®¯°±²³´µ·¸¹º»¼½¾¿√∂†≠‚Äìвеёﾉ",
    "Ã©", "â€œ", "Ã\x83Â©", "ðŸ™‚", "\r\n", "\n\n\n",
)  # fmt: skip
DAMAGED = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


@pytest.mark.parametrize(
    ("damaged", "mended"),
    [
        ("She said â€œcafÃ©â€\x9d.", "She said “café”."),
        ("itâ€™s, and it’s too", "it’s, and it’s too"),  # beside what was read rightly
        ("Ã\x83Â©tÃ\x83Â©", "été"),  # twice
        ("\x93quoted\x94 \x96 \x95 item", "“quoted” – • item"),
        ("ðŸ™‚ ok", "🙂 ok"),
        ("\ud83d\ude42 and \ud83d", "🙂 and �"),
        ("cafe\u0301", "café"),
        ("the ﬁrst eﬀect", "the first effect"),
        ("\ufeffinter\xadnational\u200b", "international"),
        ("null\0 bell\x07 escape\x1b delete\x7f", "null bell escape delete"),
        ("a\r\nb\rc\u2028d\fe", "a\nb\nc\nd\ne"),
        ("\n\ntitle  \n \t\n\n\n    code\t\n", "title\n\n    code"),
    ],
)
def test_damage_is_mended(damaged: str, mended: str) -> None:
    assert repaired(damaged) == mended


@pytest.mark.parametrize(
    "text",
    [
        "“Curly” and ‘single’ quotes – and dashes — and an ellipsis…",
        "À la fête, l’été : « voilà » où naît le cœur de Noël, 20 % à 5 € près.",
        "これは日本語の文章です。（全角）ＡＢＣ１２３、カタカナ。",
        "Пишите «ещё» – это просто. Ελληνικά: «γειά σου».",
        "Größe, Straße, ÄÖÜ; São Paulo, Ångström, İstanbul, Łódź.",
        "👩\u200d💻 and 👍🏽 and ❤️ and 🇫🇷",
        "H₂O, x² ± ½, 20 °C, ™ and ©2015, &nbsp; and &amp;lt;",
        "می\u200cخواهم",  # a joiner's opposite, which Persian spells with
        "    indented = {'code': 1}\n\tand a tab",
        "São Paulo’s Ângela, JOÃO and ÂGE",
    ],
)
def test_what_is_no_damage_stays_as_it_is(text: str) -> None:
    assert repaired(text) == text


@given(DAMAGED | st.text(max_size=60))
@example("Ã\x81©")
@example("A\u0303©")
@example("â\x80¨Ã©")
def test_a_repaired_text_needs_no_repair(text: str) -> None:
    once = repaired(text)
    assert repaired(once) == once
    once.encode()  # no lone surrogate is left


def test_a_heap_of_marks_is_cut_before_it_is_ordered() -> None:
    assert len(repaired("a" + "\u0301\u0323" * 100_000)) <= 31


@given(DAMAGED)
def test_whatever_ftfy_would_look_at_is_shown_to_it(text: str) -> None:
    assert SUSPECT.search(text) or not ftfy.badness.is_bad(text)
