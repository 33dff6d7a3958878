"""API Gateway v1 through boto3: REST APIs, resources, methods, integrations, deployments, stages."""

import datetime
import re

import pytest
from botocore.exceptions import ClientError

import setups
from conftest import ACCOUNT, client
from expect import members, refused


# === REST APIs ===


def test_create_rest_api_answers_what_aws_answers(apigateway):
    answer = apigateway.create_rest_api(name="pets")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    api = members(answer)
    assert re.fullmatch(r"[a-z0-9]{10}", api.pop("id"))
    assert re.fullmatch(r"[a-z0-9]{10}", api.pop("rootResourceId"))
    age = datetime.datetime.now(datetime.timezone.utc) - api.pop("createdDate")
    assert abs(age) < datetime.timedelta(minutes=1)
    assert api == {
        "name": "pets",
        "apiKeySource": "HEADER",
        "endpointConfiguration": {"types": ["EDGE"], "ipAddressType": "ipv4"},
        "disableExecuteApiEndpoint": False,
    }


def test_answers_carry_a_request_id(apigateway):
    headers = apigateway.get_rest_apis()["ResponseMetadata"]["HTTPHeaders"]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", headers["x-amzn-requestid"])
    assert headers["content-type"] == "application/json"


def test_get_rest_api_has_tags_even_when_there_are_none(apigateway):
    created = apigateway.create_rest_api(name="plain", description="what it is for", version="1")
    assert "tags" not in created
    found = members(apigateway.get_rest_api(restApiId=created["id"]))
    assert found.pop("tags") == {}
    assert found == members(created)


def test_rest_api_with_every_member(apigateway):
    wanted = {
        "name": "full",
        "description": "all of it",
        "version": "2",
        "binaryMediaTypes": ["image/png"],
        "minimumCompressionSize": 1024,
        "apiKeySource": "AUTHORIZER",
        "endpointConfiguration": {"types": ["REGIONAL"], "ipAddressType": "dualstack"},
        "disableExecuteApiEndpoint": True,
        "tags": {"team": "stage", "empty": ""},
    }
    created = apigateway.create_rest_api(**wanted)
    assert {name: created[name] for name in wanted} == wanted
    found = apigateway.get_rest_api(restApiId=created["id"])
    assert {name: found[name] for name in wanted} == wanted


def test_rest_apis_are_listed_page_by_page(server):
    # A region of its own, so that other tests' APIs are not in the list.
    apigateway = client(server, "apigateway", region="eu-west-1")
    ids = {apigateway.create_rest_api(name=f"api-{number}")["id"] for number in range(7)}
    pages = list(apigateway.get_paginator("get_rest_apis").paginate(PaginationConfig={"PageSize": 3}))
    assert [len(page["items"]) for page in pages] == [3, 3, 1]
    assert {api["id"] for page in pages for api in page["items"]} == ids
    assert "position" not in pages[-1]


def test_delete_rest_api(apigateway):
    api, _ = setups.rest_api(apigateway)
    assert apigateway.delete_rest_api(restApiId=api)["ResponseMetadata"]["HTTPStatusCode"] == 202
    unknown = f"Invalid API identifier specified {ACCOUNT}:{api}"
    refused("NotFoundException", 404, unknown, apigateway.get_rest_api, restApiId=api)
    refused("NotFoundException", 404, unknown, apigateway.delete_rest_api, restApiId=api)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"description": ""}, "Description cannot be an empty string"),
        ({"minimumCompressionSize": -1}, "Invalid minimum compression size, must be between 0 and 10485760"),
        ({"minimumCompressionSize": 10485761}, "Invalid minimum compression size, must be between 0 and 10485760"),
        ({"endpointConfiguration": {"types": []}}, "REGIONAL Configuration and EDGE Configuration cannot be both DISABLED."),
        (
            {"endpointConfiguration": {"types": ["EDGE", "REGIONAL"]}},
            "Cannot create an api with multiple Endpoint Types.",
        ),
        (
            {"endpointConfiguration": {"types": ["PRIVATE"], "ipAddressType": "ipv4"}},
            "Only dualstack ipAddressType is supported for Private APIs.",
        ),
    ],
)
def test_rest_api_refusals(apigateway, arguments, message):
    refused("BadRequestException", 400, message, apigateway.create_rest_api, name="wrong", **arguments)


def test_framework_checks_come_first_and_in_awss_words(apigateway):
    refused(
        "ValidationException",
        400,
        "1 validation error detected: Value '[wrong]' at 'createRestApiInput.endpointConfiguration.types' failed to satisfy "
        "constraint: Member must satisfy constraint: [Member must satisfy enum value set: [PRIVATE, EDGE, REGIONAL]]",
        apigateway.create_rest_api,
        name="wrong",
        description="",
        endpointConfiguration={"types": ["wrong"]},
    )


def test_regions_and_apis_are_apart(server, apigateway):
    api, _ = setups.rest_api(apigateway)
    elsewhere = client(server, "apigateway", region="ap-south-1")
    refused("NotFoundException", 404, "Invalid API identifier specified", elsewhere.get_rest_api, restApiId=api)


# === resources ===


def test_resources(apigateway):
    api, root = setups.rest_api(apigateway)
    pets = members(apigateway.create_resource(restApiId=api, parentId=root, pathPart="pets"))
    assert re.fullmatch(r"[a-z0-9]{6}", pets["id"])
    assert pets == {"id": pets["id"], "parentId": root, "pathPart": "pets", "path": "/pets"}
    one = members(apigateway.create_resource(restApiId=api, parentId=pets["id"], pathPart="{petId}"))
    assert one["path"] == "/pets/{petId}"
    assert members(apigateway.get_resource(restApiId=api, resourceId=root)) == {"id": root, "path": "/"}
    listed = apigateway.get_resources(restApiId=api)["items"]
    assert sorted(item["path"] for item in listed) == ["/", "/pets", "/pets/{petId}"]
    setups.mock_method(apigateway, api, one["id"])
    by_path = {item["path"]: item for item in apigateway.get_resources(restApiId=api)["items"]}
    assert by_path["/pets/{petId}"]["resourceMethods"] == {"GET": {}}
    assert "resourceMethods" not in by_path["/pets"]
    deleted = apigateway.delete_resource(restApiId=api, resourceId=pets["id"])
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert [item["path"] for item in apigateway.get_resources(restApiId=api)["items"]] == ["/"]


def test_resource_refusals(apigateway):
    api, root = setups.rest_api(apigateway)
    create = apigateway.create_resource
    refused(
        "NotFoundException", 404, "Invalid Resource identifier specified",
        create, restApiId=api, parentId="nosuch", pathPart="x",
    )
    setups.resource(apigateway, api, root, "pets")
    refused(
        "ConflictException", 409, "Another resource with the same parent already has this name: pets",
        create, restApiId=api, parentId=root, pathPart="pets",
    )
    greedy = setups.resource(apigateway, api, root, "{proxy+}")
    refused(
        "BadRequestException", 400, "Cannot create a child of a resource with a greedy path variable: {proxy+}",
        create, restApiId=api, parentId=greedy, pathPart="child",
    )
    refused(
        "BadRequestException", 400,
        "A sibling ({proxy+}) of this resource already has a variable path part -- only one is allowed",
        create, restApiId=api, parentId=root, pathPart="{id}",
    )
    refused(
        "BadRequestException", 400, "Resource's path part only allow",
        create, restApiId=api, parentId=root, pathPart="no blanks",
    )


# === methods and integrations ===


def test_method_and_integration_defaults(apigateway):
    api, root = setups.rest_api(apigateway)
    address = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    method = apigateway.put_method(**address, authorizationType="none")
    assert method["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert members(method) == {"httpMethod": "GET", "authorizationType": "NONE", "apiKeyRequired": False}
    mock = apigateway.put_integration(
        **address, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}
    )
    assert members(mock) == {
        "type": "MOCK",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "passthroughBehavior": "WHEN_NO_MATCH",
        "timeoutInMillis": 29000,
        "cacheNamespace": root,
        "cacheKeyParameters": [],
    }
    proxy = apigateway.put_integration(
        **address, type="HTTP_PROXY", integrationHttpMethod="GET", uri="http://example.com/pets"
    )
    assert members(proxy) == {
        "type": "HTTP_PROXY",
        "httpMethod": "GET",
        "uri": "http://example.com/pets",
        "connectionType": "INTERNET",
        "passthroughBehavior": "WHEN_NO_MATCH",
        "timeoutInMillis": 29000,
        "cacheNamespace": root,
        "cacheKeyParameters": [],
    }


def test_get_method_nests_what_belongs_to_it(apigateway):
    api, root = setups.rest_api(apigateway)
    setups.mock_method(apigateway, api, root)
    method = apigateway.get_method(restApiId=api, resourceId=root, httpMethod="GET")
    assert method["methodResponses"]["200"]["statusCode"] == "200"
    integration = method["methodIntegration"]
    assert integration["type"] == "MOCK"
    assert integration["integrationResponses"]["200"]["responseTemplates"] == {"application/json": '{"answer": "mock"}'}
    answer = apigateway.get_integration_response(restApiId=api, resourceId=root, httpMethod="GET", statusCode="200")
    assert answer["statusCode"] == "200"


def test_deleting_parts_of_a_method(apigateway):
    api, root = setups.rest_api(apigateway)
    setups.mock_method(apigateway, api, root)
    address = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    for call, extra in [
        (apigateway.delete_integration_response, {"statusCode": "200"}),
        (apigateway.delete_method_response, {"statusCode": "200"}),
        (apigateway.delete_integration, {}),
        (apigateway.delete_method, {}),
    ]:
        assert call(**address, **extra)["ResponseMetadata"]["HTTPStatusCode"] == 204
    refused("NotFoundException", 404, "Invalid Method identifier specified", apigateway.delete_method, **address)
    refused("NotFoundException", 404, "Invalid Method identifier specified", apigateway.get_method, **address)


def test_method_and_integration_refusals(apigateway):
    api, root = setups.rest_api(apigateway)
    address = {"restApiId": api, "resourceId": root}
    refused(
        "BadRequestException", 400, "Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY",
        apigateway.put_method, **address, httpMethod="FETCH", authorizationType="NONE",
    )
    refused(
        "BadRequestException", 400, "Invalid authorizer ID specified.",
        apigateway.put_method, **address, httpMethod="GET", authorizationType="CUSTOM",
    )
    refused(
        "NotFoundException", 404, "Invalid Method identifier specified",
        apigateway.put_integration, **address, httpMethod="GET", type="MOCK",
    )
    apigateway.put_method(**address, httpMethod="GET", authorizationType="NONE")
    refused(
        "ConflictException", 409, "Method already exists for this resource",
        apigateway.put_method, **address, httpMethod="GET", authorizationType="NONE",
    )
    here = {**address, "httpMethod": "GET"}
    put = apigateway.put_integration
    refused("BadRequestException", 400, "Enumeration value for HttpMethod must be non-empty", put, **here, type="HTTP_PROXY", uri="http://x.example")
    refused("BadRequestException", 400, "Invalid HTTP endpoint specified for URI", put, **here, type="HTTP_PROXY", integrationHttpMethod="GET", uri="nowhere")
    refused(
        "ValidationException", 400,
        "Value 'wrong' at 'putIntegrationInput.type' failed to satisfy constraint: Member must satisfy enum value set: "
        "[HTTP, MOCK, AWS_PROXY, HTTP_PROXY, AWS]",
        put, **here, type="wrong",
    )
    refused(
        "ValidationException", 400,
        r"Value 'wrong' at 'statusCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [1-5]\d\d",
        apigateway.put_method_response, **here, statusCode="wrong",
    )
    refused(
        "NotFoundException", 404, "Invalid Integration identifier specified",
        apigateway.get_integration, **here,
    )


# === deployments and stages ===


def test_create_deployment_needs_methods_with_integrations(apigateway):
    api, root = setups.rest_api(apigateway)
    refused(
        "BadRequestException", 400, "The REST API doesn't contain any methods",
        apigateway.create_deployment, restApiId=api,
    )
    apigateway.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    refused(
        "BadRequestException", 400, "No integration defined for method",
        apigateway.create_deployment, restApiId=api,
    )


def test_stage_defaults(apigateway):
    api, root = setups.rest_api(apigateway)
    setups.mock_method(apigateway, api, root)
    deployment = apigateway.create_deployment(restApiId=api, description="first")
    assert set(members(deployment)) == {"id", "createdDate", "description"}
    assert re.fullmatch(r"[a-z0-9]{6}", deployment["id"])
    stage = members(apigateway.create_stage(restApiId=api, stageName="dev", deploymentId=deployment["id"]))
    assert stage.pop("createdDate") == stage.pop("lastUpdatedDate")
    assert stage == {
        "deploymentId": deployment["id"],
        "stageName": "dev",
        "cacheClusterEnabled": False,
        "cacheClusterStatus": "NOT_AVAILABLE",
        "methodSettings": {},
        "tracingEnabled": False,
    }


def test_get_stages_returns_every_member(apigateway):
    """All members that `aws apigateway get-stages` prints survive a round trip."""
    api, root = setups.rest_api(apigateway)
    setups.mock_method(apigateway, api, root)
    deployment = apigateway.create_deployment(restApiId=api)["id"]
    wanted = {
        "deploymentId": deployment,
        "stageName": "full",
        "description": "all of it",
        "variables": {"host": "backend.example", "path": "a/b?c=d"},
        "documentationVersion": "1",
        "cacheClusterEnabled": True,
        "cacheClusterSize": "0.5",
        "tracingEnabled": True,
        "canarySettings": {
            "percentTraffic": 12.5,
            "deploymentId": deployment,
            "stageVariableOverrides": {"host": "canary.example"},
            "useStageCache": True,
        },
        "tags": {"team": "stage"},
    }
    create = {name: value for name, value in wanted.items() if name != "documentationVersion"}
    created = apigateway.create_stage(restApiId=api, **create)
    assert {name: created[name] for name in create} == create
    apigateway.update_stage(
        restApiId=api,
        stageName="full",
        patchOperations=[
            {"op": "replace", "path": "/accessLogSettings/destinationArn", "value": "arn:aws:logs:us-east-1:000000000000:log-group:x"},
            {"op": "replace", "path": "/accessLogSettings/format", "value": "$context.requestId"},
            {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "10"},
            {"op": "replace", "path": "/*/*/metrics/enabled", "value": "true"},
        ],
    )
    stages = apigateway.get_stages(restApiId=api)["item"]
    assert [stage["stageName"] for stage in stages] == ["full"]
    stage = stages[0]
    assert {name: stage[name] for name in create} == create
    assert stage["cacheClusterStatus"] in ("CREATE_IN_PROGRESS", "AVAILABLE")
    assert stage["accessLogSettings"] == {
        "destinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:x",
        "format": "$context.requestId",
    }
    assert stage["methodSettings"]["*/*"] == {
        "metricsEnabled": True,
        "dataTraceEnabled": False,
        "throttlingBurstLimit": 5000,
        "throttlingRateLimit": 10.0,
        "cachingEnabled": False,
        "cacheTtlInSeconds": 300,
        "cacheDataEncrypted": False,
        "requireAuthorizationForCacheControl": True,
        "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
    }
    assert members(apigateway.get_stage(restApiId=api, stageName="full")) == stage


def test_update_stage_patches(apigateway):
    api = setups.deployed_mock(apigateway, stage="dev")

    def patch(*operations):
        return apigateway.update_stage(restApiId=api, stageName="dev", patchOperations=list(operations))

    before = apigateway.get_stage(restApiId=api, stageName="dev")
    stage = patch(
        {"op": "replace", "path": "/description", "value": "new"},
        {"op": "replace", "path": "/variables/colour", "value": "green"},
        {"op": "replace", "path": "/variables/size", "value": "9"},
        {"op": "replace", "path": "/hello/GET/throttling/burstLimit", "value": "7"},
        {"op": "replace", "path": "/a~1b/GET/caching/ttlInSeconds", "value": "60"},
    )
    assert stage["description"] == "new"
    assert stage["variables"] == {"colour": "green", "size": "9"}
    assert stage["methodSettings"]["hello/GET"]["throttlingBurstLimit"] == 7
    assert stage["methodSettings"]["a~1b/GET"]["cacheTtlInSeconds"] == 60
    assert stage["lastUpdatedDate"] >= before["lastUpdatedDate"]
    stage = patch({"op": "remove", "path": "/variables/size"}, {"op": "remove", "path": "/hello/GET"})
    assert stage["variables"] == {"colour": "green"}
    assert set(stage["methodSettings"]) == {"a~1b/GET"}
    with pytest.raises(ClientError) as caught:
        patch({"op": "replace", "path": "/nothing/like/it", "value": "x"})
    assert caught.value.response["Error"]["Message"].startswith(
        "Invalid method setting path: /nothing/like/it. Must be one of: [/deploymentId, /description,"
    )
    with pytest.raises(ClientError) as caught:
        patch({"op": "wrong_op", "path": "/description", "value": "x"})
    assert "at 'updateStageInput.patchOperations.1.member.op' failed" in caught.value.response["Error"]["Message"]


def test_canary_promotion(apigateway):
    api = setups.deployed_mock(apigateway, stage="live")
    first = apigateway.get_stage(restApiId=api, stageName="live")["deploymentId"]
    canary = apigateway.create_deployment(
        restApiId=api,
        stageName="live",
        canarySettings={"percentTraffic": 25.0, "stageVariableOverrides": {"colour": "blue"}},
    )["id"]
    stage = apigateway.get_stage(restApiId=api, stageName="live")
    assert stage["deploymentId"] == first
    assert stage["canarySettings"]["deploymentId"] == canary
    assert stage["canarySettings"]["percentTraffic"] == 25.0
    promoted = apigateway.update_stage(
        restApiId=api,
        stageName="live",
        patchOperations=[
            {"op": "copy", "from": "/canarySettings/deploymentId", "path": "/deploymentId"},
            {"op": "copy", "from": "/canarySettings/stageVariableOverrides", "path": "/variables"},
        ],
    )
    assert promoted["deploymentId"] == canary
    assert promoted["variables"] == {"colour": "blue"}
    assert "canarySettings" in promoted


def test_stage_refusals(apigateway):
    api = setups.deployed_mock(apigateway, stage="dev")
    deployment = apigateway.get_stage(restApiId=api, stageName="dev")["deploymentId"]
    create = apigateway.create_stage
    refused("ConflictException", 409, "Stage already exists", create, restApiId=api, stageName="dev", deploymentId=deployment)
    refused("BadRequestException", 400, "Deployment id does not exist", create, restApiId=api, stageName="new", deploymentId="nosuch")
    refused("NotFoundException", 404, "Invalid Stage identifier specified", apigateway.get_stage, restApiId=api, stageName="nosuch")
    refused(
        "BadRequestException", 400, "Active stages pointing to this deployment must be moved or deleted",
        apigateway.delete_deployment, restApiId=api, deploymentId=deployment,
    )


def test_delete_stage(apigateway):
    api = setups.deployed_mock(apigateway, stage="dev")
    assert apigateway.delete_stage(restApiId=api, stageName="dev")["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert apigateway.get_stages(restApiId=api)["item"] == []


def test_get_stages_of_one_deployment(apigateway):
    api = setups.deployed_mock(apigateway, stage="one")
    second = apigateway.create_deployment(restApiId=api, stageName="two")["id"]
    stages = apigateway.get_stages(restApiId=api, deploymentId=second)["item"]
    assert [stage["stageName"] for stage in stages] == ["two"]


def test_an_id_can_be_chosen(apigateway):
    api = apigateway.create_rest_api(name="chosen", tags={"stagedoor:id": "mychosen01"})
    assert api["id"] == "mychosen01"
