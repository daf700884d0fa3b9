"""The tab Tasks on the page."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from wellread.base.errors import WellreadError
from wellread.playground import html
from wellread.playground.limits import CANDIDATES, PROMPT, taken
from wellread.playground.loading import Desk, still_reading
from wellread.playground.tasks import (
    PRESETS,
    expectation,
    lines,
    preset_of,
    prompt_page,
    scores_page,
)


def add(desk: Desk, blocks: gr.Blocks) -> None:
    """The tab; its first preset is filled in as soon as the tasks have been read."""
    if not desk.models:
        gr.HTML(html.note("Without a model there is nobody to be asked."))
        return
    first = PRESETS[0]
    preset = gr.Radio(
        [(one.name, one.key) for one in PRESETS], value=first.key, label="Task of the paper",
        elem_id="wr-preset",
    )  # fmt: skip
    about = gr.HTML()
    example = gr.Dropdown([], label="Example", elem_id="wr-example")
    text = gr.Textbox(
        label=first.text, lines=5, max_lines=14, max_length=PROMPT + 1, elem_id="wr-task-text"
    )
    candidates = gr.Textbox(
        label=first.candidates, info="One a line; the first is right.", lines=3, max_lines=8,
        max_length=CANDIDATES, elem_id="wr-candidates",
    )  # fmt: skip
    with gr.Row(elem_classes="wr-actions"):
        ask = gr.Button("Ask", variant="primary", elem_id="wr-ask", scale=0, min_width=120)
    said = gr.HTML()
    sent, scores = gr.HTML(elem_id="wr-sent"), gr.HTML(elem_id="wr-scores")

    def opened(key: str) -> tuple[Any, ...]:
        """A preset's words and its first example."""
        chosen, texts = preset_of(key), desk.examples.result()[key]
        size = desk.models[0].result().model.config.num_parameters
        names = [
            (f"{at}. {one.text.split(chr(10))[0][:70]}", at) for at, one in enumerate(texts, 1)
        ]
        return (
            html.note(chosen.paper) + html.note(expectation(chosen, size)),
            gr.update(choices=names, value=1),
            gr.update(value=texts[0].text, label=chosen.text),
            gr.update(value="\n".join(texts[0].candidates), label=chosen.candidates),
            "", "", "",
        )  # fmt: skip

    def taken_from(key: str, number: int) -> tuple[str, str]:
        one = desk.examples.result()[key][number - 1]
        return one.text, "\n".join(one.candidates)

    def run(key: str, given: str, named: str) -> Iterator[tuple[str, str, str]]:
        yield from answers(desk, key, given, named)

    how: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    filled = [about, example, text, candidates, said, sent, scores]
    preset.change(opened, preset, filled, concurrency_limit=4, **how)
    blocks.load(opened, preset, filled, concurrency_limit=4, **how)
    example.input(taken_from, [preset, example], [text, candidates], concurrency_limit=4, **how)
    ask.click(
        run, [preset, text, candidates], [said, sent, scores],
        concurrency_id="model", concurrency_limit=1, **how,
    )  # fmt: skip


def answers(desk: Desk, key: str, given: str, named: str) -> Iterator[tuple[str, str, str]]:
    """What the page shows from the click on: a sentence, the prompt that is sent, the scores."""
    text, note = taken(given, PROMPT)
    if sentence := still_reading(desk.models[:1]):
        yield html.note(sentence), "", ""
    try:
        loaded = desk.models[0].result()
        from wellread.playground.asking import ask  # loads the tasks, and they PyTorch

        answered = ask(loaded, key, text, lines(taken(named, CANDIDATES).text))
    except WellreadError as error:
        yield html.note(str(error), "wr-bad"), "", ""
        return
    yield html.note(note), prompt_page(answered), scores_page(answered)
