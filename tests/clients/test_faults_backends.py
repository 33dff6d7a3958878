"""Answers of backends that end elsewhere than they say, early, or never, and connections that end while they are kept: the
client gets one whole answer or learns that there is none, no request is sent twice that must not be, and the access log
has one line.
"""

import socket
import ssl
import time

import pytest

from fault_stages import Stages, others_are_served, unique
from faulty_backend import FaultyBackend, read_body
from raw_client import RawClient
from server import serving
from test_tls import Authority

KINDS = ["rest", "http"]
OK = b"HTTP/1.1 200 OK\r\n"
WELL = b"content-length: 4\r\n\r\nwell"
CHUNKED = b"transfer-encoding: chunked\r\n\r\n"
RESETS = b"\1\0\0\0\0\0\0\0"
UNREACHABLE = {"rest": 504, "http": 503}

# What a backend answers, and what a client gets of it: a status and a body, nothing where it breaks off, or the fault.
ANSWERS = {
    "a body with 204": (b"HTTP/1.1 204 None\r\ncontent-length: 8\r\n\r\nsmuggled", (204, b"")),
    "a body with 304": (b"HTTP/1.1 304 Not Modified\r\n" + CHUNKED + b"8\r\nsmuggled\r\n0\r\n\r\n", (304, b"")),
    "more than it says": (OK + WELL + b"smuggled", (200, b"well")),
    "less than it says": (OK + b"content-length: 8\r\n\r\nwell", None),
    "equal lengths": (OK + b"content-length: 4\r\n" + WELL, (200, b"well")),
    "length and chunks": (OK + b"content-length: 100\r\n" + CHUNKED + b"4\r\nwell\r\n0\r\n\r\n", (200, b"well")),
    "extensions and a trailer": (OK + CHUNKED + b'4;a=b;c="d"\r\nwell\r\n0;x\r\nSet-Cookie: t=1\r\n\r\n', (200, b"well")),
    "many trailers": (OK + CHUNKED + b"4\r\nwell\r\n0\r\n" + b"x: y\r\n" * 200 + b"\r\n", None),
    "long extensions": (OK + CHUNKED + b"4;" + b"x" * 20_000 + b"\r\nwell\r\n0\r\n\r\n", None),
    "no last chunk": (OK + CHUNKED + b"4\r\nwell\r\n", None),
    "chunks of a byte": (OK + CHUNKED + b"1\r\nx\r\n" * 5000 + b"0\r\n\r\n", (200, b"x" * 5000)),
    "no length": (OK + b"\r\nwell", (200, b"well")),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\n\r\nwell", (200, b"well")),
    "HTTP/1.0 in chunks": (b"HTTP/1.0 200 OK\r\n" + CHUNKED + b"4\r\nwell\r\n0\r\n\r\n", UNREACHABLE),
    "no head": (b"well\r\n\r\n", UNREACHABLE),
    "a head of 300 KB": (OK + b"x-long: " + b"x" * 300_000 + b"\r\n" + WELL, (200, b"well")),
    "a head of a megabyte": (OK + b"x-long: " + b"x" * 2**20 + b"\r\n" + WELL, UNREACHABLE),
    "a status below 100": (b"HTTP/1.1 099 Odd\r\n" + WELL, UNREACHABLE),
    "informational answers": (b"HTTP/1.1 199 Odd\r\n\r\n" * 100 + OK + WELL, (200, b"well")),
    "a folded line": (OK + b"x-folded: a\r\n b\r\n" + WELL, UNREACHABLE),
    "obs-text": (OK + b"x-obs: \xe4\xff\r\n" + WELL, (200, b"well")),
}


class Backend(FaultyBackend):
    """Answers what the second segment of the path says, or hangs up on what comes on a kept connection."""

    def __init__(self, tls=None):
        super().__init__(tls)
        self.kept = set()

    def says(self, connection, head):
        """An answer of the table; the connection stays where that says its length, as nobody can tell that it will not."""
        read_body(connection, head)
        answer, expected = list(ANSWERS.values())[int(head.split(b"/")[2])]
        connection.sendall(answer)
        if expected is not None and (b"content-length" in answer or CHUNKED in answer):
            return True
        return self.give_notice(connection)

    def give_notice(self, connection):
        """By TLS, that it ends."""
        if self.tls:
            connection.unwrap()

    def early(self, connection, head):
        connection.sendall(OK + b"content-length: 5\r\n\r\nearly")
        read_body(connection, head)
        return True

    def early_and_gone(self, connection, head):
        connection.sendall(b"HTTP/1.1 413 Enough\r\nconnection: close\r\ncontent-length: 5\r\n\r\nearly")
        self.ended.wait(0.2)

    def drips(self, connection, head):
        for byte in OK + WELL:
            connection.sendall(bytes([byte]))
            time.sleep(0.002)
        return True

    def begins(self, connection, head):
        self.kept.add(connection)
        return self.well(connection, head)

    def leaves(self, connection, head):
        """Hangs up on who comes again."""
        return connection not in self.kept and self.well(connection, head)

    def leaves_in_the_head(self, connection, head):
        if connection in self.kept:
            connection.sendall(b"HTTP/1.1 200")
        return self.leaves(connection, head)

    def leaves_by_reset(self, connection, head):
        if connection in self.kept:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETS)
        return self.leaves(connection, head)

    def stays_silent(self, connection, head):
        return connection in self.kept and self.ended.wait(5) or self.well(connection, head)

    def ends_without_notice(self, connection, head):
        connection.sendall(OK + b"\r\nwell")

    def ends_with_notice(self, connection, head):
        connection.sendall(OK + b"\r\nwell")
        self.give_notice(connection)

    def has_a_length(self, connection, head):
        connection.sendall(OK + WELL)


@pytest.fixture(scope="module", params=["plain", "tls"])
def stages(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("backends")
    authority = Authority("the system's authority")
    authority.write(folder / "authority.pem")
    context = None
    if request.param == "tls":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*map(str, authority.issue(folder, "localhost", "localhost")))
    environment = {"SSL_CERT_FILE": str(folder / "authority.pem")}
    with Backend(context) as backend, serving(folder / "data", environment=environment) as server:
        yield Stages(server, backend)


@pytest.fixture
def others(stages):
    with others_are_served(stages):
        yield


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ANSWERS)
def test_answers_end_where_they_say(stages, others, kind, name):
    expected = ANSWERS[name][1]
    path = unique(f"/says/{list(ANSWERS).index(name)}")
    with RawClient(stages.server) as client:
        status, headers, body = client.send(stages.head(kind, "GET", path)).answer()
        if expected is None:
            client.end()
            assert client.rest() == b""
            assert len(body) < int(headers.get("content-length", len(body) + 1))
        else:
            if expected is UNREACHABLE:
                assert status == UNREACHABLE[kind]
            else:
                assert (status, body) == expected
            # Nothing of it is taken for another answer, on neither side.
            for _ in range(2):
                assert client.send(stages.head(kind, "GET", "/well")).answer()[2] == b"well"
    assert "set-cookie" not in headers
    assert stages.logged(kind, path).split()[1] == str(status)
    assert stages.lines(kind, path) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("name", "status"), [("early", 200), ("early-and-gone", 413)])
@pytest.mark.parametrize("length", [1, 300_000, 9_000_000])
def test_answers_before_the_request_is_sent(stages, others, kind, name, status, length):
    """The backend says its word while the upload is under way, and may not read on."""
    path = unique(f"/{name}")
    with RawClient(stages.server) as client:
        client.send(stages.head(kind, "POST", path, f"Content-Length: {length}") + b"x" * length)
        assert client.answer()[::2] == (status, b"early")
        assert client.send(stages.head(kind, "GET", "/well")).answer()[2] == b"well"
    assert stages.logged(kind, path).split()[1] == str(status)
    assert stages.lines(kind, path) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_answers_byte_by_byte(stages, kind):
    assert stages.ask(kind, "GET", unique("/drips")).body == b"well"


def asked(stages, path):
    return sum(path.encode() in head for head in stages.backend.asked)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "GET with a body"])
@pytest.mark.parametrize("behaviour", ["leaves", "leaves-in-the-head", "leaves-by-reset", "stays-silent"])
def test_what_must_not_be_sent_twice_is_not(stages, kind, method, behaviour):
    """RFC 9112, section 9.3.1: a kept connection may end with the next request on its way."""
    method, _, with_body = method.partition(" ")
    lines, body = (["Content-Length: 4"], b"body") if with_body or method in ("POST", "PUT", "PATCH") else ([], b"")
    path = unique(f"/{behaviour}")
    with RawClient(stages.server) as client:
        # Afterwards a connection is kept by the thread that serves this client. Nobody else takes it.
        assert client.send(stages.head(kind, "GET", unique("/begins"))).answer()[0] == 200
        status = client.send(stages.head(kind, method, path, *lines) + body).answer(method)[0]
    # The integrations of the REST API ask with POST.
    again = kind == "http" and method in ("GET", "HEAD", "OPTIONS") and not body and behaviour in ("leaves", "leaves-by-reset")
    assert (asked(stages, path), status) == ((2, 200) if again else (1, UNREACHABLE[kind]))
    assert stages.logged(kind, path).split()[1] == str(status)
    assert stages.lines(kind, path) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_connections_that_end_without_notice(stages, kind):
    """By TLS the end of an answer that ends with its connection has to be said (RFC 9112, section 9.8)."""
    for behaviour in ("ends-with-notice", "ends-without-notice", "has-a-length"):
        path = unique(f"/{behaviour}")
        with RawClient(stages.server) as client:
            client.send(stages.head(kind, "GET", path)).end()
            received = client.rest()
        broken = behaviour == "ends-without-notice" and stages.backend.tls is not None
        assert received.startswith(OK) and b"well" in received
        assert broken != (received.endswith(b"0\r\n\r\n") or received.endswith(b"\r\n\r\nwell")), (behaviour, received)
        assert " 200 4 " in stages.logged(kind, path)
        assert stages.lines(kind, path) == 1
