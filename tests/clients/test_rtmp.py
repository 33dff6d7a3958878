"""RTMP and RTMPS ingest: Debian's FFmpeg publishes by an ingest configuration, aiortc receives."""

import asyncio
import contextlib
import socket
import ssl
import subprocess
import time

import pytest

import whip
from conftest import client
from expect import eventually, refused

SECONDS_TO_END = 30


@pytest.fixture
def stage(server, ivs):
    """A fresh stage."""
    return ivs.create_stage(name="rtmp")["stage"]


def ingest(ivs, stage, protocol="RTMP", insecure=None, **options):
    """A fresh ingest configuration on a stage."""
    insecure = protocol == "RTMP" if insecure is None else insecure
    made = ivs.create_ingest_configuration(
        stageArn=stage["arn"], ingestProtocol=protocol, insecureIngest=insecure, **options
    )
    return made["ingestConfiguration"]


VIDEO = ["-f", "lavfi", "-i", "testsrc=size=320x180:rate=30"]
SOUND = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100"]
H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-profile:v", "baseline", "-pix_fmt", "yuv420p"]
AAC = ["-c:a", "aac", "-ac", "2", "-b:a", "128k"]


class Encoder:
    """A running FFmpeg. Leaving it ends the process."""

    def __init__(self, stage, key, protocol="rtmp", inputs=(*VIDEO, *SOUND), codecs=(*H264, "-g", "30", *AAC)):
        command = ["ffmpeg", "-hide_banner", "-loglevel", "warning", "-nostdin", "-re"]
        # Each input at its own pace.
        for word in inputs:
            command += ["-re", word] if word == "-f" and command[-1] != "-re" else [word]
        self.command = [*command, *codecs, "-f", "flv", stage["endpoints"][protocol] + key]

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.ends()

    def ends(self, seconds=SECONDS_TO_END):
        """Waits for the process; what it said."""
        _, said = self.process.communicate(timeout=seconds)
        return said.decode(errors="replace")

    @property
    def running(self):
        return self.process.poll() is None


def events(ivs, stage, participant):
    """`(name, error code)` of the participant's events in the stage's newest session, oldest first."""
    sessions = ivs.list_stage_sessions(stageArn=stage["arn"])["stageSessions"]
    if not sessions:
        return []
    found = ivs.list_participant_events(
        stageArn=stage["arn"], sessionId=sessions[0]["sessionId"], participantId=participant
    )["events"]
    return [(event["name"], event.get("errorCode")) for event in reversed(found)]


def state(ivs, configuration):
    found = ivs.get_ingest_configuration(arn=configuration["arn"])["ingestConfiguration"]
    return found["state"], found["stageArn"]


def live(ivs, configuration):
    """Waits until somebody publishes by it."""
    eventually(lambda: state(ivs, configuration)[0] == "ACTIVE", seconds=30)


def viewer(ivs, stage):
    made = ivs.create_participant_token(stageArn=stage["arn"], capabilities=["SUBSCRIBE"])
    return made["participantToken"]["token"]


# === the main path ===


@pytest.mark.parametrize("protocol", ["RTMP", "RTMPS"])
def test_what_an_encoder_publishes_is_received(ivs, stage, protocol):
    configuration = ingest(ivs, stage, protocol, userId="studio", attributes={"seat": "1"})
    participant = configuration["participantId"]

    async def watch():
        async with whip.Subscriber(stage["endpoints"]["whip"], viewer(ivs, stage), participant) as subscriber:
            await subscriber.receives(video=60, audio=60)
            assert subscriber.size == (320, 180)
            assert subscriber.loud, "there is no sound"

    with Encoder(stage, configuration["streamKey"], protocol.lower()):
        live(ivs, configuration)
        asyncio.run(watch())
        session = ivs.get_stage(arn=stage["arn"])["stage"]["activeSessionId"]
        found = ivs.get_participant(stageArn=stage["arn"], sessionId=session, participantId=participant)["participant"]
        assert (found["protocol"], found["published"], found["userId"]) == (protocol, True, "studio")
        assert (found["ingestConfigurationArn"], found["attributes"]) == (configuration["arn"], {"seat": "1"})
        arn = configuration["arn"]
        refused("ConflictException", 409, "", ivs.update_ingest_configuration, arn=arn, stageArn="")
        refused("ConflictException", 409, "", ivs.delete_ingest_configuration, arn=arn)
    eventually(lambda: state(ivs, configuration) == ("INACTIVE", stage["arn"]))
    expected = [("JOINED", None), ("PUBLISH_STARTED", None), ("PUBLISH_STOPPED", None)]
    assert events(ivs, stage, participant)[:3] == expected


def test_who_comes_late_sees_a_picture_at_once(ivs, stage):
    configuration = ingest(ivs, stage)
    took = []

    async def watch():
        async with whip.Subscriber(
            stage["endpoints"]["whip"], viewer(ivs, stage), configuration["participantId"]
        ) as subscriber:
            began = time.monotonic()
            await subscriber.receives(video=1, audio=0)
            took.append(time.monotonic() - began)
            await subscriber.receives(video=60, audio=60)

    # A key frame every twenty seconds.
    with Encoder(stage, configuration["streamKey"], codecs=(*H264, "-g", "600", *AAC)) as encoder:
        live(ivs, configuration)
        began = time.monotonic()
        for _ in range(2):
            asyncio.run(watch())
        assert time.monotonic() - began < 18 and encoder.running
    # Far less than until the next key frame, and more than a busy machine needs.
    assert max(took) < 8, took


# === what is refused ===

REFUSED = {
    "B_FRAME_PRESENT": dict(codecs=["-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-pix_fmt", "yuv420p", *AAC]),
    "INVALID_VIDEO_CODEC": dict(codecs=["-c:v", "flv", *AAC]),
    "INVALID_AUDIO_CODEC": dict(codecs=[*H264, "-c:a", "libmp3lame"]),
    "INVALID_INPUT": dict(inputs=VIDEO, codecs=H264),
    "RESOLUTION_EXCEEDED": dict(
        inputs=["-f", "lavfi", "-i", "color=size=1282x720:rate=10", *SOUND], codecs=[*H264, *AAC]
    ),
    "BITRATE_EXCEEDED": dict(
        inputs=["-f", "lavfi", "-i", "nullsrc=size=640x360:rate=30,geq=random(1)*255:128:128", *SOUND],
        codecs=[*H264, "-qp", "8", *AAC],
    ),
}


@pytest.mark.parametrize("code", REFUSED)
def test_streams_that_break_a_rule_end(ivs, stage, code):
    configuration = ingest(ivs, stage)
    with Encoder(stage, configuration["streamKey"], **REFUSED[code]) as encoder:
        encoder.ends()
        assert encoder.process.returncode != 0
    found = lambda: events(ivs, stage, configuration["participantId"])
    eventually(lambda: ("PUBLISH_ERROR", code) in found())
    eventually(lambda: state(ivs, configuration)[0] == "INACTIVE")


def test_without_picture_too(ivs, stage):
    configuration = ingest(ivs, stage)
    with Encoder(stage, configuration["streamKey"], inputs=SOUND, codecs=AAC) as encoder:
        encoder.ends()
    found = lambda: events(ivs, stage, configuration["participantId"])
    eventually(lambda: ("PUBLISH_ERROR", "INVALID_INPUT") in found())


def test_keys_that_open_nothing(ivs, stage):
    configuration = ingest(ivs, stage)
    for key in ["nonsense", configuration["streamKey"] + "x", configuration["streamKey"][:-1]]:
        with Encoder(stage, key) as encoder:
            assert "stream key is not valid" in encoder.ends()
            assert encoder.process.returncode != 0
    ivs.update_ingest_configuration(arn=configuration["arn"], stageArn="")
    with Encoder(stage, configuration["streamKey"]) as encoder:
        assert "not attached to a stage" in encoder.ends()
    assert not ivs.list_stage_sessions(stageArn=stage["arn"])["stageSessions"]
    # Attached again it opens the stage.
    ivs.update_ingest_configuration(arn=configuration["arn"], stageArn=stage["arn"])
    with Encoder(stage, configuration["streamKey"]):
        live(ivs, configuration)


def test_other_applications_are_not_there(ivs, stage):
    configuration = ingest(ivs, stage)
    elsewhere = {"endpoints": {"rtmp": stage["endpoints"]["rtmp"].replace("/app/", "/live/")}}
    with Encoder(elsewhere, configuration["streamKey"]) as encoder:
        encoder.ends()
        assert encoder.process.returncode != 0


def test_plain_rtmp_on_a_configuration_for_rtmps(ivs, stage):
    strict = ingest(ivs, stage, "RTMPS")
    with Encoder(stage, strict["streamKey"], "rtmp") as encoder:
        assert "RTMPS only" in encoder.ends()
    found = lambda: events(ivs, stage, strict["participantId"])
    eventually(lambda: ("PUBLISH_ERROR", "INVALID_PROTOCOL") in found())
    lenient = ingest(ivs, stage, "RTMPS", insecure=True)
    with Encoder(stage, lenient["streamKey"], "rtmp"):
        live(ivs, lenient)


def test_a_key_publishes_once(ivs, stage):
    configuration = ingest(ivs, stage)
    with Encoder(stage, configuration["streamKey"]) as first:
        live(ivs, configuration)
        with Encoder(stage, configuration["streamKey"]) as second:
            assert "stream key is in use" in second.ends()
        found = lambda: events(ivs, stage, configuration["participantId"])
        eventually(lambda: ("PUBLISH_ERROR", "REUSE_OF_STREAM_KEY") in found())
        assert first.running and state(ivs, configuration)[0] == "ACTIVE"


# === what ends a publication ===


def disconnect(ivs, stage, configuration):
    ivs.disconnect_participant(stageArn=stage["arn"], participantId=configuration["participantId"])
    eventually(lambda: state(ivs, configuration) == ("INACTIVE", ""))
    # Attaching it again lets its participant in again.
    ivs.update_ingest_configuration(arn=configuration["arn"], stageArn=stage["arn"])
    with Encoder(stage, configuration["streamKey"]):
        live(ivs, configuration)


def delete_configuration(ivs, stage, configuration):
    ivs.delete_ingest_configuration(arn=configuration["arn"], force=True)
    found = lambda: [name for name, _ in events(ivs, stage, configuration["participantId"])]
    eventually(lambda: found()[-2:] == ["PUBLISH_STOPPED", "LEFT"])


def delete_stage(ivs, stage, configuration):
    ivs.delete_stage(arn=stage["arn"])
    eventually(lambda: state(ivs, configuration) == ("INACTIVE", ""))


@pytest.mark.parametrize("how", [disconnect, delete_configuration, delete_stage])
def test_the_api_ends_a_publication(ivs, stage, how):
    configuration = ingest(ivs, stage)
    with Encoder(stage, configuration["streamKey"]) as encoder:
        live(ivs, configuration)
        how(ivs, stage, configuration)
        encoder.ends()
        assert encoder.process.returncode != 0


def test_a_restart_lets_encoders_return(server, ivs, stage):
    configuration = ingest(ivs, stage)
    with Encoder(stage, configuration["streamKey"]):
        live(ivs, configuration)
        server.crash()
    again = client(server, "ivs-realtime")
    assert state(again, configuration)[0] == "INACTIVE"
    stage = again.get_stage(arn=stage["arn"])["stage"]
    with Encoder(stage, configuration["streamKey"]):
        live(again, configuration)


# === strangers ===


def rtmp_port(server, name="rtmp"):
    host, port = server.addresses[name].rsplit(":", 1)
    return host, int(port)


@pytest.mark.parametrize("bytes_sent", [b"GET / HTTP/1.1\r\n\r\n", b"\x06" + bytes(1536), b"\x03" + b"\xff" * 8000])
def test_nonsense_is_hung_up_on(server, bytes_sent):
    with socket.create_connection(rtmp_port(server), timeout=10) as connection:
        connection.sendall(bytes_sent)
        with contextlib.suppress(ConnectionResetError):
            while connection.recv(65536):
                pass


def test_who_says_nothing_is_hung_up_on_and_many_are_not_taken(server):
    connections = [socket.create_connection(rtmp_port(server), timeout=20) for _ in range(40)]
    try:
        # The first ones have a place and ten seconds; those beyond the bound have neither.
        began = time.monotonic()
        assert connections[-1].recv(1) == b"" and time.monotonic() - began < 5
        assert connections[0].recv(1) == b""
    finally:
        for connection in connections:
            connection.close()


def test_rtmps_has_one_certificate_for_its_life(server):
    def certificate():
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(rtmp_port(server, "rtmps"), timeout=10) as raw:
            with context.wrap_socket(raw) as connection:
                return connection.getpeercert(binary_form=True)

    before = certificate()
    server.restart()
    assert certificate() == before
