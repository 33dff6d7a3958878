//! How much of everything an account, or an API of it, may have.

use stagedoor_api::apigateway::{DomainName, EndpointType, RestApi};
use stagedoor_state::rest::quotas::Quotas;
use stagedoor_state::{Cx, Kind, Result};

use crate::messages;

/// Which quota is meant.
#[derive(Clone, Copy, Debug)]
pub struct Quota {
    /// As messages call what is counted, and of what it is counted.
    name: &'static str,
    of: &'static str,
    max: fn(&Quotas) -> usize,
}

const fn account(name: &'static str, max: fn(&Quotas) -> usize) -> Quota {
    Quota { name, of: "account", max }
}

const fn api(name: &'static str, max: fn(&Quotas) -> usize) -> Quota {
    Quota { name, of: "API", max }
}

// The root is none of those that the quota is about, but it is counted.
pub const RESOURCES: Quota = api("Resources", |quotas| quotas.resources_per_api.saturating_add(1));
pub const STAGES: Quota = api("Stages", |quotas| quotas.stages_per_api);
pub const AUTHORIZERS: Quota = api("Authorizers", |quotas| quotas.authorizers_per_api);
pub const DOCUMENTATION_PARTS: Quota =
    api("Documentation Parts", |quotas| quotas.documentation_parts_per_api);
pub const API_KEYS: Quota = account("API Keys", |quotas| quotas.api_keys);
pub const USAGE_PLANS: Quota = account("Usage Plans", |quotas| quotas.usage_plans);
pub const PLANS_PER_KEY: Quota =
    Quota { name: "Usage Plans", of: "API Key", max: |quotas| quotas.usage_plans_per_key };
pub const METHOD_THROTTLES: Quota =
    Quota { name: "Method Throttles", of: "API Stage", max: |quotas| quotas.method_throttles_per_stage };
pub const CLIENT_CERTIFICATES: Quota = account("Client Certificates", |quotas| quotas.client_certificates);
pub const VPC_LINKS: Quota = account("VPC Links", |quotas| quotas.vpc_links);
pub const ACCESS_ASSOCIATIONS: Quota =
    account("Domain Name Access Associations", |quotas| quotas.access_associations);

const REGIONAL_APIS: Quota = account("Regional APIs", |quotas| quotas.regional_apis);
const EDGE_APIS: Quota = account("Edge APIs", |quotas| quotas.edge_apis);
const PRIVATE_APIS: Quota = account("Private APIs", |quotas| quotas.private_apis);
const DOMAIN_NAMES: Quota = account("Domain Names", |quotas| quotas.domain_names);
const PRIVATE_DOMAIN_NAMES: Quota = account("Private Domain Names", |quotas| quotas.private_domain_names);

/// Fails unless there may be one more of these below `parent`.
pub fn check<T: Kind>(cx: &mut Cx<'_>, parent: &[&str], quota: Quota) -> Result<()> {
    let count = cx.count::<T>(parent)?;
    check_count(cx, quota, count)
}

/// Fails unless there may be one more than `count`.
pub fn check_count(cx: &Cx<'_>, quota: Quota, count: usize) -> Result<()> {
    match count < (quota.max)(cx.environment.rest_quotas) {
        true => Ok(()),
        false => Err(messages::quota_exceeded(quota.name, quota.of)),
    }
}

/// Fails unless there may be one more API of this endpoint type.
pub fn check_api(cx: &mut Cx<'_>, endpoint_type: EndpointType) -> Result<()> {
    let quota = match endpoint_type {
        EndpointType::Regional => REGIONAL_APIS,
        EndpointType::Edge => EDGE_APIS,
        EndpointType::Private => PRIVATE_APIS,
    };
    check_some::<RestApi>(cx, quota, |api| {
        let types = api.endpoint_configuration.as_ref().and_then(|endpoint| endpoint.types.as_deref());
        types.unwrap_or_default().contains(&endpoint_type)
    })
}

/// Fails unless there may be one more domain name.
pub fn check_domain(cx: &mut Cx<'_>, private: bool) -> Result<()> {
    let quota = if private { PRIVATE_DOMAIN_NAMES } else { DOMAIN_NAMES };
    check_some::<DomainName>(cx, quota, |domain| domain.domain_name_id.is_some() == private)
}

/// Counts those that are `meant`; only looks into them where all together are too many.
fn check_some<T: Kind>(cx: &mut Cx<'_>, quota: Quota, meant: impl Fn(&T) -> bool) -> Result<()> {
    if check::<T>(cx, &[], quota).is_ok() {
        return Ok(());
    }
    let count = cx.all::<T>(&[])?.iter().filter(|one| meant(one)).count();
    check_count(cx, quota, count)
}
