//! Which requests reach a method of a REST API, and what is refused before (rest-data C2 and C3).

use http::Method;

use crate::backend::Backend;
use crate::build::{Integrated as _, http_proxy, mock, rest_api};
use crate::world::World;

const BASE: &str = "/_aws/execute-api/abc/dev";
const NO_METHOD: &str = r#"{"message":"Missing Authentication Token"}"#;

async fn world(backend: &Backend) -> World {
    let world = World::start().await;
    let api = rest_api("abc")
        .method("ANY /any", mock("{statusCode: 200}").answering("200", ""))
        .method("GET /back", http_proxy(&backend.url("/echo")));
    world.store(api.deployed_to("dev")).await;
    world
}

/// C3: `ANY` is seven verbs.
#[tokio::test]
async fn any_is_no_verb_that_rest_apis_lack() {
    let world = world(&Backend::start().await).await;
    let path = format!("{BASE}/any");
    for verb in ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"] {
        let verb: Method = verb.parse().expect("a verb");
        assert_eq!(world.send(verb.clone(), &path, &[], "").await.status, 200, "{verb}");
    }
    for verb in ["TRACE", "PROPFIND", "get"] {
        let verb: Method = verb.parse().expect("a verb");
        world.send(verb, &path, &[], "").await.is(403, NO_METHOD);
    }
    let overridden = world.send(Method::POST, &path, &[("x-http-method-override", "TRACE")], "").await;
    overridden.is(403, NO_METHOD);
}

/// C3: a semicolon ends a parameter, some letters must be encoded.
#[tokio::test]
async fn queries_are_split_at_semicolons_and_must_be_encoded() {
    let world = world(&Backend::start().await).await;
    let split = world.get(&format!("{BASE}/back?a=1;b=2;c&d=%3B")).await;
    assert_eq!(split.uri(), "/echo?a=1&b=2&c&d=%3B");
    for letter in ["|", "{", "}"] {
        let refused = world.get(&format!("{BASE}/back?a=1{letter}2")).await;
        refused.is(400, r#"{"message":"Bad Request"}"#);
        assert_eq!(refused.header("x-amzn-errortype"), "BadRequestException");
    }
    let encoded = world.get(&format!("{BASE}/back?a=1%7C2%7B%7D")).await;
    assert_eq!(encoded.uri(), "/echo?a=1%7C2%7B%7D");
}

/// C2: a coding that nobody knows is told before it is looked where the request leads.
#[tokio::test]
async fn unknown_codings_are_refused_first() {
    let world = world(&Backend::start().await).await;
    let coded = [("content-encoding", "br")];
    for path in ["/any", "/nowhere"] {
        let refused = world.send(Method::POST, &format!("{BASE}{path}"), &coded, "x").await;
        refused.is(415, r#"{"message":"Unsupported Media Type"}"#);
    }
    let known = [("content-encoding", "identity, gzip")];
    world.send(Method::POST, &format!("{BASE}/nowhere"), &known, "x").await.is(403, NO_METHOD);
}
