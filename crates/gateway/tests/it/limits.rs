//! Requests and answers over the quotas.

use std::time::Duration;

use http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::backend::Backend;
use crate::build::{http_api, http_proxy, rest_api};
use crate::world::World;

const REST: &str = "/_aws/execute-api/rest1/dev";
const HTTP: &str = "/_aws/execute-api/http1";

async fn world() -> (World, Backend) {
    let world = World::start().await;
    let backend = Backend::start().await;
    world.store(rest_api("rest1").method("ANY /", http_proxy(&backend.url("/"))).deployed_to("dev")).await;
    world.store(http_api("http1").route("$default", &backend.url("")).deployed_to("$default")).await;
    (world, backend)
}

#[tokio::test]
async fn bodies_that_say_they_are_too_long_are_refused() {
    let (world, _backend) = world().await;
    let body = "x".repeat(10 * 1024 * 1024 + 1);
    world.send(Method::POST, REST, &[], &body).await.is(413, r#"{"message":"Request Too Long"}"#);
    world.send(Method::POST, HTTP, &[], &body).await.is(413, r#"{"message":"Request Entity Too Large"}"#);
    let largest = &body[1..];
    let count = format!("{HTTP}/count");
    world.send(Method::POST, &count, &[], largest).await.is(200, &largest.len().to_string());
}

/// Sends 11 MiB in chunks, whose end the gateway cannot know, and returns the first line of the answer.
async fn send_chunks(world: &World, path: &str) -> String {
    let mut socket = TcpStream::connect(world.address).await.expect("a connection");
    let head = format!("POST {path} HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n");
    socket.write_all(head.as_bytes()).await.expect("the head is sent");
    let chunk = format!("100000\r\n{}\r\n", "x".repeat(0x10_0000));
    for _ in 0..11 {
        if socket.write_all(chunk.as_bytes()).await.is_err() {
            break;
        }
    }
    socket.write_all(b"0\r\n\r\n").await.ok();
    let mut answer = vec![0; 64];
    let read = socket.read(&mut answer).await.expect("an answer");
    String::from_utf8_lossy(&answer[..read]).lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn bodies_that_turn_out_too_long_are_refused() {
    let (world, _backend) = world().await;
    assert_eq!(send_chunks(&world, REST).await, "HTTP/1.1 413 Payload Too Large");
    assert_eq!(send_chunks(&world, HTTP).await, "HTTP/1.1 413 Payload Too Large");
}

/// An upload that does not end keeps the room it has taken, and no more than that.
#[tokio::test]
async fn bodies_share_their_room() {
    const ROOM: usize = 1024 * 1024;
    let world = World::start_with(|config| config.request_bodies_bytes_max = ROOM).await;
    let backend = Backend::start().await;
    world.store(rest_api("rest1").method("ANY /", http_proxy(&backend.url("/"))).deployed_to("dev")).await;
    world.store(http_api("http1").route("$default", &backend.url("")).deployed_to("$default")).await;
    let mut upload = TcpStream::connect(world.address).await.expect("a connection");
    let head = format!("POST {HTTP}/count HTTP/1.1\r\nhost: h\r\ncontent-length: {ROOM}\r\n\r\n");
    upload.write_all(head.as_bytes()).await.expect("the head is sent");
    upload.write_all(&vec![b'x'; ROOM * 3 / 4]).await.expect("most of the body is sent");
    let body = "x".repeat(ROOM / 2);
    // The upload has come when there is no room for others.
    while world.send(Method::POST, HTTP, &[], &body).await.status != 503 {}
    world.send(Method::POST, HTTP, &[], &body).await.is(503, r#"{"message":"Service Unavailable"}"#);
    world.send(Method::POST, REST, &[], &body).await.is(503, r#"{"message": "Service Unavailable"}"#);
    let small = world.send(Method::POST, &format!("{HTTP}/count"), &[], &body[..ROOM / 8]).await;
    small.is(200, &(ROOM / 8).to_string());
    upload.write_all(&vec![b'x'; ROOM / 4]).await.expect("the rest is sent");
    let mut answer = vec![0; 12];
    upload.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 200");
    world.send(Method::POST, &format!("{HTTP}/count"), &[], &body).await.is(200, &body.len().to_string());
}

/// Also one that comes in parts, and takes its time: the backend has all of it at once.
#[tokio::test]
async fn bodies_reach_backends_whole() {
    let (world, backend) = world().await;
    world
        .store(rest_api("rest1").method("ANY /", http_proxy(&backend.url("/first"))).deployed_as(
            "dep2",
            "dev",
            &[],
        ))
        .await;
    for path in [REST.to_owned(), format!("{HTTP}/first")] {
        let mut socket = TcpStream::connect(world.address).await.expect("a connection");
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n5\r\nearly\r\n");
        socket.write_all(head.as_bytes()).await.expect("the head and a part are sent");
        let mut answer = String::new();
        let mut part = [0; 1024];
        let early = tokio::time::timeout(Duration::from_millis(200), socket.read(&mut part)).await;
        assert!(early.is_err(), "an answer though the request has not ended");
        socket.write_all(b"5\r\n-late\r\n0\r\n\r\n").await.expect("the rest is sent");
        while !answer.ends_with("early-late") {
            let read = socket.read(&mut part).await.expect("an answer");
            assert_ne!(read, 0, "{answer}");
            answer.push_str(&String::from_utf8_lossy(&part[..read]));
        }
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    }
}

#[tokio::test]
async fn headers_that_are_too_long_are_refused() {
    let (world, _backend) = world().await;
    let long = "x".repeat(10_240);
    let headers = [("x-long", long.as_str())];
    let too_long = r#"{"message":"Request Header Fields Too Large"}"#;
    world.send(Method::GET, REST, &headers, "").await.is(431, too_long);
    world.send(Method::GET, HTTP, &headers, "").await.is(431, too_long);
    let shorter = [("x-long", &long[..9_000])];
    assert_eq!(world.send(Method::GET, REST, &shorter, "").await.status, 200);
}

#[tokio::test]
async fn answers_that_are_too_long_fail() {
    let (world, backend) = world().await;
    world
        .store(rest_api("large").method("GET /", http_proxy(&backend.url("/large"))).deployed_to("dev"))
        .await;
    world.get("/_aws/execute-api/large/dev").await.is(500, r#"{"message": "Internal server error"}"#);
    world.get(&format!("{HTTP}/large")).await.is(500, r#"{"message":"Internal Server Error"}"#);
}
