//! Compositions: how they start, what they show, how they end.

use serde_json::{Value as Json, json};
use stagedoor_api::ivs_realtime::{CompositionState, DestinationState};
use stagedoor_state::ivs::Composition;

use crate::control::{Control, START, each};

const CHANNEL: &str = "arn:aws:ivs:eu-west-1:123456789012:channel/c1";
const ENCODER: &str = "arn:aws:ivs:eu-west-1:123456789012:encoder-configuration/e1";
const STORAGE: &str = "arn:aws:ivs:eu-west-1:123456789012:storage-configuration/sc1";

/// A control plane whose media plane can mix, with what compositions need.
fn mixing() -> (Control, String) {
    let mut control = Control::new();
    control.settings.carries.compositions = true;
    let stage = prepare(&control);
    (control, stage)
}

fn prepare(control: &Control) -> String {
    control.ok("CreateEncoderConfiguration", json!({"tags": {"stagedoor:id": "e1"}}));
    let storage = json!({"s3": {"bucketName": "recordings"}, "tags": {"stagedoor:id": "sc1"}});
    control.ok("CreateStorageConfiguration", storage);
    control.stage("s1")
}

fn record() -> Json {
    json!({"s3": {"storageConfigurationArn": STORAGE, "encoderConfigurationArns": [ENCODER]}})
}

fn start(control: &Control, id: &str, stage: &str) -> String {
    let input = json!({"stageArn": stage, "destinations": [record()], "tags": {"stagedoor:id": id}});
    let started = control.ok("StartComposition", input);
    started["composition"]["arn"].as_str().expect("an ARN").to_owned()
}

fn get(control: &Control, arn: &str) -> Json {
    control.ok("GetComposition", json!({"arn": arn}))["composition"].clone()
}

/// What whoever mixes would write.
fn write(control: &Control, id: &str, change: impl Fn(&mut Composition)) {
    control.media(|documents, _| {
        let mut composition: Composition = documents.get(&[id])?.expect("it was started");
        change(&mut composition);
        documents.put(&[id], &composition)
    });
}

fn becomes_active(composition: &mut Composition) {
    composition.state = CompositionState::Active;
    for destination in &mut composition.destinations {
        destination.state = Some(DestinationState::Active);
    }
}

#[test]
fn a_composition_shows_everything_with_its_defaults() {
    let (control, stage) = mixing();
    let mut recording = record();
    recording["name"] = json!("archive");
    recording["s3"]["thumbnailConfigurations"] = json!([{}]);
    let destinations = json!([{"channel": {"channelArn": CHANNEL}}, recording]);
    let tags = json!({"stagedoor:id": "co1"});
    let started = control
        .ok("StartComposition", json!({"stageArn": stage, "destinations": destinations, "tags": tags}));
    let arn = "arn:aws:ivs:eu-west-1:123456789012:composition/co1";
    let ids = each(&started["composition"]["destinations"], "id");
    assert!(ids.iter().all(|id| id.len() == 12) && ids[0] != ids[1], "{ids:?}");
    let expected = json!({
        "arn": arn, "stageArn": stage, "state": "STARTING", "startTime": START as f64, "tags": tags,
        "layout": {"grid": {
            "featuredParticipantAttribute": "", "gridGap": 2, "omitStoppedVideo": false,
            "participantOrderAttribute": "", "videoAspectRatio": "VIDEO", "videoFillMode": "",
        }},
        "destinations": [
            {
                "id": ids[0], "state": "STARTING",
                "configuration": {"name": "", "channel": {"channelArn": CHANNEL}},
            },
            {
                "id": ids[1], "state": "STARTING",
                "detail": {"s3": {"recordingPrefix": format!("s1/co1/{}/composite", ids[1])}},
                "configuration": {"name": "archive", "s3": {
                    "storageConfigurationArn": STORAGE, "encoderConfigurationArns": [ENCODER],
                    "recordingConfiguration":
                        {"format": "HLS", "hlsConfiguration": {"targetSegmentDurationSeconds": 2}},
                    "thumbnailConfigurations": [{"storage": ["SEQUENTIAL"], "targetIntervalSeconds": 60}],
                }},
            },
        ],
    });
    assert_eq!(started["composition"], expected);
    assert_eq!(get(&control, arn), expected);
    let destinations = json!([{"id": ids[0], "state": "STARTING"}, {"id": ids[1], "state": "STARTING"}]);
    let summary = json!({
        "arn": arn, "stageArn": stage, "state": "STARTING", "startTime": START as f64, "tags": tags,
        "destinations": destinations,
    });
    assert_eq!(control.ok("ListCompositions", json!({})), json!({"compositions": [summary]}));
}

#[test]
fn layouts_are_completed() {
    let (control, stage) = mixing();
    let shown = |layout: Json| {
        let input = json!({"stageArn": stage, "destinations": [record()], "layout": layout});
        let composition = control.ok("StartComposition", input)["composition"].clone();
        control.ok("StopComposition", json!({"arn": composition["arn"]}));
        composition["layout"].clone()
    };
    let pip = json!({
        "featuredParticipantAttribute": "", "gridGap": 0, "omitStoppedVideo": false,
        "participantOrderAttribute": "", "pipBehavior": "STATIC", "pipOffset": 0,
        "pipParticipantAttribute": "small", "pipPosition": "BOTTOM_RIGHT", "pipWidth": 320,
        "videoFillMode": "COVER",
    });
    let given = json!({"pip": {"pipParticipantAttribute": "small", "pipWidth": 320}});
    assert_eq!(shown(given), json!({"pip": pip}));
    let grid = shown(json!({"grid": {"videoFillMode": "CONTAIN", "gridGap": 0}}));
    assert_eq!((&grid["grid"]["videoFillMode"], &grid["grid"]["gridGap"]), (&json!("CONTAIN"), &json!(0)));
    assert_eq!(shown(json!({}))["grid"]["gridGap"], 2);
    let both = json!({"stageArn": stage, "destinations": [record()], "layout": {"grid": {}, "pip": {}}});
    let error = "ValidationException 400: A layout must have either a grid or a pip configuration";
    assert_eq!(control.err("StartComposition", both), error);
}

#[test]
fn without_a_mixer_it_fails_and_says_why() {
    let control = Control::new();
    let stage = prepare(&control);
    let arn = start(&control, "co1", &stage);
    let failed = get(&control, &arn);
    assert_eq!((&failed["state"], &failed["endTime"]), (&json!("FAILED"), &json!(START as f64)));
    assert_eq!(each(&failed["destinations"], "state"), ["FAILED"]);
    let why = "InternalServerException: this version of Stagedoor cannot mix a stage into one picture";
    assert_eq!(failed["tags"]["stagedoor:failure"], why);
    control.ok("StopComposition", json!({"arn": arn}));
    assert_eq!(get(&control, &arn), failed, "there was nothing to stop");
}

#[test]
fn destinations_have_rules() {
    let (control, stage) = mixing();
    let start = |destinations: Json| {
        control.err("StartComposition", json!({"stageArn": stage, "destinations": destinations}))
    };
    let channel = json!({"channel": {"channelArn": CHANNEL}});
    let mut two_kinds = record();
    two_kinds["channel"] = channel["channel"].clone();
    let neither = "ValidationException 400: A destination must have either a channel or an S3 configuration";
    assert_eq!(start(json!([{"name": "x"}])), neither);
    assert_eq!(start(json!([two_kinds])), neither);
    let twice = "ValidationException 400: A composition can have at most one channel and one S3 destination";
    assert_eq!(start(json!([channel, channel])), twice);
    assert_eq!(start(json!([record(), record()])), twice);
    for (member, arn) in [
        ("channelArn", "arn:aws:ivs:eu-west-1:210987654321:channel/c1"),
        ("channelArn", "arn:aws:ivs:us-east-1:123456789012:channel/c1"),
        ("encoderConfigurationArn", "arn:aws:ivs:eu-west-1:123456789012:encoder-configuration/none"),
    ] {
        let mut foreign = channel.clone();
        foreign["channel"][member] = json!(arn);
        let error = format!("ResourceNotFoundException 404: Resource: {arn} not found");
        assert_eq!(start(json!([foreign])), error);
    }
    let unknown = "arn:aws:ivs:eu-west-1:123456789012:storage-configuration/none";
    let mut nowhere = record();
    nowhere["s3"]["storageConfigurationArn"] = json!(unknown);
    assert_eq!(
        start(json!([nowhere])),
        format!("ResourceNotFoundException 404: Resource: {unknown} not found")
    );
}

#[test]
fn a_channel_takes_one_composition_at_a_time() {
    let (control, stage) = mixing();
    let input = json!({"stageArn": stage, "destinations": [{"channel": {"channelArn": CHANNEL}}]});
    let first = control.ok("StartComposition", input.clone())["composition"]["arn"].clone();
    let error = format!(
        "ConflictException 409: Resource: {CHANNEL} is in use by {}",
        first.as_str().expect("an ARN")
    );
    assert_eq!(control.err("StartComposition", input.clone()), error);
    control.ok("StopComposition", json!({"arn": first}));
    control.ok("StartComposition", input);
}

#[test]
fn a_repeated_request_starts_nothing() {
    let (control, stage) = mixing();
    let input = json!({"stageArn": stage, "destinations": [record()], "idempotencyToken": "once"});
    let first = control.ok("StartComposition", input.clone());
    control.wait(60);
    assert_eq!(control.ok("StartComposition", input.clone()), first);
    let arn = first["composition"]["arn"].as_str().expect("an ARN");
    write(&control, arn.rsplit('/').next().expect("an id"), becomes_active);
    let again = control.ok("StartComposition", input.clone());
    assert_eq!(again["composition"]["state"], "ACTIVE", "it is shown as it is now");
    let mut other = input.clone();
    other["tags"] = json!({"other": ""});
    let error =
        format!("ConflictException 409: The idempotencyToken was used to start {arn} with other parameters");
    assert_eq!(control.err("StartComposition", other), error);
    write(&control, arn.rsplit('/').next().expect("an id"), |one| {
        one.state = CompositionState::Stopped;
        one.ended_micros = Some(one.started_micros);
    });
    control.wait(5 * 60);
    let new = control.ok("StartComposition", input);
    assert_ne!(new["composition"]["arn"], first["composition"]["arn"], "the first one is forgotten");
}

#[test]
fn stopping_waits_for_the_mixer() {
    let (control, stage) = mixing();
    let unbegun = start(&control, "co1", &stage);
    control.wait(1);
    control.ok("StopComposition", json!({"arn": unbegun}));
    let stopped = get(&control, &unbegun);
    assert_eq!((&stopped["state"], &stopped["endTime"]), (&json!("STOPPED"), &json!((START + 1) as f64)));
    assert_eq!(each(&stopped["destinations"], "state"), ["STOPPED"]);
    let active = start(&control, "co2", &stage);
    write(&control, "co2", becomes_active);
    for _ in 0..2 {
        assert_eq!(control.ok("StopComposition", json!({"arn": active})), json!({}));
        let stopping = get(&control, &active);
        assert_eq!((&stopping["state"], &stopping["endTime"]), (&json!("STOPPING"), &Json::Null));
        assert_eq!(each(&stopping["destinations"], "state"), ["STOPPING"]);
    }
}

#[test]
fn what_has_ended_is_forgotten_after_five_minutes() {
    let (control, stage) = mixing();
    let arn = start(&control, "co1", &stage);
    control.ok("StopComposition", json!({"arn": arn}));
    control.ok("TagResource", json!({"resourceArn": arn, "tags": {"a": "1"}}));
    control.wait(5 * 60 - 1);
    assert_eq!(get(&control, &arn)["tags"], json!({"stagedoor:id": "co1", "a": "1"}));
    control.wait(1);
    let error = format!("ResourceNotFoundException 404: Resource: {arn} not found");
    assert_eq!(control.err("GetComposition", json!({"arn": arn})), error);
    assert_eq!(control.err("StopComposition", json!({"arn": arn})), error);
    assert_eq!(control.err("ListTagsForResource", json!({"resourceArn": arn})), error);
    assert_eq!(control.ok("ListCompositions", json!({})), json!({"compositions": []}));
    start(&control, "co2", &stage);
    let left: Option<Composition> = control.media(|documents, _| documents.get(&["co1"]));
    assert_eq!(left, None, "the next start clears up");
    start(&control, "co1", &stage);
}

#[test]
fn only_running_ones_count() {
    let (control, stage) = mixing();
    let first = start(&control, "a", &stage);
    for id in ["b", "c", "d", "e"] {
        start(&control, id, &stage);
    }
    let sixth = |stage: &str| json!({"stageArn": stage, "destinations": [record()]});
    let error =
        "ServiceQuotaExceededException 402: The maximum number of concurrent compositions of a stage is 5";
    assert_eq!(control.err("StartComposition", sixth(&stage)), error);
    control.ok("StopComposition", json!({"arn": first}));
    control.ok("StartComposition", sixth(&stage));
    for n in 2..5 {
        let other = control.stage(&format!("s{n}"));
        for _ in 0..5 {
            control.ok("StartComposition", sixth(&other));
        }
    }
    let error = "ServiceQuotaExceededException 402: The maximum number of concurrent compositions is 20";
    assert_eq!(control.err("StartComposition", sixth(&control.stage("s5"))), error);
}

#[test]
fn a_running_composition_holds_what_it_uses() {
    let (control, stage) = mixing();
    let arn = start(&control, "co1", &stage);
    for (operation, used) in
        [("DeleteEncoderConfiguration", ENCODER), ("DeleteStorageConfiguration", STORAGE)]
    {
        let error = format!("ConflictException 409: Resource: {used} is in use by {arn}");
        assert_eq!(control.err(operation, json!({"arn": used})), error);
    }
    control.ok("DeleteStage", json!({"arn": stage}));
    let failed = get(&control, &arn);
    assert_eq!(failed["state"], "FAILED");
    assert_eq!(failed["tags"]["stagedoor:failure"], "StageDeleted: the stage was deleted");
    control.ok("DeleteEncoderConfiguration", json!({"arn": ENCODER}));
    control.ok("DeleteStorageConfiguration", json!({"arn": STORAGE}));
}

#[test]
fn lists_are_filtered_by_stage_and_encoder() {
    let (control, stage) = mixing();
    let other = control.stage("s2");
    start(&control, "a", &stage);
    control.wait(1);
    let plain = json!({"channel": {"channelArn": CHANNEL}});
    control.ok(
        "StartComposition",
        json!({
            "stageArn": stage, "destinations": [plain], "tags": {"stagedoor:id": "b"}
        }),
    );
    control.wait(1);
    start(&control, "c", &other);
    let cases = [
        (json!({}), vec!["c", "b", "a"]),
        (json!({"filterByStageArn": stage}), vec!["b", "a"]),
        (json!({"filterByEncoderConfigurationArn": ENCODER}), vec!["c", "a"]),
        (json!({"filterByStageArn": stage, "filterByEncoderConfigurationArn": ENCODER}), vec!["a"]),
        (json!({"maxResults": 2}), vec!["c", "b"]),
    ];
    for (input, expected) in cases {
        let listed = control.ok("ListCompositions", input.clone());
        let arns = each(&listed["compositions"], "arn");
        let ids: Vec<_> = arns.iter().filter_map(|arn| arn.rsplit('/').next()).collect();
        assert_eq!(ids, expected, "{input}");
    }
}
