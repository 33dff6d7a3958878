//! Stages: defaults, every member, what patches change.

use serde_json::{Value as Json, json};

use crate::control::{API, Control, START, each, op, with, without};

const BAD_REQUEST: &str = "BadRequestException 400: ";

fn create(deployment: &str, members: Json) -> Json {
    with(json!({"restApiId": API, "stageName": "dev", "deploymentId": deployment}), members)
}

fn defaults(deployment: &str) -> Json {
    json!({
        "cacheClusterEnabled": false,
        "cacheClusterStatus": "NOT_AVAILABLE",
        "createdDate": START as f64,
        "deploymentId": deployment,
        "lastUpdatedDate": START as f64,
        "methodSettings": {},
        "stageName": "dev",
        "tracingEnabled": false,
    })
}

/// AWS's answer to a path that it does not know.
fn unknown_path(path: &str) -> String {
    let settings = [
        "/deploymentId, /description, /cacheClusterEnabled, /cacheClusterSize, /clientCertificateId, ",
        "/accessLogSettings, /accessLogSettings/destinationArn, /accessLogSettings/format, ",
        "/{resourcePath}/{httpMethod}/metrics/enabled, /{resourcePath}/{httpMethod}/logging/dataTrace, ",
        "/{resourcePath}/{httpMethod}/logging/loglevel, /{resourcePath}/{httpMethod}/throttling/burstLimit",
        "/{resourcePath}/{httpMethod}/throttling/rateLimit/{resourcePath}/{httpMethod}/caching/ttlInSeconds, ",
        "/{resourcePath}/{httpMethod}/caching/enabled, /{resourcePath}/{httpMethod}/caching/dataEncrypted, ",
        "/{resourcePath}/{httpMethod}/caching/requireAuthorizationForCacheControl, ",
        "/{resourcePath}/{httpMethod}/caching/unauthorizedCacheControlHeaderStrategy, ",
        "/*/*/metrics/enabled, /*/*/logging/dataTrace, /*/*/logging/loglevel, /*/*/throttling/burstLimit ",
        "/*/*/throttling/rateLimit /*/*/caching/ttlInSeconds, /*/*/caching/enabled, ",
        "/*/*/caching/dataEncrypted, /*/*/caching/requireAuthorizationForCacheControl, ",
        "/*/*/caching/unauthorizedCacheControlHeaderStrategy, /variables/{variable_name}, /tracingEnabled",
    ];
    format!("{BAD_REQUEST}Invalid method setting path: {path}. Must be one of: [{}]", settings.concat())
}

#[test]
fn a_fresh_stage_shows_its_defaults() {
    let control = Control::new();
    let deployment = control.deployed();
    let stage = defaults(&deployment);
    assert_eq!(control.ok("CreateStage", create(&deployment, json!({}))), stage);
    assert_eq!(control.stage(), stage);
    assert_eq!(control.ok("GetStages", json!({"restApiId": API})), json!({"item": [stage]}));
}

#[test]
fn a_stage_shows_every_member() {
    let control = Control::new();
    let deployment = control.deployed();
    control.log_role();
    control.certificate("abc123");
    let given = json!({
        "description": "my stage",
        "documentationVersion": "v123",
        "variables": {"testVar": "default"},
        "tracingEnabled": true,
        "cacheClusterEnabled": true,
        "cacheClusterSize": "1.6",
        "canarySettings": {"percentTraffic": 50.0, "stageVariableOverrides": {"testVar": "canary"}},
        "tags": {"team": "a"},
    });
    control.ok("CreateStage", create(&deployment, given.clone()));
    control.wait(7);
    let logs = "arn:aws:logs:eu-west-1:111111111111:log-group:access";
    let updated = control.update_stage(json!([
        op("add", "/accessLogSettings/destinationArn", logs),
        op("add", "/accessLogSettings/format", "$context.requestId"),
        op("replace", "/clientCertificateId", "abc123"),
        op("replace", "/*/*/logging/loglevel", "INFO"),
    ]));
    let settings = updated["methodSettings"].clone();
    assert_eq!(settings["*/*"]["loggingLevel"], "INFO");
    let canary = json!({
        "deploymentId": deployment,
        "percentTraffic": 50.0,
        "stageVariableOverrides": {"testVar": "canary"},
        "useStageCache": false,
    });
    let expected = json!({
        "accessLogSettings": {"destinationArn": logs, "format": "$context.requestId"},
        "cacheClusterStatus": "AVAILABLE",
        "canarySettings": canary,
        "clientCertificateId": "abc123",
        "lastUpdatedDate": (START + 7) as f64,
        "methodSettings": settings,
    });
    let expected = with(with(defaults(&deployment), given), expected);
    assert_eq!(updated, expected);
    assert_eq!(control.stage(), expected);
}

#[test]
fn stages_of_one_deployment() {
    let control = Control::new();
    let first = control.deployed();
    let second = control.deployment();
    control.ok("CreateStage", create(&first, json!({"stageName": "stage1"})));
    control.ok("CreateStage", create(&second, json!({"stageName": "stage2"})));
    let names = |deployment: Json| {
        let stages = control.ok("GetStages", json!({"restApiId": API, "deploymentId": deployment}));
        each(&stages["item"], "stageName").join(" ")
    };
    assert_eq!(names(Json::Null), "stage1 stage2");
    assert_eq!((names(json!(first)), names(json!(second))), ("stage1".into(), "stage2".into()));
    assert_eq!(names(json!("none")), "");
}

#[test]
fn creating_is_refused() {
    let control = Control::new();
    let deployment = control.staged();
    let long = "x".repeat(129);
    let words = "' ', -', '.', '_', ':', '/', '?', '&', '=', and ','.";
    let cases = [
        (json!({}), "ConflictException 409: Stage already exists".to_owned()),
        (json!({"stageName": "a b"}), format!("{BAD_REQUEST}Stage name only allows a-zA-Z0-9_")),
        (json!({"stageName": ""}), format!("{BAD_REQUEST}Stage name only allows a-zA-Z0-9_")),
        (json!({"stageName": long}), format!("{BAD_REQUEST}Stage name only allows a-zA-Z0-9_")),
        (
            json!({"stageName": "s", "deploymentId": "none"}),
            format!("{BAD_REQUEST}Deployment id does not exist"),
        ),
        (
            json!({"stageName": "s", "canarySettings": {"deploymentId": "none"}}),
            format!("{BAD_REQUEST}Deployment id does not exist"),
        ),
        (
            json!({"stageName": "s", "variables": {"owner:application": "x"}}),
            format!(
                "{BAD_REQUEST}Invalid stage variable name: owner:application.  Please use names with only word characters."
            ),
        ),
        (
            json!({"stageName": "s", "variables": (0..101).map(|n| (format!("v{n}"), json!("x"))).collect::<serde_json::Map<_, _>>()}),
            "LimitExceededException 429: Maximum number of Stage Variables for this Stage has been reached.  Please \
             contact AWS if you need additional Stage Variables."
                .to_owned(),
        ),
        (
            json!({"stageName": "s", "variables": {"a": "$LATEST"}}),
            format!(
                "{BAD_REQUEST}Invalid stage variable value: $LATEST.  Please use values with alphanumeric characters \
                 and the symbols {words}"
            ),
        ),
        (
            json!({"restApiId": "none"}),
            "NotFoundException 404: Invalid API identifier specified 111111111111:none".to_owned(),
        ),
    ];
    for (members, expected) in cases {
        assert_eq!(control.err("CreateStage", create(&deployment, members)), expected);
    }
    control.ok("CreateStage", create(&deployment, json!({"stageName": "with-hyphen_1"})));
}

#[test]
fn unknown_stages() {
    let control = Control::new();
    control.staged();
    for operation in ["GetStage", "UpdateStage", "DeleteStage"] {
        for (api, name) in [(API, "none"), ("none", "dev")] {
            assert_eq!(
                control.err(operation, json!({"restApiId": api, "stageName": name})),
                "NotFoundException 404: Invalid Stage identifier specified"
            );
        }
    }
    control.ok("DeleteStage", json!({"restApiId": API, "stageName": "dev"}));
    assert_eq!(control.ok("GetStages", json!({"restApiId": API})), json!({"item": []}));
}

// === Patches ===

#[test]
fn own_members() {
    let control = Control::new();
    control.staged();
    control.certificate("abc123");
    let before = control.stage();
    let updated = control.update_stage(json!([
        op("replace", "/description", "stage new"),
        op("replace", "/variables/var1", "test"),
        op("replace", "/variables/var2", "test2"),
        op("add", "/variables/var3", "test3"),
        op("remove", "/variables/var3", ""),
        op("replace", "/tracingEnabled", "true"),
        op("replace", "/documentationVersion", "v1"),
        op("replace", "/clientCertificateId", "abc123"),
        op("replace", "/cacheClusterEnabled", "true"),
    ]));
    let members = json!({
        "description": "stage new",
        "variables": {"var1": "test", "var2": "test2"},
        "tracingEnabled": true,
        "documentationVersion": "v1",
        "clientCertificateId": "abc123",
        "cacheClusterEnabled": true,
        "cacheClusterSize": "0.5",
        "cacheClusterStatus": "AVAILABLE",
    });
    assert_eq!(updated, with(before.clone(), members));
    let cleared = control.update_stage(json!([
        op("replace", "/description", ""),
        {"op": "remove", "path": "/variables"},
        op("replace", "/tracingEnabled", "no"),
        op("replace", "/documentationVersion", ""),
        op("replace", "/clientCertificateId", ""),
        op("replace", "/cacheClusterEnabled", "false"),
    ]));
    assert_eq!(without(cleared, "cacheClusterSize"), before);
    let whole = control.update_stage(json!([op("replace", "/variables", r#"{"a":"1"}"#)]));
    assert_eq!(whole["variables"], json!({"a": "1"}));
}

#[test]
fn access_log_settings() {
    let control = Control::new();
    control.staged();
    let before = control.stage();
    let logs = |operation: Json| control.update_stage(json!([operation]))["accessLogSettings"].clone();
    let arn = "arn:aws:logs:eu-west-1:111111111111:log-group:access";
    let other = "arn:aws:firehose:eu-west-1:111111111111:deliverystream/amazon-apigateway-x";
    let format = "$context.requestId $context.identity.sourceIp";
    let destination = "/accessLogSettings/destinationArn";
    assert_eq!(logs(op("add", destination, arn)), json!({"destinationArn": arn}));
    assert_eq!(logs(op("replace", destination, other)), json!({"destinationArn": other}));
    let both = logs(op("add", "/accessLogSettings/format", format));
    assert_eq!(both, json!({"destinationArn": other, "format": format}));
    assert_eq!(control.update_stage(json!([{"op": "remove", "path": "/accessLogSettings"}])), before);
}

#[test]
fn access_log_settings_that_are_refused() {
    let control = Control::new();
    control.staged();
    let refused = |operation: Json| control.update_stage_err(json!([operation]));
    let bad_path = format!(
        "{BAD_REQUEST}Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, \
         /accessLogSettings/format]"
    );
    for path in ["/accessLogSettings/randomValue", "/accessLogSettings/*", "/accessLogSettings"] {
        for name in ["add", "replace"] {
            assert_eq!(refused(op(name, path, "x")), bad_path, "{name} {path}");
        }
    }
    for path in ["accessLogSettings/randomValue", "accessLogSettings/*", "accessLogSettings/destinationArn"] {
        assert_eq!(
            refused(json!({"op": "remove", "path": format!("/{path}")})),
            format!(
                "{BAD_REQUEST}Cannot remove method setting {path} because there is no method setting for this method "
            )
        );
    }
    for path in ["/accessLogSettings/destinationArn", "/accessLogSettings/format"] {
        for operation in [op("add", path, ""), op("replace", path, ""), json!({"op": "add", "path": path})] {
            assert_eq!(refused(operation), format!("{BAD_REQUEST}Access Log value must not be empty"));
        }
    }
    // As reported from the field.
    let starred = "arn:aws:logs:eu-west-1:111111111111:log-group:/aws/x:*";
    assert_eq!(
        refused(op("add", "/accessLogSettings/destinationArn", starred)),
        format!(
            "{BAD_REQUEST}Access log destination must only contain characters a-z, A-Z, 0-9, '_', '-', '/', '.': \
             'log-group:/aws/x:*'"
        )
    );
}

#[test]
fn unknown_paths_and_operations() {
    let control = Control::new();
    control.staged();
    let before = control.stage();
    for path in
        ["/documentation_version", "/tags/tag1", "/canarySettings", "/canarySettings/badPath", "/nothing"]
    {
        assert_eq!(control.update_stage_err(json!([op("replace", path, "x")])), unknown_path(path));
    }
    assert_eq!(
        control.update_stage_err(json!([op("add", "/description", "x")])),
        format!("{BAD_REQUEST}Invalid add operation with path: /description")
    );
    // As reported from the field.
    assert_eq!(
        control.update_stage_err(json!([op("replace", "/*/*/accessLogSettings/format", "x")])),
        format!(
            "{BAD_REQUEST}Invalid method setting path: accessLogSettings/format. Must be one of: [.../metrics/enabled, \
             .../logging/dataTrace, .../logging/loglevel,.../throttling/burstLimit, .../throttling/rateLimit, \
             .../caching/ttlInSeconds, .../caching/enabled, .../caching/dataEncrypted, \
             .../caching/requireAuthorizationForCacheControl, .../caching/unauthorizedCacheControlHeaderStrategy]"
        )
    );
    assert_eq!(
        control.update_stage_err(json!([op("replace", "/deploymentId", "none")])),
        format!("{BAD_REQUEST}Deployment id does not exist")
    );
    // What came before a refused operation is not kept either.
    control.update_stage_err(json!([op("replace", "/description", "x"), op("replace", "/nothing", "x")]));
    assert_eq!(control.stage(), before);
}
