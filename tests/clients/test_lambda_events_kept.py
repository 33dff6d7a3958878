"""Asynchronous invocations that were accepted are done, whatever becomes of the server: restarts, SIGKILL, full disks.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html
"""

import json

import pytest
from botocore.exceptions import ClientError

from conftest import client
from expect import eventually
from server import Server
from test_faults_store import Limited
from test_lambda import table
from test_lambda_invoke import refused

MIB = 2**20
SECONDS = 40


@pytest.fixture
def config(tmp_path):
    tables = [
        table("single", "sleeping", concurrency=1),
        table("again", "noting") + "retry-waits = [2, 2]\non-failure = 'recording'\n",
        table("recording", "recording"),
        table("writing", "writing"),
    ]
    config = tmp_path / "stagedoor.toml"
    config.write_text("\n".join(tables))
    return config


@pytest.fixture
def server(tmp_path, config):
    with Server(tmp_path / "data", "--config", str(config)) as running:
        yield running


def send(server, name, event, **more):
    """Hands an event over; its id."""
    answer = client(server, "lambda").invoke(
        FunctionName=name, Payload=json.dumps(event), InvocationType="Event", **more
    )
    assert answer["StatusCode"] == 202
    return answer["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"]


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize("end", ["restart", "crash"])
def test_what_is_accepted_is_done_after_the_server_has_ended(server, tmp_path, end):
    """The first holds the function's only place when the server ends; those behind it have not begun."""
    over = tmp_path / "over"
    marks = [tmp_path / f"running-{number}" for number in range(6)]
    for mark in marks:
        send(server, "single", {"running": str(mark), "over": str(over)})
    eventually(lambda: any(mark.exists() for mark in marks), seconds=SECONDS)
    assert sum(mark.exists() for mark in marks) == 1
    # Killed at once: whoever was told 202 has been told the truth. Asked to end, it waits for the first a while.
    getattr(server, end)()
    over.touch()
    eventually(lambda: all(mark.exists() for mark in marks), seconds=SECONDS)
    # Done is done: another start invokes none of them.
    eventually(lambda: quiet(server, tmp_path), seconds=SECONDS)
    server.restart()
    for mark in marks:
        mark.unlink()
    fresh = tmp_path / "fresh"
    send(server, "single", {"running": str(fresh), "over": str(over)})
    eventually(fresh.exists, seconds=SECONDS)
    assert not any(mark.exists() for mark in marks)


def quiet(server, tmp_path):
    """Whether a function with one place has done all that was sent to it: it takes one that waits for its result."""
    mark, over = tmp_path / "quiet", tmp_path / "over"
    try:
        client(server, "lambda").invoke(FunctionName="single", Payload=json.dumps({"running": str(mark), "over": str(over)}))
    except ClientError:
        return False
    return True


def test_attempts_are_counted_over_restarts(server, tmp_path):
    """Three attempts under one id, a restart after each, and then the destination hears of three."""
    notes, record = tmp_path / "notes", tmp_path / "record"
    event = {"notes": str(notes), "record": str(record), "number": 1.50}
    sent = send(server, "again", event)
    for attempts in (1, 2):
        eventually(lambda: len(lines(notes)) == attempts, seconds=SECONDS)
        assert not record.exists()
        server.restart()
    eventually(record.exists, seconds=SECONDS)
    told = eventually(lambda: json.loads(record.read_text() or "null"))
    context = told["requestContext"]
    assert (context["requestId"], context["condition"], context["approximateInvokeCount"]) == (sent, "RetriesExhausted", 3)
    assert told["requestPayload"] == event
    assert told["responsePayload"]["errorMessage"] == "not yet"
    assert lines(notes) == [sent] * 3


def test_an_event_that_fails_is_tried_again_after_a_crash(server, tmp_path):
    """Attempts are counted as far as they could be written down: there may be one more, never one less."""
    notes, record = tmp_path / "notes", tmp_path / "record"
    sent = send(server, "again", {"notes": str(notes), "record": str(record)})
    eventually(lambda: lines(notes), seconds=SECONDS)
    server.crash()
    told = eventually(lambda: record.exists() and json.loads(record.read_text() or "null"), seconds=SECONDS)
    assert told["requestContext"]["requestId"] == sent
    assert lines(notes) in ([sent] * 3, [sent] * 4)


def test_what_waits_is_bounded_also_after_a_crash(server, tmp_path):
    """64 MiB of a function: what is beyond is refused, and a crash makes no room."""
    running, over = tmp_path / "running", tmp_path / "over"
    event = {"running": str(running), "over": str(over), "long": "x" * (MIB - 1000)}
    for _ in range(64):
        send(server, "single", event)
    one_more = lambda: send(server, "single", event)
    assert refused(one_more)[:3] == (429, "TooManyRequestsException", "Rate Exceeded.")
    before = server.resident_bytes()
    server.crash()
    eventually(running.exists, seconds=SECONDS)
    assert refused(one_more)[:2] == (429, "TooManyRequestsException")
    assert server.resident_bytes() - before < 64 * MIB
    over.touch()
    eventually(lambda: accepted(one_more), seconds=SECONDS)


def accepted(call):
    try:
        return bool(call())
    except ClientError:
        return False


def test_nothing_is_accepted_that_cannot_be_kept(tmp_path, config):
    with Limited(tmp_path / "data", "--config", str(config)) as server:
        first, second = tmp_path / "first", tmp_path / "second"
        send(server, "writing", {"path": str(first)})
        eventually(first.exists, seconds=SECONDS)
        server.fill_disk()
        status, code, _, _ = refused(lambda: send(server, "writing", {"path": str(second), "long": "x" * 100_000}))
        assert (status, code) == (500, "ServiceException")
        server.free_disk()
        third = tmp_path / "third"
        eventually(lambda: accepted(lambda: send(server, "writing", {"path": str(third)})), seconds=SECONDS)
        eventually(third.exists, seconds=SECONDS)
        assert not second.exists()
