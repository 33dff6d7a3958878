"""The real AWS CLI against the server, and our own client beside it: same words in, same answer out."""

import contextlib
import io
import json
import os
import pathlib
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from awscli.clidriver import create_clidriver

import setups
from conftest import ACCOUNT, REGION, client
from server import binary

AWS = pathlib.Path(sys.executable).parent / "aws"
# What our models have and the installed AWS CLI does not know yet.
NEWER = {"apigateway create-authorizer"}


def environment(server, directory):
    """Variables and files by which a client finds the server."""
    # The second version of the AWS CLI prints times like that, and ours is like the second; the one here is the first.
    config = directory / ".aws" / "config"
    config.parent.mkdir(exist_ok=True)
    config.write_text("[default]\ncli_timestamp_format = iso8601\ncli_binary_format = raw-in-base64-out\n")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "AWS_ENDPOINT_URL": server.http,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_PAGER": "",
        "AWS_MAX_ATTEMPTS": "2",
    }


def run(command, server, directory):
    """Exit code, standard output and standard error of a client that finds the server by its environment."""
    variables = environment(server, directory)
    done = subprocess.run(command, env=variables, capture_output=True, timeout=60, text=True)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def theirs(server, tmp_path, monkeypatch):
    """The real AWS CLI within this process, which spares starting it each time: standard output and error."""
    for name in [name for name in os.environ if name.startswith("AWS_") and name != "AWS_DATA_PATH"]:
        monkeypatch.delenv(name)
    for name, value in environment(server, tmp_path).items():
        monkeypatch.setenv(name, value)
    # Of an enumeration in a skeleton it takes any value, ours the first by alphabet.
    monkeypatch.setattr(random, "choice", min)

    def call(words):
        out, complaint = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(complaint):
            create_clidriver().main(words)
        return out.getvalue(), complaint.getvalue()

    return call


@pytest.fixture
def ours(server, tmp_path):
    """Our client: standard output and error."""
    return lambda words: run([binary(), *words], server, tmp_path)[1:]


@pytest.fixture(scope="module")
def made(server):
    """One stage of each kind: the arguments that name it."""
    rest = setups.deployed_mock(client(server, "apigateway"), stage="prod")
    http = setups.http_api(client(server, "apigatewayv2"), "http://backend.example/", "GET /pets", stage="dev")
    arn = client(server, "ivs-realtime").create_stage(name="meeting", tags={"team": "stage"})["stage"]["arn"]
    resources = client(server, "apigateway").get_resources(restApiId=rest)["items"]
    hello = next(resource["id"] for resource in resources if resource["path"] == "/hello")
    return {"rest": rest, "resource": hello, "http": http, "arn": arn}


# Calls that change nothing, or answer nothing that differs from call to call. `|` separates words with spaces.
CALLS = """
apigateway get-account
apigateway get-api-keys
apigateway get-authorizers --rest-api-id {rest}
apigateway get-base-path-mappings --domain-name none.example
apigateway get-deployments --rest-api-id {rest}
apigateway get-deployments --rest-api-id {rest} --query items[].id --output text
apigateway get-documentation-parts --rest-api-id {rest}
apigateway get-documentation-versions --rest-api-id {rest}
apigateway get-domain-names
apigateway get-export --rest-api-id {rest} --stage-name none --export-type oas30 {out}
apigateway get-gateway-responses --rest-api-id {rest}
apigateway get-integration --rest-api-id {rest} --resource-id none --http-method GET
apigateway get-method --rest-api-id {rest} --resource-id {resource} --http-method GET
apigateway get-method --rest-api-id {rest} --resource-id {resource} --http-method GET --output table
apigateway get-method --rest-api-id {rest} --resource-id {resource} --http-method GET --output text
apigateway get-models --rest-api-id {rest}
apigateway get-request-validators --rest-api-id {rest}
apigateway get-resource --rest-api-id {rest} --resource-id {resource}
apigateway get-resource --rest-api-id {rest} --resource-id {resource} --embed methods
apigateway get-resources --rest-api-id {rest}
apigateway get-resources --rest-api-id {rest} --embed methods --output table
apigateway get-resources --rest-api-id {rest} --max-items 1
apigateway get-resources --rest-api-id {rest} --max-items 1 --output text
apigateway get-resources --rest-api-id {rest} --page-size 1
apigateway get-resources --rest-api-id {rest} --query|items[?path=='/'].{{Path: path, Id: id}}
apigateway get-resources --rest-api-id {rest} --query|sort_by(items, &path)[].path --output text
apigateway get-rest-api --rest-api-id {rest}
apigateway get-rest-api --rest-api-id {rest} --output table
apigateway get-rest-api --rest-api-id {rest} --output text
apigateway get-rest-api --rest-api-id {rest} --query [name,id,createdDate]
apigateway get-rest-api --rest-api-id {rest} --query length(name) --output text
apigateway get-rest-api --rest-api none
apigateway get-rest-apis --limit 5
apigateway get-rest-apis --no-paginate
apigateway get-rest-apis --page-size 2 --max-items 3
apigateway get-rest-apis --page-size 2 --max-items 3 --output table
apigateway get-sdk-types
apigateway get-stage --rest-api-id {rest} --stage-name prod
apigateway get-stage --rest-api-id {rest} --stage-name prod --output text
apigateway get-stages --rest-api-id {rest}
apigateway get-tags --resource-arn arn:aws:apigateway:us-east-1::/restapis/{rest}
apigateway get-usage-plans
apigateway get-vpc-links
apigateway delete-rest-api --rest-api-id none
apigateway update-rest-api --rest-api-id {rest} --patch-operations op=replace,path=/description,value=none
apigateway update-rest-api --rest-api-id {rest} --patch-operations|[{{"op": "replace", "path": "/nothing", "value": "x"}}]
apigatewayv2 get-api --api-id {http}
apigatewayv2 get-api --api-id {http} --output table
apigatewayv2 get-apis
apigatewayv2 get-apis --max-results 1
apigatewayv2 get-apis --page-size 1 --query Items[].Name
apigatewayv2 get-deployments --api-id {http} --query length(Items)
apigatewayv2 get-integrations --api-id {http}
apigatewayv2 get-integrations --api-id {http} --output text
apigatewayv2 get-routes --api-id {http}
apigatewayv2 get-routes --api-id {http} --output table
apigatewayv2 get-stage --api-id {http} --stage-name dev
apigatewayv2 get-stages --api-id {http}
apigatewayv2 get-stages --api-id {http} --output text
apigatewayv2 get-tags --resource-arn arn:aws:apigateway:us-east-1::/apis/{http}
apigatewayv2 update-api --api-id {http} --cors-configuration AllowOrigins=https://a.example,https://b.example,MaxAge=5
apigatewayv2 update-api --api-id {http} --no-disable-execute-api-endpoint --query DisableExecuteApiEndpoint
apigatewayv2 delete-api --api-id none
ivs-realtime get-stage --arn {arn}
ivs-realtime get-stage --arn {arn} --output table
ivs-realtime get-stage --arn {arn} --output text
ivs-realtime get-stage --arn {arn} --query stage.tags
ivs-realtime get-stage --arn {arn} --query stage.nothing
ivs-realtime get-stage --arn none
ivs-realtime get-stage --arn
ivs-realtime get-stage --cli-input-json|{{"arn": "{arn}"}}
ivs-realtime get-stage --cli-input-json|{{"arn": 1}}
ivs-realtime get-stage --cli-input-json|{{"arm": "{arn}"}}
apigateway get-account --generate-cli-skeleton output
apigatewayv2 get-api --api-id {http} --generate-cli-skeleton output --query Name
ivs-realtime list-stages
ivs-realtime list-stages --max-results 5
ivs-realtime list-stages --max-results 0
ivs-realtime list-stages --max-results 5 --query stages[].name --output text
ivs-realtime list-stage-sessions --stage-arn {arn}
ivs-realtime list-compositions
ivs-realtime list-encoder-configurations
ivs-realtime list-ingest-configurations
ivs-realtime list-public-keys
ivs-realtime list-storage-configurations
ivs-realtime list-tags-for-resource --resource-arn {arn}
ivs-realtime tag-resource --resource-arn {arn} --tags b=2,c=|
ivs-realtime tag-resource --resource-arn {arn} --tags|{{"b": "3"}}
ivs-realtime untag-resource --resource-arn {arn} --tag-keys b c
ivs-realtime update-stage --arn {arn} --name meeting
ivs-realtime update-stage --arn {arn} --auto-participant-recording-configuration storageConfigurationArn=,mediaTypes=AUDIO_ONLY
ivs-realtime update-stage --arn {arn} --auto-participant-recording-configuration storageConfigurationArn=,thumbnailConfiguration={{recordingMode=x}}
ivs-realtime delete-stage --arn arn:aws:ivs:us-east-1:000000000000:stage/none
ivs-realtime delete-public-key --arn arn:aws:ivs:us-east-1:000000000000:public-key/none
ivs-realtime import-public-key --public-key-material none
""".strip().splitlines()


def words_of(line, made):
    """Words of a line: those behind the first `|` may contain spaces."""
    head, *spaced = line.split("|")
    rest = [word for part in spaced for word in spaced_words(part)]
    return [word.format(**made) for word in [*head.split(), *rest]]


def spaced_words(part):
    """One word with spaces, perhaps followed by options of single words."""
    word, *options = part.split(" --")
    return [word, *(piece for option in options for piece in f"--{option}".split())] if part else []


def test_both_clients_print_the_same(server, made, tmp_path, theirs, ours):
    made = {**made, "out": str(tmp_path / "export.json")}
    different = []
    for line in CALLS:
        words = words_of(line, made)
        try:
            expected, found = theirs(words), ours(words)
        except SystemExit:
            # Usage errors differ in the program's name.
            expected, found = "usage error", "usage error" if "usage: " in ours(words)[1] else ours(words)
        if found != expected:
            different.append(f"{line}\n  theirs {expected!r}\n  ours   {found!r}")
    assert not different, f"{len(different)} of {len(CALLS)} differ:\n" + "\n".join(different)


def test_every_operation_has_the_skeleton_of_the_aws_cli(server, theirs, ours):
    commands = [line.split() for line in theirs_commands()]
    lines = [[service, name, "--generate-cli-skeleton"] for service, name in commands]
    with ThreadPoolExecutor() as pool:
        printed = list(pool.map(ours, lines))
    different = [words for words, found in zip(lines, printed) if found != theirs(words) and " ".join(words[:2]) not in NEWER]
    assert len(lines) > 200 and not different


def theirs_commands():
    """Every operation of our services that the AWS CLI knows and that can print a skeleton."""
    table = create_clidriver()._get_command_table()
    for service in ["apigateway", "apigatewayv2", "apigatewaymanagementapi", "ivs-realtime"]:
        for name, operation in table[service]._get_command_table().items():
            if name != "help" and "outfile" not in operation.arg_table:
                yield f"{service} {name}"


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
