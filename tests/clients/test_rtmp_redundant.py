"""Redundant ingest: two encoders with the stream keys of one ingest configuration, and one participant to see."""

import asyncio
import json
import time

import pytest
import websockets

import whip
from conftest import client
from expect import eventually
from test_rtmp import AAC, H264, SOUND, Encoder, events, live, state, viewer

SMALL = ["-f", "lavfi", "-i", "testsrc=size=320x180:rate=30", *SOUND]
LARGE = ["-f", "lavfi", "-i", "testsrc=size=640x360:rate=30", *SOUND]
WITH_B_FRAMES = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "30", "-pix_fmt", "yuv420p", *AAC]


@pytest.fixture
def stage(ivs):
    return ivs.create_stage(name="redundant")["stage"]


@pytest.fixture
def pair(ivs, stage):
    """An ingest configuration for two encoders, and their credentials."""
    made = ivs.create_ingest_configuration(
        stageArn=stage["arn"], ingestProtocol="RTMP", insecureIngest=True, redundantIngest=True, userId="studio",
        attributes={"seat": "1"},
    )["ingestConfiguration"]
    assert made["redundantIngest"] is True
    first, second = made["redundantIngestCredentials"]
    assert len({made["participantId"], first["participantId"], second["participantId"]}) == 3
    return made, first, second


def names(ivs, stage, credential):
    return [name for name, _ in events(ivs, stage, credential["participantId"])]


def starts(ivs, stage, credential, count=1):
    eventually(lambda: names(ivs, stage, credential).count("PUBLISH_STARTED") == count, seconds=30)


async def shown(stage, bearer):
    """The participants of the stage's state, without the one who asks."""
    url = f"{stage['endpoints']['events']}/{stage['arn'].rsplit('/', 1)[1]}"
    async with websockets.connect(url, subprotocols=[bearer], proxy=None) as socket:
        async with asyncio.timeout(10):
            async for text in socket:
                if participants := whip.state_message(text):
                    return [one for one in json.loads(text)["payload"]["participants"] if one["userId"]]


def test_viewers_see_one_participant_who_outlives_either_encoder(ivs, stage, pair):
    configuration, first, second = pair
    shown_id = configuration["participantId"]

    async def watch(one, two):
        async with whip.Subscriber(stage["endpoints"]["whip"], viewer(ivs, stage), shown_id) as subscriber:
            await subscriber.receives(video=30, audio=30)
            assert subscriber.size == (320, 180)
            (participant,) = await shown(stage, viewer(ivs, stage))
            assert (participant["id"], participant["userId"], participant["isPublishing"]) == (shown_id, "studio", True)
            assert participant["attributes"] == {"seat": "1"}
            one.stop()
            await whip.until(lambda: subscriber.size == (640, 360), "the other encoder's picture")
            audio = subscriber.audio_frames
            await whip.until(lambda: subscriber.audio_frames > audio + 30, "sound goes on")
            with Encoder(stage, first["streamKey"], inputs=SMALL):
                await asyncio.to_thread(starts, ivs, stage, first, 2)
                assert subscriber.size == (640, 360), "who comes back waits"
                two.stop()
                await whip.until(lambda: subscriber.size == (320, 180), "the first encoder's picture again")

    with Encoder(stage, first["streamKey"], inputs=SMALL) as one:
        starts(ivs, stage, first)
        with Encoder(stage, second["streamKey"], inputs=LARGE) as two:
            starts(ivs, stage, second)
            live(ivs, configuration)
            session = ivs.get_stage(arn=stage["arn"])["stage"]["activeSessionId"]
            for credential in (first, second):
                where = {"stageArn": stage["arn"], "sessionId": session, "participantId": credential["participantId"]}
                found = ivs.get_participant(**where)["participant"]
                assert (found["redundantIngest"], found["published"], found["userId"]) == (True, True, "studio")
                assert found["ingestConfigurationArn"] == configuration["arn"]
            listed = ivs.list_participants(stageArn=stage["arn"], sessionId=session)["participants"]
            assert {one["participantId"] for one in listed} == {first["participantId"], second["participantId"]}
            # What stands behind the one that is seen is not received by itself.
            status, _, _ = whip.send(
                "POST", f"{stage['endpoints']['whip']}/subscribe/{first['participantId']}", viewer(ivs, stage), offer()
            )
            assert status == 404
            asyncio.run(watch(one, two))
    assert names(ivs, stage, second)[:3] == ["JOINED", "PUBLISH_STARTED", "PUBLISH_STOPPED"]
    eventually(lambda: state(ivs, configuration)[0] == "INACTIVE")


def test_the_picture_goes_on_when_an_encoder_goes(ivs, stage, pair):
    """Key frames are ten seconds apart, and each encoder makes one only at its beginning: without what the server keeps
    there would be no picture for seconds."""
    configuration, first, second = pair
    rare = (*H264, "-g", "300", "-keyint_min", "300", "-sc_threshold", "0", *AAC)

    async def watch(one, two):
        async with whip.Subscriber(
            stage["endpoints"]["whip"], viewer(ivs, stage), configuration["participantId"]
        ) as subscriber:
            await subscriber.receives(video=30, audio=30)
            one.process.kill()
            began = time.monotonic()
            await whip.until(lambda: subscriber.size == (640, 360), "the other encoder's picture")
            without_picture = time.monotonic() - began
            seen = subscriber.video_frames
            await whip.until(lambda: subscriber.video_frames > seen + 30, "it moves")
        return without_picture

    with Encoder(stage, first["streamKey"], inputs=SMALL, codecs=rare) as one:
        starts(ivs, stage, first)
        with Encoder(stage, second["streamKey"], inputs=LARGE, codecs=rare) as two:
            starts(ivs, stage, second)
            without_picture = asyncio.run(watch(one, two))
    assert without_picture < 2, without_picture


def offer():
    async def make():
        peer = whip.new_peer()
        peer.addTransceiver("video", direction="recvonly")
        sdp = await whip.offer_sdp(peer)
        await peer.close()
        return sdp

    return asyncio.run(make())


def test_an_encoder_that_breaks_a_rule_ends_alone(ivs, stage, pair):
    configuration, first, second = pair

    async def watch():
        async with whip.Subscriber(
            stage["endpoints"]["whip"], viewer(ivs, stage), configuration["participantId"]
        ) as subscriber:
            await subscriber.receives(video=30, audio=30)

    with Encoder(stage, first["streamKey"], inputs=SMALL) as good:
        starts(ivs, stage, first)
        with Encoder(stage, second["streamKey"], inputs=LARGE, codecs=WITH_B_FRAMES) as bad:
            bad.ends()
        found = lambda: events(ivs, stage, second["participantId"])
        eventually(lambda: ("PUBLISH_ERROR", "B_FRAME_PRESENT") in found())
        # Each key is for one encoder, and while they publish the configuration's own is in use.
        for key in (first["streamKey"], configuration["streamKey"]):
            with Encoder(stage, key, inputs=SMALL) as late:
                assert "stream key is in use" in late.ends()
        assert good.running and state(ivs, configuration)[0] == "ACTIVE"
        asyncio.run(watch())


def test_disconnecting_the_one_that_is_seen(ivs, stage, pair):
    configuration, first, second = pair
    with Encoder(stage, first["streamKey"], inputs=SMALL) as one, Encoder(stage, second["streamKey"], inputs=LARGE) as two:
        starts(ivs, stage, first)
        starts(ivs, stage, second)
        ivs.disconnect_participant(stageArn=stage["arn"], participantId=configuration["participantId"])
        one.ends()
        two.ends()
    for credential in (first, second):
        eventually(lambda: names(ivs, stage, credential)[-2:] == ["PUBLISH_STOPPED", "LEFT"])
    eventually(lambda: state(ivs, configuration) == ("INACTIVE", ""))
