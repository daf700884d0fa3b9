"""From a text of the tab Tasks to a task's own prompt and scores; importing it loads PyTorch."""

import itertools
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from wellread.base.errors import InputError
from wellread.evaluate import coqa, questions, translation
from wellread.evaluate.choices import Option, Question, requests_for
from wellread.evaluate.coqa import Turn
from wellread.evaluate.language_model import TorchModel
from wellread.evaluate.last_word import read_lambada
from wellread.evaluate.questions import MAX_NEW_TOKENS, Asked, read_questions, read_shots
from wellread.evaluate.summaries import Story, read_stories, write_summaries
from wellread.evaluate.summaries import fitted as fitted_article
from wellread.evaluate.task import Setup, choose, own_data
from wellread.evaluate.translation import Pair, read_parallel, turned
from wellread.evaluate.winograd import Schema, as_question, read_winograd
from wellread.evaluate.written import Fitted, fitted, write_greedily
from wellread.playground.loading import Loaded
from wellread.playground.tasks import Answered, Candidate

PRONOUN = re.compile(r"^(.*?)\s*\[(\w+)\]\s*(.*)$", re.DOTALL)
TURN = re.compile(r"^Q:(.*)\n+A:(.*)$", re.MULTILINE)
NUM_EXAMPLES = 6
# The demo's own tasks, which need no file, and the paper's CoQA, of which only the form is taken.
TASKS = {
    "summary": "demo-summary",
    "en-fr": "demo-translation",
    "fr-en": "demo-translation",
    "questions": "demo-qa",
    "reading": "coqa",
    "winograd": "demo-winograd",
    "last-word": "demo-lambada",
}


class Example(NamedTuple):
    """A text for a preset, and candidates, the right one first."""

    text: str
    candidates: list[str]


READING = (
    Example(
        "Mira had a small shop by the river. Every morning she opened the door at seven. A boy "
        "called Tom carried the boxes to the houses.\nQ: Who had a shop?\nA: Mira\nQ: What did Tom "
        "carry?",
        ["the boxes", "the shop", "a river"],
    ),
    Example(
        "The function takes a list of numbers and returns the largest one. If the list is empty, "
        "it raises an error.\nQ: What does the function take?\nA: a list of numbers\nQ: What "
        "happens if the list is empty?",
        ["it raises an error", "it returns the largest one", "nothing"],
    ),
)
WRONG = {  # beside the right answer, so that there is something to choose
    "last-word": ["door", "time", "name"],
    "questions": ["Rome", "a list"],
}


def examples() -> dict[str, list[Example]]:
    """Texts for each preset, those that the demo's tasks have."""
    english, french = (
        read_parallel(own_data("translation") / name, own_data("translation") / other)
        for name, other in (("newstest.en", "newstest.fr"), ("newstest.fr", "newstest.en"))
    )
    asked = read_questions(own_data("qa/NQ-open.demo.jsonl"))
    passages = read_lambada(own_data("lambada/lambada_test.jsonl"))
    every = {
        "summary": [Example(s.article, [" ".join(s.highlights)]) for s in _stories()],
        "en-fr": [Example(*_with_next(english, at)) for at in range(NUM_EXAMPLES)],
        "fr-en": [Example(*_with_next(french, at)) for at in range(NUM_EXAMPLES)],
        "questions": [
            Example(one.question, [one.answers[0], *WRONG["questions"]]) for one in asked
        ],
        "reading": list(READING),
        "winograd": [
            Example(_bracketed(schema), _right_first(schema))
            for schema in read_winograd(own_data("winograd/WSCollection.xml"))
        ],
        "last-word": [
            Example(one.prompt, [one.target.strip(), *WRONG["last-word"]]) for one in passages
        ],
    }
    return {key: found[:NUM_EXAMPLES] for key, found in every.items()}


def _stories() -> list[Story]:
    return read_stories(own_data("stories"))


def _with_next(pairs: Sequence[tuple[str, str]], at: int) -> tuple[str, list[str]]:
    """A sentence, its translation, and that of another one."""
    return pairs[at][0], [pairs[at][1], pairs[at + 1][1]]


def _bracketed(schema: Schema) -> str:
    glue = "" if schema.after[:1] in ".,;:!?'" else " "
    return f"{schema.before} [{schema.pronoun}]{glue}{schema.after}".strip()


def _right_first(schema: Schema) -> list[str]:
    right = schema.answers[schema.right]
    return [right, *(answer for answer in schema.answers if answer != right)]


def ask(loaded: Loaded, key: str, text: str, candidates: Sequence[str]) -> Answered:
    """What a preset sends for a text, what the model answers, and the score of each candidate."""
    if not text.strip():
        raise InputError("The text is empty: write something, or take one of the examples.")
    chosen = choose(TASKS[key])
    lm = TorchModel(loaded.model, loaded.tokenizer.end_of_text)
    setup = Setup(lm, loaded.tokenizer, chosen.settings, 0)
    if key == "winograd":
        return _scored(setup, _schema_options(setup, text, candidates))
    if key == "last-word":
        prompt = text.rstrip()
        [found] = write_greedily(setup, [prompt], stop="line", max_new_tokens=8)
        word = found.answer.partition(" ")[0]
        wrote = found.space + word
        return _scored(setup, _after(setup, prompt, candidates, wrote), own=word, written=wrote)
    if key == "summary":
        story = Story(item="typed", article=text.strip(), highlights=[])
        [summed] = write_summaries(setup, [story])
        own, sent = " ".join(summed.summaries[0]), fitted_article(setup, story.article)
        wrote = ""  # its sentences stand joined, which it did not write
    else:
        prompt, stop, most = _prompt(setup, key, text)
        [found] = write_greedily(setup, [prompt], stop=stop, max_new_tokens=most)
        own, sent = found.answer, fitted(setup, prompt, most)
        wrote = found.space + own
    prompt = loaded.tokenizer.decode(sent.ids)
    options = _after(setup, prompt, candidates, wrote)
    return _scored(setup, options, own=own, written=wrote, sent=sent)


def _prompt(setup: Setup, key: str, text: str) -> tuple[str, str, int]:
    """A task's own prompt, where an answer ends, and how many tokens it has at most."""
    settings = setup.settings
    if key == "questions":
        shots = read_shots(own_data("qa/NQ-open.shots.jsonl"))
        asked = Asked(item="typed", question=text.strip(), answers=[], shots=shots)
        return questions.prompt_for(asked), "line", MAX_NEW_TOKENS
    if key == "reading":
        return coqa.prompt_for(_turn(text), settings["prompt"]), settings["stop"], _most(settings)
    shots = read_parallel(own_data("translation/shots.en"), own_data("translation/shots.fr"))
    shots = shots if key == "en-fr" else turned(shots)
    pair = Pair(item="typed", metric="bleu", source=text.strip(), reference="", shots=shots)
    return translation.prompt_for(pair), settings["stop"], _most(settings)


def _most(settings: Any) -> int:
    return int(settings["tokens"])


def _turn(text: str) -> Turn:
    """A story, questions with their answers, and a question without one."""
    story, mark, said = text.strip().partition("\nQ:")
    before, _, question = ("Q:" + said).rpartition("Q:")
    if not mark or "\nA:" in question:
        raise InputError("The text must end with a line that begins with Q: and has no answer yet.")
    history = [(q.strip(), a.strip()) for q, a in TURN.findall(before)]
    return Turn(
        item="typed", document="typed", domain="typed", story=story.strip(), history=history,
        question=question.strip(), answers=[],
    )  # fmt: skip


def _schema_options(setup: Setup, text: str, candidates: Sequence[str]) -> list[Option]:
    found = PRONOUN.match(text.strip())
    if found is None or len(candidates) < 2:
        raise InputError(
            "A schema needs its pronoun in brackets, as in “because [it] was too wide”, and two "
            "candidates, one a line."
        )
    before, pronoun, after = found.groups()
    schema = Schema(
        item="typed", before=before, pronoun=pronoun, after=after, answers=list(candidates), right=0
    )
    settings = setup.settings
    return list(as_question(schema, settings["scoring"], settings["answers"]).options)


def _after(setup: Setup, prompt: str, candidates: Sequence[str], written: str) -> list[Option]:
    """Each candidate after the prompt and a space; what the model wrote is one too, if it fits."""
    most = setup.lm.context
    sizes = {
        text: len(setup.tokenizer.encode(text)) for text in [written, *map(_spaced, candidates)]
    }
    for name in candidates:
        if sizes[_spaced(name)] > most:
            raise InputError(
                f"A candidate has {sizes[_spaced(name)]:,} tokens and the model's context "
                f"{most:,}: shorten “{name[:40]}…”."
            )
    is_there = bool(written.strip()) and sizes[written] <= most
    texts = dict.fromkeys([*[written] * is_there, *map(_spaced, candidates)])
    if not texts:
        raise InputError("There is no candidate to score: write one on a line of its own.")
    return [Option(text.strip(), prompt, text) for text in texts]


def _spaced(candidate: str) -> str:
    return f" {candidate}"


def _scored(
    setup: Setup,
    options: Sequence[Option],
    *,
    own: str | None = None,
    written: str | None = None,
    sent: Fitted | None = None,
) -> Answered:
    """The scores; `own` is the answer, `written` what of it is one of the options."""
    requests = requests_for(setup, Question("typed", "", options, right=0))
    answers = setup.lm.log_probs(requests.options)
    prompts = [setup.tokenizer.decode(request.context) for request in requests.options]
    alike = itertools.takewhile(lambda column: len(set(column)) == 1, zip(*prompts, strict=False))
    shared = "".join(column[0] for column in alike)
    return Answered(
        prompt=shared if sent is None else setup.tokenizer.decode(sent.ids),
        is_cut=requests.is_truncated if sent is None else sent.is_truncated,
        context=setup.lm.context,
        own=own,
        candidates=[
            Candidate(
                name=option.name,
                given=prompt[len(shared) :],
                scored=option.scored,
                log_prob=float(answer.log_probs.sum()),
                num_tokens=len(answer.log_probs),
                is_own=option.scored == written,
            )
            for option, prompt, answer in zip(options, prompts, answers, strict=True)
        ],
    )
