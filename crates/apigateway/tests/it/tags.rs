//! Tags by ARN, on APIs and on stages.

use serde_json::{Value as Json, json};

use crate::control::{API, Control};

const API_ARN: &str = "arn:aws:apigateway:eu-west-1::/restapis/api1";
const STAGE_ARN: &str = "arn:aws:apigateway:eu-west-1::/restapis/api1/stages/dev";

#[test]
fn apis_and_stages_have_tags() {
    let control = Control::new();
    control.staged();
    let tags = |arn: &str| control.ok("GetTags", json!({"resourceArn": arn}))["tags"].clone();
    for (arn, own) in [(API_ARN, json!({"stagedoor:id": API})), (STAGE_ARN, json!({}))] {
        assert_eq!(tags(arn), own);
        let tag = |tags: Json| control.ok("TagResource", json!({"resourceArn": arn, "tags": tags}));
        assert_eq!(tag(json!({"a": "1", "b": "2"})), Json::Null);
        tag(json!({"b": "3"}));
        let keys = json!(["a", "stagedoor:id", "never"]);
        assert_eq!(control.ok("UntagResource", json!({"resourceArn": arn, "tagKeys": keys})), Json::Null);
        assert_eq!(tags(arn), json!({"b": "3"}));
    }
    assert_eq!(control.stage()["tags"], json!({"b": "3"}));
    control.ok("UntagResource", json!({"resourceArn": STAGE_ARN, "tagKeys": ["b"]}));
    assert_eq!(control.stage().get("tags"), None);
}

#[test]
fn keys_plans_certificates_and_links_have_tags() {
    let control = Control::new();
    let link = json!({"name": "l", "targetArns": ["arn:aws:a:b:c:d"]});
    let cases = [
        ("apikeys", "ApiKey", "apiKey", control.ok("CreateApiKey", json!({}))["id"].clone()),
        (
            "usageplans",
            "UsagePlan",
            "usagePlanId",
            control.ok("CreateUsagePlan", json!({"name": "p"}))["id"].clone(),
        ),
        (
            "clientcertificates",
            "ClientCertificate",
            "clientCertificateId",
            control.ok("GenerateClientCertificate", json!({}))["clientCertificateId"].clone(),
        ),
        ("vpclinks", "VpcLink", "vpcLinkId", control.ok("CreateVpcLink", link)["id"].clone()),
    ];
    for (path, noun, member, id) in cases {
        let arn = format!("arn:aws:apigateway:eu-west-1::/{path}/{}", id.as_str().expect("an id"));
        assert_eq!(control.ok("GetTags", json!({"resourceArn": arn})), json!({"tags": {}}), "{noun}");
        control.ok("TagResource", json!({"resourceArn": arn, "tags": {"a": "1", "b": "2"}}));
        control.ok("UntagResource", json!({"resourceArn": arn, "tagKeys": ["a"]}));
        let shown = control.ok(&format!("Get{noun}"), json!({member: id}));
        assert_eq!(shown["tags"], json!({"b": "2"}), "{noun}");
    }
}

#[test]
fn arns_of_nothing() {
    let control = Control::new();
    control.staged();
    let cases = [
        (
            "arn:aws:apigateway:eu-west-1::/restapis/none",
            "NotFoundException 404: Invalid API identifier specified 111111111111:none",
        ),
        (
            "arn:aws:apigateway:eu-west-1::/restapis/api1/stages/none",
            "NotFoundException 404: Invalid Stage identifier specified",
        ),
        (
            "arn:aws:apigateway:us-east-1::/restapis/api1",
            "BadRequestException 400: Invalid ARN specified in the request",
        ),
        (
            "arn:aws:sqs:eu-west-1::/restapis/api1",
            "BadRequestException 400: Invalid ARN specified in the request",
        ),
        (
            "arn:aws:apigateway:eu-west-1::/restapis/api1/x",
            "BadRequestException 400: Invalid ARN specified in the request",
        ),
        ("nonsense", "BadRequestException 400: Invalid ARN specified in the request"),
    ];
    for (arn, expected) in cases {
        assert_eq!(control.err("GetTags", json!({"resourceArn": arn})), expected);
        assert_eq!(control.err("TagResource", json!({"resourceArn": arn, "tags": {"a": "1"}})), expected);
        assert_eq!(control.err("UntagResource", json!({"resourceArn": arn, "tagKeys": ["a"]})), expected);
    }
}

/// That AWS refuses these is known, its words are not.
#[test]
fn reserved_keys_and_too_many_tags() {
    let control = Control::new();
    control.staged();
    let tag = |tags: Json| control.err("TagResource", json!({"resourceArn": STAGE_ARN, "tags": tags}));
    assert_eq!(
        tag(json!({"aws:x": "1"})),
        "BadRequestException 400: Tag keys starting with 'aws:' are reserved for system use: aws:x"
    );
    let many: serde_json::Map<_, _> = (0..51).map(|number| (format!("k{number}"), json!(""))).collect();
    assert_eq!(tag(Json::Object(many)), "BadRequestException 400: A resource can have at most 50 tags");
    assert_eq!(control.stage().get("tags"), None);
}
