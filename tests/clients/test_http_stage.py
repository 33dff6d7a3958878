"""HTTP API stages answer requests: routes of every kind, `$default`, auto deploy, stage variables."""

import http.client

import pytest

import setups
from conftest import execute_api, fetch
from expect import eventually


def routed(apigatewayv2, backend, stage="$default", **routes):
    """An HTTP API with a backend path of its own for each route: `{path: route key}`; the API's id."""
    api = apigatewayv2.create_api(Name="shop", ProtocolType="HTTP")["ApiId"]
    for path, key in routes.items():
        integration = apigatewayv2.create_integration(
            ApiId=api, IntegrationType="HTTP_PROXY", IntegrationMethod="ANY", PayloadFormatVersion="1.0",
            IntegrationUri=f"{backend.url}/{path.replace('__', '/')}",
        )["IntegrationId"]
        apigatewayv2.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{integration}")
    apigatewayv2.create_stage(ApiId=api, StageName=stage, AutoDeploy=True)
    return api


def target(answer):
    assert answer.status == 200, answer
    return answer.json["target"]


def test_the_default_stage_has_no_prefix(server, apigatewayv2, backend):
    api = setups.http_api(apigatewayv2, f"{backend.url}/base", "GET /pets")
    answer = eventually(lambda: ok(execute_api(server, api, "GET", "/pets?colour=green&colour=blue")))
    path, _, query = target(answer).partition("?")
    assert path == "/base"
    assert query == "colour=green&colour=blue"
    assert answer.headers["apigw-requestid"].endswith("=")
    assert "x-amzn-requestid" not in answer.headers
    assert answer.headers["x-backend"] == "echo"


def ok(answer):
    """The answer, once the stage has been deployed."""
    return answer if answer.status != 404 else None


def test_a_named_stage_is_the_first_segment(server, apigatewayv2, backend):
    api = setups.http_api(apigatewayv2, backend.url, "GET /pets", stage="dev")
    eventually(lambda: ok(execute_api(server, api, "GET", "/dev/pets")))
    answer = execute_api(server, api, "GET", "/pets")
    assert (answer.status, answer.json) == (404, {"message": "Not Found"})


def test_the_documented_routing_table(server, apigatewayv2, backend):
    """The example table of the guide's page on routes."""
    api = routed(
        apigatewayv2, backend,
        literal="GET /pets/dog/1",
        variable="GET /pets/dog/{id}",
        greedy="GET /pets/{proxy+}",
        any="ANY /{proxy+}",
        default="$default",
    )
    eventually(lambda: ok(execute_api(server, api, "GET", "/pets/dog/1")))
    for method, path, expected in [
        ("GET", "/pets/dog/1", "/literal"),
        ("GET", "/pets/dog/2", "/variable"),
        ("GET", "/pets/cat/1", "/greedy"),
        ("POST", "/test/5", "/any"),
        ("GET", "/pets/dog/1/more", "/greedy"),
        ("POST", "/pets/dog/1", "/any"),
        ("GET", "/", "/default"),
    ]:
        found = target(execute_api(server, api, method, path))
        assert (method, path, found.rstrip("/")) == (method, path, expected)


def test_path_variables_and_greedy_ones_go_into_the_uri(server, apigatewayv2, backend):
    api = apigatewayv2.create_api(Name="shop", ProtocolType="HTTP")["ApiId"]
    for key, uri in [
        ("GET /pets/{id}", f"{backend.url}/one/{{id}}/end"),
        ("ANY /all/{proxy+}", f"{backend.url}/greedy/{{proxy}}"),
    ]:
        integration = apigatewayv2.create_integration(
            ApiId=api, IntegrationType="HTTP_PROXY", IntegrationMethod="ANY", IntegrationUri=uri, PayloadFormatVersion="1.0"
        )["IntegrationId"]
        apigatewayv2.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{integration}")
    apigatewayv2.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    assert target(eventually(lambda: ok(execute_api(server, api, "GET", "/pets/7")))) == "/one/7/end"
    assert target(execute_api(server, api, "PUT", "/all/a/b/c?x=1")) == "/greedy/a/b/c?x=1"


def test_the_default_route_appends_the_path(server, apigatewayv2, backend):
    api = setups.http_api(apigatewayv2, backend.url, "$default")
    answer = eventually(lambda: ok(execute_api(server, api, "PATCH", "/any/thing?x=1", body="hello")))
    assert target(answer) == "/any/thing?x=1"
    assert (answer.json["method"], answer.json["body"]) == ("PATCH", "hello")


def test_no_route(server, apigatewayv2, backend):
    api = setups.http_api(apigatewayv2, backend.url, "GET /pets")
    eventually(lambda: ok(execute_api(server, api, "GET", "/pets")))
    for method, path in [("GET", "/nothing"), ("POST", "/pets"), ("GET", "/pets/1")]:
        answer = execute_api(server, api, method, path)
        assert (answer.status, answer.json) == (404, {"message": "Not Found"})
        assert "apigw-requestid" in answer.headers


def test_headers_to_the_backend(server, apigatewayv2, backend):
    api = setups.http_api(apigatewayv2, backend.url, "GET /pets")
    eventually(lambda: ok(execute_api(server, api, "GET", "/pets")))
    answer = execute_api(server, api, "GET", "/pets", {"X-One": "1", "X-Forwarded-For": "203.0.113.7", "Connection": "close"})
    headers = answer.json["headers"]
    assert headers["x-one"] == "1"
    assert "203.0.113.7" in headers["forwarded"] and "proto=" in headers["forwarded"]
    assert "x-forwarded-for" not in headers


def test_auto_deploy_serves_a_new_route_at_once(server, apigatewayv2, backend):
    api = setups.http_api(apigatewayv2, backend.url, "GET /old")
    eventually(lambda: ok(execute_api(server, api, "GET", "/old")))
    (integration,) = apigatewayv2.get_integrations(ApiId=api)["Items"]
    apigatewayv2.create_route(ApiId=api, RouteKey="GET /new", Target=f"integrations/{integration['IntegrationId']}")
    eventually(lambda: ok(execute_api(server, api, "GET", "/new")))


def test_without_auto_deploy_a_deployment_is_needed(server, apigatewayv2, backend):
    api = setups.http_api(apigatewayv2, backend.url, "GET /old")
    first = apigatewayv2.create_deployment(ApiId=api)["DeploymentId"]
    apigatewayv2.create_stage(ApiId=api, StageName="dev", DeploymentId=first)
    assert execute_api(server, api, "GET", "/dev/old").status == 200
    (integration,) = apigatewayv2.get_integrations(ApiId=api)["Items"]
    apigatewayv2.create_route(ApiId=api, RouteKey="GET /new", Target=f"integrations/{integration['IntegrationId']}")
    assert execute_api(server, api, "GET", "/dev/new").status == 404
    second = apigatewayv2.create_deployment(ApiId=api)["DeploymentId"]
    apigatewayv2.update_stage(ApiId=api, StageName="dev", DeploymentId=second)
    assert execute_api(server, api, "GET", "/dev/new").status == 200


def test_quick_create_serves(server, apigatewayv2, backend):
    api = apigatewayv2.create_api(Name="quick", ProtocolType="HTTP", Target=f"{backend.url}/")["ApiId"]
    assert target(eventually(lambda: ok(execute_api(server, api, "GET", "/pets/1")))) == "/pets/1"


def test_stage_variables_in_the_uri(server, apigatewayv2, backend):
    api = setups.http_api(apigatewayv2, "http://${stageVariables.host}/v/${stageVariables.part}", "GET /pets", stage="dev")
    for part in ("first", "second"):
        apigatewayv2.update_stage(
            ApiId=api, StageName="dev", StageVariables={"host": f"127.0.0.1:{backend.port}", "part": part}
        )
        assert target(execute_api(server, api, "GET", "/dev/pets")) == f"/v/{part}"


def test_an_unreachable_backend(server, apigatewayv2):
    # Port 9 of loopback: the discard service, which nobody runs.
    api = setups.http_api(apigatewayv2, "http://127.0.0.1:9/", "GET /pets")
    answer = eventually(lambda: ok(execute_api(server, api, "GET", "/pets")))
    assert (answer.status, answer.json) == (503, {"message": "Service Unavailable"})


@pytest.mark.parametrize("code", [201, 302, 404, 500])
def test_the_backends_status_is_handed_through(server, apigatewayv2, backend, code):
    api = setups.http_api(apigatewayv2, backend.url, "$default")
    eventually(lambda: ok(execute_api(server, api, "GET", "/up")))
    answer = execute_api(server, api, "GET", f"/status/{code}")
    assert answer.status == code
    assert answer.json["target"] == f"/status/{code}"


def test_both_cookies_of_the_backend_arrive(server, apigatewayv2, backend):
    api = setups.http_api(apigatewayv2, backend.url, "$default")
    eventually(lambda: ok(execute_api(server, api, "GET", "/up")))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", "/x", headers={"Host": f"{api}.execute-api.us-east-1.amazonaws.com"})
    cookies = connection.getresponse().headers.get_all("set-cookie")
    connection.close()
    assert cookies == ["one=1", "two=2"]


def test_unknown_hosts_get_an_answer(server):
    assert fetch(server, "GET", "/pets", {"Host": "nosuchapi0.execute-api.us-east-1.amazonaws.com"}).status in (403, 404)
