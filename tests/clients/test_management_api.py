"""The management API of WebSocket stages through boto3. Nobody is connected: stages do not accept connections yet."""

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from conftest import REGION
from expect import refused

ABSENT = "R0oXAdfD0kwCH6w="


@pytest.fixture(scope="module")
def api(server):
    apigatewayv2 = boto3.client(
        "apigatewayv2",
        endpoint_url=server.http,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    made = apigatewayv2.create_api(
        Name="chat", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )
    api = made["ApiId"]
    integration = apigatewayv2.create_integration(ApiId=api, IntegrationType="MOCK")["IntegrationId"]
    apigatewayv2.create_route(ApiId=api, RouteKey="$default", Target=f"integrations/{integration}")
    apigatewayv2.create_deployment(ApiId=api)
    apigatewayv2.create_stage(ApiId=api, StageName="dev", AutoDeploy=True)
    return api


def management(server, address, key="test", secret="test", region=REGION, **config):
    return boto3.client(
        "apigatewaymanagementapi",
        endpoint_url=server.http + address,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(retries={"max_attempts": 0}, **config),
    )


def test_a_client_that_is_not_connected_is_gone(server, api):
    caller = management(server, f"/_aws/execute-api/{api}/dev")
    for call in [
        lambda: caller.post_to_connection(ConnectionId=ABSENT, Data=b"hello"),
        lambda: caller.get_connection(ConnectionId=ABSENT),
        lambda: caller.delete_connection(ConnectionId=ABSENT),
    ]:
        with pytest.raises(caller.exceptions.GoneException) as caught:
            call()
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 410


def test_ids_and_messages_that_cannot_be(server, api):
    caller = management(server, f"/_aws/execute-api/{api}/dev")
    refused(
        "BadRequestException", 400, "Invalid connectionId: cjy8i76b", caller.get_connection, ConnectionId="cjy8i76b"
    )
    with pytest.raises(ClientError) as caught:
        caller.post_to_connection(ConnectionId=ABSENT, Data=b"x" * (128 * 1024 + 1))
    assert caught.value.response["Error"]["Code"] == "PayloadTooLargeException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


@pytest.mark.parametrize("address", ["/_aws/execute-api/{api}/prod", "/_aws/execute-api/nothing/dev", ""])
def test_an_unknown_api_or_stage_is_forbidden(server, api, address):
    caller = management(server, address.format(api=api))
    refused("ForbiddenException", 403, "Forbidden", caller.get_connection, ConnectionId=ABSENT)


def test_calls_are_signed_by_the_account_that_has_the_api_in_its_region(server, api):
    address = f"/_aws/execute-api/{api}/dev"
    elsewhere = management(server, address, region="eu-west-1")
    refused("ForbiddenException", 403, "Forbidden", elsewhere.get_connection, ConnectionId=ABSENT)
    forged = management(server, address, secret="wrong")
    with pytest.raises(ClientError) as caught:
        forged.get_connection(ConnectionId=ABSENT)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    unsigned = management(server, address, signature_version=UNSIGNED)
    refused(
        "MissingAuthenticationTokenException",
        403,
        "Missing Authentication Token",
        unsigned.get_connection,
        ConnectionId=ABSENT,
    )
