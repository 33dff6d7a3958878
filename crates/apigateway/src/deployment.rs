//! Deployments, an API as it was at one moment: `CreateDeployment`, `GetDeployment`, `GetDeployments`,
//! `UpdateDeployment`, `DeleteDeployment`.
//!
//! What was deployed is a [`Snapshot`] beside the deployment, which the data plane reads and nothing changes.

use std::collections::BTreeMap;

use stagedoor_api::apigateway::{
    CreateDeploymentRequest, DeleteDeploymentRequest, Deployment, Deployments, GetDeploymentRequest,
    GetDeploymentsRequest, Method, MethodSnapshot, Op, Resource, RestApi, Stage, UpdateDeploymentRequest,
};
use stagedoor_state::page::newest_first;
use stagedoor_state::rest::Snapshot;
use stagedoor_state::{Cx, Result};

use crate::patch::{Change, Row, Table, refuse_second_generation};
use crate::{listing, messages, rest_api, stage};

/// Characters of a deployment's id.
const ID_LENGTH: usize = 6;

/// `POST /restapis/{restapi_id}/deployments`; with `stageName` the stage is created or pointed to the deployment.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_CreateDeployment.html>
pub fn create_deployment(cx: &mut Cx<'_>, input: CreateDeploymentRequest) -> Result<Deployment> {
    let api_id = input.rest_api_id.as_str();
    let api = rest_api::existing(cx, api_id)?;
    let resources = cx.all::<Resource>(&[api_id])?;
    check_deployable(&resources)?;
    let deployment = Deployment {
        id: Some(cx.new_id(ID_LENGTH)),
        created_date: Some(cx.now().whole_seconds()),
        description: input.description.clone().filter(|description| !description.is_empty()),
        api_summary: None,
    };
    let id = deployment.id.as_deref().unwrap_or_default();
    cx.put(&[api_id, id], &deployment)?;
    let snapshot = snapshot(cx, api, resources)?;
    cx.put(&[api_id, id], &snapshot)?;
    stage::deploy(cx, id, input)?;
    Ok(deployment)
}

/// `GET /restapis/{restapi_id}/deployments/{deployment_id}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetDeployment.html>
pub fn get_deployment(cx: &mut Cx<'_>, input: GetDeploymentRequest) -> Result<Deployment> {
    let (api, id) = (input.rest_api_id.as_str(), input.deployment_id.as_str());
    let mut deployment = existing(cx, api, id)?;
    let embed = input.embed.unwrap_or_default();
    if embed.iter().any(|embed| embed.eq_ignore_ascii_case("apisummary")) {
        let snapshot = cx.get::<Snapshot>(&[api, id])?.unwrap_or_default();
        deployment.api_summary = Some(summary(&snapshot));
    }
    Ok(deployment)
}

/// `GET /restapis/{restapi_id}/deployments`, newest first; AWS promises no order.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetDeployments.html>
pub fn get_deployments(cx: &mut Cx<'_>, input: GetDeploymentsRequest) -> Result<Deployments> {
    let api = input.rest_api_id.as_str();
    rest_api::existing(cx, api)?;
    let deployments = cx.all::<Deployment>(&[api])?;
    let wish = listing::Wish { position: input.position.as_deref(), limit: input.limit };
    let order = |deployment: &Deployment| {
        let created = deployment.created_date.unwrap_or_default().as_micros();
        newest_first(created, deployment.id.as_deref().unwrap_or_default())
    };
    let page = listing::page(cx, &format!("deployments {api}"), deployments, order, &wish)?;
    Ok(Deployments { items: Some(page.items), position: page.next })
}

/// `PATCH /restapis/{restapi_id}/deployments/{deployment_id}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateDeployment.html>
pub fn update_deployment(cx: &mut Cx<'_>, input: UpdateDeploymentRequest) -> Result<Deployment> {
    let (api, id) = (input.rest_api_id.as_str(), input.deployment_id.as_str());
    let old = existing(cx, api, id)?;
    let deployment = PATCHES.apply(&old, input.patch_operations.as_deref())?;
    cx.put(&[api, id], &deployment)?;
    Ok(deployment)
}

/// `DELETE /restapis/{restapi_id}/deployments/{deployment_id}`, unless a stage or its canary uses it.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteDeployment.html>
pub fn delete_deployment(cx: &mut Cx<'_>, input: DeleteDeploymentRequest) -> Result<()> {
    let (api, id) = (input.rest_api_id.as_str(), input.deployment_id.as_str());
    existing(cx, api, id)?;
    let uses = |stage: &Stage| {
        let canary = stage.canary_settings.as_ref().and_then(|canary| canary.deployment_id.as_deref());
        stage.deployment_id.as_deref() == Some(id) || canary == Some(id)
    };
    if cx.all::<Stage>(&[api])?.iter().any(uses) {
        return Err(messages::deployment_in_use());
    }
    cx.delete::<Snapshot>(&[api, id])?;
    cx.delete::<Deployment>(&[api, id])
}

/// The API as it is now.
pub(crate) fn snapshot(cx: &mut Cx<'_>, api: RestApi, resources: Vec<Resource>) -> Result<Snapshot> {
    let id = api.id.clone().unwrap_or_default();
    Ok(Snapshot {
        api,
        resources,
        models: cx.all(&[&id])?,
        request_validators: cx.all(&[&id])?,
        authorizers: cx.all(&[&id])?,
        gateway_responses: cx.all(&[&id])?,
    })
}

fn existing(cx: &mut Cx<'_>, api: &str, id: &str) -> Result<Deployment> {
    cx.get(&[api, id])?.ok_or_else(messages::no_deployment)
}

/// Only an API with methods can be deployed, and each of them must have an integration.
fn check_deployable(resources: &[Resource]) -> Result<()> {
    let mut methods = resources.iter().flat_map(methods_of).peekable();
    if methods.peek().is_none() {
        return Err(messages::no_methods());
    }
    match methods.all(|(_, method)| method.method_integration.is_some()) {
        true => Ok(()),
        false => Err(messages::method_without_integration()),
    }
}

fn methods_of(resource: &Resource) -> impl Iterator<Item = (&String, &Method)> {
    resource.resource_methods.iter().flatten()
}

/// What `embed=apisummary` shows: methods by path and verb.
fn summary(snapshot: &Snapshot) -> BTreeMap<String, BTreeMap<String, MethodSnapshot>> {
    let mut summary = BTreeMap::new();
    for resource in &snapshot.resources {
        let methods: BTreeMap<_, _> =
            methods_of(resource).map(|(verb, method)| (verb.clone(), brief(method))).collect();
        if !methods.is_empty() {
            summary.insert(resource.path.clone().unwrap_or_default(), methods);
        }
    }
    summary
}

fn brief(method: &Method) -> MethodSnapshot {
    MethodSnapshot {
        api_key_required: method.api_key_required,
        authorization_type: method.authorization_type.clone(),
    }
}

// === Patches ===

const PATCHES: Table<Deployment> = Table {
    refuse: refuse_second_generation,
    rows: &[&[Row { path: "/description", ops: &[Op::Replace], apply: patch_description }]],
};

fn patch_description(deployment: &mut Deployment, change: &Change<'_>) -> Result<()> {
    deployment.description = change.text();
    Ok(())
}
