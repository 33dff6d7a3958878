//! Lambda authorizers of REST and HTTP APIs: what they are told, what becomes of their answers, and what is kept.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use stagedoor_api::{apigateway as rest, apigatewayv2 as http_types};
use stagedoor_state::http::AuthorizerCacheEpoch;
use stagedoor_state::rest::CacheEpoch;
use tokio::time::Instant;

use crate::build::{RestApi, aws_proxy, function_uri, http_api, rest_api};
use crate::functions::function;
use crate::world::{Seen, World, entry};

const REST: &str = "/_aws/execute-api/abc/dev";
const HTTP: &str = "/_aws/execute-api/def";

async fn world() -> World {
    World::start_with(|config| {
        let mut guard = function("guard", "well");
        guard.concurrency = 1;
        config.functions = vec![function("pets", "well"), guard];
    })
    .await
}

fn authorizer(id: &str, kind: rest::AuthorizerType, source: &str, ttl: i64) -> rest::Authorizer {
    rest::Authorizer {
        id: Some(id.to_owned()),
        r#type: Some(kind),
        authorizer_uri: Some(function_uri("guard")),
        authorizer_result_ttl_in_seconds: Some(ttl),
        identity_source: Some(source.to_owned()).filter(|source| !source.is_empty()),
        ..Default::default()
    }
}

fn guarded(by: &str) -> rest::Method {
    rest::Method {
        authorization_type: Some("CUSTOM".to_owned()),
        authorizer_id: Some(by.to_owned()),
        method_integration: Some(aws_proxy("pets")),
        ..Default::default()
    }
}

fn token_api(ttl: i64) -> RestApi {
    rest_api("abc")
        .method_with("ANY /one/{id}", guarded("token"))
        .method_with("ANY /two", guarded("token"))
        .authorizer(authorizer("token", rest::AuthorizerType::Token, "method.request.header.X-Token", ttl))
}

async fn ask(world: &World, path: &str, token: &str) -> Seen {
    world.send(Method::GET, path, &[("x-token", token)], "").await
}

fn asked(seen: &Seen) -> String {
    seen.json()["requestContext"]["authorizer"]["asked"].as_str().unwrap_or_default().to_owned()
}

/// C7: the event, what the function behind is told, and that all of the context is text.
#[tokio::test]
async fn token_authorizers_are_told_the_token_and_the_method() {
    let world = world().await;
    world.store(token_api(0).deployed_to("dev")).await;
    let seen = ask(&world, &format!("{REST}/one/7?a=b"), "allow me").await;
    assert_eq!(seen.status, 200, "{seen:?}");
    let told = seen.json()["requestContext"]["authorizer"].clone();
    assert_eq!(told["principalId"], "allow me");
    assert_eq!(told["flag"], "true");
    assert_eq!(told["asked"], "1");
    assert!(told["integrationLatency"].is_u64(), "{told}");
    let event: Value = serde_json::from_str(told["event"].as_str().expect("text")).expect("JSON");
    assert_eq!(
        event,
        json!({
            "type": "TOKEN",
            "authorizationToken": "allow me",
            "methodArn": "arn:aws:execute-api:eu-west-1:111122223333:abc/dev/GET/one/7",
        })
    );
}

#[tokio::test]
async fn answers_are_decisions() {
    let world = world().await;
    world.store(token_api(0).deployed_to("dev")).await;
    let two = format!("{REST}/two");
    let denied = "User is not authorized to access this resource";
    for (token, status, error_type, body) in [
        ("deny", 403, "AccessDeniedException", format!(r#"{{"Message":"{denied} with an explicit deny"}}"#)),
        ("other", 403, "AccessDeniedException", format!(r#"{{"Message":"{denied}"}}"#)),
        ("unauthorized", 401, "UnauthorizedException", r#"{"message":"Unauthorized"}"#.to_owned()),
        ("fail", 500, "AuthorizerConfigurationException", r#"{"message":null}"#.to_owned()),
        ("garbage", 500, "AuthorizerConfigurationException", r#"{"message":null}"#.to_owned()),
        ("nested", 500, "AuthorizerConfigurationException", r#"{"message":null}"#.to_owned()),
        ("exit", 500, "AuthorizerConfigurationException", r#"{"message":null}"#.to_owned()),
    ] {
        let seen = ask(&world, &two, token).await;
        seen.is(status, &body);
        assert_eq!(seen.header("x-amzn-errortype"), error_type);
    }
    world.get(&two).await.is(401, r#"{"message":"Unauthorized"}"#);
    ask(&world, &two, " ").await.is(401, r#"{"message":"Unauthorized"}"#);
    let big = format!("{REST}/one/{}", "x".repeat(1600));
    ask(&world, &big, "all").await.is(414, r#"{"message":"Request URI too long"}"#);
}

#[tokio::test]
async fn tokens_that_do_not_look_right_are_not_asked_about() {
    let world = world().await;
    let mut picky = authorizer("token", rest::AuthorizerType::Token, "method.request.header.X-Token", 0);
    picky.identity_validation_expression = Some("a[l ]*".to_owned());
    let api = rest_api("abc").method_with("GET /two", guarded("token")).authorizer(picky);
    world.store(api.deployed_to("dev")).await;
    let two = format!("{REST}/two");
    ask(&world, &two, "allow").await.is(401, r#"{"message":"Unauthorized"}"#);
    assert_eq!(asked(&ask(&world, &two, "all").await), "1", "the first was not asked about");
}

/// C7: what is kept is the policy, which decides about each method anew; flushing forgets it, and so does time.
#[tokio::test]
async fn policies_are_kept_and_decide_about_every_method() {
    static NOW: AtomicU64 = AtomicU64::new(1_700_000_000);
    let world = World::start_with(|config| {
        let mut guard = function("guard", "well");
        guard.concurrency = 1;
        config.functions = vec![function("pets", "well"), guard];
        config.now = || Duration::from_secs(NOW.load(Ordering::SeqCst));
    })
    .await;
    let api = token_api(300);
    world.store(api.deployed_to("dev")).await;
    let (one, two) = (format!("{REST}/one/1"), format!("{REST}/two"));
    assert_eq!(asked(&ask(&world, &one, "allow").await), "1");
    let again = ask(&world, &one, "allow").await;
    assert_eq!(asked(&again), "1");
    assert_eq!(again.json()["requestContext"]["authorizer"]["integrationLatency"], 0);
    // The policy allowed the first method only, and is not asked for again.
    let other = ask(&world, &two, "allow").await;
    other.is(403, r#"{"Message":"User is not authorized to access this resource"}"#);
    // Another token is another caller.
    assert_eq!(asked(&ask(&world, &one, "all").await), "2");
    assert_eq!(asked(&ask(&world, &two, "all").await), "2");
    world.store(vec![entry(&["abc", "dev"], &CacheEpoch { responses: 1, authorizers: 0 })]).await;
    assert_eq!(asked(&ask(&world, &one, "allow").await), "1", "only answers of methods were flushed");
    world.store(vec![entry(&["abc", "dev"], &CacheEpoch { responses: 1, authorizers: 1 })]).await;
    assert_eq!(asked(&ask(&world, &one, "allow").await), "3");
    NOW.fetch_add(299, Ordering::SeqCst);
    assert_eq!(asked(&ask(&world, &one, "allow").await), "3");
    NOW.fetch_add(1, Ordering::SeqCst);
    assert_eq!(asked(&ask(&world, &one, "allow").await), "4");
    // Failures are not kept.
    ask(&world, &one, "fail").await.is(500, r#"{"message":null}"#);
    world.store(api.deployed_as("dep2", "dev", &[])).await;
    assert_eq!(asked(&ask(&world, &one, "allow").await), "6", "another deployment, other authorizers");
}

#[tokio::test]
async fn request_authorizers_are_told_the_request() {
    let world = world().await;
    let sources = "method.request.header.X-Who,method.request.querystring.q,context.httpMethod";
    let api = rest_api("abc")
        .method_with("ANY /kept/{id}", guarded("kept"))
        .method_with("ANY /fresh", guarded("fresh"))
        .authorizer(authorizer("kept", rest::AuthorizerType::Request, sources, 60))
        .authorizer(authorizer("fresh", rest::AuthorizerType::Request, sources, 0));
    world.store(api.deployed_as("dep1", "dev", &[("v", "w")])).await;
    let kept = format!("{REST}/kept/7?q=1&q=2");
    let who = [("x-who", "all"), ("user-agent", "a-test")];
    let seen = world.send(Method::POST, &kept, &who, "event").await;
    let told: Value = serde_json::from_str(&seen.body).expect("an event");
    let text = told["requestContext"]["authorizer"]["event"].as_str().expect("text");
    let event: Value = serde_json::from_str(text).expect("JSON");
    let names: Vec<&str> = event.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(
        names.join(" "),
        "type methodArn resource path httpMethod headers multiValueHeaders queryStringParameters \
         multiValueQueryStringParameters pathParameters stageVariables requestContext"
    );
    assert_eq!(event["methodArn"], "arn:aws:execute-api:eu-west-1:111122223333:abc/dev/POST/kept/7");
    assert_eq!(event["resource"], "/kept/{id}");
    assert_eq!(event["multiValueQueryStringParameters"], json!({"q": ["1", "2"]}));
    assert_eq!(event["pathParameters"], json!({"id": "7"}));
    assert_eq!(event["stageVariables"], json!({"v": "w"}));
    assert_eq!(event["headers"]["X-Who"], "all");
    assert_eq!(event["requestContext"]["identity"]["userAgent"], "a-test");
    assert_eq!(event["requestContext"]["authorizer"], Value::Null);
    // One identity is another caller; a missing one is nobody.
    for (path, expected) in [("7?q=2", "1"), ("8?q=2", "1"), ("7?q=3", "2")] {
        let seen = world.send(Method::POST, &format!("{REST}/kept/{path}"), &who, "event").await;
        let told: Value = serde_json::from_str(&seen.body).expect("an event");
        assert_eq!(told["requestContext"]["authorizer"]["asked"], expected, "{path}");
    }
    let missing = world.send(Method::POST, &format!("{REST}/kept/7"), &who, "event").await;
    missing.is(401, r#"{"message":"Unauthorized"}"#);
    // Nothing is kept, so nothing has to be there.
    let fresh = world.send(Method::GET, &format!("{REST}/fresh"), &who, "").await;
    assert_eq!(asked(&fresh), "3");
    let event = fresh.json()["requestContext"]["authorizer"]["event"].as_str().map(str::to_owned);
    let event: Value = serde_json::from_str(&event.expect("text")).expect("JSON");
    assert_eq!((&event["queryStringParameters"], &event["pathParameters"]), (&json!({}), &json!({})));
}

#[tokio::test]
async fn a_stages_variable_names_the_authorizer() {
    let world = world().await;
    let mut named = authorizer("token", rest::AuthorizerType::Token, "method.request.header.X-Token", 0);
    named.authorizer_uri = Some(function_uri("${stageVariables.guard}"));
    let api = rest_api("abc").method_with("GET /two", guarded("token")).authorizer(named);
    world.store(api.deployed_as("dep1", "dev", &[("guard", "guard")])).await;
    world.store(api.deployed_as("dep1", "broken", &[])).await;
    assert_eq!(ask(&world, &format!("{REST}/two"), "all").await.status, 200);
    ask(&world, "/_aws/execute-api/abc/broken/two", "all").await.is(500, r#"{"message":null}"#);
}

fn http_authorizer(id: &str, version: &str, simple: bool, ttl: i64) -> http_types::Authorizer {
    http_types::Authorizer {
        authorizer_id: Some(id.to_owned()),
        authorizer_type: Some(http_types::AuthorizerType::Request),
        authorizer_uri: Some(function_uri("guard")),
        authorizer_payload_format_version: Some(version.to_owned()),
        enable_simple_responses: Some(simple),
        authorizer_result_ttl_in_seconds: Some(ttl),
        identity_source: Some(vec!["$request.header.X-Who".to_owned(), "$request.querystring.q".to_owned()]),
        ..Default::default()
    }
}

async fn http_world() -> World {
    let world = world().await;
    let by = |id: &'static str| {
        move |route: &mut http_types::Route| {
            route.authorization_type = Some(http_types::AuthorizationType::Custom);
            route.authorizer_id = Some(id.to_owned());
        }
    };
    let mut by_route = http_authorizer("by-route", "2.0", true, 60);
    by_route.identity_source.get_or_insert_default().push("$context.routeKey".to_owned());
    let api = http_api("def")
        .function("GET /old/{id}", "pets", "1.0")
        .route_changed(by("old"))
        .function("GET /new/{id}", "pets", "2.0")
        .route_changed(by("new"))
        .function("GET /simple", "pets", "2.0")
        .route_changed(by("simple"))
        .function("GET /a", "pets", "2.0")
        .route_changed(by("kept"))
        .function("GET /b", "pets", "2.0")
        .route_changed(by("kept"))
        .function("GET /c", "pets", "2.0")
        .route_changed(by("by-route"))
        .function("GET /d", "pets", "2.0")
        .route_changed(by("by-route"))
        .authorizer(http_authorizer("old", "1.0", false, 0))
        .authorizer(http_authorizer("new", "2.0", false, 0))
        .authorizer(http_authorizer("simple", "2.0", true, 0))
        .authorizer(http_authorizer("kept", "2.0", true, 60))
        .authorizer(by_route);
    world.store(api.deployed_to("$default")).await;
    world
}

async fn ask_http(world: &World, path: &str, who: &str) -> Seen {
    world.send(Method::GET, &format!("{HTTP}{path}?q=1"), &[("x-who", who)], "").await
}

/// D4: both formats of the event, and what the function behind is told.
#[tokio::test]
async fn http_apis_tell_both_formats() {
    let world = http_world().await;
    let arn = |path: &str| format!("arn:aws:execute-api:eu-west-1:111122223333:def/$default/GET{path}");
    let told = ask_http(&world, "/old/7", "all").await.json()["requestContext"]["authorizer"].clone();
    // The header is not named so here: identities come first, and they are no policy of ours.
    let event: Value = serde_json::from_str(told["event"].as_str().expect("text")).expect("JSON");
    assert_eq!(told["principalId"], "all,1");
    assert_eq!(told["flag"], true);
    assert_eq!(event["version"], "1.0");
    assert_eq!(event["methodArn"], arn("/old/7"));
    assert_eq!(event["identitySource"], "all,1");
    assert_eq!(event["authorizationToken"], "all,1");
    assert_eq!(event["resource"], "/old/{id}");
    assert_eq!(event["pathParameters"], json!({"id": "7"}));
    let told =
        ask_http(&world, "/new/7", "all").await.json()["requestContext"]["authorizer"]["lambda"].clone();
    let event: Value = serde_json::from_str(told["event"].as_str().expect("text")).expect("JSON");
    assert_eq!(told["flag"], true);
    assert_eq!(event["version"], "2.0");
    assert_eq!(event["routeArn"], arn("/new/7"));
    assert_eq!(event["identitySource"], json!(["all", "1"]));
    assert_eq!(event["routeKey"], "GET /new/{id}");
    assert_eq!(event["rawQueryString"], "q=1");
    assert_eq!(event["requestContext"]["http"]["path"], "/new/7");
}

#[tokio::test]
async fn http_apis_decide_in_their_own_words() {
    let world = http_world().await;
    for (path, who, status, body) in [
        ("/simple", "yes", 200, ""),
        ("/simple", "no", 403, r#"{"message":"Forbidden"}"#),
        ("/simple", "all", 500, r#"{"message":"Internal Server Error"}"#),
        ("/new/1", "allow", 200, ""),
        ("/new/1", "deny", 403, r#"{"message":"Forbidden"}"#),
        ("/new/1", "other", 403, r#"{"message":"Forbidden"}"#),
        ("/new/1", "yes", 500, r#"{"message":"Internal Server Error"}"#),
        ("/new/1", "fail", 500, r#"{"message":"Internal Server Error"}"#),
        ("/new/1", "unauthorized", 500, r#"{"message":"Internal Server Error"}"#),
        ("/new/1", "exit", 500, r#"{"message":"Internal Server Error"}"#),
    ] {
        let seen = ask_http(&world, path, who).await;
        assert_eq!(seen.status, status, "{path} {who} {seen:?}");
        assert!(body.is_empty() || seen.body == body, "{path} {who} {seen:?}");
    }
    let missing = world.send(Method::GET, &format!("{HTTP}/simple"), &[("x-who", "yes")], "").await;
    missing.is(401, r#"{"message":"Unauthorized"}"#);
}

#[tokio::test]
async fn http_apis_keep_answers_by_identity() {
    let world = http_world().await;
    let count = |seen: Seen| seen.json()["requestContext"]["authorizer"]["lambda"]["asked"].clone();
    assert_eq!(count(ask_http(&world, "/a", "yes").await), 1);
    assert_eq!(count(ask_http(&world, "/b", "yes").await), 1, "one answer for all routes");
    assert_eq!(count(ask_http(&world, "/a", "yes 2").await), 2);
    assert_eq!(count(ask_http(&world, "/c", "yes").await), 3);
    assert_eq!(count(ask_http(&world, "/d", "yes").await), 4, "the route is an identity source");
    assert_eq!(count(ask_http(&world, "/c", "yes").await), 3);
    world.store(vec![entry(&["def", "$default"], &AuthorizerCacheEpoch { resets: 1 })]).await;
    assert_eq!(count(ask_http(&world, "/a", "yes").await), 5);
}

/// An authorizer that never answers costs its own callers ten seconds, and nobody else anything.
#[tokio::test]
async fn an_authorizer_that_hangs_holds_up_only_its_own_callers() {
    let world = http_world().await;
    let began = Instant::now();
    let hanging = async {
        ask_http(&world, "/simple", "hang").await.is(500, r#"{"message":"Internal Server Error"}"#);
        began.elapsed()
    };
    let open = async {
        let seen = world.get(&format!("{HTTP}/nowhere")).await;
        seen.is(404, r#"{"message":"Not Found"}"#);
        began.elapsed()
    };
    let (hanging, open) = tokio::join!(hanging, open);
    assert!((9..15).contains(&hanging.as_secs()), "{hanging:?}");
    assert!(open < Duration::from_secs(5), "{open:?}");
}
