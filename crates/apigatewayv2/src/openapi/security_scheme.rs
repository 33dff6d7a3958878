//! Security schemes with `x-amazon-apigateway-authorizer`: authorizers in a definition, read and written.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>

use serde_json::{Map, Value as Json, json};
use stagedoor_api::apigatewayv2::{Authorizer, AuthorizerType, JWTConfiguration, ProtocolType};
use stagedoor_state::{Result, definition};

use crate::{authorizer_rules, messages};

const EXTENSION: &str = "x-amazon-apigateway-authorizer";
const SIGNED: &str = "x-amazon-apigateway-authtype";
/// What stands between the issuer and the rest of an OpenID Connect address.
const DISCOVERY: &str = "/.well-known/openid-configuration";
const AUTHORIZATION: &str = "$request.header.Authorization";

/// What a security scheme of a definition means to an HTTP API.
#[derive(Clone, Debug, PartialEq)]
pub enum Scheme {
    Authorizer(Box<Authorizer>),
    /// Requests are signed with Signature Version 4.
    Signed,
    /// Something that HTTP APIs do not check.
    Unsupported,
}

/// What the scheme of that name means.
///
/// # Errors
/// Whatever `CreateAuthorizer` would refuse.
pub fn read(name: &str, scheme: &Json) -> Result<Scheme> {
    if scheme.get(SIGNED).and_then(Json::as_str).is_some_and(|kind| kind.eq_ignore_ascii_case("awsSigv4")) {
        return Ok(Scheme::Signed);
    }
    let Some(extension) = scheme.get(EXTENSION) else { return Ok(Scheme::Unsupported) };
    let member = |name: &str| extension.get(name).and_then(definition::text).filter(|text| !text.is_empty());
    let kind = member("type").unwrap_or_default().to_ascii_uppercase();
    let kind = AuthorizerType::parse(&kind).ok_or_else(|| messages::authorizer_type_invalid(&kind))?;
    let jwt = kind == AuthorizerType::Jwt;
    let authorizer = Authorizer {
        authorizer_credentials_arn: member("authorizerCredentials"),
        authorizer_payload_format_version: member("authorizerPayloadFormatVersion"),
        authorizer_result_ttl_in_seconds: extension
            .get("authorizerResultTtlInSeconds")
            .and_then(Json::as_i64),
        authorizer_type: Some(kind),
        authorizer_uri: member("authorizerUri"),
        enable_simple_responses: extension.get("enableSimpleResponses").and_then(Json::as_bool),
        identity_source: Some(identity_sources(member("identitySource"), jwt)),
        identity_validation_expression: member("identityValidationExpression"),
        jwt_configuration: jwt.then(|| jwt_configuration(scheme, extension)),
        name: Some(name.to_owned()),
        ..Authorizer::default()
    };
    authorizer_rules::check(ProtocolType::Http, &authorizer)?;
    Ok(Scheme::Authorizer(Box::new(authorizer)))
}

/// The scheme that describes an authorizer.
pub fn write(authorizer: &Authorizer) -> Json {
    let mut extension = Map::new();
    let mut put = |name: &str, value: Option<Json>| {
        if let Some(value) = value {
            extension.insert(name.to_owned(), value);
        }
    };
    let text = |text: &Option<String>| text.clone().map(Json::from);
    let kind = authorizer.authorizer_type.unwrap_or_default();
    put("type", Some(json!(kind.as_str().to_ascii_lowercase())));
    let sources = authorizer.identity_source.as_deref().unwrap_or_default();
    put("identitySource", (!sources.is_empty()).then(|| json!(sources.join(", "))));
    put("authorizerUri", text(&authorizer.authorizer_uri));
    put("authorizerCredentials", text(&authorizer.authorizer_credentials_arn));
    put("authorizerPayloadFormatVersion", text(&authorizer.authorizer_payload_format_version));
    put("authorizerResultTtlInSeconds", authorizer.authorizer_result_ttl_in_seconds.map(Json::from));
    put("enableSimpleResponses", authorizer.enable_simple_responses.map(Json::from));
    put("identityValidationExpression", text(&authorizer.identity_validation_expression));
    let jwt = authorizer.jwt_configuration.as_ref();
    put("jwtConfiguration", jwt.map(|jwt| json!({ "audience": jwt.audience, "issuer": jwt.issuer })));
    match kind {
        AuthorizerType::Jwt => json!({ "type": "oauth2", "flows": {}, EXTENSION: extension }),
        AuthorizerType::Request => {
            json!({ "type": "apiKey", "name": "Authorization", "in": "header", EXTENSION: extension })
        }
    }
}

/// The sources of a text that separates them by commas. Tokens stand in one header unless it says otherwise.
fn identity_sources(text: Option<String>, jwt: bool) -> Vec<String> {
    let text = text.unwrap_or_else(|| if jwt { AUTHORIZATION.to_owned() } else { String::new() });
    let sources = text.split(',').map(str::trim).filter(|source| !source.is_empty());
    sources.map(str::to_owned).collect()
}

/// An OpenID Connect scheme may name the issuer by the address of its configuration.
fn jwt_configuration(scheme: &Json, extension: &Json) -> JWTConfiguration {
    let given = extension.get("jwtConfiguration");
    let discovery = scheme.get("openIdConnectUrl").and_then(Json::as_str);
    let issuer = given.and_then(|given| given.get("issuer")).and_then(definition::text);
    let audience = given.and_then(|given| given.get("audience"));
    JWTConfiguration {
        audience: audience
            .and_then(Json::as_array)
            .map(|all| all.iter().filter_map(definition::text).collect()),
        issuer: issuer.or_else(|| Some(discovery?.strip_suffix(DISCOVERY)?.to_owned())),
    }
}
