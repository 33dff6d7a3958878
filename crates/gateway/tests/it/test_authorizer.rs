//! `TestInvokeAuthorizer` as the data plane runs it (C7 and C14 of the specification of the data plane).

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stagedoor_api::apigateway as rest;
use stagedoor_auth::sigv4::Key;
use stagedoor_gateway::ServiceEndpoint;
use stagedoor_state::ports::{AuthorizerTest, AuthorizerTested, Stages as _};

use crate::build::{function_uri, map, rest_api};
use crate::functions::function;
use crate::issuer::Issuer;
use crate::world::{ACCOUNT, REGION, World};

const ARN: &str = "arn:aws:execute-api:eu-west-1:111122223333:abc/ESTestInvoke-stage/GET/";

fn authorizer(kind: rest::AuthorizerType, source: &str) -> rest::Authorizer {
    rest::Authorizer {
        id: Some("guard".to_owned()),
        r#type: Some(kind),
        authorizer_uri: Some(function_uri("guard")),
        identity_source: Some(source.to_owned()),
        ..Default::default()
    }
}

fn test(authorizer: rest::Authorizer, path: &str, headers: &[(&str, &str)]) -> AuthorizerTest {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    AuthorizerTest {
        account: ACCOUNT.to_owned(),
        region: REGION.to_owned(),
        api: rest_api("abc").authorizer(authorizer).snapshot(),
        authorizer_id: "guard".to_owned(),
        path_and_query: path.to_owned(),
        headers: headers.collect(),
        stage_variables: map(&[("colour", "green")]),
        additional_context: map(&[("own", "mine")]),
    }
}

async fn run(world: &World, test: AuthorizerTest) -> AuthorizerTested {
    let gateway = world.gateway.clone();
    let ran = tokio::task::spawn_blocking(move || gateway.test_authorizer(test)).await;
    ran.expect("the thread ends").expect("there is a data plane")
}

async fn world() -> World {
    World::start_with(|config| config.functions = vec![function("guard", "well")]).await
}

async fn tried(world: &World, token: &str) -> AuthorizerTested {
    let authorizer = authorizer(rest::AuthorizerType::Token, "method.request.header.X-Token");
    run(world, test(authorizer, "", &[("X-Token", token)])).await
}

/// The lines of a log without their times, and without the request's id.
fn lines(tested: &AuthorizerTested) -> Vec<String> {
    let id = tested.log.lines().next().and_then(|line| line.rsplit(' ').next()).unwrap_or_default();
    let lines = tested.log.lines().map(|line| {
        let text = line.split_once(" UTC 2023 : ").map_or(line, |(_, text)| text);
        text.replace(id, "<id>")
    });
    lines.collect()
}

#[tokio::test]
async fn token_authorizers_answer_with_principal_and_policy() {
    let world = world().await;
    let tested = tried(&world, "allow").await;
    assert_eq!((tested.client_status, tested.principal_id.as_deref()), (0, Some("allow")), "{tested:?}");
    let policy: Value = serde_json::from_str(tested.policy.as_deref().expect("a policy")).expect("JSON");
    let statement =
        if policy["Statement"].is_array() { &policy["Statement"][0] } else { &policy["Statement"] };
    assert_eq!((&statement["Effect"], &statement["Resource"]), (&json!("Allow"), &json!(ARN)));
    assert_eq!(tested.claims, None);
    let lines = lines(&tested);
    for (at, expected) in [
        "Execution log for request <id>",
        "Starting authorizer: guard for request: <id>",
        "Incoming identity: ***ow",
        "Endpoint request URI: https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/arn:aws:lambda:",
        "Endpoint request headers: {",
        "Endpoint request body after transformations: {\"type\":\"TOKEN\",\"authorizationToken\":\"allow\"",
        "Sending request to https://lambda.eu-west-1.amazonaws.com/",
        "Authorizer result body before parsing: {",
        "Using valid authorizer policy for principal: ***ow",
        "Successfully completed authorizer execution",
    ]
    .into_iter()
    .enumerate()
    {
        assert!(lines[at].starts_with(expected), "{expected} {lines:#?}");
    }
    assert_eq!(lines.len(), 10);
}

#[tokio::test]
async fn a_policy_that_denies_is_a_success_and_a_failure_is_not() {
    let world = world().await;
    let denied = tried(&world, "deny").await;
    assert_eq!(denied.client_status, 0);
    assert!(denied.policy.is_some_and(|policy| policy.contains("Deny")));
    let refused = "Unauthorized request: <id>";
    let failed = "Execution failed due to configuration error: it failed: Unauthorized, or so\n\
                  Execution failed due to configuration error: Authorizer error\nAuthorizerConfigurationException";
    let unread =
        "Execution failed due to configuration error: Authorizer error\nAuthorizerConfigurationException";
    for (token, status, end) in
        [("unauthorized", 401, refused), (" ", 401, refused), ("fail", 500, failed), ("garbage", 500, unread)]
    {
        let tested = tried(&world, token).await;
        assert_eq!((tested.client_status, tested.policy.as_ref()), (status, None), "{token}");
        let lines = lines(&tested).join("\n");
        assert!(lines.ends_with(end), "{token} {lines}");
    }
}

/// Nothing is kept: the function is asked each time, and told the made-up request.
#[tokio::test]
async fn request_authorizers_are_told_the_made_up_request() {
    let world = world().await;
    let sources =
        "method.request.header.X-Who, context.own, method.request.querystring.q, stageVariables.colour";
    for asked in 1..=2 {
        let authorizer = authorizer(rest::AuthorizerType::Request, sources);
        let tested = run(&world, test(authorizer, "/pets/7?q=1", &[("X-Who", "allow")])).await;
        assert_eq!((tested.client_status, tested.principal_id.as_deref()), (0, Some("allow")), "{tested:?}");
        let said = lines(&tested).into_iter().find_map(|line| {
            line.strip_prefix("Endpoint request body after transformations: ").map(str::to_owned)
        });
        let said = said.expect("a line with the event");
        assert!(
            said.starts_with(&format!(r#"{{"type":"REQUEST","methodArn":"{ARN}pets/7""#)),
            "{asked} {said}"
        );
    }
    let authorizer = authorizer(rest::AuthorizerType::Request, "context.other");
    assert_eq!(run(&world, test(authorizer, "", &[])).await.client_status, 401);
}

#[tokio::test]
async fn user_pools_answer_with_claims() {
    let issuer = Issuer::start().await;
    let url = format!("http://{}", issuer.address).parse().expect("a URL");
    let world = World::start_with(|config| {
        let endpoint = ServiceEndpoint { url, key: Key::long_term("test", "test", ACCOUNT) };
        config.service_endpoints.insert("cognito-idp".to_owned(), endpoint);
    })
    .await;
    let pool = rest::Authorizer {
        provider_arns: Some(vec![format!("arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/pool")]),
        ..authorizer(rest::AuthorizerType::CognitoUserPools, "method.request.header.Authorization")
    };
    let token = |exp: u64| {
        issuer.token(&json!({"sub": "me", "token_use": "id", "exp": exp, "cognito:groups": ["a", "b"]}))
    };
    let good = run(&world, test(pool.clone(), "", &[("Authorization", &token(1_700_000_600))])).await;
    let claims: BTreeMap<String, String> = good.claims.expect("claims");
    assert_eq!(
        (good.client_status, claims["sub"].as_str(), claims["cognito:groups"].as_str()),
        (0, "me", "a,b")
    );
    let late = run(&world, test(pool.clone(), "", &[("Authorization", &token(1_600_000_000))])).await;
    assert_eq!((late.client_status, late.claims), (401, None));
    assert_eq!(run(&world, test(pool, "", &[])).await.client_status, 401);
}
