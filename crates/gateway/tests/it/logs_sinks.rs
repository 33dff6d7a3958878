//! Sinks beyond this machine: collectors of OpenTelemetry, CloudWatch Logs and Firehose, by their own protocols.

use std::convert::Infallible;
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use stagedoor_auth::sigv4::Key;
use stagedoor_gateway::{LogSink, LogTarget, ServiceEndpoint};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::backend::Backend;
use crate::build::{Integrated as _, http_proxy, mock, rest_api, stage_of_rest};
use crate::logs::{ACCESS_LOG, Directory, access, world};

const HOST: &str = "abc.execute-api.eu-west-1.amazonaws.com";

type Asked = (Parts, Value);

/// A server that tells of its requests and answers what `answer` says of them.
async fn service(answer: fn(&Parts, &Value) -> (u16, Value)) -> (SocketAddr, mpsc::Receiver<Asked>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port on loopback");
    let address = listener.local_addr().expect("a bound socket has an address");
    let (tell, asked) = mpsc::channel(64);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let tell = tell.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let tell = tell.clone();
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.expect("a whole body").to_bytes();
                    let body: Value = serde_json::from_slice(&body).expect("a body of JSON");
                    let (status, said) = answer(&head, &body);
                    tell.send((head, body)).await.ok();
                    let mut response = Response::new(Full::new(Bytes::from(said.to_string())));
                    *response.status_mut() = status.try_into().expect("a status");
                    Ok::<_, Infallible>(response)
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
        }
    });
    (address, asked)
}

fn url(address: SocketAddr) -> http::Uri {
    format!("http://{address}").parse().expect("a URL")
}

fn sink(target: LogTarget) -> Vec<LogSink> {
    vec![LogSink { pattern: "*".to_owned(), target }]
}

fn at_service(address: SocketAddr) -> Vec<LogSink> {
    let key = Key::long_term("AKID", "secret", "111122223333");
    sink(LogTarget::Service(ServiceEndpoint { url: url(address), key }))
}

#[tokio::test]
async fn collectors_get_log_records() {
    let directory = Directory::new("otlp");
    let (address, mut asked) = service(|_, _| (200, json!({}))).await;
    let sinks = sink(LogTarget::Otlp { url: url(address) });
    let world = world(&directory, |config| config.log_sinks = sinks).await;
    let api = rest_api("abc").method("GET /", mock("{\"statusCode\": 200}").answering("200", ""));
    world
        .store(stage_of_rest(&api, |stage| {
            stage.access_log_settings = access("$context.status $context.stage")
        }))
        .await;
    world.get_from(HOST, "/dev").await;
    let (head, body) = asked.recv().await.expect("a message");
    assert_eq!((head.method, head.uri.path()), (Method::POST, "/v1/logs"));
    let logs = &body["resourceLogs"][0];
    let group = &logs["resource"]["attributes"][0]["value"]["arrayValue"]["values"][0]["stringValue"];
    assert_eq!(group, "access");
    let record = &logs["scopeLogs"][0]["logRecords"][0];
    assert_eq!(record["body"]["stringValue"], "200 dev");
    assert_eq!(record["timeUnixNano"], "1700000000000000000");
}

#[tokio::test]
async fn log_groups_are_written_by_their_api() {
    fn answer(head: &Parts, _: &Value) -> (u16, Value) {
        let gone = json!({"__type": "com.amazonaws.logs#ResourceNotFoundException"});
        // Neither the group nor the stream is there at first.
        static MADE: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
        match head.headers["x-amz-target"].to_str().expect("visible characters") {
            "Logs_20140328.CreateLogGroup" => {
                MADE.store(true, std::sync::atomic::Ordering::Relaxed);
                (200, json!({}))
            }
            _ if MADE.load(std::sync::atomic::Ordering::Relaxed) => (200, json!({})),
            _ => (400, gone),
        }
    }
    let directory = Directory::new("cloudwatch");
    let (address, mut asked) = service(answer).await;
    let world = world(&directory, |config| config.log_sinks = at_service(address)).await;
    let api = rest_api("abc").method("GET /", mock("{\"statusCode\": 200}").answering("200", ""));
    world.store(stage_of_rest(&api, |stage| stage.access_log_settings = access("$context.status"))).await;
    world.get_from(HOST, "/dev").await;
    let mut operations = Vec::new();
    let (head, input) = loop {
        let (head, input) = asked.recv().await.expect("a call");
        let target = head.headers["x-amz-target"].to_str().expect("visible characters").to_owned();
        operations.push(target.rsplit('.').next().unwrap_or_default().to_owned());
        if target.ends_with("PutLogEvents") {
            break (head, input);
        }
    };
    assert_eq!(operations, ["CreateLogStream", "CreateLogGroup", "CreateLogStream", "PutLogEvents"]);
    let signed = head.headers["authorization"].to_str().expect("visible characters");
    assert!(signed.contains("AKID/20231114/eu-west-1/logs/aws4_request"), "{signed}");
    assert_eq!(input["logGroupName"], "access");
    assert_eq!(input["logEvents"], json!([{"timestamp": 1_700_000_000_000_u64, "message": "200"}]));
}

#[tokio::test]
async fn delivery_streams_get_records_and_refused_ones_again() {
    fn answer(_: &Parts, input: &Value) -> (u16, Value) {
        static ASKED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
        let records = input["Records"].as_array().map_or(0, Vec::len);
        let refused = json!({"ErrorCode": "ServiceUnavailableException"});
        let outcome = if ASKED.swap(true, std::sync::atomic::Ordering::Relaxed) {
            json!({"RecordId": "1"})
        } else {
            refused
        };
        (200, json!({"FailedPutCount": 0, "RequestResponses": vec![outcome; records]}))
    }
    let directory = Directory::new("firehose");
    let (address, mut asked) = service(answer).await;
    let world = world(&directory, |config| config.log_sinks = at_service(address)).await;
    let api = rest_api("abc").method("GET /", mock("{\"statusCode\": 200}").answering("200", ""));
    let entries = stage_of_rest(&api, |stage| {
        let stream = "arn:aws:firehose:eu-west-1:111122223333:deliverystream/amazon-apigateway-x";
        assert_ne!(stream, ACCESS_LOG);
        stage.access_log_settings = access("$context.status");
        if let Some(settings) = &mut stage.access_log_settings {
            settings.destination_arn = Some(stream.to_owned());
        }
    });
    world.store(entries).await;
    world.get_from(HOST, "/dev").await;
    for _ in 0..2 {
        let (_, input) = asked.recv().await.expect("a call");
        assert_eq!(input["DeliveryStreamName"], "amazon-apigateway-x");
        assert_eq!(input["Records"], json!([{"Data": STANDARD.encode("200\n")}]));
    }
}

#[tokio::test]
async fn traced_stages_tell_spans_and_continue_traces() {
    let directory = Directory::new("spans");
    let backend = Backend::start().await;
    let (address, mut asked) = service(|_, _| (200, json!({}))).await;
    let world = world(&directory, |config| config.otlp_endpoint = Some(url(address))).await;
    let api = rest_api("abc").method("GET /", http_proxy(&backend.url("/echo")));
    let entries = stage_of_rest(&api, |stage| {
        stage.tracing_enabled = Some(true);
        stage.access_log_settings = access("$context.xrayTraceId");
    });
    world.store(entries).await;
    let root = "1-5759e988-bd862e3fe1be46a994272793";
    let sent = format!("Root={root};Parent=53995c3f42cd8ad8;Sampled=1");
    let seen = world.send(Method::GET, "/dev", &[("host", HOST), ("x-amzn-trace-id", &sent)], "").await;
    let (head, body) = asked.recv().await.expect("a message");
    assert_eq!(head.uri.path(), "/v1/traces");
    let spans = &body["resourceSpans"][0]["scopeSpans"][0]["spans"];
    assert_eq!(spans[0]["traceId"], "5759e988bd862e3fe1be46a994272793");
    assert_eq!(spans[0]["parentSpanId"], "53995c3f42cd8ad8");
    assert_eq!(spans[1]["parentSpanId"], spans[0]["spanId"]);
    let own = spans[0]["spanId"].as_str().expect("an id");
    assert_eq!(seen.sent("x-amzn-trace-id"), format!("Root={root};Parent={own};Sampled=1"));
    assert_eq!(directory.line(&world, "access").await, root);
    // A client that is not sampled keeps its header, and nothing is told; the next request is.
    let unsampled = format!("Root={root};Parent=53995c3f42cd8ad8;Sampled=0");
    let seen = world.send(Method::GET, "/dev", &[("host", HOST), ("x-amzn-trace-id", &unsampled)], "").await;
    assert_eq!(seen.sent("x-amzn-trace-id"), unsampled);
    world.get_from(HOST, "/dev").await;
    let (_, body) = asked.recv().await.expect("a message");
    let spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().expect("spans");
    assert!(spans.iter().all(|span| span["traceId"] != "5759e988bd862e3fe1be46a994272793"), "{spans:?}");
}
