//! What execution logs tell of requests that are refused, in which order, and how they end (rest-data C2, C7, C8, C9 and
//! C14).

use std::collections::BTreeMap;

use http::Method;
use stagedoor_api::apigateway as rest;

use crate::build::{Integrated as _, aws_proxy, function_uri, map, mock, rest_api, stage_of_rest};
use crate::functions::function;
use crate::logs::{Directory, world};
use crate::world::World;

const GROUP: &str = "API-Gateway-Execution-Logs_abc/dev";

fn method() -> rest::Method {
    let integration = mock("{statusCode: 200}").answering("200", "");
    rest::Method { method_integration: Some(integration), ..Default::default() }
}

/// A stage that logs: `/asked` behind a Lambda authorizer, `/keyed` for keys, `/slow` throttled, `/checked` with a model.
async fn logging(directory: &Directory) -> World {
    let world = world(directory, |config| config.functions = vec![function("guard", "well")]).await;
    let asked = rest::Method {
        authorization_type: Some("CUSTOM".to_owned()),
        authorizer_id: Some("token".to_owned()),
        ..method()
    };
    let keyed = rest::Method { api_key_required: Some(true), ..method() };
    let checked = rest::Method {
        request_validator_id: Some("val".to_owned()),
        request_models: Some(map(&[("application/json", "Pet")])),
        ..method()
    };
    let authorizer = rest::Authorizer {
        id: Some("token".to_owned()),
        r#type: Some(rest::AuthorizerType::Token),
        authorizer_uri: Some(function_uri("guard")),
        identity_source: Some("method.request.header.X-Token".to_owned()),
        ..Default::default()
    };
    let api = rest_api("abc")
        .method_with("GET /asked", asked)
        .method_with("GET /keyed", keyed)
        .method_with("GET /slow", method())
        .method_with("POST /checked", checked)
        .authorizer(authorizer)
        .with(|snapshot| {
            snapshot.request_validators.push(rest::RequestValidator {
                id: Some("val".to_owned()),
                validate_request_body: Some(true),
                ..Default::default()
            });
            snapshot.models.push(rest::Model {
                name: Some("Pet".to_owned()),
                schema: Some(
                    r#"{"required": ["name"], "properties": {"mail": {"format": "email"}}}"#.to_owned(),
                ),
                ..Default::default()
            });
        });
    let setting = |rate: f64| rest::MethodSetting {
        logging_level: Some("INFO".to_owned()),
        throttling_rate_limit: Some(rate),
        throttling_burst_limit: Some(if rate == 0.0 { 0 } else { 100 }),
        ..Default::default()
    };
    let settings =
        BTreeMap::from([("*/*".to_owned(), setting(100.0)), ("slow/GET".to_owned(), setting(0.0))]);
    world.store(stage_of_rest(&api, |stage| stage.method_settings = Some(settings))).await;
    world
}

/// The lines of a request, without the request's id and the first line.
async fn told(
    (world, directory): (&World, &Directory),
    (verb, path): (Method, &str),
    headers: &[(&str, &str)],
    body: &str,
) -> Vec<String> {
    let before = directory.lines(world, GROUP).await.len();
    let answer = world.send(verb, &format!("/_aws/execute-api/abc/dev{path}"), headers, body).await;
    let id = answer.header("x-amzn-requestid");
    let prefix = format!("({id}) ");
    let lines = directory.lines(world, GROUP).await.split_off(before + 1);
    let text = |line: &String| line.strip_prefix(&prefix).unwrap_or(line).replace(id, "<id>");
    lines.iter().map(text).collect()
}

#[tokio::test]
async fn authorizers_come_before_plans_and_plans_before_the_execution() {
    let directory = Directory::new("order");
    let world = logging(&directory).await;
    let lines = told((&world, &directory), (Method::GET, "/asked"), &[("x-token", "all")], "").await;
    let beginnings = [
        "Starting authorizer: token for request: <id>",
        "Incoming identity: ",
        "Authorizer result body before parsing: ",
        "Using valid authorizer policy for principal: ",
        "Successfully completed authorizer execution",
        "Verifying Usage Plan for request: <id>. API Key:  API Stage: abc/dev",
        "API Key  authorized because method 'GET /asked' does not require API Key. Request will not contribute to \
         throttle or quota limits",
        "Usage Plan check succeeded for API Key  and API Stage abc/dev",
        "Starting execution for request: <id>",
    ];
    for (line, beginning) in lines.iter().zip(beginnings) {
        assert!(line.starts_with(beginning), "{beginning} {lines:#?}");
    }
    assert_eq!(lines.last().map(String::as_str), Some("Method completed with status: 200"));
}

/// The ids by which other logs are found come last.
#[tokio::test]
async fn the_ids_of_function_and_trace_end_the_log() {
    let directory = Directory::new("ids");
    let world = world(&directory, |config| config.functions = vec![function("pets", "well")]).await;
    let api = rest_api("abc").method("POST /", aws_proxy("pets"));
    let setting = rest::MethodSetting { logging_level: Some("INFO".to_owned()), ..Default::default() };
    let entries = stage_of_rest(&api, |stage| {
        stage.method_settings = Some(BTreeMap::from([("*/*".to_owned(), setting)]));
        stage.tracing_enabled = Some(true);
    });
    world.store(entries).await;
    let trace = [("x-amzn-trace-id", "Root=1-67891233-abcdef012345678912345678")];
    let mut lines = told((&world, &directory), (Method::POST, ""), &trace, "event").await;
    let last = lines.split_off(lines.len() - 3);
    assert_eq!(last[0], "Method completed with status: 200");
    let id = last[1].strip_prefix("AWS Integration Endpoint RequestId : ").expect("the invocation's id");
    assert_eq!(id.len(), 36, "{id}");
    assert_eq!(last[2], "X-ray Tracing ID : 1-67891233-abcdef012345678912345678");
}

#[tokio::test]
async fn refusals_are_told_in_api_gateways_words() {
    let directory = Directory::new("refusals");
    let world = logging(&directory).await;
    let verifying = "Verifying Usage Plan for request: <id>. API Key: ";
    let schema = "Request body does not match model schema for content type application/json: ";
    for (verb, path, headers, body, expected) in [
        (Method::GET, "/asked", None, "", vec!["Unauthorized request: <id>".to_owned()]),
        (
            Method::GET,
            "/asked",
            Some(("x-token", "deny")),
            "",
            vec!["The client is not authorized to perform this operation.".to_owned()],
        ),
        (
            Method::GET,
            "/asked",
            Some(("x-token", "fail")),
            "",
            vec![
                "Execution failed due to configuration error: it failed: Unauthorized, or so".to_owned(),
                "Execution failed due to configuration error: Authorizer error".to_owned(),
            ],
        ),
        (
            Method::GET,
            "/keyed",
            Some(("x-api-key", "nobodys-own")),
            "",
            vec![
                format!("{verifying}******s-own API Stage: abc/dev"),
                "API Key ******s-own not authorized because method 'GET /keyed' requires API Key and API Key is not \
                 associated with a Usage Plan for API Stage abc/dev: No Usage Plan found for key and API Stage"
                    .to_owned(),
            ],
        ),
        (
            Method::GET,
            "/slow",
            None,
            "",
            vec![
                format!("{verifying} API Stage: abc/dev"),
                "Key throttle limit exceeded for RestApi abc, Stage dev, Resource res2, HttpMethod GET. Limit: 0.00 \
                 Burst: 0"
                    .to_owned(),
            ],
        ),
        (
            Method::POST,
            "/checked",
            None,
            r#"{"mail": "me"}"#,
            vec![format!(
                "{schema}[object has missing required properties ([\"name\"]), string \"me\" is not a valid email \
                 address]"
            )],
        ),
        (Method::POST, "/checked", None, "{", vec![format!("{schema}[Unknown error parsing request body]")]),
    ] {
        let headers: Vec<(&str, &str)> = headers.into_iter().collect();
        let mut lines = told((&world, &directory), (verb, path), &headers, body).await;
        let last = lines.pop().unwrap_or_default();
        assert!(last.starts_with("Method completed with status: 4") || last.ends_with("500"), "{last}");
        let end = lines.split_off(lines.len().saturating_sub(expected.len()));
        assert_eq!(end, expected, "{path} after {lines:#?}");
    }
}
