"""curl through every form of address, as a user types it."""

import json
import subprocess

import pytest

import setups
from conftest import REGION, client
from expect import eventually


def curl(*arguments):
    """Status and body of what curl fetched."""
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", "20", "--path-as-is",
         "--write-out", "\n%{http_code} %{http_version}", *arguments],
        capture_output=True, timeout=30, text=True,
    )
    assert done.returncode == 0, done.stderr
    body, _, last = done.stdout.rpartition("\n")
    status, version = last.split()
    return int(status), body, version


@pytest.fixture(scope="module")
def apis(server, backend):
    """The ids of a REST API with stage `prod` and of an HTTP API with stages `$default` and `dev`."""
    rest = setups.deployed_mock(client(server, "apigateway"), stage="prod", body='{"served": "rest"}')
    v2 = client(server, "apigatewayv2")
    http = setups.http_api(v2, backend.url, "GET /hello")
    v2.create_stage(ApiId=http, StageName="dev", AutoDeploy=True)
    for path in ("/hello", "/dev/hello"):
        eventually(lambda: curl("-H", f"Host: {http}.execute-api.{REGION}.amazonaws.com", server.http + path)[0] == 200)
    return {"rest": rest, "http": http}


FORMS = [
    # The API's own name in the Host header, as behind a proxy or with a name of one's own.
    ("rest", ["-H", "Host: {api}.execute-api.{region}.amazonaws.com", "{http}/prod/hello"]),
    ("http", ["-H", "Host: {api}.execute-api.{region}.amazonaws.com", "{http}/hello"]),
    ("http", ["-H", "Host: {api}.execute-api.{region}.amazonaws.com", "{http}/dev/hello"]),
    ("rest", ["-H", "Host: {api}.execute-api.{region}.amazonaws.com:4566", "{http}/prod/hello"]),
    ("rest", ["-H", "Host: {api}.execute-api.{region}.example.internal", "{http}/prod/hello"]),
    # Names under localhost, which curl and browsers take to loopback by themselves.
    ("rest", ["http://{api}.execute-api.{region}.localhost:{port}/prod/hello"]),
    ("rest", ["http://{api}.execute-api.localhost:{port}/prod/hello"]),
    ("http", ["http://{api}.execute-api.{region}.localhost:{port}/hello"]),
    ("http", ["http://{api}.execute-api.{region}.localhost:{port}/dev/hello"]),
    # A private API at its VPC endpoint: by a name of both, and by the endpoint's own name.
    ("rest", ["-H", "Host: {api}-vpce-0a1b.execute-api.{region}.amazonaws.com", "{http}/prod/hello"]),
    ("rest", ["-H", "x-apigw-api-id: {api}", "-H", "Host: vpce-0a1b-xyz.execute-api.{region}.vpce.amazonaws.com",
              "{http}/prod/hello"]),
    # The two forms by path.
    ("rest", ["{http}/_aws/execute-api/{api}/prod/hello"]),
    ("rest", ["{http}/restapis/{api}/prod/_user_request_/hello"]),
    ("http", ["{http}/_aws/execute-api/{api}/dev/hello"]),
    ("http", ["{http}/_aws/execute-api/{api}/$default/hello"]),
    ("http", ["{http}/restapis/{api}/dev/_user_request_/hello"]),
    # HTTP/2 without TLS.
    ("rest", ["--http2-prior-knowledge", "{http}/_aws/execute-api/{api}/prod/hello"]),
    ("http", ["--http2-prior-knowledge", "http://{api}.execute-api.{region}.localhost:{port}/hello"]),
]


@pytest.mark.parametrize(("kind", "form"), FORMS, ids=[f"{kind} {form[-1]}" for kind, form in FORMS])
def test_each_form_of_address_reaches_the_stage(server, apis, kind, form):
    filled = [part.format(api=apis[kind], region=REGION, http=server.http, port=server.port) for part in form]
    status, body, version = curl(*filled)
    assert status == 200, body
    if kind == "rest":
        assert json.loads(body) == {"served": "rest"}
    else:
        assert json.loads(body)["method"] == "GET"
    assert version == ("2" if "--http2-prior-knowledge" in form else "1.1")


def test_the_server_tells_how_it_is(server):
    status, body, _ = curl(server.http + "/_stagedoor/health")
    assert status == 200
    assert json.loads(body)


def test_the_server_counts_what_it_serves(server, apis):
    curl(f"{server.http}/_aws/execute-api/{apis['rest']}/prod/hello")
    status, body, _ = curl(server.http + "/_stagedoor/metrics")
    assert status == 200
    names = {line.split("{")[0].split(" ")[0] for line in body.splitlines() if line and not line.startswith("#")}
    assert any(name.startswith("stagedoor_") for name in names), body


def test_resetting_needs_the_option(server):
    status, _, _ = curl("--request", "POST", server.http + "/_stagedoor/reset")
    assert status in (403, 404)
