"""Figures of real-time stages: packets that one publisher's subscribers get."""

import json
import os
import subprocess

from measure import SECONDS, cpu_seconds, row

from conftest import client
from server import Server


def forwarding(folder):
    """Packets per CPU second that a real-time stage hands from one publisher to many subscribers."""
    for count in (50, 200):
        with Server(folder / f"forwarding-{count}") as server:
            ivs = client(server, "ivs-realtime")
            stage = ivs.create_stage(name="load")["stage"]
            publisher = ivs.create_participant_token(stageArn=stage["arn"], capabilities=["PUBLISH"])["participantToken"]
            subscribers = [
                ivs.create_participant_token(stageArn=stage["arn"], capabilities=["SUBSCRIBE"])["participantToken"]["token"]
                for _ in range(count)
            ]
            task = {
                "whip": stage["endpoints"]["whip"],
                "publisher": {name: publisher[name] for name in ("participantId", "token")},
                "subscribers": subscribers,
                "seconds": SECONDS,
            }
            load = subprocess.Popen([os.environ["STAGEDOOR_LOAD"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            try:
                load.stdin.write(json.dumps(task))
                load.stdin.close()
                assert load.stdout.readline() == "ready\n"
                before = cpu_seconds(server.process.pid)
                done = json.loads(load.stdout.readline())
                used = cpu_seconds(server.process.pid) - before
                assert load.wait(30) == 0
            finally:
                load.kill()
            row(
                f"forwarding from 1 publisher to {count} subscribers",
                f"{done['received'] / used:.0f} packets per CPU second, {100 * used / SECONDS:.0f} % of a core",
                f"{done['received']} packets received, {done['missing']} missing",
            )
