"""The little web is the same each time, answers as a real one, and its text can be found in it."""

import http.client
import socket
from pathlib import Path

import pytest
import trafilatura

from wellread.base.errors import InputError
from wellread.base.manifest import read_manifest
from wellread.demo.docstrings import Block
from wellread.demo.documentation import Article
from wellread.demo.server import serve
from wellread.demo.site import page_files
from wellread.demo.templates import TEMPLATES, Place, Template, article_html
from wellread.demo.web import DemoConfig, make_little_web, paths_of

PROSE = [
    "The reader opens the first book on the shelf and begins with the chapter about lists.",
    "A list keeps its members in the order in which they came, and each member has a number.",
    "The numbers begin at nothing, which surprises everybody once and then nobody ever again.",
    "Whoever has understood this can write most of the small programs that a day asks for.",
]


def get(port: int, host: str, path: str) -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers={"Host": host})
    response = connection.getresponse()
    content_type = response.headers["Content-Type"]
    answer = response.status, content_type, response.read()
    connection.close()
    return answer


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.__name__)
def test_the_main_text_is_found_without_what_surrounds_it(template: Template) -> None:
    blocks = [Block(kind="paragraph", text=text) for text in PROSE]
    place = Place(host="lists.example", neighbours=[("/a.html", "Another page about tuples")])
    text = trafilatura.extract(template("On lists", article_html(blocks), place)) or ""
    assert all(sentence in text for sentence in PROSE)
    for noise in ("tuples", "cookie", "Sign in", "Terms", "Privacy", "Subscribe", "Careers"):
        assert noise not in text


def test_pages_come_from_several_sites_with_prose_on_them(web: Path) -> None:
    hosts = {host for host, _ in page_files(web)}
    assert hosts == {
        "python.example",
        "numpy.example",
        "matplotlib.example",
        "networks.example",
        "mirror.example",
    }
    assert read_manifest(web).counts["pages"] == 40
    for host, path in list(page_files(web))[::10]:
        html = (web / "pages" / host / path[1:]).read_text()
        assert len(trafilatura.extract(html) or "") > 700


def test_no_page_tells_where_or_when_it_was_made(web: Path) -> None:
    for name in page_files(web).values():
        text = (web / name).read_text()
        assert " at 0x" not in text
        assert "site-packages" not in text
        assert str(Path.home()) + "/" not in text


def test_a_web_that_is_there_is_not_made_again(web: Path) -> None:
    before = read_manifest(web)
    assert make_little_web(web, DemoConfig(max_pages=40)) == before


@pytest.mark.slow
def test_two_webs_agree_byte_for_byte(web: Path, tmp_path: Path) -> None:
    again = make_little_web(tmp_path / "web", DemoConfig(max_pages=40))
    assert again.digest == read_manifest(web).digest


def test_the_server_answers_as_a_real_web_does(web: Path) -> None:
    host, path = min(page_files(web))
    with serve(web, 0) as port:
        assert get(port, host, path)[:2] == (200, "text/html; charset=utf-8")
        assert get(port, host, "/nothing.html")[0] == 404
        assert get(port, "unknown.example", path)[0] == 404
        odd = "oddities.example"
        assert get(port, odd, "/robots.txt")[2] == b"User-agent: *\nDisallow: /members/\n"
        assert get(port, odd, "/moved.html")[0] == 301
        assert get(port, odd, "/paper")[1] == "application/pdf"
        assert "bibliothèque" in get(port, odd, "/francais.html")[2].decode()
        assert len(get(port, odd, "/endless.html")[2]) > 6_000_000
        assert get(port, odd, "/../../manifest.json")[0] == 404


def test_a_taken_port_is_named_with_what_to_do(web: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with (
            pytest.raises(InputError, match=rf"port {port} .* give another --port"),
            serve(web, port),
        ):
            pass


def test_names_that_differ_in_case_get_addresses_of_their_own() -> None:
    articles = [Article(name=name, title=name, blocks=[]) for name in ("a.Path", "a.path", "b")]
    assert paths_of(articles) == ["/a.path.html", "/a.path_2.html", "/b.html"]
