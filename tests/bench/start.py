"""Figures of the program as a whole: start, memory, size, and a call of our client beside the AWS CLI's."""

import os
import pathlib
import statistics
import subprocess
import sys
import time

from measure import resident_mib, row

import setups
from conftest import REGION, client, fetch
from server import Server, binary
from signing import signed


def start_and_memory(folder):
    """From starting the process to the first answered `get-stages`, with data there already; memory when idle."""
    with Server(folder / "start") as server:
        api = setups.http_api(client(server, "apigatewayv2"), "http://127.0.0.1:9/", "GET /pets")
        ivs = client(server, "ivs-realtime")
        for number in range(200):
            ivs.create_stage(name=f"stage-{number}")
        server.stop()
        times = []
        for _ in range(11):
            began = time.perf_counter()
            server.start()
            target, headers = signed(server, "GET", f"/v2/apis/{api}/stages")
            assert fetch(server, "GET", target, headers).status == 200
            times.append((time.perf_counter() - began) * 1000)
            server.stop()
        row("start to first answered `get-stages`, median of 11", f"{statistics.median(times):.0f} ms", "goal: under 50 ms")
        server.start()
        # Whatever the start left to do in the background is done by then.
        time.sleep(2)
        row("resident memory, idle", f"{resident_mib(server.process.pid):.1f} MiB", "goal: under 30 MiB")


def command_line(folder):
    """`get-stage` of our client beside the AWS CLI's, as whole processes in turn."""
    with Server(folder / "cli") as server:
        arn = client(server, "ivs-realtime").create_stage(name="stage")["stage"]["arn"]
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "AWS_ENDPOINT_URL": server.http, "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        }
        words = ["ivs-realtime", "get-stage", "--arn", arn]
        programs = {"ours": [binary()], "theirs": [str(pathlib.Path(sys.executable).parent / "aws")]}
        figures = {name: [] for name in programs}
        for turn in range(12):
            for name, program in programs.items():
                figures[name].append(whole_process([*program, *words], environment))
        # The first of each fills the machine's caches.
        time_of, memory_of = (
            {name: statistics.median(figure[at] for figure in rows[1:]) for name, rows in figures.items()} for at in (0, 1)
        )
    row("`get-stage` by our client, whole process", f"{time_of['ours'] * 1000:.1f} ms", f"AWS CLI: {time_of['theirs'] * 1000:.0f} ms; goal: 1/50")
    row("its largest resident memory", f"{memory_of['ours']:.1f} MiB", f"AWS CLI: {memory_of['theirs']:.1f} MiB; goal: 1/4")
    row("size of the binary", f"{pathlib.Path(binary()).stat().st_size / 2**20:.1f} MiB")


def whole_process(command, environment):
    """Seconds from start to end of a process that succeeds, and the most MiB it had resident.

    GNU time tells the memory: a process counts what its parent had before it became itself, and this one is large.
    """
    told = subprocess.run(
        ["/usr/bin/time", "-f", "%M", *command], env=environment, check=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
    )
    resident = int(told.stderr.split()[-1]) / 1024
    began = time.perf_counter()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began, resident
