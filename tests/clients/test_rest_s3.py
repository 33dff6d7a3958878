"""AWS integrations of a REST API with S3: a real S3 server accepts the signed calls, bytes stay bytes."""

import pytest

import setups
from conftest import client, execute_api
from object_store import BUCKET, KEY, SECRET, ObjectStore
from server import Server

PNG = bytes([0x89, 0x50, 0x4E, 0x47, 0xFF, 0x00])


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    with ObjectStore(tmp_path_factory.mktemp("objects")) as running:
        yield running


@pytest.fixture(scope="module")
def stage(tmp_path_factory, objects):
    """A server whose integrations with S3 lead to the object store, and an API in front of its bucket."""
    options = ("--service-endpoints", f"s3={objects.url}", "--service-key", f"{KEY}:{SECRET}")
    with Server(tmp_path_factory.mktemp("data"), *options) as server:
        apigateway = client(server, "apigateway")
        api = apigateway.create_rest_api(name="objects", binaryMediaTypes=["image/png"])
        resource = setups.resource(apigateway, api["id"], api["rootResourceId"], "{key}")
        for verb in ("GET", "PUT", "DELETE"):
            method(apigateway, api["id"], resource, verb)
        apigateway.create_deployment(restApiId=api["id"], stageName="prod")
        yield server, api["id"]


def method(apigateway, api, resource, verb):
    address = {"restApiId": api, "resourceId": resource, "httpMethod": verb}
    types = {"method.request.header.Content-Type": False, "method.request.path.key": True}
    apigateway.put_method(**address, authorizationType="NONE", requestParameters=types)
    apigateway.put_integration(
        **address,
        type="AWS",
        integrationHttpMethod=verb,
        uri=f"arn:aws:apigateway:eu-west-1:s3:path/{BUCKET}/{{key}}",
        credentials="arn:aws:iam::000000000000:role/objects",
        requestParameters={
            "integration.request.path.key": "method.request.path.key",
            "integration.request.header.Content-Type": "method.request.header.Content-Type",
        },
    )
    for status, pattern in (("200", None), ("404", "404")):
        name = "method.response.header.Content-Type"
        apigateway.put_method_response(**address, statusCode=status, responseParameters={name: False})
        chosen = {"selectionPattern": pattern} if pattern else {}
        apigateway.put_integration_response(
            **address,
            statusCode=status,
            responseParameters={name: "integration.response.header.Content-Type"},
            **chosen,
        )


def test_bytes_are_stored_and_fetched(stage, objects):
    server, api = stage
    image = {"Content-Type": "image/png", "Accept": "image/png"}
    assert execute_api(server, api, "PUT", "/prod/a%20b.png", image, PNG).status == 200
    assert objects.client.get_object(Bucket=BUCKET, Key="a b.png")["Body"].read() == PNG
    answer = execute_api(server, api, "GET", "/prod/a%20b.png", image)
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, PNG, "image/png")


def test_bytes_for_a_client_of_text_are_base64(stage, objects):
    server, api = stage
    objects.client.put_object(Bucket=BUCKET, Key="b.png", Body=PNG, ContentType="image/png")
    assert execute_api(server, api, "GET", "/prod/b.png").body == b"iVBOR/8A"


def test_bytes_that_are_no_media_type_of_the_api_are_text(stage, objects):
    server, api = stage
    execute_api(server, api, "PUT", "/prod/c", {"Content-Type": "application/octet-stream"}, PNG)
    stored = objects.client.get_object(Bucket=BUCKET, Key="c")["Body"].read()
    assert stored == PNG.decode("utf-8", "replace").encode()


def test_what_is_not_there(stage):
    server, api = stage
    answer = execute_api(server, api, "GET", "/prod/none.txt")
    assert answer.status == 404
    assert b"NoSuchKey" in answer.body
