"""The tab Tasks: the paper's prompts, what is really sent, and the score of each candidate."""

from collections.abc import Sequence

import msgspec
from markupsafe import Markup

from wellread.base.text import human_number
from wellread.formats.published import published
from wellread.playground import html

SMALL = 50_000_000  # parameters; of a model below this nothing is expected beyond chance


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """One of the paper's tasks in words."""

    key: str
    name: str
    text: str  # what stands in its text box
    candidates: str  # and in that for candidates
    paper: str  # what the paper does
    small: str  # what to expect from a small model
    published: tuple[str, str, str]  # task, metric, and how they are called in a sentence


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A continuation, and what the model says of it."""

    name: str
    given: str  # what stands before it and not in the prompt that all share
    scored: str
    log_prob: float  # natural logarithm, of all its tokens
    num_tokens: int
    is_own: bool  # the model wrote it


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt as it was sent, and the candidates."""

    prompt: str
    is_cut: bool  # not all of the text fits into the context
    context: int
    own: str | None  # what the model wrote; None: it only chooses
    candidates: list[Candidate]

    @property
    def best(self) -> Candidate:
        """The likeliest as a whole."""
        return max(self.candidates, key=lambda one: one.log_prob)


PRESETS = (
    Preset(
        key="summary",
        name="Summary: TL;DR",
        text="An article",
        candidates="Summaries to score",
        paper="Section 3.6: “TL;DR:” is appended to an article; 100 tokens are drawn from the two "
        "likeliest at each place, and the first three sentences count as the summary.",
        small="Sentences in the manner of its training text, with words of the article at best. "
        "It does not summarise.",
        published=("cnn-dm", "rouge_average", "an average ROUGE of"),
    ),
    Preset(
        key="en-fr",
        name="Translation into French",
        text="An English sentence",
        candidates="Translations to score",
        paper="Section 3.7: pairs “english = french” are shown, then a sentence and “=”; the first "
        "sentence that greedy decoding writes counts.",
        small="Without French in its training text it writes no French, or copies a line that was "
        "shown. WebText itself had 10 MB of it among 40 GB.",
        published=("wmt14-en-fr", "bleu", "a BLEU of"),
    ),
    Preset(
        key="fr-en",
        name="Translation into English",
        text="A French sentence",
        candidates="Translations to score",
        paper="Section 3.7, the other way round: the paper's model is better at this, since it is "
        "English that has to be written.",
        small="English, but not of this sentence: it has seen too little French to read it.",
        published=("wmt14-fr-en", "bleu", "a BLEU of"),
    ),
    Preset(
        key="questions",
        name="Question answering",
        text="A question",
        candidates="Answers to score",
        paper="Section 3.8: a few questions with answers are shown, then the question; greedy "
        "decoding answers, and only the exact answer counts.",
        small="The form of an answer, often one of those that were shown. The paper's smallest "
        "model does not get beyond 1 %.",
        published=("natural-questions", "exact_match", "exact answers to"),
    ),
    Preset(
        key="reading",
        name="Reading comprehension",
        text="A text, then Q: and A: in turns; the last question is open",
        candidates="Answers to score",
        paper="Section 3.5: a document and the conversation about it so far, then “A:”; greedy "
        "decoding answers.",
        small="Words near the question's, or of the answer before. What helps a little is that the "
        "answer stands in the prompt.",
        published=("coqa", "f1", "an F1 of"),
    ),
    Preset(
        key="winograd",
        name="Winograd schema",
        text="A sentence with its pronoun in [brackets]",
        candidates="What the pronoun may mean",
        paper="Section 3.4, after Trinh and Le: each candidate takes the pronoun's place; the "
        "model chooses the one after which the rest of the sentence is likelier.",
        small="A coin: half of them are right by chance, and a change of one word in the sentence "
        "seldom changes its choice.",
        published=("winograd", "accuracy", "right answers to"),
    ),
    Preset(
        key="last-word",
        name="The last word",
        text="A passage without its last word",
        candidates="Words to score",
        paper="Section 3.3, LAMBADA: the last word of a passage, which can be guessed from the "
        "whole of it and hardly from its last sentence.",
        small="A word that often follows the last two or three, whatever the passage is about.",
        published=("lambada", "accuracy", "right words for"),
    ),
)


def preset_of(key: str) -> Preset:
    return next(preset for preset in PRESETS if preset.key == key)


def expectation(preset: Preset, num_parameters: int) -> str:
    """What to expect of a model of this size, with what the paper has.

    >>> expectation(preset_of("winograd"), 1_542_000_000)
    'The paper’s largest model has right answers to 70.7 % of such items.'
    """
    task, metric, words = preset.published
    score = published(task, metric)
    assert score is not None, "each preset is a task of the paper"
    value = human_number(list(score.by_size.values())[-1])
    if metric in ("accuracy", "exact_match"):
        value += " % of such items"
    paper = f"The paper’s largest model has {words} {value}."
    if num_parameters >= SMALL:
        return paper
    return f"To expect of {num_parameters / 1e6:.1f} million parameters: {preset.small} {paper}"


def lines(text: str) -> list[str]:
    """One candidate a line."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def prompt_page(answered: Answered) -> Markup:
    cut = (
        f"The context has {answered.context:,} tokens: not all of the text has room, and this is "
        "what is left of it."
        if answered.is_cut
        else ""
    )
    return Markup(
        '<h2 class="wr-h">What is sent</h2>{}<pre class="wr-sent" tabindex="0">{}</pre>'
    ).format(html.note(cut), html.seen(answered.prompt))


def scores_page(answered: Answered) -> Markup:
    """The answer; the candidates, the likeliest first, and in each what is scored."""
    answer = answered.best.name if answered.own is None else answered.own
    ordered = sorted(answered.candidates, key=lambda one: -one.log_prob)
    shown = html.table(
        ["candidate", "log-prob.", "tokens", "per token"],
        [_row(one, is_best=one is answered.best) for one in ordered],
        numbers=(1, 2, 3),
    )
    return (
        Markup(
            '<h2 class="wr-h">What it answers</h2><div class="wr-text">{}</div>'
            '<h2 class="wr-h">Scores</h2>'
        ).format(answer or Markup('<span class="wr-prompt">nothing: its answer is empty</span>'))
        + shown
        + Markup(
            '<p class="wr-facts">Natural logarithms; marked is what is scored. A longer candidate '
            "has more to pay for, hence the column per token.</p>"
        )
    )


def _row(one: Candidate, *, is_best: bool) -> Sequence[object]:
    words = Markup('<code class="wr-seen">{}<mark>{}</mark></code>').format(
        html.seen(one.given), html.seen(one.scored)
    )
    if one.scored.strip() != one.name:
        words = Markup("{}<br>{}").format(one.name, words)
    marks = [*["chosen: likeliest"] * is_best, *["written by the model"] * one.is_own]
    tags = Markup(" ").join(Markup('<span class="wr-tag">{}</span>').format(mark) for mark in marks)
    return (
        Markup("{} {}").format(words, tags),
        html.number(one.log_prob),
        one.num_tokens,
        html.number(one.log_prob / one.num_tokens),
    )
