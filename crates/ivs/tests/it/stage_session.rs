//! Sessions: open and ended ones, in pages.

use serde_json::{Value as Json, json};
use stagedoor_state::ivs::presence::Present;

use crate::control::{Control, SESSION, START, each, who};

#[test]
fn a_session_shows_when_it_began_and_ended() {
    let control = Control::new();
    let stage = control.stage("s1");
    control.join(who("a"));
    let get = || control.ok("GetStageSession", json!({"stageArn": stage, "sessionId": SESSION}));
    assert_eq!(get(), json!({"stageSession": {"sessionId": SESSION, "startTime": START as f64}}));
    control.wait(60);
    control.end(&[who("a")]);
    let ended = json!({"sessionId": SESSION, "startTime": START as f64, "endTime": (START + 60) as f64});
    assert_eq!(get(), json!({"stageSession": ended}));
    let list = control.ok("ListStageSessions", json!({"stageArn": stage}));
    assert_eq!(list, json!({"stageSessions": [ended]}));
}

#[test]
fn sessions_are_listed_newest_first_in_pages() {
    let control = Control::new();
    let stage = control.stage("s1");
    let ids: Vec<String> = (0..60).map(|n| format!("st-{n:013}")).collect();
    for id in &ids {
        control.wait(1);
        let who = Present { session_id: id, ..who("a") };
        control.join(who);
        control.end(&[who]);
    }
    let newest: Vec<&str> = ids.iter().rev().map(String::as_str).collect();
    let first = control.ok("ListStageSessions", json!({"stageArn": stage}));
    assert_eq!(each(&first["stageSessions"], "sessionId"), newest[..50]);
    let rest = json!({"stageArn": stage, "nextToken": first["nextToken"], "maxResults": 10});
    let rest = control.ok("ListStageSessions", rest);
    assert_eq!(each(&rest["stageSessions"], "sessionId"), newest[50..]);
    assert_eq!(rest["nextToken"], Json::Null);
}

#[test]
fn an_unknown_session_is_not_found() {
    let control = Control::new();
    let stage = control.stage("s1");
    let other = control.stage("s2");
    control.join(who("a"));
    let id = "st-0000000000000";
    let error = |stage: &str, id: &str| {
        format!("ResourceNotFoundException 404: Session: {id} of stage: {stage} not found")
    };
    let wrong = [(&stage, id), (&other, SESSION)];
    for (stage, id) in wrong {
        for operation in ["GetStageSession", "ListParticipants"] {
            let input = json!({"stageArn": stage, "sessionId": id});
            assert_eq!(control.err(operation, input), error(stage, id), "{operation}");
        }
        for operation in ["GetParticipant", "ListParticipantEvents"] {
            let input = json!({"stageArn": stage, "sessionId": id, "participantId": "a"});
            assert_eq!(control.err(operation, input), error(stage, id), "{operation}");
        }
    }
}
