//! Stages with a cache (rest-data C15).

use http::Method as Verb;
use stagedoor_api::apigateway as api;
use stagedoor_api::apigateway::UnauthorizedCacheControlHeaderStrategy as Strategy;
use stagedoor_state::rest::CacheEpoch;

use crate::build::{Integrated as _, RestApi, map, mock, rest_api, stage_of_rest};
use crate::world::{Entry, Seen, World, entry};

const BASE: &str = "/_aws/execute-api/abc/dev";

/// Methods whose answers differ with every request, by the time in microseconds that nobody else has: its id.
fn counting() -> api::Integration {
    mock("{statusCode: 200}").answering("200", "").with_header("X-Made-For", "context.requestId")
}

fn keyed(parameters: &[&str]) -> api::Integration {
    let parameters = parameters.iter().map(|name| (*name).to_owned()).collect();
    api::Integration { cache_key_parameters: Some(parameters), ..counting() }
}

fn the_api() -> RestApi {
    let namespace = || api::Integration { cache_namespace: Some("shared".to_owned()), ..counting() };
    rest_api("abc")
        .method("GET /", counting())
        .method("POST /", counting())
        .method("GET /pets/{id}", keyed(&["method.request.path.id", "method.request.querystring.q"]))
        .method("GET /langs", keyed(&["method.request.header.Accept-Language"]))
        .method("GET /one", namespace())
        .method("GET /two", namespace())
        .method(
            "GET /gone",
            mock("{statusCode: 404}").answering("404", "").with_header("X-Made-For", "context.requestId"),
        )
        .method("ANY /any", counting())
}

fn cached() -> api::MethodSetting {
    api::MethodSetting { caching_enabled: Some(true), ..Default::default() }
}

fn stage(change: impl FnOnce(&mut api::Stage)) -> Vec<Entry> {
    stage_of_rest(&the_api(), |stage| {
        stage.cache_cluster_enabled = Some(true);
        stage.cache_cluster_size = Some(api::CacheClusterSize::V0_5);
        stage.method_settings = Some([("*/*".to_owned(), cached())].into());
        change(stage);
    })
}

/// The request that an answer was made for.
async fn made_for(world: &World, path: &str) -> String {
    made_with(world, path, &[]).await
}

async fn made_with(world: &World, path: &str, headers: &[(&str, &str)]) -> String {
    world.send(Verb::GET, &format!("{BASE}{path}"), headers, "").await.header("x-made-for").to_owned()
}

/// An answer to somebody who wants a fresh one.
async fn fresh(world: &World) -> Seen {
    world.send(Verb::GET, BASE, &[("cache-control", "no-transform, max-age=0")], "").await
}

#[tokio::test]
async fn get_methods_are_cached_by_the_chosen_parameters() {
    let world = World::start().await;
    world.store(stage(|_| {})).await;
    assert_eq!(made_for(&world, "").await, made_for(&world, "?other=1").await);
    let one = made_for(&world, "/pets/1?q=a").await;
    assert_eq!(one, made_for(&world, "/pets/1?q=a&more=b").await);
    for other in ["/pets/2?q=a", "/pets/1?q=b", "/pets/1", "/pets/1?q=a%00"] {
        assert_ne!(one, made_for(&world, other).await, "{other}");
    }
    let german = made_with(&world, "/langs", &[("accept-language", "de")]).await;
    assert_eq!(german, made_with(&world, "/langs", &[("accept-language", "de")]).await);
    assert_ne!(german, made_with(&world, "/langs", &[("accept-language", "fr")]).await);
    assert_eq!(made_for(&world, "/one").await, made_for(&world, "/two").await, "of one namespace");
    assert_eq!(made_for(&world, "/gone").await, made_for(&world, "/gone").await, "whatever the status");
    assert_eq!(made_for(&world, "/any").await, made_for(&world, "/any").await, "`ANY` asked with GET");
    for path in ["", "/any"] {
        let path = format!("{BASE}{path}");
        let first = world.send(Verb::POST, &path, &[], "{}").await;
        let second = world.send(Verb::POST, &path, &[], "{}").await;
        assert_ne!(first.header("x-made-for"), second.header("x-made-for"), "{path}");
    }
    let figures = world.gateway.metrics();
    assert_eq!((figures[0].cache_hits, figures[0].cache_misses), (6, 11));
}

#[tokio::test]
async fn an_answer_from_the_cache_has_its_own_ids() {
    let world = World::start().await;
    world.store(stage(|_| {})).await;
    let (first, second) = (world.get(BASE).await, world.get(BASE).await);
    assert_eq!(first.header("x-made-for"), second.header("x-made-for"));
    assert_ne!(first.header("x-amzn-requestid"), second.header("x-amzn-requestid"));
}

#[tokio::test]
async fn other_verbs_need_settings_of_their_own() {
    let world = World::start().await;
    world.store(stage(|stage| stage.method_settings = Some([("~1/POST".to_owned(), cached())].into()))).await;
    let post = async || world.send(Verb::POST, BASE, &[], "{}").await.header("x-made-for").to_owned();
    assert_eq!(post().await, post().await);
    assert_ne!(made_for(&world, "").await, made_for(&world, "").await, "GET is not set here");
}

#[tokio::test]
async fn without_a_cluster_or_time_nothing_is_cached() {
    let world = World::start().await;
    world.store(stage(|stage| stage.cache_cluster_enabled = Some(false))).await;
    assert_ne!(made_for(&world, "").await, made_for(&world, "").await);
    let no_time = api::MethodSetting { cache_ttl_in_seconds: Some(0), ..cached() };
    world.store(stage(|stage| stage.method_settings = Some([("*/*".to_owned(), no_time)].into()))).await;
    assert_ne!(made_for(&world, "").await, made_for(&world, "").await);
    assert_eq!(world.gateway.metrics()[0].cache_misses, 0);
}

#[tokio::test]
async fn a_cache_outlives_changes_until_it_is_flushed_or_resized() {
    let world = World::start().await;
    world.store(stage(|_| {})).await;
    let first = made_for(&world, "").await;
    world.store(stage(|stage| stage.variables = Some(map(&[("a", "b")])))).await;
    assert_eq!(made_for(&world, "").await, first);
    world.store(vec![entry(&["abc", "dev"], &CacheEpoch { responses: 1, authorizers: 0 })]).await;
    let second = made_for(&world, "").await;
    assert_ne!(second, first);
    assert_eq!(made_for(&world, "").await, second);
    world.store(stage(|stage| stage.cache_cluster_size = Some(api::CacheClusterSize::V1_6))).await;
    assert_ne!(made_for(&world, "").await, second);
}

#[tokio::test]
async fn who_may_ask_for_a_fresh_answer() {
    let world = World::start().await;
    let with = |required, strategy| {
        let setting = api::MethodSetting {
            require_authorization_for_cache_control: Some(required),
            unauthorized_cache_control_header_strategy: Some(strategy),
            ..cached()
        };
        stage(|stage| stage.method_settings = Some([("*/*".to_owned(), setting)].into()))
    };
    world.store(with(false, Strategy::FailWith403)).await;
    let first = made_for(&world, "").await;
    let second = fresh(&world).await.header("x-made-for").to_owned();
    assert_ne!(first, second);
    assert_eq!(made_for(&world, "").await, second, "the fresh answer is kept");

    world.store(with(true, Strategy::SucceedWithResponseHeader)).await;
    let ignored = fresh(&world).await;
    assert_eq!(ignored.header("x-made-for"), second);
    let warning = "199 Cache-control headers were ignored because the caller was unauthorized.";
    assert_eq!(ignored.header("warning"), warning);

    world.store(with(true, Strategy::SucceedWithoutResponseHeader)).await;
    let ignored = fresh(&world).await;
    assert_eq!((ignored.header("x-made-for"), ignored.header("warning")), (second.as_str(), ""));

    world.store(with(true, Strategy::FailWith403)).await;
    let refused = fresh(&world).await;
    assert_eq!((refused.status.as_u16(), refused.header("x-amzn-errortype")), (403, "AccessDeniedException"));
}

#[tokio::test]
async fn a_canary_has_its_own_cache_unless_told_otherwise() {
    let world = World::start().await;
    let with = |percent, shares| {
        stage(|stage| {
            stage.canary_settings = Some(api::CanarySettings {
                deployment_id: Some("dep1".to_owned()),
                percent_traffic: Some(percent),
                use_stage_cache: Some(shares),
                ..Default::default()
            });
        })
    };
    world.store(with(0.0, false)).await;
    let of_stage = made_for(&world, "").await;
    world.store(with(100.0, false)).await;
    let of_canary = made_for(&world, "").await;
    assert_ne!(of_canary, of_stage);
    assert_eq!(made_for(&world, "").await, of_canary);
    world.store(with(100.0, true)).await;
    assert_eq!(made_for(&world, "").await, of_stage);
    world.store(with(100.0, false)).await;
    assert_ne!(made_for(&world, "").await, of_stage);
}
