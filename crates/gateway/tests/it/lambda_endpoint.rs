//! Functions that are not declared: invoked at an endpoint that speaks the Invoke API.

use std::convert::Infallible;
use std::time::Duration;

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use stagedoor_auth::sigv4::{self, Expected, Key};
use stagedoor_gateway::LambdaEndpoint;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::build::{Integrated as _, aws, aws_proxy, http_api, rest_api};
use crate::functions::function;
use crate::world::{Seen, World};

fn key() -> Key {
    Key::long_term("AKID", "secret", "111122223333")
}

/// A world whose endpoint answers by the name of the function.
async fn world() -> World {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port on loopback");
    let address = listener.local_addr().expect("a bound socket has an address");
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service_fn(answer)));
        }
    });
    let world = World::start_with(|config| {
        let url = format!("http://{address}").parse().expect("a URL");
        config.lambda_endpoint = Some(LambdaEndpoint { url, key: key() });
        config.functions = vec![function("declared", "well")];
    });
    let world = world.await;
    let mut rest = rest_api("abc")
        .method("ANY /custom", aws("pets:live").answering("200", "").answering("400", ".*four hundred.*"))
        .method(
            "ANY /custom-failing",
            aws("failing").answering("200", "").answering("400", ".*four hundred.*"),
        )
        .method(
            "ANY /event",
            aws("pets").answering("200", "").mapping("header.X-Amz-Invocation-Type", "'Event'"),
        )
        .method("ANY /hanging", {
            let mut integration = aws_proxy("hanging");
            integration.timeout_in_millis = Some(50);
            integration
        });
    for name in ["proxied", "failing", "missing", "throttled", "declared"] {
        rest = rest.method(&format!("ANY /{name}"), aws_proxy(name));
    }
    for name in ["streaming", "breaking", "failing-late", "failing", "garbage", "throttled"] {
        let uri = crate::build::function_uri(name).replace("/invocations", "/response-streaming-invocations");
        let streaming = stagedoor_api::apigateway::Integration {
            response_transfer_mode: Some(stagedoor_api::apigateway::ResponseTransferMode::Stream),
            uri: Some(uri),
            ..aws_proxy(name)
        };
        rest = rest.method(&format!("ANY /streams/{name}"), streaming);
    }
    world.store(rest.deployed_to("dev")).await;
    let http = http_api("def")
        .function("ANY /failing", "failing", "2.0")
        .function("ANY /missing", "missing", "2.0")
        .function("ANY /throttled", "throttled", "2.0");
    world.store(http.deployed_to("$default")).await;
    world
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes();
    if let Some(rest) = head.uri.path().strip_prefix("/2021-11-15/functions/") {
        let is_well = is_signed(&head, &body) && rest.ends_with("/response-streaming-invocations");
        let name = rest.split("%3A").last().and_then(|rest| rest.split('/').next()).unwrap_or_default();
        return Ok(if is_well { streamed(name) } else { Response::new(Full::default()) });
    }
    let name = head
        .uri
        .path()
        .strip_prefix("/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A111122223333%3Afunction%3A");
    let name = name.and_then(|rest| rest.strip_suffix("/invocations")).unwrap_or("a wrong path");
    let kind = head.headers.get("x-amz-invocation-type").map_or("", |kind| kind.to_str().unwrap_or_default());
    let (status, function_error, text) = match name {
        _ if !is_signed(&head, &body) => (403, None, "a wrong signature".to_owned()),
        "pets" if kind == "Event" => (202, None, String::new()),
        "pets%3Alive" => {
            (200, None, format!("{{\"kind\":\"{kind}\",\"event\":{}}}", String::from_utf8_lossy(&body)))
        }
        "proxied" => (200, None, r#"{"statusCode": 201, "body": "from afar"}"#.to_owned()),
        "failing" => (200, Some("Unhandled"), r#"{"errorMessage": "four hundred"}"#.to_owned()),
        "throttled" => (429, None, r#"{"Type": "User", "message": "Rate exceeded"}"#.to_owned()),
        "hanging" => std::future::pending().await,
        _ => (404, None, r#"{"Type": "User", "message": "Function not found"}"#.to_owned()),
    };
    let mut response = Response::builder().status(status);
    if let Some(error) = function_error {
        response = response.header("x-amz-function-error", error);
    }
    Ok(response.body(Full::new(text.into())).expect("a response"))
}

/// An answer of `InvokeWithResponseStream`.
fn streamed(name: &str) -> Response<Full<Bytes>> {
    let head = [br#"{"statusCode": 201, "headers": {"x-streamed": "yes"}}"#, &[0; 8][..], b"first,"].concat();
    let (beginning, end) = (frame("PayloadChunk", &head), frame("PayloadChunk", b"second"));
    let failure = br#"{"ErrorCode": "Unhandled", "ErrorDetails": "it failed"}"#;
    let parts = match name {
        "streaming" => vec![beginning, frame("Unknown", b""), end, frame("InvokeComplete", b"{}")],
        "breaking" => vec![beginning, end[..10].to_vec()],
        "failing-late" => vec![beginning, frame("InvokeComplete", failure)],
        "failing" => vec![frame("InvokeComplete", failure)],
        "garbage" => vec![b"{\"no\": \"event stream\", \"at\": \"all\"}".to_vec()],
        _ => {
            let mut refused = Response::new(Full::default());
            *refused.status_mut() = http::StatusCode::TOO_MANY_REQUESTS;
            return refused;
        }
    };
    Response::new(Full::new(parts.concat().into()))
}

fn frame(kind: &str, payload: &[u8]) -> Vec<u8> {
    let header = |name, value: &str| Header::new(name, HeaderValue::String(value.to_owned().into()));
    let message = Message::new(payload.to_vec())
        .add_header(header(":message-type", "event"))
        .add_header(header(":event-type", kind));
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).expect("a message");
    bytes
}

#[tokio::test]
async fn streams_of_the_endpoint_are_passed_on() {
    let world = world().await;
    let open = async |name: &str| {
        let path = format!("/_aws/execute-api/abc/dev/streams/{name}");
        world.open(Method::POST, &path, &[], "").await
    };
    let answer = open("streaming").await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["x-streamed"]),
        (201, &"yes".parse().expect("text"))
    );
    assert_eq!(answer.into_body().collect().await.expect("whole").to_bytes(), "first,second");
    for name in ["breaking", "failing-late"] {
        // It may break off before its head is sent.
        let mut socket = TcpStream::connect(world.address).await.expect("a listener");
        let request = format!("GET /_aws/execute-api/abc/dev/streams/{name} HTTP/1.1\r\nhost: x\r\n\r\n");
        socket.write_all(request.as_bytes()).await.expect("an open connection");
        let mut answer = String::new();
        let _ = socket.read_to_string(&mut answer).await;
        assert!(!answer.ends_with("0\r\n\r\n"), "{name}: half an answer is none: {answer}");
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 201 "), "{name}: {answer}");
    }
    for (name, status) in [("failing", 502), ("garbage", 500), ("throttled", 500)] {
        assert_eq!(open(name).await.status(), status, "{name}");
    }
}

fn is_signed(head: &http::request::Parts, body: &[u8]) -> bool {
    let request = sigv4::Request {
        method: &head.method,
        path: head.uri.path(),
        query: "",
        headers: &head.headers,
        host: None,
        payload: sigv4::Payload::Bytes(body),
    };
    let now = jiff::Timestamp::from_second(1_700_000_000).expect("a time");
    let expected = Expected { service: "lambda", regions: Some(&["eu-west-1"]), now };
    sigv4::verify(&request, &expected, &|id: &str| (id == "AKID").then(key)).is_ok()
}

async fn post(world: &World, path: &str, body: &str) -> Seen {
    world.send(Method::POST, &format!("/_aws/execute-api/{path}"), &[], body).await
}

#[tokio::test]
async fn functions_are_invoked_at_the_endpoint() {
    let world = world().await;
    post(&world, "abc/dev/custom", r#"{"a":1}"#)
        .await
        .is(200, r#"{"kind":"RequestResponse","event":{"a":1}}"#);
    post(&world, "abc/dev/proxied", "").await.is(201, "from afar");
    post(&world, "abc/dev/event", "{}").await.is(200, "");
    post(&world, "abc/dev/custom-failing", "{}").await.is(400, r#"{"errorMessage": "four hundred"}"#);
}

#[tokio::test]
async fn declared_functions_come_first() {
    post(&world().await, "abc/dev/declared", r#"{"body": "here"}"#).await.is(200, "here");
}

#[tokio::test]
async fn what_the_endpoint_refuses_is_an_error() {
    let world = world().await;
    let failed = r#"{"message": "Internal server error"}"#;
    post(&world, "abc/dev/failing", "").await.is(502, failed);
    post(&world, "abc/dev/missing", "").await.is(500, failed);
    post(&world, "abc/dev/throttled", "").await.is(500, failed);
    post(&world, "abc/dev/hanging", "").await.is(504, r#"{"message": "Endpoint request timed out"}"#);
    for path in ["def/failing", "def/missing"] {
        post(&world, path, "").await.is(500, r#"{"message":"Internal Server Error"}"#);
    }
    post(&world, "def/throttled", "").await.is(503, r#"{"message":"Service Unavailable"}"#);
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_an_error() {
    let world = World::start_with(|config| {
        let url = "http://127.0.0.1:1".parse().expect("a URL");
        config.lambda_endpoint = Some(LambdaEndpoint { url, key: key() });
    });
    let world = world.await;
    world.store(rest_api("abc").method("ANY /x", aws_proxy("pets")).deployed_to("dev")).await;
    let waiting = tokio::time::timeout(Duration::from_secs(5), post(&world, "abc/dev/x", ""));
    assert_eq!(waiting.await.expect("an answer at once").status, 504);
}
