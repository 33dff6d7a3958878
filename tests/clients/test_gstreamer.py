"""GStreamer's webrtcbin, whose certificates are RSA ones, publishes and plays.

It refuses loopback addresses, so it runs in a network namespace of its own, joined to ours by a pair of virtual
network cards; nothing leaves the machine. That needs root, or `sudo` without a password.
"""

import asyncio
import contextlib
import json
import os
import pathlib
import queue
import subprocess
import threading
import time

import aioice.ice
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

import whip
from conftest import client
from server import Server
from participants import token
from test_media import url

PYTHON = "/usr/bin/python3"
PROGRAM = pathlib.Path(__file__).with_name("gstreamer_peer.py")
AS_ROOT = [] if os.geteuid() == 0 else ["sudo", "-n"]
# Of the block for measurements (RFC 2544), which is routed nowhere; four addresses for each process that tests.
OURS, THEIRS = (f"198.18.{os.getpid() >> 6 & 255}.{4 * (os.getpid() & 63) + place}" for place in (1, 2))


def as_root(*command):
    done = subprocess.run([*AS_ROOT, *command], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no network namespaces here: {' '.join(command)}: {done.stderr.strip()}")


@pytest.fixture(scope="module")
def namespace():
    """The name of a network namespace with the address THEIRS, from which OURS is reached."""
    name, card = f"stagedoor-{os.getpid()}", f"sd{os.getpid()}"
    imports = "import gi; gi.require_version('GstWebRTC', '1.0'); from gi.repository import GstWebRTC"
    if subprocess.run([PYTHON, "-c", imports], capture_output=True, check=False).returncode:
        pytest.skip("no GStreamer with Python bindings: `cargo xtask test --only clients` installs it")
    with contextlib.ExitStack() as undo:
        as_root("ip", "netns", "add", name)
        undo.callback(subprocess.run, [*AS_ROOT, "ip", "netns", "del", name], check=False)
        as_root("ip", "link", "add", card, "type", "veth", "peer", "name", "eth0", "netns", name)
        # With one card goes the other.
        undo.callback(subprocess.run, [*AS_ROOT, "ip", "link", "del", card], check=False)
        as_root("ip", "address", "add", f"{OURS}/30", "dev", card)
        as_root("ip", "link", "set", card, "up")
        inside = ("ip", "-n", name)
        as_root(*inside, "address", "add", f"{THEIRS}/30", "dev", "eth0")
        as_root(*inside, "link", "set", "eth0", "up")
        as_root(*inside, "link", "set", "lo", "up")
        yield name


@pytest.fixture(scope="module")
def server(namespace, tmp_path_factory):
    listen = ("--listen", f"{OURS}:0", "--media-listen", f"{OURS}:0", "--keys", "test:test")
    with Server(tmp_path_factory.mktemp("server"), *listen) as server:
        yield server


class Peer:
    """A running `gstreamer_peer.py`. Use it as a context manager."""

    def __init__(self, namespace, *arguments):
        command = [*AS_ROOT, "ip", "netns", "exec", namespace, PYTHON, str(PROGRAM), *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.lines = queue.SimpleQueue()
        self.seen = []
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))

    def until(self, wanted, seconds=20):
        """Waits for a line that is as wanted."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"not in time; GStreamer said {self.seen[-10:]}") from None
            self.seen.append(line)
            assert "error" not in line and "refused" not in line, line
            if wanted(line):
                return line


@pytest.mark.parametrize("codec, address", [("h264", "subscribe"), ("vp8", "whep")])
def test_gstreamer_publishes_and_plays(server, namespace, monkeypatch, codec, address):
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: [OURS])
    stage = client(server, "ivs-realtime").create_stage(name="gstreamer")["stage"]
    publisher_id, publish = token(server, stage, "PUBLISH")
    _, subscribe = token(server, stage, "SUBSCRIBE")
    _, play = token(server, stage, "SUBSCRIBE")
    played = {
        "subscribe": f"{url(stage)}/subscribe/{publisher_id}",
        "whep": f"{server.http}/whep/{stage['arn'].rsplit('/', 1)[1]}/{publisher_id}",
    }

    async def aiortc_receives():
        async with whip.Subscriber(url(stage), subscribe, publisher_id) as subscriber:
            await subscriber.receives(video=30, audio=30)
            assert subscriber.size == (320, 180)
            assert subscriber.loud, "there is no sound"

    with Peer(namespace, "publish", url(stage), publish, codec) as publisher:
        # Should GStreamer come to make others, this test would show nothing of RSA any more.
        certificate = publisher.until(lambda line: "certificate" in line)["certificate"]
        assert isinstance(x509.load_pem_x509_certificate(certificate.encode()).public_key(), rsa.RSAPublicKey)
        publisher.until(lambda line: "connected" in line)
        asyncio.run(aiortc_receives())
        with Peer(namespace, "play", played[address], play, codec) as player:
            player.until(lambda line: line.get("video", 0) >= 60 and line.get("audio", 0) >= 60)
