"""IVS Real-Time through boto3: stages, participant tokens, tags, lists, refusals."""

import datetime
import re

import jwt
import pytest
from botocore.exceptions import ClientError

from conftest import ACCOUNT, REGION, client
from expect import members, refused

RECORDING_OFF = {
    "storageConfigurationArn": "",
    "mediaTypes": ["AUDIO_VIDEO"],
    "thumbnailConfiguration": {"targetIntervalSeconds": 60, "storage": ["SEQUENTIAL"], "recordingMode": "DISABLED"},
    "recordingReconnectWindowSeconds": 0,
    "hlsConfiguration": {"targetSegmentDurationSeconds": 6},
    "recordParticipantReplicas": True,
}


def missing(stage="nosuchstage1"):
    return f"arn:aws:ivs:{REGION}:{ACCOUNT}:stage/{stage}"


# === stages ===


def test_create_stage_answers_what_aws_answers(server, ivs):
    answer = ivs.create_stage(name="meeting", tags={"team": "stage"})
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    stage = answer["stage"]
    assert re.fullmatch(rf"arn:aws:ivs:{REGION}:{ACCOUNT}:stage/[A-Za-z0-9]{{12}}", stage["arn"])
    assert stage["name"] == "meeting"
    assert stage["tags"] == {"team": "stage"}
    assert stage["autoParticipantRecordingConfiguration"] == RECORDING_OFF
    assert "activeSessionId" not in stage
    endpoints = stage["endpoints"]
    assert set(endpoints) == {"events", "whip", "rtmp", "rtmps"}
    assert endpoints["whip"].startswith(server.http)
    assert endpoints["events"].startswith("ws://127.0.0.1:")
    assert endpoints["rtmp"].startswith("rtmp://") and endpoints["rtmp"].endswith("/app/")
    assert endpoints["rtmps"].startswith("rtmps://") and endpoints["rtmps"].endswith("/app/")
    assert answer["participantTokens"] == []
    assert ivs.get_stage(arn=stage["arn"])["stage"] == stage


def test_an_unnamed_stage(ivs):
    stage = ivs.create_stage()["stage"]
    assert stage.get("name", "") == ""
    assert stage["tags"] == {}


def test_stages_come_with_tokens(ivs):
    wanted = [
        {"userId": "first", "capabilities": ["PUBLISH"], "duration": 60, "attributes": {"role": "host"}},
        {"userId": "second"},
    ]
    answer = ivs.create_stage(name="tokens", participantTokenConfigurations=wanted)
    first, second = answer["participantTokens"]
    assert (first["userId"], first["capabilities"], first["duration"]) == ("first", ["PUBLISH"], 60)
    assert first["attributes"] == {"role": "host"}
    assert (second["userId"], sorted(second["capabilities"]), second["duration"]) == ("second", ["PUBLISH", "SUBSCRIBE"], 720)
    assert first["participantId"] != second["participantId"]


def test_update_stage(ivs):
    arn = ivs.create_stage(name="before")["stage"]["arn"]
    assert ivs.update_stage(arn=arn, name="after")["stage"]["name"] == "after"
    stage = ivs.update_stage(
        arn=arn, autoParticipantRecordingConfiguration={"storageConfigurationArn": "", "recordingReconnectWindowSeconds": 5}
    )["stage"]
    assert stage["name"] == "after"
    assert stage["autoParticipantRecordingConfiguration"] == RECORDING_OFF


def test_delete_stage(ivs):
    arn = ivs.create_stage(name="gone")["stage"]["arn"]
    assert members(ivs.delete_stage(arn=arn)) == {}
    for call in (ivs.get_stage, ivs.delete_stage, ivs.update_stage):
        with pytest.raises(ivs.exceptions.ResourceNotFoundException) as caught:
            call(arn=arn)
        # Both spellings: the modelled member and the one that every SDK shows.
        assert caught.value.response["exceptionMessage"] == caught.value.response["Error"]["Message"] != ""


def test_stages_are_listed_page_by_page(server):
    ivs = client(server, "ivs-realtime", region="eu-west-1")
    arns = {ivs.create_stage(name=f"stage-{number}")["stage"]["arn"] for number in range(7)}
    found, token = [], {}
    while True:
        page = ivs.list_stages(maxResults=3, **token)
        assert len(page["stages"]) <= 3
        found += page["stages"]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert {stage["arn"] for stage in found} == arns and len(found) == 7
    assert set(found[0]) <= {"arn", "name", "activeSessionId", "tags"}


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("create_stage", {"name": "no blanks"}),
        ("create_stage", {"name": "a" * 129}),
        ("create_stage", {"participantTokenConfigurations": [{}] * 13}),
        ("create_stage", {"participantTokenConfigurations": [{"duration": 20161}]}),
        ("create_stage", {"participantTokenConfigurations": [{"capabilities": ["FLY"]}]}),
        ("create_stage", {"tags": {f"key{number}": "" for number in range(51)}}),
        ("get_stage", {"arn": "arn:aws:s3:::bucket"}),
        ("list_stages", {"maxResults": 0}),
        ("list_stages", {"maxResults": 101}),
        ("list_stages", {"nextToken": "not ours"}),
        ("list_stage_sessions", {"stageArn": missing(), "nextToken": "!"}),
        ("get_stage_session", {"stageArn": missing(), "sessionId": "st-short"}),
    ],
)
def test_refusals(server, call, arguments):
    ivs = client(server, "ivs-realtime", parameter_validation=False)
    refused("ValidationException", 400, "", getattr(ivs, call), **arguments)


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("create_participant_token", {}),
        ("disconnect_participant", {"participantId": "abcdefghijkl"}),
        ("get_stage_session", {"sessionId": "st-abcdefghijklm"}),
        ("get_participant", {"sessionId": "st-abcdefghijklm", "participantId": "abcdefghijkl"}),
    ],
)
def test_unknown_stages(ivs, call, arguments):
    refused("ResourceNotFoundException", 404, "", getattr(ivs, call), stageArn=missing(), **arguments)


def test_answers_carry_the_security_headers(ivs):
    headers = ivs.list_stages()["ResponseMetadata"]["HTTPHeaders"]
    assert headers["access-control-allow-origin"] == "*"
    assert headers["cache-control"] == "no-store, no-cache"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-amzn-requestid"]


# === tokens ===


def test_a_token_holds_everything_a_client_reads(ivs):
    stage = ivs.create_stage(name="token")["stage"]
    answer = ivs.create_participant_token(
        stageArn=stage["arn"], userId="ada", attributes={"seat": "7"}, capabilities=["SUBSCRIBE"], duration=90
    )["participantToken"]
    assert re.fullmatch(r"[A-Za-z0-9]{12}", answer["participantId"])
    in_90_minutes = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=90)
    assert abs(answer["expirationTime"] - in_90_minutes) < datetime.timedelta(seconds=30)
    claims = jwt.decode(answer["token"], options={"verify_signature": False})
    assert claims["jti"] == answer["participantId"]
    assert claims["resource"] == stage["arn"]
    assert claims["topic"] == stage["arn"].rsplit("/", 1)[1]
    assert claims["events_url"] == stage["endpoints"]["events"]
    assert claims["whip_url"] == stage["endpoints"]["whip"]
    assert claims["capabilities"].get("allow_subscribe") is True
    assert not claims["capabilities"].get("allow_publish")
    assert (claims["user_id"], claims["attributes"]) == ("ada", {"seat": "7"})
    assert claims["exp"] - claims["iat"] == 90 * 60


def test_tokens_have_limits(ivs):
    arn = ivs.create_stage(name="limits")["stage"]["arn"]
    refused(
        "ValidationException", 400, "", ivs.create_participant_token, stageArn=arn, attributes={"a": "x" * 1025}
    )


# === tags ===


def test_tags(ivs):
    arn = ivs.create_stage(name="tags", tags={"a": "1"})["stage"]["arn"]
    assert members(ivs.tag_resource(resourceArn=arn, tags={"b": "2", "c d": "3 + 4"})) == {}
    assert ivs.list_tags_for_resource(resourceArn=arn)["tags"] == {"a": "1", "b": "2", "c d": "3 + 4"}
    ivs.untag_resource(resourceArn=arn, tagKeys=["a", "c d", "never there"])
    assert ivs.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}
    assert ivs.get_stage(arn=arn)["stage"]["tags"] == {"b": "2"}
    refused("ResourceNotFoundException", 404, "", ivs.tag_resource, resourceArn=missing(), tags={"a": "1"})
    refused(
        "ValidationException", 400, "", ivs.tag_resource, resourceArn=arn, tags={f"k{n}": "" for n in range(50)}
    )
    assert ivs.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}


# === sessions before anybody came ===


def test_a_new_stage_has_no_sessions(ivs):
    arn = ivs.create_stage(name="empty")["stage"]["arn"]
    assert ivs.list_stage_sessions(stageArn=arn)["stageSessions"] == []
    refused(
        "ResourceNotFoundException", 404, "", ivs.get_stage_session, stageArn=arn, sessionId="st-abcdefghijklm"
    )


def test_accounts_are_apart(server):
    """A key belongs to an account; what one account made is not there for another region either."""
    ours = client(server, "ivs-realtime")
    arn = ours.create_stage(name="ours")["stage"]["arn"]
    elsewhere = client(server, "ivs-realtime", region="us-west-2")
    with pytest.raises(ClientError) as caught:
        elsewhere.get_stage(arn=arn)
    assert caught.value.response["Error"]["Code"] in ("ResourceNotFoundException", "AccessDeniedException")
