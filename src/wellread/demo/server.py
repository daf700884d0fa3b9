"""The little web on the wire: one real HTTP server on 127.0.0.1 for all of its hosts."""

import contextlib
import errno
import http.server
import threading
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

from wellread.base.errors import InputError
from wellread.base.manifest import read_artifact
from wellread.demo.site import STAGE, Answer, page_files, read_answers

DEFAULT_PORT = 8765  # the recipe names it, so that its `resolve` can stand in a file
NOT_FOUND = Answer(status=404, body="<h1>Not found</h1>")


@contextlib.contextmanager
def serve(web: Path, port: int = DEFAULT_PORT) -> Iterator[int]:
    """Serve the little web of `web` while the block runs; the port (0 asks for any free one).

    The request's Host header chooses the site, as on any server with many names.
    """
    read_artifact(web, STAGE)
    files, answers, is_closing = page_files(web), read_answers(web), threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # headers and body leave in one write

        def do_GET(self) -> None:
            host = (self.headers.get("Host") or "").partition(":")[0]
            place = (host, self.path.partition("?")[0])
            answer = answers.get(place)
            if answer is None:
                answer = Answer(file=files[place]) if place in files else NOT_FOUND
            if answer.delay_seconds:
                is_closing.wait(answer.delay_seconds)
            with contextlib.suppress(OSError):  # the visitor had enough
                self.answer(answer)

        def answer(self, answer: Answer) -> None:
            body = answer.body.encode() * answer.repeat
            content = (web / answer.file).read_bytes() if answer.file else body
            self.send_response(answer.status, HTTPStatus(answer.status).phrase)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(content)))
            if answer.location:
                self.send_header("Location", answer.location)
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()

        def log_message(self, *_: object) -> None:
            """Visits are no news."""

    with _listening(Handler, port) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            is_closing.set()
            server.shutdown()
            thread.join()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a slow page must not keep the demo from ending
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """A visitor that hangs up is none."""


def _listening(handler: type[http.server.BaseHTTPRequestHandler], port: int) -> _Server:
    try:
        return _Server(("127.0.0.1", port), handler)
    except OverflowError:
        raise InputError(f"port {port}: expected a number from 1 to 65535") from None
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise InputError(
            f"port {port} of 127.0.0.1 cannot be used ({error.strerror}); give another --port"
        ) from None
