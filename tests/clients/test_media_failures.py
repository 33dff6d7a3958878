"""Clients that are killed and servers that end: who is gone has LEFT, who comes back comes in with the token it had."""

import asyncio
import datetime
import pathlib
import subprocess
import sys

import pytest

import whip
from conftest import client
from expect import eventually
from participants import token
from server import Server

# The server's time for a silent peer (RFC 7675), as ARCHITECTURE.md's limits have it.
CONSENT_SECONDS = 10

PUBLISH = """
import asyncio, sys, whip
async def run():
    async with whip.Publisher(sys.argv[1], sys.argv[2], "video/VP8"):
        print("published", flush=True)
        await asyncio.sleep(600)
asyncio.run(run())
"""

SUBSCRIBE = """
import asyncio, sys, whip
async def run():
    async with whip.Subscriber(sys.argv[1], sys.argv[2], sys.argv[3]) as subscriber:
        await subscriber.receives(video=5, audio=5)
        print("received", flush=True)
        await asyncio.sleep(600)
asyncio.run(run())
"""


class Program:
    """A client in a process of its own, which can be killed. Leaving it does."""

    def __init__(self, text, *arguments):
        self.command = [sys.executable, "-c", text, *arguments]

    def __enter__(self):
        folder = pathlib.Path(__file__).parent
        self.process = subprocess.Popen(self.command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        assert self.process.stdout.readline(), "the client failed"
        return self

    def __exit__(self, *_):
        self.kill()
        self.process.stdout.close()

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def stage(ivs):
    return ivs.create_stage(name="failures")["stage"]


def url(ivs, stage):
    """The stage's address as it is now."""
    return ivs.get_stage(arn=stage["arn"])["stage"]["endpoints"]["whip"]


def events(ivs, stage, participant, session=None):
    """The participant's events in a session, else the newest, oldest first."""
    if session is None:
        sessions = ivs.list_stage_sessions(stageArn=stage["arn"])["stageSessions"]
        if not sessions:
            return []
        session = sessions[0]["sessionId"]
    where = {"stageArn": stage["arn"], "sessionId": session, "participantId": participant}
    return list(reversed(ivs.list_participant_events(**where)["events"]))


def names(found):
    return [event["name"] for event in found]


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def test_clients_that_are_killed_have_left(server, ivs, stage):
    """A publisher and a subscriber vanish without a word. Their consent runs out, and then they have left."""
    publisher_id, publish = token(server, stage, "PUBLISH")
    viewer_id, subscribe = token(server, stage, "SUBSCRIBE")
    witness_id, witness = token(server, stage, "SUBSCRIBE")
    with Program(PUBLISH, url(ivs, stage), publish) as publisher:
        with Program(SUBSCRIBE, url(ivs, stage), subscribe, publisher_id) as viewer:
            eventually(lambda: names(events(ivs, stage, viewer_id))[-1:] == ["SUBSCRIBE_STARTED"])
            viewer.kill()
            killed = [(viewer_id, now())]
            publisher.kill()
            killed.append((publisher_id, now()))
    expected = {
        publisher_id: ["JOINED", "PUBLISH_STARTED", "PUBLISH_STOPPED", "LEFT"],
        viewer_id: ["JOINED", "SUBSCRIBE_STARTED", "SUBSCRIBE_STOPPED", "LEFT"],
    }
    for participant, at in killed:
        eventually(lambda: names(events(ivs, stage, participant)) == expected[participant], seconds=60)
        left = events(ivs, stage, participant)[-1]["eventTime"]
        # The last datagram may have come a moment before the end, and the clock of events has no fractions.
        assert left - at >= datetime.timedelta(seconds=CONSENT_SECONDS - 3), (left, at)
        session = ivs.list_stage_sessions(stageArn=stage["arn"])["stageSessions"][0]["sessionId"]
        where = {"stageArn": stage["arn"], "sessionId": session}
        assert ivs.get_participant(**where, participantId=participant)["participant"]["state"] == "DISCONNECTED"
    # The token of the one that was killed opens the stage again, in the same session.
    async def back():
        async with whip.Publisher(url(ivs, stage), publish, "video/VP8"):
            async with whip.Subscriber(url(ivs, stage), witness, publisher_id) as subscriber:
                await subscriber.receives(video=5, audio=5)

    asyncio.run(back())
    assert names(events(ivs, stage, publisher_id))[:6] == [*expected[publisher_id], "JOINED", "PUBLISH_STARTED"]
    assert names(events(ivs, stage, witness_id))[:2] == ["JOINED", "SUBSCRIBE_STARTED"]


@pytest.mark.parametrize("end", ["restart", "crash"])
def test_after_a_restart_clients_return_with_their_tokens(tmp_path, end):
    with Server(tmp_path / "data") as server:
        ivs = client(server, "ivs-realtime")
        stage = ivs.create_stage(name="restarts")["stage"]
        publisher_id, publish = token(server, stage, "PUBLISH", userId="ada")
        viewer_id, subscribe = token(server, stage, "SUBSCRIBE")

        async def meet():
            address = url(client(server, "ivs-realtime"), stage)
            async with whip.Publisher(address, publish, "video/VP8") as publisher:
                async with whip.Subscriber(address, subscribe, publisher_id) as subscriber:
                    await subscriber.receives(video=10, audio=10)
                    if not ended:
                        await asyncio.to_thread(getattr(server, end))
                        ended.append(end)
                        # An orderly end is told to the clients at once; a crash they find out by themselves.
                        if end == "restart":
                            await whip.until(lambda: subscriber.peer.connectionState == "closed", "the farewell")
                            await whip.until(lambda: publisher.peer.connectionState == "closed", "the farewell")

        ended = []
        asyncio.run(meet())
        asyncio.run(meet())
        again = client(server, "ivs-realtime")
        # What was going on when the server ended has ended with it, and a session of its own has begun.
        present, past = again.list_stage_sessions(stageArn=stage["arn"])["stageSessions"]
        assert "endTime" in past and "endTime" not in present
        for who, verb in [(publisher_id, "PUBLISH"), (viewer_id, "SUBSCRIBE")]:
            assert names(events(again, stage, who, past["sessionId"])) == ["JOINED", f"{verb}_STARTED", f"{verb}_STOPPED", "LEFT"]
            eventually(lambda: names(events(again, stage, who))[:2] == ["JOINED", f"{verb}_STARTED"])


def test_every_event_that_something_was_done_for(server, ivs, stage):
    """What participants do, in order, is what `ListParticipantEvents` tells, with who and why, when it was done."""
    ada_id, ada = token(server, stage, "PUBLISH", userId="ada")
    bob_id, bob = token(server, stage, "SUBSCRIBE", userId="bob")
    began = now() - datetime.timedelta(seconds=1)
    done = {ada_id: [], bob_id: []}

    def told(who, name, **members):
        done[who].append({"name": name, "participantId": who, "replica": False, **members})
        found = eventually(lambda: len(events(ivs, stage, who)) >= len(done[who]) and events(ivs, stage, who), seconds=30)
        assert names(found)[: len(done[who])] == [event["name"] for event in done[who]]

    async def say(*arguments, **members):
        await asyncio.to_thread(told, *arguments, **members)

    async def run():
        async with whip.Publisher(url(ivs, stage), ada, "video/VP8") as publisher:
            await say(ada_id, "JOINED")
            await say(ada_id, "PUBLISH_STARTED")
            async with whip.Subscriber(url(ivs, stage), bob, ada_id) as subscriber:
                await say(bob_id, "JOINED")
                await say(bob_id, "SUBSCRIBE_STARTED", remoteParticipantId=ada_id)
                await asyncio.to_thread(whip.send, "DELETE", subscriber.session, bob)
                await say(bob_id, "SUBSCRIBE_STOPPED", remoteParticipantId=ada_id)
            sdp = await whip.offer_sdp(subscriber_peer := whip.Publisher(url(ivs, stage), bob).peer)
            await subscriber_peer.close()
            assert (await asyncio.to_thread(whip.send, "POST", url(ivs, stage), bob, sdp))[0] == 403
            await say(bob_id, "PUBLISH_ERROR", errorCode="INSUFFICIENT_CAPABILITIES")
            path = f"{url(ivs, stage)}/subscribe/nobody"
            assert (await asyncio.to_thread(whip.send, "POST", path, bob, sdp))[0] == 404
            await say(bob_id, "SUBSCRIBE_ERROR", errorCode="PUBLISHER_NOT_FOUND", remoteParticipantId="nobody")
            await publisher.leave()
            await say(ada_id, "PUBLISH_STOPPED")
        async with whip.Publisher(url(ivs, stage), ada, "video/H264") as publisher:
            await say(ada_id, "PUBLISH_STARTED")
            await publisher.leave()
            await say(ada_id, "PUBLISH_STOPPED")

    asyncio.run(run())
    told(ada_id, "LEFT")
    told(bob_id, "LEFT")
    for who in done:
        found = events(ivs, stage, who)
        times = [event.pop("eventTime") for event in found]
        assert times == sorted(times) and began <= times[0] and times[-1] <= now()
        assert found == done[who]
