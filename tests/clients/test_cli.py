"""The real AWS CLI against the server, and our own client beside it: same words in, same answer out."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

import setups
from conftest import ACCOUNT, REGION, client
from server import binary

AWS = pathlib.Path(sys.executable).parent / "aws"


def run(command, server, directory):
    """Exit code, standard output and standard error of a client that finds the server by its environment."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "AWS_ENDPOINT_URL": server.http,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_PAGER": "",
        "AWS_MAX_ATTEMPTS": "1",
    }
    # The second version of the AWS CLI prints times like that, and ours is like the second; the one here is the first.
    config = directory / ".aws" / "config"
    config.parent.mkdir(exist_ok=True)
    config.write_text("[default]\ncli_timestamp_format = iso8601\n")
    done = subprocess.run(command, env=environment, capture_output=True, timeout=60, text=True)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def made(server):
    """One stage of each kind: the arguments that name it."""
    rest = setups.deployed_mock(client(server, "apigateway"), stage="prod")
    http = setups.http_api(client(server, "apigatewayv2"), "http://backend.example/", "GET /pets", stage="dev")
    arn = client(server, "ivs-realtime").create_stage(name="meeting", tags={"team": "stage"})["stage"]["arn"]
    return {"rest": rest, "http": http, "arn": arn}


CALLS = {
    "rest stages": "apigateway get-stages --rest-api-id {rest}",
    "rest stage": "apigateway get-stage --rest-api-id {rest} --stage-name prod",
    "rest apis": "apigateway get-rest-apis --limit 5",
    "rest resources": "apigateway get-resources --rest-api-id {rest}",
    "http stages": "apigatewayv2 get-stages --api-id {http}",
    "http stage": "apigatewayv2 get-stage --api-id {http} --stage-name dev",
    "http routes": "apigatewayv2 get-routes --api-id {http}",
    "real-time stage": "ivs-realtime get-stage --arn {arn}",
    "real-time stages": "ivs-realtime list-stages --max-results 5",
    "tags": "ivs-realtime list-tags-for-resource --resource-arn {arn}",
}


@pytest.mark.parametrize("name", CALLS)
def test_both_clients_print_the_same(server, made, tmp_path, name):
    words = [word.format(**made) for word in CALLS[name].split()]
    code, theirs, complaint = run([str(AWS), *words, "--output", "json"], server, tmp_path)
    assert code == 0, complaint
    code, ours, complaint = run([binary(), *words], server, tmp_path)
    assert code == 0, complaint
    assert json.loads(ours) == json.loads(theirs) != {}


def test_the_three_get_stage_calls(server, made, tmp_path):
    def aws(words):
        code, out, complaint = run([str(AWS), *words.format(**made).split()], server, tmp_path)
        assert code == 0, complaint
        return json.loads(out)

    (rest,) = aws("apigateway get-stages --rest-api-id {rest}")["item"]
    assert rest["stageName"] == "prod"
    (http,) = aws("apigatewayv2 get-stages --api-id {http}")["Items"]
    assert (http["StageName"], http["AutoDeploy"]) == ("dev", True)
    stage = aws("ivs-realtime get-stage --arn {arn}")["stage"]
    assert (stage["name"], stage["arn"]) == ("meeting", made["arn"])


def test_creating_and_deleting_with_the_aws_cli(server, tmp_path):
    def aws(*words):
        code, out, complaint = run([str(AWS), *words], server, tmp_path)
        assert code == 0, complaint
        return json.loads(out) if out.strip() else None

    arn = aws("ivs-realtime", "create-stage", "--name", "cli", "--tags", "a=1,b=2")["stage"]["arn"]
    aws("ivs-realtime", "tag-resource", "--resource-arn", arn, "--tags", "c=3")
    assert aws("ivs-realtime", "get-stage", "--arn", arn)["stage"]["tags"] == {"a": "1", "b": "2", "c": "3"}
    aws("ivs-realtime", "delete-stage", "--arn", arn)
    code, _, complaint = run([str(AWS), "ivs-realtime", "get-stage", "--arn", arn], server, tmp_path)
    assert code != 0 and "ResourceNotFoundException" in complaint

    api = aws("apigatewayv2", "create-api", "--name", "cli", "--protocol-type", "HTTP", "--target", "http://backend.example/")
    assert aws("apigatewayv2", "get-stages", "--api-id", api["ApiId"])["Items"][0]["StageName"] == "$default"
    aws("apigatewayv2", "delete-api", "--api-id", api["ApiId"])


def test_the_aws_cli_pages_by_itself(server, tmp_path):
    ivs = client(server, "apigateway", region=REGION)
    ids = {ivs.create_rest_api(name=f"page-{number}")["id"] for number in range(6)}
    code, out, complaint = run(
        [str(AWS), "apigateway", "get-rest-apis", "--page-size", "2", "--query", "items[].id"], server, tmp_path
    )
    assert code == 0, complaint
    assert ids <= set(json.loads(out))


def test_our_client_reports_errors_like_the_aws_cli(server, tmp_path):
    words = ["ivs-realtime", "get-stage", "--arn", f"arn:aws:ivs:{REGION}:{ACCOUNT}:stage/nosuchstage1"]
    _, _, theirs = run([str(AWS), *words], server, tmp_path)
    code, out, ours = run([binary(), *words], server, tmp_path)
    # The first version ends with 255, whatever the error.
    assert (code, out) == (254, "")
    assert "An error occurred (ResourceNotFoundException) when calling the GetStage operation" in ours
    assert ours == theirs
