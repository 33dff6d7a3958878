//! `AWS_PROXY` methods of REST APIs and routes of HTTP APIs with functions that run here: from answers to answers.

use http::Method;

use crate::build::{aws_proxy, http_api, rest_api};
use crate::functions::{function, header};
use crate::world::{Seen, World};

const REST: &str = "/_aws/execute-api/abc/dev/x";
const HTTP: &str = "/_aws/execute-api/def";

async fn world() -> World {
    let world = World::start_with(|config| config.functions = vec![function("pets", "well")]).await;
    let rest = rest_api("abc")
        .change(|api| api.binary_media_types = Some(vec!["image/png".to_owned()]))
        .method("ANY /x", aws_proxy("pets"))
        .method("ANY /live", aws_proxy("pets:live"))
        .method("ANY /variable", aws_proxy("${stageVariables.name}"))
        .method("ANY /get", {
            let mut integration = aws_proxy("pets");
            integration.http_method = Some("GET".to_owned());
            integration
        })
        .method("ANY /unknown", aws_proxy("unknown"));
    world.store(rest.deployed_as("dep1", "dev", &[("name", "pets:3")])).await;
    let http = http_api("def")
        .function("ANY /v1", "pets", "1.0")
        .function("ANY /v2", "pets", "2.0")
        .function("ANY /unknown", "unknown", "2.0");
    world.store(http.deployed_to("$default")).await;
    world
}

async fn post(world: &World, path: &str, body: &str) -> Seen {
    world.send(Method::POST, path, &[], body).await
}

#[tokio::test]
async fn rest_apis_answer_what_the_function_returns() {
    let world = world().await;
    let answer =
        post(&world, REST, r#"{"statusCode": 201, "headers": {"X-Own": "1", "Date": "d"}, "body": "made"}"#)
            .await;
    answer.is(201, "made");
    assert_eq!(answer.header("x-own"), "1");
    assert_eq!(answer.header("x-amzn-remapped-date"), "d");
    assert_eq!(answer.header("content-type"), "application/json");
    // `Root=1-{8}-{24};Parent={16};Sampled=0;Lineage=1:{8}:0`
    let lengths = |trace: &str| trace.split([';', ':', '=']).map(str::len).collect::<Vec<_>>();
    let trace = answer.header("x-amzn-trace-id");
    assert_eq!(lengths(trace), [4, 35, 6, 16, 7, 1, 7, 1, 8, 1], "{trace}");
    assert!(trace.starts_with("Root=1-") && trace.contains(";Sampled=0;Lineage=1:"), "{trace}");
    let sent = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    let answer = world.send(Method::POST, REST, &[("x-amzn-trace-id", sent)], "head").await;
    let told = header(&answer.body, "lambda-runtime-trace-id");
    assert!(told.starts_with(&format!("{sent};Lineage=1:")), "{told}");
    assert_eq!(answer.header("x-amzn-trace-id"), told, "the function is told the same");
    let two = post(&world, REST, r#"{"multiValueHeaders": {"set-cookie": ["a=1", "b=2"]}}"#).await;
    two.is(200, "");
    assert_eq!(two.headers.get_all("set-cookie").iter().count(), 2);
    post(&world, REST, r#"{"statusCode": 204, "body": "dropped"}"#).await.is(204, "");
}

#[tokio::test]
async fn bytes_go_to_clients_that_accept_them() {
    let world = world().await;
    let body = r#"{"body": "dGVzdC1kYXRh", "isBase64Encoded": true}"#;
    for (accept, expected) in [("image/png, */*", "test-data"), ("text/html, image/png", "dGVzdC1kYXRh")] {
        world.send(Method::POST, REST, &[("accept", accept)], body).await.is(200, expected);
    }
    let wrong = r#"{"body": "!", "isBase64Encoded": true}"#;
    let refused = world.send(Method::POST, REST, &[("accept", "image/png")], wrong).await;
    refused.is(500, r#"{"message": "Internal server error"}"#);
}

#[tokio::test]
async fn http_apis_infer_answers() {
    let world = world().await;
    let plain = post(&world, &format!("{HTTP}/v2"), r#"{"hello": "world"}"#).await;
    plain.is(200, r#"{"hello": "world"}"#);
    assert_eq!(plain.header("content-type"), "application/json");
    assert_eq!(plain.header("x-amzn-requestid"), "");
    let told =
        post(&world, &format!("{HTTP}/v2"), r#"{"statusCode": 202, "cookies": ["a=1"], "body": "b"}"#).await;
    told.is(202, "b");
    assert_eq!(told.header("set-cookie"), "a=1");
    let told = post(&world, &format!("{HTTP}/v1"), r#"{"statusCode": 202, "body": "b"}"#).await;
    told.is(202, "b");
    assert_eq!(told.header("content-type"), "text/plain; charset=utf-8");
    let malformed = post(&world, &format!("{HTTP}/v1"), r#"{"hello": "world"}"#).await;
    malformed.is(500, r#"{"message":"Internal Server Error"}"#);
}

#[tokio::test]
async fn a_function_is_told_its_arn_and_time() {
    let world = world().await;
    let base = "arn:aws:lambda:eu-west-1:111122223333:function:pets";
    for (path, arn) in
        [("x", base.to_owned()), ("live", format!("{base}:live")), ("variable", format!("{base}:3"))]
    {
        let head = post(&world, &format!("/_aws/execute-api/abc/dev/{path}"), "head").await.body;
        assert_eq!(header(&head, "lambda-runtime-invoked-function-arn"), arn);
        assert_eq!(header(&head, "lambda-runtime-deadline-ms"), "1700000020000");
        assert_eq!(header(&head, "lambda-runtime-aws-request-id").len(), 36);
        assert!(header(&head, "lambda-runtime-trace-id").starts_with("Root=1-6553f100-"), "{head}");
    }
    let environment = post(&world, REST, "environment").await.body;
    for name in ["AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] {
        assert!(environment.contains(name), "{environment}");
    }
    assert!(!environment.contains("CARGO"), "nothing of the server's own environment: {environment}");
}

#[tokio::test]
async fn what_cannot_be_invoked_is_an_error() {
    let world = world().await;
    for path in ["get", "unknown"] {
        let refused = post(&world, &format!("/_aws/execute-api/abc/dev/{path}"), "event").await;
        refused.is(500, r#"{"message": "Internal server error"}"#);
        assert_eq!(refused.header("x-amzn-errortype"), "InternalServerErrorException");
    }
    let refused = post(&world, &format!("{HTTP}/unknown"), "event").await;
    refused.is(500, r#"{"message":"Internal Server Error"}"#);
}
