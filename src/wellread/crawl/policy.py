"""Which addresses may be connected to."""

import ipaddress
from collections.abc import Collection, Mapping


def is_private(address: str) -> bool:
    """Whether an IP address is one that the public internet does not route to.

    >>> is_private("169.254.169.254"), is_private("::ffff:127.0.0.1"), is_private("8.8.8.8")
    (True, True, False)
    """
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(parsed, "ipv4_mapped", None)
    return not (mapped or parsed).is_global or parsed.is_multicast


def is_allowed(host: str, port: int, allowed: Collection[str]) -> bool:
    return host in allowed or f"{host}:{port}" in allowed


def connect_to(host: str, resolve: Mapping[str, str]) -> tuple[str, int] | None:
    """The address and port to connect to instead of asking for `host`, or None.

    >>> connect_to("numpy.example", {"*.example": "127.0.0.1:8765"})
    ('127.0.0.1', 8765)
    """
    target = resolve.get(host) or resolve.get(f"*.{host.partition('.')[2]}")
    if target is None:
        return None
    address, _, port = target.rpartition(":")
    return address.strip("[]"), int(port)
