//! What is stored is served with the next request; nothing that was not deployed is.

use stagedoor_api::apigateway::{RestApi, Stage};
use stagedoor_state::rest::Snapshot;

use crate::build::{Integrated as _, mock, rest_api};
use crate::world::{World, gone};

fn saying(text: &str) -> crate::build::RestApi {
    rest_api("abc")
        .method("GET /", mock("{statusCode: 200}").answering("200", "").with_body("application/json", text))
}

#[tokio::test]
async fn a_stage_serves_what_is_deployed_to_it() {
    let world = World::start().await;
    world.store(saying("one").deployed_as("dep1", "dev", &[])).await;
    world.get("/_aws/execute-api/abc/dev").await.is(200, "one");

    world.store(saying("two").deployed_as("dep2", "prod", &[])).await;
    world.get("/_aws/execute-api/abc/dev").await.is(200, "one");
    world.get("/_aws/execute-api/abc/prod").await.is(200, "two");

    // Back to an older deployment: only the stage's document changes.
    let mut entries = saying("ignored").deployed_as("dep1", "prod", &[]);
    entries.remove(1);
    world.store(entries).await;
    world.get("/_aws/execute-api/abc/prod").await.is(200, "one");
}

#[tokio::test]
async fn what_is_deleted_is_no_longer_served() {
    let world = World::start().await;
    world.store(saying("one").deployed_to("dev")).await;
    world.store(saying("one").deployed_to("prod")).await;
    world.store(vec![gone::<Stage>(&["abc", "dev"])]).await;
    assert_eq!(world.get("/_aws/execute-api/abc/dev").await.status, 403);
    world.get("/_aws/execute-api/abc/prod").await.is(200, "one");
    world.store(vec![gone::<Snapshot>(&["abc", "dep1"])]).await;
    assert_eq!(world.get("/_aws/execute-api/abc/prod").await.status, 403);
    world.store(saying("again").deployed_to("prod")).await;
    world.get("/_aws/execute-api/abc/prod").await.is(200, "again");
    world.store(vec![gone::<RestApi>(&["abc"])]).await;
    assert_eq!(world.get("/_aws/execute-api/abc/prod").await.status, 403);
}

#[tokio::test]
async fn a_cleared_store_serves_nothing() {
    let world = World::start().await;
    world.store(saying("one").deployed_to("dev")).await;
    let store = world.store.clone();
    let cleared = tokio::task::spawn_blocking(move || store.clear()).await.expect("the thread ends");
    world.gateway.caught_up(cleared.expect("the store is cleared")).await;
    assert_eq!(world.get("/_aws/execute-api/abc/dev").await.status, 403);
    world.store(saying("new").deployed_to("dev")).await;
    world.get("/_aws/execute-api/abc/dev").await.is(200, "new");
}

#[tokio::test]
async fn a_document_that_cannot_be_read_takes_nothing_else_down() {
    let world = World::start().await;
    let mut broken = saying("one").deployed_as("dep9", "broken", &[]);
    broken[1].1 = Some(b"not json".to_vec());
    world.store(broken).await;
    world.store(saying("one").deployed_to("dev")).await;
    world.get("/_aws/execute-api/abc/dev").await.is(200, "one");
    assert_eq!(world.get("/_aws/execute-api/abc/broken").await.status, 403);
}

#[tokio::test]
async fn stages_that_were_stored_before_the_start_are_served() {
    let first = World::start().await;
    first.store(saying("one").deployed_to("dev")).await;
    let second = stagedoor_gateway::Gateway::new(
        first.store.clone(),
        stagedoor_gateway::Config::new(|| std::time::Duration::from_secs(1)),
    );
    let running = second.clone();
    tokio::spawn(async move { running.run(std::future::pending()).await });
    second.caught_up(first.store.head()).await;
    assert_eq!(second.metrics().len(), 1);
}

#[tokio::test]
async fn requests_are_counted_by_stage_and_outlive_changes() {
    let world = World::start().await;
    world.store(saying("one").deployed_to("dev")).await;
    world.get("/_aws/execute-api/abc/dev").await.is(200, "one");
    world.get("/_aws/execute-api/abc/dev/nothing").await;
    world.store(saying("two").deployed_as("dep2", "dev", &[])).await;
    world.get("/_aws/execute-api/abc/dev").await.is(200, "two");
    let figures = world.gateway.metrics();
    let [figures] = figures.as_slice() else { panic!("one stage: {figures:?}") };
    assert_eq!((figures.api.as_str(), figures.stage.as_str()), ("abc", "dev"));
    assert_eq!((figures.requests, figures.client_errors, figures.server_errors), (3, 1, 0));
    assert!(figures.latency.sum > std::time::Duration::ZERO);
}
