//! Stages of HTTP APIs.

use http::Method;
use http_body_util::BodyExt as _;
use stagedoor_api::apigatewayv2 as api;

use crate::backend::Backend;
use crate::build::{HttpApi, http_api};
use crate::world::World;

const BASE: &str = "/_aws/execute-api/abc";

async fn world(build: impl FnOnce(HttpApi, &Backend) -> HttpApi) -> (World, Backend) {
    let world = World::start().await;
    let backend = Backend::start().await;
    let host = backend.address.to_string();
    let api = build(http_api("abc"), &backend);
    world.store(api.deployed_as("dep1", "$default", &[("host", &host)])).await;
    (world, backend)
}

#[tokio::test]
async fn routes_are_chosen_by_precedence() {
    let (world, _backend) = world(|api, backend| {
        api.route("GET /pets/dog/1", &backend.url("/literal"))
            .route("GET /pets/dog/{id}", &backend.url("/variable/{id}"))
            .route("GET /pets/{proxy+}", &backend.url("/greedy/{proxy}"))
            .route("ANY /{proxy+}", &backend.url("/any/{proxy}"))
            .route("$default", &backend.url("/default"))
    })
    .await;
    for (method, path, expected) in [
        (Method::GET, "/pets/dog/1?x=1", "/literal?x=1"),
        (Method::GET, "/pets/dog/2", "/variable/2"),
        (Method::GET, "/pets/cat/a%2Fb", "/greedy/cat/a%2Fb"),
        (Method::POST, "/test/5?a=b+c", "/any/test/5?a=b+c"),
        (Method::GET, "/", "/default/"),
        (Method::GET, "", "/default/"),
    ] {
        assert_eq!(world.send(method, &format!("{BASE}{path}"), &[], "").await.uri(), expected, "{path}");
    }
}

#[tokio::test]
async fn the_default_route_appends_the_path() {
    let (world, _backend) = world(|api, _| api.route("$default", "http://${stageVariables.host}")).await;
    assert_eq!(world.get(&format!("{BASE}/a/b?c=d")).await.uri(), "/a/b?c=d");
    assert_eq!(world.get(&format!("{BASE}/a/b/")).await.uri(), "/a/b/");
}

#[tokio::test]
async fn a_trailing_slash_is_another_path() {
    let (world, _backend) = world(|api, backend| api.route("GET /pets", &backend.url("/"))).await;
    assert_eq!(world.get(&format!("{BASE}/pets")).await.status, 200);
    world.get(&format!("{BASE}/pets/")).await.is(404, r#"{"message":"Not Found"}"#);
    world.get(&format!("{BASE}/")).await.is(404, r#"{"message":"Not Found"}"#);
}

#[tokio::test]
async fn the_request_goes_to_the_backend() {
    let (world, _backend) = world(|api, backend| {
        api.route_with("POST /", &backend.url("/"), |_, integration| {
            integration.integration_method = Some("PUT".to_owned());
        })
    })
    .await;
    let headers = [
        ("host", "abc.execute-api.eu-west-1.localhost:4566"),
        ("x-own", "kept"),
        ("x-forwarded-for", "192.0.2.1"),
        ("x-forwarded-for", "2001:db8::1"),
        ("forwarded", "for=first"),
        ("x-forwarded-proto", "https"),
        ("connection", "close, x-hop"),
        ("x-hop", "dropped"),
    ];
    let answer = world.send(Method::POST, "/", &headers, "body").await;
    let seen = answer.json();
    assert_eq!((seen["method"].as_str(), seen["body"].as_str()), (Some("PUT"), Some("body")));
    for (name, value) in [
        ("x-own", "kept"),
        ("x-hop", ""),
        ("x-forwarded-for", ""),
        ("x-forwarded-proto", ""),
        (
            "forwarded",
            "for=first, for=192.0.2.1, for=\"[2001:db8::1]\", \
             by=_stagedoor;for=127.0.0.1;host=\"abc.execute-api.eu-west-1.localhost:4566\";proto=http",
        ),
    ] {
        assert_eq!(answer.sent(name), value, "{name}");
    }
    assert!(answer.sent("host").starts_with("127.0.0.1:"), "{seen}");
    assert!(answer.sent("x-amzn-trace-id").starts_with("Root=1-"), "{seen}");
}

#[tokio::test]
async fn the_answer_passes_unchanged() {
    let (world, backend) = world(|api, backend| api.route("$default", &backend.url(""))).await;
    let answer = world.get(&format!("{BASE}/headers")).await;
    answer.is(200, "odd");
    for (name, value) in [
        ("server", "backend/1.0"),
        ("www-authenticate", "Basic"),
        ("x-own", "kept"),
        ("access-control-allow-origin", "https://backend.example"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 2);
    let id = answer.header("apigw-requestid");
    assert!(id.len() == 16 && id.ends_with('='), "{id}");
    world.get(&format!("{BASE}/status/404")).await.is(404, "status 404");
    assert_eq!(world.get(&format!("{BASE}/redirect")).await.status, 302);

    let mut body = world.open(Method::GET, &format!("{BASE}/drip"), &[], "").await.into_body();
    let first = body.frame().await.expect("a frame").expect("no error").into_data().expect("data");
    assert_eq!(first, "first,");
    backend.drip.notify_one();
    assert_eq!(body.collect().await.expect("the rest").to_bytes(), "second");
}

#[tokio::test]
async fn failing_backends_are_unavailable() {
    let (world, _backend) = world(|api, backend| {
        api.route_with("GET /slow", &backend.url("/never"), |_, integration| {
            integration.timeout_in_millis = Some(50);
        })
        .route("GET /gone", &backend.url("/hang-up"))
        .route("GET /nowhere", "http://${stageVariables.none}/")
    })
    .await;
    let unavailable = r#"{"message":"Service Unavailable"}"#;
    world.get(&format!("{BASE}/slow")).await.is(503, unavailable);
    world.get(&format!("{BASE}/gone")).await.is(503, unavailable);
    world.get(&format!("{BASE}/nowhere")).await.is(500, r#"{"message":"Internal Server Error"}"#);
}

#[tokio::test]
async fn cross_origin_requests_get_the_configured_headers() {
    let (world, _backend) = world(|api, backend| {
        let api =
            api.route("GET /headers", &backend.url("/headers")).route("GET /gone", &backend.url("/hang-up"));
        api.change(|api| {
            let list = |items: &[&str]| Some(items.iter().map(|item| (*item).to_owned()).collect());
            api.cors_configuration = Some(api::Cors {
                allow_credentials: Some(true),
                allow_headers: list(&["content-type", "x-own"]),
                allow_methods: list(&["GET", "POST"]),
                allow_origins: list(&["https://example.com"]),
                expose_headers: list(&["x-own"]),
                max_age: Some(600),
            });
        })
    })
    .await;
    let path = format!("{BASE}/headers");
    let origin = ("origin", "https://example.com");
    let answer =
        world.send(Method::OPTIONS, &path, &[origin, ("access-control-request-method", "GET")], "").await;
    answer.is(204, "");
    for (name, value) in [
        ("access-control-allow-origin", "https://example.com"),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-methods", "GET,POST"),
        ("access-control-allow-headers", "content-type,x-own"),
        ("access-control-max-age", "600"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    let answer = world.send(Method::GET, &path, &[origin], "").await;
    assert_eq!(answer.header("access-control-allow-origin"), "https://example.com");
    assert_eq!(answer.header("access-control-expose-headers"), "x-own");
    let stranger = world.send(Method::GET, &path, &[("origin", "https://stranger.example")], "").await;
    stranger.is(200, "odd");
    assert_eq!(stranger.header("access-control-allow-origin"), "", "not even the backend's");
    for (path, status) in [("/gone", 503), ("/unknown", 404)] {
        let own = world.send(Method::GET, &format!("{BASE}{path}"), &[origin], "").await;
        assert_eq!(own.status, status);
        assert_eq!(own.header("access-control-allow-origin"), "", "no integration answered: {path}");
    }
    assert_eq!(
        world.send(Method::OPTIONS, &path, &[origin], "").await.status,
        404,
        "no preflight without a method"
    );
}
