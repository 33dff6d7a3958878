//! Security schemes: which of them are authorizers, and what the `security` of an operation makes of its method.

use std::collections::BTreeMap;

use serde_json::Value;
use stagedoor_api::apigateway::{Authorizer, AuthorizerType, Method};

use super::document::{Document, number, text, texts};
use super::{extension, plan::Planned};

/// Seconds that an imported authorizer's answers are kept for if the definition does not say.
const TTL_SECONDS_DEFAULT: i64 = 300;

/// What a security scheme means.
#[derive(Clone, Debug, PartialEq)]
pub enum Scheme {
    /// The caller signs.
    Signed,
    /// The caller has an API key.
    ApiKey,
    Authorizer(Box<Authorizer>),
    /// Something that API Gateway does not enforce.
    Other,
}

/// All schemes of a definition, by name.
pub fn schemes(document: &Document) -> BTreeMap<String, Scheme> {
    let schemes = document.security_schemes().into_iter().flatten();
    schemes.map(|(name, scheme)| (name.clone(), read(name, document.resolve(scheme), document))).collect()
}

fn read(name: &str, scheme: &Value, document: &Document) -> Scheme {
    let auth_type = text(scheme, extension::AUTH_TYPE);
    if auth_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case(extension::SIGNED)) {
        return Scheme::Signed;
    }
    if let Some(given) = scheme.get(extension::AUTHORIZER) {
        return match authorizer(name, scheme, document.resolve(given), auth_type) {
            Some(authorizer) => Scheme::Authorizer(Box::new(authorizer)),
            None => Scheme::Other,
        };
    }
    let is_key =
        text(scheme, "name").is_some_and(|name| name.eq_ignore_ascii_case(extension::API_KEY_HEADER));
    if is_key { Scheme::ApiKey } else { Scheme::Other }
}

fn authorizer(name: &str, scheme: &Value, given: &Value, auth_type: Option<String>) -> Option<Authorizer> {
    let kind = text(given, "type").unwrap_or_else(|| "token".to_owned());
    let kind = AuthorizerType::parse(&kind.to_ascii_uppercase())?;
    let header = text(scheme, "name").map(|header| format!("method.request.header.{header}"));
    let by_header = kind != AuthorizerType::Request;
    let caches = matches!(kind, AuthorizerType::Token | AuthorizerType::Request);
    let ttl = number(given, "authorizerResultTtlInSeconds");
    Some(Authorizer {
        name: Some(name.to_owned()),
        r#type: Some(kind),
        auth_type,
        authorizer_uri: text(given, "authorizerUri"),
        authorizer_credentials: text(given, "authorizerCredentials"),
        authorizer_result_ttl_in_seconds: ttl.or(caches.then_some(TTL_SECONDS_DEFAULT)),
        identity_source: text(given, "identitySource").or(header.filter(|_| by_header)),
        identity_validation_expression: text(given, "identityValidationExpression"),
        jwt_configuration: given
            .get("jwtConfiguration")
            .and_then(|jwt| serde_json::from_value(jwt.clone()).ok()),
        provider_arns: texts(given, "providerARNs"),
        ..Authorizer::default()
    })
}

/// Gives a method what its operation, or else the whole definition, demands of callers.
pub fn apply(planned: &mut Planned, operation: &Value, root: &Value, schemes: &BTreeMap<String, Scheme>) {
    let method = &mut planned.method;
    method.authorization_type = Some("NONE".to_owned());
    method.api_key_required = Some(false);
    let security = operation.get("security").or_else(|| root.get("security")).and_then(Value::as_array);
    for (name, scopes) in security.into_iter().flatten().filter_map(Value::as_object).flatten() {
        match schemes.get(name) {
            Some(Scheme::Signed) => method.authorization_type = Some("AWS_IAM".to_owned()),
            Some(Scheme::ApiKey) => method.api_key_required = Some(true),
            Some(Scheme::Authorizer(authorizer)) => {
                planned.authorizer = Some(name.clone());
                authorize(method, authorizer, scopes);
            }
            Some(Scheme::Other) | None => {}
        }
    }
    let own = text(&operation[extension::AUTH], "type").map(|kind| kind.to_ascii_uppercase());
    if let Some(kind) = own.filter(|kind| kind == "NONE" || kind == "AWS_IAM") {
        method.authorization_type = Some(kind);
        planned.authorizer = None;
    }
}

fn authorize(method: &mut Method, authorizer: &Authorizer, scopes: &Value) {
    let scopes: Vec<String> =
        scopes.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let pools = authorizer.r#type == Some(AuthorizerType::CognitoUserPools);
    method.authorization_type = Some(if pools { "COGNITO_USER_POOLS" } else { "CUSTOM" }.to_owned());
    method.authorization_scopes = Some(scopes).filter(|scopes| !scopes.is_empty());
}
