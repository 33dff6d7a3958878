"""FFmpeg publishes by its own WHIP muxer, which Debian's FFmpeg does not have yet; aiortc decodes what it sends."""

import asyncio
import subprocess

import imageio_ffmpeg
import pytest

import whip
from expect import eventually
from participants import token

VIDEO = ["-re", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=30"]
SOUND = ["-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"]
H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-profile:v", "baseline", "-pix_fmt", "yuv420p", "-g", "30"]
OPUS = ["-c:a", "libopus", "-ac", "2", "-ar", "48000"]
SECONDS_TO_END = 30


@pytest.fixture
def stage(ivs):
    return ivs.create_stage(name="ffmpeg")["stage"]


class Ffmpeg:
    """A running FFmpeg. Leaving it ends the process."""

    def __init__(self, stage, bearer, video=H264):
        self.command = [
            imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "info", "-nostats", "-nostdin",
            *VIDEO, *SOUND, *video, *OPUS,
            "-f", "whip", "-authorization", bearer, stage["endpoints"]["whip"],
        ]

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        self.ends()

    def ends(self):
        """Waits for the process; what it said."""
        if not self.process.stderr.closed:
            _, said = self.process.communicate(timeout=SECONDS_TO_END)
            self.said = said.decode(errors="replace")
        return self.said


def names(ivs, stage, participant):
    """The participant's events in the stage's newest session, oldest first."""
    sessions = ivs.list_stage_sessions(stageArn=stage["arn"])["stageSessions"]
    if not sessions:
        return []
    where = {"stageArn": stage["arn"], "sessionId": sessions[0]["sessionId"], "participantId": participant}
    return [event["name"] for event in reversed(ivs.list_participant_events(**where)["events"])]


def test_what_ffmpeg_publishes_is_decoded(server, ivs, stage):
    publisher_id, publish = token(server, stage, "PUBLISH")
    _, subscribe = token(server, stage, "SUBSCRIBE")

    async def watch():
        async with whip.Subscriber(stage["endpoints"]["whip"], subscribe, publisher_id) as subscriber:
            await subscriber.receives(video=90, audio=90)
            assert subscriber.size == (320, 180)
            assert subscriber.loud, "there is no sound"

    with Ffmpeg(stage, publish) as ffmpeg:
        eventually(lambda: "PUBLISH_STARTED" in names(ivs, stage, publisher_id), seconds=30)
        asyncio.run(watch())
        assert ffmpeg.process.poll() is None
    expected = ["JOINED", "PUBLISH_STARTED", "PUBLISH_STOPPED", "LEFT"]
    eventually(lambda: names(ivs, stage, publisher_id) == expected, seconds=60)


def test_ffmpeg_without_the_capability_is_refused(server, ivs, stage):
    _, subscribe = token(server, stage, "SUBSCRIBE")
    with Ffmpeg(stage, subscribe) as ffmpeg:
        assert "403" in ffmpeg.ends()
        assert ffmpeg.process.returncode != 0
