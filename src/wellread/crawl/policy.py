"""Which addresses may be connected to, and which URLs asked for."""

import codecs
import ipaddress
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit, urlunsplit

from wellread.formats.pages import utf16_codec
from wellread.formats.replies import HEADER_BYTES

# Scrapy's own limit (URLLENGTH_LIMIT), which is the longest that Internet Explorer took.
MAX_URL_LENGTH = 2083
# IANA's registries of special-purpose addresses (RFC 6890 and what was added since), multicast,
# the unassigned 240/4, and the one metadata service of a cloud at a public address, Azure's.
SPECIAL_IPV4 = [
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32",
    )
]  # fmt: skip
# All of IPv6 that is given out to networks lies in 2000::/3. In it: protocols such as Teredo,
# documentation, and 6to4, which stands for IPv4 addresses and is deprecated (RFC 7526).
GLOBAL_IPV6 = ipaddress.IPv6Network("2000::/3")
SPECIAL_IPV6 = [
    ipaddress.IPv6Network(network)
    for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
]
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
# What a browser does not connect to either, because something else listens there and may take
# a request for its own language: the Fetch standard, "port blocking".
BAD_PORTS = frozenset(
    (
        0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95,
        101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179,
        389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601,
        636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566,
        6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
    )
)  # fmt: skip
# Of what is sent as text/html by mistake or to deceive: the commonest kinds of file.
SIGNATURES = (
    b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"%PDF-", b"PK\x03\x04", b"\x1f\x8b", b"Rar!",
    b"7z\xbc\xaf", b"MZ", b"\x7fELF", b"OggS", b"ID3", b"wOFF", b"wOF2",
)  # fmt: skip


def is_private(address: str) -> bool:
    """Whether an IP address is one at which no site of the public internet lies.

    >>> is_private("169.254.169.254"), is_private("::ffff:127.0.0.1"), is_private("64:ff9b::a00:1")
    (True, True, True)
    >>> is_private("8.8.8.8"), is_private("64:ff9b::808:808"), is_private("2606:4700::1111")
    (False, False, False)
    """
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        embedded = parsed.ipv4_mapped
        if parsed in NAT64:
            embedded = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if embedded is None:
            return parsed not in GLOBAL_IPV6 or any(parsed in network for network in SPECIAL_IPV6)
        parsed = embedded
    return any(parsed in network for network in SPECIAL_IPV4)


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


def url_refusal(url: str) -> str | None:
    """Why a URL is not asked for at all, or None.

    Too long, no host, a name and password in it, or letters that no request can carry: `bad_url`.

    >>> url_refusal("file:///etc/passwd"), url_refusal("http://"), url_refusal("http://a.com/")
    ('scheme', 'bad_url', None)
    """
    if len(url) > MAX_URL_LENGTH:
        return "bad_url"
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https"):
            return "scheme"
        is_whole = bool(parts.hostname) and parts.port != 0 and parts.username is None
    except ValueError:  # a port that is no number, an unclosed bracket
        return "bad_url"
    return None if is_whole and url.isascii() and url.isprintable() else "bad_url"


def is_binary(body: bytes, content_type: str = "") -> bool:
    """Whether bytes that were sent as text are none: an image, an archive, a program.

    By their first bytes, or a zero among the first letters: of 1,445 bytes (the WHATWG's resource
    header, MIME Sniffing, section 5), two for a letter in what begins like UTF-16 or is sent as it.

    >>> is_binary(b"%PDF-1.7"), is_binary(b"<p>text"), is_binary(bytes(4))
    (True, False, True)
    >>> is_binary(b"a\\0b\\0", "text/plain; charset=utf-16le"), is_binary(b"a\\0b\\0")
    (False, True)
    """
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return False
    codec = utf16_codec(content_type) or "latin-1"
    return body.startswith(SIGNATURES) or "\0" in body[:HEADER_BYTES].decode(codec, "replace")


def without_credentials(url: str) -> str:
    """The URL without a user's name and password.

    >>> without_credentials("http://me:secret@a.com:8080/b?c")
    'http://a.com:8080/b?c'
    """
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
