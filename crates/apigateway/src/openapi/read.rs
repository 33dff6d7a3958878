//! A definition read: the root of the document, and its paths. Operations are read in [`super::operations`].

use std::collections::BTreeMap;

use serde_json::Value;
use stagedoor_api::apigateway::{
    ApiKeySourceType, EndpointAccessMode, EndpointConfiguration, GatewayResponse, GatewayResponseType,
    IpAddressType, RequestValidator, RestApi, SecurityPolicy,
};
use stagedoor_state::definition;

use super::base_path::BasePath;
use super::document::{Document, Format, flag, number, object, text, texts};
use super::integrations::At;
use super::models::Models;
use super::notes::Notes;
use super::operations::Reader;
use super::plan::Definition;
use super::security::{self, Scheme};
use super::{describe, extension};

/// Verbs that a path of a definition can have.
const VERBS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

/// Reads a definition. What is wrong with it stands in its notes.
pub fn definition(document: &Document, base_path: BasePath) -> Definition {
    let schemes = security::schemes(document);
    let mut reader = Reader { document, models: Models::new(document), schemes, notes: Notes::default() };
    let prefix = base_path.prefix(document);
    let mut paths = BTreeMap::new();
    for (path, item) in object(&document.root, "paths").into_iter().flatten() {
        if path.starts_with("x-") {
            continue;
        }
        if !path.starts_with('/') {
            reader.notes.warn(format!("Parse issue: attribute paths. Resource {path} should start with /"));
            continue;
        }
        let path = joined(&prefix, path);
        let item = document.resolve(item);
        let methods: &mut BTreeMap<_, _> = paths.entry(path.clone()).or_default();
        for (member, operation) in item.as_object().into_iter().flatten() {
            let verb = match member.as_str() {
                extension::ANY_METHOD => extension::ANY.to_owned(),
                verb if VERBS.contains(&verb) => verb.to_ascii_uppercase(),
                _ => continue,
            };
            let at = At { path: &path, verb: &verb };
            let planned = reader.operation(&at, operation, item.get("parameters"));
            methods.insert(verb, planned);
        }
    }
    let authorizers = reader.schemes.values().filter_map(|scheme| match scheme {
        Scheme::Authorizer(authorizer) => Some((**authorizer).clone()),
        _ => None,
    });
    let documentation = describe::imported(document, &prefix, &mut reader.notes);
    Definition {
        api: api(document),
        authorizers: authorizers.collect(),
        models: reader.models.found,
        validators: validators(&document.root),
        gateway_responses: gateway_responses(&document.root, &mut reader.notes),
        documentation,
        paths,
        notes: reader.notes,
    }
}

/// The resource's path: no slash at the end, none twice.
pub fn joined(prefix: &str, path: &str) -> String {
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    let path: String = prefix.to_owned() + &segments.map(|segment| format!("/{segment}")).collect::<String>();
    if path.is_empty() { "/".to_owned() } else { path }
}

// === The API itself ===

fn api(document: &Document) -> RestApi {
    let root = &document.root;
    let info = &root["info"];
    let endpoint = endpoint_configuration(document);
    let upper = |member: &str| text(root, member).map(|value| value.to_ascii_uppercase());
    RestApi {
        name: text(info, "title"),
        description: text(info, "description"),
        version: text(info, "version"),
        api_key_source: upper(extension::API_KEY_SOURCE).as_deref().and_then(ApiKeySourceType::parse),
        binary_media_types: texts(root, extension::BINARY_MEDIA_TYPES).filter(|types| !types.is_empty()),
        minimum_compression_size: number(root, extension::MINIMUM_COMPRESSION_SIZE),
        disable_execute_api_endpoint: flag(endpoint, "disableExecuteApiEndpoint"),
        endpoint_configuration: addresses(endpoint),
        endpoint_access_mode: upper(extension::ENDPOINT_ACCESS_MODE)
            .as_deref()
            .and_then(EndpointAccessMode::parse),
        security_policy: text(root, extension::SECURITY_POLICY).as_deref().and_then(SecurityPolicy::parse),
        policy: policy(root),
        tags: tags(root),
        ..RestApi::default()
    }
}

/// OpenAPI 3 has it at the first server; Swagger, and older definitions, at the root.
fn endpoint_configuration(document: &Document) -> &Value {
    let root = &document.root;
    let server = match document.format {
        Format::OpenApi => root["servers"][0].get(extension::ENDPOINT_CONFIGURATION),
        Format::Swagger => None,
    };
    server.or_else(|| root.get(extension::ENDPOINT_CONFIGURATION)).unwrap_or(&Value::Null)
}

fn addresses(endpoint: &Value) -> Option<EndpointConfiguration> {
    let ip_address_type = text(endpoint, "ipAddressType").as_deref().and_then(IpAddressType::parse);
    let vpc_endpoint_ids = texts(endpoint, "vpcEndpointIds").filter(|ids| !ids.is_empty());
    (ip_address_type.is_some() || vpc_endpoint_ids.is_some()).then_some(EndpointConfiguration {
        ip_address_type,
        vpc_endpoint_ids,
        types: None,
    })
}

fn policy(root: &Value) -> Option<String> {
    match root.get(extension::POLICY)? {
        Value::String(text) => Some(text.clone()),
        policy => policy.is_object().then(|| policy.to_string()),
    }
}

/// Tags of OpenAPI are labels; those with a value are tags of AWS.
fn tags(root: &Value) -> Option<BTreeMap<String, String>> {
    let tags = root.get("tags")?.as_array()?.iter().filter_map(|tag| {
        Some((text(tag, "name")?, tag.get(extension::TAG_VALUE).and_then(definition::text)?))
    });
    Some(tags.collect()).filter(|tags: &BTreeMap<_, _>| !tags.is_empty())
}

// === What methods refer to ===

fn validators(root: &Value) -> Vec<RequestValidator> {
    let given = object(root, extension::REQUEST_VALIDATORS).into_iter().flatten();
    let validator = |(name, validator): (&String, &Value)| RequestValidator {
        name: Some(name.clone()),
        validate_request_body: Some(flag(validator, "validateRequestBody").unwrap_or(false)),
        validate_request_parameters: Some(flag(validator, "validateRequestParameters").unwrap_or(false)),
        ..RequestValidator::default()
    };
    given.map(validator).collect()
}

fn gateway_responses(root: &Value, notes: &mut Notes) -> Vec<GatewayResponse> {
    let mut responses = Vec::new();
    for (kind, given) in object(root, extension::GATEWAY_RESPONSES).into_iter().flatten() {
        let Some(response_type) = GatewayResponseType::parse(kind) else {
            notes.warn(format!("Invalid gateway response type '{kind}'. Ignoring."));
            continue;
        };
        let map = |member: &str| {
            let entries = object(given, member)?.iter();
            Some(entries.filter_map(|(key, value)| Some((key.clone(), definition::text(value)?))).collect())
        };
        responses.push(GatewayResponse {
            response_type: Some(response_type),
            status_code: text(given, "statusCode"),
            response_parameters: map("responseParameters"),
            response_templates: map("responseTemplates"),
            default_response: None,
        });
    }
    responses
}
