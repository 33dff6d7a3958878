"""What a request costs whatever else the machine does: instructions in user space and allocations, counted by Valgrind's
`callgrind`, and system calls, counted by `strace`.

Under both the server is many times slower than else, so nothing here says how long anything takes.
"""

import os
import re
import subprocess
from contextlib import contextmanager

from measure import row, wrk
import peers
import server
import setups
import stages
from conftest import client, execute_api
from expect import eventually

CONNECTIONS = 32
SECONDS = 4
SECONDS_TO_START = 120
ALLOCATE = {"malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc"}


def counts(folder):
    """Of requests as those of the rates: proxied, answered by a mock, and by a template."""
    folder = folder / "counts"
    folder.mkdir()
    with peers.nginx_backend(folder / "backend") as (backend, _):
        cases = {
            "HTTP API, `HTTP_PROXY`, throttle, access log": lambda it: ("/pets", stages.proxied(it, backend)),
            "REST API, `MOCK`": lambda it: ("/prod/pets", mocked(it)),
            "REST API, `MOCK` with a template of 20 lines": lambda it: ("/prod/pets/7?size=big", stages.templated(it)),
        }
        for number, (name, make) in enumerate(cases.items()):
            place = folder / str(number)
            place.mkdir()
            instructions, allocations = under_callgrind(place, make)
            calls = under_strace(place, make)
            row(f"a request's counts: {name}", f"{instructions / 1000:.1f} thousand instructions, {allocations:.0f} allocations, {calls:.1f} system calls")


def mocked(it):
    v1 = client(it, "apigateway")
    api, root = setups.rest_api(v1)
    setups.mock_method(v1, api, setups.resource(v1, api, root, "pets"))
    v1.create_deployment(restApiId=api, stageName="prod")
    return api


def under_callgrind(folder, make):
    """Instructions and allocations of a request, in user space."""
    wrapper = folder / "callgrind"
    wrapper.write_text(f"""#!/bin/sh
exec valgrind -q --tool=callgrind --instr-atstart=no --callgrind-out-file={folder}/out.%p {server.binary()} "$@"
""")
    wrapper.chmod(0o755)
    with loaded(folder / "counted", make, wrapper) as (pid, load):
        control("-i", "on", pid)
        requests = load()
        control("-i", "off", pid)
        control("-d", pid)
    totals = [totalled(out) for out in folder.glob(f"out.{pid}*")]
    return [sum(column) / requests for column in zip(*totals)]


def under_strace(folder, make):
    """System calls of a request."""
    told = folder / "strace"
    with loaded(folder / "traced", make) as (pid, load):
        tracer = subprocess.Popen(["strace", "-c", "-f", "-U", "name,calls", "-o", str(told), "-p", str(pid)], stderr=subprocess.PIPE)
        tracer.stderr.readline()  # that it is attached
        requests = load()
        tracer.terminate()
        tracer.wait()
    return int(re.search(r"total\s+(\d+)", told.read_text())[1]) / requests


@contextmanager
def loaded(folder, make, program=None):
    """A server with a stage that has been warmed up; its process, and what sends it requests and says how many."""
    chosen = {"STAGEDOOR_BIN": str(program)} if program else {}
    before = (dict(os.environ), server.SECONDS_TO_START)
    os.environ.update(chosen)
    server.SECONDS_TO_START = SECONDS_TO_START
    try:
        with server.Server(folder) as it:
            path, api = make(it)
            eventually(lambda: execute_api(it, api, "GET", path).status == 200)

            def load(seconds=SECONDS):
                done = wrk(f"{it.http}{path}", stages.headers(api), CONNECTIONS, seconds=seconds)
                assert done["failed"] == 0, done
                return done["requests"]

            load(2)
            yield it.process.pid, load
    finally:
        os.environ.clear()
        os.environ.update(before[0])
        server.SECONDS_TO_START = before[1]


def control(*arguments):
    subprocess.run(["callgrind_control", *map(str, arguments)], check=True, capture_output=True, timeout=60)


def totalled(out):
    """Instructions, and calls of what allocates, as callgrind's format has them."""
    instructions, allocations, names, callee = 0, 0, {}, ""
    for line in out.read_text(errors="replace").splitlines():
        if line.startswith("totals:"):
            instructions = int(line.split()[1])
        elif named := re.match(r"c?fn=(\(\d+\))(?: (.*))?", line):
            if named[2]:
                names[named[1]] = named[2]
            callee = names.get(named[1], "") if line.startswith("cfn=") else callee
        elif line.startswith("calls=") and callee.split("'")[0] in ALLOCATE:
            allocations += int(line[len("calls="):].split()[0])
    return instructions, allocations
