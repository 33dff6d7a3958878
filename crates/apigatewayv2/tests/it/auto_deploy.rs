//! Stages that deploy by themselves.

use serde_json::{Value as Json, json};
use stagedoor_api::apigatewayv2::Deployment;
use stagedoor_state::http::Snapshot;

use crate::control::{Control, START, text};

fn stage(control: &Control) -> Json {
    control.ok("GetStage", json!({"ApiId": "a", "StageName": "auto"}))
}

/// What the stage serves.
fn served(control: &Control) -> Snapshot {
    let id = text(&stage(control)["DeploymentId"]);
    let snapshot = control.documents(|documents| documents.get(&["a", &id]));
    snapshot.expect("a stage points to a deployment that exists")
}

fn keys(snapshot: &Snapshot) -> Vec<&str> {
    let mut keys: Vec<_> = snapshot.routes.iter().filter_map(|route| route.route_key.as_deref()).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn without_routes_a_stage_says_why_it_serves_nothing() {
    let control = Control::new();
    control.http_api("a");
    let created = control.ok("CreateStage", json!({"ApiId": "a", "StageName": "auto", "AutoDeploy": true}));
    let message = "Deployment attempt failed: Unable to deploy API because no routes exist in this API";
    assert_eq!(created["LastDeploymentStatusMessage"], message);
    assert_eq!(created.get("DeploymentId"), None);
    assert_eq!(control.ok("GetDeployments", json!({"ApiId": "a"})), json!({"Items": []}));
}

#[test]
fn every_change_is_served_at_once() {
    let control = Control::new();
    control.http_api("a");
    control.ok("CreateStage", json!({"ApiId": "a", "StageName": "auto", "AutoDeploy": true}));
    control.wait(3);
    let pets = control.route("a", "GET /pets");
    assert_eq!(keys(&served(&control)), ["GET /pets"]);
    let id = text(&stage(&control)["DeploymentId"]);
    let message = format!("Successfully deployed stage with deployment ID '{id}'");
    assert_eq!(stage(&control)["LastDeploymentStatusMessage"], message);
    assert_eq!(stage(&control)["LastUpdatedDate"], START + 3.0);
    let deployment = json!({
        "AutoDeployed": true,
        "CreatedDate": START + 3.0,
        "DeploymentId": id,
        "DeploymentStatus": "DEPLOYED",
        "Description": "Automatic deployment triggered by changes to the Api configuration",
    });
    assert_eq!(control.ok("GetDeployment", json!({"ApiId": "a", "DeploymentId": id})), deployment);

    control.route("a", "GET /people");
    assert_eq!(keys(&served(&control)), ["GET /people", "GET /pets"]);
    control.ok("UpdateRoute", json!({"ApiId": "a", "RouteId": pets, "RouteKey": "GET /animals"}));
    assert_eq!(keys(&served(&control)), ["GET /animals", "GET /people"]);
    control.ok("DeleteRoute", json!({"ApiId": "a", "RouteId": pets}));
    assert_eq!(keys(&served(&control)), ["GET /people"]);

    let integration = control.proxy("a");
    assert_eq!(served(&control).integrations.len(), 1);
    let ids = json!({"ApiId": "a", "IntegrationId": integration});
    let mut update = ids.clone();
    update["TimeoutInMillis"] = json!(1000);
    control.ok("UpdateIntegration", update);
    assert_eq!(served(&control).integrations[0].timeout_in_millis, Some(1000));
    control.ok("DeleteIntegration", ids);
    assert_eq!(served(&control).integrations, []);

    control.ok("UpdateApi", json!({"ApiId": "a", "CorsConfiguration": {"AllowOrigins": ["*"]}}));
    assert!(served(&control).api.cors_configuration.is_some());
    control.ok("DeleteCorsConfiguration", json!({"ApiId": "a"}));
    assert_eq!(served(&control).api.cors_configuration, None);
}

#[test]
fn the_last_route_gone_the_stage_serves_what_it_served() {
    let control = Control::new();
    control.http_api("a");
    let route = control.route("a", "GET /pets");
    control.ok("CreateStage", json!({"ApiId": "a", "StageName": "auto", "AutoDeploy": true}));
    control.ok("DeleteRoute", json!({"ApiId": "a", "RouteId": route}));
    assert_eq!(keys(&served(&control)), ["GET /pets"]);
    let message = text(&stage(&control)["LastDeploymentStatusMessage"]);
    assert!(message.starts_with("Deployment attempt failed: "), "{message}");
}

#[test]
fn superseded_deployments_do_not_pile_up() {
    let control = Control::new();
    control.http_api("a");
    control.route("a", "GET /pets");
    let kept = control.ok("CreateDeployment", json!({"ApiId": "a"}));
    control.ok("CreateStage", json!({"ApiId": "a", "StageName": "auto", "AutoDeploy": true}));
    control.ok("CreateStage", json!({"ApiId": "a", "StageName": "two", "AutoDeploy": true}));
    for version in 0..40 {
        control.ok("UpdateApi", json!({"ApiId": "a", "Version": version.to_string()}));
    }
    let deployments = control.documents(|documents| documents.count::<Deployment>(&["a"]));
    let snapshots = control.documents(|documents| documents.count::<Snapshot>(&["a"]));
    // The client's, the current one, the one before it.
    assert_eq!((deployments, snapshots), (3, 3));
    control.ok("GetDeployment", json!({"ApiId": "a", "DeploymentId": kept["DeploymentId"]}));
    assert_eq!(served(&control).api.version.as_deref(), Some("39"));
}

#[test]
fn a_stage_that_stopped_deploying_keeps_what_it_serves() {
    let control = Control::new();
    control.http_api("a");
    control.route("a", "GET /pets");
    control.ok("CreateStage", json!({"ApiId": "a", "StageName": "auto", "AutoDeploy": true}));
    let before = stage(&control)["DeploymentId"].clone();
    let off = control.ok("UpdateStage", json!({"ApiId": "a", "StageName": "auto", "AutoDeploy": false}));
    assert_eq!(off.get("AutoDeploy"), None);
    control.ok("CreateStage", json!({"ApiId": "a", "StageName": "other", "AutoDeploy": true}));
    for path in 0..3 {
        control.route("a", &format!("GET /{path}"));
    }
    assert_eq!(stage(&control)["DeploymentId"], before);
    assert_eq!(keys(&served(&control)), ["GET /pets"]);
    let on = control.ok("UpdateStage", json!({"ApiId": "a", "StageName": "auto", "AutoDeploy": true}));
    assert_eq!(on["AutoDeploy"], true);
    assert_eq!(keys(&served(&control)).len(), 4, "turning it on deploys");
}
