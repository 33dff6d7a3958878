"""REST API stages answer requests: MOCK, HTTP_PROXY, routing, stage variables, changes without a restart."""

import re
import socket

import pytest

import setups
from conftest import execute_api


def test_mock(server, apigateway):
    api = setups.deployed_mock(
        apigateway, stage="prod", parameters={"method.response.header.X-Colour": "'green'"}
    )
    answer = execute_api(server, api, "GET", "/prod/hello")
    assert (answer.status, answer.json) == (200, {"answer": "mock"})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-colour"] == "green"
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.headers["x-amzn-requestid"])
    assert answer.headers["x-amz-apigw-id"].endswith("=")
    assert "x-amzn-trace-id" not in answer.headers


def test_mock_chooses_the_status(server, apigateway):
    api = setups.deployed_mock(apigateway, status="418", body='{"pot": "tea"}')
    answer = execute_api(server, api, "GET", "/prod/hello")
    assert (answer.status, answer.json) == (418, {"pot": "tea"})


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/prod/nothing"), ("POST", "/prod/hello"), ("GET", "/prod"), ("GET", "/prod/hello/more")]
)
def test_no_such_method(server, apigateway, method, path):
    api = setups.deployed_mock(apigateway)
    answer = execute_api(server, api, method, path)
    assert (answer.status, answer.json) == (403, {"message": "Missing Authentication Token"})
    assert answer.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"


def test_no_such_stage(server, apigateway):
    api = setups.deployed_mock(apigateway)
    answer = execute_api(server, api, "GET", "/nosuch/hello")
    assert (answer.status, answer.json) == (403, {"message": "Forbidden"})
    assert answer.headers["x-amzn-errortype"] == "ForbiddenException"


def test_no_such_api(server):
    answer = execute_api(server, "nosuchapi0", "GET", "/prod/hello")
    assert answer.status in (403, 404)


def test_a_closed_default_endpoint(server, apigateway):
    api = apigateway.create_rest_api(name="closed", disableExecuteApiEndpoint=True)
    setups.mock_method(apigateway, api["id"], setups.resource(apigateway, api["id"], api["rootResourceId"], "hello"))
    apigateway.create_deployment(restApiId=api["id"], stageName="prod")
    answer = execute_api(server, api["id"], "GET", "/prod/hello")
    assert (answer.status, answer.json) == (403, {"message": "Forbidden"})


def proxied(apigateway, backend, uri="http://${stageVariables.backend}/base/{proxy}"):
    """A REST API that hands everything below `/` to the backend whose address is a stage variable."""
    api, root = setups.rest_api(apigateway)
    setups.proxy_method(
        apigateway, api, setups.resource(apigateway, api, root, "{proxy+}"), uri, path_variables=["proxy"]
    )
    deployment = apigateway.create_deployment(restApiId=api)["id"]
    apigateway.create_stage(
        restApiId=api, stageName="dev", deploymentId=deployment,
        variables={"backend": f"127.0.0.1:{backend.port}", "part": "first"},
    )
    return api


def test_http_proxy_with_a_stage_variable_in_the_uri(server, apigateway, backend):
    api = proxied(apigateway, backend)
    answer = execute_api(
        server, api, "POST", "/dev/pets/7?colour=green&colour=blue&empty=", {"X-One": "1", "Content-Type": "text/plain"}, "hello"
    )
    assert answer.status == 200
    seen = answer.json
    assert seen["method"] == "POST"
    path, _, query = seen["target"].partition("?")
    assert path == "/base/pets/7"
    assert sorted(query.split("&")) == ["colour=blue", "colour=green", "empty="]
    assert seen["body"] == "hello"
    assert seen["headers"]["x-one"] == "1"
    assert seen["headers"]["content-type"] == "text/plain"
    assert seen["headers"]["host"] == f"127.0.0.1:{backend.port}"
    assert answer.headers["x-backend"] == "echo"
    assert "x-amzn-requestid" in answer.headers


@pytest.mark.parametrize("code", [201, 302, 404, 418, 503])
def test_http_proxy_hands_the_status_through(server, apigateway, backend, code):
    api = proxied(apigateway, backend, uri="http://${stageVariables.backend}/{proxy}")
    assert execute_api(server, api, "GET", f"/dev/status/{code}").status == code


def test_a_change_of_the_stage_takes_effect_on_the_next_request(server, apigateway, backend):
    api = proxied(apigateway, backend, uri="http://${stageVariables.backend}/${stageVariables.part}/{proxy}")
    for part in ("first", "second", "third"):
        apigateway.update_stage(
            restApiId=api, stageName="dev", patchOperations=[{"op": "replace", "path": "/variables/part", "value": part}]
        )
        assert execute_api(server, api, "GET", "/dev/x").json["target"] == f"/{part}/x"


def test_only_a_deployment_changes_what_a_stage_serves(server, apigateway):
    api = setups.deployed_mock(apigateway, stage="prod")
    (hello,) = [item["id"] for item in apigateway.get_resources(restApiId=api)["items"] if item["path"] == "/hello"]
    apigateway.put_integration_response(
        restApiId=api, resourceId=hello, httpMethod="GET", statusCode="200",
        responseTemplates={"application/json": '{"answer": "new"}'},
    )
    assert execute_api(server, api, "GET", "/prod/hello").json == {"answer": "mock"}
    deployment = apigateway.create_deployment(restApiId=api)["id"]
    assert execute_api(server, api, "GET", "/prod/hello").json == {"answer": "mock"}
    apigateway.update_stage(
        restApiId=api, stageName="prod",
        patchOperations=[{"op": "replace", "path": "/deploymentId", "value": deployment}],
    )
    assert execute_api(server, api, "GET", "/prod/hello").json == {"answer": "new"}


def test_a_deleted_stage_serves_no_more(server, apigateway):
    api = setups.deployed_mock(apigateway)
    assert execute_api(server, api, "GET", "/prod/hello").status == 200
    apigateway.delete_stage(restApiId=api, stageName="prod")
    assert execute_api(server, api, "GET", "/prod/hello").status == 403


def test_routing_prefers_the_literal_and_goes_back(server, apigateway):
    """The recorded case: `/{param+}` also serves what begins like a literal path but ends elsewhere."""
    api, root = setups.rest_api(apigateway)

    def mock(where, name, verb="GET"):
        setups.mock_method(apigateway, api, where, verb=verb, body='{"served": "%s"}' % name)

    part = setups.resource(apigateway, api, root, "part1")
    mock(setups.resource(apigateway, api, part, "hardcoded-value"), "literal")
    mock(setups.resource(apigateway, api, root, "{param+}"), "greedy", "ANY")
    pets = setups.resource(apigateway, api, root, "pets")
    mock(setups.resource(apigateway, api, pets, "{id}"), "variable")
    mock(setups.resource(apigateway, api, pets, "cat"), "cat", "ANY")
    apigateway.create_deployment(restApiId=api, stageName="s")
    for method, path, served in [
        ("GET", "/part1/hardcoded-value", "literal"),
        ("GET", "/part1/hardcoded-value/", "literal"),
        ("GET", "/part1/random-value", "greedy"),
        ("GET", "/part1", "greedy"),
        ("POST", "/part1/hardcoded-value", "greedy"),
        ("GET", "/pets/7", "variable"),
        ("GET", "/pets/cat", "cat"),
        ("DELETE", "/pets/cat", "cat"),
        ("POST", "/pets/7", "greedy"),
    ]:
        answer = execute_api(server, api, method, "/s" + path)
        assert (method, path, answer.json) == (method, path, {"served": served})


def test_an_unreachable_backend(server, apigateway, backend):
    # A port that was free a moment ago and that nobody listens on.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        api = proxied(apigateway, backend, uri=f"http://127.0.0.1:{port}/{{proxy}}")
        answer = execute_api(server, api, "GET", "/dev/x")
    assert answer.status == 504
    assert answer.headers["x-amzn-errortype"] == "InternalServerErrorException"
    assert "message" in answer.json
