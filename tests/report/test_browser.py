"""The page in a real browser: nothing overflows, nothing fails, every anchor leads somewhere."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from wellread.report.build import write_report
from wellread.report.config import ReportConfig


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("which", ["finished_run", "half_run"])
def test_the_page_fits_and_works(
    browser: Browser,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    which: str,
    scheme: str,
    width: int,
) -> None:
    write_report(request.getfixturevalue(which), tmp_path / "report", ReportConfig())
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda asked: problems.append(asked.url))
    address = (tmp_path / "report" / "index.html").as_uri()
    page.goto(address)
    assert [problem for problem in problems if problem not in (address, "data:,")] == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    cut = "(element => element.scrollWidth - element.clientWidth)"
    assert page.evaluate(f"{cut}(document.querySelector('#table-drops .scroll'))") <= 0
    lost = """[...document.querySelectorAll('a[href^="#"]')]
        .filter(a => !document.getElementById(a.getAttribute('href').slice(1))).length"""
    assert page.evaluate(lost) == 0
    shown = "[...document.querySelectorAll('figure svg')].filter(s => s.clientWidth).length"
    assert page.evaluate(shown) == {"finished_run": 12, "half_run": 4}[which]
    page.close()
