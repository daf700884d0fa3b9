"""A web server of one's own, with the good and the bad manners that a test asks for."""

import contextlib
import gzip
import http.server
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http import HTTPStatus

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]
HTML = "text/html; charset=utf-8"


class LocalSite:
    """Pages by path. Paths that nobody set are 404; every request is counted."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.hits: Counter[str] = Counter()
        self.user_agents: set[str] = set()
        self.at_once = self.most_at_once = 0
        self.counting = threading.Lock()  # guards the two counts above
        self.port = 0

    @contextlib.contextmanager
    def under_way(self) -> Iterator[None]:
        with self.counting:
            self.at_once += 1
            self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            yield
        finally:
            with self.counting:
                self.at_once -= 1

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def page(self, path: str, body: str | bytes = "", content_type: str = HTML) -> str:
        content = body.encode() if isinstance(body, str) else body
        self.answers[path] = lambda handler: send(handler, 200, content, content_type)
        return self.url(path)

    def status(self, path: str, status: int) -> str:
        self.answers[path] = lambda handler: send(handler, status, b"no", HTML)
        return self.url(path)

    def redirect(self, path: str, to: str) -> str:
        self.answers[path] = lambda handler: send(handler, 302, b"", HTML, Location=to)
        return self.url(path)

    def slow(self, path: str, seconds: float) -> str:
        def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
            time.sleep(seconds)
            send(handler, 200, b"<p>late</p>", HTML)

        self.answers[path] = answer
        return self.url(path)

    def broken(self, path: str) -> str:
        """Closes the connection without a word."""
        self.answers[path] = lambda handler: handler.connection.shutdown(socket.SHUT_RDWR)
        return self.url(path)

    def packed(self, path: str, body: bytes) -> str:
        packed = gzip.compress(body)
        self.answers[path] = lambda handler: send(
            handler, 200, packed, HTML, Content_Encoding="gzip"
        )
        return self.url(path)


def send(
    handler: http.server.BaseHTTPRequestHandler,
    status: int,
    body: bytes,
    content_type: str,
    **headers: str,
) -> None:
    handler.send_response(status, HTTPStatus(status).phrase)
    for name, value in {"Content-Type": content_type, **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@contextlib.contextmanager
def local_site(site: LocalSite | None = None) -> Iterator[LocalSite]:
    """A site at a port of its own; one that was there before comes back to its port."""
    site = site or LocalSite()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            site.hits[self.path] += 1
            site.user_agents.add(self.headers.get("User-Agent", ""))
            missing: Answer = lambda handler: send(handler, 404, b"none", HTML)  # noqa: E731
            with site.under_way(), contextlib.suppress(OSError):  # the crawler may hang up
                site.answers.get(self.path, missing)(self)

        def log_message(self, *args: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True  # a slow answer need not be waited for
        request_queue_size = 128  # the default of 5 loses connections of a busy crawler

        def handle_error(self, request: object, client_address: object) -> None:
            """A crawler that hangs up is expected here."""

    server = Server(("127.0.0.1", site.port), Handler)
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
