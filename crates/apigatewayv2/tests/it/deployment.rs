//! Deployments that clients make.

use serde_json::{Value as Json, json};
use stagedoor_state::http::Snapshot;

use crate::control::{Control, START, each, is_id, text};

#[test]
fn a_deployment_freezes_the_api() {
    let control = Control::new();
    control.http_api("a");
    let integration = control.proxy("a");
    control.route("a", "GET /pets");
    let created = control.ok("CreateDeployment", json!({"ApiId": "a", "Description": "first"}));
    assert!(is_id(&created["DeploymentId"], 6), "{created}");
    let expected = json!({
        "AutoDeployed": false,
        "CreatedDate": START,
        "DeploymentId": created["DeploymentId"],
        "DeploymentStatus": "DEPLOYED",
        "Description": "first",
    });
    assert_eq!(created, expected);
    control.route("a", "GET /people");

    let id = text(&created["DeploymentId"]);
    let ids = json!({"ApiId": "a", "DeploymentId": id});
    assert_eq!(control.ok("GetDeployment", ids), expected);
    let snapshot: Option<Snapshot> = control.documents(|documents| documents.get(&["a", &id]));
    let snapshot = snapshot.expect("it is stored with its deployment");
    let keys: Vec<_> = snapshot.routes.iter().filter_map(|route| route.route_key.as_deref()).collect();
    assert_eq!(keys, ["GET /pets"]);
    assert_eq!(snapshot.integrations[0].integration_id.as_deref(), Some(integration.as_str()));
    assert_eq!(snapshot.api.api_id.as_deref(), Some("a"));
}

#[test]
fn a_websocket_deployment_holds_the_responses() {
    let control = Control::new();
    control.websocket_api("w");
    let route = control.route("w", "join");
    control
        .ok("CreateRouteResponse", json!({"ApiId": "w", "RouteId": route, "RouteResponseKey": "$default"}));
    let mock = control.ok("CreateIntegration", json!({"ApiId": "w", "IntegrationType": "MOCK"}));
    let mock = text(&mock["IntegrationId"]);
    control.ok(
        "CreateIntegrationResponse",
        json!({"ApiId": "w", "IntegrationId": mock, "IntegrationResponseKey": "$default"}),
    );
    let id = text(&control.ok("CreateDeployment", json!({"ApiId": "w"}))["DeploymentId"]);
    let snapshot: Option<Snapshot> = control.documents(|documents| documents.get(&["w", &id]));
    let snapshot = snapshot.expect("it is stored with its deployment");
    assert_eq!(snapshot.route_responses[&route].len(), 1);
    assert_eq!(snapshot.integration_responses[&mock].len(), 1);
}

#[test]
fn deploying_to_a_stage_moves_it() {
    let control = Control::new();
    control.http_api("a");
    control.route("a", "GET /pets");
    control.ok("CreateStage", json!({"ApiId": "a", "StageName": "live"}));
    control.wait(5);
    let created = control.ok("CreateDeployment", json!({"ApiId": "a", "StageName": "live"}));
    let stage = control.ok("GetStage", json!({"ApiId": "a", "StageName": "live"}));
    assert_eq!(stage["DeploymentId"], created["DeploymentId"]);
    assert_eq!(stage["LastUpdatedDate"], START + 5.0);

    let ids = json!({"ApiId": "a", "DeploymentId": created["DeploymentId"]});
    let in_use =
        "BadRequestException 400: Active stages pointing to this deployment must be moved or deleted";
    assert_eq!(control.err("DeleteDeployment", ids.clone()), in_use);
    control.ok("DeleteStage", json!({"ApiId": "a", "StageName": "live"}));
    assert_eq!(control.ok("DeleteDeployment", ids.clone()), Json::Null);
    assert!(control.err("GetDeployment", ids).starts_with("NotFoundException 404: Invalid Deployment"));
    assert_eq!(control.documents(|documents| documents.count::<Snapshot>(&["a"])), 0);
}

#[test]
fn refused() {
    let control = Control::new();
    control.http_api("a");
    let no_routes = "BadRequestException 400: Unable to deploy API because no routes exist in this API";
    assert_eq!(control.err("CreateDeployment", json!({"ApiId": "a"})), no_routes);
    control.route("a", "GET /pets");
    let nowhere = control.err("CreateDeployment", json!({"ApiId": "a", "StageName": "nowhere"}));
    assert_eq!(nowhere, "NotFoundException 404: Invalid stage identifier specified");
    control.ok("CreateStage", json!({"ApiId": "a", "StageName": "auto", "AutoDeploy": true}));
    let automatic = control.err("CreateDeployment", json!({"ApiId": "a", "StageName": "auto"}));
    assert!(automatic.starts_with("BadRequestException 400: "), "{automatic}");
}

#[test]
fn newest_first_and_descriptions_can_change() {
    let control = Control::new();
    control.http_api("a");
    control.route("a", "GET /pets");
    let mut made = Vec::new();
    for _ in 0..3 {
        made.insert(0, text(&control.ok("CreateDeployment", json!({"ApiId": "a"}))["DeploymentId"]));
        control.wait(1);
    }
    assert_eq!(each(&control.ok("GetDeployments", json!({"ApiId": "a"})), "DeploymentId"), made);
    let update = json!({"ApiId": "a", "DeploymentId": made[0], "Description": "new"});
    assert_eq!(control.ok("UpdateDeployment", update)["Description"], "new");
}
