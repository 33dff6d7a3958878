//! Events: in order, in pages.

use serde_json::{Value as Json, json};
use stagedoor_api::ivs_realtime::{EventErrorCode, EventName, ParticipantProtocol};
use stagedoor_state::ivs::presence;

use crate::control::{Control, SESSION, START, each, who};

fn list(control: &Control, more: Json) -> Json {
    let mut input = json!({"sessionId": SESSION, "stageArn": crate::control::stage_arn("s1")});
    input.as_object_mut().expect("a structure").extend(more.as_object().expect("a structure").clone());
    control.ok("ListParticipantEvents", input)
}

#[test]
fn events_are_listed_newest_first() {
    let control = Control::new();
    control.stage("s1");
    control.join(who("a"));
    control.media(|documents, now| {
        presence::publish_started(documents, who("a"), ParticipantProtocol::Whip, now)?;
        presence::subscribe_started(documents, who("a"), "b", now)
    });
    control.wait(5);
    control.media(|documents, now| {
        let (name, code) = (EventName::SubscribeError, EventErrorCode::PublisherNotFound);
        presence::error(documents, who("a"), name, code, Some("c"), now)
    });
    let (start, later) = (START as f64, (START + 5) as f64);
    let events = json!([
        {
            "name": "SUBSCRIBE_ERROR", "errorCode": "PUBLISHER_NOT_FOUND", "remoteParticipantId": "c",
            "participantId": "a", "eventTime": later, "replica": false,
        },
        {
            "name": "SUBSCRIBE_STARTED", "remoteParticipantId": "b", "participantId": "a", "eventTime": start,
            "replica": false,
        },
        {"name": "PUBLISH_STARTED", "participantId": "a", "eventTime": start, "replica": false},
        {"name": "JOINED", "participantId": "a", "eventTime": start, "replica": false},
    ]);
    assert_eq!(list(&control, json!({"participantId": "a"})), json!({"events": events}));
}

#[test]
fn events_come_in_pages() {
    let control = Control::new();
    control.stage("s1");
    control.join(who("a"));
    control.media(|documents, now| {
        (0..74).try_for_each(|n| presence::subscribe_started(documents, who("a"), &n.to_string(), now))
    });
    let mut seen: Vec<String> = Vec::new();
    let mut token = Json::Null;
    for expected in [50, 25] {
        let page = list(&control, json!({"participantId": "a", "nextToken": token}));
        assert_eq!(page["events"].as_array().map(Vec::len), Some(expected));
        let remotes = page["events"].as_array().expect("a list").iter();
        seen.extend(remotes.filter_map(|event| event["remoteParticipantId"].as_str().map(str::to_owned)));
        token = page["nextToken"].clone();
    }
    assert_eq!(token, Json::Null);
    let all: Vec<String> = (0..74).rev().map(|n| n.to_string()).collect();
    assert_eq!(seen, all);
}

#[test]
fn whoever_did_nothing_has_no_events() {
    let control = Control::new();
    control.stage("s1");
    control.join(who("a"));
    control.join(who("ab"));
    assert_eq!(list(&control, json!({"participantId": "z"})), json!({"events": []}));
    let events = list(&control, json!({"participantId": "a"}));
    assert_eq!(each(&events["events"], "participantId"), ["a"], "not those of a longer id");
}
