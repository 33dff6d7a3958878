"""Clients and backends that misbehave: the documented answer, bounded memory, the line in the access log, and nobody
else is disturbed.
"""

import gzip
import threading
import time

import pytest

from fault_stages import TIMEOUT_MILLIS, faulty, others_are_served, stages, unique
from raw_client import RawClient
from server import serving

KINDS = ["rest", "http"]
CLIENT_TIMEOUT_SECONDS = 2
MIB = 2**20


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("faults"), "--client-timeout", str(CLIENT_TIMEOUT_SECONDS)) as running:
        yield running


@pytest.fixture(autouse=True)
def nobody_else_is_disturbed(stages):
    with others_are_served(stages):
        yield


# Slow and half clients.


@pytest.mark.parametrize("beginning", [b"", b"G", b"PRI * HTTP/2.0\r\n", b"GET /prod/mock HTTP/1.1\r\nHost: "])
def test_clients_that_stop_in_the_head_are_hung_up_on(server, beginning):
    with RawClient(server) as client:
        began = time.monotonic()
        client.send(beginning)
        assert client.rest() == b"" or client.received.startswith(b"HTTP/1.1 408")
        assert time.monotonic() - began < CLIENT_TIMEOUT_SECONDS + 3


def test_a_thousand_slow_heads(server, stages):
    """A byte now and then keeps no connection open beyond its time, and a thousand of them keep nobody out."""
    head = stages.head("rest", "GET", "/mock", "X-Slow: " + "x" * 100)
    began = time.monotonic()
    clients = [RawClient(server) for _ in range(1000)]
    for byte in head[:4]:
        for client in clients:
            try:
                client.send(bytes([byte]))
            except OSError:
                # Its time was over already.
                continue
        time.sleep(0.1)
    for client in clients:
        assert client.rest() == b"" or client.received.startswith(b"HTTP/1.1 408")
        client.socket.close()
    assert time.monotonic() - began < CLIENT_TIMEOUT_SECONDS + 15


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", ["/echo", "/mock"])
def test_slow_bodies(server, stages, faulty, kind, path):
    """The body comes a byte at a time and would take a thousand seconds. The backend hears nothing of it."""
    path = path if path == "/mock" and kind == "rest" else unique(path)
    with RawClient(server) as client:
        client.send(stages.head(kind, "POST", path, "Content-Length: 10000", "Content-Type: application/json"))
        began, over = time.monotonic(), threading.Event()

        def drip():
            while not over.wait(0.1):
                try:
                    client.send(b" ")
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        dripping.start()
        status, _, body = client.answer()
        over.set()
        dripping.join()
    if kind == "rest" and path == "/mock":
        # Nobody reads the body.
        assert status == 200
        return
    assert (status, body) == (408, b'{"message":"Request Timeout"}')
    assert time.monotonic() - began < CLIENT_TIMEOUT_SECONDS + 5
    assert f" {status} " in stages.logged(kind, path)
    assert not asked(faulty, path)


def asked(faulty, path):
    return any(path.encode() in head for head in faulty.asked)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("behaviour", ["echo", "late"])
def test_an_upload_takes_none_of_the_integrations_time(server, stages, faulty, kind, behaviour):
    """It takes twice as long as the integration may: only when it is there is the backend asked, and its time begins."""
    path, parts = unique(f"/{behaviour}"), 10
    with RawClient(server) as client:
        client.send(stages.head(kind, "POST", path, "Transfer-Encoding: chunked"))
        for _ in range(parts):
            client.send(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
            time.sleep(2 * TIMEOUT_MILLIS / 1000 / parts)
        assert not asked(faulty, path)
        client.send(b"0\r\n\r\n")
        status, _, body = client.answer()
    assert status == 200, body
    if behaviour == "echo":
        head, _, sent = body.partition(b"\r\n\r\n")
        assert sent == b"x" * 1000 * parts
        assert b"content-length: 10000" in head.lower() and b"chunked" not in head.lower()
    latency = int(stages.logged(kind, path).split()[-1])
    assert latency < TIMEOUT_MILLIS
    assert behaviour == "echo" or latency >= 300


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", ["/well", "/late"])
def test_half_closed_connections_get_their_answer(server, stages, kind, path):
    path = unique(path)
    with RawClient(server) as client:
        client.send(stages.head(kind, "GET", path)).end()
        status, _, body = client.answer()
        assert (status, body) == (200, path.split("/")[1].encode())
        assert client.rest() == b""
    assert " 200 " in stages.logged(kind, path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_that_ends_in_its_body(server, stages, faulty, kind):
    """No backend gets half a request."""
    path = unique("/echo")
    with RawClient(server) as client:
        client.send(stages.head(kind, "POST", path, "Content-Length: 100") + b"half").end()
        status, _, body = client.answer()
    assert (status, body) == (400, b'{"message":"Bad Request"}')
    assert " 400 " in stages.logged(kind, path)
    assert not asked(faulty, path)


@pytest.mark.parametrize("kind", KINDS)
def test_clients_that_do_not_read(server, stages, kind):
    """The answer of 9 MiB is not taken: the server does not hold it for ever."""
    path = unique("/large")
    with RawClient(server) as client:
        client.send(stages.head(kind, "GET", path))
        assert stages.logged(kind, path)


# What is no request.

SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("lines", "body"),
    [
        (["Content-Length: 5", "Transfer-Encoding: chunked"], "0\r\n\r\n"),
        (["Transfer-Encoding: chunked", "Content-Length: 5"], "0\r\n\r\n"),
        (["Content-Length: 0", "Content-Length: 40"], ""),
        (["Content-Length: 0, 40"], ""),
        (["Content-Length: +0"], ""),
        (["Content-Length: -1"], ""),
        (["Content-Length: 0x0"], ""),
        (["Content-Length: 0 0"], ""),
        (["Content-Length:"], ""),
        (["Content-Length: 99999999999999999999999"], ""),
        (["Content-Length : 0"], ""),
        ([" Content-Length: 0"], ""),
        (["X-Folded: a", " Content-Length: 40"], ""),
        (["X-Folded: a", "\tb"], ""),
        (["Transfer-Encoding : chunked"], "0\r\n\r\n"),
        (["Transfer-Encoding: xchunked"], "0\r\n\r\n"),
        (["Transfer-Encoding: chunked, identity"], "0\r\n\r\n"),
        (["Transfer-Encoding: identity"], ""),
        (["Transfer-Encoding: \x0bchunked"], "0\r\n\r\n"),
        (["Transfer-Encoding: chunked"], "zz\r\n"),
        (["Transfer-Encoding: chunked"], "-1\r\n"),
        (["Transfer-Encoding: chunked"], "+0\r\n\r\n"),
        (["Transfer-Encoding: chunked"], "0x0\r\n\r\n"),
        (["Transfer-Encoding: chunked"], "fffffffffffffffffffff\r\n"),
        (["Transfer-Encoding: chunked"], "4\r\nfourmore\r\n0\r\n\r\n"),
        (["X-Nul: a\0b"], ""),
        (["X-Bell: a\x07b"], ""),
        (["X-Return: a\rContent-Length: 40"], ""),
        (["X Space: a"], ""),
        (["X-None"], ""),
        ([": nameless"], ""),
        (["X-\xe4: a"], ""),
    ],
)
def test_what_could_be_two_requests_is_refused(server, stages, faulty, kind, lines, body):
    """RFC 9112, sections 5.1, 5.2, 6.3 and 7.1: refused, the connection ends, and what follows is no request."""
    before = len(faulty.asked)
    with RawClient(server) as client:
        client.send(stages.head(kind, "POST", "/echo", *lines))
        try:
            client.send(body + SMUGGLED).end()
        except OSError:
            # Hung up on already.
            pass
        status, headers, _ = client.answer()
        rest = client.rest()
    assert status in (0, 400, 501), (status, headers)
    assert b"HTTP/1.1" not in rest
    assert not any(b"smuggled" in head.split(b"\r\n")[0] for head in faulty.asked[before:])


@pytest.mark.parametrize("line", ["GET /mock", "GET  /mock HTTP/1.1", "GET /mock HTTP/1.2", "GET /mock HTTP/2.0", "G\0T /mock HTTP/1.1",
                                  "GET /mo\x01ck HTTP/1.1", "GET mock HTTP/1.1", " GET /mock HTTP/1.1", "GET /mock\tHTTP/1.1"])
def test_request_lines_that_are_none(server, stages, line):
    with RawClient(server) as client:
        client.send(f"{line}\r\nHost: {stages.host('rest')}\r\n\r\n").end()
        assert client.answer()[0] in (0, 400, 403, 505)


@pytest.mark.parametrize("kind", KINDS)
def test_requests_after_each_other_are_answered_in_order(server, stages, kind):
    """Pipelining, bodies of both kinds between, and empty lines before a request (RFC 9112, section 2.2)."""
    requests = [
        stages.head(kind, "POST", "/echo/1", "Content-Length: 5") + b"first",
        b"\r\n" + stages.head(kind, "POST", "/echo/2", "Transfer-Encoding: chunked") + b"3;x=y\r\nsec\r\n3\r\nond\r\n0\r\nX-T: 1\r\n\r\n",
        stages.head(kind, "GET", "/echo/3"),
    ]
    with RawClient(server) as client:
        client.send(b"".join(requests)).end()
        bodies = [client.answer()[2] for _ in requests]
        assert client.rest() == b""
    for number, (body, end) in enumerate(zip(bodies, [b"first", b"second", b""]), 1):
        head, _, sent = body.partition(b"\r\n\r\n")
        assert f"/echo/{number}".encode() in head.split(b"\r\n")[0]
        assert sent == end


# What is too much.


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_over_ten_mebibytes(server, stages, kind, chunked):
    path = unique("/echo")
    with RawClient(server) as client:
        framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {11 * MIB}"
        client.send(stages.head(kind, "POST", path, framing))

        def send():
            try:
                for _ in range(11):
                    client.send((b"100000\r\n" + bytes(MIB) + b"\r\n") if chunked else bytes(MIB))
            except OSError:
                # The answer came before the end.
                return

        sending = threading.Thread(target=send)
        sending.start()
        status, headers, body = client.answer()
        sending.join()
    words = {"rest": b'{"message":"Request Too Long"}', "http": b'{"message":"Request Entity Too Large"}'}
    assert (status, body) == (413, words[kind])
    assert " 413 " in stages.logged(kind, path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("length", "expected"), [(9_000, 200), (10_241, 431), (60_000, 431), (70_000, 431), (3_000_000, 431)])
def test_heads_over_ten_kibibytes(server, stages, kind, length, expected):
    with RawClient(server) as client:
        try:
            client.send(stages.head(kind, "GET", "/well", "X-Long: " + "x" * length))
        except OSError:
            # The answer came before the end.
            pass
        status, _, body = client.answer()
    # Beyond 64 KiB no stage is looked for any more, and who still sends may not get to read the answer.
    assert status == expected or (status == 0 and length > 65_536)
    if status == 431 and length < 65_536:
        assert body == b'{"message":"Request Header Fields Too Large"}'


@pytest.mark.parametrize("kind", KINDS)
def test_targets_over_ten_kibibytes(server, stages, kind):
    answer = stages.ask(kind, "GET", "/well?" + "x" * 10_240)
    assert answer.status in (414, 431), answer
    assert answer.json == {"message": "Request Header Fields Too Large"}


@pytest.mark.parametrize("kind", KINDS)
def test_packed_requests_are_unpacked_within_the_quota(stages, kind):
    """20 KiB that unpack to 20 MiB. HTTP APIs hand bodies on as they are."""
    path = unique("/well")
    answer = stages.ask(kind, "POST", path, {"Content-Encoding": "gzip"}, gzip.compress(bytes(20 * MIB)))
    expected = {"rest": (413, {"message": "Request Too Long"}), "http": (200, None)}[kind]
    assert answer.status == expected[0], answer
    if expected[1]:
        assert answer.json == expected[1]
    assert f" {expected[0]} " in stages.logged(kind, path)


@pytest.mark.parametrize("kind", KINDS)
def test_packed_answers_are_handed_on(stages, kind):
    answer = stages.ask(kind, "GET", unique("/bomb"), {"Accept-Encoding": "gzip"})
    assert (answer.status, answer.headers["content-encoding"]) == (200, "gzip")
    assert len(answer.body) < 100_000


# Backends.

UNREACHABLE = {"rest": (504, {"message": "Network error communicating with endpoint"}), "http": (503, {"message": "Service Unavailable"})}
TIMED_OUT = {"rest": (504, {"message": "Endpoint request timed out"}), "http": (503, {"message": "Service Unavailable"})}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        ("dies-at-once", UNREACHABLE),
        ("dies-in-the-head", UNREACHABLE),
        ("resets", UNREACHABLE),
        ("no-http", UNREACHABLE),
        ("bad-length", UNREACHABLE),
        ("two-lengths", UNREACHABLE),
        ("endless-head", UNREACHABLE),
        ("endless-line", UNREACHABLE),
        ("later", TIMED_OUT),
        ("never", TIMED_OUT),
        ("endless-informational", TIMED_OUT),
    ],
)
def test_backends_without_an_answer(stages, kind, behaviour, expected):
    path, began = unique(f"/{behaviour}"), time.monotonic()
    answer = stages.ask(kind, "GET", path)
    assert (answer.status, answer.json) == expected[kind]
    assert time.monotonic() - began < 5
    assert f" {answer.status} " in stages.logged(kind, path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("behaviour", ["dies-in-the-body", "dies-in-a-chunk", "bad-chunks", "stalls-in-the-body", "endless-body"])
def test_backends_whose_answer_breaks_off(server, stages, kind, behaviour):
    """The head is on its way by then: the client learns it from the connection, and nobody takes it for a whole answer."""
    path = unique(f"/{behaviour}")
    with RawClient(server) as client:
        client.send(stages.head(kind, "GET", path))
        received = client.rest()
    if not received:
        # What came first was wrong already.
        assert behaviour == "bad-chunks"
        return
    assert received.startswith(b"HTTP/1.1 200"), received[:100]
    if b"transfer-encoding: chunked" in received:
        assert not received.endswith(b"0\r\n\r\n")
    else:
        assert not received.endswith(b"\r\n\r\n" + b"x" * 100)
    assert " 200 " in stages.logged(kind, path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_backend_cannot_answer_what_it_was_not_asked(stages, kind):
    for _ in range(3):
        assert stages.ask(kind, "GET", unique("/two-answers")).body == b"well"
        assert stages.ask(kind, "GET", "/well").body == b"well"


@pytest.mark.parametrize("kind", KINDS)
def test_informational_answers_are_passed_over(stages, kind):
    answer = stages.ask(kind, "GET", unique("/some-informational"))
    assert (answer.status, answer.body) == (200, b"well")


@pytest.mark.parametrize("kind", KINDS)
def test_headers_of_backends_bring_no_others(server, stages, kind):
    with RawClient(server) as client:
        client.send(stages.head(kind, "GET", unique("/splits")))
        status, headers, _ = client.answer()
    assert "set-cookie" not in headers
    assert status in (200, 503, 504)


@pytest.mark.parametrize("kind", KINDS)
def test_a_backend_that_switches_protocols(stages, kind):
    answer = stages.ask(kind, "GET", unique("/switches"))
    assert (answer.status, answer.json) == UNREACHABLE[kind]
