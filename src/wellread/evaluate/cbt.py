"""The Children's Book Test: which of ten words fills the blank after twenty sentences."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from wellread.base.errors import InputError
from wellread.evaluate import detokenize
from wellread.evaluate.choices import METRICS, Option, Question, score_questions
from wellread.evaluate.metrics import Outcome
from wellread.evaluate.task import (
    Axis,
    BenchmarkFile,
    Loaded,
    Settings,
    Setup,
    Sources,
    Task,
    as_loaded,
    benchmark_path,
    counted,
)

BLANK = "XXXXX"
QUESTION_LINE = "21"
NUM_ITEMS = {"valid": 2000, "test": 2500}  # of each kind, in the files' own names
SPLIT = Axis(
    default="valid",
    others=("test",),
    reason="the paper reports the validation set, as a book of the test set is in WebText "
    "(section 3.2)",
)
DETOKENIZER = Axis(
    default="on",
    others=("off",),
    reason="the paper applies one (section 3.2), which is not published; ours joins the Penn "
    "Treebank tokens of the passage and of the sentence with each candidate in it",
)
SCOPE = Axis(
    default="rest",
    others=("choice",),
    reason="the paper scores the choice and the rest of the sentence (section 3.2)",
)


STYLE = msgspec.structs.replace(
    detokenize.CBT,
    spelled={**detokenize.CBT.spelled, "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}"},
    opening=detokenize.CBT.opening + "{",
    closing=detokenize.CBT.closing + "|}",
)
# Quotations that do not begin or end in the text, or stand within others, and those of British
# books: a lone ' closes one after a mark, and is an apostrophe elsewhere.
QUOTES = [
    (re.compile(r"(?<!\S)`` "), '"'),
    (re.compile(r" ''(?!\S)"), '"'),
    (re.compile(r"(?<![^\s\"([])` "), "'"),
    (re.compile(r"(?<=[.,;:!?\"-]) '(?![^\s\"])"), "'"),
]


class Cloze(msgspec.Struct, frozen=True, kw_only=True):
    """A passage, a sentence with a blank after it, and words for the blank."""

    item: str
    passage: str
    before: str  # of the last sentence, up to the blank
    after: str
    candidates: tuple[str, ...]
    answer: str
    document: str | None = None


def read_cbt(path: Path) -> list[Cloze]:
    """The original layout: lines `1 ...` to `20 ...`; question, answer, nothing, candidates."""
    examples: list[Cloze] = []
    sentences: list[str] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        label, _, rest = line.partition(" ")
        if not line.strip():
            continue
        if label != QUESTION_LINE:
            sentences.append(rest.strip())
            continue
        fields = rest.split("\t")
        if len(fields) != 4 or fields[0].count(BLANK) != 1:
            raise InputError(
                f"{path}:{number}: not a CBT question; expected one {BLANK}, and after it the "
                "answer, an empty field and the candidates, separated by tabs"
            )
        candidates = tuple(fields[3].strip().split("|"))
        if fields[1] not in candidates:
            raise InputError(
                f"{path}:{number}: the answer {fields[1]!r} is not among the candidates"
            )
        before, after = fields[0].split(BLANK)
        examples.append(
            Cloze(
                item=str(len(examples) + 1),
                passage=" ".join(sentences),
                before=before,
                after=after.rstrip(),
                candidates=candidates,
                answer=fields[1],
            )
        )
        sentences = []
    return examples


def as_written(text: str) -> str:
    """The tokens joined as one would write them, where `detokenize` could part them again.

    >>> as_written("` I ca n't , ' said he -LSB- sadly -RSB- .")
    "'I can't,' said he [sadly]."
    """
    text = detokenize.detokenize(text, STYLE).text
    for pattern, mark in QUOTES:
        text = pattern.sub(mark, text)
    return text


class Filled(NamedTuple):
    """A sentence up to its blank, and with each candidate in it."""

    start: str
    sentences: list[str]


def filled(example: Cloze, after: str, write: Callable[[str], str]) -> Filled:
    """All begin alike; where what is written would not, they stand as they are stored."""
    start = write(example.before + BLANK).removesuffix(BLANK).rstrip()
    sentences = [write(example.before + word + after) for word in example.candidates]
    alike = all(sentence.startswith(start) for sentence in sentences)
    return Filled(start, sentences) if alike else filled(example, after, str)


def as_question(example: Cloze, settings: Settings) -> Question:
    """Each candidate in the blank; `scope` says whether what follows is scored with it."""
    write = as_written if settings.get("detokenizer") == "on" else str
    passage = write(example.passage)
    start, whole = filled(example, example.after, write)
    sentences = whole if settings["scope"] == "rest" else filled(example, "", write).sentences
    prompt = f"{passage} {start}".rstrip()
    right = example.candidates.index(example.answer)
    return Question(
        item=example.item,
        text=f"{passage} {whole[right]}",
        options=[
            Option(word, prompt, f"{passage} {sentence}".removeprefix(prompt))
            for word, sentence in zip(example.candidates, sentences, strict=True)
        ],
        right=right,
        document=example.document,
    )


def score_clozes(setup: Setup, examples: Sequence[Cloze]) -> list[Outcome]:
    """Accuracy of the most probable candidate."""
    return score_questions(setup, [as_question(example, setup.settings) for example in examples])


def cbt_task(kind: str, words: str, published: str | None) -> Task:
    """One of the four tasks that differ in the kind of word left out."""
    files = {
        split: BenchmarkFile(
            path=f"CBTest/data/cbtest_{kind}_{split}_{num}ex.txt",
            sha256=None,
            obtain="It is in www.thespermwhale.com/jaseweston/babi/CBTest.tgz; unpack that in the "
            "folder of benchmark files",
            when={"split": (split,)},
        )
        for split, num in NUM_ITEMS.items()
    }

    def load(sources: Sources) -> Loaded:
        split = sources.settings["split"]
        path = benchmark_path(files[split], sources)
        return as_loaded(counted(read_cbt(path), NUM_ITEMS[split], path))

    return Task(
        source=f"the Children's Book Test (Hill et al. 2016), {words}",
        licence="GNU Free Documentation License 1.3; the books are in the public domain",
        files=tuple(files.values()),
        axes={"split": SPLIT, "detokenizer": DETOKENIZER, "scope": SCOPE},
        metrics=METRICS,
        published=published,
        is_layout_tested=True,
        load=load,
        score=score_clozes,
    )
