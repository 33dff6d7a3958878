"""How names of an answer's headers are spelt over HTTP/1.1: only the bytes of the connection show it."""

import http.client

import pytest

from conftest import client
from setups import http_api, mock_method, rest_api, resource

ADDED = {"x-amzn-RequestId", "x-amz-apigw-id", "Content-Type", "Content-Length", "Date", "Connection"}
# What hyper serves, and what the gateway serves itself.
WAYS = pytest.mark.parametrize("sent", [{}, {"Expect": "nothing"}], ids=["usual", "unusual"])


def names(server, api, path, sent):
    """The names of the headers of an answer as they stand on the wire."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        host = f"{api}.execute-api.us-east-1.amazonaws.com"
        connection.request("GET", path, headers={"Host": host, **sent})
        answer = connection.getresponse()
        answer.read()
        return {name for name, _ in answer.getheaders()}
    finally:
        connection.close()


@pytest.fixture(scope="module")
def api(server):
    apigateway = client(server, "apigateway")
    api, root = rest_api(apigateway)
    where = resource(apigateway, api, root, "mapped")
    mapped = ["X-Own-NAME", "plain", "Date"]
    mock_method(
        apigateway, api, where, parameters={f"method.response.header.{name}": "'v'" for name in mapped}
    )
    apigateway.put_gateway_response(
        restApiId=api,
        responseType="MISSING_AUTHENTICATION_TOKEN",
        responseParameters={"gatewayresponse.header.X-Lost": "'v'"},
    )
    apigateway.create_deployment(restApiId=api, stageName="prod")
    return api


@WAYS
def test_the_gateways_own_names_are_spelt_as_by_aws(server, api, sent):
    assert ADDED <= names(server, api, "/prod/mapped", sent)
    assert ADDED | {"x-amzn-ErrorType"} <= names(server, api, "/prod/none", sent)


def test_mapped_names_stay_as_they_were_written(server, api):
    expected = ADDED | {"X-Own-NAME", "plain", "x-amzn-Remapped-Date"}
    assert names(server, api, "/prod/mapped", {}) == expected
    assert names(server, api, "/prod/none", {}) == ADDED | {"x-amzn-ErrorType", "X-Lost"}


@WAYS
def test_http_apis_name_their_id_in_their_own_way(server, apigatewayv2, backend, sent):
    api = http_api(apigatewayv2, backend.url, "GET /")
    answered = names(server, api, "/", sent)
    assert {"Apigw-Requestid", "Content-Type", "Content-Length", "Date", "Set-Cookie"} <= answered
