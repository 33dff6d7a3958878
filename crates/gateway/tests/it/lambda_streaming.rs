//! `AWS_PROXY` methods whose answers are streamed: rest-data C12.

use std::io::Write as _;

use ::http::Method;
use http_body_util::BodyExt as _;
use stagedoor_api::apigateway as rest;
use tokio::net::TcpListener;

use crate::build::{aws_proxy, rest_api};
use crate::functions::function;
use crate::world::World;

const PATH: &str = "/_aws/execute-api/abc/dev/x";

async fn world() -> World {
    let world = World::start_with(|config| config.functions = vec![function("pets", "well")]).await;
    let streaming = rest::Integration {
        response_transfer_mode: Some(rest::ResponseTransferMode::Stream),
        uri: Some(
            crate::build::function_uri("pets").replace("/invocations", "/response-streaming-invocations"),
        ),
        ..aws_proxy("pets")
    };
    world.store(rest_api("abc").method("ANY /x", streaming).deployed_to("dev")).await;
    world
}

#[tokio::test]
async fn the_beginning_arrives_before_the_end() {
    let world = world().await;
    // The function writes its second part when this lets it.
    let gate = TcpListener::bind("127.0.0.1:0").await.expect("a free port on loopback");
    let instruction = format!("stream {}", gate.local_addr().expect("a bound socket has an address"));
    let answer = world.open(Method::POST, PATH, &[], &instruction).await;
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.headers()["x-streamed"], "yes");
    assert_eq!(answer.headers().get_all("set-cookie").iter().count(), 2);
    let mut body = answer.into_body();
    let first = body.frame().await.expect("a part").expect("no error").into_data().expect("data");
    assert_eq!(first, "first,");
    let (socket, _) = gate.accept().await.expect("the function waits");
    let mut socket = socket.into_std().expect("a socket");
    socket.set_nonblocking(false).expect("a socket that waits");
    socket.write_all(b"go").expect("the function reads");
    drop(socket);
    let rest = body.collect().await.expect("the answer is complete").to_bytes();
    assert_eq!(rest, "second");
    // The process serves on.
    world.send(Method::POST, PATH, &[], "stream").await.is(201, "first,second");
}

#[tokio::test]
async fn what_has_no_head_is_no_answer() {
    let world = world().await;
    let failed = r#"{"message": "Internal server error"}"#;
    world.send(Method::POST, PATH, &[], r#"{"statusCode": 200}"#).await.is(502, failed);
    world.send(Method::POST, PATH, &[], "fail").await.is(502, failed);
    world.send(Method::POST, PATH, &[], "stream garbage").await.is(502, failed);
}

#[tokio::test]
async fn an_end_too_early_breaks_the_answer_off() {
    let world = world().await;
    let answer = world.open(Method::POST, PATH, &[], "stream exit").await;
    assert_eq!(answer.status(), 201);
    assert!(answer.into_body().collect().await.is_err(), "half an answer is not taken for a whole one");
}
