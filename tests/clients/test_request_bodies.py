"""The memory that the bodies of all requests share: what finds no room is refused, and takes nothing from others."""

import pytest
from botocore.exceptions import ClientError

from conftest import client, execute_api
from server import Server
from setups import http_api

TOO_MUCH = "x" * (2 * 2**20)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("data"), "--request-bodies-max", "1") as running:
        yield running


def test_stages(server, apigatewayv2, backend):
    api = http_api(apigatewayv2, backend.url, "POST /")
    for _ in range(3):
        refused = execute_api(server, api, "POST", "/", body=TOO_MUCH)
        assert (refused.status, refused.json) == (503, {"message": "Service Unavailable"})
        assert execute_api(server, api, "POST", "/", body=TOO_MUCH[: 2**19]).status == 200


def test_operations(server, apigateway):
    for _ in range(3):
        with pytest.raises(ClientError) as refused:
            apigateway.create_rest_api(name="a", description=TOO_MUCH)
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
        assert refused.value.response["Error"]["Code"] == "ServiceUnavailableException"
        apigateway.create_rest_api(name="a")


def test_invocations(server):
    with pytest.raises(ClientError) as refused:
        client(server, "lambda").invoke(FunctionName="none", Payload=TOO_MUCH)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
