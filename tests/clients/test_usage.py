"""API keys, usage plans, quotas and caches of REST API stages: counters that GetUsage shows and that restarts keep."""

import datetime

import botocore.exceptions
import pytest

import setups
from conftest import client, execute_api
from server import Server


@pytest.fixture
def own_server(tmp_path):
    """A server that this test may restart."""
    with Server(tmp_path / "data") as running:
        yield running


def keyed_api(apigateway):
    """A REST API with `GET /hello` that requires an API key, deployed to `prod`."""
    api, root = setups.rest_api(apigateway)
    where = setups.resource(apigateway, api, root, "hello")
    setups.mock_method(apigateway, api, where)
    apigateway.update_method(
        restApiId=api, resourceId=where, httpMethod="GET",
        patchOperations=[{"op": "replace", "path": "/apiKeyRequired", "value": "true"}],
    )
    apigateway.create_deployment(restApiId=api, stageName="prod")
    return api


def plan_with_key(apigateway, api, **plan):
    """A usage plan for the API's stage, and a key of it."""
    plan = apigateway.create_usage_plan(name="plan", apiStages=[{"apiId": api, "stage": "prod"}], **plan)["id"]
    key = apigateway.create_api_key(name="key", enabled=True)
    apigateway.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    return plan, key


def statuses(server, api, key, times):
    return [execute_api(server, api, "GET", "/prod/hello", {"x-api-key": key["value"]}).status for _ in range(times)]


def usage(apigateway, plan, key):
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    items = apigateway.get_usage(usagePlanId=plan, startDate=today, endDate=today)["items"]
    return items[key["id"]]


def test_a_key_opens_the_stages_of_its_plan(server, apigateway):
    api = keyed_api(apigateway)
    plan, key = plan_with_key(apigateway, api)
    assert statuses(server, api, key, 1) == [200]
    for headers in ({}, {"x-api-key": "unknown"}):
        answer = execute_api(server, api, "GET", "/prod/hello", headers)
        assert (answer.status, answer.json) == (403, {"message": "Forbidden"})
        assert answer.headers["x-amzn-errortype"] == "ForbiddenException"
    disable = [{"op": "replace", "path": "/enabled", "value": "false"}]
    apigateway.update_api_key(apiKey=key["id"], patchOperations=disable)
    assert statuses(server, api, key, 1) == [403]


def test_a_quota(server, apigateway):
    api = keyed_api(apigateway)
    plan, key = plan_with_key(apigateway, api, quota={"limit": 3, "period": "DAY"})
    assert statuses(server, api, key, 4) == [200, 200, 200, 429]
    answer = execute_api(server, api, "GET", "/prod/hello", {"x-api-key": key["value"]})
    assert (answer.status, answer.json) == (429, {"message": "Limit Exceeded"})
    assert answer.headers["x-amzn-errortype"] == "LimitExceededException"
    assert usage(apigateway, plan, key) == [[5, 0]]
    granted = apigateway.update_usage(
        usagePlanId=plan, keyId=key["id"], patchOperations=[{"op": "replace", "path": "/remaining", "value": "2"}]
    )
    assert granted["items"][key["id"]] == [[5, 2]]
    assert statuses(server, api, key, 3) == [200, 200, 429]
    assert usage(apigateway, plan, key) == [[8, 0]]


def test_usage_of_several_keys_comes_in_pages(server, apigateway):
    api = keyed_api(apigateway)
    plan, first = plan_with_key(apigateway, api)
    keys = [first]
    for number in range(2):
        keys.append(apigateway.create_api_key(name=f"more{number}", enabled=True))
        apigateway.create_usage_plan_key(usagePlanId=plan, keyId=keys[-1]["id"], keyType="API_KEY")
    for times, key in enumerate(keys, 1):
        statuses(server, api, key, times)
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    pages = apigateway.get_paginator("get_usage").paginate(
        usagePlanId=plan, startDate=today, endDate=today, PaginationConfig={"PageSize": 1}
    )
    seen = {}
    for page in pages:
        assert len(page["items"]) == 1
        seen |= page["items"]
    assert seen == {key["id"]: [[times, 0]] for times, key in enumerate(keys, 1)}
    one = apigateway.get_usage(usagePlanId=plan, keyId=first["id"], startDate=today, endDate=today)
    assert one["items"] == {first["id"]: [[1, 0]]}


def test_counters_survive_a_restart(own_server):
    apigateway = client(own_server, "apigateway")
    api = keyed_api(apigateway)
    plan, key = plan_with_key(apigateway, api, quota={"limit": 5, "period": "MONTH"})
    assert statuses(own_server, api, key, 3) == [200] * 3
    own_server.restart()
    assert usage(client(own_server, "apigateway"), plan, key) == [[3, 2]]
    assert statuses(own_server, api, key, 3) == [200, 200, 429]


def test_throttles_of_plan_and_stage(server, apigateway):
    api = keyed_api(apigateway)
    plan, key = plan_with_key(apigateway, api, throttle={"rateLimit": 0.001, "burstLimit": 2})
    assert statuses(server, api, key, 3) == [200, 200, 429]
    apigateway.update_usage_plan(usagePlanId=plan, patchOperations=[{"op": "remove", "path": "/throttle"}])
    assert statuses(server, api, key, 2) == [200, 200]
    apigateway.update_stage(
        restApiId=api, stageName="prod",
        patchOperations=[{"op": "replace", "path": "/hello/GET/throttling/rateLimit", "value": "0"}],
    )
    answer = execute_api(server, api, "GET", "/prod/hello", {"x-api-key": key["value"]})
    assert (answer.status, answer.json) == (429, {"message": "Too Many Requests"})


def test_a_cache_is_flushed(server, apigateway):
    api = setups.deployed_mock(
        apigateway, parameters={"method.response.header.X-Made-For": "context.requestId"}
    )
    apigateway.update_stage(
        restApiId=api, stageName="prod",
        patchOperations=[
            {"op": "replace", "path": "/cacheClusterEnabled", "value": "true"},
            {"op": "replace", "path": "/*/*/caching/enabled", "value": "true"},
        ],
    )
    made_for = lambda: execute_api(server, api, "GET", "/prod/hello").headers["x-made-for"]  # noqa: E731
    first = made_for()
    assert made_for() == first
    apigateway.flush_stage_cache(restApiId=api, stageName="prod")
    assert made_for() != first


def test_an_unknown_plan(apigateway):
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        apigateway.get_usage(usagePlanId="nosuch", startDate="2024-01-01", endDate="2024-01-02")
    assert refused.value.response["Error"]["Code"] == "NotFoundException"
