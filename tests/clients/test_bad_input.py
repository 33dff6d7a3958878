"""What clients should not send: each gets the documented error, nothing is stored, the server stays up."""

import json
import random
import socket

import pytest

from conftest import client, fetch
from server import Server
from signing import signed

JSON = {"Content-Type": "application/json"}


def post(server, target, body, service="apigateway", method="POST", headers=None):
    body = body if isinstance(body, bytes) else body.encode()
    target, sent = signed(server, method, target, body, service=service, headers={**JSON, **(headers or {})})
    return fetch(server, method, target, sent, body)


@pytest.fixture(autouse=True)
def stored_things_stay_as_they_are(server):
    """Around every test in this file: the server is up afterwards and holds what it held."""

    def counts():
        ivs, v1, v2 = (client(server, name) for name in ("ivs-realtime", "apigateway", "apigatewayv2"))
        return len(ivs.list_stages()["stages"]), len(v1.get_rest_apis(limit=500)["items"]), len(v2.get_apis()["Items"])

    before = counts()
    yield
    assert counts() == before


CREATES = [("/restapis", "apigateway"), ("/v2/apis", "apigateway"), ("/CreateStage", "ivs")]


@pytest.mark.parametrize(("target", "service"), CREATES)
@pytest.mark.parametrize(
    "body",
    [
        "{", "{]", '{"name": ', "[]", '"text"', "7", "true", '{"name": "x"} trailing', '{"name": "\ud800"}'.encode("utf-8", "surrogatepass"),
        b"\xff\xfe", b'{"name": "\x00"}', '{"name": "' + "x" * 10 + "\n" + '"}', "{" * 100_000, "[" * 100_000,
        '{"a":' * 20_000 + "1" + "}" * 20_000,
    ],
    ids=lambda body: repr(body[:12]),
)
def test_malformed_json(server, target, service, body):
    answer = post(server, target, body, service)
    assert answer.status == 400, answer
    assert answer.headers["x-amzn-errortype"].split(":")[0] in ("SerializationException", "ValidationException", "BadRequestException")
    assert "message" in answer.json


@pytest.mark.parametrize(
    ("target", "service", "body"),
    [
        ("/restapis", "apigateway", {"name": True}),
        ("/restapis", "apigateway", {"name": "x", "tags": ["a"]}),
        ("/restapis", "apigateway", {"name": "x", "minimumCompressionSize": "many"}),
        ("/restapis", "apigateway", {"name": "x", "endpointConfiguration": "EDGE"}),
        ("/v2/apis", "apigateway", {"name": {}, "protocolType": "HTTP"}),
        ("/v2/apis", "apigateway", {"name": "x", "protocolType": 7}),
        ("/CreateStage", "ivs", {"name": ["x"]}),
        ("/CreateStage", "ivs", {"tags": {"a": {"b": "c"}}}),
        ("/CreateStage", "ivs", {"participantTokenConfigurations": {"duration": 1}}),
        ("/CreateStage", "ivs", {"participantTokenConfigurations": [{"duration": "long"}]}),
    ],
)
def test_wrong_types(server, target, service, body):
    answer = post(server, target, json.dumps(body), service)
    assert answer.status == 400, answer


def test_unknown_members_are_ignored(server):
    answer = post(server, "/CreateStage", json.dumps({"name": "known", "unknown": {"deep": [1, None]}, "Name": "other"}), "ivs")
    assert answer.status == 200, answer
    assert answer.json["stage"]["name"] == "known"
    client(server, "ivs-realtime").delete_stage(arn=answer.json["stage"]["arn"])


def test_null_members_are_absent(server):
    answer = post(server, "/CreateStage", json.dumps({"name": None, "tags": None}), "ivs")
    assert answer.status == 200, answer
    client(server, "ivs-realtime").delete_stage(arn=answer.json["stage"]["arn"])


@pytest.mark.parametrize(
    ("method", "target", "service"),
    [
        ("GET", "/nothing/here", "apigateway"),
        ("GET", "/v2/nothing", "apigateway"),
        ("PUT", "/restapis/x/y/z", "apigateway"),
        ("POST", "/NoSuchOperation", "ivs"),
        ("GET", "/CreateStage", "ivs"),
        ("DELETE", "/", "apigateway"),
        ("POST", "/", "ivs"),
        ("GET", "/restapis/%ff%fe", "apigateway"),
        ("GET", "/restapis/%00", "apigateway"),
        ("GET", "/restapis/%", "apigateway"),
        ("GET", "/restapis/%zz", "apigateway"),
        ("GET", "/restapis/" + "a" * 6000, "apigateway"),
    ],
)
def test_paths_that_are_no_operation_or_no_thing(server, method, target, service):
    answer = post(server, target, "", service, method=method)
    assert 400 <= answer.status < 500, answer


def test_query_values_of_the_wrong_type(server):
    answer = post(server, "/restapis?limit=many", "", method="GET")
    assert answer.status in (200, 400), answer


def test_a_body_that_is_too_long(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        head = (
            "POST /restapis HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Content-Length: {200 * 1024 * 1024}\r\n\r\n"
        )
        connection.sendall(head.encode())
        answer = connection.recv(65536)
    assert answer.split(b" ")[1] in (b"413", b"403", b"400"), answer


def test_headers_that_are_too_long(server):
    answer = fetch(server, "GET", "/restapis", {"X-Long": "x" * 300_000})
    assert answer.status in (400, 413, 431), answer


def test_too_many_headers(server):
    answer = fetch(server, "GET", "/restapis", {f"X-{number}": "x" for number in range(2000)})
    assert answer.status in (400, 403, 413, 431), answer


@pytest.mark.parametrize("seed", range(4))
def test_noise_on_the_http_port(server, seed):
    noise = random.Random(seed)
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            connection.sendall(noise.randbytes(noise.randint(1, 2000)))
    assert fetch(server, "GET", "/_stagedoor/health").status == 200


@pytest.mark.parametrize("seed", range(4))
def test_noise_on_the_media_port(server, seed):
    """Garbage, and things that begin like STUN, DTLS, RTP and RTCP, are dropped."""
    noise = random.Random(seed)
    starts = [b"", b"\x00\x01\x00\x08\x21\x12\xa4\x42", b"\x01\x01\x00\x00\x21\x12\xa4\x42", b"\x16\xfe\xfd", b"\x80\x60", b"\x80\xc8", b"\x40\x00"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(500):
            sender.sendto(noise.choice(starts) + noise.randbytes(noise.randint(0, 1400)), server.media)
    assert fetch(server, "GET", "/_stagedoor/health").status == 200
    assert server.running


def test_noise_on_the_media_ports_tcp_side(server):
    noise = random.Random(7)
    for _ in range(20):
        try:
            with socket.create_connection(server.media, timeout=5) as connection:
                connection.sendall(noise.randbytes(500))
        except OSError:
            # Refused or cut off: both are fine.
            continue
    assert fetch(server, "GET", "/_stagedoor/health").status == 200


@pytest.mark.parametrize("options", [["--listen", "nowhere"], ["--no-such-option"], ["--account", "12"], ["--region", ""]])
def test_options_that_make_no_sense(tmp_path, options):
    server = Server(tmp_path, *options)
    with pytest.raises(AssertionError):
        server.start()
    assert not server.running
    assert server.last_log().strip()
