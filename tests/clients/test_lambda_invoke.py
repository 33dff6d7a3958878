"""Lambda's Invoke API of the server itself, by boto3 and the AWS CLI: what no API of API Gateway shows."""

import base64
import json
import subprocess
import sys

import pytest
from botocore.exceptions import ClientError

from conftest import ACCOUNT, REGION, client
from expect import eventually
from server import Server
from test_lambda import arn, table


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    directory = tmp_path_factory.mktemp("invoke")
    config = directory / "stagedoor.toml"
    tables = [table(name, name) for name in ["plain", "failing", "leaving", "writing", "recording", "telling"]]
    tables += [
        table("again", "noting") + "retry-waits = [0, 1]\non-failure = 'recording'\n",
        table("single", "sleeping", concurrency=1),
    ]
    statement = {"Effect": "Allow", "Action": "lambda:*", "Resource": arn("plain")}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    tables += [
        "[[key]]\nid = 'test'\nsecret = 'test'\n",
        f"[[key]]\nid = 'ALLOWED'\nsecret = 'secret'\nuser = 'alice'\npolicy = '{policy}'\n",
    ]
    config.write_text("\n".join(tables))
    with Server(directory / "data", "--config", str(config)) as running:
        yield running
        assert running.running, "the server went down:\n" + running.last_log()


@pytest.fixture
def functions(server):
    return client(server, "lambda")


def invoke(functions, name, event, **more):
    return functions.invoke(FunctionName=name, Payload=json.dumps(event), **more)


@pytest.mark.parametrize("name", ["plain", "plain:live", arn("plain"), f"{ACCOUNT}:function:plain"])
def test_a_function_is_invoked(functions, name):
    answer = invoke(functions, name, {"a": 1})
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert json.load(answer["Payload"]) == {"hello": {"a": 1}}
    assert "FunctionError" not in answer and "LogResult" not in answer


def test_no_payload_is_an_empty_event(functions):
    assert json.load(functions.invoke(FunctionName="plain", Qualifier="live")["Payload"]) == {"hello": {}}


@pytest.mark.parametrize(("name", "error"), [("failing", "ValueError"), ("leaving", "Runtime.ExitError")])
def test_a_function_that_fails(functions, name, error):
    answer = invoke(functions, name, {}, LogType="Tail")
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert json.load(answer["Payload"])["errorType"] == error
    tail = base64.b64decode(answer["LogResult"]).decode()
    assert tail.startswith("START RequestId: ") and "\nREPORT RequestId: " in tail
    # The answer has one id, that of the invocation.
    assert tail.split()[2] == answer["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"]
    if name == "failing":
        assert "\nabout to fail\n" in tail and "[ERROR] ValueError" in tail


def test_a_client_tells_of_itself(functions):
    context = base64.b64encode(json.dumps({"custom": {"colour": "green"}}).encode()).decode()
    assert json.load(invoke(functions, "telling", {}, ClientContext=context)["Payload"]) == {"colour": "green"}
    wrong = lambda: invoke(functions, "telling", {}, ClientContext="no base64!")
    assert refused(wrong)[:2] == (400, "InvalidRequestContentException")


def test_a_dry_run_invokes_nothing(functions, tmp_path):
    mark = tmp_path / "mark"
    answer = invoke(functions, "writing", {"path": str(mark)}, InvocationType="DryRun")
    assert (answer["StatusCode"], answer["Payload"].read(), mark.exists()) == (204, b"", False)


def refused(call):
    with pytest.raises(ClientError) as raised:
        call()
    error = raised.value.response
    return error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"], error["Error"]["Message"], error


def test_what_is_refused(server, functions):
    status, code, message, _ = refused(lambda: invoke(functions, "stranger:live", {}))
    assert (status, code) == (404, "ResourceNotFoundException")
    assert message == f"Function not found: {arn('stranger')}:live"
    status, code, message, _ = refused(lambda: functions.invoke(FunctionName="plain", Payload=b"{"))
    assert (status, code) == (400, "InvalidRequestContentException")
    assert message.startswith("Could not parse request body into json: ")
    too_long = json.dumps("x" * 6 * 1024 * 1024)
    status, code, message, _ = refused(lambda: functions.invoke(FunctionName="plain", Payload=too_long))
    assert (status, code) == (413, "RequestTooLargeException")
    assert message == "Request must be smaller than 6291456 bytes for the InvokeFunction operation"
    too_long = json.dumps("x" * 1024 * 1024)
    event = lambda: functions.invoke(FunctionName="plain", Payload=too_long, InvocationType="Event")
    assert refused(event)[:2] == (413, "RequestTooLargeException")
    wrong = client(server, "lambda", secret="wrong")
    assert refused(lambda: invoke(wrong, "plain", {}))[:2] == (403, "InvalidSignatureException")
    assert refused(lambda: functions.list_functions())[0] in (403, 404)


def test_policies_of_keys(server):
    allowed = client(server, "lambda", key="ALLOWED", secret="secret")
    assert json.load(invoke(allowed, "plain", {})["Payload"]) == {"hello": {}}
    status, code, message, _ = refused(lambda: invoke(allowed, "failing", {}))
    assert (status, code) == (403, "AccessDeniedException")
    assert message == (
        f"User: arn:aws:iam::{ACCOUNT}:user/alice is not authorized to perform: lambda:InvokeFunction on resource: "
        f"{arn('failing')} because no identity-based policy allows the lambda:InvokeFunction action"
    )


def test_concurrency_is_a_limit(server, functions, tmp_path):
    running, over = tmp_path / "running", tmp_path / "over"
    event = {"running": str(running), "over": str(over)}
    assert invoke(functions, "single", event, InvocationType="Event")["StatusCode"] == 202
    assert eventually(running.exists)
    status, code, message, error = refused(lambda: invoke(functions, "single", event))
    assert (status, code, message) == (429, "TooManyRequestsException", "Rate Exceeded.")
    assert error["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    over.touch()
    assert eventually(lambda: free(functions, event))


def free(functions, event):
    try:
        return invoke(functions, "single", event)["StatusCode"] == 200
    except functions.exceptions.TooManyRequestsException:
        return False


def test_an_event_is_tried_three_times_and_then_handed_on(server, functions, tmp_path):
    notes, record = tmp_path / "notes", tmp_path / "record"
    event = {"notes": str(notes), "record": str(record)}
    answer = invoke(functions, "again", event, InvocationType="Event")
    assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")
    told = eventually(lambda: record.exists() and json.loads(record.read_text() or "null"))
    assert told["requestContext"]["condition"] == "RetriesExhausted"
    assert told["requestContext"]["approximateInvokeCount"] == 3
    assert told["requestContext"]["functionArn"] == arn("again") + ":$LATEST"
    assert (told["requestPayload"], told["responsePayload"]["errorType"]) == (event, "RuntimeError")
    assert notes.read_text().split() == [told["requestContext"]["requestId"]] * 3
    assert "an asynchronous invocation is given up" in server.last_log()


def test_what_waits_when_the_server_ends_is_told(tmp_path):
    config = tmp_path / "stagedoor.toml"
    config.write_text(table("again", "noting"))
    with Server(tmp_path / "data", "--config", str(config)) as server:
        notes = tmp_path / "notes"
        invoke(client(server, "lambda"), "again", {"notes": str(notes)}, InvocationType="Event")
        assert eventually(lambda: "it is tried again in 60s" in server.last_log())
        assert server.stop() == 0
        assert eventually(lambda: "an asynchronous invocation waits for the next start" in server.last_log())
        assert '"attempts":1' in server.last_log()


def test_what_runs_when_the_server_ends_is_told(tmp_path):
    config = tmp_path / "stagedoor.toml"
    config.write_text(table("single", "sleeping", timeout=600, concurrency=1))
    with Server(tmp_path / "data", "--config", str(config)) as server:
        event = {"running": str(tmp_path / "running"), "over": str(tmp_path / "over")}
        for _ in range(3):
            invoke(client(server, "lambda"), "single", event, InvocationType="Event")
        # One runs, perhaps, and two wait for it.
        assert server.stop() == 0
        assert eventually(lambda: server.last_log().count("an asynchronous invocation waits for the next start") == 3)


def test_a_result_as_a_stream(functions):
    answer = functions.invoke_with_response_stream(FunctionName="plain", Payload='{"a": 1}', LogType="Tail")
    events = list(answer["EventStream"])
    chunks = b"".join(event["PayloadChunk"]["Payload"] for event in events if "PayloadChunk" in event)
    assert json.loads(chunks) == {"hello": {"a": 1}}
    assert base64.b64decode(events[-1]["InvokeComplete"]["LogResult"]).startswith(b"START")
    answer = functions.invoke_with_response_stream(FunctionName="failing", Payload="{}")
    [event] = answer["EventStream"]
    assert event["InvokeComplete"]["ErrorCode"] == "Unhandled"
    assert json.loads(event["InvokeComplete"]["ErrorDetails"])["errorType"] == "ValueError"


def test_the_aws_cli(server, tmp_path):
    environment = {
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": server.http, "HOME": str(tmp_path), "PATH": "/usr/bin:/bin",
    }
    out = tmp_path / "out"
    command = [sys.executable, "-m", "awscli", "lambda", "invoke", "--function-name", "plain", str(out)]
    done = subprocess.run(command, env=environment, capture_output=True, check=True, timeout=60)
    assert json.loads(done.stdout) == {"StatusCode": 200, "ExecutedVersion": "$LATEST"}
    assert json.loads(out.read_text()) == {"hello": {}}


def test_another_server_as_the_endpoint(server, apigateway, tmp_path):
    """A server without functions invokes them at another one: both sides of the same API."""
    with Server(tmp_path / "data", "--lambda-endpoint", server.http) as front:
        answer = invoke(client(front, "lambda"), "plain", {"a": 1}, LogType="Tail")
        assert json.load(answer["Payload"]) == {"hello": {"a": 1}}
        assert base64.b64decode(answer["LogResult"]).startswith(b"START")
        streamed = client(front, "lambda").invoke_with_response_stream(FunctionName="plain", Payload="[]")
        [first, last] = streamed["EventStream"]
        assert json.loads(first["PayloadChunk"]["Payload"]) == {"hello": []}
        assert last["InvokeComplete"] == {}
