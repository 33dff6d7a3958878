//! Replications: how they start, what both stages show, how they end.

use serde_json::{Value as Json, json};
use stagedoor_api::ivs_realtime::ParticipantProtocol;
use stagedoor_state::ivs::presence::{self, Admission, Joining, Present};
use stagedoor_state::ivs::{Replication, retention, session};

use crate::control::{Control, SESSION, START, each, stage_arn, who};

/// A control plane whose media plane carries replicas; `a` publishes on `s1`, `s2` is empty.
fn carrying() -> Control {
    let mut control = Control::new();
    control.settings.carries.replicas = true;
    prepare(&control);
    control
}

fn prepare(control: &Control) {
    control.stage("s1");
    control.stage("s2");
    let joining = Joining {
        participant_id: "a".to_owned(),
        user_id: "ann".to_owned(),
        attributes: [("name", "Ann"), ("side", "left")].map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        ..Joining::default()
    };
    control.media(|documents, now| {
        let admission = presence::join(documents, "s1", SESSION, joining.clone(), now)?;
        assert!(matches!(admission, Admission::Joined { .. }));
        presence::publish_started(documents, who("a"), ParticipantProtocol::Whip, now)
    });
}

fn pair(destination: &str) -> Json {
    json!({
        "sourceStageArn": stage_arn("s1"), "participantId": "a", "destinationStageArn": stage_arn(destination),
    })
}

fn start(control: &Control, destination: &str, window_seconds: i64) {
    let mut input = pair(destination);
    input["reconnectWindowSeconds"] = json!(window_seconds);
    assert_eq!(control.ok("StartParticipantReplication", input), json!({}));
}

/// The replications of `a`, newest first, as `stage STATE`.
fn listed(control: &Control) -> Vec<String> {
    let input = json!({"sourceStageArn": stage_arn("s1"), "participantId": "a"});
    let answer = control.ok("ListParticipantReplicas", input);
    let stages = each(&answer["replicas"], "destinationStageArn").into_iter();
    let states = each(&answer["replicas"], "replicationState").into_iter();
    stages
        .zip(states)
        .map(|(arn, state)| format!("{} {state}", arn.rsplit('/').next().unwrap_or("")))
        .collect()
}

fn destination_session(control: &Control, stage: &str) -> String {
    control.media(|documents, _| session::active_id(documents, stage)).expect("the replica opened one")
}

fn participant(control: &Control, stage: &str, session: &str) -> Json {
    let input = json!({"stageArn": stage_arn(stage), "sessionId": session, "participantId": "a"});
    control.ok("GetParticipant", input)["participant"].clone()
}

/// The names of the events of `a`, oldest first.
fn events(control: &Control, stage: &str, session: &str) -> Vec<String> {
    let input = json!({"stageArn": stage_arn(stage), "sessionId": session, "participantId": "a"});
    let answer = control.ok("ListParticipantEvents", input);
    each(&answer["events"], "name").into_iter().rev().map(str::to_owned).collect()
}

fn publishes(control: &Control, on: bool) {
    control.media(|documents, now| {
        if on {
            presence::publish_started(documents, who("a"), ParticipantProtocol::Whip, now)
        } else {
            presence::publish_stopped(documents, who("a"), now)
        }
    });
}

#[test]
fn a_replica_is_a_participant_of_the_destination() {
    let control = carrying();
    control.wait(1);
    let mut input = pair("s2");
    input["attributes"] = json!({"side": "right", "more": "x"});
    control.ok("StartParticipantReplication", input);
    let session = destination_session(&control, "s2");
    assert!(session.starts_with("st-") && session.len() == 16, "{session}");
    let replica = participant(&control, "s2", &session);
    let expected = json!({
        "participantId": "a", "userId": "ann", "attributes": {"name": "Ann", "side": "right", "more": "x"},
        "state": "CONNECTED", "firstJoinTime": (START + 1) as f64, "published": true, "protocol": "WHIP",
        "browserName": "", "browserVersion": "", "osName": "", "osVersion": "", "sdkVersion": "", "ispName": "",
        "recordingState": "DISABLED", "recordingS3BucketName": "", "recordingS3Prefix": "",
        "replicationType": "REPLICA", "replicationState": "ACTIVE",
        "sourceStageArn": stage_arn("s1"), "sourceSessionId": SESSION,
    });
    assert_eq!(replica, expected);
    let source = participant(&control, "s1", SESSION);
    assert_eq!(
        (&source["replicationType"], &source["replicationState"]),
        (&json!("SOURCE"), &json!("ACTIVE"))
    );
    let list = json!({"sourceStageArn": stage_arn("s1"), "participantId": "a"});
    let expected = json!({
        "participantId": "a", "replicationState": "ACTIVE", "sourceStageArn": stage_arn("s1"),
        "sourceSessionId": SESSION, "destinationStageArn": stage_arn("s2"), "destinationSessionId": session,
    });
    assert_eq!(control.ok("ListParticipantReplicas", list), json!({"replicas": [expected]}));
    let input =
        json!({"stageArn": stage_arn("s1"), "sessionId": SESSION, "participantId": "a", "maxResults": 1});
    let started = json!({
        "name": "REPLICATION_STARTED", "participantId": "a", "eventTime": (START + 1) as f64, "replica": false,
        "destinationStageArn": stage_arn("s2"), "destinationSessionId": session,
    });
    assert_eq!(control.ok("ListParticipantEvents", input)["events"], json!([started]));
    let input = json!({"stageArn": stage_arn("s2"), "sessionId": session, "participantId": "a"});
    let events = control.ok("ListParticipantEvents", input)["events"].clone();
    assert_eq!(each(&events, "name"), ["PUBLISH_STARTED", "JOINED"]);
    assert_eq!((&events[0]["replica"], &events[1]["replica"]), (&json!(true), &json!(true)));
}

#[test]
fn receiving_a_replica_says_so() {
    let control = carrying();
    start(&control, "s2", 0);
    let session = destination_session(&control, "s2");
    let viewer = Present { stage_id: "s2", session_id: &session, participant_id: "v" };
    control.join(viewer);
    control.media(|documents, now| presence::subscribe_started(documents, viewer, "a", now));
    let input = json!({"stageArn": stage_arn("s2"), "sessionId": session, "participantId": "v"});
    let events = control.ok("ListParticipantEvents", input)["events"].clone();
    assert_eq!(each(&events, "name"), ["SUBSCRIBE_STARTED", "JOINED"]);
    assert_eq!((&events[0]["replica"], &events[1]["replica"]), (&json!(true), &json!(false)));
}

#[test]
fn stopping_ends_it_for_both_stages() {
    let control = carrying();
    start(&control, "s2", 0);
    let session = destination_session(&control, "s2");
    control.wait(5);
    assert_eq!(control.ok("StopParticipantReplication", pair("s2")), json!({}));
    assert_eq!(listed(&control), ["s2 STOPPED"]);
    let replica = participant(&control, "s2", &session);
    assert_eq!(
        (&replica["state"], &replica["replicationState"]),
        (&json!("DISCONNECTED"), &json!("STOPPED"))
    );
    assert_eq!(participant(&control, "s1", SESSION)["replicationState"], "STOPPED");
    assert_eq!(events(&control, "s2", &session), ["JOINED", "PUBLISH_STARTED", "PUBLISH_STOPPED", "LEFT"]);
    let source = ["JOINED", "PUBLISH_STARTED", "REPLICATION_STARTED", "REPLICATION_STOPPED"];
    assert_eq!(events(&control, "s1", SESSION), source);
    let error = format!(
        "ResourceNotFoundException 404: Participant: a is not being replicated to stage: {}",
        stage_arn("s2")
    );
    assert_eq!(control.err("StopParticipantReplication", pair("s2")), error);
    start(&control, "s2", 0);
    assert_eq!(listed(&control), ["s2 ACTIVE"], "it may start anew");
    assert_eq!(participant(&control, "s2", &session)["firstJoinTime"], START as f64);
}

#[test]
fn without_a_window_it_ends_with_publishing() {
    let control = carrying();
    start(&control, "s2", 0);
    publishes(&control, false);
    assert_eq!(listed(&control), ["s2 STOPPED"]);
    publishes(&control, true);
    assert_eq!(listed(&control), ["s2 STOPPED"]);
}

#[test]
fn within_the_window_the_replica_comes_back() {
    let control = carrying();
    start(&control, "s2", 60);
    let session = destination_session(&control, "s2");
    publishes(&control, false);
    control.wait(59);
    assert_eq!(listed(&control), ["s2 ACTIVE"]);
    assert_eq!(participant(&control, "s2", &session)["state"], "DISCONNECTED");
    publishes(&control, true);
    control.wait(300);
    assert_eq!(listed(&control), ["s2 ACTIVE"]);
    assert_eq!(participant(&control, "s2", &session)["state"], "CONNECTED");
    let expected = ["JOINED", "PUBLISH_STARTED", "PUBLISH_STOPPED", "LEFT", "JOINED", "PUBLISH_STARTED"];
    assert_eq!(events(&control, "s2", &session), expected);
    publishes(&control, false);
    control.wait(60);
    assert_eq!(listed(&control), ["s2 STOPPED"]);
    publishes(&control, true);
    assert_eq!(participant(&control, "s2", &session)["state"], "DISCONNECTED", "it came too late");
}

#[test]
fn a_replica_does_not_come_back_to_a_session_that_has_ended() {
    let control = carrying();
    start(&control, "s2", 300);
    publishes(&control, false);
    let ended = control.media(|documents, now| session::end_session(documents, "s2", now));
    assert!(ended.is_some());
    publishes(&control, true);
    assert_eq!(listed(&control), ["s2 STOPPED"]);
}

#[test]
fn only_a_publisher_can_be_replicated() {
    let control = carrying();
    let source = stage_arn("s1");
    let mut unknown = pair("s2");
    unknown["participantId"] = json!("z");
    let error = format!("ResourceNotFoundException 404: Participant: z of stage: {source} not found");
    assert_eq!(control.err("StartParticipantReplication", unknown), error);
    let missing = format!("ResourceNotFoundException 404: Resource: {} not found", stage_arn("s3"));
    assert_eq!(control.err("StartParticipantReplication", pair("s3")), missing);
    let error =
        "ValidationException 400: The source and the destination of a replication must be different stages";
    assert_eq!(control.err("StartParticipantReplication", pair("s1")), error);
    start(&control, "s2", 0);
    let error = format!(
        "ConflictException 409: Participant: a is already being replicated to stage: {}",
        stage_arn("s2")
    );
    assert_eq!(control.err("StartParticipantReplication", pair("s2")), error);
    control.stage("s3");
    let onward = json!({
        "sourceStageArn": stage_arn("s2"), "participantId": "a", "destinationStageArn": stage_arn("s3"),
    });
    let error =
        format!("ConflictException 409: Participant: a of stage: {} is not publishing", stage_arn("s2"));
    assert_eq!(control.err("StartParticipantReplication", onward), error, "a replica is no source");
    publishes(&control, false);
    let error = format!("ConflictException 409: Participant: a of stage: {source} is not publishing");
    assert_eq!(control.err("StartParticipantReplication", pair("s3")), error);
}

#[test]
fn the_destination_must_have_room_for_it() {
    let control = carrying();
    let destination = Present { stage_id: "s2", session_id: "st-BBBBBBBBBBBBB", participant_id: "a" };
    control.join(destination);
    let arn = stage_arn("s2");
    let error = format!("ConflictException 409: Stage: {arn} already has a participant: a");
    assert_eq!(control.err("StartParticipantReplication", pair("s2")), error);
    control.ok("DisconnectParticipant", json!({"stageArn": arn, "participantId": "a"}));
    let error = format!("ConflictException 409: Participant: a was disconnected from stage: {arn}");
    assert_eq!(control.err("StartParticipantReplication", pair("s2")), error);
}

#[test]
fn five_replications_of_a_participant_are_all() {
    let control = carrying();
    for n in 2..8 {
        if n > 2 {
            control.stage(&format!("s{n}"));
        }
        control.wait(1);
        if n < 7 {
            start(&control, &format!("s{n}"), 0);
        }
    }
    let error = "ServiceQuotaExceededException 402: The maximum number of concurrent replications of a participant is 5";
    assert_eq!(control.err("StartParticipantReplication", pair("s7")), error);
    control.ok("StopParticipantReplication", pair("s3"));
    assert_eq!(participant(&control, "s1", SESSION)["replicationState"], "ACTIVE", "others go on");
    start(&control, "s7", 0);
    let expected = ["s7 ACTIVE", "s6 ACTIVE", "s5 ACTIVE", "s4 ACTIVE", "s3 STOPPED", "s2 ACTIVE"];
    assert_eq!(listed(&control), expected);
    let input = json!({"sourceStageArn": stage_arn("s1"), "participantId": "a", "maxResults": 4});
    let first = control.ok("ListParticipantReplicas", input.clone());
    let mut next = input;
    next["nextToken"] = first["nextToken"].clone();
    let rest = control.ok("ListParticipantReplicas", next);
    assert_eq!(each(&rest["replicas"], "destinationStageArn"), [stage_arn("s3"), stage_arn("s2")]);
}

#[test]
fn it_ends_when_a_stage_or_the_participant_goes() {
    let control = carrying();
    control.stage("s3");
    start(&control, "s2", 300);
    control.wait(1);
    start(&control, "s3", 300);
    control.ok("DeleteStage", json!({"arn": stage_arn("s2")}));
    assert_eq!(listed(&control), ["s3 ACTIVE", "s2 STOPPED"]);
    control.ok("DisconnectParticipant", json!({"stageArn": stage_arn("s1"), "participantId": "a"}));
    assert_eq!(listed(&control), ["s3 STOPPED", "s2 STOPPED"]);
    let session = destination_session(&control, "s3");
    assert_eq!(participant(&control, "s3", &session)["state"], "DISCONNECTED");
    control.ok("DeleteStage", json!({"arn": stage_arn("s1")}));
    let left: Vec<Replication> = control.media(|documents, _| documents.all(&[]));
    assert_eq!(left, []);
}

#[test]
fn old_ones_are_forgotten_and_active_ones_are_not() {
    let control = carrying();
    control.stage("s3");
    start(&control, "s2", 0);
    start(&control, "s3", 0);
    control.ok("StopParticipantReplication", pair("s2"));
    control.wait(60);
    control.media(|documents, now| retention::forget_before(documents, "s1", now));
    assert_eq!(listed(&control), ["s3 ACTIVE"]);
}

#[test]
fn a_killed_server_leaves_no_replica_connected() {
    let control = carrying();
    start(&control, "s2", 0);
    let session = destination_session(&control, "s2");
    let replica = Present { stage_id: "s2", session_id: &session, participant_id: "a" };
    control.media(|documents, now| {
        presence::publish_stopped(documents, replica, now)?;
        presence::leave(documents, replica, now)?;
        presence::publish_stopped(documents, who("a"), now)?;
        presence::leave(documents, who("a"), now)
    });
    assert_eq!(listed(&control), ["s2 STOPPED"]);
    let replica = participant(&control, "s2", &session);
    assert_eq!(
        (&replica["state"], &replica["replicationState"]),
        (&json!("DISCONNECTED"), &json!("STOPPED"))
    );
    assert_eq!(events(&control, "s2", &session), ["JOINED", "PUBLISH_STARTED", "PUBLISH_STOPPED", "LEFT"]);
}

#[test]
fn whoever_joins_under_the_id_of_a_former_replica_is_none() {
    let control = carrying();
    start(&control, "s2", 0);
    let session = destination_session(&control, "s2");
    control.ok("StopParticipantReplication", pair("s2"));
    control.join(Present { stage_id: "s2", session_id: &session, participant_id: "a" });
    let own = participant(&control, "s2", &session);
    assert_eq!((&own["replicationType"], &own["replicationState"]), (&json!("NONE"), &Json::Null));
    assert_eq!((&own["sourceStageArn"], &own["sourceSessionId"]), (&Json::Null, &Json::Null));
    let error = format!("ConflictException 409: Stage: {} already has a participant: a", stage_arn("s2"));
    assert_eq!(control.err("StartParticipantReplication", pair("s2")), error);
}

#[test]
fn what_cannot_be_carried_is_refused() {
    let control = Control::new();
    prepare(&control);
    let error = "NotImplementedException 501: This version of Stagedoor cannot carry a participant's media to another stage";
    assert_eq!(control.err("StartParticipantReplication", pair("s2")), error);
    assert_eq!(listed(&control), [""; 0]);
    assert_eq!(participant(&control, "s1", SESSION)["replicationType"], "NONE");
}
