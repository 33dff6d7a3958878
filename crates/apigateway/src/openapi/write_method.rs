//! Methods of a snapshot as operations of a definition.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use stagedoor_api::apigateway::{
    ConnectionType, Integration, IntegrationResponse, Method, MethodResponse, Resource,
};

use super::document::Format;
use super::extension;
use super::integrations::DEFAULT;
use super::write::{Writer, insert, map};

/// Schemes that exports name like AWS does.
pub const API_KEY: &str = "api_key";
pub const SIGNED: &str = "sigv4";

/// Milliseconds after which an integration has failed unless it says something else.
const TIMEOUT_DEFAULT: i64 = 29_000;
/// The content type that stands for all of a body in Swagger, which has one schema only.
const JSON: &str = "application/json";

/// The operation of a method.
pub fn operation(writer: &Writer<'_>, resource: &Resource, method: &Method) -> Value {
    let mut operation = Map::new();
    insert(&mut operation, "operationId", method.operation_name.clone().map(Value::from));
    let models = method.request_models.clone().unwrap_or_default();
    let mut parameters = parameters(writer.format, method);
    match writer.format {
        Format::Swagger => {
            swagger_types(&mut operation, method);
            parameters.extend(swagger_body(writer, &models));
        }
        Format::OpenApi => {
            let content = content(writer, &models);
            insert(
                &mut operation,
                "requestBody",
                content.map(|content| json!({"content": content, "required": true})),
            );
        }
    }
    insert(&mut operation, "parameters", (!parameters.is_empty()).then(|| Value::from(parameters)));
    insert(&mut operation, "responses", Some(responses(writer, method)));
    insert(&mut operation, "security", security(writer, method));
    if writer.extensions.validators {
        let name = method.request_validator_id.as_deref().and_then(|id| writer.validators.get(id));
        insert(&mut operation, extension::REQUEST_VALIDATOR, name.map(|name| json!(name)));
    }
    if writer.extensions.integrations {
        let resource = resource.id.as_deref().unwrap_or_default();
        let integration = method.method_integration.as_ref().map(|given| integration(given, resource));
        insert(&mut operation, extension::INTEGRATION, integration);
    }
    Value::Object(operation)
}

fn security(writer: &Writer<'_>, method: &Method) -> Option<Value> {
    let mut security = Vec::new();
    let scopes = method.authorization_scopes.clone().unwrap_or_default();
    if method.authorization_type.as_deref() == Some("AWS_IAM") {
        security.push(json!({SIGNED: []}));
    } else if let Some(authorizer) = method.authorizer_id.as_deref().and_then(|id| writer.authorizers.get(id))
    {
        security.push(json!({authorizer.name.as_deref().unwrap_or_default(): scopes}));
    }
    if method.api_key_required == Some(true) {
        security.push(json!({API_KEY: []}));
    }
    (!security.is_empty()).then(|| Value::from(security))
}

// === Requests ===

fn parameters(format: Format, method: &Method) -> Vec<Value> {
    let mut parameters = Vec::new();
    for (key, required) in method.request_parameters.iter().flatten() {
        let place = key.strip_prefix("method.request.").and_then(|place| place.split_once('.'));
        let Some((place, name)) = place else { continue };
        let place = if place == "querystring" { "query" } else { place };
        let mut parameter = Map::new();
        insert(&mut parameter, "name", Some(json!(name)));
        insert(&mut parameter, "in", Some(json!(place)));
        match format {
            Format::Swagger => {
                insert(&mut parameter, "required", Some(json!(required)));
                insert(&mut parameter, "type", Some(json!("string")));
            }
            Format::OpenApi => {
                insert(&mut parameter, "required", required.then(|| json!(true)));
                insert(&mut parameter, "schema", Some(json!({"type": "string"})));
            }
        }
        parameters.push(Value::Object(parameter));
    }
    parameters
}

fn swagger_types(operation: &mut Map<String, Value>, method: &Method) {
    let consumes: BTreeSet<_> =
        method.request_models.iter().flatten().map(|(content_type, _)| content_type).collect();
    let responses = method.method_responses.iter().flatten();
    let produces: BTreeSet<_> = responses
        .flat_map(|(_, response)| response.response_models.iter().flatten())
        .map(|(key, _)| key)
        .collect();
    insert(operation, "consumes", (!consumes.is_empty()).then(|| json!(consumes)));
    insert(operation, "produces", (!produces.is_empty()).then(|| json!(produces)));
}

fn swagger_body(writer: &Writer<'_>, models: &BTreeMap<String, String>) -> Option<Value> {
    let model = models.get(JSON).or_else(|| models.values().next())?;
    Some(json!({"in": "body", "name": model, "required": true, "schema": writer.schema(model)?}))
}

/// Models by content type, as OpenAPI 3 has them.
fn content(writer: &Writer<'_>, models: &BTreeMap<String, String>) -> Option<Value> {
    let media = |(content_type, model): (&String, &String)| {
        Some((content_type.clone(), json!({"schema": writer.schema(model)?})))
    };
    let content: Map<_, _> = models.iter().filter_map(media).collect();
    (!content.is_empty()).then_some(Value::Object(content))
}

// === Responses ===

fn responses(writer: &Writer<'_>, method: &Method) -> Value {
    let responses = method.method_responses.iter().flatten();
    responses.map(|(status, response)| (status.clone(), method_response(writer, status, response))).collect()
}

fn method_response(writer: &Writer<'_>, status: &str, response: &MethodResponse) -> Value {
    let mut members = Map::new();
    insert(&mut members, "description", Some(json!(format!("{status} response"))));
    let text = match writer.format {
        Format::Swagger => json!({"type": "string"}),
        Format::OpenApi => json!({"schema": {"type": "string"}}),
    };
    let headers = response.response_parameters.iter().flatten();
    let headers: Map<_, _> = headers
        .filter_map(|(key, _)| Some((key.strip_prefix("method.response.header.")?.to_owned(), text.clone())))
        .collect();
    let models = response.response_models.clone().unwrap_or_default();
    match writer.format {
        Format::Swagger => {
            let model = models.get(JSON).or_else(|| models.values().next());
            insert(&mut members, "schema", model.and_then(|model| writer.schema(model)));
        }
        Format::OpenApi => insert(&mut members, "content", content(writer, &models)),
    }
    insert(&mut members, "headers", (!headers.is_empty()).then_some(Value::Object(headers)));
    Value::Object(members)
}

// === Integrations ===

/// `resource` is the id of the resource, which names its part of the cache if nothing else does.
fn integration(given: &Integration, resource: &str) -> Value {
    let mut members = Map::new();
    let mut put = |name: &str, value: Option<Value>| insert(&mut members, name, value);
    let lower = |text: &str| Value::from(text.to_ascii_lowercase());
    put("type", given.r#type.map(|kind| lower(kind.as_str())));
    put("httpMethod", given.http_method.clone().map(Value::from));
    put("uri", given.uri.clone().map(Value::from));
    put("credentials", given.credentials.clone().map(Value::from));
    if given.connection_type == Some(ConnectionType::VpcLink) {
        put("connectionType", Some(json!(ConnectionType::VpcLink.as_str())));
        put("connectionId", given.connection_id.clone().map(Value::from));
    }
    let responses = given.integration_responses.iter().flatten().map(|(_, response)| {
        let pattern = response.selection_pattern.clone().unwrap_or_else(|| DEFAULT.to_owned());
        (pattern, integration_response(response))
    });
    let responses: Map<_, _> = responses.collect();
    put("responses", (!responses.is_empty()).then_some(Value::Object(responses)));
    put("requestParameters", map(given.request_parameters.as_ref()));
    put("requestTemplates", map(given.request_templates.as_ref()));
    put("passthroughBehavior", given.passthrough_behavior.as_deref().map(lower));
    put("contentHandling", given.content_handling.map(|handling| json!(handling.as_str())));
    put(
        "timeoutInMillis",
        given.timeout_in_millis.filter(|millis| *millis != TIMEOUT_DEFAULT).map(Value::from),
    );
    put("cacheNamespace", given.cache_namespace.clone().filter(|name| name != resource).map(Value::from));
    put(
        "cacheKeyParameters",
        given.cache_key_parameters.clone().filter(|keys| !keys.is_empty()).map(Value::from),
    );
    put("integrationTarget", given.integration_target.clone().map(Value::from));
    put("responseTransferMode", given.response_transfer_mode.map(|mode| json!(mode.as_str())));
    let insecure = given.tls_config.as_ref().and_then(|tls| tls.insecure_skip_verification);
    put("tlsConfig", insecure.map(|insecure| json!({"insecureSkipVerification": insecure})));
    Value::Object(members)
}

fn integration_response(response: &IntegrationResponse) -> Value {
    let mut members = Map::new();
    insert(&mut members, "statusCode", response.status_code.clone().map(Value::from));
    insert(&mut members, "responseParameters", map(response.response_parameters.as_ref()));
    let templates = response.response_templates.as_ref().map(|templates| {
        let templates = templates.iter();
        templates
            .map(|(name, template)| (name.clone(), template.clone().map_or(Value::Null, Value::from)))
            .collect()
    });
    insert(&mut members, "responseTemplates", templates);
    let handling = response.content_handling.map(|handling| json!(handling.as_str()));
    insert(&mut members, "contentHandling", handling);
    Value::Object(members)
}
