"""Mapping templates and TestInvokeMethod with boto3."""

import gzip
import json
import re

from conftest import execute_api


def test_methods_are_tried_before_they_are_deployed(apigateway):
    api = apigateway.create_rest_api(name="templates")["id"]
    root = apigateway.get_resources(restApiId=api)["items"][0]["id"]
    pets = apigateway.create_resource(restApiId=api, parentId=root, pathPart="pets")["id"]
    pet = apigateway.create_resource(restApiId=api, parentId=pets, pathPart="{petId}")["id"]
    method = {"restApiId": api, "resourceId": pet, "httpMethod": "POST"}
    apigateway.put_method(**method, authorizationType="AWS_IAM", apiKeyRequired=True)
    apigateway.put_method_response(**method, statusCode="200")
    apigateway.put_integration(
        **method, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}
    )
    template = (
        '#set($id = $input.params("petId"))'
        '{"petId": "$id", "colour": "$stageVariables.colour", "stage": "$context.stage"}'
    )
    apigateway.put_integration_response(
        **method, statusCode="200", responseTemplates={"application/json": template}
    )
    tested = apigateway.test_invoke_method(
        **method,
        pathWithQueryString="/pets/123?foo=bar",
        headers={"content-type": "application/json"},
        body='{"foo": "bar"}',
        stageVariables={"colour": "green"},
    )
    assert tested["status"] == 200
    assert json.loads(tested["body"]) == {"petId": "123", "colour": "green", "stage": "test-invoke-stage"}
    assert tested["headers"] == {"Content-Type": "application/json"}
    assert tested["multiValueHeaders"] == {"Content-Type": ["application/json"]}
    assert tested["latency"] >= 0
    lines = tested["log"].split("\n")
    assert re.fullmatch("Execution log for request [0-9a-f-]{36}", lines[0])
    said = [re.sub(r"^\w{3} \w{3} \d\d \d\d:\d\d:\d\d UTC \d{4} : ", "", line) for line in lines[2:]]
    answer = tested["body"]
    assert said == [
        "HTTP Method: POST, Resource Path: /pets/123",
        "Method request path: {petId=123}",
        "Method request query string: {foo=bar}",
        "Method request headers: {content-type=application/json}",
        'Method request body before transformations: {"foo": "bar"}',
        f"Method response body after transformations: {answer}",
        "Method response headers: {Content-Type=application/json}",
        "Successfully completed execution",
        "Method completed with status: 200",
        "",
    ]


def test_answers_are_compressed_from_the_size_that_is_set(server, apigateway):
    api = apigateway.create_rest_api(name="compressed", minimumCompressionSize=100)["id"]
    root = apigateway.get_resources(restApiId=api)["items"][0]["id"]
    for part, length in (("short", 99), ("long", 100)):
        where = apigateway.create_resource(restApiId=api, parentId=root, pathPart=part)["id"]
        method = {"restApiId": api, "resourceId": where, "httpMethod": "GET"}
        apigateway.put_method(**method, authorizationType="NONE")
        apigateway.put_method_response(**method, statusCode="200")
        apigateway.put_integration(**method, type="MOCK", requestTemplates={"application/json": "{statusCode: 200}"})
        apigateway.put_integration_response(
            **method, statusCode="200", responseTemplates={"application/json": "x" * length}
        )
    apigateway.create_deployment(restApiId=api, stageName="prod")
    accepting = {"Accept-Encoding": "gzip"}
    ask = lambda part, headers: execute_api(server, api, "GET", f"/prod/{part}", headers)
    long = ask("long", accepting)
    assert (long.headers["content-encoding"], gzip.decompress(long.body)) == ("gzip", b"x" * 100)
    for plain in (ask("short", accepting), ask("long", {})):
        assert "content-encoding" not in plain.headers
        assert set(plain.body) == {ord("x")}
    patch = [{"op": "replace", "path": "/minimumCompressionSize", "value": "0"}]
    apigateway.update_rest_api(restApiId=api, patchOperations=patch)
    apigateway.create_deployment(restApiId=api, stageName="prod")
    assert ask("short", accepting).headers["content-encoding"] == "gzip"
