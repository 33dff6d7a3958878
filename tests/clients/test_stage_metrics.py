"""What the metrics page tells of real-time stages, by CloudWatch's names."""

import asyncio
import re
import time

import pytest

import whip
from conftest import client, fetch
from participants import token


def figures(server):
    """`{name: {labels: value}}` of the stages' metrics; labels as a frozen set of pairs."""
    page = fetch(server, "GET", "/_stagedoor/metrics").body.decode()
    found = {name: {} for name in re.findall(r"^# TYPE stagedoor_ivs_(\w+) ", page, re.M)}
    for name, labels, value in re.findall(r"^stagedoor_ivs_(\w+)(?:\{(.*)\})? ([\d.]+)$", page, re.M):
        pairs = frozenset(re.findall(r'(\w+)="([^"]*)"', labels))
        assert pairs not in found[name], "the same series twice"
        found[name][pairs] = float(value) if "." in value else int(value)
    return found


def test_publishers_subscribers_and_rates(server):
    ivs = client(server, "ivs-realtime")
    stage = ivs.create_stage(name="metrics")["stage"]
    publisher_id, publish = token(server, stage, "PUBLISH")
    url = stage["endpoints"]["whip"]
    of = {("account", "000000000000"), ("region", "us-east-1"), ("stage", stage["arn"].rsplit("/", 1)[1])}
    series = lambda **labels: frozenset(of | set(labels.items()))
    video = dict(participant=publisher_id, simulcast_layer="none", media_type="video")

    async def run():
        async with whip.Publisher(url, publish, "video/H264") as publisher:
            viewers = [whip.Subscriber(url, token(server, stage, "SUBSCRIBE")[1], publisher_id) for _ in range(2)]
            for viewer in viewers:
                await viewer.__aenter__()
            try:
                await asyncio.gather(*(viewer.receives(video=60, audio=60) for viewer in viewers))
                begun, sent = time.monotonic(), publisher.video.sent
                await asyncio.gather(*(viewer.receives(video=90, audio=90) for viewer in viewers))
                # A busy machine makes fewer than the 30 in a second that aiortc means to.
                pace = (publisher.video.sent - sent) / (time.monotonic() - begun)
                return await asyncio.to_thread(figures, server), pace
            finally:
                for viewer in viewers:
                    await viewer.__aexit__()

    during, pace = asyncio.run(run())
    assert during["concurrent_publishers"] == {frozenset(): 1}
    assert during["concurrent_subscriptions"] == {frozenset(): 2}
    assert during["publishers"] == {series(): 1} and during["subscribers"] == {series(): 2}
    sent, received = during["publish_bitrate"][series()], during["subscribe_bitrate"][series()]
    assert sent > 20_000 and 1.5 * sent < received < 2.5 * sent, (sent, received)
    layers = during["layer_publish_bitrate"]
    assert set(layers) == {series(**video), series(**{**video, "media_type": "audio"})}
    assert sum(layers.values()) == sent
    assert during["layer_publish_framerate"] == {series(**video): pytest.approx(pace, abs=12)}
    assert set(during["download_packet_loss"]) == {frozenset(), series()}, "whoever only watches is not told of"
    assert 0 <= during["download_packet_loss"][series()] < 20
    assert during["dropped_frames"] == {}, "aiortc does not say"
    assert during["layer_publish_resolution"] == {series(**video): min(whip.WIDTH, whip.HEIGHT)}
    ivs.delete_stage(arn=stage["arn"])
    assert figures(server)["publishers"] == {}, "of stages without a connection nothing is told"
