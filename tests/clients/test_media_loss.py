"""aiortc over networks that lose, delay, reorder and double: what was lost comes again, on the way in and on the way out."""

import asyncio
import contextlib

import pytest

import whip
from conftest import client
from participants import token
from relay import FAIR, Relay, Weather

SECONDS = 8
WEATHERS = {
    "lost": Weather(lost=0.05),
    "reordered and doubled": Weather(lost=0.03, doubled=0.05, jitter=0.03),
    "far away": Weather(lost=0.03, delay=0.15, jitter=0.02),
}


async def frames_in(seconds, *viewers):
    """How many pictures each of them decodes in this time."""
    before = [viewer.video_frames for viewer in viewers]
    await asyncio.sleep(seconds)
    return [viewer.video_frames - then for viewer, then in zip(viewers, before)]


@pytest.mark.parametrize("codec", ["video/H264", "video/VP8"])
@pytest.mark.parametrize("weather", WEATHERS.values(), ids=WEATHERS)
def test_pictures_go_on(server, codec, weather):
    stage = client(server, "ivs-realtime").create_stage(name="loss")["stage"]
    url = stage["endpoints"]["whip"]

    async def run():
        async with contextlib.AsyncExitStack() as open_until_the_end:
            enter = open_until_the_end.enter_async_context
            relays = [await enter(Relay(seed)) for seed in (1, 2, 3)]
            publisher_id, publish = token(server, stage, "PUBLISH")
            publisher = await enter(whip.Publisher(url, publish, codec, through=relays[0]))
            viewers = []
            for relay in relays[1:]:
                _, subscribe = token(server, stage, "SUBSCRIBE")
                viewers.append(await enter(whip.Subscriber(url, subscribe, publisher_id, through=relay)))
            straight, far = viewers
            await asyncio.gather(*(viewer.receives(video=20, audio=20) for viewer in viewers))

            # The viewer's network alone; a busy machine slows both of them down.
            relays[2].weather = weather
            seen, seen_far = await frames_in(SECONDS, straight, far)
            assert relays[2].lost > 2 and relays[1].lost == 0, "one viewer's network is not another's"
            # aiortc asks once for what is missing, and waits seconds for it: it must see some pictures, and go on after.
            assert seen_far >= 0.2 * seen - 5, (seen, seen_far)

            # The publisher's network alone: the server asks until everything has come.
            relays[0].weather, relays[2].weather = weather, FAIR
            await far.receives(video=far.video_frames + 60, audio=far.audio_frames + 60)
            sent = publisher.video.sent
            seen, seen_far = await frames_in(SECONDS, straight, far)
            sent = publisher.video.sent - sent
            assert relays[0].lost > 2, "the network was bad"
            assert min(seen, seen_far) >= 0.8 * sent - 10, (sent, seen, seen_far)

    asyncio.run(run())
