//! Routing rules of custom domain names.

use serde_json::{Value as Json, json};
use stagedoor_api::apigateway as rest;

use crate::control::{Control, text};

/// A domain, an HTTP API `a` and a REST API `r` with a stage `prod`.
fn furnished() -> Control {
    let control = Control::new();
    let certificate = "arn:aws:acm:eu-west-1:123456789012:certificate/one";
    let domain = json!({"DomainName": "api.example.com", "DomainNameConfigurations": [{"CertificateArn": certificate}]});
    control.ok("CreateDomainName", domain);
    control.http_api("a");
    control.documents(|documents| {
        documents.put(&["r"], &rest::RestApi::default())?;
        documents.put(&["r", "prod"], &rest::Stage::default())
    });
    control
}

fn rule(priority: i64) -> Json {
    json!({
        "DomainName": "api.example.com", "Priority": priority,
        "Conditions": [{"MatchBasePaths": {"AnyOf": ["pets"]}}],
        "Actions": [{"InvokeApi": {"ApiId": "r", "Stage": "prod"}}],
    })
}

fn with(mut input: Json, member: &str, value: Json) -> Json {
    input[member] = value;
    input
}

#[test]
fn a_rule_from_birth_to_death() {
    let control = furnished();
    let created = control.ok("CreateRoutingRule", rule(50));
    let id = text(&created["RoutingRuleId"]);
    let expected = json!({
        "Actions": [{"InvokeApi": {"ApiId": "r", "Stage": "prod", "StripBasePath": false}}],
        "Conditions": [{"MatchBasePaths": {"AnyOf": ["pets"]}}],
        "Priority": 50,
        "RoutingRuleArn":
            format!("arn:aws:apigateway:eu-west-1:123456789012:/domainnames/api.example.com/routingrules/{id}"),
        "RoutingRuleId": id,
    });
    assert_eq!(created, expected);
    let ids = json!({"DomainName": "api.example.com", "RoutingRuleId": id});
    assert_eq!(control.ok("GetRoutingRule", ids.clone()), expected);

    let headers = json!([{"MatchHeaders": {"AnyOf": [{"Header": "X-Version", "ValueGlob": "beta*"}]}}]);
    let replaced = with(with(rule(70), "RoutingRuleId", json!(id)), "Conditions", headers.clone());
    assert_eq!(control.ok("PutRoutingRule", replaced)["Conditions"], headers);
    control.ok("PutRoutingRule", with(rule(5), "RoutingRuleId", json!("mine")));
    let list = control.ok("ListRoutingRules", json!({"DomainName": "api.example.com"}));
    let priorities: Vec<_> =
        list["RoutingRules"].as_array().expect("a list").iter().map(|rule| &rule["Priority"]).collect();
    assert_eq!(priorities, [5, 70]);
    let first = control.ok("ListRoutingRules", json!({"DomainName": "api.example.com", "MaxResults": 1}));
    let next = json!({"DomainName": "api.example.com", "MaxResults": 1, "NextToken": first["NextToken"]});
    assert_eq!(control.ok("ListRoutingRules", next)["RoutingRules"][0]["Priority"], 70);

    assert_eq!(control.ok("DeleteRoutingRule", ids.clone()), Json::Null);
    let unknown = "NotFoundException 404: Invalid routing rule identifier specified";
    assert_eq!(control.err("GetRoutingRule", ids), unknown);
}

#[test]
fn refused_rules() {
    let control = furnished();
    control.ok("CreateRoutingRule", rule(1));
    let invoke = |api: &str, stage: &str| json!([{"InvokeApi": {"ApiId": api, "Stage": stage}}]);
    let path = json!({"MatchBasePaths": {"AnyOf": ["a"]}});
    let header = |name: &str| json!({"MatchHeaders": {"AnyOf": [{"Header": name, "ValueGlob": "*"}]}});
    let cases = [
        (
            rule(1),
            "ConflictException 409: A routing rule with priority 1 already exists for this domain name",
        ),
        (
            with(rule(2), "Actions", json!([])),
            "BadRequestException 400: Invalid input. Expected one routing rule action",
        ),
        (
            with(rule(2), "Actions", invoke("a", "prod")),
            "BadRequestException 400: Routing rules are only supported for REST APIs",
        ),
        (
            with(rule(2), "Actions", invoke("nowhere", "prod")),
            "BadRequestException 400: Invalid API identifier specified 123456789012:nowhere",
        ),
        (
            with(rule(2), "Actions", invoke("r", "test")),
            "BadRequestException 400: Invalid stage identifier specified",
        ),
        (
            with(rule(2), "Conditions", json!([header("a b")])),
            "BadRequestException 400: Invalid header condition specified: a b",
        ),
        (
            with(rule(2), "DomainName", json!("other.example.com")),
            "NotFoundException 404: Invalid domain name identifier specified",
        ),
        (
            with(rule(0), "Conditions", json!([])),
            "BadRequestException 400: Invalid priority specified. Must be a number between 1 and 1000000",
        ),
    ];
    for (input, refusal) in cases {
        assert_eq!(control.err("CreateRoutingRule", input), refusal);
    }
    let both = json!([{"MatchBasePaths": {"AnyOf": ["a"]}, "MatchHeaders": header("b")["MatchHeaders"]}]);
    let three = json!([header("a"), header("b"), header("c")]);
    for conditions in
        [both, three, json!([path, path]), json!([{}]), json!([{"MatchBasePaths": {"AnyOf": []}}])]
    {
        let refusal = control.err("CreateRoutingRule", with(rule(2), "Conditions", conditions));
        assert!(refusal.starts_with("BadRequestException 400: Invalid conditions specified."), "{refusal}");
    }
    control.ok("CreateRoutingRule", with(rule(3), "Conditions", json!([])));
}

#[test]
fn rules_of_private_domains_are_named_with_the_domains_id() {
    let control = furnished();
    control.documents(|documents| documents.put(&["api.example.com+abc"], &rest::DomainName::default()));
    control.ok("CreateRoutingRule", rule(1));
    let private = with(rule(1), "DomainNameId", json!("abc"));
    let created = control.ok("CreateRoutingRule", private);
    assert!(text(&created["RoutingRuleArn"]).contains("/domainnames/api.example.com+abc/routingrules/"));
}
