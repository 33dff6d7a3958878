"""Measures the figures of docs/performance.md. `cargo xtask bench` starts it with what it needs installed.

Each figure stands beside its goal or beside a peer measured in the same run. CPU time is what the measured processes
used by the kernel's account, so a busy machine changes a rate per second but hardly one per CPU second.
"""

import concurrent.futures
import http.client
import json
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))

import setups  # noqa: E402
from conftest import REGION, client, execute_api, fetch  # noqa: E402
from expect import eventually  # noqa: E402
from server import Server, binary  # noqa: E402
from signing import signed  # noqa: E402

SECONDS = int(os.environ.get("BENCH_SECONDS", "6"))
TICKS = os.sysconf("SC_CLK_TCK")


# === processes ===


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


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextmanager
def nginx(folder, server_block, workers=1):
    """Debian's nginx with one server block; its port and process ids."""
    port = free_port()
    folder.mkdir()
    config = folder / "nginx.conf"
    config.write_text(
        f"""daemon off; worker_processes {workers}; pid {folder}/pid; error_log {folder}/error.log;
        events {{ worker_connections 4096; }}
        http {{
            access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
            uwsgi_temp_path {folder}; scgi_temp_path {folder}; keepalive_requests 1000000000;
            {server_block.replace("@PORT@", str(port))}
        }}"""
    )
    program = next(path for path in ("/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx") if os.path.exists(path))
    process = subprocess.Popen([program, "-c", str(config), "-e", f"{folder}/error.log"], stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: answers(port))
        yield port, [process.pid, *children(process.pid)]
    finally:
        process.terminate()
        process.wait(10)


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


# === load ===


def wrk(url, headers, connections, method="GET", body=None, seconds=SECONDS):
    """Requests per second, p50 and p99 in milliseconds, all requests, and how many failed.

    `headers` may be several sets of headers; requests then take them in turn.
    """
    sets = headers if isinstance(headers, list) else [headers]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f"local body = {f'[==[{body}]==]' if body else 'nil'}\nlocal requests, at = {{}}, 0\n")
        script.write("init = function()\n")
        for one in sets:
            table = ", ".join(f"[{name!r}] = {value!r}" for name, value in one.items())
            script.write(f"  requests[#requests + 1] = wrk.format({method!r}, nil, {{{table}}}, body)\n")
        script.write("end\nrequest = function() at = at % #requests + 1; return requests[at] end\n")
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
        "p50": milliseconds(re.search(r"50%\s+(\S+)", text)[1]),
        "p99": milliseconds(re.search(r"99%\s+(\S+)", text)[1]),
        "requests": int(re.search(r"(\d+) requests in", text)[1]),
        "failed": failed,
    }


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[unit]


def per_cpu_second(url, headers, pids, connections=16):
    """Requests that these processes serve per second of their own CPU time."""
    wrk(url, headers, connections, seconds=1)
    before = cpu_seconds(*pids)
    load = wrk(url, headers, connections)
    assert load["failed"] == 0, load
    return load["requests"] / (cpu_seconds(*pids) - before), load


# === figures ===


def row(name, value, beside=""):
    print(f"| {name} | {value} | {beside} |", flush=True)


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


def control_plane(folder):
    """`GetStages` and `CreateStage` from 1 and 32 connections."""
    with Server(folder / "control") as server:
        api = setups.http_api(client(server, "apigatewayv2"), "http://127.0.0.1:9/", "GET /pets")
        body = '{"name":"load"}'
        for name, method, path, service, payload in [
            ("`GetStages`", "GET", f"/v2/apis/{api}/stages", "apigateway", None),
            ("`CreateStage` (IVS)", "POST", "/CreateStage", "ivs", body),
        ]:
            for connections in (1, 32):
                # Writers take turns in many regions, because each region has a quota of stages.
                regions = [f"us-east-{number}" for number in range(1, 100)] if payload else [REGION]
                content = {"Content-Type": "application/json"} if payload else {}
                sets = [
                    signed(server, method, path, (payload or "").encode(), service=service, headers=content, region=region)[1]
                    for region in regions
                ]
                load = wrk(server.http + path, sets, connections, method, payload)
                assert load["failed"] == 0, load
                row(f"{name}, {connections} connections", f"{load['rate']:.0f} per second, p50 {load['p50']:.2f} ms, p99 {load['p99']:.2f} ms")


APIS = 10_000
STAGES = 100
RESOURCES = 300


def many_apis(folder):
    """Memory per API, and `GetStages` among many APIs from an API with many stages."""
    with Server(folder / "many", "--rest-quotas", f"stages-per-api={STAGES}") as server:
        before = resident_mib(server.process.pid)
        # Made whole by one call: route, integration, deployment and a stage that is served.
        body = b'{"name":"shop","protocolType":"HTTP","target":"http://127.0.0.1:9/"}'
        headers = {"Content-Type": "application/json"}
        began = time.perf_counter()
        target, headers = signed(server, "POST", "/v2/apis", body, headers=headers)
        repeated(server, target, headers, body, APIS)
        rate = APIS / (time.perf_counter() - began)
        row(f"`CreateApi` with a target, {THREADS} connections, {APIS} APIs", f"{rate:.0f} per second")
        per_thousand = (resident_mib(server.process.pid) - before) / (APIS / 1000)
        row("memory per 1,000 APIs that are served", f"{per_thousand:.1f} MiB")
        apigateway = client(server, "apigateway")
        api = setups.deployed_mock(apigateway, stage="s0")
        deployment = apigateway.get_stage(restApiId=api, stageName="s0")["deploymentId"]
        for number in range(1, STAGES):
            apigateway.create_stage(restApiId=api, stageName=f"s{number}", deploymentId=deployment)
        path = f"/restapis/{api}/stages"
        load = wrk(server.http + path, signed(server, "GET", path)[1], 1)
        assert load["failed"] == 0, load
        row(
            f"`GetStages` of {STAGES} stages among {APIS} APIs, 1 connection",
            f"{load['rate']:.0f} per second, p50 {load['p50']:.2f} ms, p99 {load['p99']:.2f} ms",
        )


THREADS = 16


def repeated(server, target, headers, body, times):
    """Sends one request so many times over some connections; each must succeed."""

    def send(share):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        for _ in range(share):
            connection.request("POST", target, body, headers)
            answer = connection.getresponse()
            assert answer.read() and answer.status == 201, answer.status
        connection.close()

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(send, [times // THREADS + (number < times % THREADS) for number in range(THREADS)]))


def imports(folder):
    """`ImportRestApi` of a long definition."""
    integration = {
        "type": "mock", "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {"default": {"statusCode": "200"}},
    }
    operation = {"responses": {"200": {"description": "fine"}}, "x-amazon-apigateway-integration": integration}
    definition = json.dumps({
        "openapi": "3.0.1", "info": {"title": "long", "version": "1"},
        "paths": {f"/resource{number}": {"get": operation} for number in range(RESOURCES)},
    })
    with Server(folder / "imports") as server:
        apigateway = client(server, "apigateway")
        times = []
        for _ in range(11):
            began = time.perf_counter()
            apigateway.import_rest_api(body=definition)
            times.append((time.perf_counter() - began) * 1000)
        size = len(definition) // 1024
        row(f"`ImportRestApi`, {RESOURCES} resources, {size} KiB, by boto3, median of 11", f"{statistics.median(times):.0f} ms")


def proxying(folder):
    """HTTP_PROXY beside nginx to the same backend, and MOCK, in requests per CPU second."""
    backend = 'server { listen 127.0.0.1:@PORT@; location / { default_type text/plain; return 200 "hello from the backend"; } }'
    with ExitStack() as stack:
        backend_port, _ = stack.enter_context(nginx(folder / "backend", backend))
        peer = (
            f"upstream backend {{ server 127.0.0.1:{backend_port}; keepalive 64; keepalive_requests 1000000000; }} "
            "server { listen 127.0.0.1:@PORT@; location / { proxy_pass http://backend; proxy_http_version 1.1; "
            'proxy_set_header Connection ""; } }'
        )
        peer_port, peer_pids = stack.enter_context(nginx(folder / "peer", peer))
        server = stack.enter_context(Server(folder / "proxying"))
        pids = [server.process.pid]
        http = setups.http_api(client(server, "apigatewayv2"), f"http://127.0.0.1:{backend_port}", "ANY /{proxy+}")
        eventually(lambda: execute_api(server, http, "GET", "/pets").status == 200)
        v1 = client(server, "apigateway")
        rest, root = setups.rest_api(v1)
        proxy = setups.resource(v1, rest, root, "{proxy+}")
        setups.proxy_method(v1, rest, proxy, f"http://127.0.0.1:{backend_port}/{{proxy}}", path_variables=["proxy"])
        setups.mock_method(v1, rest, setups.resource(v1, rest, root, "mock"))
        v1.create_deployment(restApiId=rest, stageName="prod")

        def host(api):
            return {"Host": f"{api}.execute-api.us-east-1.amazonaws.com"}

        nginx_rate, _ = per_cpu_second(f"http://127.0.0.1:{peer_port}/pets", {}, peer_pids)
        for name, url, headers in [
            ("HTTP API, `HTTP_PROXY`", f"{server.http}/pets", host(http)),
            ("REST API, `HTTP_PROXY`", f"{server.http}/prod/pets", host(rest)),
        ]:
            rate, load = per_cpu_second(url, headers, pids)
            row(name, f"{rate:.0f} per CPU second, p99 {load['p99']:.2f} ms", f"nginx: {nginx_rate:.0f} per CPU second")
        rate, load = per_cpu_second(f"{server.http}/prod/mock", host(rest), pids)
        row("REST API, `MOCK`", f"{rate:.0f} per CPU second, {load['rate']:.0f} per second, p99 {load['p99']:.2f} ms")


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


def machine():
    """What the figures were measured on."""
    info = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", info)
    kernel = os.uname().release
    load = os.getloadavg()[0]
    day = time.strftime("%Y-%m-%d", time.gmtime())
    return f"{day}, {os.cpu_count()} processors ({model[1] if model else os.uname().machine}), Linux {kernel}, load before {load:.1f}"


FIGURES = {"start": start_and_memory, "cli": command_line, "control": control_plane, "many": many_apis, "import": imports, "proxy": proxying, "forward": forwarding}


def main(names):
    unknown = set(names) - set(FIGURES)
    if unknown:
        sys.exit(f"no such figure: {', '.join(sorted(unknown))}; there are: {', '.join(FIGURES)}")
    print(machine(), end="\n\n")
    print("| what | Stagedoor | beside |\n|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="stagedoor-bench-") as folder:
        for name in names or FIGURES:
            FIGURES[name](pathlib.Path(folder))


if __name__ == "__main__":
    main(sys.argv[1:])
