"""Stagedoor's own commands, by their words: tokens and keys, pull, config, doctor, completion, help pages."""

import json
import os
import pty
import select
import shutil
import socket
import subprocess
import time

import jwt
import pytest

import setups
from conftest import client
from server import Server, binary


def run(*words, code=0, **variables):
    """Standard output of the program, which must end with `code`."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "AWS_REGION": "us-east-1", **variables}
    done = subprocess.run([binary(), *words], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout if code == 0 else done.stdout + done.stderr


# === Tokens and keys ===


def test_a_token_of_an_imported_key_lets_in(server, ivs, tmp_path):
    key = tmp_path / "key.pem"
    made = json.loads(run("keys", "create", "--out", str(key), "--import", "--name", "mine", "--endpoint-url", server.http))
    assert key.stat().st_mode & 0o777 == 0o600
    stage = ivs.create_stage(name="self")["stage"]
    words = ["--stage", stage["arn"], "--key", str(key), "--endpoint-url", server.http]
    token = run("token", "create", *words, "--user-id", "ada", "--attributes", "a=1", "--duration", "5").strip()
    public = ivs.get_public_key(arn=made["arn"])["publicKey"]["publicKeyMaterial"]
    claims = jwt.decode(token, public, algorithms=["ES384"])
    assert jwt.get_unverified_header(token)["kid"] == made["arn"]
    assert claims["events_url"] == stage["endpoints"]["events"] and claims["whip_url"] == stage["endpoints"]["whip"]
    assert (claims["user_id"], claims["attributes"], claims["exp"] - claims["iat"]) == ("ada", {"a": "1"}, 300)
    answer = json.loads(run("token", "create", *words, "--capabilities", "SUBSCRIBE", "--output", "json"))
    assert answer["participantToken"]["capabilities"] == ["SUBSCRIBE"]
    assert [made["arn"]] == [known["arn"] for known in json.loads(run("keys", "list", "--endpoint-url", server.http))["publicKeys"]]
    run("keys", "delete", made["arn"], "--endpoint-url", server.http)
    assert json.loads(run("keys", "list", "--endpoint-url", server.http))["publicKeys"] == []
    # The key's file is never overwritten, and one that openssl made is read.
    run("keys", "create", "--out", str(key), code=1)
    if shutil.which("openssl"):
        other = tmp_path / "other.pem"
        subprocess.run(["openssl", "ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", str(other)], check=True)
        imported = json.loads(run("keys", "import", "--key", str(other), "--endpoint-url", server.http))
        token = run("token", "create", "--stage", stage["arn"], "--key", str(other)).strip()
        assert jwt.get_unverified_header(token)["kid"] == imported["arn"]


def test_tokens_that_nobody_would_take_are_not_made(tmp_path):
    key = tmp_path / "key.pem"
    run("keys", "create", "--out", str(key))
    words = ["token", "create", "--stage", "arn:aws:ivs:us-east-1:000000000000:stage/AbC", "--key", str(key)]
    assert "keys import" in run(*words, code=1)
    arn = "arn:aws:ivs:us-east-1:000000000000:public-key/AbC"
    run(*words, "--key-arn", arn)
    for wrong in (["--user-id", "x" * 129], ["--participant-id", "a b"], ["--attributes", "a=" + "x" * 1024]):
        assert "no token can be made" in run(*words, "--key-arn", arn, *wrong, code=1)


# === Pull ===


@pytest.fixture
def second(tmp_path):
    with Server(tmp_path / "second") as running:
        yield running


def pull(source, target, *words, code=0):
    told = run("pull", "--endpoint-url", source.http, "--to", target.http, "--output", "json", *words, code=code)
    return [(line["did"], line["what"], line["why"]) for line in json.loads(told)]


def export(server, api, stage):
    made = client(server, "apigateway").get_export(
        restApiId=api, stageName=stage, exportType="oas30", parameters={"extensions": "apigateway"}, accepts="application/json"
    )
    document = json.loads(made["body"].read())
    document.pop("servers", None)
    document["info"].pop("version", None)
    return document


def shop(apigateway):
    """A REST API with something of everything, whose working copy is ahead of its stage."""
    api, root = setups.rest_api(apigateway, "shop")
    apigateway.update_rest_api(
        restApiId=api,
        patchOperations=[
            {"op": "replace", "path": "/description", "value": "pets"},
            {"op": "add", "path": "/binaryMediaTypes/image~1png"},
        ],
    )
    apigateway.create_model(restApiId=api, name="Pet", contentType="application/json", schema='{"type":"object"}')
    validator = apigateway.create_request_validator(restApiId=api, name="body", validateRequestBody=True)["id"]
    pets = setups.resource(apigateway, api, root, "pets")
    pet = setups.resource(apigateway, api, pets, "{id}")
    setups.mock_method(apigateway, api, pets)
    setups.proxy_method(apigateway, api, pet, "http://127.0.0.1:9/{id}", path_variables=["id"])
    apigateway.update_method(
        restApiId=api, resourceId=pets, httpMethod="GET",
        patchOperations=[
            {"op": "replace", "path": "/requestValidatorId", "value": validator},
            {"op": "replace", "path": "/apiKeyRequired", "value": "true"},
        ],
    )
    apigateway.put_gateway_response(restApiId=api, responseType="DEFAULT_4XX", responseTemplates={"application/json": "{}"})
    deployment = apigateway.create_deployment(restApiId=api, description="first")["id"]
    apigateway.create_stage(
        restApiId=api, stageName="prod", deploymentId=deployment, variables={"a": "1"}, tags={"team": "x"}, tracingEnabled=True
    )
    apigateway.update_stage(
        restApiId=api, stageName="prod",
        patchOperations=[{"op": "replace", "path": "/~1pets/GET/throttling/rateLimit", "value": "5"}],
    )
    setups.mock_method(apigateway, api, setups.resource(apigateway, api, root, "later"))
    key = apigateway.create_api_key(name="ada", enabled=True)
    plan = apigateway.create_usage_plan(
        name="basic", apiStages=[{"apiId": api, "stage": "prod"}], throttle={"rateLimit": 10, "burstLimit": 5}
    )["id"]
    apigateway.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    return api


def tree(apigateway, api):
    """The working copy without ids."""
    parts = {"validators": {}, "resources": {}}
    names = {}
    for validator in apigateway.get_request_validators(restApiId=api)["items"]:
        names[validator.pop("id")] = validator["name"]
        parts["validators"][validator["name"]] = validator
    parts["models"] = {model["name"]: {**model, "id": ""} for model in apigateway.get_models(restApiId=api)["items"]}
    resources = apigateway.get_resources(restApiId=api, embed=["methods"], limit=500)["items"]
    names.update({resource["id"]: resource["path"] for resource in resources})
    text = json.dumps({resource["path"]: resource.get("resourceMethods", {}) for resource in resources}, sort_keys=True)
    for known, name in names.items():
        text = text.replace(known, name)
    parts["resources"] = json.loads(text)
    api = apigateway.get_rest_api(restApiId=api)
    return {**parts, "api": {name: api.get(name) for name in ("id", "name", "description", "binaryMediaTypes", "tags")}}


def test_a_rest_api_goes_there_and_back(server, second, apigateway, tmp_path):
    api = shop(apigateway)
    there = client(second, "apigateway")
    done = pull(server, second, "--rest-api", api)
    assert ("created", f"REST API {api}", "shop") in done
    assert export(second, api, "prod") == export(server, api, "prod")
    assert "/later" not in export(second, api, "prod")["paths"]
    assert tree(there, api) == tree(apigateway, api)
    volatile = ("ResponseMetadata", "deploymentId", "createdDate", "lastUpdatedDate")
    stages = [side.get_stage(restApiId=api, stageName="prod") for side in (apigateway, there)]
    ours, theirs = [{name: value for name, value in stage.items() if name not in volatile} for stage in stages]
    assert ours == theirs
    values = [[key["value"] for key in side.get_api_keys(includeValues=True)["items"]] for side in (apigateway, there)]
    assert values[0] == values[1] and values[0]
    # A second pull changes nothing.
    assert {did for did, *_ in pull(server, second, "--rest-api", api)} <= {"unchanged", "note"}
    # And back into a third, which then is like the first.
    with Server(tmp_path / "third") as third:
        pull(second, third, "--all")
        assert export(third, api, "prod") == export(server, api, "prod")
        assert tree(client(third, "apigateway"), api) == tree(apigateway, api)
    # What changes later is taken over.
    apigateway.update_rest_api(restApiId=api, patchOperations=[{"op": "replace", "path": "/name", "value": "renamed"}])
    root = apigateway.get_rest_api(restApiId=api)["rootResourceId"]
    setups.mock_method(apigateway, api, root)
    pull(server, second, "--rest-api", api)
    assert tree(there, api) == tree(apigateway, api)


def test_an_http_api_goes_there_and_back(server, second, apigatewayv2, tmp_path):
    api = setups.http_api(apigatewayv2, "http://127.0.0.1:9", "GET /pets", "POST /pets", "$default")
    authorizer = apigatewayv2.create_authorizer(
        ApiId=api, Name="jwt", AuthorizerType="JWT", IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": "http://localhost:1", "Audience": ["a"]},
    )["AuthorizerId"]
    route = apigatewayv2.get_routes(ApiId=api)["Items"][0]["RouteId"]
    apigatewayv2.update_route(ApiId=api, RouteId=route, AuthorizationType="JWT", AuthorizerId=authorizer)
    apigatewayv2.create_stage(ApiId=api, StageName="blue", StageVariables={"a": "1"}, AutoDeploy=True)

    def exported(side):
        answer = client(side, "apigatewayv2").export_api(ApiId=api, Specification="OAS30", OutputType="JSON")
        text = answer["body"].read().decode()
        # Shared integrations are named by their ids, which differ.
        for integration in client(side, "apigatewayv2").get_integrations(ApiId=api)["Items"]:
            text = text.replace(integration["IntegrationId"], "shared")
        document = json.loads(text)
        document.pop("servers", None)
        document["info"].pop("version", None)
        return document

    pull(server, second, "--api", api)
    assert exported(second) == exported(server)
    assert {did for did, *_ in pull(server, second, "--api", api)} <= {"unchanged", "note"}
    with Server(tmp_path / "third") as third:
        pull(second, third, "--api", api)
        assert exported(third) == exported(server)
    apigatewayv2.delete_route(ApiId=api, RouteId=route)
    pull(server, second, "--api", api)
    assert exported(second) == exported(server)
    stages = client(second, "apigatewayv2").get_stages(ApiId=api)["Items"]
    assert sorted(stage["StageName"] for stage in stages) == ["$default", "blue"]


def test_real_time_stages_go_with_what_they_stand_on(server, second, ivs, tmp_path):
    run("keys", "create", "--out", str(tmp_path / "key.pem"), "--import", "--endpoint-url", server.http)
    storage = ivs.create_storage_configuration(name="s", s3={"bucketName": "recordings"})["storageConfiguration"]["arn"]
    stage = ivs.create_stage(
        name="green", tags={"team": "x"}, autoParticipantRecordingConfiguration={"storageConfigurationArn": storage}
    )["stage"]["arn"]
    ivs.create_ingest_configuration(stageArn=stage, ingestProtocol="RTMPS", name="encoder")
    pull(server, second, "--stage", stage)
    there = client(second, "ivs-realtime")
    kept = ("arn", "name", "tags", "autoParticipantRecordingConfiguration")
    ours, theirs = [side.get_stage(arn=stage)["stage"] for side in (ivs, there)]
    assert {name: ours[name] for name in kept} == {name: theirs[name] for name in kept}
    assert len(there.list_public_keys()["publicKeys"]) == len(ivs.list_public_keys()["publicKeys"])
    assert there.list_ingest_configurations()["ingestConfigurations"][0]["stageArn"] == stage
    ivs.update_stage(arn=stage, name="blue")
    assert ("updated", f"stage {stage[-12:]} blue", "") in pull(server, second, "--stage", stage)
    assert there.get_stage(arn=stage)["stage"]["name"] == "blue"
    missing = stage[:-3] + "zzz"
    assert any(did == "not copied" for did, *_ in pull(server, second, "--stage", missing, code=1))


def test_pull_refuses_what_makes_no_sense(server):
    assert "source and target are both" in run("pull", "--all", "--endpoint-url", server.http, "--to", server.http, code=1)
    assert "say what to copy" in run("pull", "--endpoint-url", server.http, code=1)


# === The server's options and this machine ===


def test_options_come_with_their_source(tmp_path):
    file = tmp_path / "s.toml"
    file.write_text("region = 'eu-west-1'\n[[key]]\nid = 'A'\nsecret = 'hidden'\n")
    rows = json.loads(
        run("config", "--config", str(file), "--account", "111122223333", "--output", "json", STAGEDOOR_LOG="warn")
    )
    rows = {row["option"]: (row["value"], row["source"]) for row in rows}
    assert rows["region"] == ("eu-west-1", str(file))
    assert rows["account"] == ("111122223333", "flag")
    assert rows["log"] == ("warn", "STAGEDOOR_LOG")
    assert rows["listen"] == ("127.0.0.1:4566", "default")
    assert "hidden" not in str(rows) and "A" in rows["keys"][0]
    assert "fine" in run("config", "--check")
    assert "12 digits" in run("config", "--check", "--account", "1", code=1)


def test_the_doctor_finds_a_taken_port(server, tmp_path):
    free = ["--listen", "127.0.0.1:0", "--media-listen", "127.0.0.1:0", "--rtmp-listen", "127.0.0.1:0", "--rtmps-listen", "127.0.0.1:0"]
    where = ["--data-dir", str(tmp_path / "data")]
    assert "ok " in run("doctor", *free, *where)
    assert not (tmp_path / "data").exists()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        told = run("doctor", *free[2:], "--listen", address, *where, "--output", "json", code=1)
        error = next(finding for finding in json.loads(told) if finding["level"] == "error")
        assert address in error["what"] and "--listen" in error["advice"]
    # A server of ours is no error, and its store is not disturbed.
    assert "a Stagedoor runs here" in run("doctor", *free[2:], "--listen", server.http[7:], "--data-dir", str(server.data_dir))


# === Completion and help ===


def completed(line):
    """What bash offers at the end of a line."""
    script = """
        source <("$1" completion bash)
        COMP_WORDS=("$1" "${@:2}"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _stagedoor; printf '%s\\n' "${COMPREPLY[@]}"
    """
    words = ["bash", "--norc", "-c", script, "bash", binary(), *line]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout.split()


def test_bash_completes_words():
    assert completed(["ivs-realtime", "get-sta"]) == ["get-stage", "get-stage-session"]
    assert "pull" in completed(["p"])
    assert completed(["apigateway", "put-integration", "--type", "HTTP"]) == ["HTTP", "HTTP_PROXY"]
    assert "--stage-arn" in completed(["ivs-realtime", "create-participant-token", "--st"])
    assert completed(["token", "create", "--ou"]) == ["--output"]
    assert completed(["token", "create", "--output", "j"]) == ["json"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_scripts_of_other_shells_are_valid(shell, tmp_path):
    script = tmp_path / "script"
    script.write_text(run("completion", shell))
    if shutil.which(shell):
        subprocess.run([shell, "-n", str(script)], check=True, timeout=60)
    assert "get-stage" in run("completion", shell, "--", "ivs-realtime", "get-sta")


def test_help_pages_say_everything():
    page = run("ivs-realtime", "create-participant-token", "help")
    for part in ("SYNOPSIS", "--stage-arn (string) [required]", "o PUBLISH", "participantToken -> (structure)"):
        assert part in page
    assert "o get-stage\n" in run("ivs-realtime", "help")


# === The prompt ===


def test_the_prompt_asks_for_what_is_missing(server, ivs, tmp_path):
    arn = ivs.create_stage(name="prompted")["stage"]["arn"]
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "TERM": "xterm", "AWS_PAGER": ""}
    child, terminal = pty.fork()
    if child == 0:
        os.execve(binary(), [binary(), "--cli-auto-prompt", "--endpoint-url", server.http], environment)
    seen = b""

    def until(text):
        nonlocal seen
        end = time.monotonic() + 30
        while text not in seen:
            ready, _, _ = select.select([terminal], [], [], end - time.monotonic())
            assert ready, seen
            try:
                read = os.read(terminal, 65536)
            except OSError:
                read = b""
            assert read, seen
            seen += read
            # Where the cursor is, for programs that ask the terminal.
            if b"\x1b[6n" in read:
                os.write(terminal, b"\x1b[1;1R")
        seen = b""

    until(b"Service")
    os.write(terminal, b"ivs-realtime\r")
    until(b"Operation")
    os.write(terminal, b"get-stage\r")
    until(b"arn")
    os.write(terminal, arn.encode() + b"\r")
    until(b"Option")
    os.write(terminal, b"\r")
    until(b"> stagedoor ivs-realtime get-stage --arn " + arn.encode())
    until(b"prompted")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    os.close(terminal)


def test_the_prompt_wants_a_terminal():
    assert "needs a terminal" in run("ivs-realtime", "--cli-auto-prompt", code=252)
