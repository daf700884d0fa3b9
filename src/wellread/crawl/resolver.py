"""Names become addresses just before connecting, and private addresses are refused there.

Checking at this point leaves no gap: the address that was checked is the address connected to,
for robots.txt and for every step of a redirect too.
"""

from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IHostnameResolver, IResolutionReceiver
from zope.interface import implementer  # type: ignore[import-untyped]

from wellread.crawl.config import CrawlConfig
from wellread.crawl.policy import connect_to, is_allowed, is_private


@implementer(IHostnameResolver)
class GuardedResolver:
    """A resolver of Twisted's that knows `resolve` and `allow_hosts`, around the usual one."""

    def __init__(self, inner: Any, config: CrawlConfig) -> None:
        self._inner = inner
        self._allowed = frozenset(config.allow_hosts)
        self._resolve = config.resolve
        self.refused: set[str] = set()

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
        guarded = receiver
        if not is_allowed(host, portNumber, self._allowed):
            guarded = _PublicOnly(receiver, host, self.refused)
        return self._inner.resolveHostName(guarded, host, portNumber, *rest, **named)


@implementer(IResolutionReceiver)
class _PublicOnly:
    """Passes on public addresses, and notes the host if there was another."""

    def __init__(self, receiver: Any, host: str, refused: set[str]) -> None:
        self._receiver, self._host, self._refused = receiver, host, refused

    def resolutionBegan(self, resolution: Any) -> None:
        self._receiver.resolutionBegan(resolution)

    def addressResolved(self, address: Any) -> None:
        if is_private(address.host):
            self._refused.add(self._host)
        else:
            self._receiver.addressResolved(address)

    def resolutionComplete(self) -> None:
        self._receiver.resolutionComplete()
