//! Whatever operations a patch names, it is applied as a whole or not at all, and it never ends the server.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::control::{API, Control, on, with};

/// An operation whose path is made of tokens that tables know, and of some that they do not.
fn operation() -> impl Strategy<Value = Json> {
    let token = prop_oneof![
        prop::sample::select(vec![
            "*",
            "GET",
            "test",
            "throttling",
            "burstLimit",
            "rateLimit",
            "caching",
            "enabled",
            "ttlInSeconds",
            "logging",
            "loglevel",
            "variables",
            "canarySettings",
            "deploymentId",
            "percentTraffic",
            "stageVariableOverrides",
            "accessLogSettings",
            "destinationArn",
            "format",
            "description",
            "cacheClusterEnabled",
            "cacheClusterSize",
            "binaryMediaTypes",
            "endpointConfiguration",
            "types",
            "ipAddressType",
            "vpcEndpointIds",
            "minimumCompressionSize",
            "policy",
            "name",
            "0",
            "EDGE",
            "pathPart",
            "parentId",
            "requestParameters",
            "requestModels",
            "authorizationType",
            "authorizationScopes",
            "uri",
            "timeoutInMillis",
            "requestTemplates",
            "cacheKeyParameters",
            "responseParameters",
            "selectionPattern",
            "application~1json",
            "method.request.querystring.q",
            "",
        ])
        .prop_map(str::to_owned),
        ".{0,6}",
    ];
    let path = prop_oneof![
        8 => prop::collection::vec(token, 1..5).prop_map(|tokens| format!("/{}", tokens.join("/"))),
        1 => ".{0,12}",
    ];
    let value = prop_oneof![
        prop::sample::select(vec![
            "", "true", "1", "-1", "NaN", "1e400", "PRIVATE", "ipv4", "{}", "[]", "0.5"
        ])
        .prop_map(str::to_owned),
        ".{0,12}",
    ];
    let op = prop::sample::select(vec!["add", "remove", "replace", "copy", "move", "test"]);
    let path = prop::option::weighted(0.95, path);
    (op, path.clone(), prop::option::of(value), path)
        .prop_map(|(op, path, value, from)| json!({"op": op, "path": path, "value": value, "from": from}))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_or_nothing(operations in prop::collection::vec(operation(), 1..4)) {
        let control = Control::new();
        let deployment = control.staged();
        let root = control.ok("GetRestApi", json!({"restApiId": API}))["rootResourceId"].clone();
        let root = root.as_str().expect("an id");
        let pets = control.resource(root, "pets");
        let response = on(root, json!({"statusCode": "200"}));
        control.ok("PutMethodResponse", response.clone());
        control.ok("PutIntegrationResponse", response.clone());
        let nouns = [
            ("RestApi", json!({"restApiId": API})),
            ("Resource", json!({"restApiId": API, "resourceId": pets})),
            ("Method", on(root, json!({}))),
            ("MethodResponse", response.clone()),
            ("Integration", on(root, json!({}))),
            ("IntegrationResponse", response),
            ("Deployment", json!({"restApiId": API, "deploymentId": deployment})),
            ("Stage", json!({"restApiId": API, "stageName": "dev"})),
        ];
        for (noun, place) in nouns {
            let get = || control.ok(&format!("Get{noun}"), place.clone());
            let before = get();
            let input = with(place.clone(), json!({"patchOperations": operations}));
            match control.call(&format!("Update{noun}"), input) {
                Ok(answer) => prop_assert_eq!(answer, get(), "{}", noun),
                Err(fault) => {
                    prop_assert!(fault.status < 500, "{}: {}", noun, fault);
                    prop_assert_eq!(before, get(), "{}", noun);
                }
            }
        }
    }
}
