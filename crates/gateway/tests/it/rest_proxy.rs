//! `HTTP_PROXY` methods of REST APIs.

use http::Method;
use http_body_util::BodyExt as _;
use stagedoor_api::apigateway as api;

use crate::backend::Backend;
use crate::build::{Integrated as _, http_proxy, rest_api};
use crate::world::World;

/// `/{name}` and `/p/{proxy+}` and `/` of one backend, at the stage `dev` of `abc`.
async fn world() -> (World, Backend) {
    let world = World::start().await;
    let backend = Backend::start().await;
    let api = rest_api("abc")
        .method("ANY /", http_proxy(&backend.url("/root")))
        .method(
            "ANY /{name}",
            http_proxy(&backend.url("/{to}?fixed=1"))
                .mapping("path.to", "method.request.path.name")
                .mapping("querystring.stage", "context.stage")
                .mapping("querystring.colour", "stageVariables.colour")
                .mapping("querystring.none", "method.request.header.x-none")
                .mapping("header.X-Literal", "'some text'")
                .mapping("header.X-Name", "method.request.path.name")
                .mapping("header.X-Q", "method.request.multivaluequerystring.q")
                .mapping("header.User-Agent", "method.request.header.x-agent"),
        )
        .method(
            "ANY /p/{proxy+}",
            http_proxy("http://${stageVariables.host}/{proxy}")
                .mapping("path.proxy", "method.request.path.proxy"),
        );
    let host = backend.address.to_string();
    world.store(api.deployed_as("dep1", "dev", &[("host", &host), ("colour", "light green")])).await;
    (world, backend)
}

const BASE: &str = "/_aws/execute-api/abc/dev";

#[tokio::test]
async fn the_request_goes_to_the_backend() {
    let (world, _backend) = world().await;
    let headers = [
        ("x-own", "kept"),
        ("accept", "text/plain"),
        ("content-type", "text/csv"),
        ("user-agent", "a-test"),
        ("content-md5", "dropped"),
        ("via", "dropped"),
        ("max-forwards", "5"),
        ("connection", "x-hop"),
        ("x-hop", "dropped"),
        ("x-forwarded-for", "192.0.2.1"),
    ];
    let answer = world.send(Method::PUT, &format!("{BASE}?a=1&b=%20x"), &headers, "a,b").await;
    assert_eq!(answer.status, 200);
    let seen = answer.json();
    assert_eq!((seen["method"].as_str(), seen["body"].as_str()), (Some("PUT"), Some("a,b")));
    assert_eq!(answer.uri(), "/root?a=1&b=%20x");
    for (name, value) in [
        ("x-own", "kept"),
        ("accept", "text/plain"),
        ("content-type", "text/csv"),
        ("content-length", "3"),
        ("user-agent", "a-test"),
        ("content-md5", ""),
        ("via", ""),
        ("max-forwards", ""),
        ("x-hop", ""),
        ("connection", ""),
        ("transfer-encoding", ""),
        ("x-amzn-apigateway-api-id", "abc"),
        ("x-forwarded-for", "192.0.2.1, 127.0.0.1"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-port", "4566"),
    ] {
        assert_eq!(answer.sent(name), value, "{name}");
    }
    assert!(answer.sent("x-amzn-trace-id").starts_with("Root=1-6553f100-"), "{seen}");
    assert!(answer.sent("host").starts_with("127.0.0.1:"), "{seen}");
}

#[tokio::test]
async fn parameters_are_mapped() {
    let (world, _backend) = world().await;
    let agent = [("x-agent", "mapped"), ("user-agent", "sent")];
    let answer = world.send(Method::GET, &format!("{BASE}/test%2Balias@x?q=1&q=two+words"), &agent, "").await;
    assert_eq!(
        answer.uri(),
        "/test%2Balias@x?fixed=1&q=1&q=two+words&colour=light%20green&stage=dev",
        "mapped parameters follow the client's, in the order of their names"
    );
    for (name, value) in [
        ("x-literal", "some text"),
        ("x-name", "test%2Balias@x"),
        ("x-q", "1,two words"),
        ("user-agent", "mapped"),
    ] {
        assert_eq!(answer.sent(name), value, "{name}");
    }
}

#[tokio::test]
async fn greedy_paths_and_stage_variables_make_the_uri() {
    let (world, _backend) = world().await;
    for (path, expected) in [
        ("/p/a/b", "/a/b"),
        ("/p/a//b?x", "/a//b?x"),
        ("/p/proxy-value/", "/proxy-value"),
        ("/p/a%2Fb/c", "/a%2Fb/c"),
    ] {
        assert_eq!(world.get(&format!("{BASE}{path}")).await.uri(), expected, "{path}");
    }
    let missing = rest_api("def").method("GET /", http_proxy("http://${stageVariables.none}/"));
    world.store(missing.deployed_to("dev")).await;
    let answer = world.get("/_aws/execute-api/def/dev").await;
    answer.is(500, r#"{"message": "Internal server error"}"#);
}

#[tokio::test]
async fn the_verb_is_the_integrations() {
    let world = World::start().await;
    let backend = Backend::start().await;
    let post = api::Integration { http_method: Some("POST".to_owned()), ..http_proxy(&backend.url("/")) };
    let get = api::Integration { http_method: Some("GET".to_owned()), ..http_proxy(&backend.url("/")) };
    let api = rest_api("abc")
        .method("GET /post", post)
        .method("POST /get", get)
        .method("DELETE /over", http_proxy(&backend.url("/")));
    world.store(api.deployed_to("dev")).await;
    assert_eq!(world.get(&format!("{BASE}/post")).await.json()["method"], "POST");
    let answer = world.send(Method::POST, &format!("{BASE}/get"), &[], "body").await.json();
    assert_eq!((answer["method"].as_str(), answer["body"].as_str()), (Some("GET"), Some("")));
    let overridden = [("x-http-method-override", "DELETE")];
    let answer = world.send(Method::POST, &format!("{BASE}/over"), &overridden, "").await;
    assert_eq!(answer.json()["method"], "DELETE");
}

#[tokio::test]
async fn the_answer_comes_back_with_some_headers_renamed() {
    let (world, _backend) = world().await;
    let answer = world.get(&format!("{BASE}/headers")).await;
    answer.is(200, "odd");
    for (name, value) in [
        ("x-own", "kept"),
        ("x-amzn-remapped-server", "backend/1.0"),
        ("x-amzn-remapped-date", "Mon, 01 Jan 2024 00:00:00 GMT"),
        ("x-amzn-remapped-content-length", "3"),
        ("x-amzn-remapped-x-amzn-requestid", "the-backends-own"),
        ("x-amzn-remapped-www-authenticate", "Basic"),
        ("content-length", "3"),
        ("content-type", "application/json"),
        ("server", ""),
        ("via", ""),
        ("www-authenticate", ""),
        ("x-amzn-trace-id", ""),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    assert_eq!(answer.header("x-amzn-requestid").len(), 36);
    assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 2);
    let echoed = world.get(BASE).await;
    assert_eq!(echoed.header("content-type"), "application/vnd.echo+json");
}

#[tokio::test]
async fn any_status_passes_and_redirects_are_not_followed() {
    let (world, _backend) = world().await;
    for status in [201, 404, 418, 500, 503] {
        let answer = world.get(&format!("{BASE}/p/status/{status}")).await;
        answer.is(status, &format!("status {status}"));
        assert_eq!(answer.header("x-amzn-errortype"), "");
    }
    let answer = world.get(&format!("{BASE}/redirect")).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (302, "/elsewhere"));
}

#[tokio::test]
async fn the_answer_is_streamed() {
    let (world, backend) = world().await;
    let mut answer = world.open(Method::GET, &format!("{BASE}/drip"), &[], "").await.into_body();
    let first = answer.frame().await.expect("a frame").expect("no error").into_data().expect("data");
    assert_eq!(first, "first,", "arrives while the backend still waits for the test");
    backend.drip.notify_one();
    assert_eq!(answer.collect().await.expect("the rest").to_bytes(), "second");
}

#[tokio::test]
async fn a_head_request_learns_the_length() {
    let (world, _backend) = world().await;
    let answer = world.send(Method::HEAD, &format!("{BASE}/headers"), &[], "").await;
    answer.is(200, "");
    assert_eq!(answer.header("content-length"), "3");
}

#[tokio::test]
async fn no_method_is_a_missing_token() {
    let world = World::start().await;
    world.store(rest_api("abc").method("POST /pets", http_proxy("http://h")).deployed_to("dev")).await;
    for path in ["/pets", "/other", ""] {
        let answer = world.get(&format!("{BASE}{path}")).await;
        answer.is(403, r#"{"message":"Missing Authentication Token"}"#);
        assert_eq!(answer.header("x-amzn-errortype"), "MissingAuthenticationTokenException");
    }
    let answer = world.send(Method::GET, &format!("{BASE}/x"), &[("authorization", "Bearer abc")], "").await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.header("x-amzn-errortype"), "IncompleteSignatureException");
}

#[tokio::test]
async fn backends_that_do_not_answer_time_out() {
    let world = World::start().await;
    let backend = Backend::start().await;
    let impatient = api::Integration { timeout_in_millis: Some(50), ..http_proxy(&backend.url("/never")) };
    world.store(rest_api("abc").method("GET /", impatient).deployed_to("dev")).await;
    let answer = world.get(BASE).await;
    answer.is(504, r#"{"message": "Endpoint request timed out"}"#);
    assert_eq!(answer.header("x-amzn-errortype"), "InternalServerErrorException");
    let figures = world.gateway.metrics();
    assert_eq!(figures[0].server_errors, 1);
    assert!(figures[0].integration_latency.sum.as_millis() >= 50, "{figures:?}");
}

#[tokio::test]
async fn backends_that_are_not_there_are_unreachable() {
    let (world, _backend) = world().await;
    let unreachable = r#"{"message": "Network error communicating with endpoint"}"#;
    world.get(&format!("{BASE}/hang-up")).await.is(504, unreachable);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
    let closed = listener.local_addr().expect("a bound socket has an address");
    drop(listener);
    world
        .store(rest_api("def").method("GET /", http_proxy(&format!("http://{closed}"))).deployed_to("dev"))
        .await;
    world.get("/_aws/execute-api/def/dev").await.is(504, unreachable);
}

#[tokio::test]
async fn headers_of_the_length_cannot_be_mapped() {
    let world = World::start().await;
    let wrong = http_proxy("http://h").mapping("header.Content-Length", "''");
    world.store(rest_api("abc").method("GET /", wrong).deployed_to("dev")).await;
    world.get(BASE).await.is(500, r#"{"message": "Internal server error"}"#);
}

#[tokio::test]
async fn certificates_are_verified_unless_the_integration_says_otherwise() {
    let world = World::start().await;
    let backend = Backend::start_with_tls().await;
    let port = backend.address.port();
    let skipping = |host: &str, skip: bool| api::Integration {
        tls_config: Some(api::TlsConfig { insecure_skip_verification: Some(skip) }),
        ..http_proxy(&format!("https://{host}:{port}/seen"))
    };
    let api = rest_api("abc")
        .method("GET /any-issuer", skipping("localhost", true))
        .method("GET /other-name", skipping("127.0.0.1", true))
        .method("GET /verified", skipping("localhost", false));
    world.store(api.deployed_to("dev")).await;
    assert_eq!(world.get(&format!("{BASE}/any-issuer")).await.uri(), "/seen");
    assert_eq!(world.get(&format!("{BASE}/other-name")).await.status, 504, "the name is checked");
    assert_eq!(world.get(&format!("{BASE}/verified")).await.status, 504, "the system knows no such issuer");
}
