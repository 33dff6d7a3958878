"""Floods from one address at the media port, beside a room in use: what each is costs little, is answered with no more
than it brought, leaves nothing behind, and the room loses no packet.

The load generator (`tests/load`) is both the room and the flood. `STAGEDOOR_FLOOD` is how many datagrams there are of each
kind: a million show what some ten thousand do.
"""

import json
import os
import subprocess

import pytest

from participants import token
from conftest import client
from expect import eventually
from room import metrics
from server import cpu, program

COUNT = int(os.environ.get("STAGEDOOR_FLOOD", "20000"))
PER_SECOND = 20_000
SUBSCRIBERS = 5
# What the room itself may take meanwhile: packets are kept for retransmission.
MIB_MAX = 12
# Of these the kernel makes a connection each.
KINDS = {"unknown-users": 1, "wrong-passwords": 1, "strange-hellos": 1, "hellos": 1, "late-hellos": 1, "connections": 10}
# All of these are dropped without a word.
UNANSWERED = {"unknown-users", "wrong-passwords", "strange-hellos", "late-hellos", "connections"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_flood_from_one_address(server, kind):
    count = COUNT // KINDS[kind]
    stage = client(server, "ivs-realtime").create_stage(name=kind)["stage"]
    url = stage["endpoints"]["whip"]
    participant, publish = token(server, stage, "PUBLISH")

    def seat():
        return {"stage": {"url": f"{url}/subscribe/{participant}", "token": token(server, stage, "SUBSCRIBE")[1]}}

    task = {
        "network": [127, 79], "publishers": [{"stage": {"url": url, "token": publish}}],
        "subscribers": [seat() for _ in range(SUBSCRIBERS)], "packets_per_frame": 3, "joins_at_once": 2,
        "warm_seconds": 1, "seconds": 1,
        "flood": {"kind": kind, "seat": seat(), "count": count, "per_second": PER_SECOND // KINDS[kind]},
    }
    process = subprocess.Popen([program("stagedoor-load", "STAGEDOOR_LOAD")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        process.stdin.write(json.dumps(task))
        process.stdin.close()
        assert process.stdout.readline() == "ready\n"
        used, held, before = cpu(server.process.pid), server.resident_bytes(), metrics(server)
        assert process.stdout.readline() == "over\n"
        used, held, after = cpu(server.process.pid) - used, server.resident_bytes() - held, metrics(server)
        report = json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
    poured = report["flood"]
    print(f"{kind}: {poured}, {1e6 * used / count:.1f} µs of CPU time each, {held / 2**20:.1f} MiB")
    assert poured["sent"] == count
    assert poured["answer_bytes"] <= (0 if kind in UNANSWERED else poured["sent_bytes"])
    assert held < MIB_MAX * 2**20
    assert report["received"] > 0 and report["missing"] == 0, report
    assert after["failures_total"] - before["failures_total"] <= (kind == "hellos"), "of the flood's own session at most"


def test_nothing_is_left_of_them(server):
    eventually(lambda: metrics(server)["connections"] == 0, seconds=60)
