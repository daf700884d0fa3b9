"""What each filter measures, what it leaves out, and the texts that all of them keep."""

from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellread.base import plugins
from wellread.base.errors import InputError
from wellread.corpus import filters
from wellread.corpus.extract import main_text
from wellread.corpus.filter import Filter, Rejection, load_filters, rejected_by
from wellread.corpus.repair import repaired
from wellread.formats.archives import read_pages
from wellread.formats.documents import Document, read_documents

NAMES = plugins.names(filters)
ALL = load_filters(NAMES)

# Of each filter a text that measures what its limit is, or hardly less, and the same made worse.
LIMITS = {
    "damaged": ("a" * 99 + "\ufffd", "a" * 98 + "\ufffd"),
    "few-letters": ("ab 12", "ab 123"),
    "lorem-ipsum": ("one two three four dolor", "one two three dolor"),
    "many-digits": ("abcd 1", "abc 1"),
    "many-symbols": ("abcd #", "abc #"),
    "repeated-lines": ("a\nb\n\na\nb", "a\nb\n\na\nb\nb"),
    "repeated-phrases": ("a b c d e " * 2, "a b c d e " * 3),
    "short-lines": ("Home\nAbout us\na b c d e ff", "Home\nAbout us\na b c d e f"),
    "too-short": ("a" * 128, "a" * 127),
    "unbroken": ("x" * 41 + " word" * 19 + "s", "x" * 41 + " word" * 19),
    "walls": (
        "Please log in. You should enable cookies.\nAn owl said it, and owls are never wrong.",
        "Please log in. You should enable cookies.\nAn owl said it, and owls are wrong.",
    ),
}


def document(text: str) -> Document:
    return Document(url="http://a.example/", text=text, domain="a.example")


def dropped_as(text: str) -> str | None:
    rejection = rejected_by(document(text), ALL)
    return rejection.name if rejection else None


@pytest.mark.parametrize("name", NAMES)
def test_a_filter_keeps_what_is_at_its_limit_and_drops_what_is_beyond(name: str) -> None:
    only = {name: ALL[name]}
    if name == "wikipedia":
        kept, dropped = document("text"), Document(url="", text="text", domain="wikipedia.org")
    else:
        kept, dropped = map(document, LIMITS[name])
    assert rejected_by(kept, only) is None
    rejection = rejected_by(dropped, only)
    assert rejection is not None
    assert rejection.name == name


@given(st.text(max_size=300))
def test_a_filter_measures_any_text(text: str) -> None:
    for one in ALL.values():
        value = one.measure(document(text))
        assert 0 <= value <= max(1, len(text))


def test_a_rejection_says_why_and_how_much() -> None:
    assert rejected_by(document("a" * 97), load_filters(["wikipedia", "too-short"])) == Rejection(
        name="too-short", reason="fewer than 128 characters of text", value=97.0
    )


def test_of_several_filters_the_first_that_refuses_is_named() -> None:
    text = document("12 34")
    assert rejected_by(text, load_filters(["few-letters", "too-short"])).name == "few-letters"  # type: ignore[union-attr]
    assert rejected_by(text, load_filters(["too-short", "few-letters"])).name == "too-short"  # type: ignore[union-attr]


def test_a_recipe_may_set_another_limit() -> None:
    loaded = load_filters(["few-letters=0.25", "too-short=3"])
    assert rejected_by(document("a 1234"), loaded) == Rejection(
        name="few-letters", reason="less than 0.25 of the characters are letters", value=0.2
    )
    assert rejected_by(document("ab 1234"), loaded) is None
    assert ALL["few-letters"].limit == 0.5


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (["too-shrt=5"], "there is no filter 'too-shrt'; did you mean 'too-short'"),
        (["too-short=many"], "filter 'too-short=many': expected a limit of 0 or more, such as 128"),
        (["too-short="], "expected a limit"),
        (["too-short=nan"], "expected a limit"),
        (["too-short=-1"], "expected a limit"),
        (["too-short", "too-short=5"], "'too-short' is given twice"),
    ],
)
def test_a_filter_that_cannot_be_is_refused(wanted: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_filters(wanted)


@pytest.mark.parametrize("name", NAMES)
def test_a_filter_has_its_reason_in_words(name: str) -> None:
    one: Filter = ALL[name]
    assert "{" not in one.reason.format(limit=one.limit)


KEPT = {
    "a poem in short lines": """
        The tide went out at four.
        It left the harbour bare,
        a rope, an oar, a door,
        a gull upon a chair.

        We said it would return.
        It did, as tides will do,
        and brought back half the stern
        and nothing else we knew.""",
    "a song with its refrain": """
        I left my coat at the station
        I left my hat on the train
        And oh, my darling, come carry me home
        Come carry me home in the rain

        I lost my way in the city
        I lost my shoes in the lane
        And oh, my darling, come carry me home
        Come carry me home in the rain

        I found a light in a window
        I found a hand on the pane
        And oh, my darling, come carry me home
        Come carry me home in the rain""",
    "a recipe": """
        Pancakes
        2 eggs
        250 g flour
        500 ml milk
        1 pinch of salt
        butter

        Whisk the eggs with half of the milk, add the flour and the salt, and stir until no lumps
        are left. Add the rest of the milk and let it stand for 30 minutes. Heat the butter in a
        pan, pour in enough to cover it, and turn the pancake when its edges are brown.""",
    "an interview": """
        Q: When did you start to build clocks?
        A: When I was nine. My uncle had one that did not go.
        Q: Did you repair it?
        A: No. It has never gone since.
        Q: And now?
        A: Now I have forty, and most of them go, though not at the same speed.""",
    "a program in a text": """
        The greatest common divisor needs no factors. This is Euclid's way to find it:

        def gcd(a, b):
            while b:
                a, b = b, a % b
            return abs(a)

        assert gcd(12, -18) == 6  # {2, 3} is all they share

        It ends, because b becomes smaller each time.""",
    "questions and answers on a login": """
        Why can I not log in?
        Please log in with the name that you gave when you wrote to us, not with your address. If
        you forgot your password, ask the librarian, who has a list of names and can set another.

        How long may I keep a book?
        Four weeks, and twice as long if nobody waits for it. The reading room closes at eight in
        summer and at six in winter; dogs and umbrellas stay at the door.""",
    "an article on cookies": """
        A law that asks each site whether it may count its visitors was meant to make them think.
        Ten years later they click. Of 4,000 people whom we asked, one in nine had ever chosen
        “manage cookies”, and three knew what happens then. “I accept all of it, and then I close
        the page,” said a teacher in Leeds. The commission wants to hear from browsers instead: a
        person would say it once, and no banner would ask again. Publishers say that it would cost
        them half of what they earn, and that nobody reads the question anyway.""",
    "an article on filler text": """
        Printers have set “lorem ipsum dolor sit amet, consectetur adipiscing elit” for so long
        that few ask where it is from. A teacher of Latin found it: he looked for the rarest of
        its words, and came upon a work by Cicero on the ends of good and evil. The words have
        been cut in the middle, so that it means nothing, and that is why a reader of a draft
        looks at the page and not at the text.""",
    "a text in a language without spaces": """
        駅前の時計台は、町でいちばん古い建物のひとつです。毎日正午になると、十二回鐘が鳴ります。
        子どもたちはその音を聞いて、学校の校庭から家へ帰ります。去年の冬、時計は三日間止まりました。
        職人が遠くから来て、小さな歯車を一つ取り替えると、また動き始めました。それからは一度も止まらず、
        雪の日も雨の日も正しい時を告げています。""",
    "a text with an address in it": """
        The minutes of the meeting are at
        https://www.example.org/archive/2015/03/minutes-of-the-meeting-of-the-third-of-march.html
        and those who could not come may read there what we said about the roof, the bicycles and
        the neighbour's tree, which will be cut in autumn if the council agrees to it by then.""",
}


@pytest.mark.parametrize("kind", KEPT)
def test_all_filters_keep(kind: str) -> None:
    assert dropped_as(dedent(KEPT[kind])) is None


WALLS = {
    "scripts": """
        We’ve detected that JavaScript is disabled in this browser. Please enable JavaScript or
        switch to a supported browser to continue. A list of them is in our help center.""",
    "cookies": """
        This website uses cookies to improve your experience. We’ll assume you’re ok with this, but
        you can opt-out if you wish.
        Accept
        Privacy policy""",
    "a robot": """
        Please make sure you’re a human
        Verify that you are not a robot by ticking the box below.
        Why did this happen?
        We saw unusual traffic from your network.""",
    "a login": """
        You must be logged in to view this topic.
        Please log in or create an account. It is free and takes a minute.
        Username
        Password
        Forgot your password?""",
    "a subscription": """
        Subscribe to continue reading. You have read your last free articles of this month.
        Already a subscriber? Log in to read on.
        Cancel anytime.""",
    "no page": """
        404 Not Found
        Sorry, the page you are looking for has been removed or renamed, or is temporarily
        unavailable. Check the URL, or try again from our home page.""",
}


@pytest.mark.parametrize("kind", WALLS)
def test_a_wall_is_dropped_and_a_text_with_it_in_front_is_kept(kind: str) -> None:
    assert dropped_as(dedent(WALLS[kind])) == "walls"
    article = KEPT["an article on cookies"] + KEPT["an article on filler text"]
    assert dropped_as(dedent(WALLS[kind] + article)) is None


JUNK = {
    "a menu": ("short-lines", "Home\nNews\nSport\nAbout us\nOur team\nContact\n" * 3),
    "results": (
        "many-digits",
        "".join(f"Arsenal – Chelsea {n}:{n + 1}, 20{n}, row {n}\n" for n in range(10, 30)),
    ),
    "a drawing": ("few-letters", "+-----+-----+\n|  1  |  2  |\n" * 10),
    "markup": (
        "many-symbols",
        "".join(f"<p class=a{n}>@{{mail}} [[page]] =*=<br>a word {n}</p>\n" for n in range(9)),
    ),
    "a picture": ("unbroken", "data:image/png;base64," + "iVBORw0KGgoAAAANSUhEUgAAAAUA" * 20),
    "spam": ("repeated-phrases", "buy cheap watches online now and save, " * 20),
    "comments": (
        "repeated-lines",
        "".join(f"Somebody wrote line {n} of it\nReply to this\nShare\nLike\n" for n in range(9)),
    ),
    "a site to be": (
        "lorem-ipsum",
        "Welcome to our new site\nLorem ipsum dolor sit amet, consectetur adipiscing elit, sed "
        "do eiusmod tempor incididunt ut labore et dolore magna.\nMeet our team of experts!",
    ),
    "letters of a font's own": (
        "damaged",
        "Our plan is \ue001or those who work hard and ask \ue001or little, as all \ue001amilies "
        "know; \ue000e rest o\ue001 it is in the leaflet that we sent in spring.",
    ),
    "what was read wrongly and then lost": (
        "damaged",
        "ÐŸÑ€Ð¸Ð²Ðµ? Ð²Ñ?ÐµÐ¼, ÐºÑ‚Ð¾ Ñ‡Ð¸Ñ‚Ð°ÐµÑ‚ Ñ?Ñ‚Ð¾Ñ‚ Ñ‚ÐµÐºÑ?Ñ‚, and Ñ‡Ð¸Ñ‚Ð°ÐµÑ‚ itself. "
        * 3,
    ),
}


@pytest.mark.parametrize("kind", JUNK)
def test_junk_is_dropped(kind: str) -> None:
    name, text = JUNK[kind]
    assert rejected_by(document(text), {name: ALL[name]}) is not None


@pytest.mark.real
def test_real_novels_all_stay_and_nearly_all_of_openwebtext(real_data: Path) -> None:
    documents = real_data / "documents"
    for novel in read_documents(documents / "novels"):
        assert rejected_by(novel, ALL) is None
    refused = [
        rejected_by(one, ALL) for one in read_documents(documents / "openwebtext_500.jsonl.gz")
    ]
    # A leaflet as a PDF whose font has its own numbers for ligatures with T and f.
    assert [one.name for one in refused if one] == ["damaged"]


@pytest.mark.real
def test_real_articles_stay_but_for_tables_and_a_template(real_data: Path) -> None:
    refused = {}
    for page in read_pages(real_data / "pages" / "articles.warc.gz"):
        text = repaired(main_text(page.content_type, page.body, "fast"))
        if rejection := rejected_by(document(text), ALL):
            refused[page.url] = rejection.name
    assert refused == {
        "http://www.autoracing.com.br/classificacao-nascar/": "many-digits",
        "https://www.beachbodyondemand.com/blog/a-little-more-obsessed-meal-prep": "repeated-lines",
    }
