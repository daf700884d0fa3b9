"""From the page's address to a model's first token, in Chromium.

    python benchmarks/playground.py DEMO

DEMO is what `wellread demo` made. The server runs and has read the model; each time the browser has
not seen the page before. Needs Debian's chromium.
"""

import shutil
import statistics
import subprocess
import sys
import time

from playwright.sync_api import Browser, sync_playwright

ROUNDS = 7


def once(browser: Browser, address: str) -> tuple[float, float]:
    """Seconds until `Write` can be pressed, and from then on until a token stands there."""
    context = browser.new_context()
    page = context.new_page()
    started = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.locator("#wr-write").wait_for()
    opened = time.perf_counter()
    page.locator("#wr-write").click()
    page.locator("#wr-sample-0 .wr-token").first.wait_for()
    answered = time.perf_counter()
    context.close()
    return opened - started, answered - opened


def main() -> None:
    command = [sys.executable, "-u", "-m", "wellread", "playground", sys.argv[1]]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        address = server.stdout.readline().removeprefix("playground: ").strip()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            once(browser, address)  # the model is read, its kernels are compiled
            rows = [once(browser, address) for _ in range(ROUNDS)]
            browser.close()
    finally:
        server.terminate()
        server.wait()
    times = {
        "page open": [opened for opened, _ in rows],
        "first token after that": [answered for _, answered in rows],
    }
    for name, values in times.items():
        median = statistics.median(values)
        sys.stdout.write(f"{name}: median {median:.2f} s, at most {max(values):.2f} s\n")


if __name__ == "__main__":
    main()
