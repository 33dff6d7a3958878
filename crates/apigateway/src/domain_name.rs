//! Custom domain names: `CreateDomainName`, `GetDomainName`, `GetDomainNames`, `UpdateDomainName`,
//! `DeleteDomainName`.
//!
//! The other generation of the service shows and changes the same domains; what is stored is in
//! `stagedoor_state::domain`. What a domain may be stands in [`crate::domain_rules`], what patches may change in
//! [`crate::domain_name_patch`]. Which requests a domain answers is the data plane's to know.

use stagedoor_api::apigateway::{
    CreateDomainNameRequest, DeleteDomainNameRequest, DomainName, DomainNameStatus, DomainNames,
    EndpointConfiguration, EndpointType, GetDomainNameRequest, GetDomainNamesRequest, IpAddressType,
    MutualTlsAuthentication, ResourceOwner, RoutingMode, SecurityPolicy, UpdateDomainNameRequest,
};
use stagedoor_state::{Cx, Result, domain};

use crate::domain_rules::{self, has_type, is_private};
use crate::{domain_name_patch, listing, messages, quota, tags};

/// Characters of a private domain's id.
const ID_LENGTH: usize = 10;
/// Letters and digits in the names that regional domains point to.
const REGIONAL_TARGET_LENGTH: usize = 10;
/// Letters and digits in the names that edge-optimised domains point to.
const EDGE_TARGET_LENGTH: usize = 13;

/// `POST /domainnames`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_CreateDomainName.html>
pub fn create_domain_name(cx: &mut Cx<'_>, input: CreateDomainNameRequest) -> Result<DomainName> {
    if let Some(tags) = &input.tags {
        tags::check(tags)?;
    }
    domain_rules::check_name(&input.domain_name)?;
    domain_rules::check_upload(&input)?;
    let endpoint = endpoint(input.endpoint_configuration)?;
    let private = endpoint.types.as_deref() == Some(&[EndpointType::Private]);
    let id = private.then(|| cx.new_id(ID_LENGTH));
    let key = domain::key(&input.domain_name, id.as_deref());
    if cx.exists::<DomainName>(&[&key])? {
        return Err(messages::domain_name_exists());
    }
    quota::check_domain(cx, private)?;
    let mut domain = DomainName {
        domain_name_arn: Some(domain::arn(cx.region(), cx.account(), &input.domain_name, id.as_deref())),
        domain_name: Some(input.domain_name),
        domain_name_id: id,
        domain_name_status: Some(DomainNameStatus::Available),
        endpoint_configuration: Some(endpoint),
        endpoint_access_mode: input.endpoint_access_mode,
        certificate_arn: input.certificate_arn,
        certificate_name: input.certificate_name,
        regional_certificate_arn: input.regional_certificate_arn,
        regional_certificate_name: input.regional_certificate_name,
        ownership_verification_certificate_arn: input.ownership_verification_certificate_arn,
        mutual_tls_authentication: input.mutual_tls_authentication.map(|tls| MutualTlsAuthentication {
            truststore_uri: tls.truststore_uri,
            truststore_version: tls.truststore_version,
            truststore_warnings: None,
        }),
        policy: input.policy,
        routing_mode: Some(input.routing_mode.unwrap_or(RoutingMode::BasePathMappingOnly)),
        security_policy: Some(input.security_policy.unwrap_or(SecurityPolicy::Tls1_2)),
        tags: input.tags.filter(|tags| !tags.is_empty()),
        ..DomainName::default()
    };
    settle(cx, &DomainName::default(), &mut domain)?;
    cx.put(&[&key], &domain)?;
    Ok(domain)
}

/// `GET /domainnames/{domain_name}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetDomainName.html>
pub fn get_domain_name(cx: &mut Cx<'_>, input: GetDomainNameRequest) -> Result<DomainName> {
    let (_, domain) = existing(cx, &input.domain_name, input.domain_name_id.as_deref())?;
    Ok(answered(domain))
}

/// `GET /domainnames`, by name. Nothing is shared with an account as a whole, so those of other accounts are none.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetDomainNames.html>
pub fn get_domain_names(cx: &mut Cx<'_>, input: GetDomainNamesRequest) -> Result<DomainNames> {
    let domains = match input.resource_owner {
        Some(ResourceOwner::OtherAccounts) => Vec::new(),
        _ => cx.all::<DomainName>(&[])?,
    };
    let wish = listing::Wish { position: input.position.as_deref(), limit: input.limit };
    let place = |domain: &DomainName| {
        domain::key(domain.domain_name.as_deref().unwrap_or_default(), domain.domain_name_id.as_deref())
    };
    let page = listing::page(cx, "domainnames", domains, place, &wish)?;
    // Unlike elsewhere, empty tags are left out.
    let shown =
        |domain: DomainName| DomainName { tags: domain.tags.filter(|tags| !tags.is_empty()), ..domain };
    Ok(DomainNames { items: Some(page.items.into_iter().map(shown).collect()), position: page.next })
}

/// `PATCH /domainnames/{domain_name}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateDomainName.html>
pub fn update_domain_name(cx: &mut Cx<'_>, input: UpdateDomainNameRequest) -> Result<DomainName> {
    let (key, old) = existing(cx, &input.domain_name, input.domain_name_id.as_deref())?;
    let operations = input.patch_operations.as_deref();
    domain_name_patch::check_together(operations)?;
    let mut domain = domain_name_patch::PATCHES.apply(&old, operations)?;
    settle(cx, &old, &mut domain)?;
    cx.put(&[&key], &domain)?;
    Ok(answered(domain))
}

/// `DELETE /domainnames/{domain_name}`, with its mappings, routing rules and associations.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteDomainName.html>
pub fn delete_domain_name(cx: &mut Cx<'_>, input: DeleteDomainNameRequest) -> Result<()> {
    let (key, _) = existing(cx, &input.domain_name, input.domain_name_id.as_deref())?;
    domain::delete(cx, &key)
}

/// A domain and what it is stored under. A private one is only found by its id, too.
pub fn existing(cx: &mut Cx<'_>, name: &str, id: Option<&str>) -> Result<(String, DomainName)> {
    let key = domain::key(name, id.filter(|id| !id.is_empty()));
    let domain = keyed(cx, &key)?;
    // A name with an id in it, like in an ARN, is none.
    match domain.domain_name.as_deref() == Some(name) {
        true => Ok((key, domain)),
        false => Err(messages::no_domain_name()),
    }
}

/// The domain that is stored under that key.
pub fn keyed(cx: &mut Cx<'_>, key: &str) -> Result<DomainName> {
    cx.get(&[key])?.ok_or_else(messages::no_domain_name)
}

/// Get and update answers show tags even where there are none; creating and listing do not.
fn answered(domain: DomainName) -> DomainName {
    DomainName { tags: Some(domain.tags.unwrap_or_default()), ..domain }
}

/// What a new domain gets, with what was not said filled in.
fn endpoint(given: Option<EndpointConfiguration>) -> Result<EndpointConfiguration> {
    let mut endpoint = given.unwrap_or_default();
    let types = endpoint.types.get_or_insert_with(|| vec![EndpointType::Edge]);
    let private = types.contains(&EndpointType::Private);
    let addresses = if private { IpAddressType::Dualstack } else { IpAddressType::Ipv4 };
    endpoint.ip_address_type.get_or_insert(addresses);
    endpoint.vpc_endpoint_ids = endpoint.vpc_endpoint_ids.filter(|ids| !ids.is_empty());
    Ok(endpoint)
}

/// Gives the domain the names that its endpoint types need, takes those away that it no longer needs, and checks it.
fn settle(cx: &Cx<'_>, old: &DomainName, domain: &mut DomainName) -> Result<()> {
    domain_rules::check_endpoint(domain)?;
    if has_type(domain, EndpointType::Regional) {
        domain.regional_domain_name.get_or_insert_with(|| {
            format!("d-{}.execute-api.{}.amazonaws.com", cx.new_id(REGIONAL_TARGET_LENGTH), cx.region())
        });
        domain.regional_hosted_zone_id = Some(domain::hosted_zone(cx.region()).to_owned());
    } else {
        domain.regional_domain_name = None;
        domain.regional_hosted_zone_id = None;
        domain.regional_certificate_arn = None;
        domain.regional_certificate_name = None;
    }
    if has_type(domain, EndpointType::Edge) {
        domain
            .distribution_domain_name
            .get_or_insert_with(|| format!("d{}.cloudfront.net", cx.new_id(EDGE_TARGET_LENGTH)));
        domain.distribution_hosted_zone_id = Some(domain::EDGE_HOSTED_ZONE.to_owned());
    } else {
        domain.distribution_domain_name = None;
        domain.distribution_hosted_zone_id = None;
    }
    if !has_type(domain, EndpointType::Edge) && !is_private(domain) {
        domain.certificate_arn = None;
        domain.certificate_name = None;
        domain.certificate_upload_date = None;
    } else if (&domain.certificate_arn, &domain.certificate_name)
        != (&old.certificate_arn, &old.certificate_name)
    {
        domain.certificate_upload_date = Some(cx.now().whole_seconds());
    }
    domain.policy = domain_rules::stored_policy(domain.policy.as_deref())?;
    domain.management_policy = domain_rules::stored_policy(domain.management_policy.as_deref())?;
    domain_rules::check(domain)
}
