"""Connections that are gone leave nothing behind."""

import contextlib
import subprocess
import sys

from tests.sites.local_site import local_site

PROGRAM = """
import sys
from twisted.internet import defer, reactor, task
from twisted.web.client import Agent, readBody
from wellread.crawl.guards import ForgetfulPool

pool = ForgetfulPool(reactor)
pool.cachedConnectionTimeout = 0.2
agent = Agent(reactor, pool=pool)

async def main():
    for url in sys.argv[1:] * 2:
        await readBody(await agent.request(b"GET", url.encode()))
    kept = len(pool._connections)
    await task.deferLater(reactor, 0.5, lambda: None)
    print(kept, len(pool._connections))

task.react(lambda _: defer.Deferred.fromCoroutine(main()))
"""


def test_the_pool_keeps_nothing_of_hosts_without_connections() -> None:
    with contextlib.ExitStack() as held:
        sites = [held.enter_context(local_site()) for _ in range(3)]
        urls = [site.page("/good", "good") for site in sites]
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *urls], capture_output=True, text=True, check=False
        )
        assert done.stdout == "3 0\n", done.stderr
        assert {site.hits["/good"] for site in sites} == {2}
