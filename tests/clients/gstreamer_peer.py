"""GStreamer's webrtcbin as a WHIP publisher or a subscriber. A program of its own: GStreamer's Python bindings belong
to the system's Python, and it runs in a network namespace, since webrtcbin refuses loopback addresses.

    python3 gstreamer_peer.py publish <url> <token> <h264|vp8>
    python3 gstreamer_peer.py play <url> <token> <h264|vp8>

It writes one JSON object a line: `{"certificate": <PEM>}`, `{"connected": true}`, and while it plays
`{"video": <frames>, "audio": <frames>}`, all of them decoded. It ends when its input is closed.
"""

import json
import sys
import threading
import urllib.parse
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

VIDEO = {
    "h264": (
        "openh264enc gop-size=30 ! h264parse config-interval=-1 ! rtph264pay aggregate-mode=zero-latency",
        "H264",
        ",packetization-mode=(string)1,profile-level-id=(string)42e01f",
        "rtph264depay ! h264parse ! openh264dec",
    ),
    "vp8": ("vp8enc deadline=1 keyframe-max-dist=30 ! rtpvp8pay picture-id-mode=2", "VP8", "", "rtpvp8depay ! vp8dec"),
}


def video_caps(codec):
    return f"application/x-rtp,media=video,encoding-name={VIDEO[codec][1]},clock-rate=90000,payload=96"


AUDIO_CAPS = "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,encoding-params=(string)2,payload=97"


# Frames are counted in the streaming threads, one for each track.
SAYING = threading.Lock()


def say(**what):
    with SAYING:
        print(json.dumps(what), flush=True)


class Peer:
    def __init__(self, direction, url, token, codec):
        self.url, self.token, self.codec = url, token, codec
        self.session = None
        self.frames = {"video": 0, "audio": 0}
        self.loop = GLib.MainLoop()
        self.pipeline = getattr(self, direction)()
        self.webrtc = self.pipeline.get_by_name("peer")
        self.webrtc.connect("notify::ice-gathering-state", self.on_gathering)
        self.webrtc.connect("notify::connection-state", self.on_connection)
        self.webrtc.connect("pad-added", self.on_pad)
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", self.on_error)

    def publish(self):
        encoder = VIDEO[self.codec][0]
        return Gst.parse_launch(
            "webrtcbin name=peer bundle-policy=max-bundle"
            " videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=180,framerate=30/1 ! videoconvert"
            f" ! queue ! {encoder} ! {video_caps(self.codec)} ! peer."
            " audiotestsrc is-live=true ! audioconvert ! audioresample ! audio/x-raw,rate=48000,channels=2"
            f" ! queue ! opusenc ! rtpopuspay ! {AUDIO_CAPS} ! peer."
        )

    def play(self):
        pipeline = Gst.Pipeline.new()
        webrtc = Gst.ElementFactory.make("webrtcbin", "peer")
        webrtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        pipeline.add(webrtc)
        for caps in (f"{video_caps(self.codec)}{VIDEO[self.codec][2]}", AUDIO_CAPS):
            webrtc.emit(
                "add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, Gst.Caps.from_string(caps)
            )
        return pipeline

    def run(self):
        # Publishing, the offer needs the encoders' caps; the signal comes when they are there.
        self.webrtc.connect("on-negotiation-needed", lambda _: self.offer())
        self.pipeline.set_state(Gst.State.PLAYING)
        threading.Thread(target=self.wait_for_end, daemon=True).start()
        self.loop.run()
        if self.session:
            self.request("DELETE", self.session)
        self.pipeline.set_state(Gst.State.NULL)

    def wait_for_end(self):
        sys.stdin.read()
        self.loop.quit()

    def offer(self):
        self.webrtc.emit("create-offer", None, Gst.Promise.new_with_change_func(self.on_offer))

    def on_offer(self, promise):
        reply = promise.get_reply()
        offer = reply.get_value("offer")
        self.webrtc.emit("set-local-description", offer, Gst.Promise.new())

    def on_gathering(self, webrtc, _):
        if webrtc.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            GLib.idle_add(self.exchange)

    def exchange(self):
        offer = self.webrtc.get_property("local-description").sdp.as_text()
        say(certificate=self.certificate())
        status, headers, answer = self.request("POST", self.url, offer)
        if status != 201:
            say(refused=status, body=answer)
            self.loop.quit()
            return False
        self.session = urllib.parse.urljoin(self.url, headers["location"])
        _, message = GstSdp.SDPMessage.new_from_text(answer)
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self.webrtc.emit("set-remote-description", description, Gst.Promise.new())
        return False

    def request(self, method, url, body=None):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/sdp"}
        request = urllib.request.Request(url, body.encode() if body else None, headers, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=20) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode(errors="replace")

    def on_connection(self, webrtc, _):
        if webrtc.get_property("connection-state") == GstWebRTC.WebRTCPeerConnectionState.CONNECTED:
            say(connected=True)

    def on_pad(self, _, pad):
        if pad.direction != Gst.PadDirection.SRC:
            return
        kind = pad.get_current_caps().get_structure(0).get_string("media")
        decoder = VIDEO[self.codec][3] if kind == "video" else "rtpopusdepay ! opusdec"
        branch = Gst.parse_bin_from_description(f"{decoder} ! fakesink name=sink signal-handoffs=true sync=false", True)
        branch.get_by_name("sink").connect("handoff", self.on_frame, kind)
        self.pipeline.add(branch)
        branch.sync_state_with_parent()
        pad.link(branch.get_static_pad("sink"))

    def on_frame(self, _sink, _buffer, _pad, kind):
        self.frames[kind] += 1
        if self.frames[kind] % 10 == 0:
            say(**self.frames)

    def on_error(self, _, message):
        error, debug = message.parse_error()
        say(error=error.message, debug=debug)
        self.loop.quit()

    def certificate(self):
        """webrtcbin's own certificate, PEM."""
        def every(iterator):
            while True:
                state, found = iterator.next()
                if state != Gst.IteratorResult.OK:
                    return
                yield found

        elements = every(self.webrtc.iterate_recurse())
        made_by = ((element.get_factory(), element) for element in elements)
        return next(element.get_property("pem") for made, element in made_by if made and made.get_name() == "dtlsdec")


if __name__ == "__main__":
    Gst.init(None)
    Peer(*sys.argv[1:]).run()
