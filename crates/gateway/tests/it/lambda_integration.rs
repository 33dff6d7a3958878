//! `AWS` methods of REST APIs with Lambda functions: templates, selection by the error's message, events.

use http::Method;
use serde_json::json;

use crate::build::{Integrated as _, aws, map, rest_api};
use crate::functions::function;
use crate::world::{Seen, World};

async fn world() -> World {
    let world = World::start_with(|config| config.functions = vec![function("pets", "well")]).await;
    let literal = |text: &str| {
        let mut integration = aws("pets").answering("200", "");
        integration.request_templates = Some(map(&[("application/json", text)]));
        integration
    };
    let api = rest_api("abc")
        .method("ANY /x", aws("pets").answering("200", "").answering("400", ".*four hundred.*"))
        .method("ANY /look", aws("pets").answering("200", "").answering("400", "(?!five).*hundred"))
        .method("ANY /strict", aws("pets").answering("200", "200"))
        .method("ANY /literal", literal(r#"{"do": "nothing"}"#))
        .method("ANY /wrong", literal("no JSON"))
        .method(
            "ANY /event",
            aws("pets").answering("202", "").mapping("header.X-Amz-Invocation-Type", "'Event'"),
        );
    world.store(api.deployed_to("dev")).await;
    world
}

async fn post(world: &World, path: &str, body: &str) -> Seen {
    world.send(Method::POST, &format!("/_aws/execute-api/abc/dev{path}"), &[], body).await
}

#[tokio::test]
async fn results_are_bodies() {
    let world = world().await;
    let answer = post(&world, "/x", r#"{"do": "x", "more": [1]}"#).await;
    answer.is(200, r#"{"do": "x", "more": [1]}"#);
    assert!(answer.header("x-amzn-trace-id").starts_with("Root="), "{answer:?}");
    post(&world, "/literal", r#"{"do": "x"}"#).await.is(200, r#"{"do": "nothing"}"#);
    // No body is the empty object; its event comes back in the form of a proxy's answer.
    assert_eq!(post(&world, "/x", "").await.json(), json!({"statusCode": 200, "body": "{}"}));
}

#[tokio::test]
async fn responses_are_selected_by_the_error_message() {
    let world = world().await;
    let failed = r#"{"errorMessage":"four hundred","errorType":"Oops"}"#;
    post(&world, "/x", r#"{"do": "fail"}"#).await.is(400, failed);
    assert_eq!(post(&world, "/x", r#"{"do": "exit"}"#).await.status, 200, "another error takes the default");
    post(&world, "/look", r#"{"do": "fail"}"#).await.is(400, failed);
    // A pattern for a status code matches nothing, as a function has none (recorded).
    let refused = post(&world, "/strict", r#"{"do": "x"}"#).await;
    refused.is(500, r#"{"message": "Internal server error"}"#);
}

#[tokio::test]
async fn an_event_must_be_json() {
    let world = world().await;
    for (path, body) in [("/x", "{no"), ("/wrong", "{}")] {
        let refused = post(&world, path, body).await;
        assert_eq!(refused.status, 400);
        assert!(refused.body.contains("Could not parse request body into json: "), "{refused:?}");
    }
}

#[tokio::test]
async fn events_are_not_waited_for() {
    let world = world().await;
    // The function would never answer.
    post(&world, "/event", r#"{"do": "hang"}"#).await.is(202, "");
    post(&world, "/x", r#"{"do": "x"}"#).await.is(200, r#"{"do": "x"}"#);
}

#[tokio::test]
async fn events_are_bounded() {
    let world = world().await;
    let mut statuses = Vec::new();
    let event = format!(r#"{{"do": "hang", "long": "{}"}}"#, "x".repeat(1_000_000));
    for _ in 0..70 {
        statuses.push(post(&world, "/event", &event).await.status.as_u16());
    }
    // 64 MiB of them.
    assert_eq!(statuses.iter().filter(|status| **status == 202).count(), 67);
    assert_eq!(statuses.last(), Some(&500));
}
