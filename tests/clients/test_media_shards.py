"""A stage on several media threads: everybody sees everybody, whichever thread a connection came to."""

import asyncio
import contextlib
import pathlib

import pytest

import whip
from conftest import client
from expect import eventually
from participants import token
from room import metrics
from server import Server

SHARDS = 3


@pytest.fixture(scope="module")
def sharded(tmp_path_factory):
    """A server with more media threads than tests usually have."""
    with Server(tmp_path_factory.mktemp("sharded"), "--media-shards", str(SHARDS)) as server:
        yield server


def media_threads(server):
    """Times that each media thread has gone to sleep by itself, by its name."""
    threads = {}
    for task in pathlib.Path(f"/proc/{server.process.pid}/task").iterdir():
        name = (task / "comm").read_text().strip()
        if name.startswith("media-"):
            (line,) = [line for line in (task / "status").read_text().splitlines() if line.startswith("voluntary")]
            threads[name] = int(line.split()[1])
    return threads


@pytest.mark.parametrize("codec", ["video/H264", "video/VP8"])
def test_subscribers_on_all_threads_get_pictures(sharded, codec):
    stage = client(sharded, "ivs-realtime").create_stage(name="wide")["stage"]
    url = stage["endpoints"]["whip"]
    publisher_id, publish = token(sharded, stage, "PUBLISH")
    viewers = [token(sharded, stage, "SUBSCRIBE")[1] for _ in range(8)]

    async def run():
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(whip.Publisher(url, publish, codec))
            subscribers = [whip.Subscriber(url, viewer, publisher_id) for viewer in viewers]
            for subscriber in subscribers:
                await stack.enter_async_context(subscriber)
            await asyncio.gather(*(subscriber.receives(video=20, audio=20) for subscriber in subscribers))
            figures = await asyncio.to_thread(metrics, sharded)
            assert (figures["publishers"], figures["subscribers"], figures["rooms"]) == (1, len(viewers), 1)
            assert figures["dropped_between_total"] == 0
            before = media_threads(sharded)
            await asyncio.gather(*(subscriber.receives(video=60, audio=60) for subscriber in subscribers))
            after = media_threads(sharded)
            assert set(after) == {f"media-{index}" for index in range(SHARDS)}
            busy = [name for name in after if after[name] > before[name] + 20]
            assert len(busy) > 1, f"nine connections on one thread: {before} {after}"

    asyncio.run(run())
    eventually(lambda: metrics(sharded)["connections"] == 0, seconds=30)


def test_a_publisher_comes_back_and_its_subscribers_stay(sharded):
    stage = client(sharded, "ivs-realtime").create_stage(name="again")["stage"]
    url = stage["endpoints"]["whip"]
    publisher_id, publish = token(sharded, stage, "PUBLISH")
    viewers = [token(sharded, stage, "SUBSCRIBE")[1] for _ in range(4)]

    async def run():
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(whip.Publisher(url, publish, "video/VP8"))
            subscribers = [whip.Subscriber(url, viewer, publisher_id) for viewer in viewers]
            for subscriber in subscribers:
                await stack.enter_async_context(subscriber)
            await asyncio.gather(*(subscriber.receives(video=15, audio=15) for subscriber in subscribers))
            # The newest connection of a participant counts; with each try it may come to another thread.
            for _ in range(3):
                await stack.enter_async_context(whip.Publisher(url, publish, "video/VP8"))
                seen = [(subscriber.video_frames, subscriber.audio_frames) for subscriber in subscribers]
                await asyncio.gather(
                    *(one.receives(video + 30, audio + 30) for one, (video, audio) in zip(subscribers, seen))
                )

    asyncio.run(run())


def test_too_many_threads_are_refused(tmp_path):
    server = Server(tmp_path, "--media-shards", "5000")
    with pytest.raises(Exception, match="media-shards 5000 is more than 1024"):
        server.start()
