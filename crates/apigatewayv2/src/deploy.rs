//! Deploying: freezing an API into a snapshot that its stages serve.
//!
//! A deployment is made by `CreateDeployment`, or by itself after every change of an API that has a stage with
//! auto deploy. The second kind would pile up: once no stage serves such a deployment, it is deleted at the next
//! one. The one just superseded stays, so that whoever reads a stage a moment late still finds its snapshot.

use std::collections::{BTreeMap, BTreeSet};

use stagedoor_api::apigatewayv2::{
    Api, Deployment, DeploymentStatus, IntegrationResponse, RouteResponse, Stage,
};
use stagedoor_state::http::Snapshot;
use stagedoor_state::{Cx, Kind, Result};

use crate::{api, messages};

const ID_LENGTH: usize = 6;

/// The description of deployments that nobody asked for.
const AUTOMATIC: &str = "Automatic deployment triggered by changes to the Api configuration";

/// Deploys an API that has just changed to those of its stages that deploy by themselves.
///
/// Every operation that changes an API, its integrations, routes or what belongs to those ends with this.
pub fn after_change(cx: &mut Cx<'_>, api_id: &str) -> Result<()> {
    let mut automatic = cx.all::<Stage>(&[api_id])?;
    automatic.retain(|stage| stage.auto_deploy == Some(true));
    if automatic.is_empty() {
        return Ok(());
    }
    let api = api::existing(cx, api_id)?;
    stages(cx, &api, automatic)
}

/// Deploys the API by itself to these stages, which are stored whether that succeeds or not.
pub fn stages(cx: &mut Cx<'_>, of: &Api, stages: Vec<Stage>) -> Result<()> {
    let snapshot = snapshot(cx, of)?;
    let superseded: BTreeSet<String> =
        stages.iter().filter_map(|stage| stage.deployment_id.clone()).collect();
    let deployment = match snapshot.routes.is_empty() {
        true => None,
        false => Some(store(cx, &snapshot, Some(AUTOMATIC.to_owned()), true)?),
    };
    for mut stage in stages {
        point(&mut stage, deployment.as_ref());
        stage.last_updated_date = Some(cx.now().whole_seconds());
        cx.put(&[api::id(of), stage.stage_name.as_deref().unwrap_or_default()], &stage)?;
    }
    trim(cx, api::id(of), &superseded)
}

/// Freezes the API and stores that as a new deployment. No stage serves it yet.
///
/// # Errors
/// BadRequestException if the API has no routes.
pub fn create(cx: &mut Cx<'_>, of: &Api, description: Option<String>) -> Result<Deployment> {
    let snapshot = snapshot(cx, of)?;
    if snapshot.routes.is_empty() {
        return Err(messages::no_routes());
    }
    store(cx, &snapshot, description, false)
}

fn store(
    cx: &mut Cx<'_>,
    snapshot: &Snapshot,
    description: Option<String>,
    automatic: bool,
) -> Result<Deployment> {
    let id = cx.new_id(ID_LENGTH);
    let deployment = Deployment {
        auto_deployed: Some(automatic),
        created_date: Some(cx.now().whole_seconds()),
        deployment_id: Some(id.clone()),
        deployment_status: Some(DeploymentStatus::Deployed),
        description,
        ..Deployment::default()
    };
    let ids = &[api::id(&snapshot.api), id.as_str()];
    cx.put(ids, snapshot)?;
    cx.put(ids, &deployment)?;
    Ok(deployment)
}

/// Lets a stage serve a deployment, or say why there is none; then it goes on serving what it served.
fn point(stage: &mut Stage, deployment: Option<&Deployment>) {
    let id = deployment.and_then(|deployment| deployment.deployment_id.clone());
    stage.last_deployment_status_message = Some(match &id {
        Some(id) => messages::deployed(id),
        None => format!("{}{}", messages::DEPLOYMENT_FAILED, messages::NO_ROUTES),
    });
    if id.is_some() {
        stage.deployment_id = id;
    }
}

/// The API as it is now.
pub fn snapshot(cx: &mut Cx<'_>, of: &Api) -> Result<Snapshot> {
    let id = &[api::id(of)];
    Ok(Snapshot {
        api: of.clone(),
        integrations: cx.all(id)?,
        routes: cx.all(id)?,
        integration_responses: by_parent::<IntegrationResponse>(cx, id)?,
        route_responses: by_parent::<RouteResponse>(cx, id)?,
        authorizers: cx.all(id)?,
        models: cx.all(id)?,
    })
}

fn by_parent<T: Kind>(cx: &mut Cx<'_>, api: &[&str]) -> Result<BTreeMap<String, Vec<T>>> {
    let mut families = BTreeMap::<String, Vec<T>>::new();
    for (ids, child) in cx.list::<T>(api)? {
        let parent = ids.into_iter().next().unwrap_or_default();
        families.entry(parent).or_default().push(child);
    }
    Ok(families)
}

/// Deletes deployments that were made by themselves and that no stage serves, except those in `keep`.
fn trim(cx: &mut Cx<'_>, api_id: &str, keep: &BTreeSet<String>) -> Result<()> {
    let stages = cx.all::<Stage>(&[api_id])?;
    let served: BTreeSet<String> = stages.into_iter().filter_map(|stage| stage.deployment_id).collect();
    for (ids, deployment) in cx.list::<Deployment>(&[api_id])? {
        let id = ids.first().map(String::as_str).unwrap_or_default();
        if deployment.auto_deployed == Some(true) && !served.contains(id) && !keep.contains(id) {
            cx.delete::<Deployment>(&[api_id, id])?;
            cx.delete::<Snapshot>(&[api_id, id])?;
        }
    }
    Ok(())
}
