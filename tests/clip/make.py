#!/usr/bin/env python3
"""Makes the clip in assets/clip/: a test pattern and a tone, six seconds, with the ffmpeg of Debian.

The demo and the tests publish this clip. Run it only to change the clip; the result is checked in, because encoders
differ from version to version and a test wants the same bytes every time.

    python3 tests/clip/make.py
"""

import pathlib
import struct
import subprocess
import tempfile

SECONDS = 6
FRAMES_PER_SECOND = 30
OUT = pathlib.Path(__file__).resolve().parents[2] / "assets" / "clip"
PATTERN = ["-f", "lavfi", "-i", f"testsrc2=size=640x360:rate={FRAMES_PER_SECOND}:duration={SECONDS}"]
# Two notes, one on each side, so that a listener hears whether both channels arrive.
TONE = ["-f", "lavfi", "-i", f"aevalsrc=0.25*sin(2*PI*440*t)|0.25*sin(2*PI*660*t):s=48000:d={SECONDS}"]


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", *map(str, arguments)], check=True)


def h264(path):
    """Constrained baseline, one slice per frame, no B-frames, a key frame with SPS and PPS each second, delimiters."""
    ffmpeg(
        *PATTERN, "-pix_fmt", "yuv420p", "-c:v", "libx264", "-profile:v", "baseline", "-level", "3.1",
        "-preset", "veryslow", "-b:v", "260k", "-maxrate", "320k", "-bufsize", "160k",
        "-x264-params", f"keyint={FRAMES_PER_SECOND}:min-keyint={FRAMES_PER_SECOND}:scenecut=0:bframes=0"
        ":aud=1:repeat-headers=1:slices=1:threads=1:sliced-threads=0:annexb=1",
        "-f", "h264", path,
    )


def vp8(path):
    """The same pattern as VP8 in an IVF file, a key frame each second."""
    ffmpeg(
        *PATTERN, "-pix_fmt", "yuv420p", "-c:v", "libvpx", "-b:v", "160k", "-minrate", "80k", "-maxrate", "200k",
        "-deadline", "best", "-auto-alt-ref", "0", "-lag-in-frames", "0", "-g", FRAMES_PER_SECOND,
        "-keyint_min", FRAMES_PER_SECOND, "-f", "ivf", path,
    )


def opus(path):
    """Opus packets of 20 ms each, every one with its length before it (16 bits, big-endian)."""
    with tempfile.NamedTemporaryFile(suffix=".ogg") as ogg:
        ffmpeg(*TONE, "-c:a", "libopus", "-b:a", "32k", "-frame_duration", "20", "-f", "ogg", ogg.name)
        packets = ogg_packets(pathlib.Path(ogg.name).read_bytes())
    # The first two packets describe the stream; RTP has no use for them.
    path.write_bytes(b"".join(struct.pack(">H", len(packet)) + packet for packet in packets[2:]))


def ogg_packets(ogg):
    """The packets of an Ogg file (RFC 3533), put together over segments and pages."""
    packets, packet, at = [], b"", 0
    while at < len(ogg):
        assert ogg[at : at + 4] == b"OggS", "a page begins here"
        segments = ogg[at + 27 : at + 27 + ogg[at + 26]]
        at += 27 + len(segments)
        for length in segments:
            packet += ogg[at : at + length]
            at += length
            if length < 255:
                packets.append(packet)
                packet = b""
    return packets


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    h264(OUT / "clip.h264")
    vp8(OUT / "clip.vp8.ivf")
    opus(OUT / "clip.opus")
    for path in sorted(OUT.glob("clip.*")):
        print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
