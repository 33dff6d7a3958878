"""Where our client's credentials come from: what the sources give must sign the request."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import cli_stub
from commands import Terminal
from server import binary

KEYS = {"AccessKeyId": "AKIDFETCHED", "SecretAccessKey": "secret", "Expiration": "2199-01-01T00:00:00Z"}
STS = """<{0}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{0}Result><Credentials><AccessKeyId>AKIDFETCHED</AccessKeyId>
<SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>2199-01-01T00:00:00Z</Expiration></Credentials>
<AssumedRoleUser><Arn>arn:aws:sts::000000000000:assumed-role/r/s</Arn><AssumedRoleId>A:s</AssumedRoleId></AssumedRoleUser>
</{0}Result></{0}Response>"""


@pytest.fixture
def service():
    with cli_stub.Stub() as stub:
        stub.answers = lambda query, body: (200, {}, b'{"stages": []}')
        yield stub


@pytest.fixture
def source():
    with cli_stub.Stub() as stub:
        yield stub


@pytest.fixture
def called(service, tmp_path):
    """Calls with a configuration and variables; exit code, key and session token that signed, and the complaint."""

    def call(config, *words, **variables):
        (tmp_path / "config").write_text(config)
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_CONFIG_FILE": str(tmp_path / "config"),
            "AWS_ENDPOINT_URL_IVS_REALTIME": service.http, "AWS_REGION": "us-east-1", **variables,
        }
        done = subprocess.run([binary(), "ivs-realtime", "list-stages", *words], env=environment, capture_output=True, timeout=60, text=True)
        asked = service.take()
        key, token = (asked[0][-1][0], asked[0][-1][3]) if asked else (None, None)
        return done.returncode, key, token, done.stderr

    return call


def test_a_process(called, tmp_path):
    (tmp_path / "keys.json").write_text(json.dumps({"Version": 1, "SessionToken": "token", **KEYS}))
    config = f"[profile p]\ncredential_process = cat {tmp_path}/keys.json\n"
    assert called(config, "--profile", "p") == (0, "AKIDFETCHED", "token", "")
    code, key, _, complaint = called("[profile p]\ncredential_process = false\n", "--profile", "p")
    assert (code, key) == (255, None)
    assert "Error when retrieving credentials from custom-process: " in complaint


def test_a_container(called, source):
    source.answers = lambda query, body: (200, {}, json.dumps({"Token": "token", **KEYS}).encode())
    uri = f"{source.http}/credentials"
    assert called("", AWS_CONTAINER_CREDENTIALS_FULL_URI=uri, AWS_CONTAINER_AUTHORIZATION_TOKEN="x") == (0, "AKIDFETCHED", "token", "")
    assert source.take()[0][:2] == ("GET", "/credentials")


def test_an_assumed_role(called, source):
    source.answers = lambda query, body: (200, {}, STS.format("AssumeRole").encode())
    config = """[profile base]
aws_access_key_id = AKIDBASE
aws_secret_access_key = secret
[profile p]
role_arn = arn:aws:iam::000000000000:role/r
source_profile = base
"""
    assert called(config, "--profile", "p", AWS_ENDPOINT_URL_STS=source.http) == (0, "AKIDFETCHED", "token", "")
    (asked,) = source.take()
    assert b"Action=AssumeRole" in asked[3] and b"role%2Fr" in asked[3]
    assert asked[-1][0] == "AKIDBASE"


def test_a_web_identity(called, source, tmp_path):
    source.answers = lambda query, body: (200, {}, STS.format("AssumeRoleWithWebIdentity").encode())
    (tmp_path / "token").write_text("identity")
    variables = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"), "AWS_ROLE_ARN": "arn:aws:iam::000000000000:role/r"}
    assert called("", AWS_ENDPOINT_URL_STS=source.http, **variables) == (0, "AKIDFETCHED", "token", "")
    assert b"WebIdentityToken=identity" in source.take()[0][3]


SSO = """[profile p]
sso_session = s
sso_account_id = 000000000000
sso_role_name = r
[sso-session s]
sso_region = us-east-1
sso_start_url = https://example.awsapps.com/start
"""


def test_sso_with_the_token_that_a_login_left(called, source, tmp_path):
    keys = {"accessKeyId": "AKIDFETCHED", "secretAccessKey": "secret", "sessionToken": "token", "expiration": 7226582400000}
    source.answers = lambda query, body: (200, {}, json.dumps({"roleCredentials": keys}).encode())
    login = tmp_path / ".aws/sso/cache" / f"{hashlib.sha1(b's').hexdigest()}.json"
    login.parent.mkdir(parents=True)
    login.write_text(json.dumps({"accessToken": "login", "expiresAt": "2199-01-01T00:00:00Z", "region": "us-east-1"}))
    assert called(SSO, "--profile", "p", AWS_ENDPOINT_URL_SSO=source.http) == (0, "AKIDFETCHED", "token", "")
    assert source.take()[0][:2] == ("GET", "/federation/credentials")


def test_sso_without_a_token_says_so(called):
    code, key, _, complaint = called(SSO, "--profile", "p")
    assert (code, key) == (255, None)
    assert "Error when retrieving credentials from sso: " in complaint


def test_an_instance(called, source):
    def metadata(query, body):
        path = source.asked[-1][1]
        if path.endswith("/token"):
            return 200, {"x-aws-ec2-metadata-token-ttl-seconds": "60"}, b"session"
        if path.endswith("/r"):
            keys = {"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": "2024-01-01T00:00:00Z", "Token": "token", **KEYS}
            return 200, {}, json.dumps(keys).encode()
        return 200, {}, b"r"

    source.answers = metadata
    found = called("[profile p]\noutput = json\n", "--profile", "p", AWS_EC2_METADATA_SERVICE_ENDPOINT=source.http)
    assert found == (0, "AKIDFETCHED", "token", "")


def test_static_keys_ask_nobody(called, source):
    variables = {"AWS_ACCESS_KEY_ID": "AKIDSTATIC", "AWS_SECRET_ACCESS_KEY": "s", "AWS_CONTAINER_CREDENTIALS_FULL_URI": source.http}
    assert called("", **variables) == (0, "AKIDSTATIC", None, "")
    assert called("") == (0, "test", None, "")
    assert not source.take()


MFA = """[profile base]
aws_access_key_id = AKIDBASE
aws_secret_access_key = secret
[profile p]
role_arn = arn:aws:iam::000000000000:role/r
source_profile = base
external_id = outside
mfa_serial = arn:aws:iam::000000000000:mfa/m
"""


def test_a_role_that_wants_a_code_asks_once_for_both_clients(called, service, source, tmp_path):
    source.answers = lambda query, body: (200, {}, STS.format("AssumeRole").encode())
    code, key, _, complaint = called(MFA, "--profile", "p", AWS_ENDPOINT_URL_STS=source.http)
    assert code == 253 and "MFA code, which needs a terminal" in complaint and not source.take()
    places = {
        "HOME": str(tmp_path), "AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_STS": source.http, "AWS_ENDPOINT_URL_IVS_REALTIME": service.http,
    }
    with Terminal("ivs-realtime", "list-stages", "--profile", "p", **places) as terminal:
        terminal.until(b"Enter MFA code for arn:aws:iam::000000000000:mfa/m:")
        terminal.write(b"123456\r")
        terminal.until(b'"stages"')
    (asked,) = source.take()
    for part in (b"SerialNumber=arn", b"TokenCode=123456", b"ExternalId=outside"):
        assert part in asked[3]
    assert service.take()[0][-1][0] == "AKIDFETCHED"
    # What was given is kept where the AWS CLI looks: neither asks again.
    (kept,) = (tmp_path / ".aws/cli/cache").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert called(MFA, "--profile", "p", AWS_ENDPOINT_URL_STS=source.http)[:3] == (0, "AKIDFETCHED", "token")
    aws = [str(Path(sys.executable).parent / "aws"), "ivs-realtime", "list-stages", "--profile", "p"]
    subprocess.run(aws, env={"PATH": os.environ["PATH"], **places}, stdin=subprocess.DEVNULL, check=True, capture_output=True, timeout=60)
    assert service.take()[0][-1][0] == "AKIDFETCHED"
    assert not source.take()
    # Credentials about to end are not used.
    ending = json.loads(kept.read_text())
    ending["Credentials"]["Expiration"] = "2020-01-01T00:00:00Z"
    kept.write_text(json.dumps(ending))
    assert called(MFA, "--profile", "p", AWS_ENDPOINT_URL_STS=source.http)[0] == 253


def test_a_missing_source_is_said(called):
    config = "[profile mfa]\nrole_arn = arn:aws:iam::000000000000:role/r\nsource_profile = mfa\nmfa_serial = arn:aws:iam::000000000000:mfa/m\n"
    code, _, _, complaint = called(config, "--profile", "mfa")
    assert code == 253 and "missing: source_profile" in complaint
    code, _, _, complaint = called("[profile p]\noutput = json\n", "--profile", "p", AWS_EC2_METADATA_DISABLED="true")
    assert code == 253 and "Unable to locate credentials" in complaint
