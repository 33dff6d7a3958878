//! Customised gateway responses of REST APIs (C6 of the specification of the data plane).

use http::Method;
use stagedoor_api::apigateway as api;

use crate::build::{Integrated as _, RestApi, http_custom, map, mock, rest_api};
use crate::world::{Seen, World};

const BASE: &str = "/_aws/execute-api/abc/dev";

fn custom(
    response_type: api::GatewayResponseType,
    status: &str,
    templates: &[(&str, &str)],
    headers: &[(&str, &str)],
) -> api::GatewayResponse {
    let headers =
        headers.iter().map(|(name, source)| (format!("gatewayresponse.header.{name}"), (*source).to_owned()));
    api::GatewayResponse {
        response_type: Some(response_type),
        status_code: (!status.is_empty()).then(|| status.to_owned()),
        response_templates: Some(map(templates)),
        response_parameters: Some(headers.collect()),
        ..Default::default()
    }
}

fn with(responses: Vec<api::GatewayResponse>) -> RestApi {
    rest_api("abc")
        .method("POST /", mock("{statusCode: 200}"))
        .method("POST /unreachable", http_custom("http://${stageVariables.none}/").answering("200", ""))
        .with(|snapshot| snapshot.gateway_responses = responses)
}

async fn post(api: &RestApi, target: &str, headers: &[(&str, &str)]) -> Seen {
    let world = World::start().await;
    world.store(api.deployed_as("dep1", "dev", &[("colour", "green")])).await;
    world.send(Method::POST, &format!("{BASE}{target}"), headers, "").await
}

#[tokio::test]
async fn status_headers_and_body_are_customised() {
    use api::GatewayResponseType as Type;
    let api = with(vec![
        custom(
            Type::MissingAuthenticationToken,
            "404",
            &[
                (
                    "application/json",
                    "{\"m\": $context.error.messageString, \"t\": \"$context.error.responseType\", \
                   \"s\": \"$stageVariables.colour$context.stage\", \"v\": \"$input.body\"}",
                ),
                ("text/html", "<p>$context.error.message</p>"),
            ],
            &[
                ("Access-Control-Allow-Origin", "'*'"),
                ("X-Asked", "method.request.header.x-own"),
                ("X-Query", "method.input.params.querystring.q"),
                ("X-Id", "context.requestId"),
                ("X-None", "stageVariables.none"),
            ],
        ),
        custom(Type::Default5xx, "", &[], &[("X-Class", "'5'")]),
    ]);
    let answer = post(&api, "/nowhere?q=2", &[("x-own", "1")]).await;
    answer.is(
        404,
        r#"{"m": "Missing Authentication Token", "t": "MISSING_AUTHENTICATION_TOKEN", "s": "greendev", "v": "$input.body"}"#,
    );
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("x-asked", "1"),
        ("x-none", ""),
        ("content-type", "application/json"),
        ("x-amzn-errortype", "MissingAuthenticationTokenException"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    assert_eq!(answer.header("x-id"), answer.header("x-amzn-requestid"));
    let html = post(&api, "/nowhere", &[("accept", "text/html")]).await;
    html.is(404, "<p>Missing Authentication Token</p>");
    assert_eq!(html.header("content-type"), "text/html");
    let failed = post(&api, "/unreachable", &[]).await;
    failed.is(500, r#"{"message": "Internal server error"}"#);
    assert_eq!(failed.header("x-class"), "5", "the class's own where the type has none");
}

#[tokio::test]
async fn the_class_stands_for_types_without_their_own() {
    use api::GatewayResponseType as Type;
    let api = with(vec![
        custom(Type::Default4xx, "", &[("application/json", "4:$context.error.message")], &[]),
        custom(Type::Default5xx, "599", &[("application/json", "5:$context.resourcePath")], &[]),
    ]);
    post(&api, "/nowhere", &[]).await.is(403, "4:Missing Authentication Token");
    post(&api, "/unreachable", &[]).await.is(599, "5:/unreachable");
}
