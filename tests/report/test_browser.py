"""The page in a real browser: nothing overflows, nothing fails, every anchor leads somewhere."""

from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.report.made_study import design_study, planted_study, size_study, write_study
from wellread.report.build import write_report
from wellread.report.config import ReportConfig

STUDIES = {
    "sizes": size_study,
    "design": lambda: (design_study(),),
    "planted": lambda: (planted_study(),),
}
# The figures of each page.
FIGURES = {
    "finished_page": 11,
    "half_run": 3,
    "comparison_page": 1,
    "sizes": 7,
    "design": 6,
    "planted": 3,
}
# What is wider than its place: the page, a table, a listing, or a figure's words.
OVERFLOWS = """() => {
  document.querySelectorAll('details').forEach(one => one.open = true);
  const wide = [...document.querySelectorAll('html, .scroll, pre')]
    .filter(one => one.scrollWidth > one.clientWidth)
    .map(one => one.parentElement?.id || one.tagName);
  const outside = [...document.querySelectorAll('figure svg')].filter(svg => svg.clientWidth)
    .flatMap(svg => [...svg.querySelectorAll('text')].filter(text => {
      const inner = text.getBoundingClientRect(), outer = svg.getBoundingClientRect();
      return inner.left < outer.left - 1 || inner.right > outer.right + 1;
    })).map(text => text.textContent);
  return [...wide, ...outside];
}"""
LOST = """() => [...document.querySelectorAll('a[href^="#"]')]
  .map(one => one.getAttribute('href').slice(1)).filter(id => !document.getElementById(id))"""
LEVELS = "() => [...document.querySelectorAll('h1, h2, h3, h4')].map(one => +one.tagName[1])"
# Words whose contrast with what is behind them is below 4.5 (WCAG 2, 1.4.3), and its value.
FAINT = """() => {
  const channel = value => (value /= 255) <= 0.04045 ? value / 12.92
    : ((value + 0.055) / 1.055) ** 2.4;
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = rgb => rgb.slice(0, 3).map(channel)
    .reduce((sum, value, n) => sum + value * [0.2126, 0.7152, 0.0722][n], 0);
  const paper = numbers(getComputedStyle(document.body).backgroundColor);
  const found = {};
  for (const one of document.querySelectorAll('body *')) {
    const has = [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!has || one.closest('.skip, style') || !one.getClientRects().length) continue;
    const style = getComputedStyle(one);
    const colour = numbers(one instanceof SVGElement ? style.fill : style.color);
    const [dark, bright] = [light(colour), light(paper)].sort((a, b) => a - b);
    const contrast = (bright + 0.05) / (dark + 0.05);
    if (contrast < 4.5) found[one.textContent.trim().slice(0, 40)] = contrast.toFixed(2);
  }
  return found;
}"""


def page_of(which: str, request: pytest.FixtureRequest, folder: Path) -> Path:
    if which in STUDIES:
        run = folder / which
        write_study(run, *STUDIES[which]())
    else:
        run = request.getfixturevalue(which)
        if which != "half_run":
            return run / "index.html"
    write_report(run, folder / "report", ReportConfig())
    return folder / "report" / "index.html"


def opened(browser: Browser, address: str, width: int, problems: list[str]) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda asked: problems.append(asked.url))
    page.goto(address)
    return page


@pytest.mark.slow
@pytest.mark.parametrize("which", list(FIGURES))
def test_the_page_fits_works_and_can_be_read(
    browser: Browser, request: pytest.FixtureRequest, tmp_path: Path, which: str
) -> None:
    address = page_of(which, request, tmp_path).as_uri()
    for width in (1280, 390):
        problems: list[str] = []
        page = opened(browser, address, width, problems)
        assert [problem for problem in problems if problem not in (address, "data:,")] == []
        assert page.evaluate(OVERFLOWS) == []
        shown = "[...document.querySelectorAll('figure svg')].filter(s => s.clientWidth).length"
        assert page.evaluate(shown) == FIGURES[which]
        if width == 1280:
            assert page.evaluate(LOST) == []
            levels = page.evaluate(LEVELS)
            assert levels[0] == 1
            assert all(after <= before + 1 for before, after in pairwise(levels))
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                assert page.evaluate(FAINT) == {}
        page.close()
