//! Stages: what they show, what an update changes, their errors.

use serde_json::{Value as Json, json};

use crate::control::{Control, START, each, text};

/// An update of the stage `live` of the API `a`.
fn live(more: Json) -> Json {
    let mut input = json!({"ApiId": "a", "StageName": "live"});
    input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    input
}

#[test]
fn a_fresh_stage_shows_its_defaults() {
    let control = Control::new();
    control.http_api("a");
    control.websocket_api("w");
    let created = control.ok("CreateStage", live(json!({})));
    let mut expected = json!({
        "CreatedDate": START,
        "DefaultRouteSettings": {"DetailedMetricsEnabled": false},
        "LastUpdatedDate": START,
        "RouteSettings": {},
        "StageName": "live",
        "StageVariables": {},
        "Tags": {},
    });
    assert_eq!(created, expected);
    assert_eq!(control.ok("GetStage", live(json!({}))), expected);
    assert_eq!(control.ok("GetStages", json!({"ApiId": "a"})), json!({"Items": [expected]}));

    expected["DefaultRouteSettings"] =
        json!({"DataTraceEnabled": false, "DetailedMetricsEnabled": false, "LoggingLevel": "OFF"});
    assert_eq!(control.ok("CreateStage", json!({"ApiId": "w", "StageName": "live"})), expected);
}

#[test]
fn a_stage_keeps_all_that_it_was_given() {
    let control = Control::new();
    control.http_api("a");
    control.route("a", "GET /pets");
    let deployment = control.ok("CreateDeployment", json!({"ApiId": "a"}))["DeploymentId"].clone();
    let given = json!({
        "AccessLogSettings": {
            "DestinationArn": "arn:aws:logs:eu-west-1:123456789012:log-group:x", "Format": "$context.requestId",
        },
        "ClientCertificateId": "cert1",
        "DefaultRouteSettings": {
            "DetailedMetricsEnabled": true, "ThrottlingBurstLimit": 10, "ThrottlingRateLimit": 2.5,
        },
        "DeploymentId": deployment,
        "Description": "d",
        "RouteSettings": {"GET /pets": {"DetailedMetricsEnabled": false, "ThrottlingBurstLimit": 1}},
        "StageVariables": {"host": "example.com"},
        "Tags": {"team": "a"},
    });
    let created = control.ok("CreateStage", live(given.clone()));
    for (member, value) in given.as_object().expect("an object") {
        assert_eq!(&created[member], value, "{member}");
    }
    assert_eq!(control.ok("GetStage", live(json!({}))), created);
}

#[test]
fn refused_stages() {
    let control = Control::new();
    control.http_api("a");
    control.websocket_api("w");
    control.route("a", "GET /pets");
    control.route("w", "join");
    control.ok("CreateStage", json!({"ApiId": "a", "StageName": "taken"}));
    let bad = "BadRequestException 400";
    let logging = "BadRequestException 400: Execution logs are not supported on protocolType HTTP";
    let cases = [
        (json!({"StageName": "taken"}), "ConflictException 409: Stage already exists"),
        (json!({"StageName": "a.b"}), "BadRequestException 400: Stage name only allows a-zA-Z0-9_-"),
        (json!({"StageName": ""}), bad),
        (json!({"StageName": "x".repeat(129)}), bad),
        (json!({"ApiId": "w", "StageName": "$default"}), bad),
        (json!({"DeploymentId": "nope12"}), "BadRequestException 400: Deployment id does not exist"),
        (json!({"DeploymentId": "nope12", "AutoDeploy": true}), bad),
        (json!({"DefaultRouteSettings": {"LoggingLevel": "OFF"}}), logging),
        (json!({"DefaultRouteSettings": {"DataTraceEnabled": true}}), logging),
        (json!({"RouteSettings": {"GET /pets": {"LoggingLevel": "INFO"}}}), logging),
        (
            json!({"RouteSettings": {"GET /x": {}}}),
            "NotFoundException 404: Unable to find Route by key GET /x within the provided RouteSettings",
        ),
        (json!({"DefaultRouteSettings": {"ThrottlingRateLimit": -1.0}}), bad),
        (
            json!({"AccessLogSettings": {"Format": "$context.status"}}),
            "BadRequestException 400: Access Log format must include either $context.requestId or \
             $context.extendedRequestId",
        ),
        (json!({"StageVariables": {"a-b": "1"}}), bad),
        (json!({"StageVariables": {"a": "b c"}}), bad),
        (json!({"StageVariables": {"a": "x".repeat(513)}}), bad),
        (json!({"Tags": {"aws:a": "b"}}), bad),
    ];
    for (more, message) in cases {
        let refusal = control.err("CreateStage", live(more.clone()));
        assert!(refusal.starts_with(message), "{more}: {refusal}");
    }
    assert_eq!(each(&control.ok("GetStages", json!({"ApiId": "a"})), "StageName"), ["taken"]);
}

#[test]
fn names_have_letters_digits_underscores_and_hyphens() {
    let control = Control::new();
    control.http_api("a");
    let longest = "x".repeat(128);
    for name in ["$default", "v1_a-B", &longest] {
        control.ok("CreateStage", json!({"ApiId": "a", "StageName": name}));
        assert_eq!(control.ok("GetStage", json!({"ApiId": "a", "StageName": name}))["StageName"], name);
    }
}

#[test]
fn an_update_merges() {
    let control = Control::new();
    control.http_api("a");
    control.route("a", "GET /pets");
    control.route("a", "GET /people");
    let mut expected = control.ok(
        "CreateStage",
        live(json!({
            "Description": "d", "ClientCertificateId": "cert1",
            "StageVariables": {"a": "1", "b": "2"},
            "DefaultRouteSettings": {"ThrottlingBurstLimit": 10},
            "RouteSettings": {"GET /pets": {"ThrottlingBurstLimit": 1, "ThrottlingRateLimit": 1.0}},
            "AccessLogSettings": {"DestinationArn": "arn:x", "Format": "$context.requestId"},
        })),
    );
    control.wait(60);
    expected["LastUpdatedDate"] = json!(START + 60.0);
    let nothing = json!({
        "Description": "", "StageVariables": {}, "RouteSettings": {}, "DefaultRouteSettings": {},
    });
    assert_eq!(control.ok("UpdateStage", live(nothing)), expected, "nothing given, nothing changed");

    let update = json!({
        "Description": "e", "ClientCertificateId": "",
        "StageVariables": {"a": "", "c": "3"},
        "DefaultRouteSettings": {"ThrottlingRateLimit": 5.0},
        "RouteSettings": {
            "GET /pets": {"ThrottlingBurstLimit": 2}, "GET /people": {"DetailedMetricsEnabled": true},
        },
        "AccessLogSettings": {"Format": "$context.requestId $context.status"},
    });
    expected["Description"] = json!("e");
    expected.as_object_mut().expect("an object").remove("ClientCertificateId");
    expected["StageVariables"] = json!({"b": "2", "c": "3"});
    expected["DefaultRouteSettings"] =
        json!({"DetailedMetricsEnabled": false, "ThrottlingBurstLimit": 10, "ThrottlingRateLimit": 5.0});
    expected["RouteSettings"] = json!({
        "GET /people": {"DetailedMetricsEnabled": true},
        "GET /pets": {"DetailedMetricsEnabled": false, "ThrottlingBurstLimit": 2, "ThrottlingRateLimit": 1.0},
    });
    expected["AccessLogSettings"]["Format"] = json!("$context.requestId $context.status");
    assert_eq!(control.ok("UpdateStage", live(update)), expected);
    assert_eq!(control.ok("GetStage", live(json!({}))), expected);
}

#[test]
fn an_update_moves_the_stage_to_another_deployment() {
    let control = Control::new();
    control.http_api("a");
    control.route("a", "GET /pets");
    control.ok("CreateStage", live(json!({})));
    let deployment = control.ok("CreateDeployment", json!({"ApiId": "a"}))["DeploymentId"].clone();
    let moved = control.ok("UpdateStage", live(json!({"DeploymentId": deployment})));
    assert_eq!(moved["DeploymentId"], deployment);
    let unknown = control.err("UpdateStage", live(json!({"DeploymentId": "nope12"})));
    assert_eq!(unknown, "BadRequestException 400: Deployment id does not exist");
    control.ok("UpdateStage", live(json!({"AutoDeploy": true})));
    let refused = control.err("UpdateStage", live(json!({"DeploymentId": deployment})));
    assert_eq!(
        refused,
        "BadRequestException 400: Deployment ID cannot be set on a stage with auto deploy enabled"
    );
}

#[test]
fn deleting_settings_removes_those_and_nothing_else() {
    let control = Control::new();
    control.http_api("a");
    control.route("a", "GET /pets");
    control.route("a", "ANY /people");
    let mut expected = control.ok(
        "CreateStage",
        live(json!({
            "RouteSettings": {"GET /pets": {}, "ANY /people": {"ThrottlingBurstLimit": 1}},
            "AccessLogSettings": {"DestinationArn": "arn:x", "Format": "$context.requestId"},
        })),
    );
    assert_eq!(control.ok("DeleteRouteSettings", live(json!({"RouteKey": "GET /pets"}))), Json::Null);
    expected["RouteSettings"].as_object_mut().expect("an object").remove("GET /pets");
    assert_eq!(control.ok("GetStage", live(json!({}))), expected);
    let again = control.err("DeleteRouteSettings", live(json!({"RouteKey": "GET /pets"})));
    let missing =
        "NotFoundException 404: Unable to find Route by key GET /pets within the provided RouteSettings";
    assert_eq!(again, missing);

    assert_eq!(control.ok("DeleteAccessLogSettings", live(json!({}))), Json::Null);
    expected.as_object_mut().expect("an object").remove("AccessLogSettings");
    assert_eq!(control.ok("GetStage", live(json!({}))), expected);
}

#[test]
fn unknown_stages() {
    let control = Control::new();
    control.http_api("a");
    for operation in ["GetStage", "UpdateStage", "DeleteStage", "DeleteAccessLogSettings"] {
        let message = control.err(operation, live(json!({})));
        assert_eq!(message, "NotFoundException 404: Invalid stage identifier specified", "{operation}");
    }
    control.ok("CreateStage", live(json!({})));
    control.ok("DeleteStage", live(json!({})));
    assert!(control.err("GetStage", live(json!({}))).starts_with("NotFoundException"));
}

#[test]
fn stages_are_listed_by_name() {
    let control = Control::new();
    control.http_api("a");
    for name in ["b", "a", "$default"] {
        control.ok("CreateStage", json!({"ApiId": "a", "StageName": name}));
    }
    let first = control.ok("GetStages", json!({"ApiId": "a", "MaxResults": "2"}));
    assert_eq!(each(&first, "StageName"), ["$default", "a"]);
    let token = text(&first["NextToken"]);
    let second = control.ok("GetStages", json!({"ApiId": "a", "MaxResults": "2", "NextToken": token}));
    assert_eq!((each(&second, "StageName"), second.get("NextToken")), (vec!["b".to_owned()], None));
}
