//! OpenAPI 3.0: importing an HTTP API from a definition and exporting it as one.
//!
//! `read` turns a definition into what an API consists of and notes what it had to leave out; `write` turns an
//! API into a definition. The two directions of what AWS adds to OpenAPI stand side by side, in
//! `integration_extension` and `security_scheme`. All of those are pure; only this file stores anything.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-open-api.html>

mod base_path;
mod integration_extension;
mod notes;
mod read;
mod security_scheme;
mod write;

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value as Json;
use stagedoor_api::apigatewayv2::{
    Api, Authorizer, ExportApiRequest, ExportApiResponse, ExportOutputType, ImportApiRequest, Integration,
    ProtocolType, ReimportApiRequest, Route, RouteResponse,
};
use stagedoor_state::http::Snapshot;
use stagedoor_state::{Cx, Result, definition};

use crate::merge::present;
use crate::{api, authorizer, deploy, integration, limits, messages, route, stage, tagging};
use base_path::BasePathMode;
use read::Definition;

/// The only version of exports that there is.
const EXPORT_VERSION: &str = "1.0";

/// `PUT /v2/apis`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html#ImportApi>
pub fn import_api(cx: &mut Cx<'_>, input: ImportApiRequest) -> Result<Api> {
    let definition = read(cx, &input.body, input.basepath, input.fail_on_warnings)?;
    tagging::check(definition.api.tags.as_ref())?;
    let id = api::new_id(cx, definition.api.tags.as_ref())?;
    let api = Api {
        api_id: Some(id.clone()),
        created_date: Some(cx.now().whole_seconds()),
        ..api::http_defaults(definition.api.clone())
    };
    api::check(&api)?;
    cx.put(&[&id], &api)?;
    store(cx, &api, &definition)?;
    Ok(answer(cx, api, definition))
}

/// `PUT /v2/apis/{apiId}`: the definition replaces the API's routes, integrations and authorizers. Its stages and
/// its id stay, and so do the ids of routes and authorizers that are there before and after.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid.html#ReimportApi>
pub fn reimport_api(cx: &mut Cx<'_>, input: ReimportApiRequest) -> Result<Api> {
    let before = http_api(cx, &input.api_id)?;
    let definition = read(cx, &input.body, input.basepath, input.fail_on_warnings)?;
    tagging::check(definition.api.tags.as_ref())?;
    let imported = definition.api.clone();
    let api = Api {
        api_id: before.api_id,
        created_date: before.created_date,
        tags: imported.tags.clone().or(before.tags),
        ..api::http_defaults(imported)
    };
    api::check(&api)?;
    cx.put(&[&input.api_id], &api)?;
    store(cx, &api, &definition)?;
    deploy::after_change(cx, &input.api_id)?;
    Ok(answer(cx, api, definition))
}

/// `GET /v2/apis/{apiId}/exports/{specification}`: the API as it is, or as a stage serves it.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-exports-specification.html#ExportApi>
pub fn export_api(cx: &mut Cx<'_>, input: ExportApiRequest) -> Result<ExportApiResponse> {
    let api = http_api(cx, &input.api_id)?;
    if input.export_version.is_some_and(|version| version != EXPORT_VERSION) {
        return Err(messages::export_version_invalid(EXPORT_VERSION));
    }
    let stage = present(input.stage_name);
    let snapshot = match &stage {
        Some(name) => deployed(cx, &input.api_id, name)?,
        None => deploy::snapshot(cx, &api)?,
    };
    let server = write::Server { url: api::endpoint(cx, &api), stage };
    let definition = write::definition(&snapshot, &server, input.include_extensions.unwrap_or(true));
    let text = match input.output_type {
        ExportOutputType::Json => definition::write_json(&definition),
        ExportOutputType::Yaml => definition::write_yaml(&definition),
    };
    Ok(ExportApiResponse { body: Some(Bytes::from(text)) })
}

/// What a stage serves.
fn deployed(cx: &mut Cx<'_>, api_id: &str, name: &str) -> Result<Snapshot> {
    let stage = stage::existing(cx, api_id, name)?;
    let deployment = stage.deployment_id.ok_or_else(messages::deployment_id_unknown)?;
    cx.get(&[api_id, &deployment])?.ok_or_else(messages::deployment_id_unknown)
}

fn http_api(cx: &mut Cx<'_>, id: &str) -> Result<Api> {
    let api = api::existing(cx, id)?;
    match api::protocol(&api) {
        ProtocolType::Http => Ok(api),
        ProtocolType::Websocket => Err(messages::definitions_http_only()),
    }
}

fn read(
    cx: &Cx<'_>,
    body: &str,
    base_path: Option<String>,
    fail_on_warnings: Option<bool>,
) -> Result<Definition> {
    let mode = BasePathMode::parse(base_path.as_deref())?;
    let text = definition::with_variables(body, cx.region(), cx.account());
    let root = definition::read(&text).ok_or_else(messages::definition_invalid)?;
    let definition = read::definition(&Json::Object(root), mode)?;
    match fail_on_warnings == Some(true) && !definition.notes.warnings.is_empty() {
        true => Err(messages::import_warnings(&definition.notes.warnings)),
        false => Ok(definition),
    }
}

/// Stores what the definition says in place of what the API had.
fn store(cx: &mut Cx<'_>, of: &Api, definition: &Definition) -> Result<()> {
    check_quotas(definition)?;
    let api_id = api::id(of);
    let route_ids = ids(cx.all::<Route>(&[api_id])?, |route| (route.route_key, route.route_id));
    let authorizer_ids =
        ids(cx.all::<Authorizer>(&[api_id])?, |authorizer| (authorizer.name, authorizer.authorizer_id));
    cx.delete_all::<RouteResponse>(&[api_id])?;
    cx.delete_all::<Route>(&[api_id])?;
    cx.delete_all::<Integration>(&[api_id])?;
    cx.delete_all::<Authorizer>(&[api_id])?;

    let mut integrations = Vec::new();
    for integration in &definition.integrations {
        let id = cx.new_id(integration::ID_LENGTH);
        let integration = Integration { integration_id: Some(id.clone()), ..integration.clone() };
        cx.put(&[api_id, &id], &integration)?;
        integrations.push(id);
    }
    let mut authorizers = BTreeMap::new();
    for authorizer in &definition.authorizers {
        let name = authorizer.name.clone().unwrap_or_default();
        let kept = authorizer_ids.get(&name).cloned();
        let id = kept.unwrap_or_else(|| cx.new_id(authorizer::ID_LENGTH));
        let authorizer = Authorizer { authorizer_id: Some(id.clone()), ..authorizer.clone() };
        cx.put(&[api_id, &id], &authorizer)?;
        authorizers.insert(name, id);
    }
    for planned in &definition.routes {
        let key = planned.route.route_key.clone().unwrap_or_default();
        let id = route_ids.get(&key).cloned().unwrap_or_else(|| cx.new_id(route::ID_LENGTH));
        let target = planned.integration.map(|at| format!("{}{}", route::TARGET_PREFIX, integrations[at]));
        let authorizer_id = planned.authorizer.as_ref().and_then(|name| authorizers.get(name)).cloned();
        let route = Route { route_id: Some(id.clone()), target, authorizer_id, ..planned.route.clone() };
        cx.put(&[api_id, &id], &route)?;
    }
    Ok(())
}

fn check_quotas(definition: &Definition) -> Result<()> {
    let quotas = [
        (definition.integrations.len(), limits::INTEGRATIONS_MAX, "Integrations"),
        (definition.authorizers.len(), limits::AUTHORIZERS_MAX, "Authorizers"),
        (definition.routes.len(), limits::ROUTES_MAX, "Routes"),
    ];
    match quotas.iter().find(|(count, most, _)| count > most) {
        Some((_, _, what)) => Err(messages::too_many(what)),
        None => Ok(()),
    }
}

/// Ids by what names the same thing in definitions.
fn ids<T>(
    items: Vec<T>,
    name_and_id: impl Fn(T) -> (Option<String>, Option<String>),
) -> BTreeMap<String, String> {
    let pairs = items.into_iter().map(name_and_id);
    pairs.filter_map(|(name, id)| Some((name?, id?))).collect()
}

/// The API with what there is to say about its definition, which is answered once and not stored.
fn answer(cx: &Cx<'_>, api: Api, definition: Definition) -> Api {
    let mut answer = api::answer(cx, api);
    answer.import_info = Some(definition.notes.infos).filter(|infos| !infos.is_empty());
    answer.warnings = Some(definition.notes.warnings).filter(|warnings| !warnings.is_empty());
    answer
}
