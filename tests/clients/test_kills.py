"""What dies while stages serve: the server in the middle of deployments and counts, a log sink, a backend's connections, an
OpenID provider, the store's file. `test_restart.py` and `test_faults_store.py` have the kills that need no counting."""

import http.server
import json
import pathlib
import socket
import subprocess
import threading
import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError

import server as server_module
import setups
from conftest import ACCOUNT, REGION, client, execute_api, fetch
from expect import eventually
from fault_stages import Stages, others_are_served
from faulty_backend import FaultyBackend, read_body
from server import Server
from test_authorize import Provider, bearing
from test_logs import mock_stage
from test_usage import keyed_api, plan_with_key, statuses, usage

# Deployments.


class Numbered:
    """An API of each kind whose two routes both answer the number of the deployment that they belong to."""

    def __init__(self, server, backend):
        self.server = server
        v1, v2 = client(server, "apigateway"), client(server, "apigatewayv2")
        self.rest, root = setups.rest_api(v1)
        self.places = [setups.resource(v1, self.rest, root, part) for part in "ab"]
        for where in self.places:
            setups.mock_method(v1, self.rest, where, body='{"h": "0"}')
        self.http = v2.create_api(Name="numbered", ProtocolType="HTTP")["ApiId"]
        self.integrations = []
        for part in "ab":
            made = v2.create_integration(
                ApiId=self.http, IntegrationType="HTTP_PROXY", IntegrationMethod="GET", IntegrationUri=f"{backend.url}/{part}",
                PayloadFormatVersion="1.0", RequestParameters={"overwrite:querystring.q": "0"},
            )["IntegrationId"]
            v2.create_route(ApiId=self.http, RouteKey=f"GET /{part}", Target=f"integrations/{made}")
            self.integrations.append(made)
        v2.create_stage(ApiId=self.http, StageName="$default")
        self.answered = {"rest": 0, "http": 0}
        self.begun = dict(self.answered)

    def change_rest(self, number):
        v1 = client(self.server, "apigateway")
        for where in self.places:
            v1.update_integration_response(
                restApiId=self.rest, resourceId=where, httpMethod="GET", statusCode="200",
                patchOperations=[{"op": "replace", "path": "/responseTemplates/application~1json", "value": '{"h": "%d"}' % number}],
            )
        self.begun["rest"] = number
        v1.create_deployment(restApiId=self.rest, stageName="prod")

    def change_http(self, number):
        v2 = client(self.server, "apigatewayv2")
        for integration in self.integrations:
            v2.update_integration(
                ApiId=self.http, IntegrationId=integration, RequestParameters={"overwrite:querystring.q": str(number)}
            )
        self.begun["http"] = number
        v2.create_deployment(ApiId=self.http, StageName="$default")

    def change(self, kind, number):
        getattr(self, f"change_{kind}")(number)
        self.answered[kind] = number

    def served(self, kind):
        """The numbers that the two routes answer."""
        api, stage = (self.rest, "/prod") if kind == "rest" else (self.http, "")
        answers = [execute_api(self.server, api, "GET", f"{stage}/{part}") for part in "ab"]
        assert [answer.status for answer in answers] == [200, 200], answers
        return [int(answer.json["h"]) for answer in answers]


def test_a_killed_server_serves_whole_deployments(tmp_path):
    """Both APIs are changed in two places and deployed without pause: after a kill, both places are of one deployment."""
    with FaultyBackend() as backend, Server(tmp_path / "data") as server:
        apis = Numbered(server, backend)
        for kind in ("rest", "http"):
            apis.change(kind, 1)
        for more in (3, 5, 8):
            goal = {kind: number + more for kind, number in apis.answered.items()}

            def keep_changing(kind):
                try:
                    while True:
                        apis.change(kind, apis.begun[kind] + 1)
                except (BotoCoreError, ClientError):
                    # It is being killed.
                    return

            changing = [threading.Thread(target=keep_changing, args=(kind,)) for kind in goal]
            for thread in changing:
                thread.start()
            eventually(lambda: all(apis.answered[kind] >= number for kind, number in goal.items()), seconds=60)
            server.kill()
            for thread in changing:
                thread.join()
            server.start()
            for kind in goal:
                first, second = apis.served(kind)
                assert first == second
                assert apis.answered[kind] <= first <= apis.begun[kind]


# Counters.


def test_a_killed_server_forgets_little_of_what_was_used(tmp_path):
    """Counts are written once a second: what was used two seconds before is not forgotten, and nothing is counted twice."""
    with Server(tmp_path / "data") as server:
        apigateway = client(server, "apigateway")
        api = keyed_api(apigateway)
        plan, key = plan_with_key(apigateway, api, quota={"limit": 1_000_000, "period": "MONTH"})
        times = []
        while not times or times[-1] - times[0] < 4:
            assert statuses(server, api, key, 1) == [200]
            times.append(time.monotonic())
        server.crash()
        [[used, left]] = usage(client(server, "apigateway"), plan, key)
        assert used + left == 1_000_000
        assert sum(at < times[-1] - 2 for at in times) <= used <= len(times)


# The store.


def damaged(how, whole):
    """The file's bytes, damaged in some way."""
    middle = len(whole) // 2
    return {
        "empty": b"",
        "a word": b"hello\n",
        "half": whole[:middle],
        "almost all": whole[:-1],
        "another head": b"\0" * 64 + whole[64:],
        "another file": b"SQLite format 3\0" + b"\0" * 8192,
    }[how]


@pytest.fixture(scope="module")
def whole_store(tmp_path_factory):
    """A store with something in it."""
    directory = tmp_path_factory.mktemp("whole")
    with Server(directory) as server:
        setups.deployed_mock(client(server, "apigateway"))
        assert server.stop() == 0
    return (directory / "stagedoor.redb").read_bytes()


@pytest.mark.parametrize("how", ["empty", "a word", "half", "almost all", "another head", "another file"])
def test_a_damaged_store_is_told_and_left_alone(tmp_path, whole_store, how):
    file = tmp_path / "stagedoor.redb"
    file.write_bytes(damaged(how, whole_store))
    before = file.read_bytes()
    options = [f"--{name}=127.0.0.1:0" for name in server_module.PORTS]
    command = [server_module.binary(), "serve", *options, "--data-dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
    assert done.returncode == 1, done.stderr
    assert "panicked" not in done.stderr
    assert "corrupt" in done.stderr or "damaged" in done.stderr, done.stderr
    assert str(file) in done.stderr, done.stderr
    assert file.read_bytes() == before


# A log sink.


class Sink:
    """A service that takes log lines; `stop` and `start` end it and bring it back at the same address."""

    def __init__(self):
        self.lines, self.port, self.listener = [], 0, None

    def start(self):
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                if self.headers["x-amz-target"].endswith(".PutLogEvents"):
                    sink.lines += [event["message"] for event in body["logEvents"]]
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                """Nothing: the tests say what went wrong."""

        self.listener = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self.listener.server_port
        threading.Thread(target=self.listener.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        self.listener.shutdown()
        self.listener.server_close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()


def figure(server, name):
    """A number of the metrics page."""
    lines = fetch(server, "GET", "/_stagedoor/metrics").body.decode().splitlines()
    return next(float(line.split()[-1]) for line in lines if line.startswith(f"{name} ") or line.startswith(f"{name}{{"))


def test_a_log_sink_dies_and_comes_back(tmp_path):
    config = tmp_path / "stagedoor.toml"
    with Sink() as sink:
        config.write_text(f"[[log-sink]]\narn = '*'\nendpoint = 'http://127.0.0.1:{sink.port}'\nkey = {{ id = 'AKID', secret = 's' }}\n")
        with Server(tmp_path / "data", "--config", str(config)) as server:
            api = mock_stage(client(server, "apigateway"), "$context.requestId")

            def ask():
                answer = execute_api(server, api, "GET", "/prod")
                assert answer.status == 200
                return answer.headers["x-amzn-requestid"]

            first = ask()
            eventually(lambda: first in sink.lines)
            sink.stop()
            began = time.monotonic()
            lost = [ask() for _ in range(200)]
            assert time.monotonic() - began < 20, "requests waited for the sink"
            sink.start()

            def comes_back():
                again = ask()
                lost.append(again)
                deadline = time.monotonic() + 1
                while time.monotonic() < deadline:
                    if again in sink.lines:
                        return True
                return False

            eventually(comes_back)
            assert len(set(sink.lines)) == len(sink.lines), "a line came twice"
            assert set(sink.lines) <= {first, *lost}
            # Each line has come, is counted as lost, or is on its way.
            eventually(lambda: len(sink.lines) + figure(server, "stagedoor_log_lines_failed_total") == 1 + len(lost))
            assert server.stop() == 0


# A backend.


class Resetting(FaultyBackend):
    """A backend of which all connections can be reset at once, idle or in the middle of an answer."""

    def __enter__(self):
        self.connections, self.resets_all = set(), threading.Lock()
        return super().__enter__()

    def _serve(self, connection):
        with self.resets_all:
            self.connections.add(connection)
        try:
            super()._serve(connection)
        finally:
            with self.resets_all:
                self.connections.discard(connection)

    def slow(self, connection, head):
        read_body(connection, head)
        time.sleep(0.05)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nslow")
        return True

    def reset_all(self):
        """How many there were."""
        count = 0
        with self.resets_all:
            for connection in self.connections:
                try:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    # Ends what its thread waits for; the close that follows resets.
                    connection.shutdown(socket.SHUT_RD)
                    connection.close()
                except OSError:
                    # The gateway was the first to end it.
                    continue
                count += 1
        return count


@pytest.mark.parametrize("kind", ["rest", "http"])
def test_all_connections_to_a_backend_are_reset_at_once(tmp_path, kind):
    """Requests on them get the documented answer, those after them are served; nobody else notices."""
    with FaultyBackend() as healthy, Resetting() as backend, Server(tmp_path / "data") as server:
        stages = Stages(server, healthy)
        if kind == "rest":
            where = setups.resource(stages.v1, stages.rest, stages.root, "slow")
            stages.rest_proxy(where, f"{backend.url}/slow")
        else:
            stages.http_route("ANY /slow", f"{backend.url}/slow")
        stages.deploy()
        eventually(lambda: stages.ask(kind, "GET", "/slow").status == 200)
        over, seen, reset = threading.Event(), [], 0

        def ask():
            while not over.is_set():
                seen.append(stages.ask(kind, "GET", "/slow"))

        with others_are_served(stages):
            asking = [threading.Thread(target=ask) for _ in range(16)]
            for thread in asking:
                thread.start()
            try:
                for _ in range(5):
                    before = len(seen)
                    eventually(lambda: len(seen) > before + 50)
                    reset += eventually(backend.reset_all)
                before = len(seen)
                eventually(lambda: len(seen) > before + 50)
            finally:
                over.set()
                for thread in asking:
                    thread.join()
        # HTTP APIs say 503 of a backend that hung up, REST APIs 502 or 504.
        failed = [answer for answer in seen if answer.status != 200]
        assert {answer.status for answer in failed} <= {500, 502, 503, 504}, failed[:3]
        assert len(failed) <= reset, "more requests failed than connections were reset"
        assert all(answer.body == b"slow" for answer in seen if answer.status == 200)
        assert stages.ask(kind, "GET", "/slow").status == 200


# An OpenID provider.


class Mortal(Provider):
    """A provider that dies and comes back at the same address."""

    def die(self):
        self.listener.shutdown()
        self.listener.server_close()

    def live(self):
        handler, address = self.listener.RequestHandlerClass, self.listener.server_address
        self.listener = http.server.ThreadingHTTPServer(address, handler)
        threading.Thread(target=self.listener.serve_forever, daemon=True).start()


def test_a_provider_of_keys_dies_and_comes_back(tmp_path):
    provider = Mortal()
    with FaultyBackend() as backend, Server(tmp_path / "data") as server:
        v2 = client(server, "apigatewayv2")
        api = v2.create_api(Name="guarded", ProtocolType="HTTP")["ApiId"]
        authorizer = v2.create_authorizer(
            ApiId=api, Name="jwt", AuthorizerType="JWT", IdentitySource=["$request.header.Authorization"],
            JwtConfiguration={"Issuer": provider.url, "Audience": ["shop"]},
        )["AuthorizerId"]
        target = v2.create_integration(
            ApiId=api, IntegrationType="HTTP_PROXY", IntegrationMethod="GET", IntegrationUri=f"{backend.url}/well",
            PayloadFormatVersion="1.0",
        )["IntegrationId"]
        v2.create_route(
            ApiId=api, RouteKey="GET /x", Target=f"integrations/{target}", AuthorizationType="JWT", AuthorizerId=authorizer
        )
        v2.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
        known = provider.token()
        eventually(lambda: bearing(server, api, "/x", known).status == 200)
        provider.die()
        provider.rotate()
        unknown = provider.token()
        for _ in range(20):
            assert bearing(server, api, "/x", known).status == 200
            began = time.monotonic()
            assert bearing(server, api, "/x", unknown).status == 401
            assert time.monotonic() - began < 5
        provider.live()
        eventually(lambda: bearing(server, api, "/x", unknown).status == 200)
        assert bearing(server, api, "/x", known).status == 200
    provider.die()
