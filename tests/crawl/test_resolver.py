"""Whatever a name resolves to, and however often it is asked for, only public addresses pass."""

from typing import Any

import pytest
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IHostnameResolver
from zope.interface import implementer

from wellread.crawl.config import CrawlConfig
from wellread.crawl.policy import is_private
from wellread.crawl.resolver import GuardedResolver

PUBLIC, PRIVATE = "93.184.215.14", "10.0.0.1"


@implementer(IHostnameResolver)
class Zone:
    """A name server whose names change their addresses from one look-up to the next."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = iter(answers)

    def resolveHostName(self, receiver: Any, host: str, port: int = 0, *rest: Any, **_: Any) -> Any:
        receiver.resolutionBegan(self)
        for address in next(self.answers):
            kind = IPv6Address if ":" in address else IPv4Address
            receiver.addressResolved(kind("TCP", address, port))
        receiver.resolutionComplete()
        return self


class Asker:
    """What an endpoint of Twisted's does with a resolver."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self.is_complete = False

    def resolutionBegan(self, _resolution: Any) -> None: ...

    def addressResolved(self, address: Any) -> None:
        self.addresses.append(address.host)

    def resolutionComplete(self) -> None:
        self.is_complete = True


def asked(resolver: GuardedResolver, host: str, port: int = 80) -> list[str]:
    asker = Asker()
    resolver.resolveHostName(asker, host, port)
    assert asker.is_complete
    return asker.addresses


def test_a_name_that_answers_differently_the_second_time_is_refused_then() -> None:
    resolver = GuardedResolver(Zone([PUBLIC], [PRIVATE], [PUBLIC]), CrawlConfig())
    assert asked(resolver, "rebinding.test") == [PUBLIC]
    assert resolver.refusal_for("http://rebinding.test/") is None
    assert asked(resolver, "rebinding.test") == []
    assert resolver.refusal_for("http://rebinding.test/") == "private_address"
    assert asked(resolver, "rebinding.test") == [PUBLIC]
    assert resolver.refusal_for("http://rebinding.test/") is None


@pytest.mark.parametrize("private", [PRIVATE, "::ffff:10.0.0.1", "fe80::1", "169.254.169.254"])
def test_a_name_with_a_public_and_a_private_address_has_neither(private: str) -> None:
    for answer in ([PUBLIC, private], [private, PUBLIC]):
        assert asked(GuardedResolver(Zone(answer), CrawlConfig()), "both.test") == []


def test_an_allowed_host_may_lie_at_a_private_address_and_at_its_port_only() -> None:
    resolver = GuardedResolver(
        Zone([PRIVATE], [PRIVATE], [PRIVATE]), CrawlConfig(allow_hosts=["a.test:8000"])
    )
    assert asked(resolver, "a.test", 8000) == [PRIVATE]
    assert asked(resolver, "a.test", 8001) == []
    assert asked(resolver, "b.a.test", 8000) == []


def test_ports_of_other_services_are_not_connected_to() -> None:
    resolver = GuardedResolver(Zone([PUBLIC], [PUBLIC]), CrawlConfig())
    assert asked(resolver, "mail.test", 25) == []
    assert resolver.refusal_for("http://mail.test:25/") == "bad_port"
    assert asked(resolver, "mail.test", 8080) == [PUBLIC]


def test_a_host_that_is_no_name_is_answered_and_not_waited_for() -> None:
    resolver = GuardedResolver(Zone(), CrawlConfig())
    assert asked(resolver, "a" * 70 + ".com") == []
    assert resolver.refusal_for(f"http://{'a' * 70}.com/") == "bad_url"


def test_what_is_remembered_of_refusals_is_bounded() -> None:
    resolver = GuardedResolver(Zone(*([PRIVATE] for _ in range(10_050))), CrawlConfig())
    for number in range(10_050):
        asked(resolver, f"n{number}.test")
    assert resolver.refusal_for("http://n0.test/") is None
    assert resolver.refusal_for("http://n10049.test/") == "private_address"


PRIVATE_ONES = [
    "0.0.0.0",
    "100.64.0.1",  # carrier-grade NAT
    "172.31.255.255",
    "192.0.0.192",  # Oracle's metadata
    "168.63.129.16",  # Azure's metadata
    "224.0.0.1",
    "240.0.0.1",
    "::",
    "::8.8.8.8",  # a deprecated form, of no use to a site
    "2001::1",  # Teredo
    "2002:808:808::1",  # 6to4
    "64:ff9b::192.168.0.1",
    "64:ff9b:1::1",
    "fec0::1",
    "fd00:ec2::254",  # Amazon's metadata
    "ff0e::1",
    "fe80::1%eth0",
]
PUBLIC_ONES = [
    "1.1.1.1",
    "100.63.255.255",
    "172.15.255.255",
    "223.255.255.255",
    "2001:4860:4860::8888",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
]


def test_addresses_that_no_site_of_the_internet_has_are_private() -> None:
    assert [address for address in PRIVATE_ONES if not is_private(address)] == []
    assert [address for address in PUBLIC_ONES if is_private(address)] == []
