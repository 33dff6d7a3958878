"""What a participant and the API do to a live stage, as others see it: mute, exchange of tokens, deletion."""

import asyncio
import contextlib
import json
import time

import jwt
import pytest
import websockets

import participants
import whip
from conftest import client
from expect import eventually
from participants import own_token, token
from server import Server

# What its token lets a guest do.
GUEST = {"allow_publish": False, "allow_subscribe": True}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server that writes what AWS tells EventBridge into a file."""
    folder = tmp_path_factory.mktemp("told")
    config = folder / "stagedoor.toml"
    config.write_text(f'[[event-target]]\nname = "lines"\nfile = "{folder / "events.jsonl"}"\n')
    with Server(folder / "data", "--config", str(config)) as running:
        running.told = lambda stage: told(folder / "events.jsonl", stage)
        yield running


def told(file, stage):
    """The events of a stage, in order, each once."""
    lines = file.read_text().splitlines() if file.exists() else []
    events = {event["id"]: event for event in map(json.loads, lines) if event["resources"] == [stage["arn"]]}
    return [event["detail"] for event in events.values()]


@pytest.fixture
def stage(server):
    return client(server, "ivs-realtime").create_stage(name="messages")["stage"]


@pytest.fixture(scope="module")
def own_key(server):
    return participants.own_key(server)


def connect(stage, bearer):
    url = f"{stage['endpoints']['events']}/{stage['arn'].rsplit('/', 1)[1]}"
    return websockets.connect(url, subprotocols=[bearer], open_timeout=10, proxy=None)


async def message_where(socket, fits, seconds=20):
    """The first message from now on that fits."""
    async with asyncio.timeout(seconds):
        async for text in socket:
            message = json.loads(text)
            if fits(message):
                return message
    raise AssertionError("the socket ended")


async def state_where(socket, fits):
    def participants(message):
        return message["type"] == "STAGE_STATE" and {one["id"]: one for one in message["payload"]["participants"]}

    return participants(await message_where(socket, lambda message: fits(participants(message) or {})))


async def ask(socket, kind, **payload):
    """The answer to a message of our own."""
    await socket.send(json.dumps({"type": f"x-stagedoor-{kind}", "payload": payload}))
    return await message_where(socket, lambda message: message["type"].startswith("x-stagedoor-"))


def record(server, stage, participant):
    """The participant and its events in the newest session, oldest first."""
    ivs = client(server, "ivs-realtime")
    session = ivs.list_stage_sessions(stageArn=stage["arn"])["stageSessions"][0]["sessionId"]
    where = {"stageArn": stage["arn"], "sessionId": session, "participantId": participant}
    events = ivs.list_participant_events(**where)["events"]
    return ivs.get_participant(**where)["participant"], list(reversed(events))


def test_the_others_see_who_is_muted(server, stage):
    ada_id, ada = token(server, stage)
    _, bob = token(server, stage)

    async def run():
        async with connect(stage, ada) as mine, connect(stage, bob) as others:
            refused = await ask(mine, "SET_MUTED", audioMuted=True)
            assert refused["type"] == "x-stagedoor-MUTED_REFUSED"
            async with whip.Publisher(stage["endpoints"]["whip"], ada, "video/VP8"):
                done = await ask(mine, "SET_MUTED", audioMuted=True)
                assert done == {"type": "x-stagedoor-MUTED", "payload": {"audioMuted": True, "videoStopped": False}}
                state = await state_where(others, lambda state: state.get(ada_id, {}).get("audioMuted"))
                assert state[ada_id]["videoStopped"] is False
                await ask(mine, "SET_MUTED", audioMuted=False, videoStopped=True)
                state = await state_where(others, lambda state: state.get(ada_id, {}).get("videoStopped"))
                assert state[ada_id]["audioMuted"] is False

    asyncio.run(run())


def test_a_host_becomes_a_guest_and_a_host_again(server, stage, own_key):
    host = own_token(own_key, stage, "ann", user_id="host", attributes={"seat": "1"})
    guest = own_token(own_key, stage, "ann", capabilities=GUEST, user_id="guest", attributes={"seat": "2"})
    again = own_token(own_key, stage, "ann", user_id="host", iat=int(time.time()) + 2)
    _, bob = token(server, stage)
    url = stage["endpoints"]["whip"]

    async def run():
        async with connect(stage, host) as mine, connect(stage, bob) as others:
            async with whip.Publisher(url, host, "video/VP8") as publisher:
                await state_where(others, lambda state: state.get("ann", {}).get("isPublishing"))
                done = await ask(mine, "EXCHANGE_TOKEN", token=guest)
                assert done["type"] == "x-stagedoor-TOKEN_EXCHANGED", done
                state = await state_where(others, lambda state: not state["ann"]["isPublishing"])
                assert (state["ann"]["userId"], state["ann"]["attributes"]) == ("guest", {"seat": "2"})
                await whip.until(lambda: publisher.peer.connectionState in ("closed", "failed"), "unpublished")
            for old in (host, guest):
                with pytest.raises(whip.Refused) as caught:
                    async with whip.Publisher(url, old, "video/VP8"):
                        pass
                assert caught.value.status == 403
            await ask(mine, "EXCHANGE_TOKEN", token=again)
            async with whip.Publisher(url, again, "video/VP8"):
                await state_where(others, lambda state: state["ann"]["isPublishing"])

    asyncio.run(run())
    eventually(lambda: [one["name"] for one in record(server, stage, "ann")[1]].count("PUBLISH_STARTED") == 2)
    participant, events = record(server, stage, "ann")
    assert (participant["userId"], participant["attributes"]) == ("host", {})
    first, second = (event for event in events if event["name"] == "TOKEN_EXCHANGED")
    old, new = first["previousToken"], first["newToken"]
    assert (old["userId"], old["attributes"], old["capabilities"]) == ("host", {"seat": "1"}, ["PUBLISH", "SUBSCRIBE"])
    assert (new["userId"], new["attributes"], new["capabilities"]) == ("guest", {"seat": "2"}, ["SUBSCRIBE"])
    assert new["expirationTime"].timestamp() == jwt.decode(guest, options={"verify_signature": False})["exp"]
    assert second["previousToken"]["userId"] == "guest"
    names = [event["name"] for event in events]
    assert names[:4] == ["JOINED", "PUBLISH_STARTED", "TOKEN_EXCHANGED", "PUBLISH_STOPPED"]

    exchanged = lambda: [one for one in server.told(stage) if one["event_name"] == "Token Exchanged"]
    eventually(lambda: len(exchanged()) == 2)
    detail = exchanged()[0]
    assert detail["user_id"] == "guest"
    assert detail["previous_token"]["capabilities"] == ["PUBLISH", "SUBSCRIBE"]
    assert detail["new_token"]["attributes"] == {"seat": "2"}
    assert {"session_id", "event_time", "participant_id"} <= set(detail)


def test_tokens_that_cannot_be_exchanged(server, stage, own_key):
    issued_id, issued = token(server, stage)
    other = client(server, "ivs-realtime").create_stage(name="other")["stage"]

    async def refused(bearer, new):
        async with connect(stage, bearer) as socket:
            answer = await ask(socket, "EXCHANGE_TOKEN", token=new)
            assert answer["type"] == "x-stagedoor-TOKEN_REFUSED"
            # The socket lives on.
            assert (await ask(socket, "SET_MUTED"))["type"] == "x-stagedoor-MUTED_REFUSED"
            return answer["payload"]

    def check(bearer, new, message, code=None):
        payload = asyncio.run(refused(bearer, new))
        assert message in payload["message"] and payload.get("code") == code, payload

    mine = own_token(own_key, stage, "eve")
    check(issued, own_token(own_key, stage, issued_id), "signed with an imported public key")
    check(mine, "nonsense", "TOKEN_MALFORMED", 1)
    check(mine, own_token(own_key, stage, "eve", exp=1_600_000_000, iat=1_599_990_000), "TOKEN_EXPIRED", 2)
    check(mine, own_token(own_key, stage, "mallory"), "another jti")
    check(mine, own_token(own_key, other, "eve"), "another topic")
    check(mine, own_token(own_key, stage, "eve", events_url="ws://elsewhere"), "another events_url")
    unsigned = jwt.encode(jwt.decode(mine, options={"verify_signature": False}), None, algorithm="none")
    check(mine, unsigned, "TOKEN_MALFORMED", 1)
    client(server, "ivs-realtime").delete_stage(arn=other["arn"])


def test_deleting_a_live_stage(server, stage):
    """Everybody is disconnected; EventBridge is told who stopped publishing; the name opens nothing any more. What
    happened can still be read."""
    ivs = client(server, "ivs-realtime")
    ada_id, ada = token(server, stage, userId="ada")
    bob_id, bob = token(server, stage, userId="bob")
    url = stage["endpoints"]["whip"]

    async def run():
        async with connect(stage, bob) as socket, whip.Publisher(url, ada, "video/VP8") as publisher:
            async with whip.Subscriber(url, bob, ada_id) as subscriber:
                await subscriber.receives(video=5, audio=5)
                await asyncio.to_thread(eventually, lambda: len(server.told(stage)) == 1)
                await asyncio.to_thread(ivs.delete_stage, arn=stage["arn"])
                for peer in (publisher.peer, subscriber.peer):
                    await whip.until(lambda: peer.connectionState in ("closed", "failed"), "disconnected")
                async with asyncio.timeout(10):
                    with contextlib.suppress(websockets.ConnectionClosed):
                        async for _ in socket:
                            pass
                assert socket.close_code == 4404

    asyncio.run(run())
    eventually(lambda: len(server.told(stage)) == 2)
    assert [(one["event_name"], one["participant_id"], one["user_id"]) for one in server.told(stage)] == [
        ("Participant Published", ada_id, "ada"),
        ("Participant Unpublished", ada_id, "ada"),
    ]
    assert len({one["session_id"] for one in server.told(stage)}) == 1
    (session,) = ivs.list_stage_sessions(stageArn=stage["arn"])["stageSessions"]
    assert session["endTime"] >= session["startTime"]
    past = {"stageArn": stage["arn"], "sessionId": session["sessionId"]}
    listed = ivs.list_participants(**past)["participants"]
    assert {one["participantId"]: one["state"] for one in listed} == {ada_id: "DISCONNECTED", bob_id: "DISCONNECTED"}
    happened = ivs.list_participant_events(**past, participantId=ada_id)["events"]
    assert [event["name"] for event in happened] == ["LEFT", "PUBLISH_STOPPED", "PUBLISH_STARTED", "JOINED"]
    with pytest.raises(ivs.exceptions.ResourceNotFoundException):
        ivs.get_stage(arn=stage["arn"])
    assert whip.send("POST", url, bob, "v=0\r\n")[0] == 404
