//! `MOCK` methods of REST APIs.

use http::Method;
use stagedoor_api::apigateway as api;

use crate::build::{Integrated as _, map, mock, rest_api};
use crate::world::{Seen, World};

async fn get(integration: api::Integration) -> Seen {
    send(integration, &[], "").await
}

async fn send(integration: api::Integration, headers: &[(&str, &str)], body: &str) -> Seen {
    let world = World::start().await;
    let api = rest_api("abc").method("POST /", integration);
    world.store(api.deployed_as("dep1", "dev", &[("colour", "green")])).await;
    world.send(Method::POST, "/_aws/execute-api/abc/dev", headers, body).await
}

#[tokio::test]
async fn the_template_chooses_the_answer() {
    let integration = |template| {
        mock(template)
            .answering("200", "")
            .with_body("application/json", r#"{"ok":true}"#)
            .answering("404", "404")
            .with_body("application/json", "gone")
    };
    let answer = get(integration("{statusCode: 200}")).await;
    answer.is(200, r#"{"ok":true}"#);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("x-amzn-requestid").len(), 36);
    assert!(answer.header("x-amz-apigw-id").ends_with('='), "{answer:?}");
    assert!(!answer.header("date").is_empty(), "{answer:?}");
    assert_eq!(answer.header("x-amzn-trace-id"), "", "not on mocks");
    get(integration(r#"{"statusCode": 404}"#)).await.is(404, "gone");
    get(integration(r#"{"statusCode": 500}"#)).await.is(200, r#"{"ok":true}"#);
}

#[tokio::test]
async fn headers_come_from_literals_variables_and_context() {
    let integration = mock("{statusCode: 200}")
        .answering("200", "")
        .with_header("X-Literal", "'text'")
        .with_header("X-Colour", "stageVariables.colour")
        .with_header("X-None", "stageVariables.none")
        .with_header("X-Stage", "context.stage")
        .with_header("X-Path", "context.resourcePath")
        .with_header("X-Time", "context.requestTime")
        .with_header("X-Account", "context.accountId")
        .with_header("Date", "'mapped'")
        .with_header("Transfer-Encoding", "'mapped'")
        .with_header("Content-Type", "'text/html'");
    let answer = get(integration).await;
    answer.is(200, "");
    for (name, value) in [
        ("x-literal", "text"),
        ("x-colour", "green"),
        ("x-none", ""),
        ("x-stage", "dev"),
        ("x-path", "/"),
        ("x-time", "14/Nov/2023:22:13:20 +0000"),
        ("x-account", "111122223333"),
        ("x-amzn-remapped-date", "mapped"),
        ("transfer-encoding", ""),
        ("content-type", "text/html"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    assert_ne!(answer.header("date"), "mapped");
}

#[tokio::test]
async fn accept_chooses_the_response_template() {
    let integration = mock("{statusCode: 200}")
        .answering("200", "")
        .with_body("application/json", "json")
        .with_body("text/html", "html");
    send(integration.clone(), &[("accept", "text/html")], "").await.is(200, "html");
    send(integration.clone(), &[("accept", "image/png")], "").await.is(200, "json");
    get(integration).await.is(200, "json");
}

#[tokio::test]
async fn without_a_template_the_body_holds_the_status() {
    let integration = || api::Integration { request_templates: None, ..mock("").answering("201", "201") };
    send(integration(), &[], "{statusCode: 201}").await.is(201, "");
    let answer = send(integration(), &[], "hello").await;
    answer.is(500, r#"{"message": "Internal server error"}"#);
    assert_eq!(answer.header("x-amzn-errortype"), "InternalServerErrorException");
}

#[tokio::test]
async fn types_without_a_template_are_refused_if_so_configured() {
    let integration = |behaviour: &str| api::Integration {
        passthrough_behavior: Some(behaviour.to_owned()),
        ..mock("{statusCode: 200}").answering("200", "")
    };
    let xml = [("content-type", "text/xml")];
    send(integration("NEVER"), &xml, "<x/>").await.is(415, r#"{"message":"Unsupported Media Type"}"#);
    send(integration("WHEN_NO_TEMPLATES"), &xml, "<x/>")
        .await
        .is(415, r#"{"message":"Unsupported Media Type"}"#);
    send(integration("NEVER"), &[("content-type", "application/json; charset=utf-8")], "{}")
        .await
        .is(200, "");
    let both = api::Integration {
        request_templates: Some(map(&[("$default", "{statusCode: 200}")])),
        ..integration("NEVER")
    };
    send(both, &xml, "<x/>").await.is(200, "");
}

#[tokio::test]
async fn what_cannot_work_is_an_internal_error() {
    let error = r#"{"message": "Internal server error"}"#;
    get(mock("{statusCode: ok}").answering("200", "")).await.is(500, error);
    get(mock("{}").answering("200", "")).await.is(500, error);
    // A text is no integer, and AWS says so.
    get(mock(r#"{"statusCode": "200"}"#).answering("200", "")).await.is(500, error);
    get(mock("{statusCode: 200}")).await.is(500, error);
    get(mock("{statusCode: 200}").answering("404", "404")).await.is(500, error);
}
