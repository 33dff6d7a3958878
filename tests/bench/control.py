"""Figures of the control plane: calls per second, many APIs, long imports."""

import concurrent.futures
import http.client
import json
import statistics
import time

from measure import resident_mib, row, wrk

import setups
from conftest import REGION, client
from server import Server
from signing import signed

APIS = 10_000
STAGES = 100
RESOURCES = 300
THREADS = 16


def control_plane(folder):
    """`GetStages` and `CreateStage` from 1 and 32 connections."""
    with Server(folder / "control") as server:
        api = setups.http_api(client(server, "apigatewayv2"), "http://127.0.0.1:9/", "GET /pets")
        body = '{"name":"load"}'
        for name, method, path, service, payload in [
            ("`GetStages`", "GET", f"/v2/apis/{api}/stages", "apigateway", None),
            ("`CreateStage` (IVS)", "POST", "/CreateStage", "ivs", body),
        ]:
            for connections in (1, 32):
                # Writers take turns in many regions, because each region has a quota of stages.
                regions = [f"us-east-{number}" for number in range(1, 100)] if payload else [REGION]
                content = {"Content-Type": "application/json"} if payload else {}
                sets = [
                    signed(server, method, path, (payload or "").encode(), service=service, headers=content, region=region)[1]
                    for region in regions
                ]
                load = wrk(server.http + path, sets, connections, method, payload)
                assert load["failed"] == 0, load
                row(f"{name}, {connections} connections", f"{load['rate']:.0f} per second, p50 {load['p50']:.2f} ms, p99 {load['p99']:.2f} ms")


def many_apis(folder):
    """Memory per API, and `GetStages` among many APIs from an API with many stages."""
    with Server(folder / "many", "--rest-quotas", f"stages-per-api={STAGES}") as server:
        before = resident_mib(server.process.pid)
        # Made whole by one call: route, integration, deployment and a stage that is served.
        body = b'{"name":"shop","protocolType":"HTTP","target":"http://127.0.0.1:9/"}'
        headers = {"Content-Type": "application/json"}
        began = time.perf_counter()
        target, headers = signed(server, "POST", "/v2/apis", body, headers=headers)
        repeated(server, target, headers, body, APIS)
        rate = APIS / (time.perf_counter() - began)
        row(f"`CreateApi` with a target, {THREADS} connections, {APIS} APIs", f"{rate:.0f} per second")
        per_thousand = (resident_mib(server.process.pid) - before) / (APIS / 1000)
        row("memory per 1,000 APIs that are served", f"{per_thousand:.1f} MiB")
        apigateway = client(server, "apigateway")
        api = setups.deployed_mock(apigateway, stage="s0")
        deployment = apigateway.get_stage(restApiId=api, stageName="s0")["deploymentId"]
        for number in range(1, STAGES):
            apigateway.create_stage(restApiId=api, stageName=f"s{number}", deploymentId=deployment)
        path = f"/restapis/{api}/stages"
        load = wrk(server.http + path, signed(server, "GET", path)[1], 1)
        assert load["failed"] == 0, load
        row(
            f"`GetStages` of {STAGES} stages among {APIS} APIs, 1 connection",
            f"{load['rate']:.0f} per second, p50 {load['p50']:.2f} ms, p99 {load['p99']:.2f} ms",
        )


def repeated(server, target, headers, body, times):
    """Sends one request so many times over some connections; each must succeed."""

    def send(share):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        for _ in range(share):
            connection.request("POST", target, body, headers)
            answer = connection.getresponse()
            assert answer.read() and answer.status == 201, answer.status
        connection.close()

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(send, [times // THREADS + (number < times % THREADS) for number in range(THREADS)]))


def imports(folder):
    """`ImportRestApi` of a long definition."""
    integration = {
        "type": "mock", "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {"default": {"statusCode": "200"}},
    }
    operation = {"responses": {"200": {"description": "fine"}}, "x-amazon-apigateway-integration": integration}
    definition = json.dumps({
        "openapi": "3.0.1", "info": {"title": "long", "version": "1"},
        "paths": {f"/resource{number}": {"get": operation} for number in range(RESOURCES)},
    })
    with Server(folder / "imports") as server:
        apigateway = client(server, "apigateway")
        times = []
        for _ in range(11):
            began = time.perf_counter()
            apigateway.import_rest_api(body=definition)
            times.append((time.perf_counter() - began) * 1000)
        size = len(definition) // 1024
        row(f"`ImportRestApi`, {RESOURCES} resources, {size} KiB, by boto3, median of 11", f"{statistics.median(times):.0f} ms")
