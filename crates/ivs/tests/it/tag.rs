//! Tags: on every type of resource, and their rules.

use serde_json::{Value as Json, json};

use crate::control::{Control, stage_arn};

fn tags(control: &Control, arn: &str) -> Json {
    control.ok("ListTagsForResource", json!({"resourceArn": arn}))["tags"].clone()
}

#[test]
fn tags_come_and_go() {
    let control = Control::new();
    let arn = control.ok("CreateStage", json!({}))["stage"]["arn"].as_str().expect("an ARN").to_owned();
    assert_eq!(tags(&control, &arn), json!({}));
    let added = json!({"resourceArn": arn, "tags": {"a": "1", "b": ""}});
    assert_eq!(control.ok("TagResource", added), json!({}));
    control.ok("TagResource", json!({"resourceArn": arn, "tags": {"a": "2"}}));
    assert_eq!(tags(&control, &arn), json!({"a": "2", "b": ""}));
    assert_eq!(control.ok("GetStage", json!({"arn": arn}))["stage"]["tags"], json!({"a": "2", "b": ""}));
    let removed = json!({"resourceArn": arn, "tagKeys": ["b", "never there"]});
    assert_eq!(control.ok("UntagResource", removed.clone()), json!({}));
    assert_eq!(control.ok("UntagResource", removed), json!({}), "as often as one likes");
    assert_eq!(tags(&control, &arn), json!({"a": "2"}));
}

#[test]
fn keys_of_aws_are_refused() {
    let control = Control::new();
    let arn = control.stage("s1");
    let error = "ValidationException 400: aws: prefixed tag key names are not allowed for external use.";
    for key in ["aws:x", "AWS:x", "aws:"] {
        assert_eq!(control.err("CreateStage", json!({"tags": {key: ""}})), error);
        assert_eq!(
            control.err("TagResource", json!({"resourceArn": arn, "tags": {"good": "", key: ""}})),
            error
        );
    }
    control.ok("TagResource", json!({"resourceArn": arn, "tags": {"awsome": "", "aws": "", "äws:": ""}}));
}

#[test]
fn a_resource_has_at_most_50() {
    let control = Control::new();
    let arn = control.stage("s1");
    let many: Json = (0..49).map(|n| (n.to_string(), json!(""))).collect::<serde_json::Map<_, _>>().into();
    control.ok("TagResource", json!({"resourceArn": arn, "tags": many}));
    let error = "ValidationException 400: A resource can have at most 50 tags";
    assert_eq!(control.err("TagResource", json!({"resourceArn": arn, "tags": {"one more": ""}})), error);
    control.ok("TagResource", json!({"resourceArn": arn, "tags": {"7": "replaces"}}));
    assert_eq!(tags(&control, &arn).as_object().map(serde_json::Map::len), Some(50));
}

#[test]
fn what_is_no_resource_has_no_tags() {
    let control = Control::new();
    let wrong = [
        stage_arn("none"),
        stage_arn(""),
        "arn:aws:ivs:eu-west-1:123456789012:channel/a".to_owned(),
        "x".to_owned(),
    ];
    for arn in wrong {
        let error = format!("ResourceNotFoundException 404: Resource: {arn} not found");
        assert_eq!(control.err("ListTagsForResource", json!({"resourceArn": arn})), error);
    }
}
