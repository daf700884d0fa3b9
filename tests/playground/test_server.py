"""Who is answered: this machine, or whoever has the token."""

from typing import Any

import pytest

from wellread.cli import main
from wellread.playground.server import COOKIE, guarded, is_loopback, token_for

TOKEN = "right-token"


async def app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"the page"})


def answer(
    token: str | None, *, query: str = "", method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], str]:
    """Status, headers and body of one request."""
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    given = {"host": "localhost:1", **{k.replace("_", "-"): v for k, v in headers.items()}}
    scope = {
        "type": "http", "method": method, "query_string": query.encode(),
        "headers": [(k.encode(), v.encode()) for k, v in given.items()],
    }  # fmt: skip
    asked = guarded(app, token)(scope, None, send)  # type: ignore[arg-type]
    with pytest.raises(StopIteration):  # its end: nothing in it waits
        asked.send(None)  # type: ignore[attr-defined]
    kept = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
    return sent[0]["status"], kept, sent[1]["body"].decode()


def test_only_loopback_needs_no_token() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "0.0.0.0", "192.168.0.2")] == [
        True, True, False, False,
    ]  # fmt: skip
    assert token_for("localhost") is None
    assert token_for("0.0.0.0") != token_for("0.0.0.0")


def test_without_the_token_nothing_is_answered() -> None:
    for asked in ({}, {"query": "token=wrong"}, {"query": "token="}, {"cookie": f"{COOKIE}=é"}):
        status, _, body = answer(TOKEN, **asked)
        assert (status, body.startswith("The token is missing or wrong")) == (401, True)


def test_the_token_is_kept_by_the_browser_and_leaves_the_address() -> None:
    status, headers, _ = answer(TOKEN, query=f"token={TOKEN}")
    assert (status, headers["location"]) == (303, "/")
    assert headers["set-cookie"] == f"{COOKIE}-1={TOKEN}; Path=/; HttpOnly; SameSite=Strict"
    assert answer(TOKEN, cookie=f"{COOKIE}-1={TOKEN}")[2] == "the page"
    assert answer(TOKEN, cookie=f"{COOKIE}-2={TOKEN}")[0] == 401  # of another page of this host


def test_another_sites_name_for_this_machine_is_refused() -> None:
    for host in ("localhost:1", "localhost", "127.0.0.2:80", "[::1]"):
        assert answer(None, host=host)[0] == 200
    assert answer(None, host="evil.example:80")[0] == 403


def test_a_request_that_is_too_long_is_refused_before_it_is_read() -> None:
    length = {"content_length": "2000000"}
    assert answer(None, method="POST", **length)[::2] == (
        413, "The request has 2,000,000 bytes; at most 1,048,576 are taken.\n",
    )  # fmt: skip
    assert answer(None, method="POST")[0] == 411


def test_the_page_may_ask_only_its_own_server() -> None:
    policy = answer(None)[1]["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["nowhere/model"], "nowhere/model: no such file or folder"),
        (["--corpus", "nowhere"], "--corpus nowhere: there is no such file or folder"),
    ],
)
def test_what_is_not_there_is_refused_before_a_page_is_opened(
    given: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["playground", *given]) == 2
    assert sentence in capsys.readouterr().err
