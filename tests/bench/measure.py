"""What all figures share: CPU time and memory of processes, load by `wrk`, the rows of the table.

Importing it puts `tests/clients` on the path, whose server and set-ups the figures use.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))

SECONDS = int(os.environ.get("BENCH_SECONDS", "6"))
TICKS = os.sysconf("SC_CLK_TCK")


def row(name, value, beside=""):
    print(f"| {name} | {value} | {beside} |", flush=True)


def cpu_seconds(*pids):
    """User and system time of these processes so far."""
    total = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def resident_mib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wrk(url, headers, connections, method="GET", body=None, seconds=SECONDS, pause=0):
    """Requests per second, p50 and p99 in milliseconds, all requests, and how many failed.

    `headers` may be several sets of headers; requests then take them in turn. Each connection waits about `pause`
    milliseconds between its requests.
    """
    sets = headers if isinstance(headers, list) else [headers]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f"local body = {f'[==[{body}]==]' if body else 'nil'}\nlocal requests, at = {{}}, 0\n")
        script.write("init = function()\n")
        for one in sets:
            table = ", ".join(f"[{name!r}] = {value!r}" for name, value in one.items())
            script.write(f"  requests[#requests + 1] = wrk.format({method!r}, nil, {{{table}}}, body)\n")
        script.write("end\nrequest = function() at = at % #requests + 1; return requests[at] end\n")
        if pause:
            script.write(f"delay = function() return math.random(0, {2 * pause}) end\n")
        script.flush()
        done = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script.name, url],
            capture_output=True, text=True, check=True,
        )
    text = done.stdout
    failed = sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", text)))
    failed += sum(sum(map(int, numbers)) for numbers in re.findall(r"connect (\d+), read (\d+), write (\d+), timeout (\d+)", text))
    return {
        "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]),
        "p50": milliseconds(re.search(r"\s50%\s+(\S+)", text)[1]),
        "p99": milliseconds(re.search(r"\s99%\s+(\S+)", text)[1]),
        "requests": int(re.search(r"(\d+) requests in", text)[1]),
        "failed": failed,
    }


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[unit]


def per_cpu_second(url, headers, pids, connections=16, seconds=SECONDS):
    """Requests that these processes serve per second of their own CPU time."""
    wrk(url, headers, connections, seconds=1)
    before = cpu_seconds(*pids)
    load = wrk(url, headers, connections, seconds=seconds)
    assert load["failed"] == 0, load
    return load["requests"] / (cpu_seconds(*pids) - before), load


def machine():
    """What the figures were measured on."""
    info = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", info)
    kernel = os.uname().release
    load = os.getloadavg()[0]
    day = time.strftime("%Y-%m-%d", time.gmtime())
    return f"{day}, {os.cpu_count()} processors ({model[1] if model else os.uname().machine}), Linux {kernel}, load before {load:.1f}"
