//! Participants: what they show, how they are filtered, how they are removed.

use serde_json::{Value as Json, json};
use stagedoor_api::ivs_realtime::{Participant, ParticipantProtocol, ParticipantRecordingState};
use stagedoor_state::ivs::Revocation;
use stagedoor_state::ivs::presence::{self, Admission, Joining};

use crate::control::{Control, SESSION, START, each, who};

/// `a` publishes, `b` was there, `c` is recorded; they came in this order, a second apart.
fn three(control: &Control) -> String {
    let stage = control.stage("s1");
    for id in ["a", "b", "c"] {
        control.wait(1);
        control.join(who(id));
    }
    control.media(|documents, now| {
        presence::publish_started(documents, who("a"), ParticipantProtocol::Whip, now)?;
        presence::leave(documents, who("b"), now)?;
        let ids = ["s1", SESSION, "c"];
        let mut recorded: Participant = documents.get(&ids)?.expect("it has joined");
        recorded.recording_state = Some(ParticipantRecordingState::Active);
        documents.put(&ids, &recorded)
    });
    stage
}

#[test]
fn a_participant_shows_everything() {
    let control = Control::new();
    let stage = three(&control);
    let input = json!({"stageArn": stage, "sessionId": SESSION, "participantId": "a"});
    let expected = json!({
        "participantId": "a", "userId": "user-a", "attributes": {}, "state": "CONNECTED",
        "firstJoinTime": (START + 1) as f64, "published": true, "protocol": "WHIP",
        "browserName": "", "browserVersion": "", "osName": "", "osVersion": "", "sdkVersion": "", "ispName": "",
        "recordingState": "DISABLED", "recordingS3BucketName": "", "recordingS3Prefix": "",
        "replicationType": "NONE",
    });
    assert_eq!(control.ok("GetParticipant", input), json!({"participant": expected}));
}

#[test]
fn an_unknown_participant_is_not_found() {
    let control = Control::new();
    let stage = three(&control);
    let input = json!({"stageArn": stage, "sessionId": SESSION, "participantId": "z"});
    let error = format!("ResourceNotFoundException 404: Participant: z of stage: {stage} not found");
    assert_eq!(control.err("GetParticipant", input), error);
}

#[test]
fn participants_are_listed_newest_first_in_pages() {
    let control = Control::new();
    let stage = three(&control);
    let list = |more: Json| {
        let mut input = json!({"stageArn": stage, "sessionId": SESSION, "maxResults": 2});
        input.as_object_mut().expect("a structure").extend(more.as_object().expect("a structure").clone());
        control.ok("ListParticipants", input)
    };
    let first = list(json!({}));
    assert_eq!(each(&first["participants"], "participantId"), ["c", "b"]);
    let second = list(json!({"nextToken": first["nextToken"]}));
    let summary = json!({
        "participantId": "a", "userId": "user-a", "state": "CONNECTED", "firstJoinTime": (START + 1) as f64,
        "published": true, "recordingState": "DISABLED", "replicationType": "NONE",
    });
    assert_eq!(second, json!({"participants": [summary]}));
    let filtered = json!({
        "stageArn": stage, "sessionId": SESSION, "filterByState": "CONNECTED", "nextToken": first["nextToken"]
    });
    let error = "ValidationException 400: The nextToken is invalid";
    assert_eq!(control.err("ListParticipants", filtered), error, "a token belongs to its filter");
}

#[test]
fn one_filter_at_a_time() {
    let control = Control::new();
    let stage = three(&control);
    let cases: [(&str, Json, &[&str]); 8] = [
        ("filterByUserId", json!("user-b"), &["b"]),
        ("filterByUserId", json!("user"), &[]),
        ("filterByPublished", json!(true), &["a"]),
        ("filterByPublished", json!(false), &["c", "b"]),
        ("filterByState", json!("CONNECTED"), &["c", "a"]),
        ("filterByState", json!("DISCONNECTED"), &["b"]),
        ("filterByRecordingState", json!("ACTIVE"), &["c"]),
        ("filterByRecordingState", json!("STOPPED"), &[]),
    ];
    for (filter, value, expected) in &cases {
        let mut input = json!({"stageArn": stage, "sessionId": SESSION});
        input[filter] = value.clone();
        let answer = control.ok("ListParticipants", input);
        assert_eq!(each(&answer["participants"], "participantId"), *expected, "{filter} {value}");
    }
    for (one, first, _) in &cases {
        for (other, second, _) in cases.iter().filter(|(other, ..)| other != one) {
            let mut input = json!({"stageArn": stage, "sessionId": SESSION});
            input[one] = first.clone();
            input[other] = second.clone();
            let error = "ValidationException 400: At most one filter can be used in a request";
            assert_eq!(control.err("ListParticipants", input), error, "{one} and {other}");
        }
    }
}

#[test]
fn a_disconnected_participant_may_not_come_back() {
    let control = Control::new();
    let stage = three(&control);
    control.wait(10);
    let input = json!({"stageArn": stage, "participantId": "a", "reason": "spam"});
    assert_eq!(control.ok("DisconnectParticipant", input.clone()), json!({}));
    let revocation: Option<Revocation> = control.media(|documents, _| documents.get(&["s1", "a"]));
    let revoked_micros = control.now().as_micros();
    assert_eq!(revocation, Some(Revocation { reason: "spam".to_owned(), revoked_micros }));
    assert_eq!(control.ok("DisconnectParticipant", input), json!({}), "a second time changes nothing for it");
    let joining = Joining { participant_id: "a".to_owned(), ..Joining::default() };
    let admission =
        control.media(|documents, now| presence::join(documents, "s1", SESSION, joining.clone(), now));
    assert_eq!(admission, Admission::Revoked);
}

#[test]
fn also_an_unused_token_can_be_revoked() {
    let control = Control::new();
    let stage = control.stage("s1");
    let token = &control.ok("CreateParticipantToken", json!({"stageArn": stage}))["participantToken"];
    let id = token["participantId"].as_str().expect("it has an id");
    control.ok("DisconnectParticipant", json!({"stageArn": stage, "participantId": id}));
    let revocation: Option<Revocation> = control.media(|documents, _| documents.get(&["s1", id]));
    assert_eq!(revocation.map(|revocation| revocation.reason).as_deref(), Some(""));
    let nobody = control.err("DisconnectParticipant", json!({"stageArn": stage, "participantId": ""}));
    assert_eq!(nobody, format!("ResourceNotFoundException 404: Participant:  of stage: {stage} not found"));
}
