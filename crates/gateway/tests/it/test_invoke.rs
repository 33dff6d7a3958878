//! `TestInvokeMethod` as the data plane runs it (C14 of the specification of the data plane; recorded).

use std::collections::BTreeMap;

use stagedoor_api::apigateway as api;
use stagedoor_state::ports::{MethodTest, MethodTested, Stages as _};
use stagedoor_state::rest::Snapshot;

use crate::backend::Backend;
use crate::build::{Integrated as _, aws, aws_proxy, http_custom, http_proxy, map, mock, rest_api};
use crate::world::{ACCOUNT, REGION, World};

/// Tries `verb` of the only resource, at a path.
async fn tested(method: &str, integration: api::Integration, path: &str, body: &str) -> MethodTested {
    let (verb, resource) = method.split_once(' ').expect("a test's own method");
    let guarded = api::Method {
        authorization_type: Some("AWS_IAM".to_owned()),
        api_key_required: Some(true),
        method_integration: Some(integration),
        ..Default::default()
    };
    let snapshot = rest_api("abc").method_with(&format!("{verb} {resource}"), guarded).snapshot();
    let test = MethodTest {
        account: ACCOUNT.to_owned(),
        region: REGION.to_owned(),
        api: snapshot,
        resource_id: "res0".to_owned(),
        verb: verb.to_owned(),
        path_and_query: path.to_owned(),
        headers: vec![("x-oWn".to_owned(), "1".to_owned())],
        body: body.to_owned(),
        stage_variables: BTreeMap::from([("colour".to_owned(), "green".to_owned())]),
    };
    let world = World::start().await;
    let gateway = world.gateway.clone();
    let ran = tokio::task::spawn_blocking(move || gateway.test_method(test)).await;
    ran.expect("the thread ends").expect("there is a data plane")
}

fn pets() -> api::Integration {
    mock("{\"statusCode\": 200}")
        .answering("200", "")
        .with_body("application/json", "{\"petId\": \"$input.params('petId')\"}")
}

/// The lines of a log without their times, and without the request's id.
fn lines(tested: &MethodTested) -> Vec<String> {
    assert!(tested.log.ends_with('\n'), "{}", tested.log);
    let id = tested.log.lines().next().and_then(|line| line.rsplit(' ').next()).unwrap_or_default();
    let lines = tested.log.lines().map(|line| {
        let text = line.split_once(" UTC 2023 : ").map_or(line, |(_, text)| text);
        text.replace(id, "<id>")
    });
    lines.collect()
}

#[tokio::test]
async fn a_mock_is_told_as_recorded() {
    for (path, shown, variables, answer) in [
        ("/pets/123", "/pets/123", "{petId=123}", r#"{"petId": "123"}"#),
        ("", "/pets/{petId}", "{petId={petId}}", r#"{"petId": "{petId}"}"#),
        ("/random/test", "/random/test", "{}", r#"{"petId": ""}"#),
    ] {
        let tested = tested("GET /pets/{petId}", pets(), path, r#"{"foo": "bar"}"#).await;
        assert_eq!((tested.status, tested.body.as_str()), (200, answer));
        assert_eq!(tested.headers, [("Content-Type".to_owned(), vec!["application/json".to_owned()])]);
        assert_eq!(
            lines(&tested),
            [
                "Execution log for request <id>".to_owned(),
                "Starting execution for request: <id>".to_owned(),
                format!("HTTP Method: GET, Resource Path: {shown}"),
                format!("Method request path: {variables}"),
                "Method request query string: {}".to_owned(),
                "Method request headers: {x-oWn=1}".to_owned(),
                r#"Method request body before transformations: {"foo": "bar"}"#.to_owned(),
                format!("Method response body after transformations: {answer}"),
                "Method response headers: {Content-Type=application/json}".to_owned(),
                "Successfully completed execution".to_owned(),
                "Method completed with status: 200".to_owned(),
            ]
        );
    }
    let query = tested("GET /pets/{petId}", pets(), "/pets/123?foo=bar", "").await;
    assert_eq!(lines(&query)[4], "Method request query string: {foo=bar}");
}

#[tokio::test]
async fn a_failure_is_told_as_recorded() {
    let broken = http_custom("http://${stageVariables.none}/").answering("200", "");
    let tested = tested("GET /", broken, "", "").await;
    assert_eq!((tested.status, tested.body.as_str()), (500, r#"{"message": "Internal server error"}"#));
    let expected = [("x-amzn-ErrorType".to_owned(), vec!["InternalServerErrorException".to_owned()])];
    assert_eq!(tested.headers, expected);
    assert_eq!(
        lines(&tested)[7..],
        [
            "Execution failed due to configuration error: Invalid endpoint address",
            "Method completed with status: 500",
        ]
    );
}

#[tokio::test]
async fn backends_are_told_both_ways() {
    let backend = Backend::start().await;
    for integration in [http_custom(&backend.url("/x")), http_proxy(&backend.url("/x"))] {
        let tested = tested("POST /", integration.answering("200", ""), "", "sent").await;
        assert_eq!(tested.status, 200, "{tested:?}");
        let lines = lines(&tested);
        let at = |text: &str| lines.iter().position(|line| line.starts_with(text)).unwrap_or(usize::MAX);
        let order = [
            at("Endpoint request URI: http://127.0.0.1"),
            at("Endpoint request headers: {"),
            at("Endpoint request body after transformations: sent"),
            at("Sending request to http://127.0.0.1"),
            at("Received response. Status: 200, Integration latency: "),
            at("Endpoint response headers: {"),
            at("Endpoint response body before transformations: {"),
            at("Method response body after transformations: {"),
            at("Method completed with status: 200"),
        ];
        assert!(order.is_sorted() && order[8] < usize::MAX, "{order:?} {lines:#?}");
    }
}

/// As the function's own policy knows the method; a role needs no such policy (both recorded).
#[tokio::test]
async fn calls_of_functions_name_their_method() {
    let told = |resource: &str| {
        format!(
            "X-Amz-Source-Arn=arn:aws:execute-api:{REGION}:{ACCOUNT}:abc/test-invoke-stage/GET/{resource}, "
        )
    };
    let role = Some("arn:aws:iam::111122223333:role/r".to_owned());
    for (key, path, credentials, source) in [
        ("GET /pets/{id}", "/pets/7", None, told("pets/{id}")),
        ("GET /", "", None, told("")),
        ("GET /", "", role, String::new()),
    ] {
        for integration in [aws_proxy("echo"), aws("echo").answering("200", "")] {
            let integration = api::Integration { credentials: credentials.clone(), ..integration };
            let tested = tested(key, integration, path, "{}").await;
            let beginning = "Endpoint request headers: {x-amzn-lambda-integration-tag=<id>";
            let expected =
                format!("{beginning}, x-amzn-apigateway-api-id=abc, {source}Accept=application/json, ");
            let lines = lines(&tested);
            assert!(lines.iter().any(|line| line.starts_with(&expected)), "{expected}: {lines:#?}");
        }
    }
}

#[tokio::test]
async fn templates_see_the_tests_own_context() {
    let template = "$stageVariables.colour $context.stage $context.identity.sourceIp $context.identity.apiKey \
                    $context.domainName $input.params('x-own')";
    let integration = mock("{statusCode: 200}").answering("200", "").with_body("application/json", template);
    let tested = tested("GET /", integration, "", "").await;
    assert_eq!(
        tested.body,
        "green test-invoke-stage test-invoke-source-ip test-invoke-api-key testPrefix.testDomainName 1"
    );
}

/// The API's own answer to a fault; the log tells the fault.
#[tokio::test]
async fn faults_are_answered_as_the_api_customised_them() {
    let broken = http_custom("http://${stageVariables.none}/").answering("200", "");
    let custom = api::GatewayResponse {
        response_type: Some(api::GatewayResponseType::Default5xx),
        status_code: Some("503".to_owned()),
        response_templates: Some(map(&[("application/json", "{\"own\": \"$context.resourcePath\"}")])),
        ..Default::default()
    };
    let snapshot = rest_api("abc")
        .method("GET /", broken)
        .with(|snapshot| snapshot.gateway_responses = vec![custom])
        .snapshot();
    let tested = ran(snapshot, "GET").await;
    assert_eq!((tested.status, tested.body.as_str()), (503, "{\"own\": \"/\"}"));
    assert_eq!(
        lines(&tested)[7..],
        [
            "Execution failed due to configuration error: Invalid endpoint address",
            "Method completed with status: 503",
        ]
    );
}

#[tokio::test]
async fn methods_for_any_verb_are_tried_with_one() {
    let snapshot = rest_api("abc").method("ANY /", pets()).snapshot();
    let tested = ran(snapshot, "PATCH").await;
    assert_eq!(tested.status, 200);
    assert!(tested.log.contains("HTTP Method: PATCH"), "{}", tested.log);
}

/// Tries a verb of an API's only resource without anything sent.
async fn ran(api: Snapshot, verb: &str) -> MethodTested {
    let test = MethodTest {
        account: ACCOUNT.to_owned(),
        region: REGION.to_owned(),
        api,
        resource_id: "res0".to_owned(),
        verb: verb.to_owned(),
        path_and_query: String::new(),
        headers: Vec::new(),
        body: String::new(),
        stage_variables: map(&[]),
    };
    let world = World::start().await;
    let gateway = world.gateway.clone();
    let ran = tokio::task::spawn_blocking(move || gateway.test_method(test)).await;
    ran.expect("the thread ends").expect("there is a data plane")
}
