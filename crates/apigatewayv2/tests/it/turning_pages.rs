//! Lists while they change.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;
use stagedoor_testkit::pages::{Meanwhile, Shelf, Words, turn};

use crate::control::Control;

const WORDS: Words =
    Words { items: "Items", next: "NextToken", token: "NextToken", limit: "MaxResults", limit_is_text: true };
const CERTIFICATE: &str =
    "arn:aws:acm:eu-west-1:123456789012:certificate/12345678-1234-1234-1234-123456789012";

fn shelves() -> [Shelf; 9] {
    let api = || json!({"ApiId": "a"});
    [
        Shelf::new(
            ["GetApis", "CreateApi", "DeleteApi"],
            ("ApiId", "ApiId"),
            json!({}),
            |n| json!({"Name": format!("n{n}"), "ProtocolType": "HTTP"}),
        ),
        Shelf::new(
            ["GetRoutes", "CreateRoute", "DeleteRoute"],
            ("RouteId", "RouteId"),
            api(),
            |n| json!({"RouteKey": format!("GET /r{n}")}),
        ),
        Shelf::new(
            ["GetIntegrations", "CreateIntegration", "DeleteIntegration"],
            ("IntegrationId", "IntegrationId"),
            api(),
            |_| {
                json!({
                    "IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "PayloadFormatVersion": "1.0",
                    "IntegrationUri": "https://example.com",
                })
            },
        ),
        Shelf::new(
            ["GetStages", "CreateStage", "DeleteStage"],
            ("StageName", "StageName"),
            api(),
            |n| json!({"StageName": format!("s{n}")}),
        ),
        Shelf::new(
            ["GetAuthorizers", "CreateAuthorizer", "DeleteAuthorizer"],
            ("AuthorizerId", "AuthorizerId"),
            api(),
            |n| {
                json!({
                    "AuthorizerType": "JWT", "Name": format!("tokens{n}"),
                    "IdentitySource": ["$request.header.Authorization"],
                    "JwtConfiguration": {"Audience": ["app"], "Issuer": "https://issuer.example"},
                })
            },
        ),
        Shelf::new(
            ["GetDeployments", "CreateDeployment", "DeleteDeployment"],
            ("DeploymentId", "DeploymentId"),
            api(),
            |_| json!({}),
        ),
        Shelf::new(
            ["GetModels", "CreateModel", "DeleteModel"],
            ("ModelId", "ModelId"),
            api(),
            |n| json!({"Name": format!("M{n}"), "Schema": "{}", "ContentType": "application/json"}),
        ),
        Shelf::new(
            ["GetDomainNames", "CreateDomainName", "DeleteDomainName"],
            ("DomainName", "DomainName"),
            json!({}),
            |n| {
                let of_name = json!({"CertificateArn": CERTIFICATE, "EndpointType": "REGIONAL"});
                json!({"DomainName": format!("n{n}.example.com"), "DomainNameConfigurations": [of_name]})
            },
        ),
        Shelf::new(
            ["GetVpcLinks", "CreateVpcLink", "DeleteVpcLink"],
            ("VpcLinkId", "VpcLinkId"),
            json!({}),
            |n| json!({"Name": format!("l{n}"), "SubnetIds": ["subnet-1"]}),
        ),
    ]
}

fn meanwhile() -> impl Strategy<Value = Meanwhile> {
    prop_oneof![
        prop_oneof![Just(0), Just(1), Just(1_500_000)].prop_map(Meanwhile::Put),
        any::<usize>().prop_map(Meanwhile::Take),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_stays_is_seen_once(
        before in vec(meanwhile(), 0..12),
        limit in 1_usize..5,
        between in vec(vec(meanwhile(), 0..4), 0..6),
    ) {
        for shelf in shelves() {
            let control = Control::new();
            control.http_api("a");
            control.route("a", "$default");
            prop_assert_eq!(turn(&control, &shelf, WORDS, &before, limit, &between), Ok(()));
        }
    }
}
