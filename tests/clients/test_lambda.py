"""Stages with Lambda functions behind them, run by AWS's own runtime client for Python."""

import json
import pathlib
import subprocess
import sys

import pytest

import raw_client
import setups
from conftest import ACCOUNT, REGION, client, execute_api
from expect import eventually
from server import Server, serving

HERE = pathlib.Path(__file__).resolve().parent
HANDLERS = ["echo", "verbatim", "plain", "failing", "leaving", "writing", "extended"]
FAILED_REST = {"message": "Internal server error"}
FAILED_HTTP = {"message": "Internal Server Error"}


def table(name, handler, timeout=20, concurrency=2):
    command = json.dumps([sys.executable, "-m", "awslambdaric", f"functions.{handler}"])
    return (
        f"[[function]]\nname = {name!r}\ncommand = {command}\ndirectory = {str(HERE)!r}\n"
        f"timeout = {timeout}\nconcurrency = {concurrency}\nenvironment = {{ OWN = 'mine' }}\n"
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    directory = tmp_path_factory.mktemp("lambda")
    config = directory / "stagedoor.toml"
    tables = [table(handler, handler) for handler in HANDLERS]
    tables += [table("slow", "slow", timeout=1), table("missing", "no_such_handler")]
    config.write_text("\n".join(tables))
    with serving(directory / "data", "--config", str(config)) as running:
        yield running


def arn(name):
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def rest_stage(apigateway, name, type="AWS_PROXY", stage="prod", **more):
    """A REST API whose `ANY /{proxy+}` is a function; the API's id."""
    api, root = setups.rest_api(apigateway, name="functions")
    where = setups.resource(apigateway, api, root, "{proxy+}")
    address = {"restApiId": api, "resourceId": where, "httpMethod": "ANY"}
    apigateway.put_method(**address, authorizationType="NONE")
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn(name)}/invocations"
    apigateway.put_integration(**address, type=type, integrationHttpMethod="POST", uri=uri, **more)
    if type == "AWS":
        for status, pattern in [("200", ""), ("404", ".*four hundred.*")]:
            apigateway.put_method_response(**address, statusCode=status)
            apigateway.put_integration_response(**address, statusCode=status, selectionPattern=pattern)
    apigateway.create_deployment(restApiId=api, stageName=stage, variables={"colour": "green"})
    return api


def http_stage(apigatewayv2, name, version):
    """An HTTP API whose routes are a function; the API's id."""
    api = apigatewayv2.create_api(Name="functions", ProtocolType="HTTP")["ApiId"]
    integration = apigatewayv2.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn(name), PayloadFormatVersion=version
    )["IntegrationId"]
    for key in ["$default", "GET /pets/{id}"]:
        apigatewayv2.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{integration}")
    apigatewayv2.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    return api


def deployed(fetch):
    """The answer once an HTTP API's automatic deployment is served."""
    return eventually(lambda: answer if (answer := fetch()).status != 404 else None)


def test_a_rest_stage_tells_the_function_everything(server, apigateway):
    api = rest_stage(apigateway, "echo:live")
    headers = {"X-Mine": "1", "Content-Type": "text/plain"}
    answer = execute_api(server, api, "POST", "/prod/pets/7?a=1&a=2", headers, "hello")
    assert (answer.status, answer.headers["x-own"]) == (200, "yes")
    told = answer.json
    event = told["event"]
    assert (event["path"], event["resource"], event["httpMethod"]) == ("/pets/7", "/{proxy+}", "POST")
    assert event["pathParameters"] == {"proxy": "pets/7"}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"]}
    assert (event["headers"]["X-Mine"], event["body"], event["isBase64Encoded"]) == ("1", "hello", False)
    assert event["stageVariables"] == {"colour": "green"}
    context = event["requestContext"]
    assert (context["stage"], context["apiId"], context["accountId"]) == ("prod", api, ACCOUNT)
    assert (told["arn"], told["name"], told["own"]) == (arn("echo:live"), "echo", "mine")
    assert 0 < told["remaining"] <= 20_000
    assert answer.headers["x-amzn-trace-id"].startswith("Root=1-")


@pytest.mark.parametrize(
    ("returned", "status", "body"),
    [
        ({"statusCode": 201, "body": "made"}, 201, b"made"),
        ({"statusCode": "202"}, 202, b""),
        ({}, 200, b""),
        ({"statusCode": 200, "wrongValue": 1}, 502, None),
        ({"statusCode": 200, "body": {"a": 1}}, 502, None),
        ({"multiValueHeaders": {"a": "b"}}, 502, None),
        ("just a string", 502, None),
        (None, 502, None),
    ],
)
def test_a_rest_stage_answers_by_the_rules(server, apigateway, returned, status, body):
    api = rest_stage(apigateway, "verbatim")
    answer = execute_api(server, api, "POST", "/prod/x", {}, json.dumps(returned))
    assert answer.status == status
    if body is None:
        assert answer.json == FAILED_REST
        assert answer.headers["x-amzn-errortype"] == "InternalServerErrorException"
    else:
        assert answer.body == body


@pytest.mark.parametrize("kind", ["rest", "http"])
def test_names_of_headers_have_the_case_that_the_client_wrote(server, apigateway, apigatewayv2, kind):
    """Also of the second request on a connection, behind a chunked body, and whatever comes in one packet."""
    api = rest_stage(apigateway, "echo") if kind == "rest" else http_stage(apigatewayv2, "echo", "1.0")
    path = "/prod/x" if kind == "rest" else "/x"
    deployed(lambda: execute_api(server, api, "GET", path))
    head = "POST {} HTTP/1.1\r\nhOST: {}\r\n{}: 1\r\nUSER-agent: me\r\nTransfer-Encoding: chunked\r\n\r\n"
    bodies = ["0\r\n\r\n", "5;x\r\nA: b\n\r\n0\r\nX-TRAILER: 1\r\n\r\n", "1\r\nx\r\n0\r\n\r\n"]
    names = ["tEsT-HEADeR", "test-header", "TEST-Header"]
    requests = [head.format(path, raw_client.host(api), name) + body for name, body in zip(names, bodies)]
    with raw_client.RawClient(server) as sender:
        sender.send(requests[0])
        answers = [sender.answer()]
        sender.send("".join(requests[1:]))
        answers += [sender.answer() for _ in requests[1:]]
    for name, (status, _, body) in zip(names, answers):
        assert status == 200
        told = json.loads(body)["event"]
        for headers in (told["headers"], told["multiValueHeaders"]):
            assert [known for known in headers if known.lower() == "test-header"] == [name]
            # Those that AWS itself writes.
            assert {"Host", "User-Agent", "X-Forwarded-For"} <= set(headers)


def test_a_http_stage_with_format_2(server, apigatewayv2):
    api = http_stage(apigatewayv2, "echo", "2.0")
    headers = {"Cookie": "a=1; b=2"}
    event = deployed(lambda: execute_api(server, api, "GET", "/pets/7?q=1&q=2", headers)).json["event"]
    assert (event["version"], event["routeKey"], event["rawPath"]) == ("2.0", "GET /pets/{id}", "/pets/7")
    assert (event["cookies"], event["pathParameters"]) == (["a=1", "b=2"], {"id": "7"})
    assert event["queryStringParameters"] == {"q": "1,2"}
    assert event["requestContext"]["http"]["method"] == "GET"
    assert "body" not in event and "stageVariables" not in event
    event = execute_api(server, api, "PUT", "/other", {"Content-Type": "image/png"}, b"\x89PNG").json["event"]
    assert (event["routeKey"], event["body"], event["isBase64Encoded"]) == ("$default", "iVBORw==", True)


@pytest.mark.parametrize("version", ["rest", "1.0", "2.0"])
def test_functions_know_no_http_2(server, apigateway, apigatewayv2, version):
    """AWS tells them of its clients by HTTP/2 as of those by HTTP/1.1, but for the names of headers."""
    api = rest_stage(apigateway, "echo") if version == "rest" else http_stage(apigatewayv2, "echo", version)
    path = "/prod/x" if version == "rest" else "/x"
    deployed(lambda: execute_api(server, api, "GET", path))
    headers = [f"Host: {raw_client.host(api)}", "X-Mine: 1", "X-Mine: 2", "Cookie: a=1; b=2"]
    curl = ["curl", "-sS", "--http2-prior-knowledge", server.http + path]
    done = subprocess.run([*curl, *(word for header in headers for word in ("-H", header))], capture_output=True, check=True)
    event = json.loads(done.stdout)["event"]
    context = event["requestContext"]
    assert context.get("http", context)["protocol"] == "HTTP/1.1"
    assert event["headers"]["x-mine"] == ("1,2" if version == "2.0" else "2")
    assert event.get("cookies", ["a=1", "b=2"]) == ["a=1", "b=2"]
    if version != "2.0":
        assert event["multiValueHeaders"]["x-mine"] == ["1", "2"]
        assert event["multiValueHeaders"]["cookie"] == ["a=1; b=2"]


def test_a_http_stage_with_format_1(server, apigatewayv2):
    api = http_stage(apigatewayv2, "echo", "1.0")
    event = deployed(lambda: execute_api(server, api, "GET", "/pets/7")).json["event"]
    assert (event["version"], event["resource"], event["path"]) == ("1.0", "/pets/{id}", "/pets/7")
    assert event["requestContext"]["authorizer"] == {"claims": None, "scopes": None}


def test_format_2_infers_the_answer(server, apigatewayv2):
    api = http_stage(apigatewayv2, "plain", "2.0")
    answer = deployed(lambda: execute_api(server, api, "GET", "/"))
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json["hello"]["version"] == "2.0"


@pytest.mark.parametrize("name", ["failing", "leaving", "slow", "missing"])
def test_functions_that_fail(server, apigateway, apigatewayv2, name):
    rest, http = rest_stage(apigateway, name), http_stage(apigatewayv2, name, "2.0")
    answer = execute_api(server, rest, "GET", "/prod/x")
    assert (answer.status, answer.json) == (502, FAILED_REST)
    answer = deployed(lambda: execute_api(server, http, "GET", "/x"))
    assert (answer.status, answer.json) == (500, FAILED_HTTP)


def test_a_function_that_nobody_knows(server, apigateway):
    answer = execute_api(server, rest_stage(apigateway, "stranger"), "GET", "/prod/x")
    assert (answer.status, answer.json) == (500, FAILED_REST)
    assert eventually(lambda: "stranger" in server.last_log())


def test_what_a_function_prints_is_logged(server, apigateway):
    execute_api(server, rest_stage(apigateway, "failing"), "GET", "/prod/x")
    assert eventually(lambda: "about to fail" in server.last_log())


def test_a_custom_integration(server, apigateway):
    api = rest_stage(apigateway, "plain", type="AWS")
    answer = execute_api(server, api, "POST", "/prod/x", {"Content-Type": "application/json"}, '{"a": 1}')
    assert (answer.status, answer.json) == (200, {"hello": {"a": 1}})
    api = rest_stage(apigateway, "failing", type="AWS")
    answer = execute_api(server, api, "POST", "/prod/x", {}, "{}")
    assert (answer.status, answer.json["errorType"]) == (404, "ValueError")
    assert answer.json["errorMessage"] == "four hundred and four"


def test_an_event_is_not_waited_for(server, apigateway, tmp_path):
    asynchronous = {"integration.request.header.X-Amz-Invocation-Type": "'Event'"}
    api = rest_stage(apigateway, "writing", type="AWS", requestParameters=asynchronous)
    mark = tmp_path / "mark"
    answer = execute_api(server, api, "POST", "/prod/x", {}, json.dumps({"path": str(mark)}))
    assert (answer.status, answer.body) == (200, b"")
    assert eventually(lambda: mark.exists() and mark.read_text())


def test_an_extension_that_asks_for_no_events(server, apigateway):
    """As the Lambda Web Adapter, which ends the process if it cannot register."""
    api = rest_stage(apigateway, "extended")
    told = execute_api(server, api, "POST", "/prod/x", {}, "[]").json
    assert (told["status"], told["waits"]) == (200, True)
    assert told["answer"] == {"functionName": "extended", "functionVersion": "$LATEST", "handler": ""}
    told = execute_api(server, api, "POST", "/prod/x", {}, '["INVOKE"]').json
    assert (told["status"], told["answer"]["errorType"]) == (501, "Extension.NotImplemented")


def test_the_server_ends_with_its_functions(tmp_path):
    config = tmp_path / "stagedoor.toml"
    config.write_text(table("echo", "echo") + table("slow", "slow", timeout=600))
    with Server(tmp_path / "data", "--config", str(config)) as server:
        api = rest_stage(client(server, "apigateway"), "echo")
        process = execute_api(server, api, "GET", "/prod/x").json["process"]
        assert pathlib.Path(f"/proc/{process}").exists()
        assert server.stop() == 0
        assert not pathlib.Path(f"/proc/{process}").exists()


def test_functions_do_not_outlive_a_server_that_is_killed(tmp_path):
    config = tmp_path / "stagedoor.toml"
    config.write_text(table("echo", "echo"))
    with Server(tmp_path / "data", "--config", str(config)) as server:
        api = rest_stage(client(server, "apigateway"), "echo")
        process = execute_api(server, api, "GET", "/prod/x").json["process"]
        server.kill()
        # The runtime client ends when its Runtime API is gone. Nobody may be there to collect what is left of it.
        assert eventually(lambda: state(process) in ("", "Z"))


def state(process):
    """The letter of a process's state; empty if there is no such process."""
    try:
        return pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(") ", 1)[1][0]
    except (FileNotFoundError, ProcessLookupError):
        return ""
