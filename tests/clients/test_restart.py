"""What was answered is kept: restarts and crashes lose nothing, and stages serve again at once."""

import threading

import pytest

import setups
from conftest import client, execute_api, fetch
from expect import eventually, members
from server import Server


@pytest.fixture
def own_server(tmp_path):
    """A server that this test may kill."""
    with Server(tmp_path / "data") as running:
        yield running


def everything(server):
    """All that the three services list, in a form that can be compared."""
    v1, v2, ivs = (client(server, name) for name in ("apigateway", "apigatewayv2", "ivs-realtime"))
    found = {}
    for api in v1.get_rest_apis(limit=500)["items"]:
        found[api["id"]] = [
            api,
            sorted(v1.get_resources(restApiId=api["id"], embed=["methods"])["items"], key=lambda item: item["path"]),
            v1.get_stages(restApiId=api["id"])["item"],
            v1.get_deployments(restApiId=api["id"])["items"],
        ]
    for api in v2.get_apis()["Items"]:
        # The address of the server is part of this member, and a restart here takes new ports.
        api.pop("ApiEndpoint")
        found[api["ApiId"]] = [
            api,
            *(members(call(ApiId=api["ApiId"])) for call in (v2.get_routes, v2.get_integrations, v2.get_stages, v2.get_deployments)),
        ]
    for stage in ivs.list_stages()["stages"]:
        found[stage["arn"]] = stage
    return found


@pytest.mark.parametrize("end", ["restart", "crash"])
def test_everything_is_there_again(own_server, backend, end):
    rest = setups.deployed_mock(client(own_server, "apigateway"), stage="prod")
    http = setups.http_api(client(own_server, "apigatewayv2"), backend.url, "GET /pets")
    eventually(lambda: execute_api(own_server, http, "GET", "/pets").status == 200)
    ivs = client(own_server, "ivs-realtime")
    arn = ivs.create_stage(name="meeting", tags={"a": "1"})["stage"]["arn"]
    before = everything(own_server)
    assert {rest, http, arn} <= set(before)

    getattr(own_server, end)()

    assert everything(own_server) == before
    assert execute_api(own_server, rest, "GET", "/prod/hello").json == {"answer": "mock"}
    assert execute_api(own_server, http, "GET", "/pets").status == 200
    # The addresses in the answer are those of now.
    endpoints = client(own_server, "ivs-realtime").get_stage(arn=arn)["stage"]["endpoints"]
    assert endpoints["whip"].startswith(own_server.http)


def test_a_crash_loses_no_answered_call_and_tears_none(own_server):
    """Several clients create stages without pause; the server is killed in the middle; what was answered is there."""
    answered = []
    lock = threading.Lock()

    def create(number):
        ivs = client(own_server, "ivs-realtime")
        try:
            for count in range(1000):
                name = f"stage-{number}-{count}"
                arn = ivs.create_stage(name=name, tags={"name": name})["stage"]["arn"]
                with lock:
                    answered.append((arn, name))
        except Exception:
            # The server has gone, as intended; what it answered before is what counts.
            return

    writers = [threading.Thread(target=create, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    eventually(lambda: len(answered) >= 60, seconds=60)
    own_server.kill()
    for writer in writers:
        writer.join()
    assert len(answered) < 4000, "the server was killed too late to show anything"

    own_server.start()
    pages = client(own_server, "ivs-realtime")
    stages, token = {}, {}
    while True:
        page = pages.list_stages(maxResults=100, **token)
        stages.update({stage["arn"]: stage for stage in page["stages"]})
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    for arn, name in answered:
        assert stages[arn]["name"] == name
    for stage in stages.values():
        assert stage["tags"] == {"name": stage["name"]}


def test_two_servers_on_one_data_directory_are_refused(own_server):
    second = Server(own_server.data_dir)
    with pytest.raises(AssertionError):
        second.start()
    assert not second.running
    assert own_server.running


def test_reset_empties_the_store(tmp_path):
    with Server(tmp_path / "data", "--allow-reset") as server:
        setups.deployed_mock(client(server, "apigateway"))
        client(server, "ivs-realtime").create_stage(name="gone")
        assert everything(server)
        assert fetch(server, "POST", "/_stagedoor/reset").status in (200, 204)
        assert everything(server) == {}
        # It works on as a new one.
        api = setups.deployed_mock(client(server, "apigateway"))
        assert execute_api(server, api, "GET", "/prod/hello").status == 200


def test_the_server_ends_when_asked(own_server):
    assert own_server.stop() == 0
