//! Method settings of stages: keys, defaults, what new keys inherit, and how they are reset.

use serde_json::{Value as Json, json};

use crate::control::{Control, op, with};

fn defaults() -> Json {
    json!({
        "cacheDataEncrypted": false,
        "cacheTtlInSeconds": 300,
        "cachingEnabled": false,
        "dataTraceEnabled": false,
        "metricsEnabled": false,
        "requireAuthorizationForCacheControl": true,
        "throttlingBurstLimit": 5000,
        "throttlingRateLimit": 10000.0,
        "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
    })
}

fn settings(control: &Control, operations: Json) -> Json {
    control.update_stage(operations)["methodSettings"].clone()
}

#[test]
fn a_new_key_inherits_and_then_goes_its_own_way() {
    let control = Control::new();
    control.staged();
    let made = settings(
        &control,
        json!([
            op("replace", "/*/*/throttling/burstLimit", "123"),
            op("replace", "/*/*/caching/enabled", "true"),
            op("replace", "/test/GET/throttling/burstLimit", "124"),
        ]),
    );
    let all = with(defaults(), json!({"throttlingBurstLimit": 123, "cachingEnabled": true}));
    let own = with(all.clone(), json!({"throttlingBurstLimit": 124}));
    assert_eq!(made, json!({"*/*": all, "test/GET": own}));
    let overridden = settings(&control, json!([op("replace", "/*/*/throttling/burstLimit", "100")]));
    assert_eq!(overridden, json!({"*/*": with(all, json!({"throttlingBurstLimit": 100})), "test/GET": own}));
}

#[test]
fn every_leaf() {
    let control = Control::new();
    control.staged();
    let leaves = [
        ("metrics/enabled", "true"),
        ("logging/dataTrace", "TRUE"),
        ("logging/loglevel", "ERROR"),
        ("throttling/burstLimit", "7"),
        ("throttling/rateLimit", "1.5"),
        ("caching/enabled", "true"),
        ("caching/ttlInSeconds", "3600"),
        ("caching/dataEncrypted", "true"),
        ("caching/requireAuthorizationForCacheControl", "false"),
        ("caching/unauthorizedCacheControlHeaderStrategy", "FAIL_WITH_403"),
    ];
    let operations: Vec<Json> =
        leaves.iter().map(|(leaf, value)| op("replace", &format!("/a~1b/GET/{leaf}"), value)).collect();
    let expected = json!({
        "metricsEnabled": true,
        "dataTraceEnabled": true,
        "loggingLevel": "ERROR",
        "throttlingBurstLimit": 7,
        "throttlingRateLimit": 1.5,
        "cachingEnabled": true,
        "cacheTtlInSeconds": 3600,
        "cacheDataEncrypted": true,
        "requireAuthorizationForCacheControl": false,
        "unauthorizedCacheControlHeaderStrategy": "FAIL_WITH_403",
    });
    assert_eq!(settings(&control, json!(operations)), json!({"a~1b/GET": expected}));
    let root = settings(&control, json!([op("replace", "/~1/GET/metrics/enabled", "true")]));
    assert_eq!(root["~1/GET"], with(defaults(), json!({"metricsEnabled": true})));
}

#[test]
fn settings_are_removed_as_a_whole() {
    let control = Control::new();
    control.staged();
    let remove = |path: &str| json!([{"op": "remove", "path": path}]);
    let refused = |path: &str| {
        format!(
            "BadRequestException 400: Cannot remove method setting {path} because there is no method setting for \
             this method "
        )
    };
    assert_eq!(control.update_stage_err(remove("/*/*")), refused("*/*"));
    let all = settings(&control, json!([op("replace", "/*/*/caching/enabled", "true")]));
    assert_eq!(all, json!({"*/*": with(defaults(), json!({"cachingEnabled": true}))}));
    let leaf = "/*/*/throttling/rateLimit";
    assert_eq!(control.update_stage_err(remove(leaf)), refused("*/*/throttling/rateLimit"));
    // A leaf is reset by removing the key and setting the others again in the same call.
    let reset = settings(
        &control,
        json!([{"op": "remove", "path": "/*/*"}, op("replace", "/*/*/metrics/enabled", "true")]),
    );
    assert_eq!(reset, json!({"*/*": with(defaults(), json!({"metricsEnabled": true}))}));
    assert_eq!(settings(&control, remove("/*/*")), json!({}));
}

#[test]
fn values_that_are_none() {
    let control = Control::new();
    control.staged();
    // No recording of AWS's answers exists.
    let cases = [
        ("/*/*/throttling/burstLimit", "many"),
        ("/*/*/throttling/rateLimit", "inf"),
        ("/*/*/caching/ttlInSeconds", "3601"),
        ("/*/*/logging/loglevel", "loud"),
        ("/*/*/caching/unauthorizedCacheControlHeaderStrategy", "x"),
        ("/cacheClusterSize", "7"),
        ("/canarySettings/percentTraffic", "101"),
    ];
    for (path, value) in cases {
        assert_eq!(
            control.update_stage_err(json!([op("replace", path, value)])),
            format!("BadRequestException 400: Invalid value specified for {path}: {value}")
        );
    }
}
