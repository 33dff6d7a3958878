//! Lists while they change.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;
use stagedoor_testkit::pages::{Meanwhile, Shelf, Words, turn};

use crate::control::{API, Control};

const WORDS: Words =
    Words { items: "items", next: "position", token: "position", limit: "limit", limit_is_text: false };

fn shelves(root: &str) -> [Shelf; 11] {
    let api = || json!({"restApiId": API});
    let root = root.to_owned();
    [
        Shelf::new(
            ["GetRestApis", "CreateRestApi", "DeleteRestApi"],
            ("id", "restApiId"),
            json!({}),
            |n| json!({"name": format!("api-{n}")}),
        ),
        Shelf::new(
            ["GetResources", "CreateResource", "DeleteResource"],
            ("id", "resourceId"),
            api(),
            move |n| json!({"parentId": root, "pathPart": format!("r{n}")}),
        ),
        Shelf::new(
            ["GetDeployments", "CreateDeployment", "DeleteDeployment"],
            ("id", "deploymentId"),
            api(),
            |_| json!({}),
        ),
        Shelf::new(
            ["GetModels", "CreateModel", "DeleteModel"],
            ("name", "modelName"),
            api(),
            |n| json!({"name": format!("M{n}"), "contentType": "text/plain", "schema": "x"}),
        ),
        Shelf::new(
            ["GetRequestValidators", "CreateRequestValidator", "DeleteRequestValidator"],
            ("id", "requestValidatorId"),
            api(),
            |_| json!({"name": "v"}),
        ),
        Shelf::new(
            ["GetAuthorizers", "CreateAuthorizer", "DeleteAuthorizer"],
            ("id", "authorizerId"),
            api(),
            |n| {
                json!({
                    "name": format!("a{n}"), "type": "COGNITO_USER_POOLS",
                    "providerARNs": ["arn:aws:cognito-idp:eu-west-1:111111111111:userpool/eu-west-1_abcdefghi"],
                    "identitySource": "method.request.header.Authorization",
                })
            },
        ),
        Shelf::new(
            ["GetDocumentationParts", "CreateDocumentationPart", "DeleteDocumentationPart"],
            ("id", "documentationPartId"),
            api(),
            |n| json!({"location": {"type": "MODEL", "name": format!("M{n}")}, "properties": "{}"}),
        ),
        Shelf::new(
            ["GetDocumentationVersions", "CreateDocumentationVersion", "DeleteDocumentationVersion"],
            ("version", "documentationVersion"),
            api(),
            |n| json!({"documentationVersion": format!("v{n}")}),
        ),
        Shelf::new(
            ["GetApiKeys", "CreateApiKey", "DeleteApiKey"],
            ("id", "apiKey"),
            json!({}),
            |n| json!({"name": format!("k{n}")}),
        ),
        Shelf::new(
            ["GetUsagePlans", "CreateUsagePlan", "DeleteUsagePlan"],
            ("id", "usagePlanId"),
            json!({}),
            |n| json!({"name": format!("p{n}")}),
        ),
        Shelf::new(
            ["GetVpcLinks", "CreateVpcLink", "DeleteVpcLink"],
            ("id", "vpcLinkId"),
            json!({}),
            |n| json!({"name": format!("l{n}"), "targetArns": []}),
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
        for at in 0..shelves("").len() {
            let control = Control::new();
            let root = control.api();
            control.mock(&root);
            let turned = turn(&control, &shelves(&root)[at], WORDS, &before, limit, &between);
            prop_assert_eq!(turned, Ok(()));
        }
    }
}
