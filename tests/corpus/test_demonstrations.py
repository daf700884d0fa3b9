"""What texts demonstrate: the paper's examples, one text a rule, what is none, and real pages."""

import time
from collections import Counter
from pathlib import Path

import pytest

from wellread.corpus.demonstrations import KINDS, Found, demonstrations_in
from wellread.corpus.foreign import is_foreign
from wellread.formats.documents import read_documents

STORY = "The ferry left at six in the morning, long before anybody in the village was awake.\n" * 5


def quoted(text: str, kind: str) -> list[str]:
    return [text[one.start : one.end] for one in demonstrations_in(text) if one.kind == kind]


def kinds_in(text: str) -> list[str]:
    return [one.kind for one in demonstrations_in(text)]


# Radford et al. 2019, table 1, with its quotation marks.
TABLE_1 = (
    "”I’m not the cleverest man in the world, but like they say in French: Je ne suis pas un "
    "imbecile [I’m not a fool].",
    "In a now-deleted post from Aug. 16, Soheil Eid, Tory candidate in the riding of Joliette, "
    "wrote in French: ”Mentez mentez, il en restera toujours quelque chose,” which translates as, "
    "”Lie lie and something will always remain.”",
    "“I hate the word ‘perfume,”’ Burr says. ‘It’s somewhat better in French: ‘parfum.’",
    "If listened carefully at 29:55, a conversation can be heard between two guys in French: "
    "“-Comment on fait pour aller de l’autre coté? -Quel autre coté?”, which means “- How do you "
    "get to the other side? - What side?”.",
    "If this sounds like a bit of a stretch, consider this question in French: As-tu aller au "
    "cinéma?, or Did you go to the movies?, which literally translates as Have-you to go to "
    "movies/theater?",
    "“Brevet Sans Garantie Du Gouvernement”, translated to English: “Patented without government "
    "warranty”.",
)


@pytest.mark.parametrize("sentence", TABLE_1)
def test_each_sentence_of_the_papers_table_1_is_a_translation(sentence: str) -> None:
    assert quoted(f"{STORY}{sentence}\n{STORY}", "translation") == [sentence]


@pytest.mark.parametrize(
    "sentence",
    [
        'The motto "Enloricata navis que primo terram circuivit" ("First ironclad to sail around '
        'the world") was hers.',
        "They swam in the Great Slave Lake (French: Grand lac des Esclaves) all summer.",
        "The port of Fukuoka (Japanese: 福岡) is open.",
        'A "mal de mer," meaning "an illness of the sea," took hold of him.',
        "To her brother “buenas noches” means “good night” in Spanish and nothing else.",
        'He was a lupo, Italian for "wolf", among lambs.',
        "Zettelkasten is German for “slip box” and nothing else.",
        "Garam masala, which translates roughly to “hot mixture” in Hindi, is a spice.",
        'Take the road with a toll (in Spanish: "carretera de peaje") to get there.',
        'We were shown sweets known as "Green Parry" ("Paccha pyaari" in Malayalam) there.',
        'The sign says "Grand lac des Esclaves", usually translated into English as "Great Slave '
        'Lake".',
        'I wished her "a happy new year", which translates to "ein gutes neues Jahr", and left.',
    ],
)
def test_words_beside_their_english_are_a_translation(sentence: str) -> None:
    assert quoted(f"It rained. {sentence} It rained again.", "translation") == [sentence]


@pytest.mark.parametrize(
    "text",
    [
        'She answered in French: "I do not want to see him again," and left.',
        'He wrote, in French, "Je ne veux plus le voir," and no more.',
        'By "Covered Code" means any code that is covered.',
        '"Irony" means "saying the opposite".',
        'There is "a place of quiet" ("a garden of peace") behind the house.',
        'Popularity, he said, "does not" translate into "votes at the election".',
        "Paris (French: Paris) is large.",
        "A German Shepherd (German, black) lay there.",
        "He voted in German for “Der Spiegel”.",
        "The play had been in French for years.",
        'Write it in Spanish: "No hay nadie en casa."\n(And then go home.)',
        '"LW", which translates to "the last weekday of the month", is allowed.',
        'It is "off" by default, which translates to "no".',
    ],
)
def test_words_about_languages_are_none(text: str) -> None:
    assert kinds_in(text) == []


def test_what_is_foreign_is_told_by_few_words() -> None:
    assert is_foreign("La vie est belle")
    assert not is_foreign("Life is beautiful")
    assert is_foreign("Grand lac des Esclaves", "French")
    assert not is_foreign("")
    assert not is_foreign("\x00\ud800")


@pytest.mark.parametrize(
    "summary",
    [
        "TL;DR: It left early and nobody saw it.",
        "**tl;dr** It left early and nobody saw it.",
        "TLDR\nIt left early and nobody saw it.",
        "In short: it left early and nobody saw it.",
        "Summary: it left early and nobody saw it.",
    ],
)
def test_a_line_that_says_so_is_a_summary_before_or_after_its_text(summary: str) -> None:
    assert quoted(f"{STORY}{summary}\n", "summary") == [summary]
    assert quoted(f"{summary}\n{STORY}", "summary") == [summary]
    assert kinds_in(summary) == []


@pytest.mark.parametrize(
    "line",
    [
        "In short, it left early and nobody saw it.",
        "I write a tl;dr at the end of everything that I write.",
        "He did it all,\nin short: he left early and nobody saw it.",
        "TL;DR",
        "Summary\nIt left early and nobody saw it.",
    ],
)
def test_a_mere_mention_is_no_summary(line: str) -> None:
    assert kinds_in(f"{STORY}{line}\n") == []


@pytest.mark.parametrize(
    "pair",
    [
        "Q: Who was awake?\nA: Nobody in the village.",
        "Q. Favourite boat\n\nA. The ferry.",
        "Q1: Who was awake?\nAnd why was he?\nA1: Nobody.",
        "**Question:** Who was awake?\n**Answer:** Nobody.",
        "Q: Who was awake? Was anybody? A: Nobody in the village.",
        "Who was awake at six?\n\nAnswer: Nobody in the village.",
    ],
)
def test_a_question_and_an_answer_that_are_marked_are_a_pair(pair: str) -> None:
    assert quoted(f"{STORY}{pair}\n{STORY}", "question and answer") == [pair]


def test_pairs_in_one_line_are_told_apart() -> None:
    text = "Q: Who left? A: The ferry. Q: When? A: At six."
    assert quoted(text, "question and answer") == [
        "Q: Who left? A: The ferry.",
        "Q: When? A: At six.",
    ]


QUESTIONS = ("When does it leave?", "2. How long does it take?", "Is there food?", "CAN I SWIM?")
ANSWER = "It is what everybody asks, and the answer is on the board at the pier.\n"


def test_a_page_of_questions_with_a_paragraph_below_each_is_pairs() -> None:
    page = "".join(f"{question}\n\n{ANSWER}\n" for question in QUESTIONS)
    pairs = [f"{question}\n\n{ANSWER[:-1]}" for question in QUESTIONS]
    assert quoted(page, "question and answer") == pairs


@pytest.mark.parametrize(
    "page",
    [
        "".join(f"{question}\n{ANSWER}" for question in QUESTIONS[:3]),
        "".join(f"{question}\n{ANSWER}{STORY * 8}" for question in QUESTIONS),
        "\n".join([*QUESTIONS, ANSWER]),
        "".join(f"{question}\nThis {ANSWER}" for question in QUESTIONS),
        "".join(f"“{question}”\n{ANSWER}" for question in QUESTIONS),
        "".join(f"{question}\n“{ANSWER}" for question in QUESTIONS),
        "".join(f"and he asked of himself,\n{question}\n{ANSWER}" for question in QUESTIONS),
        "Q: Who was awake?\nNobody said a word.\n",
        "J. Q. Adams asked. A. Lincoln answered.\n",
    ],
    ids=["few", "far apart", "in a row", "this", "asked", "said", "wrapped", "no answer", "names"],
)
def test_questions_of_essays_and_stories_are_no_pairs(page: str) -> None:
    assert kinds_in(page) == []


GLOSSARY = (
    "Bow: the front of a ship, whatever its size",
    "Keel: what the ribs of a ship stand on",
    "Ballast: heavy things that keep a ship upright",
)


@pytest.mark.parametrize("separator", [":", " –", " —", " -"])
def test_three_terms_and_what_they_mean_are_a_list_of_definitions(separator: str) -> None:
    glossary = "\n\n".join(GLOSSARY).replace(":", separator)
    assert quoted(f"{STORY}{glossary}\n{STORY}", "definitions") == [glossary]


@pytest.mark.parametrize(
    "lines",
    [
        GLOSSARY[:2],
        [GLOSSARY[0], "A word between.", *GLOSSARY[1:]],
        [GLOSSARY[0], GLOSSARY[1].replace(":", " –"), GLOSSARY[2]],
        ["Anna: what do you mean?", "Bert: nothing at all.", "Anna: then why do you say it?"],
        ["East: Smith will be coach.", "West: Jones was named coach.", "South: Brown is coach."],
        ["England: 10th time they come", "Spain: fourth of 11 times", "Italy: won it in 2006"],
        ["- Search: add an index to it", "- Menu: make it shorter now", "- Text: fix many typos"],
        ["of a ship - or at least a boat - she", "had - for long - been", "fond - too fond - and"],
    ],
    ids=["two", "apart", "marks", "speakers", "names", "digits", "changes", "wrapped"],
)
def test_other_lists_define_nothing(lines: list[str]) -> None:
    assert kinds_in("\n".join(lines)) == []


def test_marks_of_prepared_data_sets_are_counted_each() -> None:
    wikitext = "the <unk> of a well @-@ known 1 @,@ 000 ton <UNK>"
    treebank = "it lost $ N million -LRB- N N -RRB- <eos>"
    story = "It left early .\n\n@highlight\n\nNobody saw it"
    assert Counter(kinds_in(wikitext)) == {"unknown word": 2, "tokenized text": 2}
    assert quoted(treebank, "tokenized text") == ["$ N million", "-LRB-", "-RRB-", "<eos>"]
    assert quoted(story, "tokenized text") == ["@highlight"]
    assert kinds_in("me@home.example, $ NZ 4, <b>, @highlights, a-LR-b, </s>") == []


def test_all_kinds_come_in_order_and_say_what_they_are() -> None:
    text = f"TL;DR: It left <unk> early and nobody saw it.\n{STORY}Q: Who?\nA: <unk>."
    assert kinds_in(text) == ["summary", "unknown word", "question and answer", "unknown word"]
    assert demonstrations_in("<unk>") == [Found(kind="unknown word", start=0, end=5)]
    assert list(KINDS) == [
        "definitions",
        "question and answer",
        "summary",
        "tokenized text",
        "translation",
        "unknown word",
    ]
    assert all("section 3." in kind.task and kind.counted.endswith(".") for kind in KINDS.values())


@pytest.mark.parametrize(
    "unit",
    [
        "Q: ", "Q: x\n", "Q: x?\n\n", "A:\n", "x?\nA: y\n", "What is this thing?\n", '"', "“", "”",
        "'", "a", "\n", " ", "in French: ", "French ", '" means ', '" ("x', " is French for ",
        "(French: ", "means “x” in French ", '"je ne suis pas" means "I am not" ',
        "Term: a word of it\n", "Term - ", "- ", "TL;DR\n", "Summary:", "<", " @-@", "東京 (",
    ],
)  # fmt: skip
def test_no_text_takes_long(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    begin = time.process_time()
    demonstrations_in(text)
    assert time.process_time() - begin < 2  # a quarter of a second; if quadratic, many


@pytest.mark.real
def test_few_real_pages_demonstrate_anything(real_data: Path) -> None:
    """All of these have been read, and are right."""
    pages = read_documents(real_data / "documents" / "openwebtext_500.jsonl.gz")
    found = Counter(kind for page in pages for kind in kinds_in(page.text))
    assert found == {"question and answer": 18, "translation": 4, "definitions": 1}


@pytest.mark.real
@pytest.mark.parametrize("name", ["wikitext2/test.txt", "ptb/ptb.test.txt"])
def test_a_benchmark_in_the_corpus_shows(real_data: Path, name: str) -> None:
    text = (real_data / "benchmarks" / name).read_text()
    assert Counter(kinds_in(text))["unknown word"] == text.count("<unk>") > 1000
