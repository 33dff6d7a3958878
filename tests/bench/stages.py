"""Figures of the HTTP data plane: what a stage serves per second of CPU time, beside proxies that do the same work.

Whatever stands in one row is measured in turns, each several times, and the row has the medians.
"""

import concurrent.futures
import json
import statistics
from contextlib import ExitStack

from measure import per_cpu_second, row, wrk
import peers

import setups
from conftest import ACCOUNT, REGION, client, execute_api, fetch
from expect import eventually
from server import Server
from test_authorize import Provider

TURNS = 3
SECONDS = 4
ROUTES = 1_000
# Connections and mean pause in milliseconds that make about 2,000 requests a second.
PACED = {"connections": 16, "pause": 8}

# What a client sends beside the host.
USUAL = {"User-Agent": "bench/1.0", "Accept": "*/*"}
ACCESS_LOG = (
    '$context.identity.sourceIp [$context.requestTime] "$context.httpMethod $context.path $context.protocol" '
    "$context.status $context.responseLength $context.requestId"
)
TEMPLATE = """#set($size = $input.params('size'))
{
  "id": "$input.params('id')",
  "request": "$context.requestId",
  "stage": "$context.stage",
  "caller": "$context.identity.sourceIp",
  "agent": "$util.escapeJavaScript($input.params('User-Agent'))",
#if($size == "big")
  "size": 3,
#else
  "size": 1,
#end
  "colours": [
#foreach($colour in ["red", "green", "blue"])
    "$colour"#if($foreach.hasNext),#end

#end
  ],
  "shop": "$stageVariables.shop"
}
"""


def proxied(server, backend, routes=("ANY /{proxy+}",), provider=None, deploys_itself=True):
    """An HTTP API before a backend, its stage with a throttle that is never reached and an access log; its id."""
    v2 = client(server, "apigatewayv2")
    api = v2.create_api(Name="bench", ProtocolType="HTTP")["ApiId"]
    integration = v2.create_integration(
        ApiId=api, IntegrationType="HTTP_PROXY", IntegrationMethod="ANY", PayloadFormatVersion="1.0",
        IntegrationUri=f"http://127.0.0.1:{backend}/pets",
    )["IntegrationId"]
    guard = {}
    if provider:
        authorizer = v2.create_authorizer(
            ApiId=api, Name="jwt", AuthorizerType="JWT", IdentitySource=["$request.header.Authorization"],
            JwtConfiguration={"Issuer": provider.url, "Audience": ["shop"]},
        )["AuthorizerId"]
        guard = {"AuthorizationType": "JWT", "AuthorizerId": authorizer}
    for key in routes:
        v2.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{integration}", **guard)
    deployed = {"AutoDeploy": True} if deploys_itself else {"DeploymentId": v2.create_deployment(ApiId=api)["DeploymentId"]}
    v2.create_stage(
        ApiId=api, StageName="$default", **deployed,
        DefaultRouteSettings={"ThrottlingRateLimit": peers.RATE, "ThrottlingBurstLimit": 100_000},
        AccessLogSettings={"DestinationArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{api}", "Format": ACCESS_LOG},
    )
    return api


def headers(api, **more):
    return {"Host": f"{api}.execute-api.{REGION}.amazonaws.com", **USUAL, **more}


def templated(server):
    """A REST API whose `GET /pets/{id}` makes its answer with a template of twenty lines; its id."""
    v1 = client(server, "apigateway")
    api, root = setups.rest_api(v1)
    where = setups.resource(v1, api, setups.resource(v1, api, root, "pets"), "{id}")
    setups.mock_method(v1, api, where, body=TEMPLATE)
    v1.create_deployment(restApiId=api, stageName="prod", variables={"shop": "corner"})
    return api


def imported(v1, routes):
    """A REST API of so many `MOCK` methods, each at a path with a variable; its id."""
    integration = {
        "type": "mock", "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {"default": {"statusCode": "200", "responseTemplates": {"application/json": '{"answer": "mock"}'}}},
    }
    operation = {"responses": {"200": {"description": "fine"}}, "x-amazon-apigateway-integration": integration}
    paths = {f"/pets/{number}/{{id}}": {"get": operation} for number in range(routes)}
    definition = {"openapi": "3.0.1", "info": {"title": "bench", "version": "1"}, "paths": paths}
    api = v1.import_rest_api(body=json.dumps(definition))["id"]
    v1.create_deployment(restApiId=api, stageName="prod")
    return api


def in_turns(measured, connections=32):
    """Requests per CPU second of each of these, by name: its address, headers and processes."""
    rates = {name: [] for name in measured}
    for _ in range(TURNS):
        for name, (url, sent, pids) in measured.items():
            rate, _ = per_cpu_second(url, sent, pids, connections, SECONDS)
            rates[name].append(rate)
    return {name: statistics.median(values) for name, values in rates.items()}


def beside_proxies(folder):
    """`HTTP_PROXY` of an HTTP API's stage with throttle and access log, beside proxies configured for the same."""
    with ExitStack() as stack:
        backend, _ = stack.enter_context(peers.nginx_backend(folder / "backend"))
        server = stack.enter_context(Server(folder / "stages"))
        api = proxied(server, backend)
        eventually(lambda: execute_api(server, api, "GET", "/pets").status == 200)
        measured = {"ours": (f"{server.http}/pets", headers(api), [server.process.pid])}
        for name, peer in (("nginx", peers.nginx_proxy), ("HAProxy", peers.haproxy), ("Envoy", peers.envoy)):
            port, pids = stack.enter_context(peer(folder / name, backend))
            measured[name] = (f"http://127.0.0.1:{port}/pets", {"Host": "shop.example.com", **USUAL}, pids)
        for connections in (32, 256):
            rates = in_turns(measured, connections)
            row(
                f"HTTP API, `HTTP_PROXY`, throttle, access log, {connections} connections",
                f"{rates['ours']:.0f} per CPU second",
                ", ".join(f"{name}: {rates[name]:.0f}" for name in ("nginx", "HAProxy", "Envoy")),
            )
        dropped = metric(server, "stagedoor_log_lines_dropped_total")
        row("lines of the access log of these that found no room", f"{dropped:.0f}", "")


def metric(server, name):
    """A metric's value, over all of its labels."""
    text = fetch(server, "GET", "/_stagedoor/metrics").body.decode()
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))


def variations(folder):
    """The same stage with a JWT authorizer; REST APIs, also with many methods and with a template."""
    with ExitStack() as stack:
        backend, _ = stack.enter_context(peers.nginx_backend(folder / "backend-2"))
        server = stack.enter_context(Server(folder / "variations", "--rest-quotas", f"resources-per-api={3 * ROUTES}"))
        provider = Provider()
        stack.callback(provider.listener.shutdown)
        plain = proxied(server, backend, ["GET /pets"])
        guarded = proxied(server, backend, ["GET /pets"], provider)
        v1 = client(server, "apigateway")
        rest, root = setups.rest_api(v1)
        proxy = setups.resource(v1, rest, root, "{proxy+}")
        setups.proxy_method(v1, rest, proxy, f"http://127.0.0.1:{backend}/{{proxy}}", path_variables=["proxy"])
        v1.create_deployment(restApiId=rest, stageName="prod")
        few, many = (imported(v1, routes) for routes in (1, ROUTES))
        pids = [server.process.pid]
        token = {"Authorization": f"Bearer {provider.token()}"}
        rates = in_turns({
            "plain": (f"{server.http}/pets", headers(plain), pids),
            "jwt": (f"{server.http}/pets", headers(guarded, **token), pids),
            "rest": (f"{server.http}/prod/pets", headers(rest), pids),
            "few": (f"{server.http}/prod/pets/0/7", headers(few), pids),
            "many": (f"{server.http}/prod/pets/0/7", headers(many), pids),
            "template": (f"{server.http}/prod/pets/7?size=big", headers(templated(server)), pids),
        })
        dearer = 100 * (rates["plain"] / rates["jwt"] - 1)
        row("the same with a JWT authorizer", f"{rates['jwt']:.0f} per CPU second", f"without: {rates['plain']:.0f}, {dearer:.0f} % dearer; goal: at most 15 %")
        row("REST API, `HTTP_PROXY`", f"{rates['rest']:.0f} per CPU second")
        row("REST API, `MOCK`", f"{rates['few']:.0f} per CPU second")
        dearer = 100 * (rates["few"] / rates["many"] - 1)
        row(f"the same with {ROUTES} methods", f"{rates['many']:.0f} per CPU second", f"{dearer:.0f} % dearer; goal: within 5 %")
        row("REST API, `MOCK` with a template of 20 lines", f"{rates['template']:.0f} per CPU second", "goal: 40000")


def added_latency(folder):
    """What a stage adds to a backend's answers at an even rate."""
    with ExitStack() as stack:
        backend, _ = stack.enter_context(peers.nginx_backend(folder / "backend-3"))
        server = stack.enter_context(Server(folder / "latency"))
        api = proxied(server, backend)
        figures = {"direct": [], "through": []}
        for _ in range(TURNS):
            for name, url, sent in (("direct", f"http://127.0.0.1:{backend}/pets", USUAL), ("through", f"{server.http}/pets", headers(api))):
                load = wrk(url, sent, seconds=SECONDS, **PACED)
                assert load["failed"] == 0, load
                figures[name].append(load)
    p50, p99 = (
        {name: statistics.median(load[which] for load in loads) for name, loads in figures.items()} for which in ("p50", "p99")
    )
    rate = statistics.median(load["rate"] for load in figures["through"])
    row(
        f"added latency at {rate:.0f} requests per second",
        f"p50 {p50['through'] - p50['direct']:.2f} ms, p99 {p99['through'] - p99['direct']:.2f} ms",
        f"the backend's own: p50 {p50['direct']:.2f} ms, p99 {p99['direct']:.2f} ms; goal: p99 under 1 ms more",
    )


def updates(folder):
    """A stage that is changed while it serves as much as it can."""
    with ExitStack() as stack:
        backend, _ = stack.enter_context(peers.nginx_backend(folder / "backend-4"))
        server = stack.enter_context(Server(folder / "updates"))
        api = proxied(server, backend, deploys_itself=False)
        v2 = client(server, "apigatewayv2")
        pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(1))
        load = pool.submit(wrk, f"{server.http}/pets", headers(api), 32, seconds=SECONDS)
        changes = 0
        while not load.done():
            deployment = v2.create_deployment(ApiId=api)["DeploymentId"]
            v2.update_stage(ApiId=api, StageName="$default", DeploymentId=deployment, StageVariables={"round": str(changes)})
            changes += 1
        served = load.result()
        row("a stage updated under full load", f"{served['failed']} of {served['requests']} requests failed", f"{changes} deployments with new stage variables")
