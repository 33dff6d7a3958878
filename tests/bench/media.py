"""Figures of real-time stages: forwarding beside Janus, joining, memory, RTMP ingest. Packets come from `tests/load`.

The load runs in a network namespace of its own, because Janus refuses loopback addresses. Where the system allows no
namespaces, everything is on loopback and Janus is left out.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.request
from collections import namedtuple
from contextlib import contextmanager

from measure import SECONDS, resident_mib, row

import janus
from conftest import client
from expect import eventually
from server import Server, cpu

# 30 frames of nine packets and 50 sounds per second: 2.65 Mbit/s.
NINE = {"packets_per_frame": 9}
TURNS = 2
# What Chromium was recorded to send, and to how many.
TRACES = pathlib.Path(__file__).resolve().parents[1] / "load" / "traces"
RECORDED = [("H.264", "h264.txt", 200), ("H.264", "h264.txt", 500), ("VP8", "vp8.txt", 200), ("the largest of three layers of H.264", "h264-layers.txt", 200)]
# How many, how many per second, and what they are.
MILLION = int(os.environ.get("BENCH_FLOOD", "1000000"))
FLOODS = [
    ("unknown-users", MILLION, 100_000, "ICE checks for unknown users"),
    ("wrong-passwords", MILLION, 100_000, "ICE checks with a wrong password"),
    ("strange-hellos", MILLION, 100_000, "DTLS hellos of strangers"),
    ("hellos", MILLION, 100_000, "DTLS hellos before the handshake, whole, cut, with a wrong cookie"),
    ("late-hellos", MILLION, 100_000, "DTLS hellos after the handshake"),
    ("connections", MILLION // 10, 10_000, "TCP connections"),
]
# Packets per CPU second by subscribers; twice Janus' as well.
GOALS = {50: "130,000", 200: "160,000", 500: "200,000"}

# Of all clients' addresses the first two bytes; the server's address; the command that starts the load.
Network = namedtuple("Network", "prefix address start")
LOOPBACK = Network([127, 77], "127.77.0.1", [])


def media(folder):
    """Measures in a process that has a network of its own."""
    for unshare in (["unshare", "--net"], ["unshare", "--net", "--map-root-user"]):
        if subprocess.run([*unshare, "true"], stderr=subprocess.DEVNULL).returncode == 0:
            subprocess.run([*unshare, sys.executable, __file__, str(folder)], check=True)
            return
    figures(folder, LOOPBACK)


@contextmanager
def two_machines():
    """A second network namespace for the load, with a cable (veth) to this one. It answers for a whole subnet."""
    other = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
    try:
        here, there = os.stat("/proc/self/ns/net").st_ino, lambda: os.stat(f"/proc/{other.pid}/ns/net").st_ino
        eventually(lambda: there() != here)
        enter = ["nsenter", f"--net=/proc/{other.pid}/ns/net"]
        for words in (
            "ip link set lo up", f"ip link add server type veth peer name load netns {other.pid}",
            "ip address add 10.76.0.1/30 dev server", "ip link set server up", "ip route add 10.77.0.0/16 via 10.76.0.2",
        ):
            subprocess.run(words.split(), check=True)
        for words in (
            "ip link set lo up", "ip address add 10.76.0.2/30 dev load", "ip link set load up",
            "ip route add local 10.77.0.0/16 dev lo",
        ):
            subprocess.run([*enter, *words.split()], check=True)
        yield Network([10, 77], "10.76.0.1", enter)
    finally:
        other.kill()
        other.wait()


def figures(folder, network):
    for count in (50, 200, 500):
        in_turns(folder, network, count)
    rooms = Rooms(folder, network)
    unequal(rooms)
    recorded(rooms)
    spread(rooms)
    estimated(rooms)
    meeting(rooms)
    joining(rooms)
    ingest(rooms)
    floods(rooms)


# === what is measured ===


def in_turns(folder, network, count):
    """A fixed layer without an estimate, beside Janus with the same packets."""
    rooms, ours, theirs = Rooms(folder, network), [], []
    for _ in range(TURNS):
        with rooms.stage(count) as (server, task):
            ours.append(rooms.load(server, task | NINE))
        if network.start:
            with rooms.video_room(count) as (pid, task):
                theirs.append(rooms.load(pid, task | NINE))
    beside = f"Janus: {rate(theirs)}; " if theirs else ""
    beside += f"goal: {GOALS[count]} and twice Janus"
    row(f"forwarding from 1 publisher to {count} subscribers", rate(ours), beside)
    beside = f"Janus: {delay(theirs)}" if theirs else ""
    row("— added delay", delay(ours), beside)
    row("— messages per packet", f"{ours[-1].messages:.2f}")
    if count == 500:
        beside = f"Janus: {theirs[-1].memory / count:.2f} MiB; " if theirs else ""
        row("— memory per subscriber", f"{ours[-1].memory / count:.2f} MiB", beside + "goal: 0.4 MiB")


def unequal(rooms):
    """Frames cut as browsers cut them, which ends runs of equal packets."""
    with rooms.stage(200) as (server, task):
        done = rooms.load(server, task | NINE | {"unequal": True})
    row("the same to 200, packets of unequal size", rate([done]), f"messages per packet: {done.messages:.2f}")


def recorded(rooms):
    """What Chromium sent when it published, packet by packet (`cargo xtask traces` records it)."""
    for name, trace, count in RECORDED:
        layered = "layers" in trace
        with rooms.stage(count) as (server, task):
            for seat in task["subscribers"] if layered else []:
                seat["stage"]["url"] += "?layer=h"
            done = rooms.load(server, task | {"trace": str(TRACES / trace)})
        # Times that went on from another layer's tell no delay.
        late = "" if layered else f"; added delay {delay([done])}"
        row(f"{name} as Chromium sends it, to {count}", rate([done]), f"messages per packet: {done.messages:.2f}{late}")


def spread(rooms):
    """A media thread for each processor, which share the subscribers."""
    shards = os.cpu_count()
    with rooms.stage(200, shards=shards) as (server, task):
        done = rooms.load(server, task | NINE)
    row(f"the same to 200, {shards} media threads", rate([done]), f"added delay {delay([done])}")


def estimated(rooms):
    """Simulcast: the bandwidth to each subscriber is estimated, and all of them send reports and feedback."""
    with rooms.stage(200) as (server, task):
        done = rooms.load(server, task | {"packets_per_frame": 8, "simulcast": True, "full": True, "warm_seconds": 15})
    share = done.report["received"] / SECONDS / 200 / (8 * 30 + 50)
    row("the same to 200 full subscribers, bandwidth estimated", rate([done]), f"messages per packet: {done.messages:.2f}; {100 * share:.0f} % of the upper layer; goal: 120,000")


def meeting(rooms):
    """Everybody sees twelve publishers; their frames are of two packets, so that all together keep to 8.5 Mbit/s."""
    with rooms.stage(50, publishers=12) as (server, task):
        done = rooms.load(server, task | {"packets_per_frame": 2})
    row("forwarding from 12 publishers to 50 subscribers each", rate([done]), f"added delay {delay([done])}")


def joining(rooms):
    """WHEP-like subscribing, from POST to connected: many at once, then one each second, since publishers are asked for no
    more than two key frames per second."""
    with rooms.stage(200) as (server, task):
        done = rooms.load(server, task | NINE | {"joins_at_once": 16, "seconds": 0.5})
    spent = 1000 * done.joining / 200
    row("joins, 16 at once", f"{200 / done.report['join_seconds']:.0f} per second", f"{spent:.1f} ms of CPU time each at the server")
    with rooms.stage(12) as (server, task):
        report = rooms.load(server, task | NINE | {"joins_at_once": 1, "join_every_seconds": 1, "seconds": 0.5}).report
    row("POST to connected, one each second", f"p50 {report['connected']['p50']:.0f} ms", f"answer: p50 {report['answered']['p50']:.1f} ms")
    row("POST to the first whole frame", f"p50 {report['first_frame']['p50']:.0f} ms, p99 {report['first_frame']['p99']:.0f} ms", "a frame comes every 33 ms")


def ingest(rooms):
    """FFmpeg's 720p30 with AAC, encoded before, by RTMP; the sound becomes Opus."""
    clip = rooms.folder / "clip.flv"
    quiet = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin"]
    subprocess.run(
        [*quiet, "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100",
         "-t", "5", "-c:v", "libx264", "-preset", "ultrafast", "-profile:v", "baseline", "-pix_fmt", "yuv420p", "-g", "60",
         "-b:v", "2500k", "-maxrate", "2500k", "-bufsize", "2500k", "-c:a", "aac", "-ac", "2", "-b:a", "128k", str(clip)],
        check=True,
    )
    with Server(rooms.folder / rooms.fresh()) as server:
        ivs = client(server, "ivs-realtime")
        stage = ivs.create_stage(name="ingest")["stage"]
        made = ivs.create_ingest_configuration(stageArn=stage["arn"], ingestProtocol="RTMP", insecureIngest=True)
        target = stage["endpoints"]["rtmp"] + made["ingestConfiguration"]["streamKey"]
        encoder = subprocess.Popen([*quiet, "-re", "-stream_loop", "-1", "-i", str(clip), "-c", "copy", "-f", "flv", target])
        try:
            time.sleep(3)
            before, packets = cpu(server.process.pid), metric(server, "packets_in")
            time.sleep(SECONDS)
            used, packets = cpu(server.process.pid) - before, metric(server, "packets_in") - packets
            assert encoder.poll() is None and packets > 0, "the encoder was refused"
        finally:
            encoder.kill()
            encoder.wait()
    row("RTMP ingest of 720p30, 2.5 Mbit/s", f"{100 * used / SECONDS:.1f} % of a core", f"{packets / SECONDS:.0f} packets per second")


def floods(rooms):
    """From one address, while a room of twenty is in use."""
    for kind, count, per_second, what in FLOODS:
        with rooms.stage(21) as (server, task):
            seat = task["subscribers"].pop()
            flood = {"kind": kind, "seat": seat, "count": count, "per_second": per_second}
            done = rooms.load(server, task | NINE | {"warm_seconds": 3, "flood": flood})
        poured, missing = done.report["flood"], done.report["missing"]
        row(
            f"{poured['sent']:,} {what} from one address",
            f"{1e6 * done.used / poured['sent']:.1f} µs of CPU time each, the room's included; {done.grown:.1f} MiB more",
            f"{poured['answer_bytes']:,} bytes back for {poured['sent_bytes']:,}; the room: {missing} of {done.report['received'] + missing} missing",
        )


# === rooms and load ===


# CPU seconds while it forwarded, of the load, and while everybody joined; MiB in all and since then; messages per datagram.
Done = namedtuple("Done", "report used load joining memory grown messages")


class Rooms:
    """Makes stages on fresh servers, and video rooms on fresh Januses, with tasks for the load that fills them."""

    def __init__(self, folder, network):
        self.folder = folder
        self.network = network

    def fresh(self):
        """A name that is not there yet."""
        return f"media-{len(list(self.folder.iterdir()))}"

    @contextmanager
    def stage(self, subscribers, publishers=1, shards=1):
        """A server with so many media threads, and a task with so many subscribers for each publisher."""
        here = f"{self.network.address}:0"
        with Server(self.folder / self.fresh(), "--listen", here, "--media-listen", here, "--media-shards", str(shards), "--keys", "test:test") as server:
            ivs = client(server, "ivs-realtime")
            stage = ivs.create_stage(name="load")["stage"]
            whip = stage["endpoints"]["whip"]

            def token(capability):
                return ivs.create_participant_token(stageArn=stage["arn"], capabilities=[capability])["participantToken"]

            tokens = [token("PUBLISH") for _ in range(publishers)]
            followers = [token("SUBSCRIBE")["token"] for _ in range(subscribers)]
            yield server, self.task(
                [{"stage": {"url": whip, "token": publisher["token"]}} for publisher in tokens],
                [
                    {"stage": {"url": f"{whip}/subscribe/{publisher['participantId']}", "token": follower, "publisher": place}}
                    for place, publisher in enumerate(tokens)
                    for follower in followers
                ],
            )

    @contextmanager
    def video_room(self, subscribers):
        """A Janus, and a task with so many subscribers."""
        with janus.janus(self.folder / self.fresh(), self.network.address) as (url, pid):
            seat = {"janus": {"url": url, "room": janus.ROOM, "feed": janus.FEED}}
            yield pid, self.task([seat], [seat] * subscribers)

    def task(self, publishers, subscribers):
        return {
            "network": self.network.prefix, "publishers": publishers, "subscribers": subscribers, "joins_at_once": 8,
            "warm_seconds": 1, "seconds": SECONDS,
        }

    def load(self, server, task):
        """Runs a task against a server of ours or a process id."""
        ours = isinstance(server, Server)
        pid = server.process.pid if ours else server
        idle, joined = resident_mib(pid), cpu(pid)
        process = subprocess.Popen([*self.network.start, os.environ["STAGEDOOR_LOAD"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            process.stdin.write(json.dumps(task))
            process.stdin.close()
            assert process.stdout.readline() == "ready\n"
            used, own, counters = cpu(pid), cpu(process.pid), sent(server) if ours else (0, 0)
            joined, full = used - joined, resident_mib(pid)
            assert process.stdout.readline() == "over\n"
            used, own = cpu(pid) - used, cpu(process.pid) - own
            messages, datagrams = (after - before for after, before in zip(sent(server), counters)) if ours else (0, 1)
            memory = resident_mib(pid)
            report = json.loads(process.stdout.readline())
            assert process.wait(30) == 0
        finally:
            process.kill()
        return Done(report, used, own, joined, memory - idle, memory - full, messages / datagrams)


def sent(server):
    """Messages and datagrams that the media port sent so far."""
    return metric(server, "messages_out"), metric(server, "datagrams_out")


def metric(server, name):
    with urllib.request.urlopen(server.http + "/_stagedoor/metrics") as answer:
        page = answer.read().decode()
    return sum(float(value) for value in re.findall(rf"^stagedoor_media_{name}_total\S* (\S+)$", page, re.MULTILINE))


def rate(dones):
    """Packets per CPU second of all runs together."""
    received = sum(done.report["received"] for done in dones)
    missing = sum(done.report["missing"] for done in dones)
    used = sum(done.used for done in dones)
    share = 100 * used / len(dones) / SECONDS
    return f"{received / used:.0f} packets per CPU second, {share:.0f} % of a core, {missing} of {received + missing} missing"


def delay(dones):
    of = {name: max(done.report["delay"][name] for done in dones) for name in ("p50", "p99")}
    return f"p50 {of['p50'] / 1000:.2f} ms, p99 {of['p99'] / 1000:.2f} ms"


if __name__ == "__main__":
    with two_machines() as network:
        figures(pathlib.Path(sys.argv[1]), network)
