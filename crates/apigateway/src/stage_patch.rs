//! What `UpdateStage` may change. Pure.

use std::collections::BTreeMap;

use stagedoor_api::apigateway::{AccessLogSettings, CacheClusterSize, CanarySettings, Op, Stage};
use stagedoor_state::arn::Arn;
use stagedoor_state::{Fault, Result};

use crate::patch::{ADD_REPLACE_REMOVE, Change, Refused, Row, Table};
use crate::{messages, method_setting};

pub const PATCHES: Table<Stage> = Table { refuse, rows: &[ROWS, method_setting::ROWS] };

const ROWS: &[Row<Stage>] = &[
    Row { path: "/deploymentId", ops: &[Op::Replace], apply: patch_deployment_id },
    Row { path: "/deploymentId", ops: &[Op::Copy], apply: promote_deployment },
    Row { path: "/description", ops: &[Op::Replace], apply: patch_description },
    Row { path: "/cacheClusterEnabled", ops: &[Op::Replace], apply: patch_cache_enabled },
    Row { path: "/cacheClusterSize", ops: &[Op::Replace], apply: patch_cache_size },
    Row { path: "/clientCertificateId", ops: &[Op::Replace], apply: patch_client_certificate },
    Row { path: "/documentationVersion", ops: &[Op::Replace], apply: patch_documentation_version },
    Row { path: "/tracingEnabled", ops: &[Op::Replace], apply: patch_tracing },
    Row { path: "/accessLogSettings", ops: &[Op::Remove], apply: remove_access_log },
    Row {
        path: "/accessLogSettings/destinationArn",
        ops: &[Op::Add, Op::Replace],
        apply: patch_log_destination,
    },
    Row { path: "/accessLogSettings/format", ops: &[Op::Add, Op::Replace], apply: patch_log_format },
    Row { path: "/canarySettings", ops: &[Op::Remove], apply: remove_canary },
    Row { path: "/canarySettings/deploymentId", ops: &[Op::Replace], apply: patch_canary_deployment },
    Row { path: "/canarySettings/percentTraffic", ops: &[Op::Replace], apply: patch_canary_percent },
    Row { path: "/canarySettings/useStageCache", ops: &[Op::Replace], apply: patch_canary_cache },
    Row { path: "/canarySettings/stageVariableOverrides", ops: &[Op::Replace], apply: patch_overrides },
    Row {
        path: "/canarySettings/stageVariableOverrides/{}",
        ops: &[Op::Replace, Op::Remove],
        apply: patch_override,
    },
    Row { path: "/variables", ops: &[Op::Replace, Op::Remove], apply: patch_variables },
    Row { path: "/variables", ops: &[Op::Copy], apply: promote_variables },
    Row { path: "/variables/{}", ops: ADD_REPLACE_REMOVE, apply: patch_variable },
];

/// AWS has a third set of words for stages: most of what it does not understand it takes for a method setting.
fn refuse(_: &Table<Stage>, refused: &Refused<'_>) -> Fault {
    let Refused { op, path, from, ops } = *refused;
    match op {
        Op::Remove => return messages::no_method_setting(path),
        Op::Copy => return messages::bad_copy(path, from),
        _ => {}
    }
    if ops.is_some_and(|ops| ops.contains(&Op::Replace)) {
        return messages::bad_stage_operation(op, path);
    }
    if path == "/accessLogSettings" || path.starts_with("/accessLogSettings/") {
        return messages::bad_access_log_path();
    }
    match path.split('/').collect::<Vec<_>>().as_slice() {
        ["", _, _, group, leaf] => messages::bad_method_setting(&format!("{group}/{leaf}")),
        _ => messages::bad_stage_path(path),
    }
}

// === The stage's own members ===

fn patch_deployment_id(stage: &mut Stage, change: &Change<'_>) -> Result<()> {
    stage.deployment_id = Some(change.value_or_empty());
    Ok(())
}

fn patch_description(stage: &mut Stage, change: &Change<'_>) -> Result<()> {
    stage.description = change.text();
    Ok(())
}

fn patch_cache_enabled(stage: &mut Stage, change: &Change<'_>) -> Result<()> {
    stage.cache_cluster_enabled = Some(change.flag());
    Ok(())
}

fn patch_cache_size(stage: &mut Stage, change: &Change<'_>) -> Result<()> {
    stage.cache_cluster_size =
        Some(change.value.and_then(CacheClusterSize::parse).ok_or_else(|| bad_value(change))?);
    Ok(())
}

fn patch_client_certificate(stage: &mut Stage, change: &Change<'_>) -> Result<()> {
    stage.client_certificate_id = change.text();
    Ok(())
}

fn patch_documentation_version(stage: &mut Stage, change: &Change<'_>) -> Result<()> {
    stage.documentation_version = change.text();
    Ok(())
}

fn patch_tracing(stage: &mut Stage, change: &Change<'_>) -> Result<()> {
    stage.tracing_enabled = Some(change.flag());
    Ok(())
}

// === Access log ===

fn remove_access_log(stage: &mut Stage, _: &Change<'_>) -> Result<()> {
    stage.access_log_settings = None;
    Ok(())
}

fn patch_log_destination(stage: &mut Stage, change: &Change<'_>) -> Result<()> {
    let destination = change.text().ok_or_else(messages::access_log_empty)?;
    let arn = Arn::parse(&destination).ok_or_else(messages::bad_arn)?;
    let name = arn.resource.strip_prefix("log-group:").unwrap_or(arn.resource);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-/.".contains(&byte);
    if !name.bytes().all(allowed) {
        return Err(messages::bad_access_log_destination(arn.resource));
    }
    access_log(stage).destination_arn = Some(destination);
    Ok(())
}

fn patch_log_format(stage: &mut Stage, change: &Change<'_>) -> Result<()> {
    access_log(stage).format = Some(change.text().ok_or_else(messages::access_log_empty)?);
    Ok(())
}

fn access_log(stage: &mut Stage) -> &mut AccessLogSettings {
    stage.access_log_settings.get_or_insert_default()
}

// === Canary ===

fn remove_canary(stage: &mut Stage, _: &Change<'_>) -> Result<()> {
    stage.canary_settings = None;
    Ok(())
}

fn patch_canary_deployment(stage: &mut Stage, change: &Change<'_>) -> Result<()> {
    canary(stage).deployment_id = Some(change.value_or_empty());
    Ok(())
}

fn patch_canary_percent(stage: &mut Stage, change: &Change<'_>) -> Result<()> {
    let percent = change.value.and_then(|value| value.parse().ok()).ok_or_else(|| bad_value(change))?;
    canary(stage).percent_traffic = Some(percent);
    Ok(())
}

fn patch_canary_cache(stage: &mut Stage, change: &Change<'_>) -> Result<()> {
    canary(stage).use_stage_cache = Some(change.flag());
    Ok(())
}

fn patch_overrides(stage: &mut Stage, change: &Change<'_>) -> Result<()> {
    canary(stage).stage_variable_overrides = Some(map_value(change)?);
    Ok(())
}

fn patch_override(stage: &mut Stage, change: &Change<'_>) -> Result<()> {
    put_or_remove(&mut canary(stage).stage_variable_overrides, change);
    Ok(())
}

/// The stage's canary; at first touch one that gets no traffic.
fn canary(stage: &mut Stage) -> &mut CanarySettings {
    let deployment_id = stage.deployment_id.clone();
    stage.canary_settings.get_or_insert(CanarySettings {
        deployment_id,
        percent_traffic: Some(0.0),
        use_stage_cache: Some(false),
        stage_variable_overrides: None,
    })
}

// === Promotion of a canary, which stays until it is removed ===

fn promote_deployment(stage: &mut Stage, change: &Change<'_>) -> Result<()> {
    let canary = promoted(stage, change, "/canarySettings/deploymentId")?;
    stage.deployment_id = canary.deployment_id;
    Ok(())
}

/// Overrides go over the variables that are there.
fn promote_variables(stage: &mut Stage, change: &Change<'_>) -> Result<()> {
    let canary = promoted(stage, change, "/canarySettings/stageVariableOverrides")?;
    let overrides = canary.stage_variable_overrides.unwrap_or_default();
    stage.variables.get_or_insert_default().extend(overrides);
    Ok(())
}

fn promoted(stage: &Stage, change: &Change<'_>, from: &str) -> Result<CanarySettings> {
    if change.from != Some(from) {
        return Err(messages::bad_copy(change.path, change.from));
    }
    stage.canary_settings.clone().ok_or_else(messages::no_canary)
}

// === Variables ===

fn patch_variables(stage: &mut Stage, change: &Change<'_>) -> Result<()> {
    stage.variables = if change.op == Op::Remove { None } else { Some(map_value(change)?) };
    Ok(())
}

fn patch_variable(stage: &mut Stage, change: &Change<'_>) -> Result<()> {
    put_or_remove(&mut stage.variables, change);
    Ok(())
}

fn put_or_remove(map: &mut Option<BTreeMap<String, String>>, change: &Change<'_>) {
    let map = map.get_or_insert_default();
    if change.op == Op::Remove {
        map.remove(&change.token(0));
    } else {
        map.insert(change.token(0), change.value_or_empty());
    }
}

/// A whole map as a value is a JSON object of strings.
fn map_value(change: &Change<'_>) -> Result<BTreeMap<String, String>> {
    serde_json::from_str(change.value.unwrap_or_default()).map_err(|_| bad_value(change))
}

fn bad_value(change: &Change<'_>) -> Fault {
    messages::bad_setting(change.path, change.value)
}
