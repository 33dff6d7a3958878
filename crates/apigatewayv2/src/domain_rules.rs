//! What a custom domain name may be, and how the two generations of the service spell the same. Storing domains
//! is `domain_name`'s.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-custom-domain-names.html>

use stagedoor_api::apigateway as rest;
use stagedoor_api::apigatewayv2::RoutingMode;
use stagedoor_state::{Result, domain};

use crate::messages;

/// Refuses what is no name of a host.
pub fn check_name(name: &str) -> Result<()> {
    if domain::is_name(name) { Ok(()) } else { Err(messages::domain_name_invalid(name)) }
}

/// Refuses a domain without a certificate.
pub fn check(domain: &rest::DomainName) -> Result<()> {
    match domain.regional_certificate_arn.as_deref() {
        Some(arn) if arn.starts_with("arn:") => Ok(()),
        _ => Err(messages::domain_certificate_invalid()),
    }
}

/// Refuses an address of certificates that is not in S3.
pub fn check_truststore(uri: Option<&str>) -> Result<()> {
    match uri.is_some_and(|uri| uri.starts_with("s3://")) {
        true => Ok(()),
        false => Err(messages::truststore_invalid()),
    }
}

/// Whether the domain is reached in its own region, not through the edge.
pub fn is_regional(domain: &rest::DomainName) -> bool {
    let types = domain.endpoint_configuration.as_ref().and_then(|endpoint| endpoint.types.as_deref());
    !types.unwrap_or_default().contains(&rest::EndpointType::Edge)
}

/// The mode as it is stored.
pub fn routing_mode(mode: RoutingMode) -> rest::RoutingMode {
    match mode {
        RoutingMode::ApiMappingOnly => rest::RoutingMode::BasePathMappingOnly,
        RoutingMode::RoutingRuleOnly => rest::RoutingMode::RoutingRuleOnly,
        RoutingMode::RoutingRuleThenApiMapping => rest::RoutingMode::RoutingRuleThenBasePathMapping,
    }
}

/// The mode as this generation spells it.
pub fn own_routing_mode(mode: rest::RoutingMode) -> RoutingMode {
    match mode {
        rest::RoutingMode::BasePathMappingOnly => RoutingMode::ApiMappingOnly,
        rest::RoutingMode::RoutingRuleOnly => RoutingMode::RoutingRuleOnly,
        rest::RoutingMode::RoutingRuleThenBasePathMapping => RoutingMode::RoutingRuleThenApiMapping,
    }
}
