"""robots.txt as RFC 9309 has it: absent means open; a server that fails means closed."""

from typing import Any, NoReturn

from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.utils.defer import maybe_deferred_to_future
from scrapy.utils.httpobj import urlparse_cached
from twisted.internet.defer import Deferred


class _Closed:
    """Stands for rules that could not be read: every request of the host fails with the cause."""

    def __init__(self, cause: Exception) -> None:
        self._cause = cause

    def allowed(self, _url: str, _user_agent: str | bytes) -> NoReturn:
        raise self._cause


class StrictRobotsTxt(RobotsTxtMiddleware):  # type: ignore[misc]  # Scrapy is untyped here
    """Scrapy's, with two gaps closed.

    Scrapy 2.19 crawls on where a host's rules could not be had; and of the requests that wait for
    the same rules it gives them to the first only: awaiting a Deferred leaves None in it for the
    others, which then pass unchecked.
    """

    def forget(self, host: str) -> None:
        """Give back the memory of a host's rules."""
        for netloc in [n for n in self._parsers if n == host or n.startswith(f"{host}:")]:
            if not isinstance(self._parsers[netloc], Deferred):
                del self._parsers[netloc]

    async def robot_parser(self, request: Any) -> Any:
        pending = self._parsers.get(urlparse_cached(request).netloc)
        if not isinstance(pending, Deferred):
            return await super().robot_parser(request)
        own: Deferred[Any] = Deferred()

        def share(rules: Any) -> Any:
            own.callback(rules)
            return rules

        pending.addCallback(share)
        return await maybe_deferred_to_future(own)

    async def _parse_robots(self, response: Any, netloc: str, request: Any) -> None:
        if response.status >= 500:
            raise IgnoreRequest(f"robots.txt answered {response.status}")
        if response.status != 200:  # no rules; the page that says so is not to be read as some
            response = response.replace(body=b"")
        await super()._parse_robots(response, netloc, request)

    def _robots_error(self, exc: Exception, netloc: str) -> None:
        waiting = self._parsers[netloc]
        self._parsers[netloc] = closed = _Closed(exc)
        waiting.callback(closed)
