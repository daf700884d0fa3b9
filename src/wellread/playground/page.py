"""The page: its head, its four tabs, its style."""

from collections.abc import Iterator
from importlib import resources

import gradio as gr
from fastapi import FastAPI
from markupsafe import Markup

from wellread.base.errors import WellreadError
from wellread.playground import html, limits, memory_tab, tasks_tab, tokenizer_tab, write_tab
from wellread.playground.given import MAKE_DEMO, Given
from wellread.playground.loading import Desk

FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Liberation Sans", "sans-serif")
MONO = ("ui-monospace", "SF Mono", "Menlo", "DejaVu Sans Mono", "monospace")  # none is fetched


def built(desk: Desk) -> FastAPI:
    """The application that answers for the page."""
    with gr.Blocks(title="wellread playground", analytics_enabled=False) as blocks:
        head = gr.HTML(header(desk.given, "reading the model …" if desk.models else ""))
        with gr.Tabs() as tabs:
            with gr.Tab("Write", id="write"):
                writing = write_tab.add(desk)
            with gr.Tab("Tasks", id="tasks"):
                tasks_tab.add(desk, blocks)
            with gr.Tab("Tokenizer", id="tokenizer"):
                tokenizer_tab.add(desk, blocks)
            with gr.Tab("Memory", id="memory"):
                memory = memory_tab.add(desk)
        if writing and memory:
            write_tab.link_to(memory, tabs, writing)
        if desk.models:

            def facts() -> Iterator[str]:
                yield from headers(desk)

            blocks.load(
                facts, outputs=head, show_progress="hidden", concurrency_limit=8,
                api_visibility="private",
            )  # fmt: skip
    blocks.queue(default_concurrency_limit=1, max_size=limits.WAITING, api_open=False)
    return gr.mount_gradio_app(
        FastAPI(openapi_url=None),
        blocks,
        path="/",
        footer_links=[],
        run_history=False,
        allowed_paths=[],
        show_error=False,
        max_file_size=0,
        app_kwargs={"openapi_url": None},
        ssr_mode=False,
        enable_monitoring=False,
        mcp_server=False,
        theme=theme(),
        css=style(),
        head=f"<script>{read('page.js')}</script>",
    )


def headers(desk: Desk) -> Iterator[str]:
    """The head while the models are read, and then what they are."""
    said: list[str] = []
    for reading in desk.models:
        try:
            loaded = reading.result()
        except WellreadError as error:
            said.append(str(error))
        else:
            said.append(f"{loaded.name}: {loaded.facts}")
        yield header(desk.given, *said)


def header(given: Given, *facts: str) -> Markup:
    where = f"The demo’s, found in {given.found_in}/" if given.found_in else ""
    lines = [html.facts(fact) for fact in facts if fact]
    offer = Markup("") if given.model else no_model()
    return Markup(
        '<header class="wr-head"><h1>wellread <span>playground</span></h1>{}{}{}</header>'
    ).format(
        Markup().join(lines),
        html.facts(where) if where else "",
        offer,
    )


def no_model() -> Markup:
    return html.with_code(
        "There is no model here. This makes one in under three minutes, from documentation that "
        "Python brought; then start the page again:",
        MAKE_DEMO,
    ) + html.with_code("Or name a model that you have:", "wellread playground MODEL")


def theme() -> gr.themes.Base:
    """Gradio's plainest, in the colours of the report, with fonts that the machine has."""
    own = gr.themes.Base(
        primary_hue=gr.themes.colors.blue,
        neutral_hue=gr.themes.colors.gray,
        radius_size=gr.themes.sizes.radius_sm,
        font=FONTS,
        font_mono=MONO,
    )
    return own.set(
        body_background_fill="var(--paper)",
        body_background_fill_dark="var(--paper)",
        body_text_color="var(--ink)",
        body_text_color_dark="var(--ink)",
        block_background_fill="var(--paper)",
        block_background_fill_dark="var(--paper)",
        block_border_width="0px",
        block_shadow="none",
        block_padding="0",
        input_border_width="1px",
        input_border_color_focus="var(--link)",
        input_border_color_focus_dark="var(--link)",
        color_accent="var(--link)",
        checkbox_background_color_selected="var(--link)",
        checkbox_background_color_selected_dark="var(--link)",
        checkbox_border_color_selected="var(--link)",
        checkbox_border_color_selected_dark="var(--link)",
        block_label_background_fill="transparent",
        block_label_background_fill_dark="transparent",
        block_title_text_color="var(--muted)",
        block_title_text_color_dark="var(--muted)",
        block_title_text_size="0.82rem",
        input_background_fill="var(--paper)",
        input_background_fill_dark="var(--shade)",
        input_border_color="var(--rule)",
        input_border_color_dark="var(--rule)",
        border_color_primary="var(--rule)",
        border_color_primary_dark="var(--rule)",
        button_primary_background_fill="var(--link)",
        button_primary_background_fill_dark="var(--link)",
        button_primary_background_fill_hover="var(--ink)",
        button_primary_background_fill_hover_dark="var(--ink)",
        button_primary_text_color="var(--paper)",
        button_primary_text_color_dark="var(--paper)",
        button_secondary_background_fill="var(--shade)",
        button_secondary_background_fill_dark="var(--shade)",
        button_secondary_text_color="var(--ink)",
        button_secondary_text_color_dark="var(--ink)",
        slider_color="var(--link)",
        slider_color_dark="var(--link)",
    )


def style() -> str:
    """Our own, and that of the tokenizer's pictures."""
    pictures = resources.files("wellread.tokenizer") / "page" / "picture.css"
    return read("page.css") + pictures.read_text(encoding="utf-8")


def read(name: str) -> str:
    return (resources.files("wellread.playground") / "style" / name).read_text(encoding="utf-8")
