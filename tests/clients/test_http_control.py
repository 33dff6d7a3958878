"""API Gateway v2 through boto3: HTTP APIs, integrations, routes, deployments, stages, quick create."""

import re

import pytest

import setups
from conftest import REGION, client
from expect import eventually, members, refused

# === APIs ===


def test_create_api_answers_what_aws_answers(apigatewayv2):
    answer = apigatewayv2.create_api(Name="shop", ProtocolType="HTTP")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    api = members(answer)
    assert re.fullmatch(r"[a-z0-9]{10}", api["ApiId"])
    created = api.pop("CreatedDate")
    assert created.tzinfo is not None
    assert api == {
        "ApiId": api["ApiId"],
        "ApiEndpoint": api["ApiEndpoint"],
        "ApiKeySelectionExpression": "$request.header.x-api-key",
        "DisableExecuteApiEndpoint": False,
        "IpAddressType": "ipv4",
        "Name": "shop",
        "ProtocolType": "HTTP",
        "RouteSelectionExpression": "$request.method $request.path",
        "Tags": {},
    }
    assert api["ApiId"] in api["ApiEndpoint"]
    found = members(apigatewayv2.get_api(ApiId=api["ApiId"]))
    assert found.pop("CreatedDate") == created
    assert found == api


def test_cors_is_kept(apigatewayv2):
    cors = {
        "AllowOrigins": ["https://example.com"],
        "AllowMethods": ["GET", "POST"],
        "AllowHeaders": ["x-one"],
        "ExposeHeaders": ["x-two"],
        "AllowCredentials": True,
        "MaxAge": 300,
    }
    api = apigatewayv2.create_api(Name="cors", ProtocolType="HTTP", CorsConfiguration=cors)
    assert api["CorsConfiguration"] == cors
    refused(
        "BadRequestException", 400, "allow-credentials is not supported if 'allow-origin' is *",
        apigatewayv2.create_api, Name="cors", ProtocolType="HTTP",
        CorsConfiguration={"AllowOrigins": ["*"], "AllowCredentials": True},
    )


def test_apis_are_listed_page_by_page(server):
    apigatewayv2 = client(server, "apigatewayv2", region="eu-west-1")
    ids = {apigatewayv2.create_api(Name=f"api-{number}", ProtocolType="HTTP")["ApiId"] for number in range(5)}
    first = apigatewayv2.get_apis(MaxResults="2")
    assert len(first["Items"]) == 2
    rest = apigatewayv2.get_apis(MaxResults="10", NextToken=first["NextToken"])
    assert "NextToken" not in rest
    assert {api["ApiId"] for api in first["Items"] + rest["Items"]} == ids


def test_delete_api(apigatewayv2):
    api = setups.http_api(apigatewayv2, "http://backend.example/", "GET /a")
    assert apigatewayv2.delete_api(ApiId=api)["ResponseMetadata"]["HTTPStatusCode"] == 204
    refused("NotFoundException", 404, "Invalid API identifier specified", apigatewayv2.get_api, ApiId=api)
    refused("NotFoundException", 404, "Invalid API identifier specified", apigatewayv2.get_stages, ApiId=api)


def test_a_websocket_api_needs_a_selection_expression(apigatewayv2):
    refused(
        "BadRequestException", 400, "RouteSelectionExpression",
        apigatewayv2.create_api, Name="chat", ProtocolType="WEBSOCKET",
    )
    chat = apigatewayv2.create_api(
        Name="chat", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )
    assert chat["RouteSelectionExpression"] == "$request.body.action"
    assert chat["ApiEndpoint"].startswith("ws")


def test_quick_create(apigatewayv2):
    api = apigatewayv2.create_api(Name="quick", ProtocolType="HTTP", Target="http://backend.example/", RouteKey="GET /pets")
    api_id = api["ApiId"]
    (integration,) = apigatewayv2.get_integrations(ApiId=api_id)["Items"]
    (route,) = apigatewayv2.get_routes(ApiId=api_id)["Items"]
    (stage,) = apigatewayv2.get_stages(ApiId=api_id)["Items"]
    assert integration["IntegrationUri"] == "http://backend.example/"
    assert integration["IntegrationType"] == "HTTP_PROXY"
    assert route["RouteKey"] == "GET /pets"
    assert route["Target"] == f"integrations/{integration['IntegrationId']}"
    assert stage["StageName"] == "$default"
    assert stage["AutoDeploy"] is True
    assert integration["ApiGatewayManaged"] is route["ApiGatewayManaged"] is stage["ApiGatewayManaged"] is True
    other = apigatewayv2.create_api(Name="quick", ProtocolType="HTTP", Target="http://backend.example/")["ApiId"]
    assert [route["RouteKey"] for route in apigatewayv2.get_routes(ApiId=other)["Items"]] == ["$default"]


# === integrations and routes ===


def test_integration_defaults(apigatewayv2):
    api = apigatewayv2.create_api(Name="shop", ProtocolType="HTTP")["ApiId"]
    answer = members(
        apigatewayv2.create_integration(
            ApiId=api, IntegrationType="HTTP_PROXY", IntegrationMethod="GET", IntegrationUri="http://backend.example/",
            PayloadFormatVersion="1.0",
        )
    )
    assert re.fullmatch(r"[a-z0-9]{7}", answer["IntegrationId"])
    assert answer == {
        "IntegrationId": answer["IntegrationId"],
        "IntegrationType": "HTTP_PROXY",
        "IntegrationMethod": "GET",
        "IntegrationUri": "http://backend.example/",
        "ConnectionType": "INTERNET",
        "PayloadFormatVersion": "1.0",
        "TimeoutInMillis": 30000,
    }
    assert members(apigatewayv2.get_integration(ApiId=api, IntegrationId=answer["IntegrationId"])) == answer


def test_integration_refusals(apigatewayv2):
    api = apigatewayv2.create_api(Name="shop", ProtocolType="HTTP")["ApiId"]
    refused(
        "BadRequestException", 400,
        "Currently, an API with a protocol type of HTTP may only be associated with proxy integrations (AWS_PROXY, HTTP_PROXY)",
        apigatewayv2.create_integration, ApiId=api, IntegrationType="MOCK", PayloadFormatVersion="1.0",
    )
    refused(
        "BadRequestException", 400, "PayloadFormatVersion is a required parameter for integration",
        apigatewayv2.create_integration, ApiId=api, IntegrationType="HTTP_PROXY", IntegrationMethod="GET",
        IntegrationUri="http://backend.example/",
    )
    refused(
        "NotFoundException", 404, "Invalid Integration identifier specified",
        apigatewayv2.get_integration, ApiId=api, IntegrationId="nosuch",
    )


def test_deleting_an_integration_in_use_names_the_routes(apigatewayv2):
    api = setups.http_api(apigatewayv2, "http://backend.example/", "GET /a")
    (integration,) = apigatewayv2.get_integrations(ApiId=api)["Items"]
    (route,) = apigatewayv2.get_routes(ApiId=api)["Items"]
    address = {"ApiId": api, "IntegrationId": integration["IntegrationId"]}
    refused(
        "ConflictException", 409,
        f"Cannot delete Integration because it is referenced by the following Routes with Ids: [{route['RouteId']}]",
        apigatewayv2.delete_integration, **address,
    )
    apigatewayv2.delete_route(ApiId=api, RouteId=route["RouteId"])
    assert apigatewayv2.delete_integration(**address)["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_routes(apigatewayv2):
    api = apigatewayv2.create_api(Name="shop", ProtocolType="HTTP")["ApiId"]
    route = members(apigatewayv2.create_route(ApiId=api, RouteKey="GET /pets/{id}"))
    assert route == {
        "RouteId": route["RouteId"], "RouteKey": "GET /pets/{id}", "ApiKeyRequired": False, "AuthorizationType": "NONE",
    }
    assert members(apigatewayv2.get_route(ApiId=api, RouteId=route["RouteId"])) == route
    refused("ConflictException", 409, "GET /pets/{id}", apigatewayv2.create_route, ApiId=api, RouteKey="GET /pets/{id}")
    refused(
        "BadRequestException", 400, "Invalid authorizer ID specified. Setting the authorization type to JWT requires a valid JWT authorizer.",
        apigatewayv2.create_route, ApiId=api, RouteKey="GET /safe", AuthorizationType="JWT",
    )
    for key in ("FETCH /pets", "GET pets", "GET /{proxy+}/more", ""):
        refused("BadRequestException", 400, "", apigatewayv2.create_route, ApiId=api, RouteKey=key)


# === stages and deployments ===


def test_stage_defaults(apigatewayv2):
    api = apigatewayv2.create_api(Name="shop", ProtocolType="HTTP")["ApiId"]
    stage = members(apigatewayv2.create_stage(ApiId=api, StageName="dev"))
    assert stage.pop("CreatedDate") == stage.pop("LastUpdatedDate")
    assert stage == {
        "StageName": "dev",
        "DefaultRouteSettings": {"DetailedMetricsEnabled": False},
        "RouteSettings": {},
        "StageVariables": {},
        "Tags": {},
    }


def test_get_stages_returns_every_member(apigatewayv2):
    """All members that `aws apigatewayv2 get-stages` prints survive a round trip."""
    api = setups.http_api(apigatewayv2, "http://backend.example/", "GET /a")
    deployment = apigatewayv2.create_deployment(ApiId=api)["DeploymentId"]
    wanted = {
        "StageName": "full",
        "Description": "all of it",
        "AccessLogSettings": {
            "DestinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:x", "Format": "$context.requestId",
        },
        "DefaultRouteSettings": {"DetailedMetricsEnabled": True, "ThrottlingBurstLimit": 5, "ThrottlingRateLimit": 2.5},
        "RouteSettings": {"GET /a": {"ThrottlingBurstLimit": 1, "ThrottlingRateLimit": 1.0}},
        "StageVariables": {"host": "backend.example"},
        "DeploymentId": deployment,
        "Tags": {"team": "stage"},
    }
    created = apigatewayv2.create_stage(ApiId=api, **wanted)
    by_name = {stage["StageName"]: stage for stage in apigatewayv2.get_stages(ApiId=api)["Items"]}
    assert set(by_name) == {"full", "$default"}
    stage = by_name["full"]
    route_settings = stage["RouteSettings"]["GET /a"]
    assert route_settings["ThrottlingBurstLimit"] == 1
    assert {name: stage[name] for name in wanted if name != "RouteSettings"} == {
        name: value for name, value in wanted.items() if name != "RouteSettings"
    }
    assert members(created) == stage == members(apigatewayv2.get_stage(ApiId=api, StageName="full"))


def test_update_stage_merges(apigatewayv2):
    api = setups.http_api(apigatewayv2, "http://backend.example/", "GET /a")
    apigatewayv2.create_stage(ApiId=api, StageName="dev", Description="kept", StageVariables={"a": "1", "b": "2"})
    stage = apigatewayv2.update_stage(ApiId=api, StageName="dev", StageVariables={"a": "3", "b": ""})
    assert stage["StageVariables"] == {"a": "3"}
    assert stage["Description"] == "kept"
    stage = apigatewayv2.update_stage(ApiId=api, StageName="dev", StageVariables={}, DefaultRouteSettings={"ThrottlingBurstLimit": 9})
    assert stage["StageVariables"] == {"a": "3"}
    assert stage["DefaultRouteSettings"] == {"DetailedMetricsEnabled": False, "ThrottlingBurstLimit": 9}


def test_auto_deploy(apigatewayv2):
    api = setups.http_api(apigatewayv2, "http://backend.example/", "GET /a")

    def deployed():
        return apigatewayv2.get_stage(ApiId=api, StageName="$default").get("DeploymentId")

    first = eventually(deployed)
    deployment = apigatewayv2.get_deployment(ApiId=api, DeploymentId=first)
    assert deployment["AutoDeployed"] is True
    assert deployment["DeploymentStatus"] == "DEPLOYED"
    assert deployment["Description"] == "Automatic deployment triggered by changes to the Api configuration"
    (integration,) = apigatewayv2.get_integrations(ApiId=api)["Items"]
    apigatewayv2.create_route(ApiId=api, RouteKey="GET /b", Target=f"integrations/{integration['IntegrationId']}")
    eventually(lambda: deployed() != first)
    stage = apigatewayv2.get_stage(ApiId=api, StageName="$default")
    assert stage["LastDeploymentStatusMessage"] == f"Successfully deployed stage with deployment ID '{stage['DeploymentId']}'"
    refused(
        "BadRequestException", 400, "", apigatewayv2.update_stage, ApiId=api, StageName="$default", DeploymentId=first
    )


def test_deployments(apigatewayv2):
    api = apigatewayv2.create_api(Name="shop", ProtocolType="HTTP")["ApiId"]
    refused(
        "BadRequestException", 400, "Unable to deploy API because no routes exist in this API",
        apigatewayv2.create_deployment, ApiId=api,
    )
    setup = setups.http_api(apigatewayv2, "http://backend.example/", "GET /a")
    made = members(apigatewayv2.create_deployment(ApiId=setup, Description="by hand"))
    assert made["DeploymentStatus"] == "DEPLOYED"
    assert made["Description"] == "by hand"
    assert made["DeploymentId"] in {item["DeploymentId"] for item in apigatewayv2.get_deployments(ApiId=setup)["Items"]}
    deleted = apigatewayv2.delete_deployment(ApiId=setup, DeploymentId=made["DeploymentId"])
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204


@pytest.mark.parametrize("name", ["no blanks", "a" * 129, "$other", ""])
def test_stage_names(apigatewayv2, name):
    api = apigatewayv2.create_api(Name="shop", ProtocolType="HTTP")["ApiId"]
    refused("BadRequestException", 400, "", apigatewayv2.create_stage, ApiId=api, StageName=name)


def test_stage_refusals(apigatewayv2):
    api = setups.http_api(apigatewayv2, "http://backend.example/", "GET /a")
    refused("ConflictException", 409, "", apigatewayv2.create_stage, ApiId=api, StageName="$default")
    refused("NotFoundException", 404, "Invalid stage identifier specified", apigatewayv2.get_stage, ApiId=api, StageName="nosuch")
    refused(
        "NotFoundException", 404, "Unable to find Route by key GET /x within the provided RouteSettings",
        apigatewayv2.create_stage, ApiId=api, StageName="dev", RouteSettings={"GET /x": {"ThrottlingBurstLimit": 1}},
    )
    refused(
        "BadRequestException", 400, "Execution logs are not supported on protocolType HTTP",
        apigatewayv2.create_stage, ApiId=api, StageName="dev", DefaultRouteSettings={"LoggingLevel": "INFO"},
    )


def test_delete_stage(apigatewayv2):
    api = setups.http_api(apigatewayv2, "http://backend.example/", "GET /a")
    assert apigatewayv2.delete_stage(ApiId=api, StageName="$default")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert apigatewayv2.get_stages(ApiId=api)["Items"] == []


def test_stages_are_in_the_region_of_the_signature(server, apigatewayv2):
    api = setups.http_api(apigatewayv2, "http://backend.example/", "GET /a")
    elsewhere = client(server, "apigatewayv2", region="us-west-2")
    assert REGION != "us-west-2"
    refused("NotFoundException", 404, "Invalid API identifier specified", elsewhere.get_stages, ApiId=api)
