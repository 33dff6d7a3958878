//! Deployments: what can be deployed, what a deployment remembers, and who keeps it from being deleted.

use serde_json::{Value as Json, json};
use stagedoor_state::rest::Snapshot;

use crate::control::{API, Control, START, each, on, op, with};

const UNKNOWN: &str = "NotFoundException 404: Invalid Deployment identifier specified";
const IN_USE: &str =
    "BadRequestException 400: Active stages pointing to this deployment must be moved or deleted";

fn about(id: &str) -> Json {
    json!({"restApiId": API, "deploymentId": id})
}

fn stages(control: &Control) -> Json {
    control.ok("GetStages", json!({"restApiId": API}))["item"].clone()
}

#[test]
fn the_life_of_a_deployment() {
    let control = Control::new();
    let root = control.api();
    control.mock(&root);
    let created = control.ok("CreateDeployment", json!({"restApiId": API, "description": "first"}));
    let id = created["id"].as_str().expect("it has an id");
    assert_eq!(id.len(), 6);
    assert_eq!(created, json!({"id": id, "createdDate": START as f64, "description": "first"}));
    assert_eq!(control.ok("GetDeployment", about(id)), created);
    let patch = json!({"patchOperations": [op("replace", "/description", "new-description")]});
    let updated = control.ok("UpdateDeployment", with(about(id), patch));
    assert_eq!(updated, with(created.clone(), json!({"description": "new-description"})));
    control.wait(1);
    let newer = control.deployment();
    let listed = control.ok("GetDeployments", json!({"restApiId": API}));
    assert_eq!(each(&listed["items"], "id"), [newer.as_str(), id]);
    control.ok("DeleteDeployment", about(id));
    for operation in ["GetDeployment", "DeleteDeployment", "UpdateDeployment"] {
        assert_eq!(control.err(operation, about(id)), UNKNOWN);
    }
    let snapshot = |id: &str| control.documents(|documents| documents.exists::<Snapshot>(&[API, id]));
    assert_eq!((snapshot(id), snapshot(&newer)), (false, true));
}

#[test]
fn a_snapshot_holds_what_methods_refer_to() {
    let control = Control::new();
    let root = control.api();
    control.mock(&root);
    control.ok("CreateRequestValidator", json!({"restApiId": API, "name": "v"}));
    let uri = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/f/invocations";
    control.ok(
        "CreateAuthorizer",
        json!({"restApiId": API, "name": "a", "type": "TOKEN", "authorizerUri": uri}),
    );
    control.ok(
        "PutGatewayResponse",
        json!({"restApiId": API, "responseType": "THROTTLED", "statusCode": "420"}),
    );
    let id = control.deployment();
    let snapshot = control.documents(|documents| documents.get::<Snapshot>(&[API, &id]));
    let snapshot = snapshot.expect("it is stored");
    let names: Vec<_> = snapshot.models.iter().filter_map(|model| model.name.as_deref()).collect();
    assert_eq!(names, ["Empty", "Error"]);
    assert_eq!(snapshot.request_validators[0].name.as_deref(), Some("v"));
    assert_eq!(snapshot.authorizers[0].name.as_deref(), Some("a"));
    assert_eq!(snapshot.gateway_responses[0].status_code.as_deref(), Some("420"));
}

#[test]
fn a_deployment_needs_methods_and_their_integrations() {
    let control = Control::new();
    let root = control.api();
    let deploy = || control.err("CreateDeployment", json!({"restApiId": API, "stageName": "dev"}));
    assert_eq!(deploy(), "BadRequestException 400: The REST API doesn't contain any methods");
    control.method(&root);
    assert_eq!(deploy(), "BadRequestException 400: No integration defined for method");
    assert_eq!(stages(&control), json!([]));
}

#[test]
fn a_deployment_is_the_api_as_it_was() {
    let control = Control::new();
    let deployment = control.deployed();
    let root = control.ok("GetRestApi", json!({"restApiId": API}))["rootResourceId"].clone();
    control.resource(root.as_str().expect("an id"), "later");
    control.ok("DeleteMethod", on(root.as_str().expect("an id"), json!({})));
    let snapshot = control.documents(|documents| documents.get::<Snapshot>(&[API, &deployment]));
    let snapshot = snapshot.expect("it was written");
    assert_eq!(snapshot.api.id.as_deref(), Some(API));
    let paths: Vec<_> = snapshot.resources.iter().filter_map(|resource| resource.path.as_deref()).collect();
    assert_eq!(paths, ["/"]);
    let summary = control.ok("GetDeployment", with(about(&deployment), json!({"embed": ["apisummary"]})));
    assert_eq!(
        summary["apiSummary"],
        json!({"/": {"GET": {"authorizationType": "NONE", "apiKeyRequired": false}}})
    );
}

#[test]
fn a_stage_is_created_by_its_first_deployment_and_moved_by_the_next() {
    let control = Control::new();
    let root = control.api();
    control.mock(&root);
    let deploy = |members: Json| {
        let input = with(json!({"restApiId": API, "stageName": "s1"}), members);
        control.ok("CreateDeployment", input)["id"].clone()
    };
    let first = deploy(json!({"stageDescription": "text", "variables": {"a": "1"}, "tracingEnabled": true}));
    let stage = json!({
        "stageName": "s1",
        "deploymentId": first,
        "description": "text",
        "variables": {"a": "1"},
        "tracingEnabled": true,
        "cacheClusterEnabled": false,
        "cacheClusterStatus": "NOT_AVAILABLE",
        "methodSettings": {},
        "createdDate": START as f64,
        "lastUpdatedDate": START as f64,
    });
    assert_eq!(stages(&control), json!([stage]));
    control.wait(5);
    let second = deploy(json!({}));
    let moved = json!({"deploymentId": second, "lastUpdatedDate": (START + 5) as f64});
    assert_eq!(stages(&control), json!([with(stage, moved)]));
}

#[test]
fn stages_keep_their_deployments() {
    let control = Control::new();
    let first = control.staged();
    let second = control.deployment();
    assert_eq!(control.err("DeleteDeployment", about(&first)), IN_USE);
    control.update_stage(json!([op("replace", "/deploymentId", &second)]));
    control.ok("DeleteDeployment", about(&first));
    assert_eq!(control.err("DeleteDeployment", about(&second)), IN_USE);
    let canary = control.deployment();
    control.update_stage(json!([op("replace", "/canarySettings/deploymentId", &canary)]));
    assert_eq!(control.err("DeleteDeployment", about(&canary)), IN_USE);
    control.ok("DeleteStage", json!({"restApiId": API, "stageName": "dev"}));
    control.ok("DeleteDeployment", about(&canary));
}

#[test]
fn nothing_is_left_of_a_deployment_that_fails() {
    let control = Control::new();
    let root = control.api();
    control.mock(&root);
    assert_eq!(
        control.err("CreateDeployment", json!({"restApiId": API, "stageName": "$default"})),
        "BadRequestException 400: Stage name only allows a-zA-Z0-9_"
    );
    assert_eq!(control.ok("GetDeployments", json!({"restApiId": API})), json!({"items": []}));
    assert_eq!(
        control.err("CreateDeployment", json!({"restApiId": "nowhere"})),
        "NotFoundException 404: Invalid API identifier specified 111111111111:nowhere"
    );
}
