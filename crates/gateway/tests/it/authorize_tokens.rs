//! JSON web tokens: JWT authorizers of HTTP APIs, user pools of REST APIs, and issuers that misbehave.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use serde_json::{Value, json};
use stagedoor_api::{apigateway as rest, apigatewayv2 as http_types};
use stagedoor_auth::sigv4::Key;
use stagedoor_gateway::ServiceEndpoint;
use tokio::time::Instant;

use crate::build::{aws_proxy, http_api, rest_api};
use crate::functions::function;
use crate::issuer::{Issuer, Mood, key};
use crate::world::{Seen, World};

const NOW: u64 = 1_700_000_000;
const PLAIN: &str = "/_aws/execute-api/def/plain";
const SCOPED: &str = "/_aws/execute-api/def/scoped";

fn claims() -> Value {
    json!({"sub": "me", "aud": "app", "exp": NOW + 600, "nbf": NOW, "iat": NOW, "scope": "read write"})
}

/// The usual claims, one of them changed; null takes it away.
fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    match (value, claims.as_object_mut()) {
        (Value::Null, Some(claims)) => {
            claims.remove(name);
        }
        (value, Some(claims)) => {
            claims.insert(name.to_owned(), value);
        }
        (_, None) => unreachable!("claims are an object"),
    }
    claims
}

/// An HTTP API with a JWT authorizer of this issuer on two routes, one with scopes, and an open one.
async fn world(issuer: &Issuer) -> World {
    let world = World::start_with(|config| config.functions = vec![function("pets", "well")]).await;
    let authorizer = http_types::Authorizer {
        authorizer_id: Some("jwt".to_owned()),
        authorizer_type: Some(http_types::AuthorizerType::Jwt),
        identity_source: Some(vec!["$request.header.Authorization".to_owned()]),
        jwt_configuration: Some(http_types::JWTConfiguration {
            audience: Some(vec!["other".to_owned(), "app".to_owned()]),
            issuer: Some(issuer.url().to_owned()),
        }),
        ..Default::default()
    };
    let guarded = |scopes: Option<&[&str]>| {
        let scopes = scopes.map(|scopes| scopes.iter().map(|scope| (*scope).to_owned()).collect());
        move |route: &mut http_types::Route| {
            route.authorization_type = Some(http_types::AuthorizationType::Jwt);
            route.authorizer_id = Some("jwt".to_owned());
            route.authorization_scopes = scopes;
        }
    };
    let api = http_api("def")
        .function("GET /plain", "pets", "2.0")
        .route_changed(guarded(None))
        .function("GET /scoped", "pets", "2.0")
        .route_changed(guarded(Some(&["admin", "write"])))
        .function("GET /old", "pets", "1.0")
        .route_changed(guarded(None))
        .function("GET /open", "pets", "2.0")
        .authorizer(authorizer);
    world.store(api.deployed_to("$default")).await;
    world
}

async fn ask(world: &World, path: &str, token: &str) -> Seen {
    world.send(Method::GET, path, &[("authorization", token)], "").await
}

/// D3: a bare token or one after `Bearer`; what functions are told of it in both formats.
#[tokio::test]
async fn good_tokens_pass_and_functions_are_told_their_claims() {
    let issuer = Issuer::start().await;
    let world = world(&issuer).await;
    let mut claims = with("groups", json!(["a", "b"]));
    claims["ok"] = true.into();
    claims["none"] = Value::Null;
    let token = issuer.token(&claims);
    for value in [token.clone(), format!("Bearer {token}"), format!("bearer {token}")] {
        let seen = ask(&world, PLAIN, &value).await;
        assert_eq!(seen.status, 200, "{seen:?}");
        let told = seen.json()["requestContext"]["authorizer"].clone();
        let expected = json!({
            "sub": "me", "aud": "app", "exp": (NOW + 600).to_string(), "nbf": NOW.to_string(),
            "iat": NOW.to_string(), "scope": "read write", "groups": "[a b]", "ok": "true", "iss": issuer.url(),
        });
        assert_eq!(told, json!({"jwt": {"claims": expected, "scopes": null}}));
    }
    let scoped = ask(&world, SCOPED, &token).await.json();
    assert_eq!(scoped["requestContext"]["authorizer"]["jwt"]["scopes"], json!(["read", "write"]));
    let old = ask(&world, "/_aws/execute-api/def/old", &token).await.json();
    assert_eq!(old["requestContext"]["authorizer"]["claims"]["sub"], "me");
    assert_eq!(issuer.fetches(), 1, "the keys are kept");
}

/// D3: what is refused, and with which `www-authenticate`.
#[tokio::test]
async fn bad_tokens_are_challenged() {
    let issuer = Issuer::start().await;
    let world = world(&issuer).await;
    let missing = world.get(PLAIN).await;
    missing.is(401, r#"{"message":"Unauthorized"}"#);
    assert_eq!(missing.header("www-authenticate"), "Bearer");
    assert_eq!(missing.header("content-type"), "");
    assert_eq!(missing.header("apigw-requestid").len(), 16);
    let forged = issuer.token_as(&json!({"alg": "RS256", "kid": "k1"}), &claims(), &key());
    let stranger = issuer.token_as(&json!({"alg": "RS256", "kid": "k2"}), &claims(), &key());
    let [none_header, payload] = [r#"{"alg":"none","kid":"k1"}"#.to_owned(), {
        let mut claims = claims();
        claims["iss"] = issuer.url().into();
        claims.to_string()
    }]
    .map(|part| URL_SAFE_NO_PAD.encode(part));
    let hs256 = issuer.token_as(&json!({"alg": "HS256", "kid": "k1"}), &claims(), &key());
    let es256 = issuer.token_as(&json!({"alg": "ES256", "kid": "k1"}), &claims(), &key());
    let critical = issuer.token_as(&json!({"alg": "RS256", "kid": "k1", "crit": ["x"]}), &claims(), &key());
    let audience = "the token does not have a valid audience";
    let cases = [
        ("not-a-token".to_owned(), "token contains an invalid number of segments"),
        ("a.b.c.d".to_owned(), "token contains an invalid number of segments"),
        ("a.b.c".to_owned(), "the token is malformed"),
        (format!("{none_header}.{payload}."), "signing method none is invalid"),
        (hs256, "signing method HS256 is invalid"),
        (es256, "signing method ES256 is invalid"),
        (critical, "the token has extensions that are not understood"),
        (forged, "signature is invalid"),
        (stranger, "unable to find a signing key that matches the token's kid"),
        (
            issuer.token(&with("iss", "http://somebody.example".into())),
            "the token does not have a valid issuer",
        ),
        (issuer.token(&with("aud", "nobody".into())), audience),
        (issuer.token(&with("aud", json!(["nobody"]))), audience),
        (issuer.token(&with("aud", Value::Null)), audience),
        (issuer.token(&with("exp", NOW.into())), "the token has expired"),
        (issuer.token(&with("exp", Value::Null)), "the token has expired"),
        (issuer.token(&with("nbf", (NOW + 60).into())), "the token is not valid yet"),
        (issuer.token(&with("iat", (NOW + 60).into())), "the token was issued in the future"),
    ];
    for (token, why) in cases {
        let refused = ask(&world, PLAIN, &token).await;
        refused.is(401, r#"{"message":"Unauthorized"}"#);
        let expected = format!("Bearer scope=\"\" error=\"invalid_token\" error_description=\"{why}\"");
        assert_eq!(refused.header("www-authenticate"), expected);
    }
    // `aud` decides where there is one; `client_id` stands in for it.
    let mut both = with("aud", "nobody".into());
    both["client_id"] = "app".into();
    assert_eq!(ask(&world, PLAIN, &issuer.token(&both)).await.status, 401);
    both["aud"] = json!(["nobody", "app"]);
    assert_eq!(ask(&world, PLAIN, &issuer.token(&both)).await.status, 200);
    let mut client = with("aud", Value::Null);
    client["client_id"] = "app".into();
    assert_eq!(ask(&world, PLAIN, &issuer.token(&client)).await.status, 200);
}

#[tokio::test]
async fn scopes_are_asked_for() {
    let issuer = Issuer::start().await;
    let world = world(&issuer).await;
    for scopes in [json!("write"), json!("x admin")] {
        assert_eq!(ask(&world, SCOPED, &issuer.token(&with("scope", scopes))).await.status, 200);
    }
    let mut listed = with("scope", Value::Null);
    listed["scp"] = json!(["admin"]);
    assert_eq!(ask(&world, SCOPED, &issuer.token(&listed)).await.status, 200);
    for scopes in [json!("read"), json!("writer"), Value::Null] {
        let refused = ask(&world, SCOPED, &issuer.token(&with("scope", scopes))).await;
        refused.is(403, r#"{"message":"Forbidden"}"#);
        let challenge = refused.header("www-authenticate");
        assert!(
            challenge.starts_with("Bearer scope=\"admin write\" error=\"insufficient_scope\""),
            "{challenge}"
        );
    }
}

/// Keys change while requests run: tokens of the new key pass as soon as they are asked about, and nobody waits.
#[tokio::test]
async fn keys_are_fetched_again_for_tokens_of_a_new_one() {
    let issuer = Issuer::start().await;
    let world = world(&issuer).await;
    let old = issuer.token(&claims());
    assert_eq!(ask(&world, PLAIN, &old).await.status, 200);
    issuer.rotate("k2");
    let new = issuer.token(&claims());
    let began = Instant::now();
    while ask(&world, PLAIN, &new).await.status != 200 {
        assert!(began.elapsed() < Duration::from_secs(10), "the new key is never fetched");
        assert_eq!(ask(&world, PLAIN, &old).await.status, 200, "a token that held goes on holding");
    }
    // The key is gone, and the token with it, unless it was seen before.
    let fetches = issuer.fetches();
    assert!(fetches <= 4, "{fetches} fetches: too many for so short a time");
}

#[tokio::test]
async fn made_up_key_ids_do_not_reach_the_issuer_each_time() {
    let issuer = Issuer::start().await;
    let world = world(&issuer).await;
    let good = issuer.token(&claims());
    assert_eq!(ask(&world, PLAIN, &good).await.status, 200);
    let wrong = key();
    let began = Instant::now();
    for number in 0..50 {
        let header = json!({"alg": "RS256", "kid": format!("made-up-{number}")});
        assert_eq!(ask(&world, PLAIN, &issuer.token_as(&header, &claims(), &wrong)).await.status, 401);
    }
    let most = 2 + began.elapsed().as_secs() as usize;
    assert!(issuer.fetches() <= most, "{} fetches, not more than {most} expected", issuer.fetches());
}

/// An issuer that hangs, lies or floods: 401 in time, everything else unhindered, and only one fetch at a time.
#[tokio::test]
async fn issuers_that_misbehave_disturb_nobody_else() {
    for (mood, why) in [
        (Mood::Hangs, "JWKS communication error"),
        (Mood::Failing, "JWKS communication error"),
        (Mood::Huge, "JWKS communication error"),
        (Mood::Garbage, "the JWKS is malformed"),
        (Mood::Impostor, "the issuer in the OIDC discovery document does not match the configured issuer"),
    ] {
        let issuer = Issuer::start().await;
        let world = world(&issuer).await;
        issuer.set(mood);
        let token = issuer.token(&claims());
        let began = Instant::now();
        let asked = async {
            let many = (0..8).map(|_| ask(&world, PLAIN, &token));
            for seen in futures_util::future::join_all(many).await {
                seen.is(401, r#"{"message":"Unauthorized"}"#);
                assert!(seen.header("www-authenticate").contains(why), "{mood:?} {seen:?}");
            }
            began.elapsed()
        };
        let open = async {
            assert_eq!(world.get("/_aws/execute-api/def/open").await.status, 200);
            began.elapsed()
        };
        let (asked, open) = tokio::join!(asked, open);
        assert!(asked < Duration::from_secs(5), "{mood:?}: {asked:?}");
        if mood == Mood::Hangs {
            assert!(open < asked, "the open route waited for the issuer");
            assert!(issuer.fetches() <= 3, "{} fetches at a time", issuer.fetches());
        }
        issuer.set(Mood::Well);
        let began = Instant::now();
        while ask(&world, PLAIN, &token).await.status != 200 {
            assert!(began.elapsed() < Duration::from_secs(10), "{mood:?}: never asked again");
        }
    }
}

#[tokio::test]
async fn issuers_that_are_gone_are_an_answer_too() {
    let issuer = Issuer::start().await;
    let gone =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("an address");
    let world = World::start().await;
    let api = http_api("def")
        .function("GET /plain", "pets", "2.0")
        .route_changed(|route| {
            route.authorization_type = Some(http_types::AuthorizationType::Jwt);
            route.authorizer_id = Some("jwt".to_owned());
        })
        .authorizer(http_types::Authorizer {
            authorizer_id: Some("jwt".to_owned()),
            authorizer_type: Some(http_types::AuthorizerType::Jwt),
            identity_source: Some(vec!["$request.querystring.token".to_owned()]),
            jwt_configuration: Some(http_types::JWTConfiguration {
                audience: None,
                issuer: Some(format!("http://{gone}")),
            }),
            ..Default::default()
        });
    world.store(api.deployed_to("$default")).await;
    let token = issuer.token(&with("iss", format!("http://{gone}").into()));
    let refused = world.get(&format!("{PLAIN}?token={token}")).await;
    let challenge = refused.header("www-authenticate");
    assert!(challenge.contains("OIDC discovery endpoint communication error"), "{challenge}");
}

const POOL: &str = "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/pool";
const REST: &str = "/_aws/execute-api/abc/dev";

/// A REST API with a user pool, whose endpoint is the issuer.
async fn user_pool_world(issuer: &Issuer) -> World {
    let url = format!("http://{}", issuer.address).parse().expect("a URL");
    let world = World::start_with(|config| {
        config.functions = vec![function("pets", "well")];
        let endpoint = ServiceEndpoint { url, key: Key::long_term("test", "test", "111122223333") };
        config.service_endpoints.insert("cognito-idp".to_owned(), endpoint);
    })
    .await;
    let guarded = |scopes: Option<Vec<String>>| rest::Method {
        authorization_type: Some("COGNITO_USER_POOLS".to_owned()),
        authorizer_id: Some("pool".to_owned()),
        authorization_scopes: scopes,
        method_integration: Some(aws_proxy("pets")),
        ..Default::default()
    };
    let api = rest_api("abc")
        .method_with("GET /plain", guarded(None))
        .method_with("GET /scoped", guarded(Some(vec!["admin".to_owned()])))
        .authorizer(rest::Authorizer {
            id: Some("pool".to_owned()),
            r#type: Some(rest::AuthorizerType::CognitoUserPools),
            identity_source: Some("method.request.header.Authorization".to_owned()),
            provider_arns: Some(vec![POOL.to_owned()]),
            ..Default::default()
        });
    world.store(api.deployed_to("dev")).await;
    world
}

/// C7: id tokens without scopes, access tokens with them; claims are told as text.
#[tokio::test]
async fn user_pools_know_their_tokens() {
    let issuer = Issuer::start().await;
    let world = user_pool_world(&issuer).await;
    let plain = format!("{REST}/plain");
    let scoped = format!("{REST}/scoped");
    let mut id = with("token_use", "id".into());
    id["cognito:groups"] = json!(["a", "b"]);
    let id = issuer.token(&id);
    let seen = ask(&world, &plain, &id).await;
    assert_eq!(seen.status, 200, "{seen:?}");
    let told = &seen.json()["requestContext"]["authorizer"]["claims"];
    assert_eq!(told["cognito:groups"], "a,b");
    assert_eq!(told["exp"], "Tue Nov 14 22:23:20 UTC 2023");
    let mut access = with("token_use", "access".into());
    access["scope"] = "admin".into();
    let access = issuer.token(&access);
    assert_eq!(ask(&world, &scoped, &format!("Bearer {access}")).await.status, 200);
    for (path, token) in [
        (&plain, access.as_str()),
        (&scoped, id.as_str()),
        (&plain, "garbage"),
        (&plain, &issuer.token(&with("iss", "http://somebody.example/pool".into()))),
    ] {
        let refused = ask(&world, path, token).await;
        refused.is(401, r#"{"message":"Unauthorized"}"#);
        assert_eq!(refused.header("x-amzn-errortype"), "UnauthorizedException");
    }
    world.get(&plain).await.is(401, r#"{"message":"Unauthorized"}"#);
    let late = ask(&world, &plain, &issuer.token(&with("exp", (NOW - 1).into()))).await;
    late.is(401, r#"{"message":"The incoming token has expired"}"#);
    issuer.set(Mood::Failing);
    let aws = "https://cognito-idp.eu-west-1.amazonaws.com/pool";
    assert_eq!(ask(&world, &plain, &issuer.token(&with("iss", aws.into()))).await.status, 200);
}
