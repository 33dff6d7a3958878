"""The events socket of a stage, with a plain WebSocket client, as AWS's sample programs use it."""

import asyncio
import contextlib
import json

import jwt
import pytest
import websockets
from cryptography.hazmat.primitives.asymmetric import ec

import whip
from conftest import client
from expect import eventually, members
from participants import token


@pytest.fixture
def stage(server):
    return client(server, "ivs-realtime").create_stage(name="events")["stage"]


def socket_url(stage):
    return f"{stage['endpoints']['events']}/{stage['arn'].rsplit('/', 1)[1]}"


def connect(stage, bearer):
    """The token is offered as the subprotocol; the server has to take it, or strict clients hang up."""
    return websockets.connect(socket_url(stage), subprotocols=[bearer], open_timeout=30, proxy=None)


async def state_where(socket, fits, seconds=40):
    """The first STAGE_STATE from now on that fits; its participants by id."""
    async with asyncio.timeout(seconds):
        async for text in socket:
            state = whip.state_message(text)
            if state is not None and fits(state):
                return state
    raise AssertionError("the socket ended")


def test_a_state_on_connecting_and_on_every_change(server, stage):
    ada_id, ada = token(server, stage, userId="ada", attributes={"seat": "1"})
    bob_id, bob = token(server, stage, userId="bob")

    async def run():
        async with connect(stage, ada) as first:
            assert first.subprotocol == ada
            state = await state_where(first, lambda state: ada_id in state)
            assert state == {ada_id: {**state[ada_id], "id": ada_id, "userId": "ada", "attributes": {"seat": "1"}, "isPublishing": False}}
            async with connect(stage, bob) as second:
                state = await state_where(first, lambda state: bob_id in state)
                assert set(state) == {ada_id, bob_id}
                assert set(await state_where(second, lambda state: True)) == {ada_id, bob_id}
                async with whip.Publisher(stage["endpoints"]["whip"], bob, "video/VP8") as publisher:
                    state = await state_where(first, lambda state: state.get(bob_id, {}).get("isPublishing"))
                    assert state[bob_id]["userId"] == "bob"
                    await publisher.leave()
                await state_where(first, lambda state: bob_id in state and not state[bob_id]["isPublishing"])
            await state_where(first, lambda state: set(state) == {ada_id}, seconds=40)

    asyncio.run(run())


def test_the_message_names_the_stage(server, stage):
    _, ada = token(server, stage)

    async def run():
        async with connect(stage, ada) as socket:
            async with asyncio.timeout(30):
                message = json.loads(await socket.recv())
            assert message["type"] == "STAGE_STATE"
            assert message["payload"]["stageId"] == stage["arn"].rsplit("/", 1)[1]

    asyncio.run(run())


def test_ping(server, stage):
    _, ada = token(server, stage)

    async def run():
        async with connect(stage, ada) as socket:
            await socket.send(json.dumps({"type": "PING"}))
            async with asyncio.timeout(30):
                async for text in socket:
                    if json.loads(text)["type"] == "PONG":
                        return
        raise AssertionError("no answer")

    asyncio.run(run())


def test_joining_by_the_socket_is_on_record(server, stage):
    ivs = client(server, "ivs-realtime")
    ada_id, ada = token(server, stage)

    async def run():
        async with connect(stage, ada) as socket:
            await state_where(socket, lambda state: ada_id in state)
            return await asyncio.to_thread(eventually, on_record)

    def on_record():
        session = ivs.get_stage(arn=stage["arn"])["stage"].get("activeSessionId")
        where = {"stageArn": stage["arn"], "sessionId": session, "participantId": ada_id}
        return session and ivs.list_participant_events(**where)["events"]

    assert [event["name"] for event in asyncio.run(run())] == ["JOINED"]


async def close_code(socket):
    """The code with which the server closes the socket, soon."""
    async with asyncio.timeout(30):
        with contextlib.suppress(websockets.ConnectionClosed):
            async for _ in socket:
                pass
    return socket.close_code


async def ends_with(stage, bearer):
    """How the server refuses: the HTTP status of the handshake or the code it closes with."""
    try:
        async with connect(stage, bearer) as socket:
            return await close_code(socket)
    except websockets.InvalidStatus as refusal:
        return refusal.response.status_code


def test_bad_tokens(server, stage):
    other = client(server, "ivs-realtime").create_stage(name="other")["stage"]
    _, for_other = token(server, other)
    _, good = token(server, stage)
    assert asyncio.run(ends_with(stage, "nonsense")) in (401, 4401)
    assert asyncio.run(ends_with(stage, good[:-6] + "AAAAAA")) in (401, 4401)
    assert asyncio.run(ends_with(stage, for_other)) in (401, 403, 4401, 4403)


def test_forged_tokens(server, stage):
    """The same rules as for media, told by the close code: browsers hide a refused handshake's status."""
    _, good = token(server, stage)
    claims = jwt.decode(good, options={"verify_signature": False})
    kid = jwt.get_unverified_header(good)["kid"]
    stranger = ec.generate_private_key(ec.SECP384R1())

    def forged(algorithm="ES384", key=stranger, **changes):
        return jwt.encode({**claims, **changes}, key, algorithm=algorithm, headers={"kid": kid})

    head, _, signature = good.split(".")
    for name, bad in {
        "by a stranger": forged(),
        "unsigned": forged("none", None),
        "by a secret": forged("HS256", "x" * 48),
        "with other claims": ".".join([head, forged(user_id="eve").split(".")[1], signature]),
        "of an unknown key": jwt.encode(claims, stranger, algorithm="ES384", headers={"kid": "nobody"}),
        "run out": forged(exp=1_600_000_000, iat=1_599_990_000),
    }.items():
        assert asyncio.run(ends_with(stage, bad)) == 4401, name


def test_noise_on_the_socket(server, stage):
    """What is not understood is ignored; the socket lives on."""
    _, ada = token(server, stage)

    async def run():
        async with connect(stage, ada) as socket:
            for noise in ("", "{", "[]", "null", '{"type": 7}', '{"type": "NO_SUCH_TYPE"}', b"\x00\xff"):
                await socket.send(noise)
            await socket.send(json.dumps({"type": "PING"}))
            async with asyncio.timeout(30):
                async for text in socket:
                    if json.loads(text)["type"] == "PONG":
                        return
        raise AssertionError("no answer")

    asyncio.run(run())
    assert server.running


def test_deleting_the_stage_closes_the_socket(server, stage):
    ivs = client(server, "ivs-realtime")
    ada_id, ada = token(server, stage)

    async def run():
        async with connect(stage, ada) as socket:
            await state_where(socket, lambda state: ada_id in state)
            answer = await asyncio.to_thread(ivs.delete_stage, arn=stage["arn"])
            assert members(answer) == {}
            return await close_code(socket)

    assert asyncio.run(run()) == 4404


def test_disconnecting_a_participant_closes_its_socket(server, stage):
    ivs = client(server, "ivs-realtime")
    ada_id, ada = token(server, stage)

    async def run():
        async with connect(stage, ada) as socket:
            await state_where(socket, lambda state: ada_id in state)
            await asyncio.to_thread(ivs.disconnect_participant, stageArn=stage["arn"], participantId=ada_id)
            assert await close_code(socket) >= 4000
        return await ends_with(stage, ada)

    assert asyncio.run(run()) in (401, 403, 4401, 4403)
