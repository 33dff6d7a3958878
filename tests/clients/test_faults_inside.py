"""Faults in what a stage is made of: values that would be more than a value, templates that never end, issuers and
authorizers that hang, functions that flood. Others are served meanwhile, memory is bounded, the access log has its line.
"""

import contextlib
import json
import threading
import time
from urllib.parse import quote

import jwt
import pytest

import setups
from conftest import ACCOUNT, REGION
from expect import eventually
from fault_stages import faulty, others_are_served, stages, unique
from raw_client import RawClient
from server import serving
from test_lambda import arn, table

INJECTED = "x\r\nX-Injected: 1\r\n\r\nGET /injected HTTP/1.1\r\n\r\n"
KINDS = ["rest", "http"]


@pytest.fixture(scope="module")
def server(tmp_path_factory, faulty):
    directory = tmp_path_factory.mktemp("faults")
    config = directory / "stagedoor.toml"
    tables = [table(name, name) for name in ("injecting", "verbatim", "flooding", "leaving")]
    tables += [table("slow", "slow", timeout=1), f"[service-endpoints]\ncognito-idp = '{faulty.url}'\n"]
    config.write_text("\n".join(tables))
    with serving(directory / "data", "--config", str(config)) as running:
        yield running


@pytest.fixture(autouse=True)
def nobody_else_is_disturbed(stages):
    with others_are_served(stages, growth_mib=96):
        yield


# Values that mappings copy.


@pytest.fixture(scope="module")
def mapping(stages, faulty):
    """`/mapped` copies parameters and parts of bodies to wherever a mapping can."""
    v1, v2 = stages.v1, stages.v2
    where = setups.resource(v1, stages.rest, stages.root, "mapped")
    stages.rest_proxy(where, f"{faulty.url}/told/{{p}}", verb="POST", p="method.request.querystring.p", parameters={
        "integration.request.header.X-Query": "method.request.querystring.a",
        "integration.request.header.X-Body": "method.request.body.h",
        "integration.request.querystring.q": "method.request.querystring.a",
    })
    where = setups.resource(v1, stages.rest, stages.root, "overridden")
    method = stages.rest_proxy(where, f"{faulty.url}/told/{{p}}", type="HTTP", verb="POST", p="method.request.querystring.p", parameters={
        "integration.request.querystring.q": "method.request.querystring.a",
    })
    override = "".join(
        f"#set($context.requestOverride.{place} = $input.path('$.h'))" for place in ("header.X-Set", "querystring.s", "path.p")
    )
    v1.update_integration(**method, patchOperations=[
        {"op": "add", "path": "/requestTemplates/application~1json", "value": override + "$input.json('$')"},
    ])
    v1.put_method_response(**method, statusCode="200", responseParameters={"method.response.header.X-Out": False})
    v1.put_integration_response(
        **method, statusCode="200", responseParameters={"method.response.header.X-Out": "integration.response.body.h"},
        responseTemplates={"application/json": "#set($context.responseOverride.header.X-Late = $input.params('a'))$input.body"},
    )
    v1.put_gateway_response(
        restApiId=stages.rest, responseType="MISSING_AUTHENTICATION_TOKEN", statusCode="404",
        responseParameters={"gatewayresponse.header.X-Asked": "method.request.querystring.a"},
        responseTemplates={"application/json": '{"asked": "$context.resourcePath"}'},
    )
    stages.http_route("POST /mapped", f"{faulty.url}/told", RequestParameters={
        "overwrite:header.x-query": "$request.querystring.a",
        "overwrite:header.x-body": "$request.body.h",
        "append:querystring.q": "$request.querystring.a",
        "overwrite:path": "$request.querystring.p",
    }, ResponseParameters={"200": {"overwrite:header.x-out": "$response.body.h"}})
    stages.deploy()
    eventually(lambda: stages.ask("http", "POST", "/mapped?p=%2Ftold", body="{}").status == 200)


def brings_nothing(faulty, before, answer):
    """No header, no request and no answer came of a value."""
    assert "x-injected" not in answer.headers
    assert b"\nX-Injected" not in answer.body
    for head in faulty.asked[before:]:
        lines = head.lower().split(b"\r\n")
        assert not any(line.startswith((b"x-injected", b"get /injected")) for line in lines), head


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [INJECTED, "x\nX-Injected: 1", "x\rX-Injected: 1", "x\0y", "/told x HTTP/1.1\r\nX-Injected: 1", "\u00e9\u4e2d", "#?&;"])
@pytest.mark.parametrize("path", ["mapped", "overridden"])
def test_mapped_values_stay_values(stages, mapping, faulty, kind, path, value):
    if (kind, path) == ("http", "overridden"):
        return
    before = len(faulty.asked)
    for query, body in [(f"?a={quote(value)}&p=%2Ftold", "{}"), (f"?p={quote(value)}", "{}"), ("?p=%2Ftold", json.dumps({"h": value}))]:
        answer = stages.ask(kind, "POST", f"/{path}{query}", {"Content-Type": "application/json"}, body)
        assert answer.status in (200, 400, 500), answer
        brings_nothing(faulty, before, answer)


def test_gateway_responses_copy_values_only(stages, mapping, faulty):
    answer = stages.ask("rest", "POST", f"/mapped/unknown/{'x' * 3}?a={quote(INJECTED)}")
    brings_nothing(faulty, len(faulty.asked), answer)


@pytest.fixture(scope="module")
def functions(stages):
    """`/function` of both kinds answers what the body says."""
    where = setups.resource(stages.v1, stages.rest, stages.root, "function")
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{{}}/invocations"
    stages.rest_proxy(where, uri.format(arn("verbatim")), type="AWS_PROXY", verb="POST")
    for name in ("flooding", "leaving", "slow"):
        where = setups.resource(stages.v1, stages.rest, stages.root, name)
        method = stages.rest_proxy(where, uri.format(arn(name)), type="AWS_PROXY", verb="POST")
        stages.v1.update_integration(**method, patchOperations=[{"op": "replace", "path": "/timeoutInMillis", "value": "20000"}])
    for name in ("verbatim", "flooding", "leaving", "slow"):
        integration = stages.v2.create_integration(
            ApiId=stages.http, IntegrationType="AWS_PROXY", IntegrationUri=arn(name), PayloadFormatVersion="2.0"
        )["IntegrationId"]
        path = "function" if name == "verbatim" else name
        stages.v2.create_route(ApiId=stages.http, RouteKey=f"POST /{path}", Target=f"integrations/{integration}")
    stages.deploy()
    for kind in KINDS:
        eventually(lambda kind=kind: stages.ask(kind, "POST", "/function", body='{"statusCode": 204}').status == 204)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "headers",
    [
        {"headers": {"X-A": INJECTED}},
        {"headers": {"X-A\r\nX-Injected": "1"}},
        {"headers": {"X-A: 1\r\nX-Injected": "1"}},
        {"headers": {"": "1"}},
        {"headers": {"X A": "1"}},
        {"headers": {"X-A": "a\0b"}},
        {"multiValueHeaders": {"X-A": ["1", "x\nX-Injected: 1"]}},
        {"cookies": ["a=b\r\nX-Injected: 1"]},
        {"headers": {"Content-Length": "1000"}},
        {"headers": {"Transfer-Encoding": "chunked"}},
        {"headers": {"Connection": "upgrade", "Upgrade": "own"}},
        {"statusCode": 101},
        {"statusCode": "200 OK\r\nX-Injected: 1"},
    ],
    ids=json.dumps,
)
def test_answers_of_functions_stay_one_answer(stages, functions, faulty, kind, headers):
    answer = stages.ask(kind, "POST", "/function", body=json.dumps({"statusCode": 200, "body": "fine", **headers}))
    assert answer.status in (200, 500, 502), answer
    assert answer.status != 200 or answer.body == b"fine"
    brings_nothing(faulty, len(faulty.asked), answer)
    assert stages.ask(kind, "POST", "/function", body='{"statusCode": 200, "body": "after"}').body == b"after"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["flooding", "leaving", "slow"])
def test_functions_that_flood_crash_or_hang(stages, functions, kind, name):
    began = time.monotonic()
    answer = stages.ask(kind, "POST", f"/{name}", body="{}")
    expected = {"rest": [502, 504], "http": [500, 503]}[kind]
    assert answer.status in expected, answer
    assert answer.json["message"].lower() in ("internal server error", "endpoint request timed out", "service unavailable")
    assert f" {answer.status} " in stages.logged(kind, f"/{name}")
    assert time.monotonic() - began < 15


# Authorizers.


@pytest.fixture(scope="module")
def guarded(stages, faulty):
    """`/said` and `/hung` of both kinds: the authorizer's context goes into a header; the authorizer hangs."""
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{{}}/invocations"
    for path, name in (("said", "injecting"), ("hung", "slow")):
        authorizer = stages.v1.create_authorizer(
            restApiId=stages.rest, name=name, type="REQUEST", authorizerUri=uri.format(arn(name)),
            identitySource="method.request.header.X-Value", authorizerResultTtlInSeconds=0,
        )["id"]
        where = setups.resource(stages.v1, stages.rest, stages.root, path)
        method = stages.rest_proxy(where, f"{faulty.url}/echo", verb="GET", parameters={
            "integration.request.header.X-Said": "context.authorizer.value",
            "integration.request.querystring.said": "context.authorizer.value",
        })
        stages.v1.update_method(**method, patchOperations=[
            {"op": "replace", "path": "/authorizationType", "value": "CUSTOM"},
            {"op": "replace", "path": "/authorizerId", "value": authorizer},
        ])
        authorizer = stages.v2.create_authorizer(
            ApiId=stages.http, Name=name, AuthorizerType="REQUEST", AuthorizerUri=uri.format(arn(name)),
            AuthorizerPayloadFormatVersion="1.0", IdentitySource=["$request.header.X-Value"], AuthorizerResultTtlInSeconds=0,
        )["AuthorizerId"]
        stages.http_route(f"GET /{path}", f"{faulty.url}/echo", RequestParameters={
            "overwrite:header.x-said": "$context.authorizer.value",
            "append:querystring.said": "$context.authorizer.value",
        })
        route = next(route for route in stages.v2.get_routes(ApiId=stages.http)["Items"] if route["RouteKey"] == f"GET /{path}")
        stages.v2.update_route(ApiId=stages.http, RouteId=route["RouteId"], AuthorizationType="CUSTOM", AuthorizerId=authorizer)
    stages.deploy()
    for kind in KINDS:
        eventually(lambda kind=kind: stages.ask(kind, "GET", "/said", {"X-Value": '"v"'}).status == 200)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", ["plain", INJECTED, "x\nX-Injected: 1", "x\0y"])
def test_what_authorizers_say_stays_a_value(stages, guarded, faulty, kind, value):
    before = len(faulty.asked)
    answer = stages.ask(kind, "GET", "/said", {"X-Value": json.dumps(value)})
    assert answer.status in ((200,) if value == "plain" else (200, 400, 500)), answer
    brings_nothing(faulty, before, answer)
    if value == "plain":
        assert b"x-said: plain\r\n" in answer.body


@pytest.mark.parametrize("kind", KINDS)
def test_authorizers_that_hang(stages, guarded, kind):
    began = time.monotonic()
    answer = stages.ask(kind, "GET", "/hung", {"X-Value": '"v"'})
    expected = {"rest": (500, {"message": None}), "http": (500, {"message": "Internal Server Error"})}
    assert (answer.status, answer.json) == expected[kind]
    assert time.monotonic() - began < 10


# Issuers of tokens.




def rs256_token(issuer):
    """Signed by nobody that anyone knows."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    claims = {"iss": issuer, "aud": "shop", "sub": "me", "exp": int(time.time()) + 300}
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": "unknown"})


@pytest.mark.parametrize("behaviour", ["never", "endless-body", "well", "dies-at-once", "dies-in-the-body", "endless-head", "bomb"])
def test_issuers_that_do_not_tell_their_keys(stages, faulty, behaviour):
    """AWS's quotas are 1.5 s and 150,000 bytes for a document."""
    issuer = f"{faulty.url.replace('127.0.0.1', 'localhost')}/{behaviour}"
    authorizer = stages.v2.create_authorizer(
        ApiId=stages.http, Name=behaviour, AuthorizerType="JWT", IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": issuer, "Audience": ["shop"]},
    )["AuthorizerId"]
    stages.http_route(f"GET /jwt/{behaviour}/{{x}}", f"{faulty.url}/well")
    route = next(
        route for route in stages.v2.get_routes(ApiId=stages.http, MaxResults="100")["Items"]
        if route["RouteKey"].startswith(f"GET /jwt/{behaviour}/")
    )
    stages.v2.update_route(ApiId=stages.http, RouteId=route["RouteId"], AuthorizationType="JWT", AuthorizerId=authorizer)
    eventually(lambda: stages.ask("http", "GET", f"/jwt/{behaviour}/x").status == 401)
    path, began = unique(f"/jwt/{behaviour}"), time.monotonic()
    answer = stages.ask("http", "GET", path, {"Authorization": f"Bearer {rs256_token(issuer)}"})
    assert (answer.status, answer.json) == (401, {"message": "Unauthorized"})
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert time.monotonic() - began < 5
    assert " 401 " in stages.logged("http", path)


def test_a_user_pool_that_hangs(stages):
    authorizer = stages.v1.create_authorizer(
        restApiId=stages.rest, name="pool", type="COGNITO_USER_POOLS", identitySource="method.request.header.Authorization",
        providerARNs=[f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{REGION}_never"],
    )["id"]
    where = setups.resource(stages.v1, stages.rest, stages.root, "pool")
    setups.mock_method(stages.v1, stages.rest, where)
    stages.v1.update_method(restApiId=stages.rest, resourceId=where, httpMethod="GET", patchOperations=[
        {"op": "replace", "path": "/authorizationType", "value": "COGNITO_USER_POOLS"},
        {"op": "replace", "path": "/authorizerId", "value": authorizer},
    ])
    stages.deploy()
    began = time.monotonic()
    issuer = f"https://cognito-idp.{REGION}.amazonaws.com/{REGION}_never"
    answer = stages.ask("rest", "GET", "/pool", {"Authorization": rs256_token(issuer)})
    assert answer.status in (401, 500), answer
    assert time.monotonic() - began < 5


# Templates.

NEVER_ENDING = {
    "nested": "#foreach($a in [1..1000])#foreach($b in [1..1000])#foreach($c in [1..1000])#set($x = $a)#end#end#end",
    "range": "#foreach($a in [1..2000000000])$a#end",
    "growing": "#set($s = 'x')#foreach($i in [1..1000])#set($s = \"$s$s\")#end$s",
    "recursive": "#macro(again)#again()#end#again()",
    "deep": "#set($l = [])#foreach($i in [1..1000])#set($l = [$l, $l])#end$l",
    "pattern": "#set($s = 'a')#set($s = $s.repeat(30))$s.matches('(a+)+b')",
}


@pytest.mark.parametrize("name", NEVER_ENDING)
def test_templates_that_never_end(stages, name):
    """Ended by the template's limits: an answer or 500, soon, on however many connections."""
    where = setups.resource(stages.v1, stages.rest, stages.root, f"template-{name}")
    setups.mock_method(stages.v1, stages.rest, where, body=NEVER_ENDING[name])
    stages.deploy()
    path, began = f"/template-{name}", time.monotonic()
    answer = stages.ask("rest", "GET", path)
    assert answer.status in (200, 500), answer.status
    assert len(answer.body) < 10 * 2**20
    assert time.monotonic() - began < 10
    assert f" {answer.status} " in stages.logged("rest", path)


def test_templates_that_never_end_hold_up_no_other_stage(stages):
    """Many connections loop; another stage's slowest requests wait for a fraction of what one loop takes."""
    where = setups.resource(stages.v1, stages.rest, stages.root, "looping")
    setups.mock_method(stages.v1, stages.rest, where, body=NEVER_ENDING["nested"])
    stages.deploy()

    def loop_once():
        with RawClient(stages.server, patience=120) as looping:
            return looping.send(stages.head("rest", "GET", "/looping")).answer()[0]

    began = time.monotonic()
    assert loop_once() == 500
    alone, over = time.monotonic() - began, threading.Event()

    def loop():
        while not over.is_set():
            with contextlib.suppress(OSError):
                loop_once()

    loops = [threading.Thread(target=loop, daemon=True) for _ in range(16)]
    for thread in loops:
        thread.start()
    waits = []
    for _ in range(100):
        began = time.monotonic()
        assert stages.ask("http", "GET", "/well").status == 200
        waits.append(time.monotonic() - began)
    over.set()
    slow = sorted(waits)[-2]
    assert slow < alone / 3, f"p99 {slow:.3f} s, a loop takes {alone:.3f} s"
