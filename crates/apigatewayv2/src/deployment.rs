//! Deployments: frozen states of an API, made by clients here and by itself in `deploy`.

use stagedoor_api::apigatewayv2::{
    CreateDeploymentRequest, DeleteDeploymentRequest, Deployment, GetDeploymentRequest,
    GetDeploymentsRequest, GetDeploymentsResponse, Stage, UpdateDeploymentRequest,
};
use stagedoor_state::http::Snapshot;
use stagedoor_state::page::newest_first;
use stagedoor_state::{Cx, Result};

use crate::list::{self, Ask};
use crate::merge::{present, replace_text};
use crate::{api, deploy, limits, messages, stage};

/// `POST /v2/apis/{apiId}/deployments`. A stage named here serves the deployment from now on.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-deployments.html#CreateDeployment>
pub fn create_deployment(cx: &mut Cx<'_>, input: CreateDeploymentRequest) -> Result<Deployment> {
    let api = api::existing(cx, &input.api_id)?;
    limits::at_most("description", input.description.as_deref(), limits::DESCRIPTION_MAX)?;
    let stage = match present(input.stage_name) {
        Some(name) => Some(stage::existing(cx, &input.api_id, &name)?),
        None => None,
    };
    if stage.as_ref().is_some_and(|stage| stage.auto_deploy == Some(true)) {
        return Err(messages::stage_deploys_itself());
    }
    let deployment = deploy::create(cx, &api, present(input.description))?;
    if let Some(mut stage) = stage {
        stage.deployment_id = deployment.deployment_id.clone();
        stage.last_updated_date = Some(cx.now().whole_seconds());
        cx.put(&[&input.api_id, stage.stage_name.as_deref().unwrap_or_default()], &stage)?;
    }
    Ok(deployment)
}

/// `GET /v2/apis/{apiId}/deployments/{deploymentId}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-deployments-deploymentid.html>
pub fn get_deployment(cx: &mut Cx<'_>, input: GetDeploymentRequest) -> Result<Deployment> {
    api::existing(cx, &input.api_id)?;
    existing(cx, &input.api_id, &input.deployment_id)
}

/// `GET /v2/apis/{apiId}/deployments`, newest first.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-deployments.html#GetDeployments>
pub fn get_deployments(cx: &mut Cx<'_>, input: GetDeploymentsRequest) -> Result<GetDeploymentsResponse> {
    api::existing(cx, &input.api_id)?;
    let deployments = cx.all::<Deployment>(&[&input.api_id])?;
    let ask = Ask::new(input.max_results, input.next_token);
    let page = list::cut(cx, &["GetDeployments", &input.api_id], &ask, deployments, |deployment| {
        let id = deployment.deployment_id.as_deref().unwrap_or_default();
        newest_first(deployment.created_date.unwrap_or_default().as_micros(), id)
    })?;
    Ok(GetDeploymentsResponse { items: Some(page.items), next_token: page.next })
}

/// `PATCH /v2/apis/{apiId}/deployments/{deploymentId}`: only the description can change.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-deployments-deploymentid.html>
pub fn update_deployment(cx: &mut Cx<'_>, input: UpdateDeploymentRequest) -> Result<Deployment> {
    api::existing(cx, &input.api_id)?;
    let mut deployment = existing(cx, &input.api_id, &input.deployment_id)?;
    replace_text(&mut deployment.description, input.description);
    limits::at_most("description", deployment.description.as_deref(), limits::DESCRIPTION_MAX)?;
    cx.put(&[&input.api_id, &input.deployment_id], &deployment)?;
    Ok(deployment)
}

/// `DELETE /v2/apis/{apiId}/deployments/{deploymentId}`, unless a stage serves it.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-deployments-deploymentid.html>
pub fn delete_deployment(cx: &mut Cx<'_>, input: DeleteDeploymentRequest) -> Result<()> {
    api::existing(cx, &input.api_id)?;
    existing(cx, &input.api_id, &input.deployment_id)?;
    let stages = cx.all::<Stage>(&[&input.api_id])?;
    if stages.iter().any(|stage| stage.deployment_id.as_deref() == Some(input.deployment_id.as_str())) {
        return Err(messages::deployment_in_use());
    }
    let ids = &[input.api_id.as_str(), input.deployment_id.as_str()];
    cx.delete::<Snapshot>(ids)?;
    cx.delete::<Deployment>(ids)
}

fn existing(cx: &mut Cx<'_>, api_id: &str, id: &str) -> Result<Deployment> {
    cx.get(&[api_id, id])?.ok_or_else(|| messages::deployment_not_found(id))
}
