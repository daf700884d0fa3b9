"""The tab Write on the page."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import gradio as gr

from wellread.base.errors import InputError, WellreadError
from wellread.playground import html
from wellread.playground.limits import NEW_TOKENS, PROMPT, taken
from wellread.playground.loading import Desk, Loaded, still_reading
from wellread.playground.memory_tab import Memory
from wellread.playground.write import EXAMPLES, Asked, Sample, samples

DEFAULT = Asked(prompt="")
LARGEST_SEED = 2**53  # whole numbers of a page's script
# Not as minimum and maximum of the boxes: the browser would count its steps from the minimum.
RANGES = {
    "Temperature": (0.05, 10),
    "Top-k": (0, LARGEST_SEED),
    "Top-p": (0.01, 1),
    "Tokens": (1, NEW_TOKENS),
    "Seed": (0, LARGEST_SEED),
}


class Side(NamedTuple):
    """What one model has written, and what leads from there to the tab Memory."""

    column: gr.Column
    text: gr.HTML
    facts: gr.HTML
    plain: gr.State  # the text of the sample alone
    look_up: gr.Button


def add(desk: Desk) -> Sequence[Side]:
    """The tab; the sides that it writes to, none without a model."""
    if not desk.models:
        gr.HTML(html.note("Without a model there is nothing that could write."))
        return ()
    first = EXAMPLES[0]
    with gr.Row(elem_classes="wr-examples"):
        buttons = [gr.Button(one.name, size="sm", min_width=80) for one in EXAMPLES]
    prompt = gr.Textbox(
        first.prompt, label="Prompt", lines=3, max_lines=12, max_length=PROMPT + 1,
        elem_id="wr-prompt",
    )  # fmt: skip
    expect = gr.HTML(html.note(first.expect))
    settings = _settings()
    both = gr.Checkbox(
        value=False, label="Two models side by side", visible=len(desk.models) > 1,
        container=False, elem_id="wr-both",
    )  # fmt: skip
    with gr.Row(elem_classes="wr-actions"):
        write = gr.Button("Write", variant="primary", elem_id="wr-write", min_width=120, scale=0)
        stop = gr.Button("Stop", elem_id="wr-stop", min_width=90, scale=0, interactive=False)
    said = gr.HTML()
    with gr.Row(elem_classes="wr-sides"):
        sides = [_side(number) for number in range(len(desk.models))]
    gr.HTML(html.legend())

    def run(given: str, *values: Any) -> Iterator[list[Any]]:
        *numbers, side_by_side = values
        for at, shown in enumerate(pictures(desk, given, numbers, both=side_by_side)):
            yield [*([gr.skip(), gr.skip()] if at else buttons_while(is_coming=True)), *shown]
        yield [*buttons_while(is_coming=False), *[gr.skip()] * (len(outputs) - 2)]

    outputs = [
        write,
        stop,
        said,
        *(part for side in sides for part in (side.text, side.facts, side.plain)),
    ]
    event = gr.on(
        [write.click, prompt.submit], run, [prompt, *settings, both], outputs,
        show_progress="hidden", concurrency_id="model", concurrency_limit=1,
        trigger_mode="multiple",  # "once" ignores a press while the page still counts what ended
        api_visibility="private",
    )  # fmt: skip
    stop.click(
        lambda: [*buttons_while(is_coming=False), html.note("Stopped.")], None,
        [write, stop, said], cancels=[event], queue=False,
        show_progress="hidden", api_visibility="private",
    )  # fmt: skip
    for button, example in zip(buttons, EXAMPLES, strict=True):

        def chosen(example: Any = example) -> tuple[str, str]:
            return example.prompt, html.note(example.expect)

        button.click(
            chosen, None, [prompt, expect], show_progress="hidden", queue=False,
            api_visibility="private",
        )  # fmt: skip
    if len(sides) > 1:
        both.change(
            lambda is_on: gr.update(visible=is_on), both, sides[1].column, queue=False,
            show_progress="hidden", api_visibility="private",
        )  # fmt: skip
    return sides


def buttons_while(*, is_coming: bool) -> list[Any]:
    """The buttons Write and Stop, of which one can be pressed at a time."""
    return [gr.update(interactive=not is_coming), gr.update(interactive=is_coming)]


def _settings() -> list[Any]:
    with gr.Row(elem_classes="wr-settings"):
        return [
            gr.Number(DEFAULT.temperature, step=0.1, label="Temperature", min_width=100),
            gr.Number(DEFAULT.top_k, precision=0, step=1, label="Top-k (0: all)", min_width=100),
            gr.Number(DEFAULT.top_p, step=0.05, label="Top-p", min_width=100),
            gr.Number(
                DEFAULT.num_tokens,
                precision=0,
                step=10,
                label=f"Tokens (to {NEW_TOKENS})",
                min_width=100,
            ),
            gr.Number(DEFAULT.seed, precision=0, step=1, label="Seed", min_width=100),
        ]


def _side(number: int) -> Side:
    with gr.Column(visible=number == 0, min_width=300, elem_id=f"wr-side-{number}") as column:
        text, facts = gr.HTML(elem_id=f"wr-sample-{number}"), gr.HTML()
        plain = gr.State("")
        look_up = gr.Button(
            "Look this up in the training set", size="sm", visible=False, scale=0,
            elem_id=f"wr-look-up-{number}",
        )  # fmt: skip
    return Side(column, text, facts, plain, look_up)


def link_to(memory: Memory, tabs: gr.Tabs, sides: Sequence[Side]) -> None:
    """Let what was written be looked up."""
    for side in sides:
        side.plain.change(
            lambda text: gr.update(visible=bool(text)), side.plain, side.look_up, queue=False,
            show_progress="hidden", api_visibility="private",
        )  # fmt: skip
        side.look_up.click(
            lambda text: (text, gr.Tabs(selected="memory")), side.plain, [memory.text, tabs],
            show_progress="hidden", queue=False, api_visibility="private",
        ).then(memory.look_up, memory.text, memory.found, **memory.how)  # fmt: skip


def asked_from(prompt: str, numbers: Sequence[float | None]) -> Asked:
    """What the page's boxes hold; an empty one, or one out of its range, is an InputError."""
    for (name, (least, most)), value in zip(RANGES.items(), numbers, strict=True):
        wanted = f"from {least} to {most:,}" if most < LARGEST_SEED else f"of at least {least}"
        if value is None:
            raise InputError(f"{name} is empty: give a number {wanted}.")
        if not least <= value <= most:
            raise InputError(f"{name} is {value:g}: give a number {wanted}.")
    temperature, top_k, top_p, num_tokens, seed = (value or 0 for value in numbers)
    return Asked(
        prompt=prompt,
        temperature=temperature,
        top_k=int(top_k),
        top_p=top_p,
        num_tokens=int(num_tokens),
        seed=int(seed),
    )


def pictures(
    desk: Desk, given: str, numbers: Sequence[float | None], *, both: bool
) -> Iterator[list[Any]]:
    """What the page shows from the click on: a sentence; text, facts, plain text of each side."""
    readings = list(desk.models[: 1 + both])
    empty = ["", "", ""] * len(desk.models)
    prompt, note = taken(given, PROMPT)
    if sentence := still_reading(readings):
        yield [html.note(sentence), *empty]
    try:
        asked = asked_from(prompt, numbers)
        models: list[Loaded] = [reading.result() for reading in readings]
        for latest in samples(models, asked):
            shown = [part for sample in latest for part in _parts(sample, asked, alone=not both)]
            yield [html.note(note), *shown, *empty[len(shown) :]]
    except WellreadError as error:
        yield [html.note(str(error), "wr-bad"), *empty]


def _parts(sample: Sample, asked: Asked, *, alone: bool) -> list[str]:
    facts = sample.facts(asked.num_tokens)
    return [
        html.coloured(asked.prompt, sample.written, is_done=sample.is_done),
        html.facts(facts if alone else f"{sample.name} · {facts}"),
        sample.text,
    ]
