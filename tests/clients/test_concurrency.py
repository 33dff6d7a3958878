"""Several clients at once: no update is lost, and whoever is refused is told so in AWS's words.

Each client is a thread with a boto3 client of its own that does not repeat what was refused. What a call answered must be
found afterwards; what was refused must have left nothing.
"""

import concurrent.futures
import json
import threading

import pytest
from botocore.exceptions import ClientError

import setups
from conftest import client

CLIENTS = 6
CALLS = 8
REFUSALS = {"ConflictException", "TooManyRequestsException"}


def together(server, service, act):
    """Lets `act(client, number)` run in several threads at once; what each returned."""
    start = threading.Barrier(CLIENTS)

    def run(number):
        caller = client(server, service)
        start.wait(30)
        return act(caller, number)

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(run, range(CLIENTS)))


def admitted(call, **arguments):
    """The answer, or None if the call was refused because of the others."""
    try:
        return call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] in REFUSALS, error
        return None


def test_patches_of_one_stage_are_not_lost(server, apigateway):
    api = setups.deployed_mock(apigateway, stage="busy")

    def act(caller, number):
        done = {}
        for call in range(CALLS):
            name = f"v{number}x{call}"
            patch = [{"op": "replace", "path": f"/variables/{name}", "value": str(call)}]
            answer = admitted(caller.update_stage, restApiId=api, stageName="busy", patchOperations=patch)
            if answer:
                assert answer["variables"][name] == str(call)
                done[name] = str(call)
        return done

    done = {name: value for each in together(server, "apigateway", act) for name, value in each.items()}
    assert done and apigateway.get_stage(restApiId=api, stageName="busy")["variables"] == done


def test_patches_of_one_rest_api_are_not_lost(server, apigateway):
    api, _ = setups.rest_api(apigateway)

    def act(caller, number):
        done = set()
        for call in range(CALLS):
            kind = f"image/n{number}c{call}"
            path = "/binaryMediaTypes/" + kind.replace("/", "~1")
            if admitted(caller.update_rest_api, restApiId=api, patchOperations=[{"op": "add", "path": path}]):
                done.add(kind)
        return done

    done = set().union(*together(server, "apigateway", act))
    assert done and set(apigateway.get_rest_api(restApiId=api)["binaryMediaTypes"]) == done


def test_one_name_is_given_once(server, apigateway):
    api = setups.deployed_mock(apigateway, stage="first")
    deployment = apigateway.get_stage(restApiId=api, stageName="first")["deploymentId"]

    def act(caller, number):
        made = set()
        for call in range(CALLS):
            name = f"stage{call}"
            if admitted(caller.create_stage, restApiId=api, stageName=name, deploymentId=deployment, description=str(number)):
                made.add((name, str(number)))
        return made

    made = [pair for each in together(server, "apigateway", act) for pair in each]
    stages = apigateway.get_stages(restApiId=api)["item"]
    found = sorted((stage["stageName"], stage["description"]) for stage in stages if stage["stageName"] != "first")
    assert sorted(made) == found and len(found) == CALLS


def test_resources_of_one_parent_keep_their_names_apart(server, apigateway):
    api, root = setups.rest_api(apigateway)

    def act(caller, number):
        answers = [admitted(caller.create_resource, restApiId=api, parentId=root, pathPart=f"p{call}") for call in range(CALLS)]
        return [answer["path"] for answer in answers if answer]

    made = [path for each in together(server, "apigateway", act) for path in each]
    listed = [item["path"] for item in apigateway.get_resources(restApiId=api)["items"] if item["path"] != "/"]
    assert sorted(made) == sorted(listed) == sorted(f"/p{call}" for call in range(CALLS))


def test_tags_and_updates_of_one_http_api_are_not_lost(server, apigatewayv2):
    api = apigatewayv2.create_api(Name="shop", ProtocolType="HTTP")["ApiId"]
    apigatewayv2.create_stage(ApiId=api, StageName="live")
    arn = f"arn:aws:apigateway:us-east-1::/apis/{api}"

    def act(caller, number):
        tags, routes = {}, set()
        for call in range(CALLS):
            name = f"t{number}x{call}"
            if admitted(caller.tag_resource, ResourceArn=arn, Tags={name: "1"}):
                tags[name] = "1"
            if admitted(caller.create_route, ApiId=api, RouteKey=f"GET /{name}"):
                routes.add(f"GET /{name}")
        return tags, routes

    answers = together(server, "apigatewayv2", act)
    assert apigatewayv2.get_api(ApiId=api)["Tags"] == {name: "1" for tags, _ in answers for name in tags}
    pages = apigatewayv2.get_paginator("get_routes").paginate(ApiId=api)
    found = {route["RouteKey"] for page in pages for route in page["Items"]}
    assert found == set().union(*(routes for _, routes in answers)) and found


def test_tags_of_one_real_time_stage_are_not_lost(server, ivs):
    arn = ivs.create_stage(name="meeting")["stage"]["arn"]

    def act(caller, number):
        done = {f"t{number}x{call}": "1" for call in range(CALLS)}
        return {name for name in done if admitted(caller.tag_resource, resourceArn=arn, tags={name: "1"})}

    done = set().union(*together(server, "ivs-realtime", act))
    assert done and set(ivs.list_tags_for_resource(resourceArn=arn)["tags"]) == done


def test_pages_show_what_stays_while_others_come_and_go(server):
    # A region of its own, so that other tests' APIs are not in the list.
    region = "eu-north-1"
    apigateway = client(server, "apigateway", region=region)
    stay = {apigateway.create_rest_api(name=f"stays-{number}")["id"] for number in range(30)}
    done = threading.Event()

    def come_and_go():
        caller = client(server, "apigateway", region=region)
        while not done.is_set():
            passing = caller.create_rest_api(name="passing")["id"]
            caller.delete_rest_api(restApiId=passing)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        others = [pool.submit(come_and_go) for _ in range(2)]
        try:
            for _ in range(5):
                pages = apigateway.get_paginator("get_rest_apis").paginate(PaginationConfig={"PageSize": 4})
                seen = [api["id"] for page in pages for api in page["items"]]
                assert len(seen) == len(set(seen)), "one was shown twice"
                assert stay <= set(seen)
        finally:
            done.set()
        for other in others:
            other.result(30)


def definition(letter):
    """An OpenAPI document with twenty paths that begin with a letter, and the paths of the API that it makes."""
    integration = {"type": "mock", "requestTemplates": {"application/json": '{"statusCode": 200}'}}
    operation = {"responses": {"200": {"description": "fine"}}, "x-amazon-apigateway-integration": integration}
    paths = {f"/{letter}{number}": {"get": operation} for number in range(20)}
    document = {"openapi": "3.0.1", "info": {"title": "whole", "version": "1"}, "paths": paths}
    return json.dumps(document), {"/", *paths}


def test_imports_are_seen_whole_or_not_at_all(server, apigateway):
    first, second = definition("a"), definition("b")
    api = apigateway.import_rest_api(body=first[0])["id"]
    done = threading.Event()

    def write():
        caller = client(server, "apigateway")
        written = 0
        while not done.is_set():
            body, _ = (first, second)[written % 2]
            written += admitted(caller.put_rest_api, restApiId=api, mode="overwrite", body=body) is not None
        return written

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(write) for _ in range(2)]
        try:
            for _ in range(60):
                items = apigateway.get_resources(restApiId=api, limit=500)["items"]
                paths = [item["path"] for item in items]
                assert len(paths) == len(set(paths)) and set(paths) in (first[1], second[1])
        finally:
            done.set()
        assert all(writer.result(60) for writer in writers)


def test_an_import_that_fails_changes_nothing(apigateway):
    api = apigateway.import_rest_api(body=definition("a")[0])["id"]
    before = apigateway.get_resources(restApiId=api, limit=500, embed=["methods"])["items"]
    for body in ["{", '{"openapi": "3.0.1"', "- a list"]:
        with pytest.raises(ClientError) as caught:
            apigateway.put_rest_api(restApiId=api, mode="overwrite", body=body)
        assert caught.value.response["Error"]["Code"] == "BadRequestException"
    assert apigateway.get_resources(restApiId=api, limit=500, embed=["methods"])["items"] == before
