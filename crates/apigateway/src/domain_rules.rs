//! What a custom domain name may be. Pure; storing domains is [`crate::domain_name`]'s.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-custom-domains.html>

use stagedoor_api::apigateway::{
    CreateDomainNameRequest, DomainName, EndpointType, IpAddressType, SecurityPolicy,
};
use stagedoor_state::arn::Arn;
use stagedoor_state::{Result, domain};

use crate::{messages, policy};

/// Ends the names of security policies that are edge-optimised domains' alone.
const EDGE_ONLY: &str = "_EDGE";
/// Begins the names of security policies that the older two are not among.
const ENHANCED: &str = "SecurityPolicy_";

/// Refuses what is no name of a host.
pub fn check_name(name: &str) -> Result<()> {
    if domain::is_name(name) { Ok(()) } else { Err(messages::bad_domain_name(name)) }
}

/// Whether the domain has this endpoint type. While one is moved it has two.
pub fn has_type(domain: &DomainName, wanted: EndpointType) -> bool {
    let types = domain.endpoint_configuration.as_ref().and_then(|endpoint| endpoint.types.as_deref());
    types.unwrap_or_default().contains(&wanted)
}

pub fn is_private(domain: &DomainName) -> bool {
    has_type(domain, EndpointType::Private)
}

/// Refuses a certificate that is uploaded incompletely, or in another form than PEM.
pub fn check_upload(input: &CreateDomainNameRequest) -> Result<()> {
    let parts = [&input.certificate_body, &input.certificate_private_key];
    let chain = input.certificate_chain.as_ref();
    if chain.is_none() && parts.iter().all(|part| part.is_none()) {
        return Ok(());
    }
    let pem = |part: &String| part.contains("-----BEGIN ");
    match parts.iter().all(|part| part.as_ref().is_some_and(pem)) && chain.is_none_or(pem) {
        true => Ok(()),
        false => Err(messages::bad_certificate()),
    }
}

/// The rules between endpoint types and addresses: a domain is edge-optimised, regional, or, while it moves, both.
pub fn check_endpoint(domain: &DomainName) -> Result<()> {
    let endpoint = domain.endpoint_configuration.clone().unwrap_or_default();
    let types = endpoint.types.unwrap_or_default();
    if types.is_empty() {
        return Err(messages::no_endpoint_type());
    }
    if types.contains(&EndpointType::Private) != domain.domain_name_id.is_some()
        || types.contains(&EndpointType::Private) && types.len() > 1
    {
        return Err(messages::private_stays_private());
    }
    if endpoint.vpc_endpoint_ids.is_some() {
        return Err(messages::vpc_endpoints_are_private());
    }
    match is_private(domain) && endpoint.ip_address_type == Some(IpAddressType::Ipv4) {
        true => Err(messages::private_is_dualstack()),
        false => Ok(()),
    }
}

/// The rules that hold after every change.
pub fn check(domain: &DomainName) -> Result<()> {
    check_certificates(domain)?;
    check_security_policy(domain)?;
    if let Some(tls) = &domain.mutual_tls_authentication {
        if domain.endpoint_configuration.as_ref().and_then(|endpoint| endpoint.types.as_deref())
            != Some(&[EndpointType::Regional])
        {
            return Err(messages::mutual_tls_is_regional());
        }
        if !tls.truststore_uri.as_deref().is_some_and(|uri| uri.starts_with("s3://")) {
            return Err(messages::bad_truststore());
        }
    }
    match !is_private(domain) && (domain.policy.is_some() || domain.management_policy.is_some()) {
        true => Err(messages::policies_are_private()),
        false => Ok(()),
    }
}

/// Every endpoint type needs its certificate.
fn check_certificates(domain: &DomainName) -> Result<()> {
    let arns = [
        &domain.certificate_arn,
        &domain.regional_certificate_arn,
        &domain.ownership_verification_certificate_arn,
    ];
    if arns.into_iter().flatten().any(|arn| Arn::parse(arn).is_none()) {
        return Err(messages::bad_certificate_arn());
    }
    let own = domain.certificate_arn.is_some();
    let missing = is_private(domain) && !own
        || has_type(domain, EndpointType::Edge) && !own && domain.certificate_name.is_none()
        || has_type(domain, EndpointType::Regional)
            && domain.regional_certificate_arn.is_none()
            && domain.regional_certificate_name.is_none();
    if missing { Err(messages::bad_certificate_arn()) } else { Ok(()) }
}

fn check_security_policy(domain: &DomainName) -> Result<()> {
    let policy = domain.security_policy.unwrap_or(SecurityPolicy::Tls1_2).as_str();
    let edge = has_type(domain, EndpointType::Edge);
    let fits = match policy.starts_with(ENHANCED) {
        true => policy.ends_with(EDGE_ONLY) == edge,
        false => !is_private(domain) || policy == SecurityPolicy::Tls1_2.as_str(),
    };
    if fits { Ok(()) } else { Err(messages::security_policy_of_other_endpoint(policy)) }
}

/// A policy as it is stored: compact JSON; `None` if it is empty.
pub fn stored_policy(given: Option<&str>) -> Result<Option<String>> {
    given.filter(|policy| !policy.is_empty()).map(policy::compact).transpose()
}
