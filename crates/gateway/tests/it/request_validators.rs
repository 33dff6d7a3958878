//! Request validators of REST APIs (C9 of the specification of the data plane).

use http::Method;
use stagedoor_api::apigateway as api;

use crate::build::{Integrated as _, RestApi, map, mock, rest_api};
use crate::world::{Seen, World};

const BASE: &str = "/_aws/execute-api/abc/dev";

fn model(name: &str, schema: &str) -> api::Model {
    api::Model {
        name: Some(name.to_owned()),
        schema: Some(schema.to_owned()),
        content_type: Some("application/json".to_owned()),
        ..Default::default()
    }
}

/// `POST /{id}` with a validator, models `Pet` and `Pets`, and what goes wrong told by a gateway response.
fn validated(parameters: bool, bodies: bool, model_name: &str) -> RestApi {
    let required =
        ["querystring.qs1", "querystring.qs2", "header.x-header-param", "path.issuer", "header.X-B"];
    let parameters_of =
        required.iter().map(|name| (format!("method.request.{name}"), *name != "querystring.qs2"));
    let method = api::Method {
        request_validator_id: Some("val1".to_owned()),
        request_parameters: Some(parameters_of.collect()),
        request_models: Some(map(&[("application/json", model_name)])),
        method_integration: Some(mock("{statusCode: 200}").answering("200", "")),
        ..Default::default()
    };
    rest_api("abc").method_with("POST /{id}", method).with(|snapshot| {
        snapshot.request_validators.push(api::RequestValidator {
            id: Some("val1".to_owned()),
            validate_request_parameters: Some(parameters),
            validate_request_body: Some(bodies),
            ..Default::default()
        });
        let pet =
            r#"{"type": "object", "required": ["name", "age"], "properties": {"age": {"type": "integer"}}}"#;
        let list = r#"{"type": "array",
            "items": {"$ref": "https://apigateway.amazonaws.com/restapis/abc/models/Pet"}}"#;
        let broken = r##"{"$ref": "https://apigateway.amazonaws.com/restapis/abc/models/None"}"##;
        snapshot.models.extend([
            model("Pet", pet),
            model("Pets", list),
            model("Broken", broken),
            model("Empty", "{}"),
        ]);
        snapshot.gateway_responses.push(api::GatewayResponse {
            response_type: Some(api::GatewayResponseType::BadRequestBody),
            response_templates: Some(map(&[(
                "application/json",
                "$context.error.message|$context.error.validationErrorString",
            )])),
            ..Default::default()
        });
    })
}

async fn post(api: RestApi, query: &str, headers: &[(&str, &str)], body: &str) -> Seen {
    let world = World::start().await;
    world.store(api.deployed_to("dev")).await;
    world.send(Method::POST, &format!("{BASE}/1{query}"), headers, body).await
}

#[tokio::test]
async fn missing_parameters_are_named() {
    let api = || validated(true, false, "Pet");
    let missing = |names: &str| format!(r#"{{"message":"Missing required request parameters: [{names}]"}}"#);
    let answer = post(api(), "", &[], "").await;
    answer.is(400, &missing("X-B, x-header-param, issuer, qs1"));
    assert_eq!(answer.header("x-amzn-errortype"), "BadRequestException");
    let headers = [("x-b", "1"), ("x-header-param", " ")];
    post(api(), "?qs1=&qs2=1", &headers, "").await.is(400, &missing("x-header-param, issuer, qs1"));
}

#[tokio::test]
async fn bodies_are_held_against_their_model() {
    for (model, body, why) in [
        ("Pet", r#"{"name": "x", "age": 3}"#, None),
        ("Pet", "", Some(r#"[object has missing required properties (["age","name"])]"#)),
        (
            "Pet",
            r#"{"name": "x", "age": "3"}"#,
            Some(
                r#"[instance type (string) does not match any allowed primitive type (allowed: ["integer"])]"#,
            ),
        ),
        ("Pets", r#"[{"name": "x", "age": 3}]"#, None),
        ("Pets", r#"[{"name": "x"}]"#, Some(r#"[object has missing required properties (["age"])]"#)),
        (
            "Pets",
            "",
            Some(
                r#"[instance type (object) does not match any allowed primitive type (allowed: ["array"])]"#,
            ),
        ),
        ("Empty", "", None),
    ] {
        let answer = post(validated(false, true, model), "", &[], body).await;
        match why {
            None => answer.is(200, ""),
            Some(why) => answer.is(400, &format!("Invalid request body|{why}")),
        }
    }
    let text = post(validated(false, true, "Pet"), "", &[], "no json").await;
    text.is(400, "Invalid request body|[Unknown error parsing request body]");
    post(validated(false, true, "Pet"), "", &[("content-type", "text/xml")], "{statusCode: 200}")
        .await
        .is(200, "");
}

#[tokio::test]
async fn parameters_are_asked_for_before_the_body() {
    let answer = post(validated(true, true, "Pet"), "", &[], "").await;
    assert!(answer.body.contains("Missing required request parameters"), "{answer:?}");
    let broken = post(validated(false, true, "Broken"), "", &[], "{}").await;
    broken.is(500, r#"{"message": "Internal server error"}"#);
}
