"""aiortc as a WHIP publisher and as a subscriber, as AWS's own sample programs use it."""

import asyncio
import fractions
import json
import math
import time
import urllib.error
import urllib.parse
import urllib.request

import aioice.ice
import av
from aiortc import (
    AudioStreamTrack,
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
    VideoStreamTrack,
)

# The tests stay on loopback; left alone, aioice would use every address but that one.
aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]

WIDTH, HEIGHT = 320, 180


class Pattern(VideoStreamTrack):
    """A picture that moves, so that an encoder has work and a frozen frame shows."""

    def __init__(self):
        super().__init__()
        self.sent = 0

    async def recv(self):
        pts, time_base = await self.next_timestamp()
        frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        for index, plane in enumerate(frame.planes):
            shade = (self.sent * 7 + index * 60) % 256
            plane.update(bytes([shade]) * plane.buffer_size)
        frame.pts, frame.time_base = pts, time_base
        self.sent += 1
        return frame


class Tone(AudioStreamTrack):
    """A tone of 440 Hz."""

    def __init__(self):
        super().__init__()
        self.sent = 0

    async def recv(self):
        samples = 960
        if self.sent == 0:
            self.began = time.monotonic()
        await asyncio.sleep(max(0, self.began + self.sent * 0.02 - time.monotonic()))
        frame = av.AudioFrame(format="s16", layout="mono", samples=samples)
        start = self.sent * samples
        wave = [int(8000 * math.sin(2 * math.pi * 440 * (start + n) / 48000)) for n in range(samples)]
        frame.planes[0].update(b"".join(value.to_bytes(2, "little", signed=True) for value in wave))
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, fractions.Fraction(1, 48000)
        self.sent += 1
        return frame


def is_loud(samples):
    """Whether a frame of 16-bit samples holds a sound and not silence."""
    every = (int.from_bytes(samples[at : at + 2], "little", signed=True) for at in range(0, len(samples) - 1, 2))
    return max(map(abs, every)) > 1000


class Refused(Exception):
    """The server did not answer 201: `status` and `body`."""

    def __init__(self, status, body):
        super().__init__(f"{status}: {body[:300]}")
        self.status, self.body = status, body


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def send(method, url, token=None, body=None, content_type="application/sdp"):
    """Status, headers (lower case) and body of one request; follows no redirect."""
    headers = {"Content-Type": content_type} if body is not None else {}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    data = body.encode() if isinstance(body, str) else body
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    opener = urllib.request.build_opener(NoRedirects, urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=20) as answer:
            return answer.status, joined(answer.headers), answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, joined(error.headers), error.read().decode(errors="replace")


def joined(headers):
    """By lower-case name; what came more than once is joined by commas."""
    return {name.lower(): ", ".join(headers.get_all(name)) for name in headers}


def new_peer():
    """A peer that asks no STUN server."""
    return RTCPeerConnection(RTCConfiguration(iceServers=[]))


async def offer_sdp(peer):
    """The peer's offer with all its candidates."""
    await peer.setLocalDescription(await peer.createOffer())
    return peer.localDescription.sdp


async def connect(peer, url, token, through=None):
    """Sends the offer, takes the answer, waits until media can flow, `through` a relay if there is one; the session's own
    URL, and the answer's headers."""
    sdp = await offer_sdp(peer)
    status, headers, body = await asyncio.to_thread(send, "POST", url, token, sdp)
    if status != 201:
        raise Refused(status, body)
    if through is not None:
        body = through.through(body)
    await peer.setRemoteDescription(RTCSessionDescription(sdp=body, type="answer"))
    await until(lambda: peer.connectionState == "connected", f"connected, not {peer.connectionState}")
    return urllib.parse.urljoin(url, headers["location"]), headers


async def until(look, what, seconds=40):
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, f"not in time: {what}"
        await asyncio.sleep(0.02)


def prefer(transceiver, mime_type):
    """Offers one video codec only (and its retransmissions)."""
    codecs = RTCRtpSender.getCapabilities("video").codecs
    transceiver.setCodecPreferences([codec for codec in codecs if codec.mimeType in (mime_type, "video/rtx")])


class Publisher:
    """Publishes a pattern and a tone. Use it as an async context manager."""

    def __init__(self, whip_url, token, codec="video/H264", audio=True, through=None):
        self.url, self.token, self.through = whip_url, token, through
        self.peer = new_peer()
        self.video = Pattern()
        prefer(self.peer.addTransceiver(self.video, direction="sendonly"), codec)
        if audio:
            self.peer.addTransceiver(Tone(), direction="sendonly")

    async def __aenter__(self):
        try:
            self.session, self.created = await connect(self.peer, self.url, self.token, self.through)
        except BaseException:
            await self.peer.close()
            raise
        return self

    async def __aexit__(self, *_):
        await self.peer.close()

    async def leave(self):
        """Ends the session as WHIP says; the status of the answer."""
        status, _, _ = await asyncio.to_thread(send, "DELETE", self.session, self.token)
        return status


class Subscriber:
    """Receives one participant and counts the frames it can decode. Use it as an async context manager."""

    def __init__(self, whip_url, token, participant, codec=None, through=None):
        self.url, self.token, self.through = f"{whip_url}/subscribe/{participant}", token, through
        self.peer = new_peer()
        video = self.peer.addTransceiver("video", direction="recvonly")
        if codec:
            prefer(video, codec)
        self.peer.addTransceiver("audio", direction="recvonly")
        self.video_frames = self.audio_frames = 0
        self.shades = set()
        self.loud = False
        self.tasks = []
        self.peer.on("track", self._listen)

    def _listen(self, track: MediaStreamTrack):
        self.tasks.append(asyncio.ensure_future(self._count(track)))

    async def _count(self, track):
        while True:
            frame = await track.recv()
            if track.kind == "video":
                self.video_frames += 1
                self.size = (frame.width, frame.height)
                self.shades.add(bytes(frame.planes[0])[0])
            else:
                self.audio_frames += 1
                self.loud = self.loud or is_loud(bytes(frame.planes[0]))

    async def __aenter__(self):
        try:
            self.session, self.created = await connect(self.peer, self.url, self.token, self.through)
        except BaseException:
            await self.peer.close()
            raise
        return self

    async def __aexit__(self, *_):
        await self.peer.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def receives(self, video=30, audio=30):
        """Waits until so many frames have come."""
        await until(
            lambda: self.video_frames >= video and self.audio_frames >= audio,
            f"{video} video and {audio} audio frames",
            seconds=60,
        )


def state_message(text):
    """The participants of a STAGE_STATE message, by id; None for other messages."""
    message = json.loads(text)
    if message.get("type") != "STAGE_STATE":
        return None
    return {participant["id"]: participant for participant in message["payload"]["participants"]}
