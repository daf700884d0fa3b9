"""A server that breaks rules: answers are raw bytes on a socket, over TLS where a test asks for it.

Every answer that goes on is bounded, in bytes and by the end of the test.
"""

import contextlib
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Answer = Callable[[socket.socket], None]
MOST_BYTES = 256 << 20  # of an answer without end
PATIENCE_SECONDS = 30.0


class HostileSite:
    """Answers by path, or by host and path; robots.txt is absent unless a test gives one.

    Every request is counted, under its path and under host and path.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.hits: Counter[str] = Counter()
        self.heads: dict[str, bytes] = {}  # the last request for each path
        self.sent: Counter[str] = Counter()  # bytes of each path's answer, so far
        self.hung_up: set[str] = set()  # paths whose answer was cut off by the other side
        self.stopped = threading.Event()
        self.port = 0

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def raw(self, path: str, *pieces: bytes) -> str:
        """Sends the pieces as they are, and hangs up."""

        def answer(connection: socket.socket) -> None:
            for piece in pieces:
                connection.sendall(piece)

        self.answers[path] = answer
        return self.url(path)

    def page(self, path: str, body: bytes, *headers: bytes, status: bytes = b"200 OK") -> str:
        length = b"Content-Length: %d" % len(body)
        return self.raw(path, head(length, *headers, status=status), body)

    def redirect(self, path: str, to: bytes) -> str:
        return self.page(path, b"", b"Location: " + to, status=b"302 Found")

    def drip(self, path: str, start: bytes, piece: bytes, pause: float) -> str:
        """Sends `start`, then `piece` again and again, with a pause before each."""

        def answer(connection: socket.socket) -> None:
            connection.sendall(start)
            while self.sent[path] < MOST_BYTES and not self.stopped.wait(pause):
                connection.sendall(piece)
                self.sent[path] += len(piece)

        self.answers[path] = answer
        return self.url(path)

    def handle(self, connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            received = connection.recv(65536)
            if not received:
                return
            request += received
            if not request[:1].isalpha():  # TLS where none is spoken
                connection.sendall(head(status=b"400 Bad Request"))
                return
        path = request.split(b" ", 2)[1].decode("latin-1")
        host = request.partition(b"Host: ")[2].partition(b"\r")[0].decode("latin-1")
        self.hits[path] += 1
        self.hits[host + path] += 1
        self.heads[path] = request
        answer = self.answers.get(host + path, self.answers.get(path))
        if answer is None:
            connection.sendall(head(b"Content-Length: 0", status=b"404 Not Found"))
            return
        try:
            answer(connection)
        except OSError:
            self.hung_up.add(path)
            raise


def head(*headers: bytes, status: bytes = b"200 OK", kind: bytes = b"text/html") -> bytes:
    lines = (b"HTTP/1.1 " + status, b"Connection: close", b"Content-Type: " + kind, *headers)
    return b"\r\n".join(lines) + b"\r\n\r\n"


@contextlib.contextmanager
def hostile_site(
    tls: ssl.SSLContext | None = None, *, is_mute: bool = False
) -> Iterator[HostileSite]:
    """The site at a port of its own; `is_mute` takes connections and never says a word."""
    site = HostileSite()
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    site.port = listener.getsockname()[1]
    threads: list[threading.Thread] = []

    def serve(connection: socket.socket) -> None:
        connection.settimeout(PATIENCE_SECONDS)
        with contextlib.suppress(OSError), connection:
            if is_mute:
                site.stopped.wait(PATIENCE_SECONDS)
            elif tls is None:
                site.handle(connection)
            else:
                with tls.wrap_socket(connection, server_side=True) as wrapped:
                    site.handle(wrapped)

    def accept() -> None:
        with contextlib.suppress(OSError):  # the listener was closed
            while True:
                connection, _ = listener.accept()
                threads.append(threading.Thread(target=serve, args=(connection,), daemon=True))
                threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield site
    finally:
        site.stopped.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()
        until = time.monotonic() + PATIENCE_SECONDS
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))


def certificate(
    folder: Path, name: str, *, issuer: Path | None = None, days: int = 2
) -> tuple[Path, ssl.SSLContext]:
    """A certificate for `name`, by the authority at `issuer` or by itself; and a server with it.

    The file holds key and certificate. Negative `days`: it ended that long ago.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    signer, signer_name = key, subject
    if issuer is not None:
        loaded = serialization.load_pem_private_key(issuer.read_bytes(), None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        signer = loaded
        signer_name = x509.load_pem_x509_certificate(issuer.read_bytes()).subject
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=10))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .sign(signer, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return path, context
