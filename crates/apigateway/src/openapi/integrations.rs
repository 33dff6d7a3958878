//! `x-amazon-apigateway-integration`: what a method calls.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-integration.html>

use std::collections::BTreeMap;

use serde_json::Value;
use stagedoor_api::apigateway::{
    ConnectionType, ContentHandlingStrategy, Integration, IntegrationResponse, IntegrationType,
    ResponseTransferMode, TlsConfig,
};

use super::document::{flag, number, object, text, texts};
use super::notes::Notes;
use super::plan::Planned;

/// The response that is taken if no other's pattern matches.
pub const DEFAULT: &str = "default";

/// Where an integration stands, for messages.
pub struct At<'a> {
    pub path: &'a str,
    pub verb: &'a str,
}

/// Gives a method the integration that `given` describes.
pub fn apply(planned: &mut Planned, given: &Value, at: &At<'_>, notes: &mut Notes) {
    let Some(kind) = text(given, "type").and_then(|kind| IntegrationType::parse(&kind.to_ascii_uppercase()))
    else {
        let At { path, verb } = at;
        // The words that the operation has for it belong to the request framework.
        notes.errors.push(format!(
            "Unable to put integration on '{verb}' for resource at path '{path}': Enumeration value for \
             IntegrationType must be non-empty"
        ));
        return;
    };
    let upper = |member: &str| text(given, member).map(|value| value.to_ascii_uppercase());
    planned.integration = Some(Integration {
        r#type: Some(kind),
        cache_key_parameters: texts(given, "cacheKeyParameters"),
        cache_namespace: text(given, "cacheNamespace"),
        connection_id: text(given, "connectionId"),
        connection_type: upper("connectionType").as_deref().and_then(ConnectionType::parse),
        content_handling: upper("contentHandling").as_deref().and_then(ContentHandlingStrategy::parse),
        credentials: text(given, "credentials"),
        http_method: upper("httpMethod"),
        integration_target: text(given, "integrationTarget"),
        passthrough_behavior: upper("passthroughBehavior"),
        request_parameters: mappings(given, "requestParameters", at, notes),
        request_templates: mappings(given, "requestTemplates", at, notes),
        response_transfer_mode: upper("responseTransferMode")
            .as_deref()
            .and_then(ResponseTransferMode::parse),
        timeout_in_millis: number(given, "timeoutInMillis"),
        tls_config: given
            .get("tlsConfig")
            .map(|tls| TlsConfig { insecure_skip_verification: flag(tls, "insecureSkipVerification") }),
        uri: text(given, "uri"),
        integration_responses: None,
    });
    for (pattern, response) in object(given, "responses").into_iter().flatten() {
        let Some(status_code) = text(response, "statusCode") else { continue };
        planned.integration_responses.push(IntegrationResponse {
            status_code: Some(status_code),
            selection_pattern: (pattern != DEFAULT).then(|| pattern.clone()),
            response_parameters: mappings(response, "responseParameters", at, notes),
            response_templates: templates(response),
            content_handling: text(response, "contentHandling")
                .and_then(|handling| ContentHandlingStrategy::parse(&handling.to_ascii_uppercase())),
        });
    }
}

/// A map of texts. What is no text is left out with the warning that AWS was recorded giving.
fn mappings(given: &Value, member: &str, at: &At<'_>, notes: &mut Notes) -> Option<BTreeMap<String, String>> {
    let mut texts = BTreeMap::new();
    for (name, value) in object(given, member)? {
        match value {
            Value::String(text) => {
                texts.insert(name.clone(), text.clone());
            }
            other => notes.warn(format!(
                "Invalid format for '{member}'. Expected type string for property '{name}' of resource '{}' and \
                 method '{}' but got '{other}'",
                at.path, at.verb
            )),
        }
    }
    Some(texts)
}

/// A template may be null, which means what an empty one does.
fn templates(response: &Value) -> Option<BTreeMap<String, Option<String>>> {
    let given = object(response, "responseTemplates")?;
    Some(given.iter().map(|(name, value)| (name.clone(), value.as_str().map(str::to_owned))).collect())
}
