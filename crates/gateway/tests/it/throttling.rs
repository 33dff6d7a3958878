//! Throttles of stages, routes and accounts (rest-data C8, http-data D7).

use stagedoor_api::{apigateway as rest, apigatewayv2 as http};

use crate::backend::Backend;
use crate::build::{Integrated as _, http_api, mock, rest_api, stage_of_http, stage_of_rest};
use crate::world::World;

const TOO_MANY: &str = r#"{"message":"Too Many Requests"}"#;

fn setting(rate: f64, burst: i64) -> rest::MethodSetting {
    rest::MethodSetting {
        throttling_rate_limit: Some(rate),
        throttling_burst_limit: Some(burst),
        ..Default::default()
    }
}

fn settings(pairs: &[(&str, rest::MethodSetting)]) -> impl Fn(&mut rest::Stage) + use<> {
    let settings = pairs.iter().map(|(key, setting)| ((*key).to_owned(), setting.clone())).collect();
    move |stage| stage.method_settings = Some(std::collections::BTreeMap::clone(&settings))
}

fn api() -> crate::build::RestApi {
    let ok = || mock("{statusCode: 200}").answering("200", "");
    rest_api("abc").method("GET /", ok()).method("GET /a/b", ok()).method("ANY /any", ok())
}

/// The statuses of so many requests.
async fn statuses(world: &World, path: &str, tries: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..tries {
        statuses.push(world.get(path).await.status.as_u16());
    }
    statuses
}

#[tokio::test]
async fn methods_have_their_own_settings_and_others_those_of_all() {
    let world = World::start().await;
    let of_stage = settings(&[
        ("*/*", setting(0.001, 2)),
        ("a~1b/GET", setting(0.0, 0)),
        ("any/GET", setting(-1.0, -1)),
    ]);
    world.store(stage_of_rest(&api(), of_stage)).await;
    assert_eq!(statuses(&world, "/_aws/execute-api/abc/dev", 4).await, [200, 200, 429, 429]);
    assert_eq!(statuses(&world, "/_aws/execute-api/abc/dev/a/b", 1).await, [429]);
    assert_eq!(statuses(&world, "/_aws/execute-api/abc/dev/any", 4).await, [200; 4], "negative is no limit");
    let refused = world.get("/_aws/execute-api/abc/dev").await;
    refused.is(429, TOO_MANY);
    assert_eq!(refused.header("x-amzn-errortype"), "TooManyRequestsException");
}

#[tokio::test]
async fn any_has_settings_of_its_own_too() {
    let world = World::start().await;
    let of_stage = settings(&[
        ("*/*", setting(0.001, 1)),
        ("any/ANY", setting(0.001, 2)),
        ("any/PUT", setting(0.001, 1)),
    ]);
    world.store(stage_of_rest(&api(), of_stage)).await;
    let path = "/_aws/execute-api/abc/dev/any";
    let mut seen = Vec::new();
    for verb in ["PUT", "PUT", "GET", "POST", "PATCH"] {
        let verb: ::http::Method = verb.parse().expect("a verb");
        seen.push(world.send(verb, path, &[], "").await.status.as_u16());
    }
    assert_eq!(seen, [200, 429, 200, 200, 429]);
}

#[tokio::test]
async fn buckets_outlive_deployments_and_settings() {
    let world = World::start().await;
    world.store(stage_of_rest(&api(), settings(&[("*/*", setting(0.001, 2))]))).await;
    assert_eq!(statuses(&world, "/_aws/execute-api/abc/dev", 3).await, [200, 200, 429]);
    world.store(stage_of_rest(&api(), settings(&[("~1/GET", setting(0.001, 3))]))).await;
    assert_eq!(statuses(&world, "/_aws/execute-api/abc/dev", 2).await, [200, 429], "one more, not three");
}

#[tokio::test]
async fn untouched_defaults_are_no_limit_and_account_throttles_are_shared() {
    let world = World::start_with(|config| config.account_throttle = Some((0.001, 3))).await;
    world.store(stage_of_rest(&api(), settings(&[("*/*", setting(10_000.0, 5_000))]))).await;
    assert_eq!(statuses(&world, "/_aws/execute-api/abc/dev", 2).await, [200, 200]);
    assert_eq!(statuses(&world, "/_aws/execute-api/abc/dev/any", 2).await, [200, 429]);
}

#[tokio::test]
async fn routes_of_http_apis() {
    let (world, backend) = (World::start().await, Backend::start().await);
    let api = http_api("h").route("GET /a", &backend.url("/")).route("GET /b", &backend.url("/"));
    let route = |rate, burst| http::RouteSettings {
        throttling_rate_limit: Some(rate),
        throttling_burst_limit: Some(burst),
        ..Default::default()
    };
    world
        .store(stage_of_http(&api, |stage| {
            stage.default_route_settings = Some(route(0.001, 1));
            stage.route_settings = Some([("GET /b".to_owned(), route(0.001, 2))].into());
        }))
        .await;
    assert_eq!(statuses(&world, "/_aws/execute-api/h/dev/a", 2).await, [200, 429]);
    assert_eq!(statuses(&world, "/_aws/execute-api/h/dev/b", 3).await, [200, 200, 429]);
    world.get("/_aws/execute-api/h/dev/b").await.is(429, TOO_MANY);
}
