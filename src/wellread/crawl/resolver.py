"""Names become addresses just before connecting, and private addresses are refused there.

Checking at this point leaves no gap: the address that was checked is the address connected to,
for robots.txt and for every step of a redirect too. Twisted asks its resolver for each connection,
also where a URL has an address instead of a name, however it is spelt (`http://2130706433/`); a
second look-up that answers differently is checked like the first.
"""

import contextlib
from collections import OrderedDict
from typing import Any
from urllib.parse import urlsplit

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IHostnameResolver, IResolutionReceiver
from zope.interface import implementer  # type: ignore[import-untyped]

from wellread.crawl.config import CrawlConfig
from wellread.crawl.policy import BAD_PORTS, connect_to, is_allowed, is_private

SETTING = "WELLREAD_CONFIG"  # Scrapy's settings carry ours to what Scrapy makes for itself
REMEMBERED = 10_000  # refusals; each is read when the connection fails, at once


@implementer(IHostnameResolver)
class GuardedResolver:
    """A resolver of Twisted's that knows `resolve` and `allow_hosts`, around the usual one."""

    def __init__(self, inner: Any, config: CrawlConfig) -> None:
        self._inner = inner
        self._allowed = frozenset(config.allow_hosts)
        self._resolve = config.resolve
        self._refused: OrderedDict[tuple[str, int], str] = OrderedDict()

    @classmethod
    def from_crawler(cls, crawler: Any, reactor: Any) -> "GuardedResolver":
        return cls(reactor.nameResolver, crawler.settings[SETTING])

    def install_on_reactor(self) -> None:
        from twisted.internet import reactor  # which one is settled only once Scrapy runs

        reactor.installNameResolver(self)

    def refusal_for(self, url: str) -> str | None:
        """Why the last look-up of the host of `url` gave no address, if it was refused."""
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = parts.hostname or ""
        with contextlib.suppress(UnicodeError):
            host = _ascii(host)
        return self._refused.get((host, port))

    def resolveHostName(
        self, receiver: Any, host: str, portNumber: int = 0, *rest: Any, **named: Any
    ) -> Any:
        if target := connect_to(host, self._resolve):
            address, port = target
            kind = IPv6Address if ":" in address else IPv4Address
            receiver.resolutionBegan(self)
            receiver.addressResolved(kind("TCP", address, port))
            receiver.resolutionComplete()
            return self
        try:
            place = _ascii(host), portNumber
        except UnicodeError:  # a label too long: the system would raise, and Twisted wait for ever
            self._note((host, portNumber), "bad_url")
            receiver.resolutionBegan(self)
            receiver.resolutionComplete()
            return self
        guarded = receiver
        if not is_allowed(host, portNumber, self._allowed):
            guarded = _PublicOnly(receiver, self._note, place)
        return self._inner.resolveHostName(guarded, host, portNumber, *rest, **named)

    def _note(self, place: tuple[str, int], reason: str | None) -> None:
        self._refused.pop(place, None)
        if reason is not None:
            self._refused[place] = reason
            if len(self._refused) > REMEMBERED:
                self._refused.popitem(last=False)


@implementer(IResolutionReceiver)
class _PublicOnly:
    """Passes on the addresses of a look-up if all of them are public, and none otherwise.

    A name that has a private address beside a public one is a mistake or an attack.
    """

    def __init__(self, receiver: Any, note: Any, place: tuple[str, int]) -> None:
        self._receiver, self._note, self._place = receiver, note, place
        self._addresses: list[Any] = []

    def resolutionBegan(self, resolution: Any) -> None:
        self._receiver.resolutionBegan(resolution)

    def addressResolved(self, address: Any) -> None:
        self._addresses.append(address)

    def resolutionComplete(self) -> None:
        reason = None
        if any(is_private(address.host) for address in self._addresses):
            reason = "private_address"
        elif self._place[1] in BAD_PORTS:
            reason = "bad_port"
        self._note(self._place, reason)
        for address in () if reason else self._addresses:
            self._receiver.addressResolved(address)
        self._receiver.resolutionComplete()


def _ascii(host: str) -> str:
    """The host as URLs spell it; Twisted asks for `xn--` names in their own letters."""
    return host.lower().encode("idna").decode("ascii")
