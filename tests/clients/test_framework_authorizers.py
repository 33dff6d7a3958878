"""Lambda authorizers as people write them, with Powertools' data classes, strict models and policy builder."""

import pytest

import setups
from conftest import ACCOUNT, REGION, execute_api, fetch
from server import serving
from signing import signed
from test_authorize import provider as provider
from test_frameworks import python_table
from test_lambda import arn

REST = ["token", "request"]
HTTP = ["http_1", "http_2", "simple"]
CONTEXT = {"tenant": 42, "admin": True, "name": "Zoë", "rate": 1.5}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    directory = tmp_path_factory.mktemp("authorizers")
    config = directory / "stagedoor.toml"
    config.write_text("\n".join(python_table(name, f"authorizers.{name}") for name in [*REST, *HTTP, "told"]))
    with serving(directory / "data", "--config", str(config)) as running:
        yield running


def invocations(name):
    return f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn(name)}/invocations"


def rest_stage(apigateway, name):
    api, root = setups.rest_api(apigateway)
    where = setups.resource(apigateway, api, setups.resource(apigateway, api, root, "orders"), "{id}")
    made = apigateway.create_authorizer(
        restApiId=api, name=name, type=name.upper(), authorizerUri=invocations(name),
        identitySource="method.request.header.X-Token",
    )
    address = {"restApiId": api, "resourceId": where, "httpMethod": "GET"}
    apigateway.put_method(**address, authorizationType="CUSTOM", authorizerId=made["id"])
    apigateway.put_integration(**address, type="AWS_PROXY", integrationHttpMethod="POST", uri=invocations("told"))
    apigateway.create_deployment(restApiId=api, stageName="prod")
    return api


def http_authorizer(apigatewayv2, api, name):
    """What a route wants of a Lambda authorizer."""
    version = "1.0" if name == "http_1" else "2.0"
    made = apigatewayv2.create_authorizer(
        ApiId=api, Name=name, AuthorizerType="REQUEST", AuthorizerUri=invocations(name),
        IdentitySource=["$request.header.X-Token"], AuthorizerPayloadFormatVersion=version,
        EnableSimpleResponses=name == "simple", AuthorizerResultTtlInSeconds=0,
    )
    return {"AuthorizationType": "CUSTOM", "AuthorizerId": made["AuthorizerId"]}


def jwt_authorizer(apigatewayv2, api, provider):
    made = apigatewayv2.create_authorizer(
        ApiId=api, Name="jwt", AuthorizerType="JWT", IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": provider.url, "Audience": ["shop"]},
    )
    return {"AuthorizationType": "JWT", "AuthorizerId": made["AuthorizerId"], "AuthorizationScopes": ["read"]}


def http_stage(apigatewayv2, guard):
    """An HTTP API with one route, guarded by what `guard` makes for it."""
    api = apigatewayv2.create_api(Name="guarded", ProtocolType="HTTP")["ApiId"]
    integration = apigatewayv2.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn("told"), PayloadFormatVersion="2.0"
    )["IntegrationId"]
    apigatewayv2.create_route(
        ApiId=api, RouteKey="GET /orders/{id}", Target=f"integrations/{integration}", **guard(api)
    )
    deployment = apigatewayv2.create_deployment(ApiId=api)["DeploymentId"]
    apigatewayv2.create_stage(ApiId=api, StageName="$default", DeploymentId=deployment)
    return api


def asker(server, api, prefix=""):
    return lambda path, **headers: execute_api(server, api, "GET", prefix + path, headers)


@pytest.mark.parametrize("name", REST)
def test_an_authorizer_of_a_rest_api(server, apigateway, name):
    ask = asker(server, rest_stage(apigateway, name), "/prod")
    for token in ["all", "reader"]:
        answer = ask("/orders/1", **{"X-Token": token})
        assert answer.status == 200, server.last_log()
        told = answer.json
        assert told.pop("principalId") == "somebody"
        assert isinstance(told.pop("integrationLatency"), int)
        # "Use a Lambda authorizer", output: numbers and booleans become texts.
        assert told == {"tenant": "42", "admin": "true", "name": "Zoë", "rate": "1.5"}
    # The policy is kept for its token and asked for every path.
    for path, token in [("/orders/secret", "reader"), ("/orders/1", "stranger")]:
        answer = ask(path, **{"X-Token": token})
        assert answer.status == 403
        assert "with an explicit deny" in answer.json["Message"]
    answer = ask("/orders/1", **{"X-Token": "nobody"})
    assert (answer.status, answer.json) == (401, {"message": "Unauthorized"})
    answer = ask("/orders/1")
    assert (answer.status, answer.json) == (401, {"message": "Unauthorized"})
    answer = ask("/orders/1", **{"X-Token": "boom"})
    assert (answer.status, answer.json) == (500, {"message": None})


@pytest.mark.parametrize("name", HTTP)
def test_an_authorizer_of_an_http_api(server, apigatewayv2, name):
    ask = asker(server, http_stage(apigatewayv2, lambda api: http_authorizer(apigatewayv2, api, name)))
    context = {**CONTEXT, "list": ["a", {"b": None}]} if name == "simple" else CONTEXT
    for token in ["all", "reader"]:
        answer = ask("/orders/1", **{"X-Token": token})
        assert answer.status == 200, server.last_log()
        assert answer.json == {"lambda": context}
    for path, token in [("/orders/secret", "reader"), ("/orders/2", "stranger")]:
        answer = ask(path, **{"X-Token": token})
        assert (answer.status, answer.json) == (403, {"message": "Forbidden"})
    answer = ask("/orders/1")
    assert (answer.status, answer.json) == (401, {"message": "Unauthorized"})
    answer = ask("/orders/1", **{"X-Token": "boom"})
    assert (answer.status, answer.json) == (500, {"message": "Internal Server Error"})


def test_a_token_of_a_provider(server, apigatewayv2, provider):
    ask = asker(server, http_stage(apigatewayv2, lambda api: jwt_authorizer(apigatewayv2, api, provider)))
    answer = ask("/orders/1", Authorization=f"Bearer {provider.token(scope='read write', level=3)}")
    assert answer.status == 200, server.last_log()
    told = answer.json["jwt"]
    assert (told["claims"]["sub"], told["claims"]["level"], told["scopes"]) == ("me", "3", ["read", "write"])


def test_a_signature(server, apigatewayv2):
    api = http_stage(apigatewayv2, lambda api: {"AuthorizationType": "AWS_IAM"})
    target, headers = signed(server, "GET", f"/_aws/execute-api/{api}/$default/orders/1", service="execute-api")
    answer = fetch(server, "GET", target, headers)
    assert answer.status == 200, server.last_log()
    told = answer.json["iam"]
    assert (told["accessKey"], told["accountId"], told["cognitoIdentity"]) == ("test", ACCOUNT, None)
    assert told["userArn"] == f"arn:aws:iam::{ACCOUNT}:root"
