//! What an authorizer may be. Storing authorizers is `authorizer`'s.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html>

use stagedoor_api::apigatewayv2::{Authorizer, AuthorizerType, JWTConfiguration, ProtocolType};
use stagedoor_state::Result;

use crate::{limits, messages};

/// Longest time that an answer can be kept, in seconds.
const TTL_SECONDS_MAX: i64 = 3600;
const FORMATS: [&str; 2] = ["1.0", "2.0"];
/// Where an HTTP API finds the token of a JWT authorizer or an identity of a Lambda authorizer.
const HTTP_SOURCES: [&str; 4] =
    ["$request.header.", "$request.querystring.", "$context.", "$stageVariables."];
const WEBSOCKET_SOURCES: [&str; 4] =
    ["route.request.header.", "route.request.querystring.", "context.", "stageVariables."];
/// Characters of the authorizer's address.
const URI_MAX: usize = 2048;

/// Drops what only authorizers of HTTP APIs have.
pub fn without_foreign_members(protocol: ProtocolType, mut authorizer: Authorizer) -> Authorizer {
    if protocol == ProtocolType::Websocket {
        authorizer.authorizer_payload_format_version = None;
        authorizer.authorizer_result_ttl_in_seconds = None;
        authorizer.enable_simple_responses = None;
    }
    authorizer
}

/// Refuses an authorizer that APIs of this protocol cannot have.
pub fn check(protocol: ProtocolType, authorizer: &Authorizer) -> Result<()> {
    let name = authorizer.name.as_deref().unwrap_or_default();
    if name.is_empty() || name.chars().count() > limits::NAME_MAX {
        return Err(messages::authorizer_name_invalid());
    }
    check_sources(protocol, authorizer)?;
    match authorizer.authorizer_type.unwrap_or_default() {
        AuthorizerType::Jwt if protocol == ProtocolType::Websocket => Err(messages::jwt_http_only()),
        AuthorizerType::Jwt => check_jwt(authorizer),
        AuthorizerType::Request => check_request(protocol, authorizer),
    }
}

fn check_sources(protocol: ProtocolType, authorizer: &Authorizer) -> Result<()> {
    let prefixes = match protocol {
        ProtocolType::Http => HTTP_SOURCES,
        ProtocolType::Websocket => WEBSOCKET_SOURCES,
    };
    for source in authorizer.identity_source.iter().flatten() {
        let known =
            prefixes.iter().any(|prefix| source.strip_prefix(prefix).is_some_and(|name| !name.is_empty()));
        if !known {
            return Err(messages::identity_source_invalid(source));
        }
    }
    Ok(())
}

fn check_jwt(authorizer: &Authorizer) -> Result<()> {
    let foreign = [
        ("AuthorizerCredentialsArn", authorizer.authorizer_credentials_arn.is_some()),
        ("AuthorizerPayloadFormatVersion", authorizer.authorizer_payload_format_version.is_some()),
        ("AuthorizerResultTtlInSeconds", authorizer.authorizer_result_ttl_in_seconds.is_some()),
        ("AuthorizerUri", authorizer.authorizer_uri.is_some()),
        ("EnableSimpleResponses", authorizer.enable_simple_responses.is_some()),
        ("IdentityValidationExpression", authorizer.identity_validation_expression.is_some()),
    ];
    if let Some((member, _)) = foreign.iter().find(|(_, given)| *given) {
        return Err(messages::not_for_jwt(member));
    }
    match authorizer.identity_source.as_deref() {
        Some([source]) if source.starts_with("$request.") => {}
        _ => return Err(messages::jwt_identity_source()),
    }
    let JWTConfiguration { audience, issuer } = authorizer.jwt_configuration.clone().unwrap_or_default();
    let audience = audience.unwrap_or_default();
    if audience.is_empty() || audience.len() > limits::AUDIENCES_MAX {
        return Err(messages::jwt_audience_invalid(limits::AUDIENCES_MAX));
    }
    let issuer = issuer.filter(|issuer| !issuer.is_empty()).ok_or_else(messages::jwt_issuer_required)?;
    match is_issuer(&issuer) {
        true => Ok(()),
        false => Err(messages::jwt_issuer_invalid(&issuer)),
    }
}

/// An address with TLS, as AWS asks for; one without is accepted on this machine only, where tests keep theirs.
fn is_issuer(issuer: &str) -> bool {
    if let Some(rest) = issuer.strip_prefix("https://") {
        return !rest.is_empty();
    }
    let Some(rest) = issuer.strip_prefix("http://") else { return false };
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => authority.split(':').next(),
    };
    matches!(host, Some("localhost" | "127.0.0.1" | "::1"))
}

fn check_request(protocol: ProtocolType, authorizer: &Authorizer) -> Result<()> {
    if authorizer.jwt_configuration.is_some() {
        return Err(messages::jwt_configuration_not_for_request());
    }
    let uri = authorizer.authorizer_uri.as_deref().unwrap_or_default();
    if !uri.starts_with("arn:") || uri.chars().count() > URI_MAX {
        return Err(messages::authorizer_uri_invalid(uri));
    }
    match protocol {
        ProtocolType::Http => check_http_request(authorizer),
        ProtocolType::Websocket => Ok(()),
    }
}

fn check_http_request(authorizer: &Authorizer) -> Result<()> {
    let version = authorizer.authorizer_payload_format_version.as_deref();
    let version = version.ok_or_else(messages::authorizer_format_required)?;
    if !FORMATS.contains(&version) {
        return Err(messages::authorizer_format_unsupported(version));
    }
    if authorizer.enable_simple_responses == Some(true) && version != "2.0" {
        return Err(messages::simple_responses_need_format_2());
    }
    let ttl = authorizer.authorizer_result_ttl_in_seconds.unwrap_or(0);
    if !(0..=TTL_SECONDS_MAX).contains(&ttl) {
        return Err(messages::authorizer_ttl_invalid(TTL_SECONDS_MAX));
    }
    match ttl > 0 && authorizer.identity_source.iter().flatten().next().is_none() {
        true => Err(messages::caching_needs_identity_source()),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers() {
        for good in [
            "https://cognito-idp.eu-west-1.amazonaws.com/pool",
            "http://localhost:8080/realms/a",
            "http://127.0.0.1:1",
            "http://[::1]:8080/",
        ] {
            assert!(is_issuer(good), "{good}");
        }
        for bad in ["", "https://", "http://example.com", "http://localhost.example.com", "ftp://localhost"] {
            assert!(!is_issuer(bad), "{bad}");
        }
    }
}
