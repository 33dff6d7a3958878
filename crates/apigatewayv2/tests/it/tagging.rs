//! Tags of APIs and stages.

use serde_json::{Value as Json, json};

use crate::control::{Control, REGION};

fn api(id: &str) -> String {
    format!("arn:aws:apigateway:{REGION}::/apis/{id}")
}

#[test]
fn tags_are_added_replaced_and_removed() {
    let control = Control::new();
    control.http_api("a");
    control.ok("CreateStage", json!({"ApiId": "a", "StageName": "$default", "Tags": {"one": "1"}}));
    let stage = format!("{}/stages/$default", api("a"));
    let tag = json!({"ResourceArn": stage, "Tags": {"one": "2", "two": "2"}});
    assert_eq!(control.ok("TagResource", tag), json!({}));
    let tags = |arn: &str| control.ok("GetTags", json!({"ResourceArn": arn}));
    assert_eq!(tags(&stage), json!({"Tags": {"one": "2", "two": "2"}}));
    let shown = control.ok("GetStage", json!({"ApiId": "a", "StageName": "$default"}));
    assert_eq!(shown["Tags"], json!({"one": "2", "two": "2"}));
    let untag = json!({"ResourceArn": stage, "TagKeys": ["one", "never"]});
    assert_eq!(control.ok("UntagResource", untag), Json::Null);
    assert_eq!(tags(&stage.replace('$', "%24")), json!({"Tags": {"two": "2"}}), "the ARN may be escaped");

    control.ok("TagResource", json!({"ResourceArn": api("a"), "Tags": {"team": "x"}}));
    assert_eq!(tags(&api("a")), json!({"Tags": {"stagedoor:id": "a", "team": "x"}}));
}

#[test]
fn domains_and_vpc_links_have_tags() {
    let control = Control::new();
    let certificate = "arn:aws:acm:eu-west-1:123456789012:certificate/one";
    let domain =
        json!({"DomainName": "a.example.com", "DomainNameConfigurations": [{"CertificateArn": certificate}]});
    control.ok("CreateDomainName", domain);
    let link = control.ok("CreateVpcLink", json!({"Name": "a", "SubnetIds": ["subnet-1"]}));
    let link = link["VpcLinkId"].as_str().expect("it has an id");
    for path in ["domainnames/a.example.com".to_owned(), format!("vpclinks/{link}")] {
        let arn = format!("arn:aws:apigateway:{REGION}::/{path}");
        control.ok("TagResource", json!({"ResourceArn": arn, "Tags": {"one": "1", "two": "2"}}));
        control.ok("UntagResource", json!({"ResourceArn": arn, "TagKeys": ["one"]}));
        assert_eq!(
            control.ok("GetTags", json!({"ResourceArn": arn})),
            json!({"Tags": {"two": "2"}}),
            "{arn}"
        );
    }
}

#[test]
fn refused() {
    let control = Control::new();
    control.http_api("a");
    let unknown_api = "NotFoundException 404: Invalid API identifier specified 123456789012:b";
    assert_eq!(control.err("GetTags", json!({"ResourceArn": api("b")})), unknown_api);
    let unknown_stage = control.err("GetTags", json!({"ResourceArn": format!("{}/stages/x", api("a"))}));
    assert_eq!(unknown_stage, "NotFoundException 404: Invalid stage identifier specified");
    for arn in [
        "nothing".to_owned(),
        "arn:aws:apigateway:us-east-1::/apis/a".to_owned(),
        format!("arn:aws:ivs:{REGION}::/apis/a"),
        format!("arn:aws:apigateway:{REGION}::/apis/a/routes/b"),
    ] {
        let message = control.err("GetTags", json!({"ResourceArn": arn}));
        assert_eq!(
            message, "BadRequestException 400: Invalid resource ARN specified in the request",
            "{arn}"
        );
    }
    let many: serde_json::Map<String, Json> = (0..50).map(|at| (format!("k{at}"), json!("v"))).collect();
    for tags in [
        json!({"aws:x": "y"}),
        json!({"": "y"}),
        json!({"x".repeat(129): "y"}),
        json!({"x": "y".repeat(257)}),
        Json::Object(many),
    ] {
        let message = control.err("TagResource", json!({"ResourceArn": api("a"), "Tags": tags}));
        assert!(message.starts_with("BadRequestException 400: "), "{message}");
    }
    assert_eq!(
        control.ok("GetTags", json!({"ResourceArn": api("a")})),
        json!({"Tags": {"stagedoor:id": "a"}})
    );
}
