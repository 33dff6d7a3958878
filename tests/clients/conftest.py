"""What the tests in this folder share: a server per module, a backend, boto3 clients, a plain HTTP requester."""

import http.client
import json
from dataclasses import dataclass

import boto3
import pytest
from botocore.config import Config

from backend import Backend
from server import Server

ACCOUNT = "000000000000"
REGION = "us-east-1"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of the module's own, on an empty data directory."""
    with Server(tmp_path_factory.mktemp("data")) as running:
        yield running
        assert running.running, "the server went down:\n" + running.last_log()


@pytest.fixture(scope="session")
def backend():
    with Backend() as running:
        yield running


def client(server, service, region=REGION, key="test", secret="test", token=None, **config):
    """A boto3 client that knows nothing of the server but its address."""
    return boto3.client(
        service,
        endpoint_url=server.http,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"max_attempts": 0}, connect_timeout=5, read_timeout=20, **config),
    )


@pytest.fixture
def apigateway(server):
    return client(server, "apigateway")


@pytest.fixture
def apigatewayv2(server):
    return client(server, "apigatewayv2")


@pytest.fixture
def ivs(server):
    return client(server, "ivs-realtime")


@dataclass
class Answer:
    """An HTTP answer: `headers` has lower-case names; what came more than once is joined by commas."""

    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


def fetch(server, method, target, headers=None, body=None):
    """One request, sent exactly as given: no redirects, no path clean-up, `Host` as in `headers`.

    A header whose value is a list is sent once for each of its values.
    """
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        headers = dict(headers or {})
        connection.putrequest(method, target, skip_host="Host" in headers, skip_accept_encoding=True)
        for name, values in headers.items():
            for value in values if isinstance(values, list) else [values]:
                connection.putheader(name, value)
        data = body.encode() if isinstance(body, str) else body
        if data is not None:
            connection.putheader("Content-Length", str(len(data)))
        try:
            connection.endheaders(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # The answer can come before the end of a body that is refused; urllib3 reads it then, too.
        answer = connection.getresponse()
        names = {name.lower(): ", ".join(answer.headers.get_all(name)) for name in answer.headers}
        return Answer(answer.status, names, answer.read())
    finally:
        connection.close()


def execute_api(server, api, method, path, headers=None, body=None, region=REGION):
    """A request to an API's own host name, as AWS addresses it."""
    host = f"{api}.execute-api.{region}.amazonaws.com"
    return fetch(server, method, path, {"Host": host, **(headers or {})}, body)
