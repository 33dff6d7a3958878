//! Participant tokens: every claim, every limit.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use stagedoor_auth::participant_token::{self, Capabilities, Claims};

use crate::control::{Control, KEY_ID, START, each, stage_arn};

/// What a token says, after all checks that a stage makes on joining.
fn claims(control: &Control, token: &Json) -> Claims {
    let token = token["token"].as_str().expect("a token is text");
    let key = |kid: &str| (kid == KEY_ID).then(|| control.key.public_key());
    participant_token::verify(token, key, control.now().to_jiff()).expect("the server's tokens are good")
}

fn seconds(token: &Json) -> i64 {
    token["expirationTime"].as_f64().expect("a time") as i64
}

#[test]
fn a_token_says_everything_that_clients_read() {
    let control = Control::new();
    let stage = control.stage("s1");
    let wanted = json!({
        "stageArn": stage, "userId": "ann", "attributes": {"team": "red"},
        "capabilities": ["SUBSCRIBE"], "duration": 60,
    });
    let token = &control.ok("CreateParticipantToken", wanted)["participantToken"];
    let id = token["participantId"].as_str().expect("it has an id");
    assert!(id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
    let expected = Claims {
        exp: START + 3600,
        iat: START,
        jti: id.to_owned(),
        resource: stage,
        topic: "s1".to_owned(),
        events_url: "ws://127.0.0.1:4566/events".to_owned(),
        whip_url: "http://127.0.0.1:4566/whip".to_owned(),
        capabilities: Capabilities { allow_publish: false, allow_subscribe: true },
        version: "1.0".to_owned(),
        user_id: Some("ann".to_owned()),
        attributes: Some(BTreeMap::from([("team".to_owned(), "red".to_owned())])),
    };
    assert_eq!(claims(&control, token), expected);
    let mut shown = token.clone();
    let shown = shown.as_object_mut().expect("a structure");
    shown.remove("token");
    let expected = json!({
        "participantId": id, "userId": "ann", "attributes": {"team": "red"},
        "capabilities": ["SUBSCRIBE"], "duration": 60, "expirationTime": (START + 3600) as f64,
    });
    assert_eq!(Json::from(shown.clone()), expected);
}

#[test]
fn by_default_a_token_lives_12_hours_and_may_do_both() {
    let control = Control::new();
    let stage = control.stage("s1");
    let token = &control.ok("CreateParticipantToken", json!({"stageArn": stage}))["participantToken"];
    assert_eq!((&token["duration"], seconds(token)), (&json!(720), START + 12 * 3600));
    assert_eq!(token["capabilities"], json!(["PUBLISH", "SUBSCRIBE"]));
    let claims = claims(&control, token);
    assert_eq!(claims.capabilities, Capabilities { allow_publish: true, allow_subscribe: true });
    assert_eq!((claims.user_id, claims.attributes), (None, None));
}

#[test]
fn whoever_asks_for_no_capability_gets_none() {
    let control = Control::new();
    let wanted = json!({"stageArn": control.stage("s1"), "capabilities": []});
    let token = &control.ok("CreateParticipantToken", wanted)["participantToken"];
    let expected = Capabilities { allow_publish: false, allow_subscribe: false };
    assert_eq!(claims(&control, token).capabilities, expected);
}

#[test]
fn the_longest_life_is_14_days() {
    let control = Control::new();
    let stage = control.stage("s1");
    for (minutes, end) in [(1, START + 60), (20_160, START + 14 * 24 * 3600)] {
        let wanted = json!({"stageArn": stage, "duration": minutes});
        let token = &control.ok("CreateParticipantToken", wanted)["participantToken"];
        assert_eq!((seconds(token), claims(&control, token).exp), (end, end));
    }
}

#[test]
fn attributes_have_a_kilobyte() {
    let control = Control::new();
    let stage = control.stage("s1");
    let wanted = |bytes: usize| json!({"stageArn": stage, "attributes": {"k": "ä".repeat(10), "x": "v".repeat(bytes - 22)}});
    let token = &control.ok("CreateParticipantToken", wanted(1024))["participantToken"];
    assert_eq!(claims(&control, token).attributes.map(|attributes| attributes.len()), Some(2));
    let error =
        "ValidationException 400: The attributes of a participant token can have at most 1024 bytes in total";
    assert_eq!(control.err("CreateParticipantToken", wanted(1025)), error);
    let with_stage = json!({"participantTokenConfigurations": [{"attributes": {"x": "v".repeat(1024)}}]});
    assert_eq!(control.err("CreateStage", with_stage), error);
    assert_eq!(
        each(&control.ok("ListStages", json!({}))["stages"], "arn"),
        [stage],
        "no stage was left behind"
    );
}

#[test]
fn a_token_too_long_to_be_read_is_not_issued() {
    let control = Control::new();
    let wanted = json!({"stageArn": control.stage("s1"), "attributes": {"x": "\u{1}".repeat(1023)}});
    let error = "ValidationException 400: The participant token cannot be issued: \
                 TOKEN_MALFORMED: longer than 8 KB";
    assert_eq!(control.err("CreateParticipantToken", wanted), error);
}

#[test]
fn a_new_stage_comes_with_its_tokens_in_order() {
    let control = Control::new();
    let configurations: Vec<Json> =
        (0..12).map(|n| json!({"userId": format!("u{n}"), "duration": n + 1})).collect();
    let created = control.ok(
        "CreateStage",
        json!({"tags": {"stagedoor:id": "s1"}, "participantTokenConfigurations": configurations}),
    );
    let tokens = created["participantTokens"].as_array().expect("a list");
    assert_eq!(tokens.len(), 12);
    for (n, token) in tokens.iter().enumerate() {
        let claims = claims(&control, token);
        assert_eq!(claims.user_id, Some(format!("u{n}")));
        assert_eq!((token["duration"].as_u64(), claims.resource), (Some(n as u64 + 1), stage_arn("s1")));
    }
    let mut ids = each(&created["participantTokens"], "participantId");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 12, "each token is another participant");
}
