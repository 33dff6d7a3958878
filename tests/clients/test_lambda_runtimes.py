"""Functions run by AWS's runtime clients for Node.js and Rust, streamed answers among them. Python's is `test_lambda.py`'s."""

import base64
import http.client
import json
import os
import pathlib
import shutil

import pytest

from conftest import REGION, client, execute_api
from server import Server, serving
from test_lambda import FAILED_REST, arn, http_stage, rest_stage, deployed

HERE = pathlib.Path(__file__).resolve().parent / "nodejs"
HANDLERS = ["echo", "failing", "leaving", "streaming"]

RUST = os.environ.get("STAGEDOOR_RUST_FUNCTION")

needs_node = pytest.mark.skipif(
    not (HERE / "node_modules/aws-lambda-ric").is_dir(), reason="`cargo xtask test` installs aws-lambda-ric"
)
needs_rust = pytest.mark.skipif(not RUST, reason="`cargo xtask test` builds tests/function-rust")


def rust_table(name):
    return f"[[function]]\nname = 'rust-{name}'\ncommand = {json.dumps([RUST, name])}\ntimeout = 20\n"


def table(name):
    command = json.dumps([shutil.which("node"), "node_modules/aws-lambda-ric/bin/index.mjs", f"handlers.{name}"])
    return (
        f"[[function]]\nname = {name!r}\ncommand = {command}\ndirectory = {str(HERE)!r}\n"
        f"timeout = 20\nenvironment = {{ OWN = 'mine', LAMBDA_TASK_ROOT = {str(HERE)!r} }}\n"
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    directory = tmp_path_factory.mktemp("node")
    config = directory / "stagedoor.toml"
    tables = [table(handler) for handler in HANDLERS if shutil.which("node")]
    tables += [rust_table(name) for name in ["answering", "streaming"] if RUST]
    config.write_text("\n".join(tables))
    # The client for Node.js can outlive a server that is killed; this one is stopped.
    with serving(directory / "data", "--config", str(config)) as running:
        yield running


def streaming_stage(apigateway, name="streaming"):
    """A REST API that streams a function's answers; the API's id."""
    api = apigateway.create_rest_api(name="streams")["id"]
    root = apigateway.get_resources(restApiId=api)["items"][0]["id"]
    address = {"restApiId": api, "resourceId": root, "httpMethod": "ANY"}
    apigateway.put_method(**address, authorizationType="NONE")
    path = f"2021-11-15/functions/{arn(name)}/response-streaming-invocations"
    apigateway.put_integration(
        **address, type="AWS_PROXY", integrationHttpMethod="POST", responseTransferMode="STREAM",
        uri=f"arn:aws:apigateway:{REGION}:lambda:path/{path}",
    )
    apigateway.create_deployment(restApiId=api, stageName="prod")
    return api


@needs_node
def test_a_function_behind_both_kinds_of_api(server, apigateway, apigatewayv2):
    rest = execute_api(server, rest_stage(apigateway, "echo"), "POST", "/prod/pets/7?a=1", {}, "hello")
    assert (rest.status, rest.headers["x-own"]) == (200, "mine")
    assert (rest.json["event"]["path"], rest.json["event"]["body"]) == ("/pets/7", "hello")
    assert rest.json["arn"] == arn("echo") and 0 < rest.json["remaining"] <= 20_000
    api = http_stage(apigatewayv2, "echo", "2.0")
    event = deployed(lambda: execute_api(server, api, "GET", "/pets/7")).json["event"]
    assert (event["version"], event["routeKey"]) == ("2.0", "GET /pets/{id}")


@needs_node
@pytest.mark.parametrize(("name", "error"), [("failing", "TypeError"), ("leaving", "Runtime.ExitError")])
def test_a_function_that_fails(server, apigateway, name, error):
    answer = execute_api(server, rest_stage(apigateway, name), "GET", "/prod/x")
    assert (answer.status, answer.json) == (502, FAILED_REST)
    invoked = client(server, "lambda").invoke(FunctionName=name, LogType="Tail")
    assert json.load(invoked["Payload"])["errorType"] == error
    if name == "failing":
        assert "about to fail" in base64.b64decode(invoked["LogResult"]).decode()


class Streamed:
    """A request whose answer is read piece by piece."""

    def __init__(self, server, api, body):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        headers = {"Host": f"{api}.execute-api.{REGION}.amazonaws.com"}
        self.connection.request("POST", "/prod", json.dumps(body), headers)
        self.answer = self.connection.getresponse()

    def __enter__(self):
        return self.answer

    def __exit__(self, *_):
        self.connection.close()


@needs_node
def test_an_answer_is_streamed(server, apigateway, tmp_path):
    api = streaming_stage(apigateway)
    gate = tmp_path / "gate"
    with Streamed(server, api, {"gate": str(gate), "long": 3_000_000}) as answer:
        assert (answer.status, answer.headers["x-streamed"]) == (201, "yes")
        assert answer.headers.get_all("set-cookie") == ["a=1", "b=2"]
        assert answer.read(6) == b"first,"
        gate.touch()
        rest = answer.read()
        assert (len(rest), rest[-6:]) == (3_000_006, b"second")


@needs_node
def test_an_answer_that_breaks_off(server, apigateway):
    with Streamed(server, streaming_stage(apigateway), {"fail": True}) as answer:
        assert answer.status == 201
        with pytest.raises(http.client.IncompleteRead):
            answer.read()


@needs_node
def test_streams_at_another_server(server, tmp_path):
    """A server without functions has them at a Lambda endpoint, and passes their streams on."""
    with Server(tmp_path / "data", "--lambda-endpoint", server.http) as front:
        api = streaming_stage(client(front, "apigateway"))
        gate = tmp_path / "gate"
        with Streamed(front, api, {"gate": str(gate), "long": 3_000_000}) as answer:
            assert (answer.status, answer.read(6)) == (201, b"first,")
            gate.touch()
            assert len(answer.read()) == 3_000_006
        with Streamed(front, api, {"fail": True}) as answer:
            assert answer.status == 201
            with pytest.raises(http.client.IncompleteRead):
                answer.read()


@needs_rust
def test_a_function_in_rust(server, apigateway):
    api = rest_stage(apigateway, "rust-answering")
    answer = execute_api(server, api, "POST", "/prod/x", {}, "hello")
    assert (answer.status, answer.json["event"]["body"], answer.json["arn"]) == (201, "hello", arn("rust-answering"))
    for failing in ["fail", "panic"]:
        answer = execute_api(server, api, "POST", "/prod/x", {}, failing)
        assert (answer.status, answer.json) == (502, FAILED_REST)
    assert execute_api(server, api, "POST", "/prod/x", {}, "again").status == 201


@needs_rust
def test_a_function_in_rust_that_streams(server, apigateway):
    with Streamed(server, streaming_stage(apigateway, "rust-streaming"), {}) as answer:
        assert (answer.status, answer.headers["x-streamed"]) == (200, "yes")
        assert answer.read() == b"first,second"
