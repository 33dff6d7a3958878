//! Stages: named addresses of an API, each serving one of its deployments with settings of its own.

use stagedoor_api::apigatewayv2::{
    AccessLogSettings, Api, CreateStageRequest, DeleteAccessLogSettingsRequest, DeleteRouteSettingsRequest,
    DeleteStageRequest, Deployment, GetStageRequest, GetStagesRequest, GetStagesResponse, ProtocolType,
    RouteSettings, Stage, UpdateStageRequest,
};
use stagedoor_model::Timestamp;
use stagedoor_state::http::AuthorizerCacheEpoch;
use stagedoor_state::{Cx, Result};

use crate::list::{self, Ask};
use crate::merge::{merge_texts, present, replace, replace_text};
use crate::{api, deploy, limits, messages, route_settings, tagging};

/// The stage that serves an HTTP API at the root of its address.
pub const DEFAULT: &str = "$default";

/// `POST /v2/apis/{apiId}/stages`. A stage with auto deploy serves the API as it is now.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages.html#CreateStage>
pub fn create_stage(cx: &mut Cx<'_>, input: CreateStageRequest) -> Result<Stage> {
    let api = api::existing(cx, &input.api_id)?;
    let protocol = api::protocol(&api);
    check_name(protocol, &input.stage_name)?;
    if cx.exists::<Stage>(&[&input.api_id, &input.stage_name])? {
        return Err(messages::stage_exists());
    }
    tagging::check(input.tags.as_ref())?;
    let automatic = input.auto_deploy == Some(true);
    let deployment_id = present(input.deployment_id);
    check_deployment(cx, &input.api_id, automatic, deployment_id.as_deref())?;
    let default_settings = input.default_route_settings.unwrap_or_default();
    route_settings::check(protocol, &default_settings)?;
    let settings = input.route_settings.unwrap_or_default();
    route_settings::check_all(cx, &input.api_id, protocol, &settings)?;

    let mut stage = Stage {
        access_log_settings: input.access_log_settings,
        auto_deploy: automatic.then_some(true),
        client_certificate_id: present(input.client_certificate_id),
        default_route_settings: Some(route_settings::complete(protocol, default_settings)),
        deployment_id,
        description: present(input.description),
        stage_variables: Some(input.stage_variables.unwrap_or_default()),
        tags: Some(input.tags.unwrap_or_default()),
        ..new(&input.stage_name, protocol, cx.now())
    };
    route_settings::merge_all(protocol, &mut stage.route_settings, Some(settings));
    check(&stage)?;
    store(cx, &api, stage, automatic)
}

/// `GET /v2/apis/{apiId}/stages/{stageName}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages-stagename.html#GetStage>
pub fn get_stage(cx: &mut Cx<'_>, input: GetStageRequest) -> Result<Stage> {
    api::existing(cx, &input.api_id)?;
    existing(cx, &input.api_id, &input.stage_name)
}

/// `GET /v2/apis/{apiId}/stages`, by name.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages.html#GetStages>
pub fn get_stages(cx: &mut Cx<'_>, input: GetStagesRequest) -> Result<GetStagesResponse> {
    api::existing(cx, &input.api_id)?;
    let stages = cx.all::<Stage>(&[&input.api_id])?;
    let ask = Ask::new(input.max_results, input.next_token);
    let page = list::cut(cx, &["GetStages", &input.api_id], &ask, stages, |stage| name(stage).to_owned())?;
    Ok(GetStagesResponse { items: Some(page.items), next_token: page.next })
}

/// `PATCH /v2/apis/{apiId}/stages/{stageName}`. Turning auto deploy on deploys the API as it is now; an empty
/// description changes nothing.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages-stagename.html#UpdateStage>
pub fn update_stage(cx: &mut Cx<'_>, input: UpdateStageRequest) -> Result<Stage> {
    let api = api::existing(cx, &input.api_id)?;
    let protocol = api::protocol(&api);
    let mut stage = existing(cx, &input.api_id, &input.stage_name)?;
    let was_automatic = stage.auto_deploy == Some(true);
    let automatic = input.auto_deploy.unwrap_or(was_automatic);
    let deployment_id = present(input.deployment_id);
    check_deployment(cx, &input.api_id, automatic, deployment_id.as_deref())?;
    let default_settings = input.default_route_settings.unwrap_or_default();
    route_settings::check(protocol, &default_settings)?;
    let settings = input.route_settings.unwrap_or_default();
    route_settings::check_all(cx, &input.api_id, protocol, &settings)?;

    merge_access_log(&mut stage.access_log_settings, input.access_log_settings);
    stage.auto_deploy = automatic.then_some(true);
    replace_text(&mut stage.client_certificate_id, input.client_certificate_id);
    let mut defaults = stage.default_route_settings.take().unwrap_or_default();
    route_settings::merge(&mut defaults, default_settings);
    stage.default_route_settings = Some(route_settings::complete(protocol, defaults));
    replace(&mut stage.deployment_id, deployment_id);
    replace(&mut stage.description, present(input.description));
    route_settings::merge_all(protocol, &mut stage.route_settings, Some(settings));
    merge_texts(&mut stage.stage_variables, input.stage_variables);
    stage.last_updated_date = Some(cx.now().whole_seconds());
    check(&stage)?;
    store(cx, &api, stage, automatic && !was_automatic)
}

/// `DELETE /v2/apis/{apiId}/stages/{stageName}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages-stagename.html#DeleteStage>
pub fn delete_stage(cx: &mut Cx<'_>, input: DeleteStageRequest) -> Result<()> {
    api::existing(cx, &input.api_id)?;
    existing(cx, &input.api_id, &input.stage_name)?;
    cx.delete::<AuthorizerCacheEpoch>(&[&input.api_id, &input.stage_name])?;
    cx.delete::<Stage>(&[&input.api_id, &input.stage_name])
}

/// `DELETE /v2/apis/{apiId}/stages/{stageName}/accesslogsettings`; no error if there are none.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages-stagename-accesslogsettings.html>
pub fn delete_access_log_settings(cx: &mut Cx<'_>, input: DeleteAccessLogSettingsRequest) -> Result<()> {
    api::existing(cx, &input.api_id)?;
    let mut stage = existing(cx, &input.api_id, &input.stage_name)?;
    stage.access_log_settings = None;
    stage.last_updated_date = Some(cx.now().whole_seconds());
    cx.put(&[&input.api_id, &input.stage_name], &stage)
}

/// `DELETE /v2/apis/{apiId}/stages/{stageName}/routesettings/{routeKey}`: exactly this key's.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages-stagename-routesettings-routekey.html>
pub fn delete_route_settings(cx: &mut Cx<'_>, input: DeleteRouteSettingsRequest) -> Result<()> {
    api::existing(cx, &input.api_id)?;
    let mut stage = existing(cx, &input.api_id, &input.stage_name)?;
    let removed = stage.route_settings.get_or_insert_default().remove(&input.route_key);
    if removed.is_none() {
        return Err(messages::route_settings_unknown(&input.route_key));
    }
    stage.last_updated_date = Some(cx.now().whole_seconds());
    cx.put(&[&input.api_id, &input.stage_name], &stage)
}

/// The stage of that name.
pub fn existing(cx: &mut Cx<'_>, api_id: &str, name: &str) -> Result<Stage> {
    cx.get(&[api_id, name])?.ok_or_else(messages::stage_not_found)
}

/// A stage of which only the name was given.
pub fn new(name: &str, protocol: ProtocolType, now: Timestamp) -> Stage {
    let now = now.whole_seconds();
    Stage {
        created_date: Some(now),
        default_route_settings: Some(route_settings::complete(protocol, RouteSettings::default())),
        last_updated_date: Some(now),
        route_settings: Some(Default::default()),
        stage_name: Some(name.to_owned()),
        stage_variables: Some(Default::default()),
        tags: Some(Default::default()),
        ..Stage::default()
    }
}

fn name(stage: &Stage) -> &str {
    stage.stage_name.as_deref().unwrap_or_default()
}

/// Stores the stage, after deploying the API to it if asked to, and returns what is stored.
fn store(cx: &mut Cx<'_>, of: &Api, stage: Stage, deploying: bool) -> Result<Stage> {
    let ids = [api::id(of).to_owned(), name(&stage).to_owned()];
    if deploying {
        deploy::stages(cx, of, vec![stage])?;
        return existing(cx, &ids[0], &ids[1]);
    }
    cx.put(&[&ids[0], &ids[1]], &stage)?;
    Ok(stage)
}

fn check_name(protocol: ProtocolType, name: &str) -> Result<()> {
    if name == DEFAULT {
        return match protocol {
            ProtocolType::Http => Ok(()),
            ProtocolType::Websocket => Err(messages::default_stage_http_only()),
        };
    }
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    match letters && (1..=limits::NAME_MAX).contains(&name.len()) {
        true => Ok(()),
        false => Err(messages::stage_name_invalid()),
    }
}

/// A stage that deploys by itself cannot be told which deployment to serve.
fn check_deployment(cx: &mut Cx<'_>, api_id: &str, automatic: bool, id: Option<&str>) -> Result<()> {
    match id {
        None => Ok(()),
        Some(_) if automatic => Err(messages::stage_deploys_itself()),
        Some(id) if cx.exists::<Deployment>(&[api_id, id])? => Ok(()),
        Some(_) => Err(messages::deployment_id_unknown()),
    }
}

fn check(stage: &Stage) -> Result<()> {
    limits::at_most("description", stage.description.as_deref(), limits::DESCRIPTION_MAX)?;
    let format = stage.access_log_settings.as_ref().and_then(|settings| settings.format.as_deref());
    if format.is_some_and(|format| !names_request(format)) {
        return Err(messages::access_log_format_without_id());
    }
    let variables = stage.stage_variables.as_ref();
    if variables.is_some_and(|variables| variables.len() > limits::STAGE_VARIABLES_MAX) {
        return Err(messages::stage_variables_too_many(limits::STAGE_VARIABLES_MAX));
    }
    match variables.into_iter().flatten().find(|(name, value)| !is_variable(name, value)) {
        Some((name, _)) => Err(messages::stage_variable_invalid(name)),
        None => Ok(()),
    }
}

fn names_request(format: &str) -> bool {
    format.contains("$context.requestId") || format.contains("$context.extendedRequestId")
}

fn is_variable(name: &str, value: &str) -> bool {
    let name_fits = (1..=limits::STAGE_VARIABLE_NAME_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let value_fits = value.len() <= limits::STAGE_VARIABLE_VALUE_MAX
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?#&=,".contains(&byte));
    name_fits && value_fits
}

fn merge_access_log(stored: &mut Option<AccessLogSettings>, given: Option<AccessLogSettings>) {
    let Some(given) = given else { return };
    let settings = stored.get_or_insert_default();
    replace(&mut settings.destination_arn, given.destination_arn);
    replace(&mut settings.format, given.format);
}
