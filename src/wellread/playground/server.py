"""The page served: to this machine alone, or wider to whoever has the token."""

import http.cookies
import ipaddress
import secrets
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from wellread.base.errors import InputError
from wellread.playground.limits import REQUEST_BYTES

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE = "wellread-token"
# Gradio's own script makes functions of strings and writes styles; whatever it asks for comes
# from this server.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


def is_loopback(host: str) -> bool:
    """
    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def token_for(host: str) -> str | None:
    """What must be known to see the page; None: only this machine can ask."""
    return None if is_loopback(host) else secrets.token_urlsafe(24)


def bound(host: str, port: int | None) -> socket.socket:
    """A socket that listens at `port`, or at any that is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port or 0))
    except OSError as error:
        listening.close()
        raise InputError(
            f"port {port} of {host} cannot be had ({error.strerror}); give another --port, or none "
            "to take a free one"
        ) from None
    listening.listen()
    return listening


def guarded(app: App, token: str | None) -> App:
    """`app` for requests that may be answered.

    Of the token any other is refused, in a time that does not tell how much of it was right. On
    loopback only requests to this machine's own names count, so that no page of another site can
    ask under a name of its own. Bodies have a limit.
    """

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await app(scope, receive, send)
            return
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        name, port = _split(headers.get("host", ""))
        cookie = f"{COOKIE}-{port}"  # browsers send those of all ports
        query = parse_qs(scope["query_string"].decode("latin-1"))
        if token is None:
            if not is_loopback(name):
                await _refuse(send, 403, "This page answers only under localhost.")
                return
        elif _is_right(query.get("token", [""])[0], token):
            await _admit(send, cookie, token)
            return
        elif not _is_right(_kept(headers, cookie), token):
            await _refuse(
                send, 401, "The token is missing or wrong. Open the address that wellread printed."
            )
            return
        if refusal := _body_refused(scope["method"], headers):
            await _refuse(send, *refusal)
            return
        await app(scope, receive, _with_headers(send))

    return guard


def _is_right(given: str, token: str) -> bool:
    return secrets.compare_digest(given.encode(), token.encode())


def _split(host: str) -> tuple[str, str]:
    """The name and the port in a header Host.

    >>> _split("localhost"), _split("127.0.0.1:7860"), _split("[::1]")
    (('localhost', '80'), ('127.0.0.1', '7860'), ('::1', '80'))
    """
    name, _, port = host.rpartition(":")
    return (name.strip("[]"), port) if port.isdigit() else (host.strip("[]"), "80")


def _kept(headers: dict[str, str], cookie: str) -> str:
    """The token that a browser has kept."""
    try:
        found = http.cookies.SimpleCookie(headers.get("cookie", "")).get(cookie)
    except http.cookies.CookieError:
        return ""
    return found.value if found else ""


def _body_refused(method: str, headers: dict[str, str]) -> tuple[int, str] | None:
    if method in ("GET", "HEAD"):
        return None
    length = headers.get("content-length", "")
    if not length.isascii() or not length.isdigit():
        return 411, "The request does not say how long it is."
    if int(length) > REQUEST_BYTES:
        return 413, f"The request has {int(length):,} bytes; at most {REQUEST_BYTES:,} are taken."
    return None


async def _admit(send: Send, cookie: str, token: str) -> None:
    """Keep the token in the browser, and take it out of the address."""
    kept = f"{cookie}={token}; Path=/; HttpOnly; SameSite=Strict"
    headers = [(b"location", b"/"), (b"set-cookie", kept.encode()), *HEADERS]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _refuse(send: Send, status: int, sentence: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{sentence}\n".encode()})


def _with_headers(send: Send) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *HEADERS]}
        await send(message)

    return sending


def serve(app: App, listening: socket.socket, token: str | None) -> None:
    """Answer until the process is told to end."""
    import uvicorn  # comes with Gradio

    config = uvicorn.Config(
        guarded(app, token), log_level="warning", ws="none", access_log=False, timeout_keep_alive=30
    )
    uvicorn.Server(config).run(sockets=[listening])


def address(listening: socket.socket, token: str | None) -> str:
    """Where the page is, for whoever opens it."""
    host, port = listening.getsockname()[:2]
    if token is not None and host in ("0.0.0.0", "::"):
        host = socket.gethostname()
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}/" + (f"?token={token}" if token else "")
