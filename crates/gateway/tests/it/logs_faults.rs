//! Clients and backends that misbehave: the access log has their line, and others are served meanwhile.

use std::time::Duration;

use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::backend::Backend;
use crate::build::{Integrated as _, http_proxy, mock, rest_api, stage_of_rest};
use crate::logs::{Directory, access, world};
use crate::world::World;

const HOST: &str = "abc.execute-api.eu-west-1.amazonaws.com";

async fn logging(directory: &Directory, backend: &Backend) -> World {
    let world = world(directory, |_| {}).await;
    let api = rest_api("abc")
        .method("GET /well", mock("{\"statusCode\": 200}").answering("200", ""))
        .method("ANY /never", http_proxy(&backend.url("/never")))
        .method("ANY /drip", http_proxy(&backend.url("/drip")))
        .method("ANY /echo", http_proxy(&backend.url("/echo")));
    let format = "$context.httpMethod $context.path $context.status $context.error.responseType";
    world.store(stage_of_rest(&api, |stage| stage.access_log_settings = access(format))).await;
    world
}

/// Waits for the line of a path.
async fn line_of(directory: &Directory, world: &World, path: &str) -> String {
    loop {
        let lines = directory.lines(world, "access").await;
        if let Some(line) = lines.into_iter().find(|line| line.contains(path)) {
            return line;
        }
        tokio::task::yield_now().await;
    }
}

async fn raw(world: &World, text: &str) -> TcpStream {
    let mut socket = TcpStream::connect(world.address).await.expect("a listener");
    socket.write_all(text.as_bytes()).await.expect("an open connection");
    socket
}

#[tokio::test]
async fn clients_that_go_away_are_logged() {
    let directory = Directory::new("aborted");
    let backend = Backend::start().await;
    let world = logging(&directory, &backend).await;
    let socket = raw(&world, &format!("GET /dev/never HTTP/1.1\r\nhost: {HOST}\r\n\r\n")).await;
    world.get_from(HOST, "/dev/well").await;
    drop(socket);
    assert_eq!(line_of(&directory, &world, "/dev/never").await, "GET /dev/never 499 -");
    // In the middle of the answer.
    let mut socket = raw(&world, &format!("GET /dev/drip HTTP/1.1\r\nhost: {HOST}\r\n\r\n")).await;
    let mut beginning = [0; 12];
    socket.read_exact(&mut beginning).await.expect("an answer begins");
    assert_eq!(&beginning, b"HTTP/1.1 200");
    drop(socket);
    assert_eq!(line_of(&directory, &world, "/dev/drip").await, "GET /dev/drip 200 -");
}

#[tokio::test]
async fn a_body_that_never_ends_holds_nobody_up() {
    let directory = Directory::new("slow");
    let backend = Backend::start().await;
    let world = logging(&directory, &backend).await;
    let head = format!("POST /dev/echo HTTP/1.1\r\nhost: {HOST}\r\ncontent-length: 1000\r\n\r\nx");
    let mut slow = Vec::new();
    for _ in 0..50 {
        slow.push(raw(&world, &head).await);
    }
    let served = tokio::time::timeout(Duration::from_secs(20), world.get_from(HOST, "/dev/well")).await;
    assert_eq!(served.expect("others are served").status, 200);
    drop(slow);
    line_of(&directory, &world, "/dev/echo").await;
}

#[tokio::test]
async fn requests_that_are_none_are_refused_and_nothing_else_is_read() {
    let directory = Directory::new("smuggled");
    let backend = Backend::start().await;
    let world = logging(&directory, &backend).await;
    let smuggled = format!("GET /dev/well?smuggled HTTP/1.1\r\nhost: {HOST}\r\n\r\n");
    for head in [
        // Both lengths disagree: the chunked one counts, or the request is refused (RFC 9112, 6.3).
        "content-length: 5\r\ncontent-length: 6\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\nzz\r\n",
        "transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "content-length: +5\r\n\r\n",
        "x-folded: a\r\n b\r\n\r\n",
        "x bad: a\r\n\r\n",
    ] {
        let mut socket = raw(&world, &format!("POST /dev/well HTTP/1.1\r\nhost: {HOST}\r\n{head}")).await;
        socket.write_all(smuggled.as_bytes()).await.ok();
        socket.shutdown().await.ok();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(20), socket.read_to_end(&mut answer)).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(read.is_ok(), "{head:?} ends: {answer}");
        assert!(!answer.contains("HTTP/1.1 200"), "{head:?} is not served: {answer}");
    }
    world.get_from(HOST, "/dev/well").await.is(200, "");
}

#[tokio::test]
async fn a_backend_that_dies_in_its_answer_breaks_the_clients_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port on loopback");
    let address = listener.local_addr().expect("a bound socket has an address");
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut asked = [0; 1024];
            let _ = socket.read(&mut asked).await;
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await;
        }
    });
    let directory = Directory::new("died");
    let world = world(&directory, |_| {}).await;
    let api = rest_api("abc").method("GET /died", http_proxy(&format!("http://{address}/")));
    let format = "$context.path $context.status $context.responseLength";
    world.store(stage_of_rest(&api, |stage| stage.access_log_settings = access(format))).await;
    let answer = world.open(http::Method::GET, "/dev/died", &[("host", HOST)], "").await;
    assert_eq!(answer.status(), 200);
    assert!(answer.into_body().collect().await.is_err(), "the client learns of it");
    assert_eq!(line_of(&directory, &world, "/dev/died").await, "/dev/died 200 4");
}

#[tokio::test]
async fn a_sink_that_hangs_holds_nobody_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port on loopback");
    let address = listener.local_addr().expect("a bound socket has an address");
    let directory = Directory::new("hanging-sink");
    let url = format!("http://{address}").parse().expect("a URL");
    let target = stagedoor_gateway::LogTarget::Otlp { url };
    let sinks = vec![stagedoor_gateway::LogSink { pattern: "*".to_owned(), target }];
    let world = world(&directory, |config| config.log_sinks = sinks).await;
    let api = rest_api("abc").method("GET /", mock("{\"statusCode\": 200}").answering("200", ""));
    // Lines of 1 MiB: sixteen fill the queue.
    let long = "x".repeat(1024 * 1024);
    world.store(stage_of_rest(&api, |stage| stage.access_log_settings = access(&long))).await;
    for _ in 0..40 {
        world.get_from(HOST, "/dev").await.is(200, "");
    }
    let figures = world.gateway.log_figures();
    assert!(figures.dropped >= 20, "{figures:?}");
    drop(listener);
}
