//! Base path mappings, which API's stage answers below which first path segment of a custom domain name:
//! `CreateBasePathMapping`, `GetBasePathMapping`, `GetBasePathMappings`, `UpdateBasePathMapping`,
//! `DeleteBasePathMapping`.
//!
//! API mappings of the other generation of the service are the same documents. It makes mappings of several segments
//! and of HTTP APIs, too, which are shown here as they are.

use stagedoor_api::apigateway::{
    BasePathMapping, BasePathMappings, CreateBasePathMappingRequest, DeleteBasePathMappingRequest,
    DomainName, EndpointType, GetBasePathMappingRequest, GetBasePathMappingsRequest, Op, RestApi, Stage,
    UpdateBasePathMappingRequest,
};
use stagedoor_api::apigatewayv2::{Api, ProtocolType};
use stagedoor_state::domain::Mapping;
use stagedoor_state::{Cx, Result};

use crate::domain_name;
use crate::domain_rules::is_private;
use crate::patch::{Change, Row, Table, refuse_second_generation};
use crate::{listing, messages};

/// Characters of a mapping's id, which only the other generation of the service shows.
const ID_LENGTH: usize = 6;
/// How the mapping at the root is spelled.
const ROOT: &str = "(none)";

/// `POST /domainnames/{domain_name}/basepathmappings`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_CreateBasePathMapping.html>
pub fn create_base_path_mapping(
    cx: &mut Cx<'_>,
    input: CreateBasePathMappingRequest,
) -> Result<BasePathMapping> {
    let (key, domain) = domain_name::existing(cx, &input.domain_name, input.domain_name_id.as_deref())?;
    let mapping = Mapping {
        id: cx.new_id(ID_LENGTH),
        api_id: input.rest_api_id,
        stage: input.stage.filter(|stage| !stage.is_empty()),
        path: path_of(input.base_path.as_deref().unwrap_or_default()).to_owned(),
    };
    check_path(&mapping.path)?;
    store(cx, &key, &domain, mapping)
}

/// `GET /domainnames/{domain_name}/basepathmappings/{base_path}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetBasePathMapping.html>
pub fn get_base_path_mapping(cx: &mut Cx<'_>, input: GetBasePathMappingRequest) -> Result<BasePathMapping> {
    let (key, _) = domain_name::existing(cx, &input.domain_name, input.domain_name_id.as_deref())?;
    existing(cx, &key, &input.base_path).map(answered)
}

/// `GET /domainnames/{domain_name}/basepathmappings`, by path.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetBasePathMappings.html>
pub fn get_base_path_mappings(
    cx: &mut Cx<'_>,
    input: GetBasePathMappingsRequest,
) -> Result<BasePathMappings> {
    let (key, _) = domain_name::existing(cx, &input.domain_name, input.domain_name_id.as_deref())?;
    let mappings = cx.all::<Mapping>(&[&key])?;
    let wish = listing::Wish { position: input.position.as_deref(), limit: input.limit };
    let list = format!("domainnames/{key}/basepathmappings");
    // The root sorts first; an empty place would be none.
    let page = listing::page(cx, &list, mappings, |mapping| format!("/{}", mapping.path), &wish)?;
    let items = page.items.into_iter().map(answered).collect();
    Ok(BasePathMappings { items: Some(items), position: page.next })
}

/// `PATCH /domainnames/{domain_name}/basepathmappings/{base_path}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateBasePathMapping.html>
pub fn update_base_path_mapping(
    cx: &mut Cx<'_>,
    input: UpdateBasePathMappingRequest,
) -> Result<BasePathMapping> {
    let (key, domain) = domain_name::existing(cx, &input.domain_name, input.domain_name_id.as_deref())?;
    let old = existing(cx, &key, &input.base_path)?;
    let mapping = PATCHES.apply(&old, input.patch_operations.as_deref())?;
    if mapping.path != old.path {
        check_path(&mapping.path)?;
    }
    store(cx, &key, &domain, mapping)
}

/// `DELETE /domainnames/{domain_name}/basepathmappings/{base_path}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteBasePathMapping.html>
pub fn delete_base_path_mapping(cx: &mut Cx<'_>, input: DeleteBasePathMappingRequest) -> Result<()> {
    let (key, _) = domain_name::existing(cx, &input.domain_name, input.domain_name_id.as_deref())?;
    let mapping = existing(cx, &key, &input.base_path)?;
    cx.delete::<Mapping>(&[&key, &mapping.id])
}

fn existing(cx: &mut Cx<'_>, domain: &str, base_path: &str) -> Result<Mapping> {
    let path = path_of(base_path);
    let found = cx.all::<Mapping>(&[domain])?.into_iter().find(|mapping| mapping.path == path);
    found.ok_or_else(messages::no_base_path_mapping)
}

fn answered(mapping: Mapping) -> BasePathMapping {
    let path = if mapping.path.is_empty() { ROOT.to_owned() } else { mapping.path };
    BasePathMapping { base_path: Some(path), rest_api_id: Some(mapping.api_id), stage: mapping.stage }
}

/// A base path as it is stored.
fn path_of(base_path: &str) -> &str {
    if base_path == ROOT { "" } else { base_path }
}

// === Rules that hold after every change ===

fn store(cx: &mut Cx<'_>, key: &str, domain: &DomainName, mapping: Mapping) -> Result<BasePathMapping> {
    let others: Vec<_> =
        cx.all::<Mapping>(&[key])?.into_iter().filter(|other| other.id != mapping.id).collect();
    if others.iter().any(|other| other.path == mapping.path) {
        return Err(match mapping.path.is_empty() {
            true => messages::empty_base_path_taken(),
            false => messages::base_path_taken(),
        });
    }
    check_target(cx, domain, &mapping)?;
    for other in others {
        if is_websocket(cx, &other.api_id)? {
            return Err(messages::websocket_shares_no_domain());
        }
    }
    cx.put(&[key, &mapping.id], &mapping)?;
    Ok(answered(mapping))
}

/// One segment; the other generation of the service takes more.
fn check_path(path: &str) -> Result<()> {
    if path.contains('/') {
        return Err(messages::base_path_has_slash());
    }
    match path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"$-_.+!*'()".contains(&byte)) {
        true => Ok(()),
        false => Err(messages::bad_base_path()),
    }
}

fn check_target(cx: &mut Cx<'_>, domain: &DomainName, mapping: &Mapping) -> Result<()> {
    let api = cx.get::<RestApi>(&[&mapping.api_id])?.ok_or_else(messages::mapped_api_unknown)?;
    if let Some(stage) = &mapping.stage
        && !cx.exists::<Stage>(&[&mapping.api_id, stage])?
    {
        return Err(messages::mapped_stage_unknown());
    }
    let types = api.endpoint_configuration.and_then(|endpoint| endpoint.types).unwrap_or_default();
    match types.contains(&EndpointType::Private) == is_private(domain) {
        true => Ok(()),
        false => Err(messages::private_maps_private()),
    }
}

fn is_websocket(cx: &mut Cx<'_>, api: &str) -> Result<bool> {
    let api = cx.get::<Api>(&[api])?;
    Ok(api.is_some_and(|api| api.protocol_type == Some(ProtocolType::Websocket)))
}

// === Patches ===

const PATCHES: Table<Mapping> = Table { refuse: refuse_second_generation, rows: &[ROWS] };

/// The reference spells two of the paths in small letters, clients as the members are called.
const ROWS: &[Row<Mapping>] = &[
    Row { path: "/basePath", ops: &[Op::Replace], apply: patch_path },
    Row { path: "/basepath", ops: &[Op::Replace], apply: patch_path },
    Row { path: "/restapiId", ops: &[Op::Replace], apply: patch_api },
    Row { path: "/restApiId", ops: &[Op::Replace], apply: patch_api },
    Row { path: "/stage", ops: &[Op::Replace], apply: patch_stage },
];

fn patch_path(mapping: &mut Mapping, change: &Change<'_>) -> Result<()> {
    mapping.path = path_of(change.value.unwrap_or_default()).to_owned();
    Ok(())
}

fn patch_api(mapping: &mut Mapping, change: &Change<'_>) -> Result<()> {
    mapping.api_id = change.value_or_empty();
    Ok(())
}

/// Without a stage the path names it.
fn patch_stage(mapping: &mut Mapping, change: &Change<'_>) -> Result<()> {
    mapping.stage = change.text();
    Ok(())
}
