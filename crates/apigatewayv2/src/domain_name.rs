//! Custom domain names as this generation of the service shows them. REST APIs share them: what is stored is the
//! other generation's shape, see `stagedoor_state::domain`.

use stagedoor_api::apigateway as rest;
use stagedoor_api::apigatewayv2::{
    CreateDomainNameRequest, DeleteDomainNameRequest, DomainName, DomainNameConfiguration, EndpointType,
    GetDomainNameRequest, GetDomainNamesRequest, GetDomainNamesResponse, IpAddressType,
    MutualTlsAuthentication, MutualTlsAuthenticationInput, UpdateDomainNameRequest,
};
use stagedoor_state::domain;
use stagedoor_state::{Cx, Result};

use crate::list::{self, Ask};
use crate::{domain_rules, messages, tagging};

/// Letters and digits in the names that domains point to.
const TARGET_LENGTH: usize = 10;
const MAPPING_SELECTION: &str = "$request.basepath";

/// `POST /v2/domainnames`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/domainnames.html#CreateDomainName>
pub fn create_domain_name(cx: &mut Cx<'_>, input: CreateDomainNameRequest) -> Result<DomainName> {
    tagging::check(input.tags.as_ref())?;
    domain_rules::check_name(&input.domain_name)?;
    let configuration = one_configuration(input.domain_name_configurations)?;
    if cx.exists::<rest::DomainName>(&[&input.domain_name])? {
        return Err(messages::domain_exists());
    }
    let region = cx.region();
    let mut stored = rest::DomainName {
        domain_name: Some(input.domain_name.clone()),
        domain_name_arn: Some(domain::arn(region, cx.account(), &input.domain_name, None)),
        domain_name_status: Some(rest::DomainNameStatus::Available),
        endpoint_configuration: Some(rest::EndpointConfiguration {
            ip_address_type: Some(rest::IpAddressType::Ipv4),
            types: Some(vec![rest::EndpointType::Regional]),
            vpc_endpoint_ids: None,
        }),
        regional_domain_name: Some(format!(
            "d-{}.execute-api.{region}.amazonaws.com",
            cx.new_id(TARGET_LENGTH)
        )),
        regional_hosted_zone_id: Some(domain::hosted_zone(region).to_owned()),
        routing_mode: Some(domain_rules::routing_mode(input.routing_mode.unwrap_or_default())),
        security_policy: Some(rest::SecurityPolicy::Tls1_2),
        tags: Some(input.tags.unwrap_or_default()),
        ..rest::DomainName::default()
    };
    configure(&mut stored, configuration)?;
    authenticate(&mut stored, input.mutual_tls_authentication)?;
    domain_rules::check(&stored)?;
    cx.put(&[&input.domain_name], &stored)?;
    Ok(answer(stored))
}

/// `GET /v2/domainnames/{domainName}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/domainnames-domainname.html#GetDomainName>
pub fn get_domain_name(cx: &mut Cx<'_>, input: GetDomainNameRequest) -> Result<DomainName> {
    existing(cx, &input.domain_name).map(answer)
}

/// `GET /v2/domainnames`, by name. Private domains are the other generation's alone.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/domainnames.html#GetDomainNames>
pub fn get_domain_names(cx: &mut Cx<'_>, input: GetDomainNamesRequest) -> Result<GetDomainNamesResponse> {
    let mut domains = cx.all::<rest::DomainName>(&[])?;
    domains.retain(|domain| domain.domain_name_id.is_none());
    let ask = Ask::new(input.max_results, input.next_token);
    let page = list::cut(cx, &["GetDomainNames"], &ask, domains, |domain| {
        domain.domain_name.clone().unwrap_or_default()
    })?;
    let items = page.items.into_iter().map(answer).collect();
    Ok(GetDomainNamesResponse { items: Some(items), next_token: page.next })
}

/// `PATCH /v2/domainnames/{domainName}`. An empty `truststoreUri` turns mutual TLS off.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/domainnames-domainname.html#UpdateDomainName>
pub fn update_domain_name(cx: &mut Cx<'_>, input: UpdateDomainNameRequest) -> Result<DomainName> {
    let mut stored = regional(cx, &input.domain_name)?;
    if let Some(configurations) = input.domain_name_configurations {
        configure(&mut stored, one_configuration(Some(configurations))?)?;
    }
    authenticate(&mut stored, input.mutual_tls_authentication)?;
    if let Some(mode) = input.routing_mode {
        stored.routing_mode = Some(domain_rules::routing_mode(mode));
    }
    domain_rules::check(&stored)?;
    cx.put(&[&input.domain_name], &stored)?;
    Ok(answer(stored))
}

/// `DELETE /v2/domainnames/{domainName}`, with its mappings and routing rules.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/domainnames-domainname.html#DeleteDomainName>
pub fn delete_domain_name(cx: &mut Cx<'_>, input: DeleteDomainNameRequest) -> Result<()> {
    existing(cx, &input.domain_name)?;
    domain::delete(cx, &input.domain_name)
}

/// The public domain of that name.
pub fn existing(cx: &mut Cx<'_>, name: &str) -> Result<rest::DomainName> {
    keyed(cx, name).and_then(|domain| match domain.domain_name_id {
        None => Ok(domain),
        Some(_) => Err(messages::domain_not_found()),
    })
}

/// The domain of that name, which this generation can change.
pub fn regional(cx: &mut Cx<'_>, name: &str) -> Result<rest::DomainName> {
    let domain = existing(cx, name)?;
    match domain_rules::is_regional(&domain) {
        true => Ok(domain),
        false => Err(messages::domain_not_regional()),
    }
}

/// The domain of that key, private ones among them.
pub fn keyed(cx: &mut Cx<'_>, key: &str) -> Result<rest::DomainName> {
    cx.get(&[key])?.ok_or_else(messages::domain_not_found)
}

fn one_configuration(given: Option<Vec<DomainNameConfiguration>>) -> Result<DomainNameConfiguration> {
    match <[_; 1]>::try_from(given.unwrap_or_default()) {
        Ok([configuration]) => Ok(configuration),
        Err(_) => Err(messages::one_domain_configuration()),
    }
}

/// Takes over what the configuration says.
fn configure(stored: &mut rest::DomainName, given: DomainNameConfiguration) -> Result<()> {
    if given.endpoint_type.is_some_and(|kind| kind != EndpointType::Regional) {
        return Err(messages::domain_not_regional());
    }
    if given.certificate_arn.is_some() {
        stored.regional_certificate_arn = given.certificate_arn;
    }
    if given.certificate_name.is_some() {
        stored.regional_certificate_name = given.certificate_name;
    }
    if given.ownership_verification_certificate_arn.is_some() {
        stored.ownership_verification_certificate_arn = given.ownership_verification_certificate_arn;
    }
    if let Some(kind) = given.ip_address_type {
        stored.endpoint_configuration.get_or_insert_default().ip_address_type =
            rest::IpAddressType::parse(kind.as_str());
    }
    if let Some(policy) = given.security_policy {
        stored.security_policy = rest::SecurityPolicy::parse(policy.as_str());
    }
    Ok(())
}

fn authenticate(stored: &mut rest::DomainName, given: Option<MutualTlsAuthenticationInput>) -> Result<()> {
    let Some(given) = given else { return Ok(()) };
    if given.truststore_uri.as_deref() == Some("") {
        stored.mutual_tls_authentication = None;
        return Ok(());
    }
    let tls = stored.mutual_tls_authentication.get_or_insert_default();
    if given.truststore_uri.is_some() {
        tls.truststore_uri = given.truststore_uri;
    }
    if given.truststore_version.is_some() {
        tls.truststore_version = given.truststore_version.filter(|version| !version.is_empty());
    }
    domain_rules::check_truststore(tls.truststore_uri.as_deref())
}

/// A domain as this generation shows it: what it points to and its certificate stand in a configuration.
fn answer(stored: rest::DomainName) -> DomainName {
    let regional = domain_rules::is_regional(&stored);
    let configuration = DomainNameConfiguration {
        domain_name_status: stored
            .domain_name_status
            .and_then(|status| stagedoor_api::apigatewayv2::DomainNameStatus::parse(status.as_str())),
        domain_name_status_message: stored.domain_name_status_message,
        endpoint_type: Some(if regional { EndpointType::Regional } else { EndpointType::Edge }),
        ip_address_type: stored
            .endpoint_configuration
            .and_then(|endpoint| endpoint.ip_address_type)
            .and_then(|kind| IpAddressType::parse(kind.as_str())),
        ownership_verification_certificate_arn: stored.ownership_verification_certificate_arn,
        security_policy: stored
            .security_policy
            .and_then(|policy| stagedoor_api::apigatewayv2::SecurityPolicy::parse(policy.as_str())),
        certificate_upload_date: stored.certificate_upload_date,
        ..match regional {
            true => DomainNameConfiguration {
                api_gateway_domain_name: stored.regional_domain_name,
                certificate_arn: stored.regional_certificate_arn,
                certificate_name: stored.regional_certificate_name,
                hosted_zone_id: stored.regional_hosted_zone_id,
                ..DomainNameConfiguration::default()
            },
            false => DomainNameConfiguration {
                api_gateway_domain_name: stored.distribution_domain_name,
                certificate_arn: stored.certificate_arn,
                certificate_name: stored.certificate_name,
                hosted_zone_id: stored.distribution_hosted_zone_id,
                ..DomainNameConfiguration::default()
            },
        }
    };
    DomainName {
        api_mapping_selection_expression: Some(MAPPING_SELECTION.to_owned()),
        domain_name: stored.domain_name,
        domain_name_arn: stored.domain_name_arn,
        domain_name_configurations: Some(vec![configuration]),
        mutual_tls_authentication: stored.mutual_tls_authentication.map(|tls| MutualTlsAuthentication {
            truststore_uri: tls.truststore_uri,
            truststore_version: tls.truststore_version,
            truststore_warnings: tls.truststore_warnings,
        }),
        routing_mode: stored.routing_mode.map(domain_rules::own_routing_mode),
        tags: Some(stored.tags.unwrap_or_default()),
    }
}
