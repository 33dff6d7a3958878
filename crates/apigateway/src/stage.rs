//! Stages, deployments under a name: `CreateStage`, `GetStage`, `GetStages`, `UpdateStage`, `DeleteStage`, and what
//! `CreateDeployment` does to a stage.
//!
//! What patches may change stands in [`crate::stage_patch`].

use std::collections::BTreeMap;

use stagedoor_api::apigateway::{
    Account, CacheClusterSize, CacheClusterStatus, CanarySettings, CreateDeploymentRequest,
    CreateStageRequest, DeleteStageRequest, Deployment, DeploymentCanarySettings, GetStageRequest,
    GetStagesRequest, Stage, Stages, UpdateStageRequest,
};
use stagedoor_model::Timestamp;
use stagedoor_state::rest::{CacheEpoch, ClientCertificate};
use stagedoor_state::{Cx, Result};

use crate::{messages, quota, rest_api, stage_patch, tags, usage_plan};

const NAME_LENGTH_MAX: usize = 128;
/// Stage variables, and overrides of them: a quota that AWS does not raise.
const VARIABLES_MAX: usize = 100;
const VARIABLE_NAME_LENGTH_MAX: usize = 64;
const VARIABLE_VALUE_LENGTH_MAX: usize = 512;

/// `POST /restapis/{restapi_id}/stages`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_CreateStage.html>
pub fn create_stage(cx: &mut Cx<'_>, input: CreateStageRequest) -> Result<Stage> {
    let api = input.rest_api_id.as_str();
    rest_api::existing(cx, api)?;
    check_name(&input.stage_name)?;
    if cx.exists::<Stage>(&[api, &input.stage_name])? {
        return Err(messages::stage_exists());
    }
    if let Some(tags) = &input.tags {
        tags::check(tags)?;
    }
    quota::check::<Stage>(cx, &[api], quota::STAGES)?;
    let canary = input.canary_settings.map(|canary| CanarySettings {
        deployment_id: canary.deployment_id.or_else(|| Some(input.deployment_id.clone())),
        percent_traffic: Some(canary.percent_traffic.unwrap_or_default()),
        use_stage_cache: Some(canary.use_stage_cache.unwrap_or_default()),
        stage_variable_overrides: canary.stage_variable_overrides,
    });
    let stage = Stage {
        description: input.description,
        variables: input.variables,
        documentation_version: input.documentation_version,
        canary_settings: canary,
        tracing_enabled: Some(input.tracing_enabled.unwrap_or_default()),
        cache_cluster_enabled: Some(input.cache_cluster_enabled.unwrap_or_default()),
        cache_cluster_size: input.cache_cluster_size,
        tags: input.tags.filter(|tags| !tags.is_empty()),
        ..bare(&input.stage_name, &input.deployment_id, cx.now())
    };
    store(cx, api, stage)
}

/// `GET /restapis/{restapi_id}/stages/{stage_name}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetStage.html>
pub fn get_stage(cx: &mut Cx<'_>, input: GetStageRequest) -> Result<Stage> {
    existing(cx, &input.rest_api_id, &input.stage_name)
}

/// `GET /restapis/{restapi_id}/stages`: all stages, or those of one deployment, by name. AWS does not page here.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetStages.html>
pub fn get_stages(cx: &mut Cx<'_>, input: GetStagesRequest) -> Result<Stages> {
    rest_api::existing(cx, &input.rest_api_id)?;
    let mut stages = cx.all::<Stage>(&[&input.rest_api_id])?;
    if input.deployment_id.is_some() {
        stages.retain(|stage| stage.deployment_id == input.deployment_id);
    }
    Ok(Stages { item: Some(stages) })
}

/// `PATCH /restapis/{restapi_id}/stages/{stage_name}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateStage.html>
pub fn update_stage(cx: &mut Cx<'_>, input: UpdateStageRequest) -> Result<Stage> {
    let old = existing(cx, &input.rest_api_id, &input.stage_name)?;
    let stage = stage_patch::PATCHES.apply(&old, input.patch_operations.as_deref())?;
    check_references(cx, &old, &stage)?;
    let last_updated_date = Some(cx.now().whole_seconds());
    store(cx, &input.rest_api_id, Stage { last_updated_date, ..stage })
}

/// `DELETE /restapis/{restapi_id}/stages/{stage_name}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteStage.html>
pub fn delete_stage(cx: &mut Cx<'_>, input: DeleteStageRequest) -> Result<()> {
    existing(cx, &input.rest_api_id, &input.stage_name)?;
    usage_plan::forget_stages(cx, &input.rest_api_id, Some(&input.stage_name))?;
    cx.delete::<CacheEpoch>(&[&input.rest_api_id, &input.stage_name])?;
    cx.delete::<Stage>(&[&input.rest_api_id, &input.stage_name])
}

/// The stage of that name. An unknown API is answered like an unknown stage.
pub fn existing(cx: &mut Cx<'_>, api: &str, name: &str) -> Result<Stage> {
    cx.get(&[api, name])?.ok_or_else(messages::no_stage)
}

/// What `CreateDeployment` does to the stage it names: creates it, points it to the new deployment, or, with canary
/// settings, makes the new deployment the canary of a stage that must be there.
pub fn deploy(cx: &mut Cx<'_>, deployment: &str, input: CreateDeploymentRequest) -> Result<()> {
    let api = input.rest_api_id.as_str();
    let name = input.stage_name.as_deref().filter(|name| !name.is_empty());
    let Some(name) = name else {
        return match input.canary_settings {
            Some(_) => Err(messages::canary_without_stage(input.stage_name.as_deref())),
            None => Ok(()),
        };
    };
    let old = cx.get::<Stage>(&[api, name])?;
    if let Some(canary) = input.canary_settings {
        let stage = old.ok_or_else(|| messages::canary_of_unknown_stage(name))?;
        let stage = Stage { canary_settings: Some(new_canary(deployment, canary)), ..stage };
        return store(cx, api, Stage { last_updated_date: Some(cx.now().whole_seconds()), ..stage })
            .map(drop);
    }
    check_name(name)?;
    if old.is_none() {
        quota::check::<Stage>(cx, &[api], quota::STAGES)?;
    }
    let stage = old.unwrap_or_else(|| bare(name, deployment, cx.now()));
    let stage = Stage {
        deployment_id: Some(deployment.to_owned()),
        description: input.stage_description.or(stage.description),
        variables: input.variables.or(stage.variables),
        tracing_enabled: input.tracing_enabled.or(stage.tracing_enabled),
        cache_cluster_enabled: input.cache_cluster_enabled.or(stage.cache_cluster_enabled),
        cache_cluster_size: input.cache_cluster_size.or(stage.cache_cluster_size),
        last_updated_date: Some(cx.now().whole_seconds()),
        ..stage
    };
    store(cx, api, stage).map(drop)
}

fn new_canary(deployment: &str, canary: DeploymentCanarySettings) -> CanarySettings {
    CanarySettings {
        deployment_id: Some(deployment.to_owned()),
        percent_traffic: Some(canary.percent_traffic.unwrap_or_default()),
        use_stage_cache: Some(canary.use_stage_cache.unwrap_or_default()),
        stage_variable_overrides: canary.stage_variable_overrides,
    }
}

/// A stage with nothing but its name and deployment.
fn bare(name: &str, deployment: &str, now: Timestamp) -> Stage {
    Stage {
        stage_name: Some(name.to_owned()),
        deployment_id: Some(deployment.to_owned()),
        method_settings: Some(BTreeMap::new()),
        cache_cluster_enabled: Some(false),
        tracing_enabled: Some(false),
        created_date: Some(now.whole_seconds()),
        last_updated_date: Some(now.whole_seconds()),
        ..Stage::default()
    }
}

// === Rules that hold after every change ===

fn store(cx: &mut Cx<'_>, api: &str, stage: Stage) -> Result<Stage> {
    let stage = settled(cx, api, stage)?;
    cx.put(&[api, stage.stage_name.as_deref().unwrap_or_default()], &stage)?;
    Ok(stage)
}

/// The stage in stored form, if it keeps all rules.
fn settled(cx: &mut Cx<'_>, api: &str, mut stage: Stage) -> Result<Stage> {
    check_deployment(cx, api, stage.deployment_id.as_deref())?;
    check_variables(stage.variables.as_ref())?;
    stage.variables = stage.variables.filter(|variables| !variables.is_empty());
    stage.description = stage.description.filter(|description| !description.is_empty());
    if let Some(canary) = &mut stage.canary_settings {
        check_deployment(cx, api, canary.deployment_id.as_deref())?;
        check_variables(canary.stage_variable_overrides.as_ref())?;
        let overrides = canary.stage_variable_overrides.take();
        canary.stage_variable_overrides = overrides.filter(|overrides| !overrides.is_empty());
        let percent = canary.percent_traffic.unwrap_or_default();
        if !(0.0..=100.0).contains(&percent) {
            return Err(messages::bad_setting("/canarySettings/percentTraffic", Some(&percent.to_string())));
        }
    }
    // A cache is there at once; AWS takes minutes and says CREATE_IN_PROGRESS meanwhile.
    stage.cache_cluster_status = Some(if stage.cache_cluster_enabled == Some(true) {
        stage.cache_cluster_size.get_or_insert(CacheClusterSize::V0_5);
        CacheClusterStatus::Available
    } else {
        CacheClusterStatus::NotAvailable
    });
    Ok(stage)
}

fn check_deployment(cx: &mut Cx<'_>, api: &str, id: Option<&str>) -> Result<()> {
    match cx.exists::<Deployment>(&[api, id.unwrap_or_default()])? {
        true => Ok(()),
        false => Err(messages::deployment_does_not_exist()),
    }
}

/// Refuses what an update newly refers to and the account does not have.
fn check_references(cx: &mut Cx<'_>, old: &Stage, new: &Stage) -> Result<()> {
    if let Some(certificate) = &new.client_certificate_id
        && !cx.exists::<ClientCertificate>(&[certificate])?
    {
        return Err(messages::stage_certificate_unknown());
    }
    let logs = |stage: &Stage| {
        let mut settings = stage.method_settings.iter().flat_map(BTreeMap::values);
        settings.any(|setting| setting.logging_level.as_deref().is_some_and(|level| level != "OFF"))
    };
    if !logs(new) || logs(old) {
        return Ok(());
    }
    let account = cx.get::<Account>(&[])?;
    match account.is_some_and(|account| account.cloudwatch_role_arn.is_some()) {
        true => Ok(()),
        false => Err(messages::log_role_needed()),
    }
}

fn check_name(name: &str) -> Result<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    match (1..=NAME_LENGTH_MAX).contains(&name.len()) && name.bytes().all(allowed) {
        true => Ok(()),
        false => Err(messages::bad_stage_name()),
    }
}

fn check_variables(variables: Option<&BTreeMap<String, String>>) -> Result<()> {
    if variables.is_some_and(|variables| variables.len() > VARIABLES_MAX) {
        return Err(messages::quota_exceeded("Stage Variables", "Stage"));
    }
    for (name, value) in variables.into_iter().flatten() {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || name.len() > VARIABLE_NAME_LENGTH_MAX || !name.bytes().all(word) {
            return Err(messages::bad_variable_name(name));
        }
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b" -._~:/?#&=,".contains(&byte);
        if value.is_empty() || value.len() > VARIABLE_VALUE_LENGTH_MAX || !value.bytes().all(allowed) {
            return Err(messages::bad_variable_value(value));
        }
    }
    Ok(())
}
