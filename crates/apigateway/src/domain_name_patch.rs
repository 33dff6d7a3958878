//! What `UpdateDomainName` may change. Pure.

use stagedoor_api::apigateway::{
    DomainName, EndpointAccessMode, EndpointConfiguration, EndpointType, IpAddressType, Op, PatchOperation,
    RoutingMode, SecurityPolicy,
};
use stagedoor_state::Result;

use crate::messages;
use crate::patch::{ADD_REPLACE_REMOVE, Change, Row, Table, refuse_second_generation};

pub const PATCHES: Table<DomainName> = Table { refuse: refuse_second_generation, rows: &[ROWS] };

const TYPES: &str = "/endpointConfiguration/types";
const TYPE: &str = "/endpointConfiguration/types/{}";

const ROWS: &[Row<DomainName>] = &[
    Row { path: "/certificateArn", ops: ADD_REPLACE_REMOVE, apply: patch_certificate_arn },
    Row { path: "/certificateName", ops: ADD_REPLACE_REMOVE, apply: patch_certificate_name },
    Row { path: "/regionalCertificateArn", ops: ADD_REPLACE_REMOVE, apply: patch_regional_arn },
    Row { path: "/regionalCertificateName", ops: ADD_REPLACE_REMOVE, apply: patch_regional_name },
    Row { path: "/ownershipVerificationCertificateArn", ops: ADD_REPLACE_REMOVE, apply: patch_ownership },
    Row { path: "/mutualTlsAuthentication/truststoreUri", ops: ADD_REPLACE_REMOVE, apply: patch_truststore },
    Row { path: "/mutualTlsAuthentication/truststoreVersion", ops: ADD_REPLACE_REMOVE, apply: patch_version },
    Row { path: TYPES, ops: &[Op::Add, Op::Remove], apply: patch_types },
    Row { path: TYPE, ops: ADD_REPLACE_REMOVE, apply: patch_type },
    Row { path: "/endpointConfiguration/ipAddressType", ops: &[Op::Replace], apply: patch_addresses },
    Row { path: "/endpointAccessMode", ops: &[Op::Replace], apply: patch_access_mode },
    Row { path: "/managementPolicy", ops: &[Op::Replace], apply: patch_management_policy },
    Row { path: "/policy", ops: &[Op::Replace], apply: patch_policy },
    Row { path: "/routingMode", ops: &[Op::Replace], apply: patch_routing_mode },
    Row { path: "/securityPolicy", ops: &[Op::Replace], apply: patch_security_policy },
];

/// Refuses a request that both adds and removes certificates or endpoint types: a domain moves in two steps.
pub fn check_together(operations: Option<&[PatchOperation]>) -> Result<()> {
    let moves = |wanted: Op| {
        operations.unwrap_or_default().iter().any(|operation| {
            let path = operation.path.as_deref().unwrap_or_default();
            let concerned = path.starts_with(TYPES) || path.to_ascii_lowercase().contains("certificate");
            operation.op == Some(wanted) && concerned
        })
    };
    if moves(Op::Add) && moves(Op::Remove) { Err(messages::adds_and_removes()) } else { Ok(()) }
}

/// What the change makes of a text: none where it is removed.
fn text(change: &Change<'_>) -> Option<String> {
    change.text().filter(|_| change.op != Op::Remove)
}

// === Certificates ===

fn patch_certificate_arn(domain: &mut DomainName, change: &Change<'_>) -> Result<()> {
    domain.certificate_arn = text(change);
    Ok(())
}

fn patch_certificate_name(domain: &mut DomainName, change: &Change<'_>) -> Result<()> {
    domain.certificate_name = text(change);
    Ok(())
}

fn patch_regional_arn(domain: &mut DomainName, change: &Change<'_>) -> Result<()> {
    domain.regional_certificate_arn = text(change);
    Ok(())
}

fn patch_regional_name(domain: &mut DomainName, change: &Change<'_>) -> Result<()> {
    domain.regional_certificate_name = text(change);
    Ok(())
}

fn patch_ownership(domain: &mut DomainName, change: &Change<'_>) -> Result<()> {
    domain.ownership_verification_certificate_arn = text(change);
    Ok(())
}

/// Without certificates to trust there is no mutual TLS.
fn patch_truststore(domain: &mut DomainName, change: &Change<'_>) -> Result<()> {
    match text(change) {
        None => domain.mutual_tls_authentication = None,
        uri => domain.mutual_tls_authentication.get_or_insert_default().truststore_uri = uri,
    }
    Ok(())
}

fn patch_version(domain: &mut DomainName, change: &Change<'_>) -> Result<()> {
    match (&mut domain.mutual_tls_authentication, text(change)) {
        (None, None) => {}
        (tls, version) => tls.get_or_insert_default().truststore_version = version,
    }
    Ok(())
}

// === Endpoint ===

fn endpoint(domain: &mut DomainName) -> &mut EndpointConfiguration {
    domain.endpoint_configuration.get_or_insert_default()
}

fn named(text: Option<&str>) -> Result<EndpointType> {
    text.and_then(EndpointType::parse).ok_or_else(messages::bad_endpoint_type)
}

/// The value names the type that comes or goes.
fn patch_types(domain: &mut DomainName, change: &Change<'_>) -> Result<()> {
    let named = named(change.value)?;
    let types = endpoint(domain).types.get_or_insert_default();
    types.retain(|known| *known != named);
    if change.op == Op::Add {
        types.push(named);
    }
    Ok(())
}

/// The path names the old type, or its place in the list.
fn patch_type(domain: &mut DomainName, change: &Change<'_>) -> Result<()> {
    let token = change.token(0);
    let types = endpoint(domain).types.get_or_insert_default();
    let old = match token.parse::<usize>() {
        Ok(place) => types.get(place).copied(),
        Err(_) => EndpointType::parse(&token),
    };
    let new = match change.op {
        Op::Remove => None,
        Op::Add => Some(named(change.value.or(Some(&token)))?),
        _ => Some(named(change.value)?),
    };
    types.retain(|known| Some(*known) != new && (change.op == Op::Add || Some(*known) != old));
    types.extend(new);
    Ok(())
}

fn patch_addresses(domain: &mut DomainName, change: &Change<'_>) -> Result<()> {
    let new = change.value.and_then(IpAddressType::parse).ok_or_else(messages::bad_ip_address_type)?;
    endpoint(domain).ip_address_type = Some(new);
    Ok(())
}

fn patch_access_mode(domain: &mut DomainName, change: &Change<'_>) -> Result<()> {
    let mode = change.value.and_then(EndpointAccessMode::parse);
    domain.endpoint_access_mode =
        Some(mode.ok_or_else(|| messages::bad_option("EndpointAccessMode", "BASIC,STRICT"))?);
    Ok(())
}

// === What it does ===

fn patch_management_policy(domain: &mut DomainName, change: &Change<'_>) -> Result<()> {
    domain.management_policy = change.text();
    Ok(())
}

fn patch_policy(domain: &mut DomainName, change: &Change<'_>) -> Result<()> {
    domain.policy = change.text();
    Ok(())
}

fn patch_routing_mode(domain: &mut DomainName, change: &Change<'_>) -> Result<()> {
    let modes = "BASE_PATH_MAPPING_ONLY,ROUTING_RULE_ONLY,ROUTING_RULE_THEN_BASE_PATH_MAPPING";
    let mode = change.value.and_then(RoutingMode::parse);
    domain.routing_mode = Some(mode.ok_or_else(|| messages::bad_option("RoutingMode", modes))?);
    Ok(())
}

fn patch_security_policy(domain: &mut DomainName, change: &Change<'_>) -> Result<()> {
    let policy = change.value.and_then(SecurityPolicy::parse);
    domain.security_policy = Some(policy.ok_or_else(|| messages::bad_setting(change.path, change.value))?);
    Ok(())
}
