"""What the tests of faults share: stages of both kinds in front of a backend that misbehaves, a watch over everybody else.

Owns the set-up and what is measured beside each test, not the faults themselves.
"""

import contextlib
import pathlib
import threading
import time
import uuid

import pytest

import setups
from conftest import ACCOUNT, REGION, client, execute_api
from expect import eventually
from faulty_backend import FaultyBackend

TIMEOUT_MILLIS = 1000
OTHERS_WAIT_AT_MOST_SECONDS = 5
FORMAT = "$context.path $context.status $context.responseLength $context.error.message $context.requestId $context.integrationLatency"
LOG = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:faults"


class Stages:
    """A REST API and an HTTP API of which every path leads to the backend's of the same name, or is a mock at `/mock`."""

    def __init__(self, server, backend):
        self.server, self.backend = server, backend
        self.v1, self.v2 = client(server, "apigateway"), client(server, "apigatewayv2")
        self.rest, self.root = setups.rest_api(self.v1, name="faults")
        greedy = setups.resource(self.v1, self.rest, self.root, "{proxy+}")
        self.rest_proxy(greedy, f"{backend.url}/{{proxy}}", proxy="method.request.path.proxy")
        setups.mock_method(self.v1, self.rest, setups.resource(self.v1, self.rest, self.root, "mock"), verb="ANY")
        self.http = self.v2.create_api(Name="faults", ProtocolType="HTTP")["ApiId"]
        self.http_route("$default", backend.url)
        self.v2.create_stage(
            ApiId=self.http, StageName="$default", AutoDeploy=True,
            AccessLogSettings={"DestinationArn": LOG, "Format": FORMAT},
        )
        self.deploy()

    def rest_proxy(self, where, uri, type="HTTP_PROXY", verb="ANY", parameters=None, **variables):
        address = {"restApiId": self.rest, "resourceId": where, "httpMethod": verb}
        required = {source: False for source in [*variables.values(), *(parameters or {}).values()] if source.startswith("method.") and ".body" not in source}
        self.v1.put_method(**address, authorizationType="NONE", requestParameters=required)
        mapped = {f"integration.request.path.{name}": source for name, source in variables.items()}
        self.v1.put_integration(
            **address, type=type, integrationHttpMethod=verb if verb != "ANY" else "POST", uri=uri,
            timeoutInMillis=TIMEOUT_MILLIS, requestParameters={**mapped, **(parameters or {})},
        )
        return address

    def http_route(self, key, uri, **more):
        integration = self.v2.create_integration(
            ApiId=self.http, IntegrationType="HTTP_PROXY", IntegrationMethod="ANY", IntegrationUri=uri,
            PayloadFormatVersion="1.0", TimeoutInMillis=TIMEOUT_MILLIS, **more,
        )["IntegrationId"]
        self.v2.create_route(ApiId=self.http, RouteKey=key, Target=f"integrations/{integration}")

    def deploy(self):
        self.v1.create_deployment(restApiId=self.rest, stageName="prod")
        self.v1.update_stage(restApiId=self.rest, stageName="prod", patchOperations=[
            {"op": "replace", "path": "/accessLogSettings/destinationArn", "value": LOG},
            {"op": "replace", "path": "/accessLogSettings/format", "value": FORMAT},
        ])
        eventually(lambda: self.ask("http", "GET", "/well").status == 200)

    def api(self, kind):
        return {"rest": self.rest, "http": self.http}[kind]

    def path(self, kind, path):
        return f"/prod{path}" if kind == "rest" else path

    def host(self, kind):
        return f"{self.api(kind)}.execute-api.{REGION}.amazonaws.com"

    def ask(self, kind, method, path, headers=None, body=None):
        return execute_api(self.server, self.api(kind), method, self.path(kind, path), headers, body)

    def head(self, kind, method, path, *lines):
        """A request's head, byte by byte."""
        lines = [f"{method} {self.path(kind, path)} HTTP/1.1", f"Host: {self.host(kind)}", *lines, "", ""]
        return "\r\n".join(lines).encode("latin-1")

    def logged(self, kind, path):
        """The access log's line of a path that only one request had."""
        return eventually(lambda: next(iter(self._lines(kind, path)), None))

    def lines(self, kind, path):
        """How many lines the access log has of a path."""
        return len(self._lines(kind, path))

    def _lines(self, kind, path):
        file = pathlib.Path(self.server.data_dir) / "logs" / ACCOUNT / REGION / "faults.log"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line for line in lines if line.startswith(f"{self.path(kind, path)} ")]


def unique(path):
    """The path, so that the log has only one line of it."""
    return f"{path}/{uuid.uuid4().hex}"


@contextlib.contextmanager
def others_are_served(stages, growth_mib=64, wait_seconds=OTHERS_WAIT_AT_MOST_SECONDS):
    """Meanwhile clients of both stages are answered, soon, and the server's memory grows by no more than that."""
    before, ended, slowest, wrong = stages.server.resident_bytes(), threading.Event(), [0], []

    def ask(kind, path):
        while not ended.is_set():
            began = time.monotonic()
            try:
                answer = stages.ask(kind, "GET", path)
                if answer.status != 200:
                    wrong.append(answer)
            except OSError as error:
                wrong.append(error)
            slowest[0] = max(slowest[0], time.monotonic() - began)
            ended.wait(0.01)

    asking = [threading.Thread(target=ask, args=what) for what in (("rest", "/mock"), ("http", "/well"))]
    for thread in asking:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in asking:
            thread.join()
    assert not wrong, wrong[:3]
    assert slowest[0] < wait_seconds, f"somebody waited for {slowest[0]:.1f} s"
    grown = (stages.server.resident_bytes() - before) / 2**20
    assert grown < growth_mib, f"memory grew by {grown:.0f} MiB"


@pytest.fixture(scope="module")
def faulty():
    with FaultyBackend() as running:
        yield running


@pytest.fixture(scope="module")
def stages(server, faulty):
    """In front of the server of the module that asks."""
    return Stages(server, faulty)
