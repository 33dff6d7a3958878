"""A stage in use while a test does something else: a publisher and somebody who watches, on a thread of their own."""

import asyncio
import contextlib
import threading

import whip
from conftest import client, fetch
from expect import eventually
from participants import token


def metrics(server):
    """The figures of the media plane by name, without their common prefix; `refused_total{door="whip"}` is one."""
    page = fetch(server, "GET", "/_stagedoor/metrics").body.decode()
    lines = [line.rsplit(" ", 1) for line in page.splitlines() if line.startswith("stagedoor_media_")]
    return {name.removeprefix("stagedoor_media_"): float(value) for name, value in lines}


class Room:
    """A stage with a publisher and a subscriber of it. Use it as a context manager."""

    def __init__(self, server, codec="video/VP8"):
        self.server, self.codec = server, codec
        self.stage = client(server, "ivs-realtime").create_stage(name="room")["stage"]
        self.url = self.stage["endpoints"]["whip"]

    def __enter__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        try:
            self.run(self._open())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.run(self._close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def run(self, work, seconds=60):
        """Has the room's thread do something and waits for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)

    async def _open(self):
        self.publisher = self.subscriber = None
        self.publisher_id, publish = token(self.server, self.stage, "PUBLISH")
        _, self.bearer = token(self.server, self.stage, "SUBSCRIBE")
        self.publisher = await whip.Publisher(self.url, publish, self.codec).__aenter__()
        self.subscriber = await whip.Subscriber(self.url, self.bearer, self.publisher_id).__aenter__()
        await self.subscriber.receives(video=10, audio=10)

    async def _close(self):
        for one in (self.subscriber, self.publisher):
            if one:
                await one.__aexit__()

    async def _lost(self):
        stats = await self.subscriber.peer.getStats()
        return sum(entry.packetsLost for entry in stats.values() if entry.type == "inbound-rtp")

    def seen(self):
        """Frames of picture and sound so far."""
        return self.subscriber.video_frames, self.subscriber.audio_frames

    def goes_on(self, frames=15):
        """Waits for so many more frames of both."""
        video, audio = self.seen()
        eventually(lambda: all(now >= then + frames for now, then in zip(self.seen(), (video, audio))), seconds=30)

    @contextlib.contextmanager
    def undisturbed(self):
        """What is done inside neither ends the room nor costs it a packet."""
        self.goes_on(1)
        lost = self.run(self._lost())
        yield
        self.goes_on()
        assert self.run(self._lost()) == lost, "packets were lost"
        assert (self.publisher.peer.connectionState, self.subscriber.peer.connectionState) == ("connected", "connected")
