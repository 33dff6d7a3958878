//! How much there may be. Of the texts the one about resources was reported of AWS; the others follow it.

use serde_json::{Value as Json, json};

use crate::control::{API, Control, op, text};
use crate::domain_name::{private, regional};

fn exceeded(what: &str, of: &str) -> String {
    format!(
        "LimitExceededException 429: Maximum number of {what} for this {of} has been reached.  Please contact AWS if \
         you need additional {what}."
    )
}

fn api(kind: &str) -> Json {
    json!({"name": "a", "endpointConfiguration": {"types": [kind]}})
}

#[test]
fn one_more_than_the_quota_is_refused() {
    let part = |name: &str| {
        let location = json!({"type": "MODEL", "name": name});
        json!({"restApiId": API, "location": location, "properties": "{}"})
    };
    let authorizer = |name: &str| {
        json!({
            "restApiId": API, "name": name, "type": "COGNITO_USER_POOLS",
            "providerARNs": ["arn:aws:cognito-idp:eu-west-1:111111111111:userpool/eu-west-1_a"],
            "identitySource": "method.request.header.Authorization",
        })
    };
    let link =
        json!({"name": "l", "targetArns": ["arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/net/a/b"]});
    let cases = [
        (
            "regional-apis",
            "CreateRestApi",
            [api("REGIONAL"), api("REGIONAL")],
            exceeded("Regional APIs", "account"),
        ),
        (
            "private-apis",
            "CreateRestApi",
            [api("PRIVATE"), api("PRIVATE")],
            exceeded("Private APIs", "account"),
        ),
        (
            "authorizers-per-api",
            "CreateAuthorizer",
            [authorizer("a"), authorizer("b")],
            exceeded("Authorizers", "API"),
        ),
        (
            "documentation-parts-per-api",
            "CreateDocumentationPart",
            [part("a"), part("b")],
            exceeded("Documentation Parts", "API"),
        ),
        ("api-keys", "CreateApiKey", [json!({}), json!({})], exceeded("API Keys", "account")),
        (
            "usage-plans",
            "CreateUsagePlan",
            [json!({"name": "a"}), json!({"name": "b"})],
            exceeded("Usage Plans", "account"),
        ),
        ("vpc-links", "CreateVpcLink", [link.clone(), link], exceeded("VPC Links", "account")),
        (
            "domain-names",
            "CreateDomainName",
            [regional("a.example.com"), regional("b.example.com")],
            exceeded("Domain Names", "account"),
        ),
        (
            "private-domain-names",
            "CreateDomainName",
            [private("a.example.com"), private("b.example.com")],
            exceeded("Private Domain Names", "account"),
        ),
    ];
    for (quota, operation, [first, second], expected) in cases {
        let control = Control::with_quota(quota, 1);
        control.api();
        control
            .ok("CreateDomainName", if quota == "domain-names" { private("x.y") } else { regional("x.y") });
        control.ok(operation, first);
        assert_eq!(control.err(operation, second), expected, "{quota}");
    }
}

#[test]
fn the_root_is_not_counted_and_space_can_be_made() {
    let control = Control::with_quota("resources-per-api", 1);
    let root = control.api();
    let pets = control.resource(&root, "pets");
    let more = json!({"restApiId": API, "parentId": root, "pathPart": "toys"});
    assert_eq!(control.err("CreateResource", more.clone()), exceeded("Resources", "API"));
    control.ok("DeleteResource", json!({"restApiId": API, "resourceId": pets}));
    control.ok("CreateResource", more);
}

#[test]
fn stages_are_counted_however_they_are_made() {
    let control = Control::with_quota("stages-per-api", 1);
    let deployment = control.staged();
    let second = json!({"restApiId": API, "stageName": "prod", "deploymentId": deployment});
    assert_eq!(control.err("CreateStage", second), exceeded("Stages", "API"));
    let deploy = |stage: &str| json!({"restApiId": API, "stageName": stage});
    assert_eq!(control.err("CreateDeployment", deploy("prod")), exceeded("Stages", "API"));
    control.ok("CreateDeployment", deploy("dev"));
}

#[test]
fn plans_of_a_key_and_throttles_of_a_stage() {
    let control = Control::with_quota("usage-plans-per-key", 1);
    let key = text(&control.ok("CreateApiKey", json!({})), "id");
    let add = || {
        let plan = text(&control.ok("CreateUsagePlan", json!({"name": "p"})), "id");
        control.call("CreateUsagePlanKey", json!({"usagePlanId": plan, "keyId": key, "keyType": "API_KEY"}))
    };
    add().expect("the first");
    let refused = add().expect_err("the second");
    assert_eq!(
        format!("{} {}: {}", refused.code, refused.status, refused.message),
        exceeded("Usage Plans", "API Key")
    );

    let control = Control::with_quota("method-throttles-per-stage", 1);
    control.staged();
    let stages = json!([{"apiId": API, "stage": "dev"}]);
    let plan = text(&control.ok("CreateUsagePlan", json!({"name": "p", "apiStages": stages})), "id");
    let update = |value: &str| {
        let operation = op("replace", "/apiStages/api1:dev/throttle", value);
        json!({"usagePlanId": plan, "patchOperations": [operation]})
    };
    let one = control.ok("UpdateUsagePlan", update(r#"{"/pets/GET": {"rateLimit": 2, "burstLimit": 3}}"#));
    let expected = json!({"/pets/GET": {"rateLimit": 2.0, "burstLimit": 3}});
    assert_eq!(one["apiStages"][0]["throttle"], expected);
    assert_eq!(
        control.err("UpdateUsagePlan", update(r#"{"/a/GET": {"rateLimit": 2}, "/b/GET": {"rateLimit": 2}}"#)),
        exceeded("Method Throttles", "API Stage")
    );
    let bad = control.err("UpdateUsagePlan", update("{"));
    assert_eq!(bad, "BadRequestException 400: Invalid value specified for /apiStages/api1:dev/throttle: {");
}
