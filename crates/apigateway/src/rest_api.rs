//! REST APIs themselves: `CreateRestApi`, `GetRestApi`, `GetRestApis`, `UpdateRestApi`, `DeleteRestApi`.
//!
//! Not here: import and export of definitions; endpoint configurations ([`crate::endpoint`]) and resource policies
//! ([`crate::policy`]), which have rules of their own.

use stagedoor_api::apigateway::{
    ApiKeySourceType, Authorizer, CreateRestApiRequest, DeleteRestApiRequest, Deployment, DocumentationPart,
    EndpointAccessMode, GatewayResponse, GetRestApiRequest, GetRestApisRequest, Model, Op, RequestValidator,
    Resource, RestApi, RestApis, SecurityPolicy, Stage, UpdateRestApiRequest,
};
use stagedoor_model::Timestamp;
use stagedoor_state::page::oldest_first;
use stagedoor_state::rest::{CacheEpoch, DocumentationVersion, Snapshot};
use stagedoor_state::{Cx, Fault, Kind, Result, domain, tags};

use crate::patch::{ADD_REPLACE_REMOVE, Change, Refused, Row, Table, refuse_second_generation};
use crate::{endpoint, listing, messages, model, policy, quota, resource, tags as tagging, usage_plan};

/// Characters of an API's id and of its root resource's.
const ID_LENGTH: usize = 10;
/// Bytes that `minimumCompressionSize` may be.
const COMPRESSION_SIZE_MAX: i64 = 10_485_760;

/// `POST /restapis`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_CreateRestApi.html>
pub fn create_rest_api(cx: &mut Cx<'_>, input: CreateRestApiRequest) -> Result<RestApi> {
    let model = match &input.clone_from {
        Some(id) => Some(existing(cx, id)?),
        None => None,
    };
    let api = new_api(cx, input, model.as_ref())?;
    let id = api.id.as_deref().unwrap_or_default();
    let root = api.root_resource_id.as_deref().unwrap_or_default();
    match model.and_then(|model| model.id) {
        Some(model) => clone_all(cx, &model, id, root)?,
        None => {
            resource::put_root(cx, id, root)?;
            model::put_defaults(cx, id)?;
        }
    }
    cx.put(&[id], &api)?;
    let tags = api.tags.clone();
    Ok(RestApi { tags, ..answered(api) })
}

/// `GET /restapis/{restapi_id}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetRestApi.html>
pub fn get_rest_api(cx: &mut Cx<'_>, input: GetRestApiRequest) -> Result<RestApi> {
    existing(cx, &input.rest_api_id).map(answered)
}

/// `GET /restapis`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetRestApis.html>
pub fn get_rest_apis(cx: &mut Cx<'_>, input: GetRestApisRequest) -> Result<RestApis> {
    let apis = cx.all::<RestApi>(&[])?;
    let wish = listing::Wish { position: input.position.as_deref(), limit: input.limit };
    let page = listing::page(cx, "restapis", apis, place, &wish)?;
    // Unlike elsewhere, empty tags are left out.
    let items =
        page.items.into_iter().map(|api| RestApi { tags: api.tags.clone(), ..answered(api) }).collect();
    Ok(RestApis { items: Some(items), position: page.next })
}

/// `PATCH /restapis/{restapi_id}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateRestApi.html>
pub fn update_rest_api(cx: &mut Cx<'_>, input: UpdateRestApiRequest) -> Result<RestApi> {
    let id = input.rest_api_id.as_str();
    let old = existing(cx, id)?;
    let mut api = PATCHES.apply(&old, input.patch_operations.as_deref())?;
    endpoint::check(&api.endpoint_configuration.clone().unwrap_or_default())?;
    if api.policy != old.policy {
        api.policy = policy::stored(cx, id, api.policy.as_deref())?;
    }
    cx.put(&[id], &api)?;
    Ok(answered(api))
}

/// `DELETE /restapis/{restapi_id}`: the API and everything below it, unless a custom domain name leads to it.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteRestApi.html>
pub fn delete_rest_api(cx: &mut Cx<'_>, input: DeleteRestApiRequest) -> Result<()> {
    let id = input.rest_api_id.as_str();
    existing(cx, id)?;
    if domain::is_mapped(cx, id)? {
        return Err(messages::api_is_mapped(id));
    }
    usage_plan::forget_stages(cx, id, None)?;
    cx.delete_all::<Stage>(&[id])?;
    cx.delete_all::<Deployment>(&[id])?;
    cx.delete_all::<Snapshot>(&[id])?;
    cx.delete_all::<Resource>(&[id])?;
    cx.delete_all::<Model>(&[id])?;
    cx.delete_all::<Authorizer>(&[id])?;
    cx.delete_all::<RequestValidator>(&[id])?;
    cx.delete_all::<GatewayResponse>(&[id])?;
    cx.delete_all::<DocumentationPart>(&[id])?;
    cx.delete_all::<DocumentationVersion>(&[id])?;
    cx.delete_all::<CacheEpoch>(&[id])?;
    cx.delete::<RestApi>(&[id])
}

/// The API of that id. Ids are case-sensitive.
pub fn existing(cx: &mut Cx<'_>, id: &str) -> Result<RestApi> {
    cx.get(&[id])?.ok_or_else(|| messages::no_api(cx.account(), id))
}

/// Get, update and put answers show tags even where there are none; creating and listing do not. What is stored of the
/// creation is more exact than a second, because APIs are listed oldest first.
pub fn answered(api: RestApi) -> RestApi {
    RestApi {
        created_date: api.created_date.map(Timestamp::whole_seconds),
        policy: api.policy.as_deref().map(policy::answered),
        tags: Some(api.tags.unwrap_or_default()),
        ..api
    }
}

/// The rules for an API that a definition changed.
pub fn check(api: &RestApi) -> Result<()> {
    check_compression_size(api.minimum_compression_size)?;
    api.tags.as_ref().map_or(Ok(()), tagging::check)?;
    endpoint::check(&api.endpoint_configuration.clone().unwrap_or_default())
}

fn check_compression_size(size: Option<i64>) -> Result<()> {
    match size.is_some_and(|size| !(0..=COMPRESSION_SIZE_MAX).contains(&size)) {
        true => Err(messages::bad_compression_size()),
        false => Ok(()),
    }
}

fn place(api: &RestApi) -> String {
    let created = api.created_date.unwrap_or_default().as_micros();
    oldest_first(created, api.id.as_deref().unwrap_or_default())
}

// === Creating ===

/// The new API. What is not said comes from `model`, the API that it is cloned from, if there is one.
pub fn new_api(cx: &mut Cx<'_>, input: CreateRestApiRequest, model: Option<&RestApi>) -> Result<RestApi> {
    let model = model.cloned().unwrap_or_default();
    if input.description.as_deref() == Some("") {
        return Err(messages::description_empty());
    }
    check_compression_size(input.minimum_compression_size)?;
    let endpoint = endpoint::configured(input.endpoint_configuration.or(model.endpoint_configuration))?;
    if let Some(tags) = &input.tags {
        tagging::check(tags)?;
    }
    for kind in endpoint.types.iter().flatten() {
        quota::check_api(cx, *kind)?;
    }
    let id = new_id(cx, input.tags.as_ref())?;
    let policy = policy::stored(cx, &id, input.policy.as_deref())?;
    Ok(RestApi {
        root_resource_id: Some(cx.new_id(ID_LENGTH)),
        created_date: Some(cx.now()),
        id: Some(id),
        name: Some(input.name),
        description: input.description.or(model.description),
        version: input.version.or(model.version),
        api_key_source: Some(input.api_key_source.or(model.api_key_source).unwrap_or_default()),
        binary_media_types: input
            .binary_media_types
            .or(model.binary_media_types)
            .filter(|types| !types.is_empty()),
        minimum_compression_size: input.minimum_compression_size.or(model.minimum_compression_size),
        endpoint_configuration: Some(endpoint),
        disable_execute_api_endpoint: Some(input.disable_execute_api_endpoint.unwrap_or_default()),
        endpoint_access_mode: input.endpoint_access_mode,
        security_policy: input.security_policy,
        policy,
        tags: input.tags.filter(|tags| !tags.is_empty()),
        ..RestApi::default()
    })
}

/// Stores copies of all that the API `from` consists of. What methods refer to keeps its id.
fn clone_all(cx: &mut Cx<'_>, from: &str, to: &str, root: &str) -> Result<()> {
    resource::clone_all(cx, from, to, root)?;
    model::clone_all(cx, from, to)?;
    clone_kind::<Authorizer>(cx, from, to)?;
    clone_kind::<RequestValidator>(cx, from, to)?;
    clone_kind::<GatewayResponse>(cx, from, to)?;
    clone_kind::<DocumentationPart>(cx, from, to)
}

fn clone_kind<T: Kind>(cx: &mut Cx<'_>, from: &str, to: &str) -> Result<()> {
    for (ids, document) in cx.list::<T>(&[from])? {
        let ids: Vec<_> = std::iter::once(to).chain(ids.iter().map(String::as_str)).collect();
        cx.put(&ids, &document)?;
    }
    Ok(())
}

/// The id that a tag chose, or a random one. A chosen id has AWS's form: host names know no upper case.
fn new_id(cx: &mut Cx<'_>, given: Option<&tags::Tags>) -> Result<String> {
    let lower_case = |id: &&str| !id.bytes().any(|byte| byte.is_ascii_uppercase());
    let Some(id) = tags::chosen_id(given).filter(lower_case) else { return Ok(cx.new_id(ID_LENGTH)) };
    if cx.exists::<RestApi>(&[id])? {
        return Err(messages::chosen_id_taken(id));
    }
    Ok(id.to_owned())
}

// === Patches ===

const PATCHES: Table<RestApi> = Table { refuse, rows: &[ROWS] };

const ROWS: &[Row<RestApi>] = &[
    Row { path: "/name", ops: &[Op::Replace], apply: patch_name },
    Row { path: "/description", ops: ADD_REPLACE_REMOVE, apply: patch_description },
    Row { path: "/apiKeySource", ops: &[Op::Replace], apply: patch_api_key_source },
    Row { path: "/disableExecuteApiEndpoint", ops: &[Op::Replace], apply: patch_disable_endpoint },
    Row { path: "/minimumCompressionSize", ops: &[Op::Replace], apply: patch_compression_size },
    Row { path: "/policy", ops: &[Op::Replace], apply: patch_policy },
    Row { path: "/securityPolicy", ops: &[Op::Replace], apply: patch_security_policy },
    Row { path: "/endpointAccessMode", ops: &[Op::Replace], apply: patch_access_mode },
    Row { path: "/binaryMediaTypes/{}", ops: ADD_REPLACE_REMOVE, apply: patch_media_type },
    Row { path: TYPES, ops: ADD_REPLACE_REMOVE, apply: endpoint::patch_type },
    Row {
        path: "/endpointConfiguration/ipAddressType",
        ops: &[Op::Replace],
        apply: endpoint::patch_ip_address_type,
    },
    Row {
        path: "/endpointConfiguration/vpcEndpointIds",
        ops: &[Op::Add, Op::Remove],
        apply: endpoint::patch_vpc_endpoint_ids,
    },
];

const TYPES: &str = "/endpointConfiguration/types/{}";

/// Endpoint types have words of their own.
fn refuse(table: &Table<RestApi>, refused: &Refused<'_>) -> Fault {
    if refused.ops.is_some() && refused.path.starts_with("/endpointConfiguration/types/") {
        return messages::bad_request("Invalid patch operation specified. Must be 'add'|'remove'|'replace'");
    }
    refuse_second_generation(table, refused)
}

fn patch_name(api: &mut RestApi, change: &Change<'_>) -> Result<()> {
    api.name = Some(change.value_or_empty());
    Ok(())
}

fn patch_description(api: &mut RestApi, change: &Change<'_>) -> Result<()> {
    api.description = if change.op == Op::Remove { None } else { change.text() };
    Ok(())
}

fn patch_api_key_source(api: &mut RestApi, change: &Change<'_>) -> Result<()> {
    let source = change.value.and_then(ApiKeySourceType::parse);
    api.api_key_source =
        Some(source.ok_or_else(|| messages::bad_option("ApiKeySource", "HEADER,AUTHORIZER"))?);
    Ok(())
}

fn patch_disable_endpoint(api: &mut RestApi, change: &Change<'_>) -> Result<()> {
    api.disable_execute_api_endpoint = Some(change.flag());
    Ok(())
}

/// An empty or missing value switches compression off.
fn patch_compression_size(api: &mut RestApi, change: &Change<'_>) -> Result<()> {
    let size = change.text().map(|size| size.parse::<i64>()).transpose();
    let size = size.map_err(|_| messages::bad_compression_size())?;
    check_compression_size(size)?;
    api.minimum_compression_size = size;
    Ok(())
}

fn patch_policy(api: &mut RestApi, change: &Change<'_>) -> Result<()> {
    api.policy = change.text();
    Ok(())
}

fn patch_security_policy(api: &mut RestApi, change: &Change<'_>) -> Result<()> {
    let policy = change.value.and_then(SecurityPolicy::parse);
    api.security_policy = Some(policy.ok_or_else(|| messages::bad_setting(change.path, change.value))?);
    Ok(())
}

fn patch_access_mode(api: &mut RestApi, change: &Change<'_>) -> Result<()> {
    let mode = change.value.and_then(EndpointAccessMode::parse);
    api.endpoint_access_mode =
        Some(mode.ok_or_else(|| messages::bad_option("EndpointAccessMode", "BASIC,STRICT"))?);
    Ok(())
}

/// Media types are a set. The path names the type; only `replace` looks at the value, which it appends.
fn patch_media_type(api: &mut RestApi, change: &Change<'_>) -> Result<()> {
    let named = change.token(0);
    let mut types = api.binary_media_types.take().unwrap_or_default();
    let new = match change.op {
        Op::Remove => None,
        Op::Replace => change.text(),
        _ => Some(named.clone()),
    };
    types.retain(|old| *old != named && Some(old) != new.as_ref());
    types.extend(new);
    api.binary_media_types = Some(types).filter(|types| !types.is_empty());
    Ok(())
}
