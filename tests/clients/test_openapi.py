"""REST APIs as OpenAPI through boto3: imported, deployed, called, exported, imported again; the generated client in Node.js."""

import io
import json
import subprocess
import zipfile

import pytest
import yaml
from botocore.exceptions import ClientError

from conftest import execute_api

PET = {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}}


def integration(status, template, parameters=None):
    """A mock integration that answers a template."""
    response = {"statusCode": status, "responseTemplates": {"application/json": template}}
    if parameters:
        response["responseParameters"] = parameters
    return {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": %s}' % status},
        "passthroughBehavior": "when_no_match",
        "responses": {"default": response},
    }


def petstore_oas30():
    def content(name):
        return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}

    return {
        "openapi": "3.0.1",
        "info": {"title": "PetStore", "version": "1.0", "description": "pets for sale"},
        "paths": {
            "/pets": {
                "get": {
                    "operationId": "listPets",
                    "parameters": [{"name": "page", "in": "query", "schema": {"type": "string"}}],
                    "responses": {"200": {
                        "description": "200 response",
                        "headers": {"X-Total": {"schema": {"type": "string"}}},
                        "content": content("Pets"),
                    }},
                    "x-amazon-apigateway-integration": integration(
                        "200", '[{"id": 1, "name": "Rex"}]', {"method.response.header.X-Total": "'1'"}
                    ),
                },
                "post": {
                    "operationId": "createPet",
                    "requestBody": {"content": content("Pet"), "required": True},
                    "responses": {"201": {"description": "201 response", "content": content("Pet")}},
                    "security": [{"api_key": []}],
                    "x-amazon-apigateway-integration": integration("201", '{"id": 2, "name": "Tom"}'),
                },
            },
            "/pets/{petId}": {"get": {
                "parameters": [{"name": "petId", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"200": {"description": "200 response", "content": content("Pet")}},
                "x-amazon-apigateway-integration": integration("200", '{"id": 1, "name": "Rex"}'),
            }},
        },
        "components": {
            "schemas": {"Pet": PET, "Pets": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}}},
            "securitySchemes": {"api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"}},
        },
    }


def petstore_swagger():
    def response(status, name, **members):
        return {status: {"description": f"{status} response", "schema": {"$ref": f"#/definitions/{name}"}, **members}}

    new = petstore_oas30()
    types = {"produces": ["application/json"]}
    pets, pet = new["paths"]["/pets"], new["paths"]["/pets/{petId}"]
    pets["get"].update(
        types,
        parameters=[{"name": "page", "in": "query", "type": "string"}],
        responses=response("200", "Pets", headers={"X-Total": {"type": "string"}}),
    )
    del pets["post"]["requestBody"]
    pets["post"].update(
        types,
        consumes=["application/json"],
        parameters=[{"name": "Pet", "in": "body", "required": True, "schema": {"$ref": "#/definitions/Pet"}}],
        responses=response("201", "Pet"),
    )
    pet["get"].update(
        types,
        parameters=[{"name": "petId", "in": "path", "required": True, "type": "string"}],
        responses=response("200", "Pet"),
    )
    return {
        "swagger": "2.0",
        "info": new["info"],
        "paths": new["paths"],
        "definitions": {"Pet": PET, "Pets": {"type": "array", "items": {"$ref": "#/definitions/Pet"}}},
        "securityDefinitions": new["components"]["securitySchemes"],
    }


PETSTORES = {"oas30": petstore_oas30, "swagger": petstore_swagger}


def export(apigateway, api, kind, accepts="application/json", extensions="apigateway"):
    answer = apigateway.get_export(
        restApiId=api, stageName="dev", exportType=kind, accepts=accepts, parameters={"extensions": extensions}
    )
    return answer, answer["body"].read()


def without_address(definition, api):
    """An export without what names the API."""
    return json.loads(json.dumps(definition).replace(api, "API"))


@pytest.mark.parametrize("kind", PETSTORES)
@pytest.mark.parametrize("dump", [json.dumps, yaml.safe_dump])
def test_petstore_goes_in_and_out_and_in_again(server, apigateway, kind, dump):
    answer = apigateway.import_rest_api(
        body=dump(PETSTORES[kind]()).encode(), parameters={"endpointConfigurationTypes": "REGIONAL"}
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert "warnings" not in answer
    assert (answer["name"], answer["version"], answer["description"]) == ("PetStore", "1.0", "pets for sale")
    assert answer["endpointConfiguration"]["types"] == ["REGIONAL"]
    first = answer["id"]
    apigateway.create_deployment(restApiId=first, stageName="dev")

    pets = execute_api(server, first, "GET", "/dev/pets")
    assert (pets.status, pets.json, pets.headers["x-total"]) == (200, [{"id": 1, "name": "Rex"}], "1")
    assert execute_api(server, first, "GET", "/dev/pets/1").json == {"id": 1, "name": "Rex"}
    method = apigateway.get_method(
        restApiId=first, resourceId=resource_id(apigateway, first, "/pets"), httpMethod="POST"
    )
    assert method["apiKeyRequired"] and method["requestModels"] == {"application/json": "Pet"}

    file, text = export(apigateway, first, kind)
    assert file["contentType"] == "application/octet-stream"
    assert file["contentDisposition"] == f'attachment; filename="{kind}_1.0.json"'
    exported = json.loads(text)
    _, text = export(apigateway, first, kind, accepts="application/yaml")
    assert yaml.safe_load(text) == exported

    second = apigateway.import_rest_api(body=json.dumps(exported).encode(), failOnWarnings=True)["id"]
    apigateway.create_deployment(restApiId=second, stageName="dev")
    _, text = export(apigateway, second, kind)
    assert without_address(json.loads(text), second) == without_address(exported, first)
    assert execute_api(server, second, "GET", "/dev/pets").json == [{"id": 1, "name": "Rex"}]


def resource_id(apigateway, api, path):
    items = apigateway.get_resources(restApiId=api, limit=500)["items"]
    return next(item["id"] for item in items if item["path"] == path)


def test_put_rest_api_changes_nothing_that_is_deployed(server, apigateway):
    api = apigateway.import_rest_api(body=json.dumps(petstore_oas30()).encode())["id"]
    apigateway.create_deployment(restApiId=api, stageName="dev")
    changed = petstore_oas30()
    del changed["paths"]["/pets/{petId}"]
    changed["x-amazon-apigateway-binary-media-types"] = ["image/png"]
    answer = apigateway.put_rest_api(restApiId=api, mode="overwrite", body=json.dumps(changed).encode())
    assert (answer["id"], answer["binaryMediaTypes"]) == (api, ["image/png"])
    paths = {item["path"] for item in apigateway.get_resources(restApiId=api)["items"]}
    assert paths == {"/", "/pets"}
    assert execute_api(server, api, "GET", "/dev/pets/1").status == 200
    apigateway.create_deployment(restApiId=api, stageName="dev")
    assert execute_api(server, api, "GET", "/dev/pets/1").status == 403


@pytest.mark.parametrize("body", [b" ", b"not: [a definition", b'{"swagger": "1.0"}', b"\xff\xfe"])
def test_what_is_no_definition_is_refused(apigateway, body):
    before = len(apigateway.get_rest_apis(limit=500)["items"])
    with pytest.raises(ClientError) as refusal:
        apigateway.import_rest_api(body=body)
    assert refusal.value.response["Error"] == {"Code": "BadRequestException", "Message": "Invalid OpenAPI input."}
    assert len(apigateway.get_rest_apis(limit=500)["items"]) == before


def test_warnings_refuse_if_asked(apigateway):
    definition = petstore_oas30()
    response = definition["paths"]["/pets"]["get"]["responses"]["200"]
    response["content"]["application/json"]["schema"] = {"$ref": "#/components/schemas/None"}
    body = json.dumps(definition).encode()
    assert apigateway.import_rest_api(body=body)["warnings"] == ["Reference to model 'None' not found. Ignoring."]
    with pytest.raises(ClientError) as refusal:
        apigateway.import_rest_api(body=body, failOnWarnings=True)
    assert refusal.value.response["Error"]["Message"].startswith("Warnings found during import:\n\t")


# === The generated client ===

# Calls the functions that its arguments name and prints what they answer, or why they do not.
DRIVER = """
const { apigClientFactory } = require("./apiGateway-js-sdk/apigClient.js");
(async () => {
  const results = [];
  for (const [config, name, params, body, more] of JSON.parse(process.argv[2])) {
    const client = apigClientFactory.newClient(config);
    try {
      const { status, data, headers } = await client[name](params, body, more);
      results.push({ status, data, headers });
    } catch (error) {
      const { status, data } = error.response || {};
      results.push({ error: error.message, status, data });
    }
  }
  console.log(JSON.stringify(results));
})();
"""


def test_the_javascript_client_calls_the_stage(server, apigateway, tmp_path):
    api = apigateway.import_rest_api(body=json.dumps(petstore_oas30()).encode())["id"]
    apigateway.create_deployment(restApiId=api, stageName="dev")
    sdk = apigateway.get_sdk(restApiId=api, stageName="dev", sdkType="javascript")
    assert sdk["contentDisposition"] == 'attachment; filename="javascript_1.0.zip"'
    with zipfile.ZipFile(io.BytesIO(sdk["body"].read())) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path)
    (tmp_path / "driver.js").write_text(DRIVER)
    key = apigateway.create_api_key(name="shopper", enabled=True)
    plan = apigateway.create_usage_plan(name="shoppers", apiStages=[{"apiId": api, "stage": "dev"}])
    apigateway.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
    signed = {"accessKey": "test", "secretKey": "test", "region": "us-east-1"}
    calls = [
        [{}, "petsGet", {"page": "a b"}, None, None],
        [{}, "listPets", {}, None, {"queryParams": {"more": "1"}, "headers": {"X-Other": "x"}}],
        [signed, "petsPetIdGet", {"petId": "a/ü!"}, None, None],
        [{}, "petsPetIdGet", {}, None, None],
        [{"apiKey": key["value"]}, "petsPost", {}, {"name": "Tom"}, None],
    ]
    output = subprocess.run(
        ["node", "driver.js", json.dumps(calls)], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    ).stdout
    pets, more, pet, missing, created = json.loads(output)
    assert (pets["status"], pets["data"], pets["headers"]["x-total"]) == (200, [{"id": 1, "name": "Rex"}], "1")
    assert (more["status"], more["data"]) == (200, pets["data"])
    assert (pet["status"], pet["data"]) == (200, {"id": 1, "name": "Rex"})
    assert missing == {"error": "petId is required"}
    assert (created["status"], created["data"]) == (201, {"id": 2, "name": "Tom"})


def test_the_client_signs_as_botocore_does(apigateway, tmp_path):
    api = apigateway.import_rest_api(body=json.dumps(petstore_oas30()).encode())["id"]
    apigateway.create_deployment(restApiId=api, stageName="dev")
    sdk = apigateway.get_sdk(restApiId=api, stageName="dev", sdkType="javascript")
    with zipfile.ZipFile(io.BytesIO(sdk["body"].read())) as archive:
        archive.extractall(tmp_path)
    (tmp_path / "sign.js").write_text(
        'require("./apiGateway-js-sdk/apigClient.js");'
        "const [request, config, time] = JSON.parse(process.argv[2]);"
        "console.log(JSON.stringify(apiGateway.core.sigV4Client.sign(request, config, new Date(time))));"
    )
    ours = sign_by_client(tmp_path)
    assert ours["Authorization"] == sign_by_botocore(ours["x-amz-date"])


REQUEST = {"verb": "POST", "url": "http://a.example:8080/dev/a%20b/%C3%BC?b=%2F&c=1", "body": '{"a": "ü"}'}


def sign_by_client(folder):
    request = {**REQUEST, "headers": {"Content-Type": "application/json", "x-other": "a  b"}}
    config = {"accessKey": "AKID", "secretKey": "secret", "sessionToken": "token", "region": "eu-west-1"}
    arguments = json.dumps([request, config, 1_700_000_000_000])
    output = subprocess.run(
        ["node", "sign.js", arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=True
    ).stdout
    return json.loads(output)


def sign_by_botocore(time):
    """The same request's `Authorization` by botocore's signer, at the time that the client chose."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    headers = {"Content-Type": "application/json", "x-other": "a  b", "X-Amz-Date": time, "X-Amz-Security-Token": "token"}
    request = AWSRequest("POST", REQUEST["url"], headers=headers, data=REQUEST["body"].encode())
    request.context["timestamp"] = time
    signer = SigV4Auth(Credentials("AKID", "secret", "token"), "execute-api", "eu-west-1")
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    names = signer.signed_headers(signer.headers_to_sign(request))
    return f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={names}, Signature={signature}"
