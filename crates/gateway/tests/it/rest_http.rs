//! `HTTP` methods of REST APIs: only what is mapped passes.

use http::Method;
use stagedoor_api::apigateway as api;

use crate::backend::Backend;
use crate::build::{Integrated as _, http_custom, http_proxy, map, rest_api};
use crate::world::{World, entry, gone};

const BASE: &str = "/_aws/execute-api/abc/dev";

#[tokio::test]
async fn only_what_is_mapped_reaches_the_backend() {
    let world = World::start().await;
    let backend = Backend::start().await;
    let integration = http_custom(&backend.url("/{id}"))
        .mapping("path.id", "method.request.querystring.id")
        .mapping("querystring.q", "method.request.header.x-q")
        .answering("200", "");
    world.store(rest_api("abc").method("POST /", integration).deployed_to("dev")).await;
    let headers =
        [("x-q", "a&b"), ("x-own", "not mapped"), ("user-agent", "a-test"), ("content-type", "text/csv")];
    let answer = world.send(Method::POST, &format!("{BASE}?id=1+2/3&more=x"), &headers, "a,b").await;
    assert_eq!(answer.uri(), "/1%202/3?q=a%26b");
    assert_eq!(answer.json()["body"], "a,b");
    for (name, value) in [
        ("x-own", ""),
        ("accept", "application/json"),
        ("user-agent", "AmazonAPIGateway_abc"),
        ("x-amzn-apigateway-api-id", "abc"),
        ("content-type", "text/csv"),
    ] {
        assert_eq!(answer.sent(name), value, "{name}");
    }
    assert_eq!(answer.header("content-type"), "application/json", "the backend's own is not mapped");
}

#[tokio::test]
async fn the_status_selects_the_answer() {
    let world = World::start().await;
    let backend = Backend::start().await;
    let integration = http_custom(&backend.url("/status/{code}"))
        .mapping("path.code", "method.request.path.code")
        .answering("200", "")
        .with_header("X-From", "integration.response.header.x-backend")
        .answering("400", r"4\d{2}")
        .with_body("application/json", "bad");
    world.store(rest_api("abc").method("GET /{code}", integration).deployed_to("dev")).await;
    let answer = world.get(&format!("{BASE}/200")).await;
    answer.is(200, "status 200");
    assert_eq!(answer.header("x-from"), "yes");
    assert_eq!(answer.header("x-backend"), "");
    world.get(&format!("{BASE}/404")).await.is(400, "bad");
    world.get(&format!("{BASE}/500")).await.is(200, "status 500");
    assert!(answer.header("x-amzn-trace-id").starts_with("Root="), "{answer:?}");
}

#[tokio::test]
async fn templates_make_the_body() {
    let world = World::start().await;
    let backend = Backend::start().await;
    let integration = api::Integration {
        request_templates: Some(map(&[("application/json", "fixed"), ("text/xml", "$input.body")])),
        passthrough_behavior: Some("NEVER".to_owned()),
        ..http_custom(&backend.url("/")).answering("200", "")
    };
    world.store(rest_api("abc").method("POST /", integration).deployed_to("dev")).await;
    assert_eq!(world.send(Method::POST, BASE, &[], "ignored").await.json()["body"], "fixed");
    let xml = world.send(Method::POST, BASE, &[("content-type", "text/xml")], "x").await;
    assert_eq!(xml.json()["body"], "x");
    assert_eq!(world.send(Method::POST, BASE, &[("content-type", "text/csv")], "x").await.status, 415);
}

const BALANCER: &str = "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/net/nlb/50dc";

#[tokio::test]
async fn private_backends_are_found_by_their_link() {
    let backend = Backend::start().await;
    let address: http::Uri = backend.url("").parse().expect("a URL");
    let world = World::start_with(|config| {
        let balancer = (BALANCER.to_owned(), http::Uri::clone(&address));
        config.vpc_links = std::collections::BTreeMap::from([("vl1".to_owned(), address), balancer]);
    });
    let world = world.await;
    let private = |link: &str, integration: api::Integration| api::Integration {
        connection_type: Some(api::ConnectionType::VpcLink),
        connection_id: Some(link.to_owned()),
        ..integration
    };
    let nlb = "http://nlb.example:8080/base/{proxy}";
    let proxied = http_proxy(nlb).mapping("path.proxy", "method.request.path.proxy");
    let api = rest_api("abc")
        .method("GET /a/{proxy+}", private("${stageVariables.link}", proxied))
        .method("GET /b", private("vl1", http_custom(nlb).answering("200", "")))
        .method("GET /c", private("vl2", http_proxy(nlb)));
    world.store(api.deployed_as("dep1", "dev", &[("link", "vl1")])).await;
    let seen = world.get("/_aws/execute-api/abc/dev/a/x/y?z=1").await;
    assert_eq!((seen.uri().as_str(), seen.sent("host").as_str()), ("/base/x/y?z=1", "nlb.example:8080"));
    assert_eq!(world.get("/_aws/execute-api/abc/dev/b").await.sent("host"), "nlb.example:8080");
    world.get("/_aws/execute-api/abc/dev/c").await.is(500, r#"{"message": "Internal server error"}"#);
    // As soon as it is known that the link leads to a load balancer with an address.
    let link = api::VpcLink { target_arns: Some(vec![BALANCER.to_owned()]), ..Default::default() };
    world.store(vec![entry(&["vl2"], &link)]).await;
    assert_eq!(world.get("/_aws/execute-api/abc/dev/c").await.sent("host"), "nlb.example:8080");
    world.store(vec![gone::<api::VpcLink>(&["vl2"])]).await;
    assert_eq!(world.get("/_aws/execute-api/abc/dev/c").await.status, 500);
}
