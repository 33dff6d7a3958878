"""How clients find their way: ICE servers in `Link` headers, and from an address of several nodes to one of them."""

import asyncio
import base64
import hashlib
import hmac
import http.client
import re
import subprocess
import time
import urllib.parse

import pytest
from aiortc import RTCSessionDescription

import whip
from conftest import client
from participants import token
from server import Server

TABLES = """
[[ice-server]]
urls = ["stun:stun.example.net"]
[[ice-server]]
urls = ["turn:turn.example.net?transport=udp", "turns:turn.example.net:443"]
username = "us\\"er"
credential = "pass"
[[ice-server]]
urls = ["turn:other.example.net"]
secret = "north"
lifetime = 600
"""


# === ICE servers ===


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A server that tells of ICE servers, and a stage."""
    folder = tmp_path_factory.mktemp("told")
    (folder / "stagedoor.toml").write_text(TABLES)
    with Server(folder / "data", "--config", str(folder / "stagedoor.toml")) as server:
        yield server, client(server, "ivs-realtime").create_stage(name="told")["stage"]


def ice_servers(headers):
    """`(url, username, credential)` of each, from the joined `Link`s."""
    quoted = r'"((?:[^"\\]|\\.)*)"'
    link = rf'<([^>]*)>; rel="ice-server"(?:; username={quoted}; credential={quoted}; credential-type="password")?'
    return re.findall(link, ", ".join(value for name, value in headers if name == "link"))


def options(url, bearer=None):
    """The `Link`s that OPTIONS answers with."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    connection.request("OPTIONS", parts.path, headers={"Authorization": f"Bearer {bearer}"} if bearer else {})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == 204
    return ice_servers([(name.lower(), value) for name, value in answer.getheaders()])


def test_a_participant_is_told_with_its_credentials(told):
    server, stage = told
    participant, bearer = token(server, stage)
    before = time.time()
    found = options(stage["endpoints"]["whip"], bearer)
    assert found[:3] == [
        ("stun:stun.example.net", "", ""),
        ("turn:turn.example.net?transport=udp", 'us\\"er', "pass"),
        ("turns:turn.example.net:443", 'us\\"er', "pass"),
    ]
    url, username, credential = found[3]
    ends, name = username.split(":")
    assert (url, name) == ("turn:other.example.net", participant)
    assert before + 595 <= int(ends) <= time.time() + 605
    made = hmac.new(b"north", username.encode(), hashlib.sha1).digest()
    assert credential == base64.b64encode(made).decode()


@pytest.mark.parametrize("bearer", [None, "nonsense"])
def test_others_get_no_credentials(told, bearer):
    _, stage = told
    assert options(stage["endpoints"]["whip"], bearer) == [("stun:stun.example.net", "", "")]


def test_the_answer_to_an_offer_has_them_too(told):
    server, stage = told
    publisher, bearer = token(server, stage)

    async def run():
        async with whip.Publisher(stage["endpoints"]["whip"], bearer, "video/VP8") as peer:
            sent = peer.created["link"]
            assert [url for url, _, _ in ice_servers([("link", sent)])][0] == "stun:stun.example.net"
            async with whip.Subscriber(stage["endpoints"]["whip"], token(server, stage)[1], publisher) as viewer:
                assert "ice-server" in viewer.created["link"] and "ext:core:layer" in viewer.created["link"]

    asyncio.run(run())


# === several nodes with one address ===


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    """A server whose public address is that of several nodes. Both names are loopback's."""
    folder = tmp_path_factory.mktemp("nodes")
    with Server(folder / "data") as first:
        port = first.port
    listen = ("--listen", f"127.0.0.1:{port}", "--public-url", f"http://localhost:{port}")
    with Server(folder / "data", *listen, "--node-url", f"http://127.0.0.1:{port}") as server:
        yield server, client(server, "ivs-realtime").create_stage(name="nodes")["stage"]


async def offer():
    """An offer of a peer that is gone by now."""
    peer = whip.new_peer()
    whip.prefer(peer.addTransceiver("video", direction="sendonly"), "video/H264")
    sdp = await whip.offer_sdp(peer)
    await peer.close()
    return sdp


async def follow(peer, url, bearer, hops=5):
    """Offers as AWS's sample programs do: the same request again wherever a redirect leads."""
    sdp = await whip.offer_sdp(peer)
    seen = []
    while hops:
        status, headers, body = await asyncio.to_thread(whip.send, "POST", url, bearer, sdp)
        seen.append(status)
        if status == 201:
            await peer.setRemoteDescription(RTCSessionDescription(sdp=body, type="answer"))
            await whip.until(lambda: peer.connectionState == "connected", "connected")
            return seen, urllib.parse.urljoin(url, headers["location"])
        assert status == 307, body
        url, hops = urllib.parse.urljoin(url, headers["location"]), hops - 1
    raise AssertionError(seen)


def test_a_client_is_sent_to_the_node(nodes):
    server, stage = nodes
    publisher, bearer = token(server, stage)
    whip_url = stage["endpoints"]["whip"]
    assert whip_url == f"http://localhost:{server.port}/whip"

    async def run():
        peer = whip.new_peer()
        whip.prefer(peer.addTransceiver(whip.Pattern(), direction="sendonly"), "video/VP8")
        seen, session = await follow(peer, whip_url, bearer)
        assert seen == [307, 201]
        assert session.startswith(f"{server.http}/whip/session/")
        watch = f"{whip_url}/subscribe/{publisher}?layer=lowest"
        status, headers, _ = await asyncio.to_thread(whip.send, "POST", watch, bearer, "v=0\r\n")
        assert status == 307
        assert headers["location"] == f"{server.http}/whip/subscribe/{publisher}?layer=lowest"
        status, _, _ = await asyncio.to_thread(whip.send, "DELETE", session, bearer)
        assert status == 200
        await peer.close()

    asyncio.run(run())


def test_curl_follows(nodes, tmp_path):
    """With method, body and, as it is told to trust the other host, the token."""
    server, stage = nodes
    _, bearer = token(server, stage)

    (tmp_path / "offer").write_text(asyncio.run(offer()))
    command = ["curl", "-sS", "--noproxy", "*", "--location-trusted", "-H", f"Authorization: Bearer {bearer}"]
    command += ["-H", "Content-Type: application/sdp", "--data-binary", f"@{tmp_path / 'offer'}"]
    command += ["-o", "/dev/null", "-w", "%{http_code} %{num_redirects} %{url_effective}", stage["endpoints"]["whip"]]
    said = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    assert said == f"201 1 {server.http}/whip"


def test_a_browser_is_served_at_once(nodes):
    """It would follow without its token; the session is at the node all the same."""
    server, stage = nodes
    _, bearer = token(server, stage)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    headers = {"Host": f"localhost:{server.port}", "Origin": "https://app.example.com", "Content-Type": "application/sdp"}
    body = asyncio.run(offer())
    connection.request("POST", "/whip", body=body, headers={**headers, "Authorization": f"Bearer {bearer}"})
    answer = connection.getresponse()
    assert answer.status == 201 and answer.read()
    assert answer.headers["location"].startswith(f"{server.http}/whip/session/")
    connection.close()
