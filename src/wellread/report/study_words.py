"""How a study's numbers and names are written."""

import re

from wellread.base.text import human_number
from wellread.formats.estimates import Estimate, Unit
from wellread.formats.studies import TRAINING
from wellread.report.blocks import NOTHING, Cell, metric_name
from wellread.report.evidence import HELD_OUT, ON_TRAINING

DIGITS = {"perplexity": 2, "nats": 3, "bits": 3}
IN_WORDS = {
    "share": "percentage points", "nats": "nats per token", "bits": "bits per byte",
    "perplexity": "perplexity", "number": "",
}  # fmt: skip


def amount(value: float, unit: Unit, *, is_difference: bool = False) -> str:
    """
    >>> amount(0.2417, "share"), amount(0.2417, "share", is_difference=True)
    ('24.2 %', '+24.2')
    >>> amount(-0.0317, "bits", is_difference=True), amount(31.456, "perplexity")
    ('−0.032', '31.46')
    """
    sign = "+" if is_difference else ""
    if unit == "number":
        text = human_number(value, "+" if is_difference else "")
    elif unit == "share":
        text = f"{round(100 * value, 1) or 0.0:{sign}.1f}" + ("" if is_difference else " %")
    else:
        digits = DIGITS[unit] if abs(value) < 1000 else 0
        text = f"{round(value, digits) or 0.0:{sign},.{digits}f}"
    return text.replace("-", "−")


def interval(low: float | None, high: float | None, unit: Unit, *, of: bool = False) -> str:
    """Its ends in words; of a difference if `of`. Empty where there is none.

    >>> interval(0.1, 0.25, "share"), interval(-0.1, 0.2, "nats", of=True)
    ('10.0 to 25.0 %', '−0.100 to +0.200')
    """
    if low is None or high is None:
        return ""
    first, last = (amount(end, unit, is_difference=of) for end in (low, high))
    return f"{first.removesuffix(' %')} to {last}"


def estimate_cell(found: Estimate | None, unit: Unit, *, of: bool = True) -> Cell:
    """A number with its interval below it; of a difference if `of`."""
    if found is None:
        return NOTHING
    return ranged_cell(found.value, found.low, found.high, unit, of=of)


def ranged_cell(
    value: float, low: float | None, high: float | None, unit: Unit, *, of: bool = False
) -> Cell:
    text = amount(value, unit, is_difference=of)
    ends = interval(low, high, unit, of=of).removesuffix(" %")
    return Cell(text, value, low=low, high=high, detail=ends)


def in_words(found: Estimate, unit: Unit) -> str:
    """
    >>> in_words(Estimate(value=0.12, low=0.1, high=0.14), "share")
    '+12.0 percentage points (95 % +10.0 to +14.0)'
    """
    ends = interval(found.low, found.high, unit, of=True)
    text = f"{amount(found.value, unit, is_difference=True)} {IN_WORDS[unit]}".rstrip()
    return f"{text} (95 % {ends})" if ends else text


def is_on_training(task: str) -> bool:
    """Whether it is the loss on documents that were trained on.

    >>> is_on_training("held-out,each=4,split=train"), is_on_training("held-out")
    (True, False)
    """
    name, *settings = task.split(",")
    return name == HELD_OUT and ON_TRAINING in settings


def task_name(task: str) -> str:
    """With its settings that are words, and without their names.

    >>> task_name("cloze-ten-words,items=300,kind=names"), task_name("held-out,split=train")
    ('cloze-ten-words (names)', 'training documents')
    """
    if is_on_training(task):
        return "training documents"
    name, *settings = task.split(",")
    values = [part.rpartition("=")[2] for part in settings]
    words = ", ".join(value for value in values if not value.isdecimal())
    return f"{name} ({words})" if words else name


def score_name(task: str, metric: str) -> str:
    """
    >>> score_name("cloze-ten-words", "accuracy"), score_name("training", "held_out_loss")
    ('cloze-ten-words, accuracy', 'held-out loss, in training')
    """
    if task == TRAINING:
        return f"{metric_name(metric).replace('held out', 'held-out')}, in training"
    return f"{task_name(task)}, {metric_name(metric)}"


def with_minus(text: str) -> str:
    """The sign that other numbers on the page have.

    >>> with_minus("6x256-0: -0.02 (-0.03 to -0.01)")
    '6x256-0: −0.02 (−0.03 to −0.01)'
    """
    return re.sub(r"(?<!\w)-(?=\d)", "−", text)


def counted(number: int, of: int, what: str) -> str:
    """
    >>> counted(1, 1, "score"), counted(4, 6, "score")
    ('the one score', '4 of 6 scores')
    """
    return f"the one {what}" if number == of == 1 else f"{number} of {of} {what}s"
