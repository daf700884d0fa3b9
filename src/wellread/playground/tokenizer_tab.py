"""The tab Tokenizer on the page."""

from typing import Any

import gradio as gr

from wellread.playground import html
from wellread.playground.limits import TYPED, taken
from wellread.playground.loading import Desk
from wellread.playground.tokenizer import (
    TEXT,
    WORD_FOR_TREE,
    compared,
    comparison,
    first_merges,
    split,
    tree,
)

PERCENT = 25


def add(desk: Desk, blocks: gr.Blocks) -> None:
    """The tab, its texts split as soon as the tokenizer has been read."""
    reading = desk.tokenizer
    if reading is None:
        gr.HTML(
            html.with_code(
                "There is no tokenizer here. Learn one from a folder of texts, and start the page "
                "again beside it:",
                "wellread tokenizer train FOLDER --vocab-size 2000 -o tokenizer",
            )
        )
        return
    text = gr.Textbox(
        TEXT, label="Text", lines=3, max_lines=12, max_length=TYPED + 1, elem_id="wr-typed"
    )
    pieces = gr.HTML(elem_id="wr-pieces")
    gr.HTML('<h2 class="wr-h">The merges of a word</h2>')
    word = gr.Textbox(
        WORD_FOR_TREE, label="Word, with its space", max_lines=1, max_length=80, elem_id="wr-word"
    )
    drawn = gr.HTML(elem_id="wr-tree")
    gr.HTML('<h2 class="wr-h">Two tokenizers, one text</h2>')
    kept = gr.Slider(
        0, 100, PERCENT, step=1, label="The second has so many of the first's merges, in percent",
        elem_id="wr-kept",
    )  # fmt: skip
    table = gr.HTML(elem_id="wr-compared")

    def typed(given: str, percent: float) -> tuple[str, str]:
        cut, note = taken(given, TYPED)
        found = split(reading.result(), cut)
        shown = html.note(note) + html.pieces(found.tokens) + html.facts(found.facts)
        return shown, against(cut, percent)

    def against(given: str, percent: float) -> str:
        tokenizer = reading.result()
        number = round(len(tokenizer.merges) * percent / 100)
        named = {
            "this one": tokenizer,
            f"its first {number:,} merges": first_merges(tokenizer, number),
        }
        others = [one.result() for one in desk.models[1:] if one.done() and not one.exception()]
        named |= {
            one.name: one.tokenizer
            for one in others
            if one.tokenizer.vocabulary != tokenizer.vocabulary
        }
        return comparison(compared(named, taken(given, TYPED).text))

    def merged(given: str) -> str:
        return tree(reading.result(), given)

    how: dict[str, Any] = {
        "show_progress": "hidden", "trigger_mode": "always_last", "queue": False,
        "api_visibility": "private",
    }  # fmt: skip
    text.change(typed, [text, kept], [pieces, table], **how)
    word.change(merged, word, drawn, **how)
    kept.change(against, [text, kept], table, **how)
    blocks.load(typed, [text, kept], [pieces, table], **how)
    blocks.load(merged, word, drawn, **how)
