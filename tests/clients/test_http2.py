"""Clients of HTTP/2 that do not read, or say more than anybody needs to: the connection ends, memory is bounded, and others
are served meanwhile.

Frames are put together by hand where no library would send them (RFC 9113, RFC 7541).
"""

import socket
import threading
import time

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
import hpack
import pytest
from hyperframe.frame import ContinuationFrame, DataFrame, HeadersFrame, PingFrame, RstStreamFrame, SettingsFrame, WindowUpdateFrame

from fault_stages import Stages, others_are_served, unique
from faulty_backend import FaultyBackend
from server import serving

CLIENT_TIMEOUT_SECONDS = 2
# A machine that builds something beside must not make a test fail.
SOON_SECONDS = CLIENT_TIMEOUT_SECONDS + 15
KINDS = ["rest", "http"]
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("http2"), "--client-timeout", str(CLIENT_TIMEOUT_SECONDS)) as running:
        yield running


@pytest.fixture(scope="module")
def stages(server):
    with FaultyBackend() as faulty:
        yield Stages(server, faulty)


@pytest.fixture(autouse=True)
def nobody_else_is_disturbed(stages):
    with others_are_served(stages, wait_seconds=SOON_SECONDS):
        yield


class Client:
    """One connection. Use it as a context manager."""

    def __init__(self, server, window=None):
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        if window is not None:
            self.h2.local_settings[h2.settings.SettingCodes.INITIAL_WINDOW_SIZE] = window
            self.h2.local_settings.acknowledge()
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=SOON_SECONDS)
        self.h2.initiate_connection()
        self.events, self.received = [], b""
        # The error code of the server's GOAWAY, once it came. The library takes nothing after one, though answers may.
        self.left = None
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def flush(self):
        self.send(self.h2.data_to_send())

    def ask(self, stages, kind, path):
        """A request; its stream."""
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, head(stages, kind, path), end_stream=True)
        self.flush()
        return stream

    def read(self):
        """What comes next; whether the server has hung up."""
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self.received += data
        while len(self.received) >= 9 and len(self.received) >= (end := 9 + int.from_bytes(self.received[:3], "big")):
            frame, self.received = self.received[:end], self.received[end:]
            kind, flags = frame[3], frame[4]
            if kind == 7:
                self.left = int.from_bytes(frame[13:17], "big")
            elif kind == 6 and self.left is not None and not flags & 1:
                self.send(PingFrame(0, frame[9:17], flags=["ACK"]).serialize())
            else:
                self.events += self.h2.receive_data(frame)
                self.flush()
        return not data

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            # The server has hung up, which reading tells.
            pass

    def until(self, kind, stream=None):
        """The first event of this kind, perhaps of this stream."""
        while True:
            for event in self.events:
                if isinstance(event, kind) and (stream is None or event.stream_id == stream):
                    self.events.remove(event)
                    return event
            assert not self.read(), "the server hung up"

    def goodbye(self):
        """The error code with which the server ends the connection, within its time."""
        began = time.monotonic()
        while not self.read():
            assert time.monotonic() - began < SOON_SECONDS
        return self.left


def head(stages, kind, path, *more):
    return [
        (":method", "GET"), (":scheme", "http"), (":authority", stages.host(kind)), (":path", stages.path(kind, path)), *more,
    ]


# Who does not read.


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", ["/large", "/well"])
def test_a_closed_window_holds_no_answer_for_ever(server, stages, kind, path):
    """Neither a long answer nor one that is whole in the server's memory."""
    began = time.monotonic()
    with Client(server, window=0) as client:
        streams = [client.ask(stages, kind, unique(path)) for _ in range(20)]
        for stream in streams:
            status = dict(client.until(h2.events.ResponseReceived, stream).headers)[":status"]
            # On a busy machine a backend may be late; it is answered then, too.
            assert status in ("200", "503", "504")
        assert client.goodbye() == 0
    assert time.monotonic() - began > CLIENT_TIMEOUT_SECONDS


def test_one_closed_stream_ends_the_connection_though_others_go_on(server, stages):
    """A client cannot hide answers that it does not take behind others that it takes."""
    with Client(server) as client:
        held = client.ask(stages, "rest", unique("/large"))
        client.until(h2.events.ResponseReceived, held)
        # What is left closed is the stream's window.
        client.h2.increment_flow_control_window(2**24)
        client.flush()
        with pytest.raises(AssertionError, match="hung up"):
            while True:
                other = client.ask(stages, "rest", "/mock")
                client.until(h2.events.StreamEnded, other)
                time.sleep(0.05)
        assert client.left == 0


@pytest.mark.parametrize("kind", KINDS)
def test_who_reads_slowly_is_served(server, stages, kind):
    """It takes a frame's length now and then, for three times as long as it may take nothing."""
    taken, began = 0, time.monotonic()
    with Client(server, window=16384) as client:
        stream = client.ask(stages, kind, unique("/large"))
        while time.monotonic() - began < 3 * CLIENT_TIMEOUT_SECONDS:
            taken += client.until(h2.events.DataReceived, stream).flow_controlled_length
            time.sleep(CLIENT_TIMEOUT_SECONDS / 8)
            client.h2.acknowledge_received_data(16384, stream)
            client.flush()
        assert taken >= 8 * 16384
        # And to the end, once it reads fast.
        client.h2.increment_flow_control_window(2**24)
        client.h2.increment_flow_control_window(2**24, stream)
        client.flush()
        client.until(h2.events.StreamEnded, stream)


@pytest.mark.parametrize("asks", [False, True])
def test_connections_on_which_nothing_is_asked_end(server, stages, asks):
    """As those of HTTP/1.1 do; who is answered has its time again."""
    with Client(server) as client:
        for _ in range(3 if asks else 0):
            client.until(h2.events.StreamEnded, client.ask(stages, "rest", "/mock"))
            time.sleep(CLIENT_TIMEOUT_SECONDS / 2)
        assert client.goodbye() == 0


def test_a_client_that_does_not_read_its_socket_at_all(server, stages):
    """Its windows are open, its socket is full."""
    with Client(server, window=2**31 - 1) as client:
        client.h2.increment_flow_control_window(2**30)
        for _ in range(20):
            client.ask(stages, "rest", unique("/large"))
        time.sleep(CLIENT_TIMEOUT_SECONDS + 1)
        read = 0
        try:
            while data := client.socket.recv(1 << 20):
                read += len(data)
        except ConnectionResetError:
            pass
        assert read < 20 * 9 * 2**20


# Who says too much. All of these were the ruin of servers of HTTP/2.


class Flood:
    """Sends until the server hangs up, reading or not; how much was sent, and what came."""

    def __init__(self, server, reads=True):
        self.socket = socket.socket()
        if not reads:
            # The less fits into the client, the sooner the server cannot write.
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(SOON_SECONDS)
        self.socket.connect(("127.0.0.1", server.port))
        self.sent, self.received = 0, bytearray()
        self.reading = threading.Thread(target=self._read, daemon=True)
        if reads:
            self.reading.start()

    def __enter__(self):
        self.send(PREFACE + SettingsFrame(0).serialize())
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _read(self):
        try:
            while part := self.socket.recv(65536):
                self.received += part
        except OSError:
            return

    def send(self, data):
        self.socket.sendall(data)
        self.sent += len(data)

    def until_ended(self, parts, seconds=60):
        """Whether the server hangs up while these are sent."""
        ends = time.monotonic() + seconds
        try:
            for part in parts:
                self.send(part)
                if time.monotonic() > ends:
                    return False
        except OSError:
            return True
        return False

    def ended(self):
        self.reading.join(SOON_SECONDS)
        return not self.reading.is_alive()


def goaway(received):
    """The last GOAWAY frame's error code."""
    at, code = 0, None
    while at + 9 <= len(received):
        length, kind = int.from_bytes(received[at : at + 3], "big"), received[at + 3]
        if kind == 7:
            code = int.from_bytes(received[at + 13 : at + 17], "big")
        at += 9 + length
    return code


def request(stages, stream, encoder, path="/mock", flags=("END_HEADERS", "END_STREAM"), more=()):
    frame = HeadersFrame(stream, encoder.encode(head(stages, "rest", path, *more)), flags=list(flags))
    return frame.serialize()


def test_rapid_reset(server, stages):
    """CVE-2023-44487: requests that are taken back as they are made. Each costs the backend nothing more than a start."""
    encoder = hpack.Encoder()

    def parts():
        for stream in range(1, 400_001, 2):
            path = "/never" if stream % 4 == 1 else "/mock"
            yield request(stages, stream, encoder, path) + RstStreamFrame(stream, error_code=8).serialize()

    with Flood(server) as flood:
        assert flood.until_ended(parts()) or flood.ended()
        flood.ended()
    assert goaway(flood.received) is not None


def test_endless_continuations(server, stages):
    """CVE-2024-27316: a head that never ends."""
    encoder = hpack.Encoder()

    def parts():
        yield request(stages, 1, encoder, flags=["END_STREAM"])
        for number in range(100_000):
            fields = encoder.encode([hpack.NeverIndexedHeaderTuple(f"x-{number}", "x" * 1000)])
            yield ContinuationFrame(1, fields).serialize()

    with Flood(server) as flood:
        assert flood.until_ended(parts()) or flood.ended()
    assert flood.sent < 16 * 2**20


def test_empty_continuations(server, stages):
    with Flood(server) as flood:
        parts = [request(stages, 1, hpack.Encoder(), flags=["END_STREAM"])]
        parts += [ContinuationFrame(1, b"").serialize() * 100] * 10_000
        assert flood.until_ended(parts) or flood.ended()


def test_a_head_that_unpacks_to_much(server, stages):
    """HPACK: one field of 4 KB in the table, named ten thousand times."""
    encoder = hpack.Encoder()
    with Flood(server) as flood:
        flood.send(request(stages, 1, encoder, more=[("x-long", "x" * 3900)]))
        # After the request's own fields the long one is the newest of the table: index 62.
        bomb = HeadersFrame(3, encoder.encode(head(stages, "rest", "/mock")), flags=["END_STREAM"]).serialize()
        try:
            flood.send(bomb)
            for _ in range(10):
                flood.send(ContinuationFrame(3, b"\xbe" * 16_000).serialize())
            flood.send(ContinuationFrame(3, b"\xbe", flags=["END_HEADERS"]).serialize())
        except OSError:
            # The server has hung up.
            pass
        assert flood.ended()


@pytest.mark.parametrize("reads", [True, False])
@pytest.mark.parametrize("frame", ["ping", "settings"])
def test_floods_that_want_an_answer(server, stages, frame, reads):
    """Whoever takes the answers gets them; whoever does not is hung up on, and nothing piles up meanwhile."""
    one = {"ping": PingFrame(0, b"x" * 8), "settings": SettingsFrame(0, {4: 65_535})}[frame].serialize()
    with Flood(server, reads) as flood:
        ended = flood.until_ended([one * 1000] * (300 if reads else 4000), seconds=20 if reads else 120)
        assert ended or reads and flood.ended()


@pytest.mark.parametrize("frame", ["data", "window"])
def test_floods_that_say_nothing(server, stages, frame):
    """Frames without content on a stream that is open."""
    empty = {"data": DataFrame(1, b""), "window": WindowUpdateFrame(1, window_increment=1)}[frame].serialize()
    encoder = hpack.Encoder()
    with Flood(server) as flood:
        flood.send(request(stages, 1, encoder, "/echo", flags=["END_HEADERS"]))
        ended = flood.until_ended([empty * 1000] * 300, seconds=20)
        assert ended or flood.ended()


def test_windows_that_overflow(server, stages):
    """RFC 9113, section 6.9.1: FLOW_CONTROL_ERROR."""
    with Flood(server) as flood:
        flood.send(WindowUpdateFrame(0, window_increment=2**31 - 1).serialize() * 2)
        assert flood.ended()
    assert goaway(flood.received) == 3


def test_more_streams_than_there_may_be(server, stages):
    """RFC 9113, section 5.1.2: those beyond are refused, the others are served."""
    encoder, answers = hpack.Encoder(), []
    with Flood(server) as flood:
        for stream in range(1, 401, 2):
            flood.send(request(stages, stream, encoder, "/later"))
        flood.ended()
        received = bytes(flood.received)
    at = 0
    while at + 9 <= len(received):
        answers.append(received[at + 3])
        at += 9 + int.from_bytes(received[at : at + 3], "big")
    # RST_STREAM for what is too much, HEADERS for the rest.
    assert answers.count(3) >= 72
    assert answers.count(1) >= 100
