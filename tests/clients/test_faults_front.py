"""Requests of which the server reads some by itself and some by hyper, on one connection: whatever comes after what, each
is answered in its turn or the connection ends, and each that reached a stage has its one line in the access log.
"""

import fcntl
import re
import socket
import struct
import termios
import threading
import time

import pytest

from expect import eventually
from fault_stages import Stages, faulty, others_are_served, stages, unique
from raw_client import RawClient
from server import Server, serving

KINDS = ["rest", "http"]
CLIENT_TIMEOUT_SECONDS = 2
RESETS = b"\1\0\0\0\0\0\0\0"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("front"), "--client-timeout", str(CLIENT_TIMEOUT_SECONDS)) as running:
        yield running


@pytest.fixture(autouse=True)
def nobody_else_is_disturbed(stages):
    with others_are_served(stages):
        yield


CHUNKED = "Transfer-Encoding: chunked"
CHUNKS = "3\r\nabc\r\n0\r\n\r\n"
# What is not read as usual: lines, body, method, version, and the status; whether another request may follow.
UNUSUAL = {
    "chunks": ([CHUNKED], CHUNKS, "POST", "1.1", 200, True),
    "chunks with a trailer": ([CHUNKED], "3;x=y\r\nabc\r\n0\r\nX-T: 1\r\n\r\n", "POST", "1.1", 200, True),
    "another chunked": ([CHUNKED.upper()], CHUNKS, "POST", "1.1", 200, True),
    "a body with GET": (["Content-Length: 3"], "abc", "GET", "1.1", 200, True),
    "head": ([], "", "HEAD", "1.1", 200, True),
    "expectation": (["Expect: 100-continue", "Content-Length: 3"], "abc", "POST", "1.1", 200, True),
    "upgrade": (["Upgrade: h2c", "Connection: upgrade"], "", "GET", "1.1", 200, True),
    "a list of connection": (["Connection: keep-alive, x-a", "X-A: 1"], "", "GET", "1.1", 200, True),
    "obs-text": (["X-Obs: a\xe4\xffb"], "", "GET", "1.1", 200, True),
    "equal lengths": (["Content-Length: 3", "Content-Length: 3"], "abc", "POST", "1.1", 200, True),
    "close": (["Connection: close"], "", "GET", "1.1", 200, False),
    "close beside keep-alive": (["Connection: keep-alive", "Connection: close"], "", "GET", "1.1", 200, False),
    "HTTP/1.0": ([], "", "GET", "1.0", 200, False),
    "HTTP/1.0 that stays": (["Connection: keep-alive"], "", "GET", "1.0", 200, True),
    "HTTP/1.0 in chunks": ([CHUNKED], CHUNKS, "POST", "1.0", 400, False),
    "HTTP/1.2": ([], "", "GET", "1.2", 400, False),
    "folded": (["X-Folded: a", " b"], "", "GET", "1.1", 400, False),
    "NUL": (["X-Nul: a\0b"], "", "GET", "1.1", 400, False),
    "space before the colon": (["X-Space : a"], "", "GET", "1.1", 400, False),
    "a length with a sign": (["Content-Length: +3"], "abc", "POST", "1.1", 400, False),
    "a list of lengths": (["Content-Length: 3, 3"], "abc", "POST", "1.1", 400, False),
    "a huge length": (["Content-Length: 99999999999999999"], "", "POST", "1.1", 413, False),
    "length and coding": (["Content-Length: 3", CHUNKED], CHUNKS, "POST", "1.1", 400, False),
    "coding twice": ([CHUNKED, CHUNKED], CHUNKS, "POST", "1.1", 400, False),
    "coding twice in a line": ([CHUNKED + ", chunked"], CHUNKS, "POST", "1.1", 400, False),
    "two codings": (["Transfer-Encoding: gzip, chunked"], CHUNKS, "POST", "1.1", 400, False),
    "an empty coding": (["Transfer-Encoding: , chunked"], CHUNKS, "POST", "1.1", 400, False),
    "no coding first": (["Transfer-Encoding: identity", CHUNKED], CHUNKS, "POST", "1.1", 400, False),
    "chunks with bare feeds": ([CHUNKED], "3\nabc\n0\n\n", "POST", "1.1", 400, False),
    "another host": (["Host: other.example"], "", "GET", "1.1", 400, False),
    "the host again": (["Host: {host}"], "", "GET", "1.1", 400, False),
    "a tunnel": ([], "", "CONNECT", "1.1", 400, False),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_requests_between_usual_ones(server, stages, faulty, kind, name):
    """All three come at once: what the second leaves unsaid must not make the third another one."""
    lines, body, method, version, status, goes_on = UNUSUAL[name]
    before, between, after = (unique("/echo") for _ in range(3))
    head = stages.head(kind, method, between, *(line.format(host=stages.host(kind)) for line in lines))
    unusual = head.replace(b"HTTP/1.1", b"HTTP/" + version.encode(), 1) + body.encode("latin-1")
    with RawClient(server) as client:
        client.send(stages.head(kind, "GET", before) + unusual + stages.head(kind, "GET", after)).end()
        assert client.answer()[0] == 200
        answered = client.answer(method)
        while answered[0] == 100:
            answered = client.answer(method)
        assert answered[0] == status, answered
        if goes_on:
            assert client.answer()[0] == 200
        assert client.rest() == b""
    served = [before] + [between] * (status == 200) + [after] * goes_on
    assert [path for head in faulty.asked for path in (before, between, after) if path.encode() in head] == served
    for path in served:
        assert " 200 " in stages.logged(kind, path)
    for path in (before, between, after):
        assert stages.lines(kind, path) <= 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("target", "lines"), [("http://{host}{path}", ["Host: other.example"]), ("{path}", []), ("{path}", ["Host:"]),
                                               ("http://other.example{path}", ["Host: {host}"])])
def test_the_target_names_the_host_first(server, stages, kind, target, lines):
    """RFC 9112, sections 3.2 and 3.2.2."""
    path = stages.path(kind, "/well")
    said = dict(host=stages.host(kind), path=path)
    with RawClient(server) as client:
        client.send("\r\n".join([f"GET {target.format(**said)} HTTP/1.1", *(line.format(**said) for line in lines), "", ""])).end()
        status = client.answer()[0]
    assert status == {"http://{host}{path}": 200, "{path}": 400 if not lines else 403, "http://other.example{path}": 403}[target]


@pytest.mark.parametrize("kind", KINDS)
def test_requests_that_are_cut_anywhere(server, stages, kind):
    """Also where the rest is hyper's to read."""
    parts = [
        stages.head(kind, "GET", "/echo/1"),
        stages.head(kind, "POST", "/echo/2", "Content-Length: 5") + b"first",
        stages.head(kind, "PUT", "/echo/3", "Content-Length: 0"),
        stages.head(kind, "POST", "/echo/4", CHUNKED) + CHUNKS.encode(),
        stages.head(kind, "DELETE", "/echo/5"),
    ]
    whole = b"".join(parts)
    for cut in range(1, len(whole), 7):
        with RawClient(server) as client:
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.send(whole[:cut])
            taken(client)
            client.send(whole[cut:]).end()
            told = [client.answer() for _ in parts]
            assert client.rest() == b""
        for number, (status, _, body) in enumerate(told, 1):
            assert status == 200, (cut, told)
            assert f"/echo/{number} ".encode() in body.split(b"\r\n")[0]
        assert [body.rpartition(b"\r\n")[2] for _, _, body in told] == [b"", b"first", b"", b"abc", b""], cut


def taken(client):
    """Waits until the server's kernel has acknowledged what was sent, so that the next part is one of its own."""
    eventually(lambda: struct.unpack("i", fcntl.ioctl(client.socket, termios.TIOCOUTQ, b"\0\0\0\0"))[0] == 0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lines", [(), ("Expect: 100-continue",)], ids=["usual", "unusual"])
@pytest.mark.parametrize(("path", "status"), [("/late", 499), ("/large", 200)])
def test_clients_that_reset_their_connection(server, stages, faulty, kind, lines, path, status):
    """Before the answer, and in the middle of it. What hyper reads learns of it with the answer."""
    if lines:
        status = 200
    path, answers = unique(path), path == "/large"
    with RawClient(server) as client:
        client.send(stages.head(kind, "GET", path, *lines))
        eventually(lambda: any(path.encode() in head for head in faulty.asked))
        if answers:
            client.socket.recv(1)
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETS)
    assert f" {status} " in stages.logged(kind, path)
    # The next line of all is not another one of this request.
    stages.logged(kind, ask(stages, kind))
    assert stages.lines(kind, path) == 1


def ask(stages, kind):
    path = unique("/well")
    assert stages.ask(kind, "GET", path).status == 200
    return path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lines", [(), ("Connection: keep-alive, x",)], ids=["usual", "unusual"])
def test_clients_that_read_a_byte_a_second(server, stages, kind, lines):
    """The answer of 9 MiB goes no further: its time runs out, though somebody reads."""
    path = unique("/large")
    with RawClient(server) as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.send(stages.head(kind, "GET", path, *lines))
        over = threading.Event()

        def drip():
            while not over.wait(0.5):
                client.socket.recv(1)

        dripping = threading.Thread(target=drip)
        dripping.start()
        began = time.monotonic()
        line = stages.logged(kind, path)
        assert time.monotonic() - began < CLIENT_TIMEOUT_SECONDS + 15
        over.set()
        dripping.join()
    assert " 200 " in line
    assert int(re.search(r" 200 (\d+) ", line)[1]) < 9437184
    assert stages.lines(kind, path) == 1


def test_requests_under_way_outlive_their_stage(server, stages, faulty):
    """They end as they began, whatever becomes of the stage."""
    v1, path = stages.v1, unique("/late")
    v1.create_deployment(restApiId=stages.rest, stageName="short")
    head = stages.head("rest", "GET", path).replace(b"/prod/", b"/short/", 1)
    with RawClient(server) as client:
        eventually(lambda: client.send(head.replace(b"/late/", b"/well/", 1)).answer()[0] == 200)
        client.send(head)
        eventually(lambda: any(path.encode() in asked for asked in faulty.asked))
        v1.delete_stage(restApiId=stages.rest, stageName="short")
        assert client.answer()[2] == b"late"
        assert client.send(head).answer()[0] == 403


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_stop_lets_requests_under_way_finish(tmp_path, faulty, method):
    """Those that come with the stop are answered too, and told that nothing more is read; nobody else is waited for."""
    with Server(tmp_path / "data") as server:
        stages, clients = Stages(server, faulty), []
        expectation = ("Expect: 100-continue",) if method == "POST" else ()
        for kind in KINDS:
            path = unique("/late")
            client = RawClient(server)
            assert client.send(stages.head(kind, "GET", "/well")).answer()[0] == 200
            body = stages.head(kind, method, path, "Content-Length: 4", *expectation) + b"body"
            client.send(body)
            clients.append((kind, path, client))
        idle = RawClient(server)
        assert idle.send(stages.head("http", "GET", "/well")).answer()[0] == 200
        eventually(lambda: all(any(path.encode() in head for head in faulty.asked) for _, path, _ in clients))
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 5
        for kind, path, client in clients:
            status, headers, body = client.answer()
            if status == 100:
                status, headers, body = client.answer()
            assert (status, body, headers["connection"].split(", ")[-1]) == (200, b"late", "close")
            assert client.rest() == b""
            assert stages.lines(kind, path) == 1
        assert idle.rest() == b""


def test_requests_that_a_stop_cuts_off_are_logged(tmp_path, faulty):
    """One takes longer than a stop waits; its line was put in when nobody wrote lines any more."""
    with Server(tmp_path / "data") as server:
        stages, path = Stages(server, faulty), unique("/patient")
        stages.http_route("GET /patient/{x}", f"{faulty.url}/never/patient")
        (integration,) = [item for item in stages.v2.get_integrations(ApiId=stages.http)["Items"] if item["IntegrationUri"].endswith("/patient")]
        stages.v2.update_integration(ApiId=stages.http, IntegrationId=integration["IntegrationId"], TimeoutInMillis=30_000)
        with RawClient(server) as client:
            client.send(stages.head("http", "GET", path))
            eventually(lambda: any(b"/never/patient" in head for head in faulty.asked))
            assert server.stop() == 0
            assert client.rest() == b""
        assert " 499 " in stages.logged("http", path)
        assert stages.lines("http", path) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_bodies_in_the_smallest_chunks(server, stages, kind):
    """A megabyte in as many chunks: read without holding each by itself."""
    most, over = [0], threading.Event()

    def watch():
        while not over.wait(0.01):
            most[0] = max(most[0], server.resident_bytes())

    before, watching = server.resident_bytes(), threading.Thread(target=watch)
    watching.start()
    with RawClient(server) as client:
        client.send(stages.head(kind, "POST", "/well", CHUNKED))
        for _ in range(100):
            client.send(b"1\r\nx\r\n" * 10_000)
        client.send(b"0\r\n\r\n")
        assert client.answer()[0] == 200
    over.set()
    watching.join()
    assert most[0] - before < 24 * 2**20
