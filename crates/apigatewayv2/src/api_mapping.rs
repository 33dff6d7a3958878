//! API mappings: which API's stage answers below which path of a custom domain name. Base path mappings are the
//! same documents, seen by the other generation of the service.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mappings.html>

use stagedoor_api::apigateway as rest;
use stagedoor_api::apigatewayv2::{
    Api, ApiMapping, CreateApiMappingRequest, DeleteApiMappingRequest, GetApiMappingRequest,
    GetApiMappingsRequest, GetApiMappingsResponse, ProtocolType, Stage, UpdateApiMappingRequest,
};
use stagedoor_state::domain::Mapping;
use stagedoor_state::{Cx, Result};

use crate::list::{self, Ask};
use crate::{api, domain_name, limits, messages};

const ID_LENGTH: usize = 6;
/// Characters of a mapping's key.
const KEY_MAX: usize = 300;

/// `POST /v2/domainnames/{domainName}/apimappings`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/domainnames-domainname-apimappings.html>
pub fn create_api_mapping(cx: &mut Cx<'_>, input: CreateApiMappingRequest) -> Result<ApiMapping> {
    let domain = domain_name::regional(cx, &input.domain_name)?;
    let mapping = Mapping {
        id: cx.new_id(ID_LENGTH),
        api_id: input.api_id,
        stage: Some(input.stage),
        path: input.api_mapping_key.unwrap_or_default(),
    };
    check(cx, &domain, &mapping)?;
    cx.put(&[&input.domain_name, &mapping.id], &mapping)?;
    Ok(answer(mapping))
}

/// `GET /v2/domainnames/{domainName}/apimappings/{apiMappingId}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/domainnames-domainname-apimappings-apimappingid.html>
pub fn get_api_mapping(cx: &mut Cx<'_>, input: GetApiMappingRequest) -> Result<ApiMapping> {
    domain_name::existing(cx, &input.domain_name)?;
    existing(cx, &input.domain_name, &input.api_mapping_id).map(answer)
}

/// `GET /v2/domainnames/{domainName}/apimappings`, by id.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/domainnames-domainname-apimappings.html>
pub fn get_api_mappings(cx: &mut Cx<'_>, input: GetApiMappingsRequest) -> Result<GetApiMappingsResponse> {
    domain_name::existing(cx, &input.domain_name)?;
    let mappings = cx.all::<Mapping>(&[&input.domain_name])?;
    let ask = Ask::new(input.max_results, input.next_token);
    let list = &["GetApiMappings", &input.domain_name];
    let page = list::cut(cx, list, &ask, mappings, |mapping| mapping.id.clone())?;
    let items = page.items.into_iter().map(answer).collect();
    Ok(GetApiMappingsResponse { items: Some(items), next_token: page.next })
}

/// `PATCH /v2/domainnames/{domainName}/apimappings/{apiMappingId}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/domainnames-domainname-apimappings-apimappingid.html>
pub fn update_api_mapping(cx: &mut Cx<'_>, input: UpdateApiMappingRequest) -> Result<ApiMapping> {
    let domain = domain_name::regional(cx, &input.domain_name)?;
    let stored = existing(cx, &input.domain_name, &input.api_mapping_id)?;
    let mapping = Mapping {
        id: stored.id,
        api_id: input.api_id,
        stage: input.stage.or(stored.stage),
        path: input.api_mapping_key.unwrap_or(stored.path),
    };
    check(cx, &domain, &mapping)?;
    cx.put(&[&input.domain_name, &mapping.id], &mapping)?;
    Ok(answer(mapping))
}

/// `DELETE /v2/domainnames/{domainName}/apimappings/{apiMappingId}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/domainnames-domainname-apimappings-apimappingid.html>
pub fn delete_api_mapping(cx: &mut Cx<'_>, input: DeleteApiMappingRequest) -> Result<()> {
    domain_name::existing(cx, &input.domain_name)?;
    existing(cx, &input.domain_name, &input.api_mapping_id)?;
    cx.delete::<Mapping>(&[&input.domain_name, &input.api_mapping_id])
}

/// Refuses a stage that is not there; `None` stands for whichever stage the path names.
pub fn check_stage(cx: &mut Cx<'_>, api_id: &str, stage: Option<&str>) -> Result<()> {
    let Some(stage) = stage else { return Ok(()) };
    match cx.exists::<Stage>(&[api_id, stage])? || cx.exists::<rest::Stage>(&[api_id, stage])? {
        true => Ok(()),
        false => Err(messages::mapped_stage_not_found()),
    }
}

fn existing(cx: &mut Cx<'_>, domain: &str, id: &str) -> Result<Mapping> {
    cx.get(&[domain, id])?.ok_or_else(messages::api_mapping_not_found)
}

fn answer(mapping: Mapping) -> ApiMapping {
    ApiMapping {
        api_id: Some(mapping.api_id),
        api_mapping_id: Some(mapping.id),
        api_mapping_key: Some(mapping.path),
        stage: mapping.stage,
    }
}

fn check(cx: &mut Cx<'_>, domain: &rest::DomainName, mapping: &Mapping) -> Result<()> {
    check_key(&mapping.path)?;
    let websocket = is_websocket(cx, &mapping.api_id)?
        .ok_or_else(|| messages::mapped_api_not_found(cx.account(), &mapping.api_id))?;
    check_stage(cx, &mapping.api_id, mapping.stage.as_deref())?;
    let name = domain.domain_name.as_deref().unwrap_or_default();
    let mut others = cx.all::<Mapping>(&[name])?;
    others.retain(|other| other.id != mapping.id);
    if others.iter().any(|other| other.path == mapping.path) {
        return Err(messages::api_mapping_key_taken());
    }
    if is_multi_level(mapping) {
        check_multi_level(domain, &others)?;
    }
    for other in others {
        // An API that is gone leaves nothing to share the domain with.
        if is_websocket(cx, &other.api_id)?.is_some_and(|other| other != websocket) {
            return Err(messages::websocket_shares_no_domain());
        }
    }
    Ok(())
}

/// Whether it is a WebSocket API rather than an HTTP or REST one; `None` if there is no such API.
fn is_websocket(cx: &mut Cx<'_>, id: &str) -> Result<Option<bool>> {
    if let Some(api) = cx.get::<Api>(&[id])? {
        return Ok(Some(api::protocol(&api) == ProtocolType::Websocket));
    }
    Ok(cx.exists::<rest::RestApi>(&[id])?.then_some(false))
}

fn is_multi_level(mapping: &Mapping) -> bool {
    mapping.path.contains('/')
}

fn check_multi_level(domain: &rest::DomainName, others: &[Mapping]) -> Result<()> {
    if domain.security_policy == Some(rest::SecurityPolicy::Tls1_0) {
        return Err(messages::multi_level_needs_tls_1_2());
    }
    match others.iter().filter(|other| is_multi_level(other)).count() >= limits::MULTI_LEVEL_MAPPINGS_MAX {
        true => Err(messages::multi_level_too_many(limits::MULTI_LEVEL_MAPPINGS_MAX)),
        false => Ok(()),
    }
}

fn check_key(key: &str) -> Result<()> {
    let letters = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"$-_.+!*'()/".contains(&byte));
    if !letters || key.len() > KEY_MAX {
        return Err(messages::api_mapping_key_invalid());
    }
    if key.starts_with('/') || key.contains("//") {
        return Err(messages::api_mapping_key_starts_with_slash());
    }
    match key.ends_with('/') {
        true => Err(messages::api_mapping_key_ends_with_slash()),
        false => Ok(()),
    }
}
