"""Strangers and hostile participants at every door of real-time stages, while a room is in use: what they send is refused
and counted, costs little, is not answered with more than they sent, and the room loses no packet."""

import asyncio
import base64
import contextlib
import os
import random
import re
import socket
import struct
import time
import urllib.error

import aioice.ice
import pytest
from aioice import stun

import whip
from expect import eventually
from participants import token
from room import Room, metrics

MIB = 1024 * 1024
# Datagrams sent before the server is waited for: what the kernel would lose shows nothing.
AT_ONCE = 200


@pytest.fixture(scope="module")
def room(server):
    with Room(server) as running:
        yield running


def udp(server):
    """A stranger's socket, connected to the media port."""
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger.connect(server.media)
    stranger.setblocking(False)
    return stranger


def pour(server, stranger, datagrams):
    """Sends them as fast as the server takes them; the bytes sent."""
    sent = 0
    for start in range(0, len(datagrams), AT_ONCE):
        batch = datagrams[start : start + AT_ONCE]
        taken = metrics(server)["datagrams_in_total"]
        for datagram in batch:
            stranger.send(datagram)
            sent += len(datagram)
        eventually(lambda: metrics(server)["datagrams_in_total"] >= taken + len(batch))
    return sent


def answers(stranger):
    """What has come back so far."""
    found = []
    with contextlib.suppress(BlockingIOError):
        while True:
            found.append(stranger.recv(4096))
    return found


def dropped(server):
    figures = metrics(server)
    return figures["dropped_unknown_total"] + figures["dropped_refused_total"]


def only_the_room(server):
    """Waits until no connections are left but the room's two."""
    eventually(lambda: metrics(server)["connections"] == 2, seconds=60)


def refused(server, door):
    return metrics(server)[f'refused_total{{door="{door}"}}']


def check(user, password, transaction=None):
    """An ICE check with this user name, its integrity made with this password, and a nomination."""
    message = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    message.transaction_id = transaction or os.urandom(12)
    message.attributes["USERNAME"] = user
    message.attributes["PRIORITY"] = 1853693695
    message.attributes["ICE-CONTROLLING"] = 1
    message.attributes["USE-CANDIDATE"] = None
    message.add_message_integrity(password.encode())
    message.add_fingerprint()
    return bytes(message)


def credentials(answer):
    """ICE user name and password in an SDP answer."""
    return re.search(r"a=ice-ufrag:(\S+)", answer)[1], re.search(r"a=ice-pwd:(\S+)", answer)[1]


async def offered(direction="sendonly"):
    """An offer of aiortc's; its peer is gone."""
    peer = whip.new_peer()
    peer.addTransceiver("video", direction=direction)
    peer.addTransceiver("audio", direction=direction)
    sdp = await whip.offer_sdp(peer)
    await peer.close()
    return sdp


def post(room, bearer, body, path=""):
    """Status, headers and body."""
    return whip.send("POST", room.url + path, bearer, body)


# === the media port ===


def hello(noise):
    """A DTLS ClientHello, as far as its head goes."""
    body = b"\x01\x00\x00\x50" + noise.randbytes(150)
    return b"\x16\xfe\xfd" + bytes(8) + struct.pack("!H", len(body)) + body


def shapes(noise):
    """Datagrams that look like something and belong to nobody."""
    yield noise.randbytes(noise.randint(1, 1400))
    yield check("noone:you", "no password at all here")
    yield check("noone:you", "no password at all here")[: noise.randint(1, 80)]
    yield b"\x01\x01" + bytes.fromhex("00002112a442") + noise.randbytes(12)
    yield hello(noise)
    yield hello(noise)[: noise.randint(1, 100)]
    yield b"\x80\x60" + noise.randbytes(noise.randint(0, 1200))
    yield b"\x81" + bytes([noise.randint(200, 206)]) + noise.randbytes(noise.randint(0, 200))


def test_what_belongs_to_nobody_is_counted_and_not_answered(server, room):
    noise = random.Random(1)
    datagrams = [datagram for _ in range(400) for datagram in shapes(noise)]
    with room.undisturbed(), udp(server) as stranger:
        before = dropped(server)
        pour(server, stranger, datagrams)
        eventually(lambda: dropped(server) >= before + len(datagrams))
        assert answers(stranger) == []


def test_checks_with_a_wrong_password(server, room):
    """Who has overheard a user name cannot take the connection over, nor have anything sent."""
    with room.undisturbed(), udp(server) as stranger:
        _, bearer = token(server, room.stage, "SUBSCRIBE")
        peer_id = f"/subscribe/{room.publisher_id}"
        status, _, answer = post(room, bearer, asyncio.run(offered("recvonly")), peer_id)
        assert status == 201
        user, _ = credentials(answer)
        before = dropped(server)
        pour(server, stranger, [check(f"{user}:else", "x" * 24) for _ in range(200)])
        eventually(lambda: dropped(server) >= before + 200)
        assert answers(stranger) == []


class Overhearing:
    """Notes all that aiortc's peers say on the media port from now on."""

    def __enter__(self):
        self.said = []
        protocol = aioice.ice.StunProtocol
        self.kept = protocol.send_data, protocol.send_stun
        send_data, send_stun = self.kept

        async def tell_data(this, data, address):
            self.said.append(bytes(data))
            await send_data(this, data, address)

        def tell_stun(this, message, address):
            self.said.append(bytes(message))
            send_stun(this, message, address)

        protocol.send_data, protocol.send_stun = tell_data, tell_stun
        return self.said

    def __exit__(self, *_):
        aioice.ice.StunProtocol.send_data, aioice.ice.StunProtocol.send_stun = self.kept


def test_a_session_that_was_overheard_cannot_be_repeated(server, room):
    """Checks, handshake and media of real sessions, from other ports: they count for nothing."""
    with Overhearing() as said, Room(server) as other:
        other.goes_on(30)
        # What was said may still be on its way: a check that arrives as its copy does is the copy's loss, not the room's.
        spoken = list(said)
        with room.undisturbed(), other.undisturbed():
            before = dropped(server)
            for _ in range(10):
                with udp(server) as stranger:
                    pour(server, stranger, spoken)
                    eventually(lambda: dropped(server) > before)
                    assert not [answer for answer in answers(stranger) if answer[0] > 3], "media for a stranger"
            eventually(lambda: dropped(server) >= before + 10 * len(spoken) * 9 // 10)


def test_handshakes_without_end_from_one_address(server, room):
    """A participant that proves its address and then only begins handshakes gets no more than it sends, and is
    forgotten when its time is over."""
    noise = random.Random(2)
    with room.undisturbed(), udp(server) as hostile:
        only_the_room(server)
        _, bearer = token(server, room.stage, "PUBLISH")
        sdp = asyncio.run(offered())
        ours, _ = credentials(sdp)
        status, _, answer = post(room, bearer, sdp)
        assert status == 201
        user, password = credentials(answer)
        eventually(lambda: metrics(server)["connections"] == 3)
        proven = [check(f"{user}:{ours}", password) for _ in range(3)]
        sent = pour(server, hostile, proven)
        eventually(lambda: answers(hostile))
        sent += pour(server, hostile, [hello(noise) for _ in range(3000)])
        received = sum(map(len, answers(hostile)))
        assert received <= 3 * sent, f"{received} bytes for {sent}"
        only_the_room(server)


def test_thousands_of_half_open_connections_over_tcp(server, room):
    """Whoever says nothing makes way for those who do, and is turned out."""
    turned_out = metrics(server)["tcp_turned_out_total"]
    with room.undisturbed(), contextlib.ExitStack() as held:
        for number in range(2000):
            connection = held.enter_context(socket.create_connection(server.media, timeout=10))
            # Some begin a frame and never end it.
            if number % 3 == 0:
                connection.sendall(b"\x00\x64half a frame"[: 1 + number % 10])
        # One that has a session is answered at once all the same.
        _, bearer = token(server, room.stage, "SUBSCRIBE")
        sdp = asyncio.run(offered("recvonly"))
        status, _, answer = post(room, bearer, sdp, f"/subscribe/{room.publisher_id}")
        assert status == 201
        user, password = credentials(answer)
        honest = held.enter_context(socket.create_connection(server.media, timeout=10))
        datagram = check(f"{user}:{credentials(sdp)[0]}", password)
        honest.sendall(struct.pack("!H", len(datagram)) + datagram)
        head = honest.recv(4, socket.MSG_WAITALL)
        assert head[2:] == b"\x01\x01", "a binding response"
        eventually(lambda: metrics(server)["tcp_turned_out_total"] >= turned_out + 900)
    eventually(lambda: metrics(server)["tcp_turned_out_total"] >= turned_out + 1900, seconds=40)


# === offers ===


def long_offers():
    """Offers that are large, or take long to read."""
    base = asyncio.run(offered())
    cut = base.index("m=")
    video = base[base.index("m=video") :]
    lines = {
        "candidates": "".join(f"a=candidate:{n} 1 udp {n} 192.0.2.1 {n % 65535} typ host\r\n" for n in range(1200)),
        "sources": "".join(f"a=ssrc:{n} cname:x\r\n" for n in range(3000)),
        "formats": "".join(f"a=rtpmap:{n % 128} X{n}/90000\r\n" for n in range(2000)),
        "extensions": "".join(f"a=extmap:{n} urn:x:{n}\r\n" for n in range(2000)),
        "layers": "".join(f"a=rid:{n} send\r\n" for n in range(3000)),
        "parameters": "a=fmtp:96 " + ";".join(f"a{n}=b" for n in range(6000)) + "\r\n",
    }
    for name, extra in lines.items():
        yield name, base + extra
    yield "sections", base[:cut] + (video * 60)[: 60_000 - cut]
    yield "groups", base.replace("a=group:BUNDLE", "a=group:BUNDLE " + " ".join(map(str, range(9000))))
    yield "one line", base + "a=" + "x" * 50_000 + "\r\n"
    yield "too long", base + "a=x\r\n" * 20_000


def test_offers_that_are_too_much(server, room):
    with room.undisturbed():
        held = server.resident_bytes()
        for name, offer in long_offers():
            _, bearer = token(server, room.stage, "PUBLISH")
            began = time.monotonic()
            status, headers, _ = post(room, bearer, offer)
            assert status in (201, 400, 413, 422), name
            assert time.monotonic() - began < 10, name
            assert status == 413 or len(offer) <= 65_536, name
            if status == 201:
                assert whip.send("DELETE", server.http + headers["location"])[0] == 200
        # What is far too long is not read to its end: the sender finds the connection closed, or the answer in time.
        with contextlib.suppress(urllib.error.URLError):
            assert post(room, bearer, "v=0\r\n" + "x" * (8 * MIB))[0] == 413
        assert server.resident_bytes() < held + 64 * MIB


def test_offers_with_something_changed(server, room):
    """Every offer is refused or answered, whatever was cut out, doubled or put in."""
    noise = random.Random(3)
    base = asyncio.run(offered())
    before = refused(server, "whip")
    refusals = 0
    with room.undisturbed():
        for _ in range(150):
            lines = base.split("\r\n")
            for _ in range(noise.randint(1, 4)):
                at = noise.randrange(len(lines))
                change = noise.randrange(5)
                if change == 0:
                    del lines[at]
                elif change == 1:
                    lines.insert(at, noise.choice(lines))
                elif change == 2:
                    lines[at] = lines[at][: noise.randint(0, len(lines[at]))]
                elif change == 3:
                    lines[at] = re.sub(r"\d+", lambda _: str(noise.choice([0, 1, 127, 65536, 2**32, 2**64, -1])), lines[at])
                else:
                    lines[at] += noise.choice(["\x00", " ", ":", "\u2028", "\n", "ä"]) * noise.randint(1, 50)
            _, bearer = token(server, room.stage, "PUBLISH")
            status, headers, body = post(room, bearer, "\r\n".join(lines))
            assert status in (201, 400, 422), (status, body, lines)
            refusals += status != 201
            if status == 201:
                whip.send("DELETE", server.http + headers["location"])
    assert refused(server, "whip") >= before + refusals > before


def test_sessions_that_are_never_used(server, room):
    """Offers without end from one participant hold one seat, those of many participants one each, and not for long."""
    sdp = asyncio.run(offered("recvonly"))
    path = f"/subscribe/{room.publisher_id}"
    with room.undisturbed():
        only_the_room(server)
        _, bearer = token(server, room.stage, "SUBSCRIBE")
        for _ in range(100):
            assert post(room, bearer, sdp, path)[0] == 201
        eventually(lambda: metrics(server)["connections"] == 3)
        held = server.resident_bytes()
        for _ in range(60):
            assert post(room, token(server, room.stage, "SUBSCRIBE")[1], sdp, path)[0] == 201
        # Those of the first ones may be over before the last ones ask.
        assert metrics(server)["connections"] <= 63
        assert server.resident_bytes() < held + 64 * MIB
        only_the_room(server)


# === the events socket ===


def events_socket(room, bearer, receive_bytes=None):
    """A WebSocket after its handshake, as a plain socket."""
    raw = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if receive_bytes:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    raw.settimeout(20)
    host, port, path = re.fullmatch(r"ws://([^:/]+):(\d+)(/.*)", room.stage["endpoints"]["events"]).groups()
    raw.connect((host, int(port)))
    key = base64.b64encode(os.urandom(16)).decode()
    topic = room.stage["arn"].rsplit("/", 1)[1]
    raw.sendall(
        f"GET {path}/{topic} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: {bearer}\r\n\r\n".encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += raw.recv(1)
    assert head.startswith(b"HTTP/1.1 101")
    return raw


def masked(opcode, payload=b"", final=True, length=None):
    """A frame as a client sends it; `length` is what it claims."""
    claimed = len(payload) if length is None else length
    head = bytes([opcode | (0x80 if final else 0)])
    if claimed < 126:
        head += bytes([0x80 | claimed])
    elif claimed < 65536:
        head += b"\xfe" + struct.pack("!H", claimed)
    else:
        head += b"\xff" + struct.pack("!Q", claimed)
    return head + bytes(4) + payload


BAD_FRAMES = {
    "not masked": b"\x81\x02{}",
    "an unknown kind": masked(3),
    "an unknown control frame": masked(11),
    "reserved bits": b"\xf1" + masked(1, b"{}")[1:],
    "a long ping": masked(9, b"x" * 200),
    "a ping in parts": masked(9, b"x", final=False),
    "a continuation of nothing": masked(0, b"x"),
    "no UTF-8": masked(1, b"\xff\xfe\xfd"),
    "longer than memory": masked(1, b"x", length=2**62),
    "too long": masked(1, b"x" * 200_000),
    "parts without end": masked(1, b"x" * 1000, final=False) + masked(0, b"x" * 1000, final=False) * 500,
    "nonsense": b"\x00" * 10,
}


@pytest.mark.parametrize("name", BAD_FRAMES)
def test_frames_that_are_none(server, room, name):
    before = refused(server, "events")
    with room.undisturbed(), events_socket(room, token(server, room.stage)[1]) as raw:
        with contextlib.suppress(ConnectionError):
            raw.sendall(BAD_FRAMES[name])
            # What had been sent before, then the end.
            while raw.recv(65536):
                pass
    eventually(lambda: refused(server, "events") > before)


def test_who_does_not_read_the_events_holds_up_nobody(server, room):
    """Sockets that are never read, on a stage where something happens all the time."""
    with room.undisturbed(), contextlib.ExitStack() as held:
        _, lazy = token(server, room.stage, attributes={"much": "x" * 1000})
        sockets = [held.enter_context(events_socket(room, lazy, receive_bytes=2048)) for _ in range(8)]
        watching = held.enter_context(events_socket(room, token(server, room.stage)[1]))
        held_bytes = server.resident_bytes()
        for number in range(40):
            user, bearer = f"user-{number}", token(server, room.stage, userId=f"user-{number}", attributes={"much": "y" * 1000})[1]
            held.enter_context(events_socket(room, bearer))
            text = b""
            while user.encode() not in text:
                text = text[-100:] + watching.recv(65536)
        assert server.resident_bytes() < held_bytes + 64 * MIB
        # A ninth socket of one participant is refused.
        before = refused(server, "events")
        with events_socket(room, lazy) as ninth:
            assert ninth.recv(4, socket.MSG_WAITALL)[2:] == struct.pack("!H", 1013), "closed: try again later"
        eventually(lambda: refused(server, "events") > before)
        assert len(sockets) == 8


# === RTMP ===


def greeted(server):
    """An RTMP connection after its handshake."""
    host, port = server.addresses["rtmp"].rsplit(":", 1)
    connection = socket.create_connection((host, int(port)), timeout=20)
    connection.sendall(b"\x03" + bytes(1536))
    taken = connection.recv(1 + 2 * 1536, socket.MSG_WAITALL)
    assert len(taken) == 1 + 2 * 1536
    connection.sendall(taken[1:1537])
    return connection


def chunk(kind, payload, length=None, stream=0, channel=3):
    """A message in one chunk; `length` is what it claims."""
    head = struct.pack("!I", len(payload) if length is None else length)[1:]
    return bytes([channel]) + bytes(3) + head + bytes([kind]) + struct.pack("<I", stream) + payload


CHUNKS = {
    "a chunk size of nothing": chunk(1, bytes(4)),
    "a chunk size without end": chunk(1, b"\xff\xff\xff\xff"),
    "a message of 16 MiB": chunk(20, b"x" * 128, length=0xFFFFFF) + (b"\xc3" + b"x" * 128) * 20_000,
    "messages begun and not ended": b"".join(chunk(20, b"x", length=0xFFFF, channel=n) for n in range(3, 64)) * 20,
    "deep objects": chunk(20, b"\x03\x00\x01a" * 32, length=128),
    "a command that is none": chunk(20, b"\xff" * 100),
    "media before publishing": chunk(9, b"\x17\x01\x00\x00\x00" + b"x" * 100, stream=1),
    "a continuation of nothing": b"\xc5" + b"x" * 128,
}


def test_chunks_that_are_none(server, room):
    """Each connection is ended, some when they have said nothing useful for ten seconds."""
    before, held = refused(server, "rtmp"), server.resident_bytes()
    with room.undisturbed(), contextlib.ExitStack() as connections:
        opened = {name: connections.enter_context(greeted(server)) for name in CHUNKS}
        for name, connection in opened.items():
            with contextlib.suppress(ConnectionError):
                connection.sendall(CHUNKS[name])
        for name, connection in opened.items():
            with contextlib.suppress(ConnectionError):
                while connection.recv(65536):
                    pass
        eventually(lambda: refused(server, "rtmp") >= before + len(CHUNKS))
    assert server.resident_bytes() < held + 64 * MIB
