//! Stages with a canary (rest-data C15; the recording `test_invoking_canary_deployment`).

use stagedoor_api::apigateway as api;

use crate::build::{Integrated as _, RestApi, map, mock, rest_api};
use crate::logs::{self, Directory};
use crate::world::{Entry, World, entry};

fn saying(text: &str) -> RestApi {
    let integration = mock("{statusCode: 200}")
        .answering("200", "")
        .with_body("application/json", text)
        .with_header("X-Canary", "context.isCanaryRequest")
        .with_header("X-Deployment", "context.deploymentId")
        .with_header("X-Variable", "stageVariables.testVar")
        .with_header("X-Kept", "stageVariables.defaultVar");
    rest_api("abc").method("GET /", integration)
}

/// A stage with two deployments, one of them its canary.
fn stage(percent: Option<f64>) -> Vec<Entry> {
    stage_with(percent, None)
}

fn stage_with(percent: Option<f64>, settings: Option<api::MethodSetting>) -> Vec<Entry> {
    let canary = percent.map(|percent| api::CanarySettings {
        deployment_id: Some("dep2".to_owned()),
        percent_traffic: Some(percent),
        stage_variable_overrides: Some(map(&[("testVar", "canary")])),
        use_stage_cache: Some(false),
    });
    let stage = api::Stage {
        stage_name: Some("dev".to_owned()),
        deployment_id: Some("dep1".to_owned()),
        variables: Some(map(&[("testVar", "default"), ("defaultVar", "default")])),
        canary_settings: canary,
        method_settings: settings.map(|settings| [("*/*".to_owned(), settings)].into()),
        ..Default::default()
    };
    let mut entries = saying("default deployment").deployed_as("dep1", "dev", &[]);
    entries.extend(saying("canary deployment").deployed_as("dep2", "dev", &[]));
    entries.push(entry(&["abc", "dev"], &stage));
    entries
}

async fn seen(world: &World) -> [String; 5] {
    let answer = world.get("/_aws/execute-api/abc/dev").await;
    let header = |name| answer.header(name).to_owned();
    [answer.body.clone(), header("x-canary"), header("x-deployment"), header("x-variable"), header("x-kept")]
}

#[tokio::test]
async fn all_none_or_no_canary() {
    let world = World::start().await;
    world.store(stage(None)).await;
    assert_eq!(seen(&world).await, ["default deployment", "", "dep1", "default", "default"]);
    world.store(stage(Some(0.0))).await;
    assert_eq!(seen(&world).await, ["default deployment", "false", "dep1", "default", "default"]);
    world.store(stage(Some(100.0))).await;
    assert_eq!(seen(&world).await, ["canary deployment", "true", "dep2", "canary", "default"]);
    let figures = world.gateway.metrics();
    assert_eq!((figures.len(), figures[0].requests), (1, 3), "a canary is counted with its stage");
}

#[tokio::test]
async fn a_part_of_the_requests() {
    let world = World::start().await;
    world.store(stage(Some(30.0))).await;
    let mut canaries = 0;
    for _ in 0..400 {
        canaries += usize::from(seen(&world).await[1] == "true");
    }
    // Seven standard deviations of 400 draws with a chance of 0.3.
    assert!((56..=184).contains(&canaries), "{canaries} of 400");
}

/// rest-data C14 and C15: the log group of a canary is `…/{stage}/Canary`.
#[tokio::test]
async fn a_canary_has_an_execution_log_of_its_own() {
    let directory = Directory::new("canary");
    let world = logs::world(&directory, |_| {}).await;
    let settings =
        || Some(api::MethodSetting { logging_level: Some("INFO".to_owned()), ..Default::default() });
    for (percent, group) in [(100.0, "dev/Canary"), (0.0, "dev")] {
        world.store(stage_with(Some(percent), settings())).await;
        let answer = world.get("/_aws/execute-api/abc/dev").await;
        let lines = directory.lines(&world, &format!("API-Gateway-Execution-Logs_abc/{group}")).await;
        let id = answer.header("x-amzn-requestid");
        assert!(!lines.is_empty() && lines.iter().all(|line| line.contains(id)), "{group}: {lines:?}");
    }
}
