//! `x-amazon-apigateway-integration`: an integration in a definition, read and written.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-integration.html>

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use stagedoor_api::apigatewayv2::{ConnectionType, Integration, IntegrationType, ProtocolType, TlsConfig};
use stagedoor_state::{Result, definition};

use crate::{integration_rules, messages};

const DEFAULT_FORMAT: &str = "1.0";

/// The integration that an extension describes, with its defaults.
///
/// # Errors
/// Whatever `CreateIntegration` would refuse.
pub fn read(extension: &Json) -> Result<Integration> {
    let member = |name: &str| extension.get(name).and_then(definition::text).filter(|text| !text.is_empty());
    let upper = |name: &str| member(name).map(|text| text.to_ascii_uppercase());
    let kind = upper("type").and_then(|text| IntegrationType::parse(&text));
    let connection = upper("connectionType").map(|text| ConnectionType::parse(&text));
    let integration = Integration {
        connection_id: member("connectionId"),
        connection_type: connection.flatten(),
        credentials_arn: member("credentials"),
        description: member("description"),
        integration_method: upper("httpMethod"),
        integration_subtype: member("integrationSubtype"),
        integration_type: Some(kind.ok_or_else(messages::integration_type_not_for_http)?),
        integration_uri: member("uri"),
        payload_format_version: member("payloadFormatVersion").or_else(|| Some(DEFAULT_FORMAT.to_owned())),
        request_parameters: extension.get("requestParameters").and_then(texts),
        response_parameters: extension.get("responseParameters").and_then(mappings),
        timeout_in_millis: extension.get("timeoutInMillis").and_then(Json::as_i64),
        tls_config: extension.get("tlsConfig").map(tls),
        ..Integration::default()
    };
    let integration = integration_rules::with_defaults(ProtocolType::Http, integration);
    integration_rules::check(ProtocolType::Http, &integration)?;
    Ok(integration)
}

/// The extension that describes an integration. Types are written in small letters, as AWS does.
pub fn write(integration: &Integration) -> Json {
    let mut extension = Map::new();
    let mut put = |name: &str, value: Option<Json>| {
        if let Some(value) = value {
            extension.insert(name.to_owned(), value);
        }
    };
    let text = |text: &Option<String>| text.clone().map(Json::from);
    put("payloadFormatVersion", text(&integration.payload_format_version));
    put("type", integration.integration_type.map(|kind| json!(kind.as_str().to_ascii_lowercase())));
    put("integrationSubtype", text(&integration.integration_subtype));
    put("httpMethod", text(&integration.integration_method));
    put("uri", text(&integration.integration_uri));
    put("credentials", text(&integration.credentials_arn));
    put("connectionId", text(&integration.connection_id));
    put("connectionType", integration.connection_type.map(|kind| json!(kind.as_str())));
    put("requestParameters", integration.request_parameters.as_ref().map(|all| json!(all)));
    put("responseParameters", integration.response_parameters.as_ref().map(|all| json!(all)));
    put("timeoutInMillis", integration.timeout_in_millis.map(Json::from));
    let verify = integration.tls_config.as_ref().map(|tls| match &tls.server_name_to_verify {
        Some(name) => json!({ "serverNameToVerify": name }),
        None => json!({}),
    });
    put("tlsConfig", verify);
    put("description", text(&integration.description));
    Json::Object(extension)
}

fn texts(value: &Json) -> Option<BTreeMap<String, String>> {
    let entries = value.as_object()?.iter();
    Some(entries.filter_map(|(key, value)| Some((key.clone(), definition::text(value)?))).collect())
}

fn mappings(value: &Json) -> Option<BTreeMap<String, BTreeMap<String, String>>> {
    let statuses = value.as_object()?.iter();
    Some(statuses.filter_map(|(status, value)| Some((status.clone(), texts(value)?))).collect())
}

fn tls(value: &Json) -> TlsConfig {
    TlsConfig { server_name_to_verify: value.get("serverNameToVerify").and_then(definition::text) }
}
