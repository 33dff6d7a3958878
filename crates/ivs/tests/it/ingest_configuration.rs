//! Ingest configurations: their keys, and how they come to stages and leave them.

use serde_json::{Value as Json, json};
use stagedoor_api::ivs_realtime::IngestConfigurationState;
use stagedoor_state::ivs::{IngestConfiguration, Revocation};

use crate::control::{Control, each, stage_arn};

fn arn(id: &str) -> String {
    format!("arn:aws:ivs:eu-west-1:123456789012:ingest-configuration/{id}")
}

/// Creates an RTMPS configuration with a chosen id.
fn create(control: &Control, id: &str, more: Json) -> Json {
    let mut input = json!({"ingestProtocol": "RTMPS", "tags": {"stagedoor:id": id}});
    input.as_object_mut().expect("a structure").extend(more.as_object().expect("a structure").clone());
    control.ok("CreateIngestConfiguration", input)["ingestConfiguration"].clone()
}

fn get(control: &Control, id: &str) -> Json {
    control.ok("GetIngestConfiguration", json!({"arn": arn(id)}))["ingestConfiguration"].clone()
}

/// The media plane says that somebody publishes by it.
fn publish(control: &Control, id: &str) {
    control.media(|documents, _| {
        let mut configuration: IngestConfiguration = documents.get(&[id])?.expect("it exists");
        configuration.state = IngestConfigurationState::Active;
        documents.put(&[id], &configuration)
    });
}

fn is_revoked(control: &Control, participant_id: &Json) -> bool {
    let participant_id = participant_id.as_str().expect("an id");
    control.media(|documents, _| documents.exists::<Revocation>(&["s1", participant_id]))
}

#[test]
fn a_fresh_one_shows_everything() {
    let control = Control::new();
    let created = create(&control, "i1", json!({"name": "encoder"}));
    let participant = created["participantId"].as_str().expect("an id");
    let key = created["streamKey"].as_str().expect("a key");
    let secret = key.strip_prefix("rt_123456789012_eu-west-1_i1_").expect("its form");
    assert!(secret.len() == 30 && secret.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{key}");
    assert_eq!(participant.len(), 12);
    let expected = json!({
        "arn": arn("i1"), "name": "encoder", "ingestProtocol": "RTMPS", "streamKey": key, "stageArn": "",
        "participantId": participant, "state": "INACTIVE", "userId": "", "attributes": {},
        "redundantIngest": false, "tags": {"stagedoor:id": "i1"},
    });
    assert_eq!(created, expected);
    assert_eq!(get(&control, "i1"), expected);
}

#[test]
fn a_stage_a_user_and_attributes_can_be_given() {
    let control = Control::new();
    let stage = control.stage("s1");
    let more = json!({"stageArn": stage, "userId": "ann", "attributes": {"team": "red"}});
    let created = create(&control, "i1", more);
    assert_eq!((&created["stageArn"], &created["userId"]), (&json!(stage), &json!("ann")));
    assert_eq!(created["attributes"], json!({"team": "red"}));
}

#[test]
fn plain_rtmp_must_be_asked_for() {
    let control = Control::new();
    let error = "ValidationException 400: The ingestProtocol RTMP requires insecureIngest to be true";
    for input in
        [json!({"ingestProtocol": "RTMP"}), json!({"ingestProtocol": "RTMP", "insecureIngest": false})]
    {
        assert_eq!(control.err("CreateIngestConfiguration", input), error);
    }
    let created =
        control.ok("CreateIngestConfiguration", json!({"ingestProtocol": "RTMP", "insecureIngest": true}));
    assert_eq!(created["ingestConfiguration"]["ingestProtocol"], "RTMP");
}

#[test]
fn what_a_request_must_not_say() {
    let control = Control::new();
    create(&control, "i1", json!({}));
    let nowhere = stage_arn("nowhere");
    let error = format!("ResourceNotFoundException 404: Resource: {nowhere} not found");
    let input = json!({"ingestProtocol": "RTMPS", "stageArn": nowhere});
    assert_eq!(control.err("CreateIngestConfiguration", input), error);
    let input = json!({"arn": arn("i1"), "stageArn": nowhere});
    assert_eq!(control.err("UpdateIngestConfiguration", input), error);
    let input = json!({"ingestProtocol": "RTMPS", "attributes": {"x": "v".repeat(1024)}});
    let error =
        "ValidationException 400: The attributes of a participant token can have at most 1024 bytes in total";
    assert_eq!(control.err("CreateIngestConfiguration", input), error);
    let unknown = arn("none");
    for operation in ["GetIngestConfiguration", "UpdateIngestConfiguration", "DeleteIngestConfiguration"] {
        let error = format!("ResourceNotFoundException 404: Resource: {unknown} not found");
        assert_eq!(control.err(operation, json!({"arn": unknown})), error);
    }
}

#[test]
fn redundant_ingest_has_two_more_keys() {
    let control = Control::new();
    let created = create(&control, "i1", json!({"redundantIngest": true}));
    let credentials = created["redundantIngestCredentials"].as_array().expect("a list").clone();
    assert_eq!((credentials.len(), &created["redundantIngest"]), (2, &json!(true)));
    let mut keys = each(&created["redundantIngestCredentials"], "streamKey");
    keys.push(created["streamKey"].as_str().expect("a key"));
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 3);
    let update = |redundant: bool| {
        let input = json!({"arn": arn("i1"), "redundantIngest": redundant});
        control.ok("UpdateIngestConfiguration", input)["ingestConfiguration"].clone()
    };
    assert_eq!(update(true), created, "keys stay");
    let without = update(false);
    assert_eq!(
        (&without["redundantIngest"], &without["redundantIngestCredentials"]),
        (&json!(false), &Json::Null)
    );
    assert_eq!(without["streamKey"], created["streamKey"]);
}

#[test]
fn lists_take_one_filter() {
    let control = Control::new();
    let stage = control.stage("s1");
    for (id, more) in
        [("i1", json!({"stageArn": stage})), ("i2", json!({})), ("i3", json!({"stageArn": stage}))]
    {
        control.wait(1);
        create(&control, id, more);
    }
    publish(&control, "i3");
    let list = |input: Json| {
        let answer = control.ok("ListIngestConfigurations", input);
        each(&answer["ingestConfigurations"], "arn")
            .iter()
            .map(|arn| arn.rsplit_once('/').expect("an ARN").1.to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(list(json!({})), ["i3", "i2", "i1"]);
    assert_eq!(list(json!({"filterByStageArn": stage})), ["i3", "i1"]);
    assert_eq!(list(json!({"filterByState": "ACTIVE"})), ["i3"]);
    assert_eq!(list(json!({"filterByState": "INACTIVE"})), ["i2", "i1"]);
    let first = control.ok("ListIngestConfigurations", json!({"maxResults": 2}));
    assert_eq!(list(json!({"nextToken": first["nextToken"]})), ["i1"]);
    let both = json!({"filterByStageArn": stage, "filterByState": "ACTIVE"});
    let error = "ValidationException 400: At most one filter can be used in a request";
    assert_eq!(control.err("ListIngestConfigurations", both), error);
    let i2 = get(&control, "i2");
    let summary = json!({
        "arn": arn("i2"), "name": "", "ingestProtocol": "RTMPS", "stageArn": "", "state": "INACTIVE",
        "userId": "", "participantId": i2["participantId"], "redundantIngest": false,
    });
    assert_eq!(first["ingestConfigurations"][1], summary);
}

#[test]
fn nothing_changes_while_somebody_publishes() {
    let control = Control::new();
    let stage = control.stage("s1");
    let created = create(&control, "i1", json!({"stageArn": stage}));
    publish(&control, "i1");
    let error =
        format!("ConflictException 409: Resource: {} is in use: somebody is publishing by it", arn("i1"));
    assert_eq!(control.err("UpdateIngestConfiguration", json!({"arn": arn("i1"), "stageArn": ""})), error);
    assert_eq!(control.err("DeleteIngestConfiguration", json!({"arn": arn("i1")})), error);
    assert_eq!(control.err("DeleteIngestConfiguration", json!({"arn": arn("i1"), "force": false})), error);
    assert!(!is_revoked(&control, &created["participantId"]));
    control.ok("DeleteIngestConfiguration", json!({"arn": arn("i1"), "force": true}));
    assert!(is_revoked(&control, &created["participantId"]), "the publisher is disconnected");
    let error = format!("ResourceNotFoundException 404: Resource: {} not found", arn("i1"));
    assert_eq!(control.err("GetIngestConfiguration", json!({"arn": arn("i1")})), error);
}

#[test]
fn a_disconnected_encoder_is_detached_and_can_be_attached_again() {
    let control = Control::new();
    let stage = control.stage("s1");
    let created = create(&control, "i1", json!({"stageArn": stage}));
    create(&control, "i2", json!({"stageArn": stage}));
    for id in ["i1", "i2"] {
        publish(&control, id);
    }
    let disconnect = json!({"stageArn": stage, "participantId": created["participantId"]});
    control.ok("DisconnectParticipant", disconnect);
    assert_eq!(get(&control, "i1")["stageArn"], "");
    assert_eq!(get(&control, "i2")["stageArn"], stage.as_str(), "others stay");
    assert!(is_revoked(&control, &created["participantId"]));
    control.media(|documents, _| {
        let mut configuration: IngestConfiguration = documents.get(&["i1"])?.expect("it exists");
        configuration.state = IngestConfigurationState::Inactive;
        documents.put(&["i1"], &configuration)
    });
    let updated = control.ok("UpdateIngestConfiguration", json!({"arn": arn("i1"), "stageArn": stage}));
    assert_eq!(updated["ingestConfiguration"]["stageArn"], stage.as_str());
    assert!(!is_revoked(&control, &created["participantId"]));
}

#[test]
fn a_deleted_stage_detaches_who_publishes_to_it() {
    let control = Control::new();
    let stage = control.stage("s1");
    for id in ["i1", "i2"] {
        create(&control, id, json!({"stageArn": stage}));
    }
    publish(&control, "i1");
    control.ok("DeleteStage", json!({"arn": stage}));
    assert_eq!(get(&control, "i1")["stageArn"], "");
    assert_eq!(
        get(&control, "i2")["stageArn"],
        stage.as_str(),
        "as AWS documents it: only those that publish"
    );
}

#[test]
fn a_hundred_are_all() {
    let control = Control::new();
    for n in 0..100 {
        create(&control, &format!("i{n}"), json!({}));
    }
    let error = "ServiceQuotaExceededException 402: The maximum number of ingest configurations is 100";
    assert_eq!(control.err("CreateIngestConfiguration", json!({"ingestProtocol": "RTMPS"})), error);
}
