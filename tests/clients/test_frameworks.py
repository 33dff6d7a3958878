"""Web frameworks that people deploy as Lambda functions, behind every kind of API, as their adapters see the events.

All of them serve the same routes (`frameworks/`, `nodejs/`), so that one test holds for all.
"""

import base64
import gzip
import json
import os
import pathlib
import shutil
import sys
import zlib

import pytest

import setups
from conftest import REGION, client, fetch
from server import serving
from test_lambda import FAILED_HTTP, FAILED_REST, arn

HERE = pathlib.Path(__file__).resolve().parent
NODE = HERE / "nodejs"
PYTHON_APPS = ["fastapi", "flask", "powertools"]
NODE_APPS = ["express", "hono", "middy"] if (NODE / "node_modules/aws-lambda-ric").is_dir() else []
RUST = os.environ.get("STAGEDOOR_RUST_FUNCTION")
FRAMEWORKS = [*PYTHON_APPS, *NODE_APPS, *(["axum"] if RUST else [])]
KINDS = ["rest", "rest-domain", "http-1.0", "http-2.0", "http-1.0-named", "http-2.0-named", "http-1.0-domain", "http-2.0-domain"]

PAIRS = [(framework, kind) for framework in FRAMEWORKS for kind in KINDS]
PAIRS += [(f"{framework}-streaming", "rest-stream") for framework in ["hono", "axum"] if framework in FRAMEWORKS]

# Every byte there is, behind the first ones of a picture.
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) + zlib.compress(b"picture")


def table(name, command, directory, **environment):
    environment = ", ".join(f"{name} = {json.dumps(value)}" for name, value in environment.items())
    return (
        f"[[function]]\nname = {name!r}\ncommand = {json.dumps(command)}\ndirectory = {str(directory)!r}\n"
        f"timeout = 30\nconcurrency = 2\nenvironment = {{ {environment} }}\n"
    )


def python_table(name, handler):
    return table(name, [sys.executable, "-m", "awslambdaric", handler], HERE / "frameworks")


def node_table(name, handler):
    command = [shutil.which("node"), "node_modules/aws-lambda-ric/bin/index.mjs", handler]
    return table(name, command, NODE, LAMBDA_TASK_ROOT=str(NODE))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    directory = tmp_path_factory.mktemp("frameworks")
    config = directory / "stagedoor.toml"
    tables = [python_table(name, f"{name}_app.handler") for name in PYTHON_APPS]
    tables += [node_table(name, f"{name}_app.handler") for name in NODE_APPS]
    if NODE_APPS:
        tables.append(node_table("hono-streaming", "hono_app.streaming"))
    if RUST:
        # Else the adapter puts the stage in front of all paths.
        paths = {"AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH": "1"}
        tables += [table(name, [RUST, name], HERE, **paths) for name in ["axum", "axum-streaming"]]
    config.write_text("\n".join(tables))
    with serving(directory / "data", "--config", str(config)) as running:
        yield running


class Deployed:
    """A framework behind an API: where it is, and what it is told of that."""

    def __init__(self, server, framework, kind):
        self.server = server
        self.framework = framework
        self.kind = kind
        self.version = "2.0" if "2.0" in kind else "1.0"
        self.stage = "prod" if kind.startswith("rest") or "named" in kind else "$default"
        make = rest_api if kind.startswith("rest") else http_api
        api = make(server, framework, kind, self.stage)
        self.host = f"{api}.execute-api.{REGION}.amazonaws.com"
        self.prefix = "/prod" if self.stage == "prod" else ""
        if "domain" in kind:
            self.host = f"{framework}-{kind.replace('.', '-')}.example.com"
            self.prefix = "/shop"
            domain(server, self.host, api, self.stage)

    def fetch(self, method, path, headers=None, body=None):
        return fetch(self.server, method, self.prefix + path, {"Host": self.host, **(headers or {})}, body)


def rest_api(server, framework, kind, stage):
    """A REST API, all of whose paths are the framework's, and all of whose bodies may be bytes but of `rest-text`."""
    apigateway = client(server, "apigateway")
    made = apigateway.create_rest_api(name=framework, binaryMediaTypes=[] if kind == "rest-text" else ["*/*"])
    api = made["id"]
    where = setups.resource(apigateway, api, made["rootResourceId"], "{proxy+}")
    address = {"restApiId": api, "resourceId": where, "httpMethod": "ANY"}
    apigateway.put_method(**address, authorizationType="NONE")
    path, mode = f"2015-03-31/functions/{arn(framework)}/invocations", "BUFFERED"
    if kind == "rest-stream":
        path, mode = f"2021-11-15/functions/{arn(framework)}/response-streaming-invocations", "STREAM"
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/{path}"
    apigateway.put_integration(
        **address, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri, responseTransferMode=mode
    )
    apigateway.create_deployment(restApiId=api, stageName=stage)
    return api


def http_api(server, framework, kind, stage):
    apigatewayv2 = client(server, "apigatewayv2")
    api = apigatewayv2.create_api(Name=framework, ProtocolType="HTTP")["ApiId"]
    version = kind.split("-")[1]
    integration = apigatewayv2.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn(framework), PayloadFormatVersion=version
    )["IntegrationId"]
    apigatewayv2.create_route(ApiId=api, RouteKey="ANY /{proxy+}", Target=f"integrations/{integration}")
    deployment = apigatewayv2.create_deployment(ApiId=api)["DeploymentId"]
    apigatewayv2.create_stage(ApiId=api, StageName=stage, DeploymentId=deployment)
    return api


def domain(server, name, api, stage):
    apigatewayv2 = client(server, "apigatewayv2")
    certificate = f"arn:aws:acm:{REGION}:000000000000:certificate/one"
    apigatewayv2.create_domain_name(
        DomainName=name, DomainNameConfigurations=[{"CertificateArn": certificate, "EndpointType": "REGIONAL"}]
    )
    apigatewayv2.create_api_mapping(DomainName=name, ApiId=api, Stage=stage, ApiMappingKey="shop")


@pytest.fixture(scope="module", params=PAIRS, ids="-".join)
def app(request, server):
    return Deployed(server, *request.param)


def test_what_the_framework_is_told(app):
    headers = {"X-Twice": ["one", "two"], "Cookie": "a=1; b=x%20y", "User-Agent": "tests"}
    answer = app.fetch("GET", "/echo/p%20q?a=1&b=%26%3D%2B+x&a=2&empty=&%C3%A9=%E2%9C%93", headers)
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"].startswith("application/json")
    told = answer.json
    # AWS decodes paths in events of format 2.0 only, and these leave that to it.
    decoded = app.framework not in ("powertools", "middy") or app.version == "2.0"
    assert (told["method"], told["id"]) == ("GET", "p q" if decoded else "p%20q")
    query = sorted(map(tuple, told["query"]))
    if app.version == "2.0" and app.framework == "middy":
        # Format 2.0 joins values, and middy has nothing else.
        assert query == [("a", "1,2"), ("b", "&=+ x"), ("empty", ""), ("é", "✓")]
    else:
        assert query == [("a", "1"), ("a", "2"), ("b", "&=+ x"), ("empty", ""), ("é", "✓")]
    # Of format 1.0 lambda_http takes the last value of a header, whatever `multiValueHeaders` say.
    last = app.framework.startswith("axum") and app.version == "1.0"
    assert told["twice"].replace(", ", ",") == ("two" if last else "one,two")
    assert told["cookies"] == {"a": "1", "b": "x%20y"}
    assert (told["host"], told["ip"], told["stage"], told["scheme"]) == (app.host, "127.0.0.1", app.stage, "http")


@pytest.mark.parametrize("verb", ["HEAD", "OPTIONS", "DELETE", "PATCH", "PUT", "POST"])
def test_all_verbs(app, verb):
    answer = app.fetch(verb, "/echo/1")
    assert answer.status == 200
    if verb == "HEAD":
        assert answer.body == b""
    else:
        assert (answer.json["method"], answer.json["query"], answer.json["cookies"]) == (verb, [], {})


def test_a_path_of_many_parts(app):
    assert app.fetch("GET", "/greedy/a/b").json == {"rest": "a/b"}


def test_json(app):
    sent = {"name": "Zoë", "list": [1, 2.5, None, True], "deep": {"a": {}}}
    body = json.dumps(sent, ensure_ascii=False)
    assert app.fetch("POST", "/json", {"Content-Type": "application/json"}, body).json == {"sent": sent}


def test_a_form(app):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = app.fetch("POST", "/form", headers, "name=Z%C3%B6e+x&colour=red&colour=green%26")
    assert answer.json == {"name": "Zöe x", "colour": ["red", "green&"]}


def test_an_upload(app):
    parts = [
        b'--parts\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n',
        b'--parts\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n',
        PNG,
        b"\r\n--parts--\r\n",
    ]
    headers = {"Content-Type": "multipart/form-data; boundary=parts"}
    answer = app.fetch("POST", "/upload", headers, b"".join(parts))
    assert answer.json == {"note": "hello", "name": "a.png", "type": "image/png", "hex": PNG.hex()}


def test_bytes_both_ways(app):
    answer = app.fetch("POST", "/bytes", {"Content-Type": "image/png", "Accept": "image/png"}, PNG)
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, "image/png", PNG)
    # How long a streamed answer becomes nobody knows when it begins.
    assert answer.headers.get("content-length") == (None if app.kind == "rest-stream" else str(len(PNG)))


def test_a_compressed_answer(app):
    answer = app.fetch("GET", "/gzip", {"Accept-Encoding": "gzip"})
    assert (answer.status, answer.headers["content-encoding"]) == (200, "gzip")
    assert answer.headers["content-type"].startswith("text/plain")
    assert gzip.decompress(answer.body) == b"small"


def test_cookies_are_set_one_by_one(app):
    answer = app.fetch("GET", "/cookies")
    first, second = sorted(answer.headers["set-cookie"].split(", "))
    assert first.startswith("a=1;") and "httponly" in first.lower()
    assert second.startswith("b=2;") and "path=/there" in second.lower()


def test_other_answers(app):
    answer = app.fetch("GET", "/redirect")
    assert (answer.status, answer.headers["location"]) == (302, "/echo/1?a=b&c=%20")
    answer = app.fetch("DELETE", "/empty")
    assert (answer.status, answer.body) == (204, b"")
    answer = app.fetch("GET", "/teapot")
    assert (answer.status, answer.headers["x-twice"], answer.json) == (418, "one", {"error": "I am a teapot"})
    answer = app.fetch("GET", "/no/such/route")
    assert answer.status == 404, answer.body


def test_an_error_in_the_framework(app):
    answer = app.fetch("GET", "/boom")
    if app.framework in ("powertools", "axum", "axum-streaming"):
        # Nothing in them answers, so the function fails.
        expected = (502, FAILED_REST) if app.kind.startswith("rest") else (500, FAILED_HTTP)
        assert (answer.status, answer.json) == expected
    else:
        assert answer.status == 500
        assert app.fetch("GET", "/echo/1").status == 200


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_rest_api_without_binary_types(server, framework):
    """Requests are text, and base64 stays what it is: the developer guide's "Content type conversions", and recorded."""
    app = Deployed(server, framework, "rest-text")
    test_json(app)
    test_a_form(app)
    answer = app.fetch("POST", "/bytes", {"Content-Type": "image/png", "Accept": "image/png"}, "text")
    assert (answer.status, base64.b64decode(answer.body)) == (200, b"text")


@pytest.mark.skipif(not NODE_APPS, reason="`cargo xtask test` installs aws-lambda-ric")
def test_an_answer_in_parts(server):
    answer = Deployed(server, "hono-streaming", "rest-stream").fetch("GET", "/parts")
    assert (answer.status, answer.body) == (200, b"first,second,third")
