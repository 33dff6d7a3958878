"""Who may call a stage: botocore's signatures, tokens of an OpenID provider, authorizers under AWS's runtime client."""

import http.server
import json
import threading
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

import setups
from conftest import ACCOUNT, REGION, execute_api, fetch
from expect import eventually
from server import serving
from signing import signed
from test_lambda import arn, table

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"},
        {"Effect": "Deny", "Action": "*", "Resource": "*/secret"},
    ],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    directory = tmp_path_factory.mktemp("authorize")
    config = directory / "stagedoor.toml"
    keys = "\n".join(
        f"[[key]]\nid = {name!r}\nsecret = 'secret'\n{more}"
        for name, more in [
            ("ALICE", "user = 'alice'\n"),
            ("BOB", f"user = 'bob'\npolicy = '{json.dumps(POLICY)}'\n"),
            ("STRANGER", "account = '444455556666'\n"),
        ]
    )
    config.write_text("\n".join([keys, table("echo", "echo", concurrency=8), table("guard", "guard")]))
    with serving(directory / "data", "--config", str(config)) as running:
        yield running


class Provider:
    """An OpenID provider: its keys are made, published and signed with by PyJWT and cryptography."""

    def __init__(self):
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps(provider.document(self.path)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self.listener.server_port}"
        self.keys = []
        self.rotate()
        threading.Thread(target=self.listener.serve_forever, daemon=True).start()

    def document(self, path):
        if path.endswith("/.well-known/openid-configuration"):
            return {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"}
        published = [
            {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": name, "use": "sig", "alg": "RS256"}
            for name, key in self.keys
        ]
        return {"keys": published}

    def rotate(self):
        """Signs with a new key from now on; the key before is still published."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.keys = [*self.keys[-1:], (f"key-{time.monotonic_ns()}", key)]

    def token(self, **claims):
        name, key = self.keys[-1]
        now = int(time.time())
        claims = {"iss": self.url, "aud": "shop", "sub": "me", "iat": now, "exp": now + 300, **claims}
        return jwt.encode(claims, key, algorithm="RS256", headers={"kid": name})


@pytest.fixture
def provider():
    running = Provider()
    yield running
    running.listener.shutdown()
    running.listener.server_close()


def jwt_api(apigatewayv2, provider):
    """An HTTP API with two guarded routes to a function, one of them with a scope."""
    api = apigatewayv2.create_api(Name="guarded", ProtocolType="HTTP")["ApiId"]
    authorizer = apigatewayv2.create_authorizer(
        ApiId=api, Name="jwt", AuthorizerType="JWT", IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": provider.url, "Audience": ["shop"]},
    )["AuthorizerId"]
    target = "integrations/" + apigatewayv2.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn("echo"), PayloadFormatVersion="2.0"
    )["IntegrationId"]
    guarded = {"ApiId": api, "Target": target, "AuthorizationType": "JWT", "AuthorizerId": authorizer}
    apigatewayv2.create_route(**guarded, RouteKey="GET /plain")
    apigatewayv2.create_route(**guarded, RouteKey="GET /scoped", AuthorizationScopes=["write"])
    apigatewayv2.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    return api


def bearing(server, api, path, token):
    return execute_api(server, api, "GET", path, {"Authorization": f"Bearer {token}"})


def test_tokens_of_a_provider_pass_while_its_keys_rotate(server, apigatewayv2, provider):
    api = jwt_api(apigatewayv2, provider)
    old = provider.token(scope="read write", groups=["a", "b"])
    answer = eventually(lambda: found if (found := bearing(server, api, "/plain", old)).status == 200 else None)
    told = answer.json["event"]["requestContext"]["authorizer"]["jwt"]
    assert told["claims"]["groups"] == "[a b]"
    assert told["scopes"] is None
    assert bearing(server, api, "/scoped", old).status == 200
    stop = threading.Event()
    failures = []

    def ask():
        while not stop.is_set():
            if (found := bearing(server, api, "/plain", old)).status != 200:
                failures.append(found)

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for thread in asking:
        thread.start()
    try:
        for _ in range(3):
            provider.rotate()
            new = provider.token()
            eventually(lambda: bearing(server, api, "/plain", new).status == 200)
    finally:
        stop.set()
        for thread in asking:
            thread.join()
    assert not failures


def test_tokens_that_do_not_hold_are_challenged(server, apigatewayv2, provider):
    api = jwt_api(apigatewayv2, provider)
    good = provider.token()
    eventually(lambda: bearing(server, api, "/plain", good).status == 200)
    missing = execute_api(server, api, "GET", "/plain")
    assert (missing.status, missing.body) == (401, b'{"message":"Unauthorized"}')
    assert missing.headers["www-authenticate"] == "Bearer"
    assert "content-type" not in missing.headers
    other = bearing(server, api, "/plain", provider.token(aud="elsewhere"))
    assert other.headers["www-authenticate"] == (
        'Bearer scope="" error="invalid_token" error_description="the token does not have a valid audience"'
    )
    late = bearing(server, api, "/plain", provider.token(exp=int(time.time()) - 1))
    assert "the token has expired" in late.headers["www-authenticate"]
    unscoped = bearing(server, api, "/scoped", good)
    assert (unscoped.status, unscoped.body) == (403, b'{"message":"Forbidden"}')
    unsigned = jwt.encode({"iss": provider.url, "aud": "shop"}, None, algorithm="none")
    assert bearing(server, api, "/plain", unsigned).status == 401


def rest_api(apigateway, policy=None, **method):
    """A REST API whose `GET /public` and `GET /secret` are a function; its id."""
    api, root = setups.rest_api(apigateway, name="guarded")
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn('echo')}/invocations"
    for part in ["public", "secret"]:
        address = {"restApiId": api, "resourceId": setups.resource(apigateway, api, root, part), "httpMethod": "GET"}
        apigateway.put_method(**address, **(method or {"authorizationType": "AWS_IAM"}))
        apigateway.put_integration(**address, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    if policy:
        patch = [{"op": "replace", "path": "/policy", "value": json.dumps(policy)}]
        apigateway.update_rest_api(restApiId=api, patchOperations=patch)
    apigateway.create_deployment(restApiId=api, stageName="prod")
    return api


def call_signed(server, api, path, key, secret="secret", **more):
    target = f"/_aws/execute-api/{api}/prod/{path}"
    target, headers = signed(server, "GET", target, key=key, secret=secret, service="execute-api", **more)
    return fetch(server, "GET", target, headers)


def test_botocore_signs_for_methods_with_iam(server, apigateway):
    api = rest_api(apigateway)
    answer = call_signed(server, api, "public", "ALICE")
    assert answer.status == 200, answer
    identity = answer.json["event"]["requestContext"]["identity"]
    assert identity["userArn"] == f"arn:aws:iam::{ACCOUNT}:user/alice"
    assert identity["accessKey"] == "ALICE"
    assert call_signed(server, api, "public", "BOB").status == 200
    denied = call_signed(server, api, "secret", "BOB")
    assert denied.status == 403
    assert denied.headers["x-amzn-errortype"] == "AccessDeniedException"
    assert denied.json["Message"].endswith("prod/GET/secret with an explicit deny")
    assert call_signed(server, api, "public", "STRANGER").status == 403
    wrong = call_signed(server, api, "public", "ALICE", secret="guessed")
    assert wrong.headers["x-amzn-errortype"] == "InvalidSignatureException"
    unsigned = fetch(server, "GET", f"/_aws/execute-api/{api}/prod/public")
    assert unsigned.json == {"message": "Missing Authentication Token"}


def test_a_resource_policy_lets_another_account_in(server, apigateway):
    statement = {"Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Action": "execute-api:Invoke"}
    policy = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": "execute-api:/prod/GET/public"}]}
    api = rest_api(apigateway, policy)
    assert call_signed(server, api, "public", "STRANGER").status == 200
    assert call_signed(server, api, "secret", "STRANGER").status == 403
    assert call_signed(server, api, "secret", "ALICE").status == 200


def test_lambda_authorizers_under_awslambdaric(server, apigateway):
    api, root = setups.rest_api(apigateway, name="asked")
    uri = "arn:aws:apigateway:{}:lambda:path/2015-03-31/functions/{}/invocations"
    authorizer = apigateway.create_authorizer(
        restApiId=api, name="guard", type="TOKEN", authorizerUri=uri.format(REGION, arn("guard")),
        identitySource="method.request.header.Token", authorizerResultTtlInSeconds=300,
    )["id"]
    address = {"restApiId": api, "resourceId": setups.resource(apigateway, api, root, "x"), "httpMethod": "GET"}
    apigateway.put_method(**address, authorizationType="CUSTOM", authorizerId=authorizer)
    apigateway.put_integration(
        **address, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri.format(REGION, arn("echo"))
    )
    apigateway.create_deployment(restApiId=api, stageName="prod")
    ask = lambda token: execute_api(server, api, "GET", "/prod/x", {"Token": token})
    for _ in range(2):
        told = ask("allow").json["event"]["requestContext"]["authorizer"]
        assert (told["principalId"], told["tries"], told["good"]) == ("somebody", "3", "true")
    assert told["integrationLatency"] == 0, "the second answer was kept"
    assert ask("deny").json == {"Message": "User is not authorized to access this resource with an explicit deny"}
    assert (ask("unauthorized").status, ask("unauthorized").json) == (401, {"message": "Unauthorized"})
    apigateway.flush_stage_authorizers_cache(restApiId=api, stageName="prod")
    assert ask("allow").status == 200


def test_gateway_responses_know_what_authorizers_said(server, apigateway):
    """rest-data C6 and C7: who is turned away, and why, in the templates that customers write for it."""
    api, root = setups.rest_api(apigateway, name="told why")
    uri = "arn:aws:apigateway:{}:lambda:path/2015-03-31/functions/{}/invocations"
    for part, function in [("guarded", "guard"), ("broken", "echo")]:
        authorizer = apigateway.create_authorizer(
            restApiId=api, name=part, type="TOKEN", authorizerUri=uri.format(REGION, arn(function)),
            identitySource="method.request.header.Token", authorizerResultTtlInSeconds=0,
        )["id"]
        address = {"restApiId": api, "resourceId": setups.resource(apigateway, api, root, part), "httpMethod": "GET"}
        apigateway.put_method(**address, authorizationType="CUSTOM", authorizerId=authorizer)
        apigateway.put_integration(**address, type="MOCK", requestTemplates={"application/json": "{statusCode: 200}"})
    template = '{"message":$context.error.messageString,"tries":"$context.authorizer.tries",' \
               '"who":"$context.authorizer.principalId","method":"$context.httpMethod $context.path"}'
    origin = {"gatewayresponse.header.Access-Control-Allow-Origin": "method.request.header.Origin"}
    apigateway.put_gateway_response(
        restApiId=api, responseType="ACCESS_DENIED", responseParameters=origin,
        responseTemplates={"application/json": template},
    )
    apigateway.put_gateway_response(restApiId=api, responseType="DEFAULT_5XX", responseParameters=origin)
    apigateway.create_deployment(restApiId=api, stageName="prod")
    ask = lambda path: execute_api(server, api, "GET", path, {"Token": "deny", "Origin": "https://own.example"})
    denied = ask("/prod/guarded")
    assert (denied.status, denied.json) == (403, {
        "message": "User is not authorized to access this resource with an explicit deny",
        "tries": "3", "who": "somebody", "method": "GET /prod/guarded",
    })
    broken = ask("/prod/broken")
    assert (broken.status, broken.body) == (500, b'{"message":null}')
    assert broken.headers["x-amzn-errortype"] == "AuthorizerConfigurationException"
    for answer in (denied, broken):
        assert answer.headers["access-control-allow-origin"] == "https://own.example"


def test_authorizers_are_tried_before_methods_have_them(server, apigateway):
    api, _ = setups.rest_api(apigateway, name="tried")
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn('guard')}/invocations"
    authorizer = apigateway.create_authorizer(
        restApiId=api, name="guard", type="TOKEN", authorizerUri=uri, identitySource="method.request.header.Token"
    )["id"]
    ask = lambda token: apigateway.test_invoke_authorizer(
        restApiId=api, authorizerId=authorizer, headers={"Token": token}
    )
    for token, effect in [("allow", "Allow"), ("deny", "Deny")]:
        tried = ask(token)
        assert (tried["clientStatus"], tried["principalId"]) == (0, "somebody")
        statement = json.loads(tried["policy"])["Statement"][0]
        assert statement["Effect"] == effect
        assert statement["Resource"].endswith(f"{ACCOUNT}:{api}/ESTestInvoke-stage/GET/")
        assert tried["latency"] >= 0
        assert "Using valid authorizer policy for principal: ****body\n" in tried["log"]
    refused = ask("unauthorized")
    assert refused["clientStatus"] == 401
    assert "policy" not in refused
    with pytest.raises(apigateway.exceptions.NotFoundException, match="Invalid Authorizer identifier specified"):
        apigateway.test_invoke_authorizer(restApiId=api, authorizerId="none")
