"""The page as a person uses it: the real command, a real browser."""

import os
import re
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.slow

MEGABYTE = "word " * 200_000
WIDE = """() => [...document.querySelectorAll('body *')].filter(one =>
    one.getClientRects().length && !one.closest('.wr-scroll, pre')
    && one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map(one => `${one.tagName} ${one.className}`)"""
SECONDS = 120_000  # milliseconds: kernels may be compiled first
expect.set_options(timeout=SECONDS)
PRESS_AT_ONCE = """(which) => {  // a text of this model is whole before a hand could press
    const button = document.querySelector(which);
    new MutationObserver(() => button.click()).observe(button, {attributeFilter: ["disabled"]});
}"""


class Served(NamedTuple):
    address: str
    errors: list[str]  # of all pages: the console's, and requests to other places
    said_before: str  # to a request that came while the model was read


@contextmanager
def serving(*given: str, folder: Path) -> Iterator[str]:
    """`wellread playground` in a folder; the address that it prints."""
    command = [sys.executable, "-m", "wellread", "playground", *given]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        with selectors.DefaultSelector() as ready:
            ready.register(process.stdout, selectors.EVENT_READ)
            assert ready.select(timeout=60), "no address within a minute"
        yield process.stdout.readline().removeprefix("playground: ").strip()
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 143
        process.stdout.close()


@pytest.fixture(scope="module")
def served(made: Path, browser: Browser) -> Iterator[Served]:
    """A server whose model can be read to its end only after a first request has come."""
    state = made / "runs" / "2x128" / "checkpoints" / "step-0000001" / "state.json"
    kept = state.read_bytes()
    state.unlink()
    os.mkfifo(state)
    errors: list[str] = []
    with serving(folder=made.parent) as address:
        page = opened(browser, address, errors)
        page.locator("#wr-write").click()
        note = page.get_by_text("still being read")
        expect(note).to_be_visible()
        said = note.inner_text()
        with state.open("wb") as pipe:  # once the reader has opened it too
            state.with_name("whole").write_bytes(kept)
            state.with_name("whole").replace(state)
            pipe.write(kept)
        expect(page.locator("#wr-sample-0 .wr-token").first).to_be_visible()
        page.close()
        yield Served(address, errors, said)


@pytest.fixture
def page(served: Served, browser: Browser) -> Iterator[Page]:
    """The page, opened anew; no error and no request to another place until it is closed."""
    found = opened(browser, served.address, served.errors)
    yield found
    found.close()
    assert served.errors == []


def opened(browser: Browser, address: str, errors: list[str], width: int = 1280) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.set_default_timeout(SECONDS)
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    own = re.compile(re.escape(address.partition("?")[0]) + "|data:|blob:")
    page.on("request", lambda sent: None if own.match(sent.url) else errors.append(sent.url))
    page.goto(address)
    return page


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def test_a_model_that_is_still_being_read_is_waited_for(served: Served) -> None:
    assert served.said_before == (
        "The model is still being read: the answer comes as soon as it is there."
    )
    assert served.errors == []


def test_two_models_write_and_each_token_tells_what_else_could_have_come(page: Page) -> None:
    page.get_by_label("Two models side by side").check()
    page.locator("#wr-write").click()
    for side in (0, 1):
        expect(page.locator(f"#wr-sample-{side} .wr-token").nth(3)).to_be_visible()
    expect(page.locator(".wr-caret")).to_have_count(0)
    tokens = page.locator("#wr-sample-0 .wr-token")
    tokens.nth(2).hover()
    expect(page.get_by_role("tooltip")).to_contain_text("bits of surprise")
    expect(page.locator("#wr-tip .wr-likely")).to_have_count(8)
    page.keyboard.press("Escape")
    expect(page.get_by_role("tooltip")).to_be_hidden()
    tokens.first.focus()
    page.keyboard.press("ArrowRight")
    expect(tokens.nth(1)).to_be_focused()
    expect(page.get_by_role("tooltip")).to_be_visible()


def test_a_sample_is_looked_up_in_the_training_set(page: Page) -> None:
    page.locator("#wr-write").click()
    page.locator("#wr-look-up-0").click()
    expect(page.locator("#wr-found")).to_contain_text("Looked in")
    page.locator("#wr-memory textarea").fill("the names that were found in the folder, sorted by")
    page.locator("#wr-look-up").click()
    expect(page.locator("#wr-found .wr-source h3")).to_have_text("http://shop.example/0")
    expect(page.locator("#wr-found .wr-text mark")).to_have_text(
        "the names that were found in the folder, sorted by"
    )


def test_stop_ends_a_text_and_the_next_can_begin(page: Page) -> None:
    page.get_by_label("Tokens (to 400)").fill("400")
    page.evaluate(PRESS_AT_ONCE, "#wr-stop")
    page.locator("#wr-write").click()
    expect(page.locator("#wr-sample-0 .wr-token").first).to_be_visible()
    expect(page.locator("#wr-write")).to_be_enabled()
    expect(page.locator(".wr-caret:visible")).to_have_count(0)
    assert page.locator("#wr-sample-0 .wr-token").count() < 400
    page.get_by_label("Tokens (to 400)").fill("3")
    page.locator("#wr-write").click()
    expect(page.get_by_text(re.compile(r"^[123] tokens? in"))).to_be_visible()


def test_a_task_shows_its_prompt_and_the_score_of_each_candidate(page: Page) -> None:
    tab(page, "Tasks")
    page.get_by_label("Question answering").check()
    expect(page.locator("#wr-task-text textarea")).to_have_value(re.compile("leap year"))
    page.locator("#wr-ask").click()
    expect(page.locator("#wr-sent pre")).to_contain_text("A:")
    expect(page.locator("#wr-scores tbody tr").filter(has_text="366")).to_have_count(1)
    expect(page.get_by_text("chosen: likeliest")).to_have_count(1)
    page.locator("#wr-task-text textarea").fill("")
    page.locator("#wr-ask").click()
    expect(page.get_by_text("The text is empty")).to_be_visible()


def test_a_text_is_split_as_it_is_typed(page: Page) -> None:
    tab(page, "Tokenizer")
    expect(page.locator("#wr-tree svg")).to_be_visible()
    box = page.locator("#wr-typed textarea")
    box.fill("")
    expect(page.get_by_text("Type something")).to_be_visible()
    box.press_sequentially("the of")
    expect(page.locator("#wr-pieces .wr-piece bdi")).to_have_text(["t", "he", "␣of"])
    expect(page.locator("#wr-compared tbody tr")).to_have_count(2)
    page.get_by_label("Word, with its space").fill("")
    expect(page.get_by_text("Type a word.")).to_be_visible()


def test_a_megabyte_is_cut_at_once_and_the_page_says_so(page: Page) -> None:
    """Where more than the box has room for is pasted, the browser itself cuts it."""
    page.locator("#wr-write").wait_for()
    started = time.monotonic()
    for name, box, button in (
        ("Write", "#wr-prompt textarea", "#wr-write"),
        ("Memory", "#wr-memory textarea", "#wr-look-up"),
        ("Tokenizer", "#wr-typed textarea", None),
    ):
        tab(page, name)
        page.locator(box).focus()
        page.locator(box).press("Control+A")
        page.keyboard.insert_text(MEGABYTE)
        if button:
            page.locator(button).click()
        said = page.get_by_text("characters were taken").locator("visible=true")
        expect(said).to_be_visible()
    assert time.monotonic() - started < 60
    tab(page, "Write")
    page.locator("#wr-prompt textarea").fill("")
    page.locator("#wr-write").click()
    expect(page.get_by_text(re.compile(r"^\d+ tokens? in"))).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_page(served: Served, browser: Browser, width: int) -> None:
    page = opened(browser, served.address, served.errors, width)
    page.locator("#wr-write").click()
    page.locator("#wr-sample-0 .wr-token").first.hover()
    for name in ("Write", "Tasks", "Tokenizer", "Memory"):
        tab(page, name)
        if name == "Tasks":
            expect(page.locator("#wr-task-text textarea")).not_to_have_value("")
            page.locator("#wr-ask").click()
            expect(page.locator("#wr-scores table")).to_be_visible()
        assert page.evaluate(WIDE) == []
    page.close()
    assert served.errors == []


def test_bound_wider_the_page_is_only_for_whoever_has_the_token(
    tmp_path: Path, browser: Browser
) -> None:
    """And without a model it opens, and says how to make one."""
    with serving("--host", "0.0.0.0", folder=tmp_path) as address:
        place, _, token = re.sub("//[^:/]+", "//127.0.0.1", address).partition("?token=")
        page = browser.new_context().new_page()
        page.set_default_timeout(SECONDS)
        for wrong in (place, f"{place}?token={token[:-1]}"):
            refused = page.goto(wrong)
            assert refused is not None
            assert refused.status == 401
        page.goto(f"{place}?token={token}")
        expect(page.get_by_text("wellread demo --quick -o demo-quick")).to_be_visible()
        assert page.url == place
        tab(page, "Memory")
        expect(page.get_by_text("wellread playground MODEL --corpus CORPUS")).to_be_visible()
        page.close()
