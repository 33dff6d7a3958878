"""Real-time stages with aiortc: publish by WHIP, subscribe, and what the control plane then tells about it."""

import asyncio
import datetime
import random
import re
import socket
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

import participants
import whip
from conftest import client
from expect import eventually, members, refused
from participants import own_token, token


@pytest.fixture
def stage(server):
    """A fresh stage."""
    return client(server, "ivs-realtime").create_stage(name="media")["stage"]


def url(stage):
    """The address to publish at, as the stage names it."""
    return stage["endpoints"]["whip"]


# === the main path ===


@pytest.mark.parametrize("codec", ["video/H264", "video/VP8"])
def test_what_one_publishes_another_receives(server, stage, codec):
    publisher_id, publish = token(server, stage, "PUBLISH", userId="ada", attributes={"seat": "1"})
    _, subscribe = token(server, stage, "SUBSCRIBE", userId="bob")

    async def run():
        async with whip.Publisher(url(stage), publish, codec) as publisher:
            async with whip.Subscriber(url(stage), subscribe, publisher_id) as subscriber:
                await subscriber.receives(video=60, audio=60)
                assert subscriber.size == (whip.WIDTH, whip.HEIGHT)
                assert len(subscriber.shades) > 10, "the picture does not move"
                assert subscriber.loud, "there is no sound"
            assert await publisher.leave() == 200

    asyncio.run(run())


def test_several_subscribers_and_publishers(server, stage):
    publishers = [token(server, stage, "PUBLISH") for _ in range(2)]
    viewers = [token(server, stage, "SUBSCRIBE") for _ in range(3)]

    async def run():
        async with whip.Publisher(url(stage), publishers[0][1], "video/VP8") as _, whip.Publisher(
            url(stage), publishers[1][1], "video/VP8"
        ) as _:
            subscribers = [
                whip.Subscriber(url(stage), viewer, publisher) for _, viewer in viewers for publisher, _ in publishers
            ]
            for subscriber in subscribers:
                await subscriber.__aenter__()
            try:
                await asyncio.gather(*(subscriber.receives(video=15, audio=15) for subscriber in subscribers))
            finally:
                for subscriber in subscribers:
                    await subscriber.__aexit__()

    asyncio.run(run())


def test_a_late_subscriber_gets_a_key_frame(server, stage):
    """The encoder sends key frames seldom; a subscriber that comes late makes the server ask for one."""
    publisher_id, publish = token(server, stage, "PUBLISH")
    _, subscribe = token(server, stage, "SUBSCRIBE")

    async def run():
        async with whip.Publisher(url(stage), publish, "video/VP8") as publisher:
            await whip.until(lambda: publisher.video.sent > 45, "some frames without a subscriber")
            async with whip.Subscriber(url(stage), subscribe, publisher_id) as subscriber:
                await subscriber.receives(video=10, audio=10)

    asyncio.run(run())


# === what the control plane tells ===


def test_sessions_participants_and_events_are_on_record(server, stage):
    ivs = client(server, "ivs-realtime")
    publisher_id, publish = token(server, stage, "PUBLISH", userId="ada", attributes={"seat": "1"})
    viewer_id, subscribe = token(server, stage, "SUBSCRIBE", userId="bob")
    arn = stage["arn"]

    async def run():
        async with whip.Publisher(url(stage), publish) as publisher:
            async with whip.Subscriber(url(stage), subscribe, publisher_id) as subscriber:
                await subscriber.receives(video=5, audio=5)
                during = await asyncio.to_thread(look)
                await asyncio.to_thread(whip.send, "DELETE", subscriber.session, subscribe)
            await publisher.leave()
            return during

    def look():
        session = ivs.get_stage(arn=arn)["stage"]["activeSessionId"]

        def everyone():
            found = ivs.list_participants(stageArn=arn, sessionId=session)["participants"]
            # Media may flow a moment before it is on record.
            return len(found) == 2 and any(one["published"] for one in found) and found

        return session, {participant["participantId"]: participant for participant in eventually(everyone)}

    session, participants = asyncio.run(run())
    assert re.fullmatch(r"st-[A-Za-z0-9]{13}", session)
    assert set(participants) == {publisher_id, viewer_id}
    assert {p["state"] for p in participants.values()} == {"CONNECTED"}
    assert participants[publisher_id]["published"] is True
    assert participants[viewer_id]["published"] is False
    assert participants[publisher_id]["userId"] == "ada"

    where = {"stageArn": arn, "sessionId": session}
    one = ivs.get_participant(**where, participantId=publisher_id)["participant"]
    assert (one["attributes"], one["protocol"], one["userId"]) == ({"seat": "1"}, "WHIP", "ada")
    assert (one["recordingState"], one["replicationType"]) == ("DISABLED", "NONE")
    (summary,) = ivs.list_stage_sessions(stageArn=arn)["stageSessions"]
    assert summary["sessionId"] == session and "endTime" not in summary
    assert ivs.get_stage_session(stageArn=arn, sessionId=session)["stageSession"]["startTime"] == summary["startTime"]

    def names(participant):
        events = ivs.list_participant_events(**where, participantId=participant)["events"]
        assert all(event["participantId"] == participant for event in events)
        times = [event["eventTime"] for event in events]
        assert times == sorted(times, reverse=True)
        return [event["name"] for event in reversed(events)]

    # Those who left are remembered, and so is all they did.
    eventually(lambda: names(publisher_id)[-1:] == ["LEFT"], seconds=30)
    eventually(lambda: names(viewer_id)[-1:] == ["LEFT"], seconds=30)
    assert names(publisher_id) == ["JOINED", "PUBLISH_STARTED", "PUBLISH_STOPPED", "LEFT"]
    assert names(viewer_id) == ["JOINED", "SUBSCRIBE_STARTED", "SUBSCRIBE_STOPPED", "LEFT"]
    (subscribed,) = [
        event for event in ivs.list_participant_events(**where, participantId=viewer_id)["events"] if event["name"] == "SUBSCRIBE_STARTED"
    ]
    assert subscribed["remoteParticipantId"] == publisher_id
    assert ivs.get_participant(**where, participantId=publisher_id)["participant"]["state"] == "DISCONNECTED"

    def listed(**filters):
        return {p["participantId"] for p in ivs.list_participants(**where, **filters)["participants"]}

    assert listed(filterByUserId="bob") == {viewer_id}
    assert listed(filterByPublished=True) == {publisher_id}
    assert listed(filterByState="CONNECTED") == set()
    assert listed(filterByState="DISCONNECTED") == {publisher_id, viewer_id}
    refused(
        "ValidationException", 400, "", ivs.list_participants, **where, filterByUserId="bob", filterByState="CONNECTED"
    )
    page = ivs.list_participants(**where, maxResults=1)
    rest = ivs.list_participants(**where, maxResults=1, nextToken=page["nextToken"])
    assert {p["participantId"] for p in page["participants"] + rest["participants"]} == {publisher_id, viewer_id}


def test_disconnecting_a_participant(server, stage):
    ivs = client(server, "ivs-realtime")
    publisher_id, publish = token(server, stage, "PUBLISH")

    async def run():
        async with whip.Publisher(url(stage), publish) as publisher:
            # What happens is written down a little later.
            active = lambda: ivs.get_stage(arn=stage["arn"])["stage"].get("activeSessionId")
            session = await asyncio.to_thread(eventually, active)
            answer = await asyncio.to_thread(
                ivs.disconnect_participant, stageArn=stage["arn"], participantId=publisher_id, reason="enough"
            )
            assert members(answer) == {}
            await whip.until(
                lambda: ivs.get_participant(stageArn=stage["arn"], sessionId=session, participantId=publisher_id)[
                    "participant"
                ]["state"] == "DISCONNECTED",
                "disconnected",
            )
            # The token is used up for good.
            with pytest.raises(whip.Refused) as caught:
                async with whip.Publisher(url(stage), publish):
                    pass
            assert caught.value.status in (401, 403)
            assert publisher.session

    asyncio.run(run())


def test_deleting_a_stage_ends_it_for_everybody(server, stage):
    ivs = client(server, "ivs-realtime")
    publisher_id, publish = token(server, stage, "PUBLISH")
    _, subscribe = token(server, stage, "SUBSCRIBE")

    async def run():
        async with whip.Publisher(url(stage), publish), whip.Subscriber(url(stage), subscribe, publisher_id) as subscriber:
            await subscriber.receives(video=3, audio=3)
            await asyncio.to_thread(ivs.delete_stage, arn=stage["arn"])
            with pytest.raises(whip.Refused) as caught:
                async with whip.Subscriber(url(stage), subscribe, publisher_id):
                    pass
            assert caught.value.status in (401, 403, 404)

    asyncio.run(run())


def test_noise_does_not_disturb_a_session(server, stage):
    """Strangers throw garbage at the media port, some of it shaped like media; those who watch go on watching."""
    publisher_id, publish = token(server, stage, "PUBLISH")
    _, subscribe = token(server, stage, "SUBSCRIBE")
    noise = random.Random(1)

    def shapes():
        yield noise.randbytes(noise.randint(1, 1400))
        # STUN with a user name that nobody has, DTLS, RTP and RTCP from nowhere.
        yield bytes.fromhex("000100142112a442") + noise.randbytes(12) + b"\x00\x06\x00\x09noone:you" + noise.randbytes(3)
        yield b"\x16\xfe\xfd" + noise.randbytes(100)
        yield b"\x80\x60" + noise.randbytes(200)
        yield b"\x81\xc8" + noise.randbytes(60)

    async def run():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            async with whip.Publisher(url(stage), publish, "video/VP8"):
                async with whip.Subscriber(url(stage), subscribe, publisher_id) as subscriber:
                    for wanted in range(5, 60, 5):
                        for _ in range(20):
                            for datagram in shapes():
                                stranger.sendto(datagram, server.media)
                        await subscriber.receives(video=wanted, audio=wanted)

    asyncio.run(run())


# === tokens signed by the customer ===


@pytest.fixture(scope="module")
def own_key(server):
    return participants.own_key(server)


def test_a_token_signed_by_the_customer_publishes(server, stage, own_key):
    _, subscribe = token(server, stage, "SUBSCRIBE")

    async def run():
        async with whip.Publisher(url(stage), own_token(own_key, stage, "my-own-id", user_id="ada"), "video/VP8"):
            async with whip.Subscriber(url(stage), subscribe, "my-own-id") as subscriber:
                await subscriber.receives(video=10, audio=10)

    asyncio.run(run())
    ivs = client(server, "ivs-realtime")
    session = ivs.list_stage_sessions(stageArn=stage["arn"])["stageSessions"][0]["sessionId"]
    where = {"stageArn": stage["arn"], "sessionId": session, "participantId": "my-own-id"}
    assert ivs.get_participant(**where)["participant"]["userId"] == "ada"


HOUR = 3600


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": lambda now: now - 1, "iat": lambda now: now - HOUR},
        {"exp": lambda now: now + 15 * 24 * HOUR},
        {"exp": lambda now: now - HOUR, "iat": lambda now: now},
        {"exp": lambda now: None},
        {"iat": lambda now: now + HOUR, "exp": lambda now: now + 2 * HOUR},
        {"resource": lambda now: "arn:aws:ivs:us-east-1:000000000000:stage/nosuchstage1"},
        {"resource": lambda now: None},
        {"topic": lambda now: "nosuchstage1"},
        {"jti": lambda now: None},
        {"jti": lambda now: "no blanks"},
        {"jti": lambda now: "x" * 65},
        {"capabilities": lambda now: None},
        {"capabilities": lambda now: {"allow_publish": False, "allow_subscribe": True}},
        {"capabilities": lambda now: "everything"},
        {"attributes": lambda now: {"a": "x" * 1025}},
        {"user_id": lambda now: "x" * 129},
    ],
    ids=lambda changes: ",".join(changes),
)
def test_tokens_signed_by_the_customer_with_wrong_claims(server, stage, own_key, changes):
    now = int(time.time())
    wrong = own_token(own_key, stage, **{name: value(now) for name, value in changes.items()})
    assert post(stage, wrong) in (400, 401, 403, 404)


def test_a_deleted_public_key_opens_no_more(server, stage):
    private = ec.generate_private_key(ec.SECP384R1())
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    ivs = client(server, "ivs-realtime")
    arn = ivs.import_public_key(name="short", publicKeyMaterial=public.decode())["publicKey"]["arn"]
    assert post(stage, own_token((private, arn), stage, "before")) == 201
    ivs.delete_public_key(arn=arn)
    assert post(stage, own_token((private, arn), stage, "after")) in (401, 403)


# === refusals ===

def offer(codec="video/H264", direction="sendonly"):
    """An offer as aiortc writes it; without a codec it has no video at all."""

    async def make():
        peer = whip.new_peer()
        if codec:
            whip.prefer(peer.addTransceiver("video", direction=direction), codec)
        peer.addTransceiver("audio", direction=direction)
        sdp = await whip.offer_sdp(peer)
        await peer.close()
        return sdp

    return asyncio.run(make())


def post(stage, bearer, body=None, path="", content_type="application/sdp"):
    return whip.send("POST", url(stage) + path, bearer, offer() if body is None else body, content_type)[0]


def test_tokens_that_are_not_good(server, stage):
    _, good = token(server, stage, "PUBLISH")
    claims = jwt.decode(good, options={"verify_signature": False})
    header = jwt.get_unverified_header(good)
    stranger = ec.generate_private_key(ec.SECP384R1())

    def forged(algorithm="ES384", key=stranger, head=header, **changes):
        extra = {name: value for name, value in head.items() if name not in ("alg", "typ")}
        return jwt.encode({**claims, **changes}, key, algorithm=algorithm, headers=extra)

    head, body, signature = good.split(".")
    for name, bad in {
        "none": None,
        "empty": "",
        "no token": "nonsense",
        "forged": forged(),
        "unsigned": forged("none", None),
        "signed by a secret": forged("HS256", "x" * 48),
        "changed": ".".join([head, forged(user_id="eve").split(".")[1], signature]),
        "cut": good[:-4],
        "no signature": f"{head}.{body}.",
        "long": good + "A" * 20_000,
        "expired": forged(exp=1_600_000_000, iat=1_599_990_000),
    }.items():
        assert post(stage, bad) in (400, 401, 403, 431), name


def test_a_token_that_has_run_out(server, stage):
    """The shortest life that can be asked for is a minute, so the end is in the claims and the test reads them."""
    made = client(server, "ivs-realtime").create_participant_token(stageArn=stage["arn"], duration=1)["participantToken"]
    left = made["expirationTime"] - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(seconds=30) < left <= datetime.timedelta(seconds=61)


def test_capabilities(server, stage):
    publisher_id, publish = token(server, stage, "PUBLISH")
    _, subscribe = token(server, stage, "SUBSCRIBE")
    assert post(stage, subscribe) == 403
    assert post(stage, publish, offer(direction="recvonly"), path=f"/subscribe/{publisher_id}") == 403


def test_a_token_of_another_stage(server, stage):
    """A token opens the stage that it names and no other."""
    other = client(server, "ivs-realtime").create_stage(name="other")["stage"]
    publisher_id, publish = token(server, stage, "PUBLISH")
    _, elsewhere = token(server, other, "SUBSCRIBE")

    async def run():
        async with whip.Publisher(url(stage), publish, "video/VP8"):
            with pytest.raises(whip.Refused) as caught:
                async with whip.Subscriber(url(stage), elsewhere, publisher_id):
                    pass
            assert caught.value.status in (401, 403, 404, 409)

    asyncio.run(run())


def test_subscribing_to_nobody(server, stage):
    _, subscribe = token(server, stage, "SUBSCRIBE")
    assert post(stage, subscribe, offer(direction="recvonly"), path="/subscribe/nobodyatall1") in (404, 409)


@pytest.mark.parametrize(
    "sdp",
    ["", "v=0", "nonsense", "v=0\r\n" * 1000, "\x00" * 100, "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" * 50, "x" * 1_000_000],
    ids=lambda text: f"{len(text)} bytes {text[:8]!r}",
)
def test_offers_that_are_none(server, stage, sdp):
    _, publish = token(server, stage, "PUBLISH")
    assert post(stage, publish, sdp) in (400, 406, 413, 422)
    assert server.running


def test_truncated_offers(server, stage):
    _, publish = token(server, stage, "PUBLISH")
    whole = offer()
    for part in range(1, 12):
        assert post(stage, publish, whole[: len(whole) * part // 24]) in (400, 406, 422), part
    assert server.running


def test_an_offer_without_a_codec_we_forward(server, stage):
    _, publish = token(server, stage, "PUBLISH")
    without = re.sub(r"(?m)^a=rtpmap:(\d+) H264/90000", r"a=rtpmap:\1 VP9/90000", offer())
    assert post(stage, publish, without) in (406, 422)


def test_an_offer_without_video(server, stage):
    """AWS wants a video section even from those who only speak."""
    _, publish = token(server, stage, "PUBLISH")
    assert post(stage, publish, offer(codec=None)) in (400, 406, 422)


def test_other_content_types(server, stage):
    _, publish = token(server, stage, "PUBLISH")
    assert post(stage, publish, content_type="application/json") in (400, 415)


def test_publishing_twice_with_one_token(server, stage):
    _, publish = token(server, stage, "PUBLISH")

    async def run():
        async with whip.Publisher(url(stage), publish):
            second = await asyncio.to_thread(whip.send, "POST", url(stage), publish, sdp)
            # Either the first is replaced or the second refused; never are there two.
            assert second[0] in (201, 409)

    sdp = offer()
    asyncio.run(run())


def test_ending_a_session_twice(server, stage):
    _, publish = token(server, stage, "PUBLISH")

    async def run():
        async with whip.Publisher(url(stage), publish) as publisher:
            assert await publisher.leave() == 200
            assert await publisher.leave() in (200, 404)

    asyncio.run(run())


def test_browsers_of_other_origins_may_call(server, stage):
    status, headers, _ = whip.send("OPTIONS", url(stage))
    assert status in (200, 204)
    assert headers["access-control-allow-origin"] == "*"
