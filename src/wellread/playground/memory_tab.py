"""The tab Memory on the page."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import gradio as gr

from wellread.base.errors import WellreadError
from wellread.playground import html
from wellread.playground.limits import LOOKED_UP, taken
from wellread.playground.loading import Desk
from wellread.playground.memory import HOW, NOTHING_NAMED, look_up, page, where


class Memory(NamedTuple):
    """What another tab needs to have a text looked up."""

    text: gr.Textbox
    found: gr.HTML
    look_up: Callable[[str], Iterator[str]]
    how: dict[str, Any]


def add(desk: Desk) -> Memory | None:
    """The tab; None if there is no training text to look in."""
    index, corpus = desk.given.index, desk.given.corpus
    if index is None and corpus is None:
        gr.HTML(html.with_code(NOTHING_NAMED, HOW))
        return None
    gr.HTML(
        html.note(
            "Which words of a text stand in the training set, eight or more in a row? A model "
            "that repeats them may have them by heart; or it is how everybody says it. "
            + where(index, corpus)
        )
    )
    text = gr.Textbox(
        label="Text", lines=6, max_lines=16, max_length=LOOKED_UP + 1, elem_id="wr-memory",
        placeholder="Paste a text, or write one with the model and have it looked up.",
    )  # fmt: skip
    with gr.Row(elem_classes="wr-actions"):
        button = gr.Button("Look up", variant="primary", elem_id="wr-look-up", scale=0)
    found = gr.HTML(elem_id="wr-found")

    def looked_up(given: str) -> Iterator[str]:
        yield from answers(desk, given)

    how: dict[str, Any] = {
        "show_progress": "hidden", "concurrency_id": "memory", "concurrency_limit": 1,
        "api_visibility": "private",
    }  # fmt: skip
    button.click(looked_up, text, found, **how)
    return Memory(text, found, looked_up, how)


def answers(desk: Desk, given: str) -> Iterator[str]:
    """What the page shows from the click on."""
    text, note = taken(given, LOOKED_UP)
    if not text.strip():
        yield html.note("The text is empty: paste one, or let the model write one.", "wr-bad")
        return
    yield html.note("Looking in the training text …")
    try:
        yield html.note(note) + page(look_up(text, desk.given.index, desk.given.corpus))
    except WellreadError as error:
        yield html.note(str(error), "wr-bad")
