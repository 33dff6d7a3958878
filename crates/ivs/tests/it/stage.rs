//! Stages: what they show, their defaults, their errors.

use serde_json::{Value as Json, json};
use stagedoor_api::ivs_realtime::{Participant, ParticipantProtocol, ParticipantRecordingState};
use stagedoor_state::ivs::notice::Notice;
use stagedoor_state::ivs::presence;
use stagedoor_state::ivs::{Revocation, StorageConfiguration};

use crate::control::{ACCOUNT, Control, REGION, SESSION, each, stage_arn, who};

const NOWHERE: &str = "arn:aws:ivs:eu-west-1:123456789012:stage/nowhere";

/// The recording configuration of a stage that does not record, as AWS shows it.
fn not_recording() -> Json {
    json!({
        "storageConfigurationArn": "",
        "mediaTypes": ["AUDIO_VIDEO"],
        "thumbnailConfiguration": {
            "targetIntervalSeconds": 60, "storage": ["SEQUENTIAL"], "recordingMode": "DISABLED"
        },
        "recordingReconnectWindowSeconds": 0,
        "hlsConfiguration": {"targetSegmentDurationSeconds": 6},
        "recordParticipantReplicas": true,
    })
}

fn storage_configuration(control: &Control) -> String {
    let arn = format!("arn:aws:ivs:{REGION}:{ACCOUNT}:storage-configuration/sc1");
    let stored = StorageConfiguration {
        arn: arn.clone(),
        name: String::new(),
        tags: [].into(),
        bucket_name: "recordings".to_owned(),
        created_micros: 0,
    };
    control.media(|documents, _| documents.put(&["sc1"], &stored));
    arn
}

#[test]
fn a_fresh_stage_shows_everything() {
    let control = Control::new();
    let created = control.ok("CreateStage", json!({"name": "room", "tags": {"team": "a"}}));
    let arn = created["stage"]["arn"].as_str().expect("it has an ARN");
    let id =
        arn.strip_prefix("arn:aws:ivs:eu-west-1:123456789012:stage/").expect("of this account and region");
    assert!(id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
    let stage = json!({
        "arn": arn,
        "name": "room",
        "tags": {"team": "a"},
        "autoParticipantRecordingConfiguration": not_recording(),
        "endpoints": {
            "events": "ws://127.0.0.1:4566/events",
            "rtmp": "rtmp://127.0.0.1:1935/app/",
            "rtmps": "rtmps://127.0.0.1:1936/app/",
            "whip": "http://127.0.0.1:4566/whip",
        },
    });
    assert_eq!(created, json!({"stage": stage, "participantTokens": []}));
    assert_eq!(control.ok("GetStage", json!({"arn": arn})), json!({"stage": stage}));
}

#[test]
fn a_stage_without_a_name_has_an_empty_one() {
    let control = Control::new();
    let stage = &control.ok("CreateStage", json!({}))["stage"];
    assert_eq!((&stage["name"], &stage["tags"]), (&json!(""), &json!({})));
}

#[test]
fn a_tag_chooses_the_id() {
    let control = Control::new();
    let tags = json!({"tags": {"stagedoor:id": "s1"}});
    let created = control.ok("CreateStage", tags.clone());
    assert_eq!(created["stage"]["arn"], stage_arn("s1"));
    assert_eq!(created["stage"]["tags"], json!({"stagedoor:id": "s1"}));
    let taken = "ConflictException 409: Resource: arn:aws:ivs:eu-west-1:123456789012:stage/s1 already exists";
    assert_eq!(control.err("CreateStage", tags.clone()), taken);
    let elsewhere = control.call_as(ACCOUNT, "us-east-1", "CreateStage", tags.clone());
    assert!(elsewhere.is_ok(), "ids are unique within an account's region");
    assert!(control.call_as("000000000000", REGION, "CreateStage", tags).is_ok());
    let malformed = control.err("CreateStage", json!({"tags": {"stagedoor:id": "a/b"}}));
    assert_eq!(malformed, "ValidationException 400: The tag stagedoor:id must be 1 to 40 letters and digits");
}

#[test]
fn a_recording_configuration_is_completed() {
    let control = Control::new();
    let storage = storage_configuration(&control);
    let given = json!({
        "storageConfigurationArn": storage,
        "recordingReconnectWindowSeconds": 100,
        "hlsConfiguration": {"targetSegmentDurationSeconds": 5},
        "thumbnailConfiguration": {"recordingMode": "INTERVAL"},
    });
    let created = control.ok("CreateStage", json!({"autoParticipantRecordingConfiguration": given}));
    let mut complete = not_recording();
    complete["storageConfigurationArn"] = json!(storage);
    complete["recordingReconnectWindowSeconds"] = json!(100);
    complete["hlsConfiguration"]["targetSegmentDurationSeconds"] = json!(5);
    complete["thumbnailConfiguration"]["recordingMode"] = json!("INTERVAL");
    assert_eq!(created["stage"]["autoParticipantRecordingConfiguration"], complete);

    let off = json!({"storageConfigurationArn": "", "recordingReconnectWindowSeconds": 100});
    let arn = &created["stage"]["arn"];
    let updated =
        control.ok("UpdateStage", json!({"arn": arn, "autoParticipantRecordingConfiguration": off}));
    assert_eq!(updated["stage"]["autoParticipantRecordingConfiguration"], not_recording());
}

#[test]
fn recordings_need_a_storage_configuration_that_exists() {
    let control = Control::new();
    let stage = control.stage("s1");
    let absent = "arn:aws:ivs:eu-west-1:123456789012:storage-configuration/none";
    let recording = json!({"storageConfigurationArn": absent});
    let error = format!("ResourceNotFoundException 404: Resource: {absent} not found");
    let create = json!({"autoParticipantRecordingConfiguration": recording});
    assert_eq!(control.err("CreateStage", create), error);
    let update = json!({"arn": stage, "name": "new", "autoParticipantRecordingConfiguration": recording});
    assert_eq!(control.err("UpdateStage", update), error);
    assert_eq!(control.ok("GetStage", json!({"arn": stage}))["stage"]["name"], "", "nothing was changed");
    let stages = control.ok("ListStages", json!({}));
    assert_eq!(each(&stages["stages"], "arn"), [stage]);
}

#[test]
fn an_update_changes_what_it_names() {
    let control = Control::new();
    let stage = control.stage("s1");
    let updated = control.ok("UpdateStage", json!({"arn": stage, "name": "new"}));
    assert_eq!(updated["stage"]["name"], "new");
    assert_eq!(updated, control.ok("GetStage", json!({"arn": stage})));
    let untouched = control.ok("UpdateStage", json!({"arn": stage}));
    assert_eq!(untouched, updated);
    let cleared = control.ok("UpdateStage", json!({"arn": stage, "name": ""}));
    assert_eq!(cleared["stage"]["name"], "");
}

#[test]
fn nobody_changes_a_recording_under_way() {
    let control = Control::new();
    let stage = control.stage("s1");
    control.join(who("a"));
    let recording =
        json!({"arn": stage, "autoParticipantRecordingConfiguration": {"storageConfigurationArn": ""}});
    control.ok("UpdateStage", recording.clone());
    for state in [
        ParticipantRecordingState::Starting,
        ParticipantRecordingState::Active,
        ParticipantRecordingState::Stopping,
    ] {
        control.media(|documents, _| {
            let ids = ["s1", SESSION, "a"];
            let mut participant: Participant = documents.get(&ids)?.expect("it has joined");
            participant.recording_state = Some(state);
            documents.put(&ids, &participant)
        });
        let error = format!(
            "ConflictException 409: The recording configuration of {stage} cannot be changed while recording is active"
        );
        assert_eq!(control.err("UpdateStage", recording.clone()), error);
    }
    control.ok("UpdateStage", json!({"arn": stage, "name": "still possible"}));
}

#[test]
fn the_open_session_shows_while_it_is_open() {
    let control = Control::new();
    let stage = control.stage("s1");
    control.join(who("a"));
    let get = || control.ok("GetStage", json!({"arn": stage}))["stage"]["activeSessionId"].clone();
    let list = || control.ok("ListStages", json!({}))["stages"][0]["activeSessionId"].clone();
    assert_eq!((get(), list()), (json!(SESSION), json!(SESSION)));
    control.end(&[who("a")]);
    assert_eq!((get(), list()), (Json::Null, Json::Null));
}

#[test]
fn stages_are_listed_newest_first_in_pages() {
    let control = Control::new();
    for n in 0..120 {
        control.wait(1);
        control.stage(&format!("n{n:03}"));
    }
    let newest: Vec<String> = (0..120).rev().map(|n| stage_arn(&format!("n{n:03}"))).collect();
    let first = control.ok("ListStages", json!({}));
    assert_eq!(each(&first["stages"], "arn"), newest[..50], "50 is the default");
    let second = control.ok("ListStages", json!({"nextToken": first["nextToken"], "maxResults": 100}));
    assert_eq!(each(&second["stages"], "arn"), newest[50..]);
    assert_eq!(second["nextToken"], Json::Null);
    let summary = json!({"arn": stage_arn("n119"), "name": "", "tags": {"stagedoor:id": "n119"}});
    assert_eq!(first["stages"][0], summary);
    let nobodys = control.call_as("000000000000", REGION, "ListStages", json!({}));
    assert_eq!(nobodys, Ok(json!({"stages": []})));
}

#[test]
fn a_token_is_good_for_its_own_list() {
    let control = Control::new();
    let stage = control.stage("s1");
    control.stage("s2");
    let token = control.ok("ListStages", json!({"maxResults": 1}))["nextToken"].clone();
    let error = "ValidationException 400: The nextToken is invalid";
    assert_eq!(control.err("ListStages", json!({"nextToken": "AAAA"})), error);
    assert_eq!(control.err("ListStageSessions", json!({"stageArn": stage, "nextToken": token})), error);
    let elsewhere = control.call_as(ACCOUNT, "us-east-1", "ListStages", json!({"nextToken": token}));
    assert_eq!(elsewhere.expect_err("a token of another region").message, "The nextToken is invalid");
}

#[test]
fn a_deleted_stage_leaves_its_past() {
    let control = Control::new();
    let stage = control.stage("s1");
    let other = control.stage("s2");
    control.join(who("a"));
    control.ok("DisconnectParticipant", json!({"stageArn": stage, "participantId": "b"}));
    assert_eq!(control.ok("DeleteStage", json!({"arn": stage})), json!({}), "also with somebody connected");
    let error = format!("ResourceNotFoundException 404: Resource: {stage} not found");
    assert_eq!(control.err("GetStage", json!({"arn": stage})), error);
    assert_eq!(control.err("DeleteStage", json!({"arn": stage})), error);
    assert_eq!(each(&control.ok("ListStages", json!({}))["stages"], "arn"), [other]);
    let sessions = control.ok("ListStageSessions", json!({"stageArn": stage}));
    let session = &sessions["stageSessions"][0];
    assert!(session["endTime"].is_number(), "{session}");
    let past = json!({"stageArn": stage, "sessionId": session["sessionId"]});
    let of = |participant: &str| {
        let mut of = past.clone();
        of["participantId"] = participant.into();
        of
    };
    assert_eq!(control.ok("GetStageSession", past.clone())["stageSession"], *session);
    assert_eq!(each(&control.ok("ListParticipants", past.clone())["participants"], "participantId"), ["a"]);
    assert_eq!(control.ok("GetParticipant", of("a"))["participant"]["state"], "DISCONNECTED");
    assert_eq!(each(&control.ok("ListParticipantEvents", of("a"))["events"], "name"), ["LEFT", "JOINED"]);
    assert_eq!(control.err("DisconnectParticipant", json!({"stageArn": stage, "participantId": "a"})), error);
    control.stage("s1");
    let anew = control.ok("ListStageSessions", json!({"stageArn": stage}));
    assert_eq!(anew, json!({"stageSessions": []}), "a stage with the same id inherits nothing");
    let revoked = control.media(|documents, _| documents.count::<Revocation>(&["s1"]));
    assert_eq!(revoked, 0);
}

#[test]
fn deleting_a_stage_tells_who_stopped_publishing() {
    let mut control = Control::new();
    control.settings.event_targets = true;
    let stage = control.stage("s1");
    control.join(who("a"));
    control.join(who("b"));
    control.media(|documents, now| {
        presence::publish_started(documents, who("a"), ParticipantProtocol::Whip, now)
    });
    control.ok("DeleteStage", json!({"arn": stage}));
    let told = control.media(|documents, _| documents.all::<Notice>(&["s1"]));
    let told: Vec<_> = told.iter().map(|notice| &notice.detail).collect();
    let names: Vec<_> =
        told.iter().map(|detail| (&detail["event_name"], &detail["participant_id"])).collect();
    let names: Vec<_> =
        names.iter().filter_map(|(name, who)| Some((name.as_str()?, who.as_str()?))).collect();
    assert_eq!(names, [("Participant Published", "a"), ("Participant Unpublished", "a")]);
}

#[test]
fn there_may_be_a_thousand_stages() {
    let control = Control::new();
    for n in 0..1000 {
        control.stage(&format!("n{n}"));
    }
    let error = "ServiceQuotaExceededException 402: The maximum number of stages is 1000";
    assert_eq!(control.err("CreateStage", json!({})), error);
    control.ok("DeleteStage", json!({"arn": stage_arn("n7")}));
    control.stage("n7");
}

#[test]
fn other_accounts_regions_and_types_are_not_found() {
    let control = Control::new();
    let stage = control.stage("s1");
    let arn = json!({"arn": stage});
    let foreign = [
        control.call_as("000000000000", REGION, "GetStage", arn.clone()),
        control.call_as(ACCOUNT, "us-east-1", "GetStage", arn),
        control.call("GetStage", json!({"arn": "arn:aws:ivs:eu-west-1:123456789012:composition/s1"})),
        control.call("GetStage", json!({"arn": "arn:aws:s3:eu-west-1:123456789012:stage/s1"})),
        control.call("GetStage", json!({"arn": "arn:aws:ivs:eu-west-1:123456789012:stage/S1"})),
    ];
    for answer in foreign {
        let fault = answer.expect_err("not there");
        assert_eq!((fault.code, fault.status), ("ResourceNotFoundException", 404));
    }
}

#[test]
fn every_operation_on_a_stage_needs_one() {
    let control = Control::new();
    let (session, participant) = ("st-0000000000000", "p");
    let cases = [
        ("GetStage", json!({"arn": NOWHERE})),
        ("UpdateStage", json!({"arn": NOWHERE})),
        ("DeleteStage", json!({"arn": NOWHERE})),
        ("CreateParticipantToken", json!({"stageArn": NOWHERE})),
        ("DisconnectParticipant", json!({"stageArn": NOWHERE, "participantId": participant})),
        ("ListStageSessions", json!({"stageArn": NOWHERE})),
        ("GetStageSession", json!({"stageArn": NOWHERE, "sessionId": session})),
        ("ListParticipants", json!({"stageArn": NOWHERE, "sessionId": session})),
        ("GetParticipant", json!({"stageArn": NOWHERE, "sessionId": session, "participantId": participant})),
        (
            "ListParticipantEvents",
            json!({"stageArn": NOWHERE, "sessionId": session, "participantId": participant}),
        ),
        ("ListTagsForResource", json!({"resourceArn": NOWHERE})),
        ("TagResource", json!({"resourceArn": NOWHERE, "tags": {}})),
        ("UntagResource", json!({"resourceArn": NOWHERE, "tagKeys": []})),
    ];
    for (operation, input) in cases {
        let error = format!("ResourceNotFoundException 404: Resource: {NOWHERE} not found");
        assert_eq!(control.err(operation, input), error, "{operation}");
    }
}
