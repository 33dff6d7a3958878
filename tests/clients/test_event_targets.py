"""The events that AWS sends to EventBridge, as targets get them: in order, at least once, over outages and restarts."""

import asyncio
import http.server
import json
import threading

import pytest

import whip
from conftest import ACCOUNT, REGION, client
from expect import eventually
from server import Server


class Target:
    """A web server that keeps what it is sent and answers with `status`."""

    def __enter__(self):
        self.seen, self.status, self.refusals = [], 200, 0
        target = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                if target.status == 200:
                    target.seen.append((dict(self.headers), json.loads(body)))
                else:
                    target.refusals += 1
                answer = b'{"FailedEntryCount": 0, "Entries": []}'
                self.send_response(target.status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                """Nothing: the tests say what went wrong."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def events(self):
        return [body for _, body in self.seen]


@pytest.fixture
def target():
    with Target() as running:
        yield running


def configured(folder, text):
    config = folder / "stagedoor.toml"
    config.write_text(text)
    return Server(folder / "data", "--config", str(config))


def publish(server, stage, user):
    """Publishes for a moment and leaves; the participant's id."""
    made = client(server, "ivs-realtime").create_participant_token(stageArn=stage["arn"], userId=user)["participantToken"]
    url = client(server, "ivs-realtime").get_stage(arn=stage["arn"])["stage"]["endpoints"]["whip"]

    async def run():
        async with whip.Publisher(url, made["token"], "video/VP8") as publisher:
            await asyncio.to_thread(eventually, lambda: "PUBLISH_STARTED" in on_record(server, stage, made["participantId"]))
            await publisher.leave()

    asyncio.run(run())
    eventually(lambda: "PUBLISH_STOPPED" in on_record(server, stage, made["participantId"]))
    return made["participantId"]


def on_record(server, stage, participant):
    """Names of a participant's events by `ListParticipantEvents`, oldest first."""
    ivs = client(server, "ivs-realtime")
    sessions = ivs.list_stage_sessions(stageArn=stage["arn"])["stageSessions"]
    names = []
    for session in reversed(sessions):
        where = {"stageArn": stage["arn"], "sessionId": session["sessionId"], "participantId": participant}
        try:
            events = ivs.list_participant_events(**where)["events"]
        except ivs.exceptions.ResourceNotFoundException:
            continue
        names += [event["name"] for event in sorted(events, key=lambda event: event["eventTime"])]
    return names


def test_a_webhook_gets_all_in_order_over_an_outage_and_a_crash(tmp_path, target):
    with configured(tmp_path, f'[[event-target]]\nname = "hook"\nwebhook = "{target.url}/in"\nauthorization = "Bearer x"\n') as server:
        stage = client(server, "ivs-realtime").create_stage(name="events")["stage"]
        first = publish(server, stage, "ann")
        eventually(lambda: len(target.seen) == 2)
        headers, event = target.seen[0]
        assert {"Bearer x", "application/json"} <= set(headers.values())
        session = client(server, "ivs-realtime").list_stage_sessions(stageArn=stage["arn"])["stageSessions"][0]
        assert event == {
            "version": "0",
            "id": event["id"],
            "detail-type": "IVS Stage Update",
            "source": "aws.ivs",
            "account": ACCOUNT,
            "time": event["time"],
            "region": REGION,
            "resources": [stage["arn"]],
            "detail": {
                "event_name": "Participant Published",
                "session_id": session["sessionId"],
                "event_time": event["time"],
                "event_time_precise": event["detail"]["event_time_precise"],
                "user_id": "ann",
                "participant_id": first,
                "replica": False,
                "source_stage_arn": "",
                "source_session_id": "",
            },
        }
        target.status = 503
        second = publish(server, stage, "bob")
        eventually(lambda: target.refusals)
        server.kill()
        target.status = 200
        server.start()
        eventually(lambda: len(target.seen) >= 4)
        third = publish(server, stage, "cem")
        eventually(lambda: len({event["id"] for event in target.events()}) == 6)
    told = {}
    for event in target.events():
        told.setdefault(event["id"], (event["detail"]["participant_id"], event["detail"]["event_name"]))
    names = ("Participant Published", "Participant Unpublished")
    assert list(told.values()) == [(who, name) for who in (first, second, third) for name in names]


def test_a_file_and_put_events_at_once(tmp_path, target):
    lines = tmp_path / "events.jsonl"
    text = f"""
        [[event-target]]
        name = "lines"
        file = "{lines}"
        [[event-target]]
        name = "bus"
        put-events = "{target.url}"
        bus = "mine"
        key = {{ id = "AKID", secret = "s" }}
    """
    with configured(tmp_path, text) as server:
        stage = client(server, "ivs-realtime").create_stage(name="events")["stage"]
        who = publish(server, stage, "ann")
        eventually(lambda: sum(len(body["Entries"]) for body in target.events()) == 2)
        eventually(lambda: lines.exists() and len(lines.read_text().splitlines()) == 2)
    headers = {name.lower(): value for name, value in target.seen[0][0].items()}
    assert headers["x-amz-target"] == "AWSEvents.PutEvents"
    signature = headers["authorization"]
    assert signature.startswith("AWS4-HMAC-SHA256 Credential=AKID/") and "/us-east-1/events/aws4_request" in signature
    entries = [entry for body in target.events() for entry in body["Entries"]]
    written = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [json.loads(entry["Detail"]) for entry in entries] == [event["detail"] for event in written]
    assert {(entry["EventBusName"], entry["Source"], entry["DetailType"]) for entry in entries} == {("mine", "aws.ivs", "IVS Stage Update")}
    assert [event["detail"]["event_name"] for event in written] == ["Participant Published", "Participant Unpublished"]
    assert {event["detail"]["participant_id"] for event in written} == {who}
