"""Who is let in: every request to a control plane is signed, and a wrong signature is refused in AWS's words."""

import datetime
import json

import botocore.auth
import pytest

from conftest import client, fetch
from expect import refused
from server import Server
from signing import signed

MINUTE = datetime.timedelta(minutes=1)


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def call(server, method="GET", target="/restapis", body=b"", change=lambda headers: None, **options):
    target, headers = signed(server, method, target, body, **options)
    change(headers)
    return fetch(server, method, target, headers, body or None)


def refusal(answer, code, words):
    assert answer.status == 403, answer
    assert answer.headers["x-amzn-errortype"].split(":")[0] == code
    assert words in answer.json["message"]


def test_a_good_signature(server):
    assert call(server).status == 200


def test_no_signature(server):
    refusal(fetch(server, "GET", "/restapis"), "MissingAuthenticationTokenException", "Missing Authentication Token")


def test_a_wrong_secret_shows_what_should_have_been_signed(server):
    answer = call(server, secret="wrong")
    refusal(answer, "InvalidSignatureException", "The request signature we calculated does not match the signature you provided.")
    assert "The Canonical String for this request should have been" in answer.json["message"]


def test_an_unknown_key(server):
    refusal(call(server, key="AKIANOBODY"), "UnrecognizedClientException", "The security token included in the request is invalid.")


def test_a_session_token_that_belongs_to_no_key(server):
    refusal(call(server, token="made up"), "UnrecognizedClientException", "The security token included in the request is invalid.")


@pytest.mark.parametrize(
    ("minutes", "words"), [(-16, "Signature expired:"), (16, "Signature not yet current:"), (-60 * 24 * 365, "Signature expired:")]
)
def test_skewed_dates(server, minutes, words):
    refusal(call(server, at=now() + minutes * MINUTE), "InvalidSignatureException", words)


@pytest.mark.parametrize("minutes", [-14, 14])
def test_a_quarter_of_an_hour_is_forgiven(server, minutes):
    assert call(server, at=now() + minutes * MINUTE).status == 200


def test_a_replayed_request_is_good_only_for_its_time_and_its_host(server):
    target, headers = signed(server, "GET", "/restapis")
    assert fetch(server, "GET", target, headers).status == 200
    assert fetch(server, "GET", target, headers).status == 200
    refusal(fetch(server, "GET", target, {**headers, "Host": "other.example"}), "InvalidSignatureException", "does not match")
    refusal(fetch(server, "GET", "/apikeys", headers), "InvalidSignatureException", "does not match")
    refusal(fetch(server, "GET", "/restapis?limit=1", headers), "InvalidSignatureException", "does not match")


def test_a_wrong_region(server):
    for region in ("NoWhere", "us_east_1"):
        refusal(call(server, region=region), "InvalidSignatureException", "Credential should be scoped to a valid region")


def test_a_wrong_service(server):
    answer = call(server, service="s3")
    assert answer.status in (403, 404), answer


def test_a_scope_for_another_day(server):
    def shift(headers):
        today, yesterday = now().strftime("/%Y%m%d/"), (now() - 1440 * MINUTE).strftime("/%Y%m%d/")
        headers["Authorization"] = headers["Authorization"].replace(today, yesterday)

    refusal(call(server, change=shift), "InvalidSignatureException", "Date in Credential scope does not match")


def test_a_changed_body_breaks_the_signature(server):
    body = json.dumps({"name": "good"}).encode()
    target, headers = signed(server, "POST", "/restapis", body, headers={"Content-Type": "application/json"})
    refusal(fetch(server, "POST", target, headers, body.replace(b"good", b"evil")), "InvalidSignatureException", "does not match")


@pytest.mark.parametrize(
    "value",
    [
        "Bearer abc",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=test",
        "AWS4-HMAC-SHA256 Credential=test/1/2/3/4/5/6, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=, SignedHeaders=, Signature=",
        "Basic dGVzdDp0ZXN0",
        "AWS4-HMAC-SHA256 " + "x" * 5000,
        "\x7f\xff",
    ],
)
def test_authorization_headers_that_are_none(server, value):
    def put(headers):
        headers["Authorization"] = value.encode("latin-1")

    answer = call(server, change=put)
    assert answer.status in (400, 403), answer
    assert server.running


def test_presigned_queries(server):
    target, headers = signed(server, "GET", "/restapis", signer=botocore.auth.SigV4QueryAuth, expires=60)
    assert "X-Amz-Signature=" in target
    assert fetch(server, "GET", target, headers).status == 200
    late, headers = signed(server, "GET", "/restapis", signer=botocore.auth.SigV4QueryAuth, expires=60, at=now() - 2 * MINUTE)
    refusal(fetch(server, "GET", late, headers), "InvalidSignatureException", "Signature expired:")
    refusal(
        fetch(server, "GET", target.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"), headers),
        "InvalidSignatureException", "does not match",
    )


def test_nothing_is_stored_by_a_refused_call(server):
    before = client(server, "apigateway").get_rest_apis(limit=500)["items"]
    refused(
        "InvalidSignatureException", 403, "does not match",
        client(server, "apigateway", secret="wrong").create_rest_api, name="evil",
    )
    assert client(server, "apigateway").get_rest_apis(limit=500)["items"] == before


def test_encoded_arns_in_paths(server):
    """SDKs sign an ARN in a path once encoded for the wire and once more for the signature."""
    v1 = client(server, "apigateway")
    api = v1.create_rest_api(name="tagged")["id"]
    arn = f"arn:aws:apigateway:us-east-1::/restapis/{api}"
    try:
        v1.tag_resource(resourceArn=arn, tags={"a b": "c/d+e"})
    except v1.exceptions.ClientError as error:
        # Not written is fine; a signature that does not match is not.
        assert error.response["Error"]["Code"] == "NotImplementedException"


def test_listening_beyond_loopback_needs_keys(tmp_path):
    server = Server(tmp_path, "--listen", "0.0.0.0:0")
    with pytest.raises(AssertionError) as caught:
        server.start()
    assert "key" in str(caught.value)
