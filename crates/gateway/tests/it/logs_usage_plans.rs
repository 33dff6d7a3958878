//! What execution logs tell of API keys and their usage plans (C8 and C14 of the specification of the REST data plane).

use std::collections::BTreeMap;

use http::Method;
use stagedoor_api::apigateway as api;

use crate::api_keys::{key, member, plan, quota};
use crate::build::{Integrated as _, mock, rest_api, stage_of_rest};
use crate::logs::{Directory, world};
use crate::world::{Entry, World};

const GROUP: &str = "API-Gateway-Execution-Logs_abc/dev";

/// A stage that logs, and a plan with one key.
fn entries(change: impl FnOnce(&mut api::UsagePlan)) -> Vec<Entry> {
    let method = api::Method {
        api_key_required: Some(true),
        method_integration: Some(mock("{statusCode: 200}").answering("200", "")),
        ..Default::default()
    };
    let api = rest_api("abc").method_with("GET /", method);
    let setting = api::MethodSetting { logging_level: Some("INFO".to_owned()), ..Default::default() };
    let mut entries = stage_of_rest(&api, |stage| {
        stage.method_settings = Some(BTreeMap::from([("*/*".to_owned(), setting)]));
    });
    entries.extend([key("k", true), plan(change), member("k")]);
    entries
}

/// The texts of the lines of a request, and its status.
async fn told(world: &World, directory: &Directory, seen: &mut usize) -> (u16, Vec<String>) {
    let answer =
        world.send(Method::GET, "/_aws/execute-api/abc/dev/", &[("x-api-key", "value-of-k")], "").await;
    let lines = directory.lines(world, GROUP).await.split_off(*seen);
    *seen += lines.len();
    let prefix = format!("({}) ", answer.header("x-amzn-requestid"));
    let texts = lines.iter().map(|line| line.strip_prefix(&prefix).unwrap_or(line).to_owned());
    (answer.status.as_u16(), texts.collect())
}

#[tokio::test]
async fn throttles_are_told_with_their_limits() {
    let directory = Directory::new("plans");
    let world = world(&directory, |_| {}).await;
    let throttle = api::ThrottleSettings { rate_limit: Some(0.001), burst_limit: Some(1) };
    world.store(entries(|plan| plan.throttle = Some(throttle))).await;
    let mut seen = 0;
    let (status, texts) = told(&world, &directory, &mut seen).await;
    assert_eq!(status, 200);
    let beginning = |text: &str| texts.iter().any(|found| found.starts_with(text));
    assert!(beginning("Verifying Usage Plan for request: "), "{texts:#?}");
    assert!(
        beginning("Usage Plan check succeeded for API Key *****-of-k and API Stage abc/dev"),
        "{texts:#?}"
    );
    let (status, texts) = told(&world, &directory, &mut seen).await;
    assert_eq!(status, 429);
    let expected = "Key throttle limit exceeded for RestApi abc, Stage dev, Resource res0, HttpMethod GET. \
                    Limit: 0.00 Burst: 1";
    assert!(texts.iter().any(|text| text == expected), "{texts:#?}");
    assert!(texts.iter().any(|text| text == "Method completed with status: 429"), "{texts:#?}");
}

#[tokio::test]
async fn quotas_are_told_too() {
    let directory = Directory::new("quotas");
    let world = world(&directory, |_| {}).await;
    world.store(entries(|plan| plan.quota = quota(1))).await;
    let mut seen = 0;
    assert_eq!(told(&world, &directory, &mut seen).await.0, 200);
    let (status, texts) = told(&world, &directory, &mut seen).await;
    assert_eq!(status, 429);
    assert!(texts.iter().any(|text| text.starts_with("Verifying Usage Plan")), "{texts:#?}");
    assert!(texts.iter().any(|text| text == "Method completed with status: 429"), "{texts:#?}");
}
