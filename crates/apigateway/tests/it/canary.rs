//! Canary releases: made with the stage, by a deployment, by patches; promoted; removed.

use serde_json::{Value as Json, json};

use crate::control::{API, Control, op, text, with, without};

fn copy(path: &str, from: &str) -> Json {
    json!({"op": "copy", "path": path, "from": from})
}

fn deploy(stage_name: Json, canary: Json) -> Json {
    json!({"restApiId": API, "stageName": stage_name, "canarySettings": canary})
}

#[test]
fn a_stage_is_created_with_a_canary() {
    let control = Control::new();
    let first = control.deployed();
    let second = control.deployment();
    let canary = json!({
        "deploymentId": second,
        "percentTraffic": 50.0,
        "stageVariableOverrides": {"testVar": "canary"},
        "useStageCache": false,
    });
    let given = without(canary.clone(), "useStageCache");
    let input = json!({
        "restApiId": API, "stageName": "dev", "deploymentId": first,
        "canarySettings": given, "variables": {"testVar": "default"},
    });
    let created = control.ok("CreateStage", input);
    assert_eq!(created["canarySettings"], canary);
    let path = "/canarySettings/stageVariableOverrides/testVar";
    let updated = control.update_stage(json!([op("replace", path, "updated")]));
    let overrides = json!({"stageVariableOverrides": {"testVar": "updated"}});
    assert_eq!(updated["canarySettings"], with(canary, overrides));
    let removed = control.update_stage(json!([{"op": "remove", "path": "/canarySettings"}]));
    assert_eq!(removed, without(created, "canarySettings"));
    assert_eq!(control.stage(), removed);
}

#[test]
fn a_deployment_becomes_the_canary_of_a_stage() {
    let control = Control::new();
    let first = control.staged();
    let before = control.stage();
    let settings = json!({"percentTraffic": 50.0, "stageVariableOverrides": {"testVar": "canary"}});
    let second = text(&control.ok("CreateDeployment", deploy(json!("dev"), settings.clone())), "id");
    let canary = with(settings, json!({"deploymentId": second, "useStageCache": false}));
    assert_eq!(control.stage(), with(before, json!({"canarySettings": canary})));
    assert_eq!(text(&control.stage(), "deploymentId"), first);

    let prefix = "BadRequestException 400: Invalid deployment content specified.";
    let no_stage =
        "Non null and non empty stageName must be provided for canary deployment. Provided value is ";
    let cases = [
        (Json::Null, format!("{prefix}{no_stage}null")),
        (json!(""), format!("{prefix}{no_stage}")),
        (
            json!("non-existing"),
            format!(
                "{prefix}Stage non-existing must already be created before making a canary release deployment"
            ),
        ),
    ];
    for (stage_name, expected) in cases {
        assert_eq!(
            control.err("CreateDeployment", deploy(stage_name, json!({"percentTraffic": 1.0}))),
            expected
        );
    }
}

#[test]
fn the_first_patch_makes_a_canary_without_traffic() {
    let control = Control::new();
    let first = control.staged();
    let before = control.stage();
    let second = control.deployment();
    let canary = |operation: Json| control.update_stage(json!([operation]))["canarySettings"].clone();
    let fresh = json!({"deploymentId": second, "percentTraffic": 0.0, "useStageCache": false});
    assert_eq!(canary(op("replace", "/canarySettings/deploymentId", &second)), fresh);
    assert_eq!(control.update_stage(json!([{"op": "remove", "path": "/canarySettings"}])), before);
    let own = json!({"deploymentId": first, "percentTraffic": 50.0, "useStageCache": false});
    assert_eq!(canary(op("replace", "/canarySettings/percentTraffic", "50")), own);
    let cached = with(own, json!({"useStageCache": true}));
    assert_eq!(canary(op("replace", "/canarySettings/useStageCache", "true")), cached);
}

#[test]
fn patches_that_no_canary_takes() {
    let control = Control::new();
    control.staged();
    for leaf in ["stageVariableOverrides", "badPath"] {
        assert_eq!(
            control.update_stage_err(json!([{"op": "remove", "path": format!("/canarySettings/{leaf}")}])),
            format!(
                "BadRequestException 400: Cannot remove method setting canarySettings/{leaf} because there is no \
                 method setting for this method "
            )
        );
    }
    assert_eq!(
        control.update_stage_err(json!([op("add", "/canarySettings/deploymentId", "x")])),
        "BadRequestException 400: Invalid add operation with path: /canarySettings/deploymentId"
    );
    assert_eq!(
        control.update_stage_err(json!([op("replace", "/canarySettings/deploymentId", "none")])),
        "BadRequestException 400: Deployment id does not exist"
    );
}

#[test]
fn promotion() {
    let control = Control::new();
    control.staged();
    control.update_stage(json!([op("replace", "/variables", r#"{"testVar":"test","testVar2":"test2"}"#)]));
    let (deployment_id, overrides) =
        ("/canarySettings/deploymentId", "/canarySettings/stageVariableOverrides");
    let wrong_pairs = [
        (overrides, "/variables"),
        ("/deploymentId", overrides),
        ("/variables", deployment_id),
        ("/x", "/y"),
    ];
    for (path, from) in wrong_pairs {
        assert_eq!(
            control.update_stage_err(json!([copy(path, from)])),
            format!(
                "BadRequestException 400: Invalid copy operation with path: {path} and from {from}. Valid copy:path \
                 are [/deploymentId, /variables] and valid copy:from are [/canarySettings/deploymentId, \
                 /canarySettings/stageVariableOverrides]"
            )
        );
    }
    let promote = json!([
        copy("/variables", overrides),
        copy("/deploymentId", deployment_id),
        op("replace", "/canarySettings/percentTraffic", "0.0"),
    ]);
    assert_eq!(
        control.update_stage_err(promote.clone()),
        "BadRequestException 400: Promotion not available. Canary does not exist."
    );
    let settings = json!({"percentTraffic": 50.0, "stageVariableOverrides": {"testVar": "override"}});
    let second = text(&control.ok("CreateDeployment", deploy(json!("dev"), settings)), "id");
    let before = control.stage();
    let promoted = control.update_stage(promote);
    let members = json!({
        "deploymentId": second,
        "variables": {"testVar": "override", "testVar2": "test2"},
        "canarySettings": with(before["canarySettings"].clone(), json!({"percentTraffic": 0.0})),
    });
    assert_eq!(promoted, with(before, members), "the canary stays until it is removed");
}
