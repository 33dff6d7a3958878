//! `AWS_IAM`, and resource policies beside every kind of authorization: the tables of C7.

use std::sync::Arc;

use http::{HeaderMap, Method};
use jiff::Timestamp;
use serde_json::{Value, json};
use stagedoor_api::{apigateway as rest, apigatewayv2 as http_types};
use stagedoor_auth::policy::Policy;
use stagedoor_auth::sigv4::{self, Key, Payload};
use stagedoor_gateway::AccessKey;

use crate::backend::Backend;
use crate::build::{RestApi, aws_proxy, function_uri, http_api, http_proxy, mock, rest_api, stage_of_rest};
use crate::functions::function;
use crate::world::{ACCOUNT, REGION, Seen, World};

const NOW: i64 = 1_700_000_000;
const OTHER_ACCOUNT: &str = "444455556666";
const PATH: &str = "/_aws/execute-api/abc/dev/x";

fn key(id: &str, account: &str) -> Key {
    Key::long_term(id, "secret", account)
}

async fn world() -> World {
    let known = |id: &str, account: &str, user: Option<&str>, policy: Option<Value>| AccessKey {
        key: key(id, account),
        user: user.map(str::to_owned),
        policy: policy.map(|policy| Arc::new(Policy::of(&policy).expect("a test's own policy"))),
    };
    World::start_with(|config| {
        let mut guard = function("guard", "well");
        guard.concurrency = 1;
        config.functions = vec![function("pets", "well"), guard];
        config.access_keys = vec![
            known("ROOT", ACCOUNT, None, None),
            known("ALICE", ACCOUNT, Some("alice"), None),
            known("BOB", ACCOUNT, Some("bob"), Some(statement("Allow", "*/GET/other"))),
            known("CAROL", ACCOUNT, Some("carol"), Some(statement("Deny", "*"))),
            known("DAVE", ACCOUNT, Some("dave"), Some(only("execute-api:Invoke"))),
            known("ERIN", ACCOUNT, Some("erin"), Some(only("execute-api:*"))),
            known("STRANGER", OTHER_ACCOUNT, None, None),
        ];
    })
    .await
}

fn statement(effect: &str, resource: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource},
    })
}

/// A policy that allows one kind of action.
fn only(action: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": action, "Resource": "*"},
    })
}

fn guarded(authorization: &str, integration: rest::Integration) -> rest::Method {
    rest::Method {
        authorization_type: Some(authorization.to_owned()),
        authorizer_id: Some("token".to_owned()),
        method_integration: Some(integration),
        ..Default::default()
    }
}

fn with_policy(api: RestApi, statements: &Value) -> RestApi {
    let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    api.change(|api| api.policy = Some(policy))
}

/// A request signed with a key, at so many seconds from now, for a region.
async fn signed_as(world: &World, who: (&Key, &str, i64), what: (Method, &str, &str)) -> Seen {
    signed_with(world, who, what, &[]).await
}

/// The same with more headers, which are not signed.
async fn signed_with(
    world: &World,
    (key, region, seconds): (&Key, &str, i64),
    (method, target, body): (Method, &str, &str),
    more: &[(&str, &str)],
) -> Seen {
    let host = world.address.to_string();
    let mut headers = HeaderMap::new();
    headers.insert("host", host.parse().expect("a host"));
    headers.insert("content-type", "text/plain".parse().expect("a type"));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = sigv4::Request {
        method: &method,
        path,
        query,
        headers: &headers,
        host: None,
        payload: Payload::Bytes(body.as_bytes()),
    };
    let time = Timestamp::from_second(NOW + seconds).expect("a time");
    let added = sigv4::sign(&request, key, region, "execute-api", time).expect("signs");
    let mut sent = vec![("content-type", "text/plain".to_owned())];
    let added: Vec<(String, String)> = added
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().expect("text").to_owned()))
        .collect();
    sent.extend(added.iter().map(|(name, value)| (name.as_str(), value.clone())));
    let sent = sent.iter().map(|(name, value)| (*name, value.as_str())).chain(more.iter().copied());
    let sent: Vec<(&str, &str)> = sent.collect();
    world.send(method, target, &sent, body).await
}

async fn signed(world: &World, key: &Key, body: &str) -> Seen {
    signed_as(world, (key, REGION, 0), (Method::POST, PATH, body)).await
}

/// C7: the identity that functions and backends are told; the body that was signed arrives.
#[tokio::test]
async fn signatures_name_the_caller() {
    let backend = Backend::start().await;
    let world = world().await;
    let api = rest_api("abc")
        .method_with("POST /x", guarded("AWS_IAM", aws_proxy("pets")))
        .method_with("POST /proxied", guarded("AWS_IAM", http_proxy(&backend.url("/echo"))));
    world.store(api.deployed_to("dev")).await;
    let seen = signed(&world, &key("ALICE", ACCOUNT), "event").await;
    assert_eq!(seen.status, 200, "{seen:?}");
    let identity = seen.json()["requestContext"]["identity"].clone();
    assert_eq!(identity["accessKey"], "ALICE");
    assert_eq!(identity["accountId"], ACCOUNT);
    assert_eq!(identity["userArn"], format!("arn:aws:iam::{ACCOUNT}:user/alice"));
    assert_eq!(identity["user"], identity["caller"]);
    assert!(identity["user"].as_str().is_some_and(|id| id.starts_with("AIDA")), "{identity}");
    assert_eq!(seen.json()["headers"]["Authorization"], Value::Null);
    let root = signed(&world, &key("ROOT", ACCOUNT), "event").await.json();
    assert_eq!(root["requestContext"]["identity"]["userArn"], format!("arn:aws:iam::{ACCOUNT}:root"));
    let proxied = "/_aws/execute-api/abc/dev/proxied?b=2&a=%2F+x";
    let seen = signed_as(&world, (&key("ROOT", ACCOUNT), REGION, 0), (Method::POST, proxied, "hello")).await;
    assert_eq!(seen.json()["body"], "hello");
    assert_eq!(seen.sent("authorization"), "");
    assert!(!seen.sent("x-amz-date").is_empty());
}

/// C6: the words of each refusal.
#[tokio::test]
async fn bad_signatures_are_told_why() {
    let world = world().await;
    let api = rest_api("abc").method_with("ANY /x", guarded("AWS_IAM", mock("{\"statusCode\": 200}")));
    world.store(api.deployed_to("dev")).await;
    let unsigned = world.get(PATH).await;
    unsigned.is(403, r#"{"message":"Missing Authentication Token"}"#);
    assert_eq!(unsigned.header("x-amzn-errortype"), "MissingAuthenticationTokenException");
    let unknown = signed(&world, &key("NOBODY", ACCOUNT), "").await;
    unknown.is(403, r#"{"message":"The security token included in the request is invalid."}"#);
    assert_eq!(unknown.header("x-amzn-errortype"), "UnrecognizedClientException");
    let wrong = signed(&world, &Key::long_term("ROOT", "guessed", ACCOUNT), "").await;
    assert_eq!(wrong.header("x-amzn-errortype"), "InvalidSignatureException");
    assert!(wrong.body.contains("The request signature we calculated does not match"), "{wrong:?}");
    let bearer = world.send(Method::GET, PATH, &[("authorization", "Bearer abc")], "").await;
    assert_eq!(bearer.header("x-amzn-errortype"), "IncompleteSignatureException");
    assert!(bearer.body.contains("'abc' not a valid key=value pair (missing equal-sign)"), "{bearer:?}");
    for (region, seconds, why) in [
        ("us-east-1", 0, "Credential should be scoped to a valid region, not 'us-east-1'. "),
        (REGION, -3600, "Signature expired"),
        (REGION, 3600, "Signature not yet current"),
    ] {
        let refused =
            signed_as(&world, (&key("ROOT", ACCOUNT), region, seconds), (Method::GET, PATH, "")).await;
        assert_eq!(refused.status, 403);
        assert!(refused.body.contains(why), "{refused:?}");
    }
}

#[tokio::test]
async fn presigned_urls_are_signatures_too() {
    let world = world().await;
    let api = rest_api("abc").method_with("GET /x", guarded("AWS_IAM", aws_proxy("pets")));
    world.store(api.deployed_to("dev")).await;
    let mut headers = HeaderMap::new();
    headers.insert("host", world.address.to_string().parse().expect("a host"));
    let request = sigv4::Request {
        method: &Method::GET,
        path: PATH,
        query: "a=1",
        headers: &headers,
        host: None,
        payload: Payload::Bytes(b""),
    };
    let time = Timestamp::from_second(NOW - 100).expect("a time");
    let presign = |seconds| {
        sigv4::presign(&request, &key("ROOT", ACCOUNT), REGION, "execute-api", time, seconds).expect("signs")
    };
    let seen = world.get(&format!("{PATH}?{}", presign(200))).await;
    assert_eq!(seen.json()["requestContext"]["identity"]["accessKey"], "ROOT");
    let late = world.get(&format!("{PATH}?{}", presign(50))).await;
    assert!(late.body.contains("Signature expired"), "{late:?}");
    let changed = world.get(&format!("{PATH}?{}", presign(200).replace("a=1", "a=2"))).await;
    assert_eq!(changed.header("x-amzn-errortype"), "InvalidSignatureException");
}

/// Tables A and B: identity policies beside resource policies.
#[tokio::test]
async fn identities_and_resource_policies_decide_together() {
    let world = world().await;
    let alice = json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:user/alice")});
    let everyone = json!("*");
    let stranger = json!({"AWS": OTHER_ACCOUNT});
    let says = |effect: &str, who: &Value| json!([{"Effect": effect, "Principal": who, "Action": "execute-api:Invoke", "Resource": "*"}]);
    let none = json!(null);
    for (case, policy, expected) in [
        ("no policy", none.clone(), [true, true, false, false, false]),
        ("everyone", says("Allow", &everyone), [true, true, true, false, true]),
        ("alice alone", says("Allow", &alice), [true, true, false, false, false]),
        ("not alice", says("Deny", &alice), [true, false, false, false, false]),
        ("the stranger", says("Allow", &stranger), [true, true, false, false, true]),
        ("nobody", json!([]), [true, true, false, false, false]),
    ] {
        let mut api = rest_api("abc").method_with("ANY /x", guarded("AWS_IAM", aws_proxy("pets")));
        if !policy.is_null() {
            api = with_policy(api, &policy);
        }
        world.store(api.deployed_as(case, "dev", &[])).await;
        for (id, expected) in ["ROOT", "ALICE", "BOB", "CAROL", "STRANGER"].into_iter().zip(expected) {
            let account = if id == "STRANGER" { OTHER_ACCOUNT } else { ACCOUNT };
            let seen = signed(&world, &key(id, account), "event").await;
            assert_eq!(seen.status == 200, expected, "{case} {id} {seen:?}");
        }
    }
    let denied = signed(&world, &key("CAROL", ACCOUNT), "event").await;
    denied.is(
        403,
        "{\"Message\":\"User: arn:aws:iam::111122223333:user/carol is not authorized to perform: \
         execute-api:Invoke on resource: arn:aws:execute-api:eu-west-1:********3333:abc/dev/POST/x with an \
         explicit deny\"}",
    );
    assert_eq!(denied.header("x-amzn-errortype"), "AccessDeniedException");
}

/// Methods without authorization: the policy alone has to allow them.
#[tokio::test]
async fn resource_policies_alone() {
    let world = world().await;
    let allow = |condition: Value| {
        json!([{
            "Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke",
            "Resource": "arn:aws:execute-api:*:*:abc/dev/*", "Condition": condition,
        }])
    };
    let implicit = "User: anonymous is not authorized to perform: execute-api:Invoke on resource: \
                    arn:aws:execute-api:eu-west-1:********3333:abc/dev/GET/x";
    for (case, statements, expected) in [
        ("here", allow(json!({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}})), None),
        ("elsewhere", allow(json!({"IpAddress": {"aws:SourceIp": ["192.0.2.0/24"]}})), Some("")),
        ("agent", allow(json!({"StringLike": {"aws:UserAgent": "curl*"}})), Some("")),
        ("plain", allow(json!({"Bool": {"aws:SecureTransport": "false"}})), None),
        ("endpoint", allow(json!({"StringEquals": {"aws:SourceVpce": "vpce-1"}})), Some("")),
        ("not from the endpoint", allow(json!({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}})), None),
        ("empty", json!([]), Some("")),
        (
            "denied",
            json!([
                {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"},
                {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*/GET/x"},
            ]),
            Some(" with an explicit deny"),
        ),
    ] {
        let api = with_policy(rest_api("abc").method("GET /x", aws_proxy("pets")), &statements);
        world.store(api.deployed_as(case, "dev", &[])).await;
        let seen = world.get(PATH).await;
        match expected {
            None => assert_eq!(seen.status, 200, "{case} {seen:?}"),
            Some(suffix) => seen.is(403, &format!("{{\"Message\":\"{implicit}{suffix}\"}}")),
        }
    }
    let private = allow(json!({"StringEquals": {"aws:SourceVpce": "vpce-1"}}));
    let api = with_policy(rest_api("abc").method("GET /x", aws_proxy("pets")), &private);
    world.store(api.deployed_as("vpce", "dev", &[])).await;
    let host = "abc-vpce-1.execute-api.eu-west-1.localhost";
    assert_eq!(world.get_from(host, "/dev/x").await.status, 200);
    let api = rest_api("abc").method("GET /x", aws_proxy("pets"));
    let broken =
        api.change(|api| api.policy = Some("{\"Statement\": [{\"Effect\": \"Perhaps\"}]}".to_owned()));
    world.store(broken.deployed_as("broken", "dev", &[])).await;
    world.get(PATH).await.is(500, r#"{"message": "Internal server error"}"#);
}

/// Lambda authorizers: an explicit denial comes before they are asked, and one side's permission is enough.
#[tokio::test]
async fn resource_policies_beside_lambda_authorizers() {
    let world = world().await;
    let says = |effect: &str| json!([{"Effect": effect, "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*"}]);
    let denied = "User is not authorized to access this resource";
    for (case, policy, [all, other, deny]) in [
        ("none", json!([]), ["", denied, " with an explicit deny"]),
        ("allow", says("Allow"), ["", "", " with an explicit deny"]),
        ("deny", says("Deny"), ["User: anonymous", "User: anonymous", "User: anonymous"]),
    ] {
        let api = rest_api("abc").method_with("GET /x", guarded("CUSTOM", aws_proxy("pets"))).authorizer(
            rest::Authorizer {
                id: Some("token".to_owned()),
                r#type: Some(rest::AuthorizerType::Token),
                authorizer_uri: Some(function_uri("guard")),
                authorizer_result_ttl_in_seconds: Some(0),
                identity_source: Some("method.request.header.X-Token".to_owned()),
                ..Default::default()
            },
        );
        world.store(with_policy(api, &policy).deployed_as(case, "dev", &[])).await;
        for (token, expected) in [("all", all), ("other", other), ("deny", deny)] {
            let seen = world.send(Method::GET, PATH, &[("x-token", token)], "").await;
            match expected {
                "" => assert_eq!(seen.status, 200, "{case} {token} {seen:?}"),
                text => {
                    assert_eq!(seen.status, 403, "{case} {token} {seen:?}");
                    assert!(seen.body.contains(text), "{case} {token} {seen:?}");
                }
            }
        }
    }
}

/// D4: HTTP APIs verify signatures too, have no resource policies, and say little.
#[tokio::test]
async fn http_apis_take_signatures() {
    let world = world().await;
    let api = http_api("abc").function("POST /dev/x", "pets", "2.0").route_changed(|route| {
        route.authorization_type = Some(http_types::AuthorizationType::AwsIam);
    });
    world.store(api.deployed_to("$default")).await;
    let seen = signed(&world, &key("ALICE", ACCOUNT), "event").await;
    let told = seen.json()["requestContext"]["authorizer"]["iam"].clone();
    assert_eq!(told["accessKey"], "ALICE");
    assert_eq!(told["userArn"], format!("arn:aws:iam::{ACCOUNT}:user/alice"));
    assert_eq!(told["cognitoIdentity"], Value::Null);
    for (id, account) in [("CAROL", ACCOUNT), ("STRANGER", OTHER_ACCOUNT), ("NOBODY", ACCOUNT)] {
        signed(&world, &key(id, account), "event").await.is(403, r#"{"message":"Forbidden"}"#);
    }
    let unsigned = world.send(Method::POST, PATH, &[], "event").await;
    unsigned.is(403, r#"{"message":"Forbidden"}"#);
}

/// C15: `execute-api:InvalidateCache` is asked of the caller's policy and of the API's.
#[tokio::test]
async fn caches_are_emptied_by_those_who_may() {
    let world = world().await;
    let cached = rest::MethodSetting {
        caching_enabled: Some(true),
        unauthorized_cache_control_header_strategy: Some(
            rest::UnauthorizedCacheControlHeaderStrategy::FailWith403,
        ),
        ..Default::default()
    };
    let api = || rest_api("abc").method_with("GET /x", guarded("AWS_IAM", aws_proxy("pets")));
    let deployed = |api: &RestApi| {
        stage_of_rest(api, |stage| {
            stage.cache_cluster_enabled = Some(true);
            stage.method_settings = Some([("*/*".to_owned(), cached.clone())].into());
        })
    };
    let ask = async |id: &str, fresh: bool| {
        let key = key(id, ACCOUNT);
        let more: &[_] = if fresh { &[("cache-control", "max-age=0")] } else { &[] };
        signed_with(&world, (&key, REGION, 0), (Method::GET, PATH, ""), more).await
    };
    world.store(deployed(&api())).await;
    let made_for = |seen: &Seen| seen.json()["requestContext"]["requestId"].clone();
    let kept = made_for(&ask("ROOT", false).await);
    assert_eq!(made_for(&ask("DAVE", false).await), kept);
    for (id, may) in [("ROOT", true), ("ALICE", true), ("DAVE", false), ("ERIN", true)] {
        let seen = ask(id, true).await;
        assert_eq!(seen.status.as_u16(), if may { 200 } else { 403 }, "{id}");
        assert!(!may || made_for(&seen) != kept, "{id}");
    }
    let allows = json!([{
        "Effect": "Allow", "Principal": "*", "Action": "execute-api:InvalidateCache", "Resource": "*",
    }]);
    world.store(deployed(&with_policy(api(), &allows))).await;
    assert_eq!(ask("DAVE", true).await.status, 200);
    let denies = json!([{
        "Effect": "Deny", "Principal": "*", "Action": "execute-api:InvalidateCache", "Resource": "*",
    }]);
    world.store(deployed(&with_policy(api(), &denies))).await;
    assert_eq!(ask("ERIN", true).await.status, 403);
    assert_eq!(ask("ERIN", false).await.status, 200);
}
