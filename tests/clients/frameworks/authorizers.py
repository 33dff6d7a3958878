"""Lambda authorizers made of Powertools' data classes and policy builder, and the function behind them, for
`test_framework_authorizers.py`. No test runs in here."""

import json

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent, APIGatewayProxyEventV2, event_source
from aws_lambda_powertools.utilities.data_classes.api_gateway_authorizer_event import (
    APIGatewayAuthorizerEventV2,
    APIGatewayAuthorizerRequestEvent,
    APIGatewayAuthorizerResponse,
    APIGatewayAuthorizerResponseV2,
    APIGatewayAuthorizerTokenEvent,
)
from aws_lambda_powertools.utilities.parser.models import (
    APIGatewayProxyEventModel,
    APIGatewayProxyEventV2Model,
    ApiGatewayAuthorizerRequest,
    ApiGatewayAuthorizerRequestV2,
    ApiGatewayAuthorizerToken,
)

CONTEXT = {"tenant": 42, "admin": True, "name": "Zoë", "rate": 1.5}


def policy(arn, token):
    """What the token allows: reading orders but for one, all of them, or nothing."""
    if token == "boom":
        raise ValueError("boom")
    if token == "nobody":
        raise Exception("Unauthorized")
    made = APIGatewayAuthorizerResponse.from_route_arn(arn, principal_id="somebody", context=CONTEXT)
    if token == "all":
        made.allow_all_routes()
    elif token == "reader":
        made.allow_route("GET", "/orders/*")
        made.deny_route("GET", "/orders/secret")
    else:
        made.deny_all_routes()
    return made.asdict()


@event_source(data_class=APIGatewayAuthorizerTokenEvent)
def token(event, context):
    ApiGatewayAuthorizerToken.model_validate(event.raw_event)
    assert event.get_type == "TOKEN"
    return policy(event.method_arn, event.authorization_token)


@event_source(data_class=APIGatewayAuthorizerRequestEvent)
def request(event, context):
    ApiGatewayAuthorizerRequest.model_validate(event.raw_event)
    told = event.parsed_arn
    assert (event.get_type, told.http_method, told.stage) == ("REQUEST", event.http_method, event.request_context.stage)
    assert event.path == "/" + told.resource
    return policy(event.method_arn, event.headers["X-Token"])


@event_source(data_class=APIGatewayAuthorizerRequestEvent)
def http_1(event, context):
    assert (event.version, event.get_type) == ("1.0", "REQUEST")
    assert event.identity_source == event.authorization_token == event.headers["X-Token"]
    assert event.parsed_arn.stage == event.request_context.stage
    return policy(event.method_arn, event.identity_source)


@event_source(data_class=APIGatewayAuthorizerEventV2)
def http_2(event, context):
    ApiGatewayAuthorizerRequestV2.model_validate(event.raw_event)
    assert (event.version, event.get_type, event.identity_source) == ("2.0", "REQUEST", [event.headers["x-token"]])
    assert event.route_key == "GET /orders/{id}" and event.path_parameters["id"]
    return policy(event.route_arn, event.identity_source[0])


@event_source(data_class=APIGatewayAuthorizerEventV2)
def simple(event, context):
    ApiGatewayAuthorizerRequestV2.model_validate(event.raw_event)
    if event.headers["x-token"] == "boom":
        raise ValueError("boom")
    allowed = event.headers["x-token"] == "all" or event.raw_path == "/orders/1"
    return APIGatewayAuthorizerResponseV2(authorize=allowed, context={**CONTEXT, "list": ["a", {"b": None}]}).asdict()


def told(event, context):
    """Answers with what it is told of the authorizer."""
    if event.get("version") == "2.0":
        APIGatewayProxyEventV2Model.model_validate(event)
        return APIGatewayProxyEventV2(event).request_context.authorizer.raw_event
    APIGatewayProxyEventModel.model_validate(event)
    authorizer = APIGatewayProxyEvent(event).request_context.authorizer
    assert authorizer.principal_id == "somebody" and authorizer.integration_latency is not None
    return {"statusCode": 200, "body": json.dumps(authorizer.get_context())}
