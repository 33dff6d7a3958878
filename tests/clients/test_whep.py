"""WHEP (draft-ietf-wish-whep): a player receives one participant of a stage, and chooses its simulcast layer."""

import asyncio
import json

import pytest

import whip
from conftest import client
from participants import token


@pytest.fixture
def stage(server):
    """A fresh stage."""
    return client(server, "ivs-realtime").create_stage(name="whep")["stage"]


def endpoint(server, stage, participant):
    return f"{server.http}/whep/{stage['arn'].rsplit('/', 1)[1]}/{participant}"


def offer():
    async def make():
        peer = whip.new_peer()
        peer.addTransceiver("video", direction="recvonly")
        peer.addTransceiver("audio", direction="recvonly")
        sdp = await whip.offer_sdp(peer)
        await peer.close()
        return sdp

    return asyncio.run(make())


class Player(whip.Subscriber):
    """Receives from a WHEP address."""

    def __init__(self, address, bearer):
        super().__init__("", bearer, "")
        self.url = address


@pytest.mark.parametrize("codec", ["video/H264", "video/VP8"])
def test_a_player_receives_a_participant(server, stage, codec):
    publisher_id, publish = token(server, stage, "PUBLISH")
    _, subscribe = token(server, stage, "SUBSCRIBE")

    async def run():
        async with whip.Publisher(stage["endpoints"]["whip"], publish, codec):
            async with Player(endpoint(server, stage, publisher_id), subscribe) as player:
                await player.receives(video=15, audio=15)
                assert "/whep/session/" in player.session
                assert (await asyncio.to_thread(whip.send, "DELETE", player.session))[0] == 200

    asyncio.run(run())


def test_the_life_of_a_session(server, stage):
    publisher_id, publish = token(server, stage, "PUBLISH")
    _, subscribe = token(server, stage, "SUBSCRIBE")
    address, sdp = endpoint(server, stage, publisher_id), offer()
    # Nobody publishes: the player is told when to come again.
    status, headers, _ = whip.send("POST", address, subscribe, sdp)
    assert (status, headers["retry-after"]) == (409, "1")

    async def run():
        async with whip.Publisher(stage["endpoints"]["whip"], publish, "video/VP8"):
            await asyncio.to_thread(live)

    def live():
        status, headers, body = whip.send("POST", address, subscribe, sdp)
        assert (status, headers["content-type"]) == (201, "application/sdp"), body
        session = server.http + headers["location"]
        tag = headers["etag"]
        assert body.startswith("v=0")
        trickle = "application/trickle-ice-sdpfrag"
        assert whip.send("PATCH", session, subscribe, "", trickle)[0] == 428
        link = headers["link"]
        assert link.endswith('; rel="urn:ietf:params:whep:ext:core:layer"')
        layer = server.http + link[1 : link.index(">")]
        for wish, wanted in [({"encodingId": "h"}, 200), ({"maxWidth": 320}, 200), ({}, 200), ({"rid": []}, 400)]:
            assert whip.send("POST", layer, subscribe, json.dumps(wish), "application/json")[0] == wanted, wish
        assert tag.startswith('"')
        assert whip.send("DELETE", session, subscribe)[0] == 200
        assert whip.send("POST", layer, subscribe, "{}", "application/json")[0] == 404

    asyncio.run(run())


def test_refusals(server, stage):
    publisher_id, publish = token(server, stage, "PUBLISH")
    _, subscribe = token(server, stage, "SUBSCRIBE")
    other = client(server, "ivs-realtime").create_stage(name="other")["stage"]
    address, sdp = endpoint(server, stage, publisher_id), offer()
    assert whip.send("POST", address, None, sdp)[0] == 401
    assert whip.send("POST", address, publish, sdp)[0] == 403
    assert whip.send("POST", endpoint(server, other, publisher_id), subscribe, sdp)[0] == 403
    assert whip.send("POST", address, subscribe, sdp, "application/json")[0] == 415
    assert whip.send("POST", address, subscribe, "v=0")[0] == 400
    assert whip.send("GET", address, subscribe)[0] == 405
    assert whip.send("POST", f"{server.http}/whep", subscribe, sdp)[0] == 404
    status, headers, _ = whip.send("OPTIONS", address)
    assert (status, headers["accept-post"], headers["access-control-allow-origin"]) == (204, "application/sdp", "*")
