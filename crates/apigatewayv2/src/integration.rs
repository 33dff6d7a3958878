//! Integrations: what answers the requests of a route.

use std::collections::BTreeMap;

use stagedoor_api::apigatewayv2::{
    CreateIntegrationRequest, DeleteIntegrationRequest, GetIntegrationRequest, GetIntegrationsRequest,
    GetIntegrationsResponse, Integration, IntegrationResponse, Route, TlsConfig, TlsConfigInput,
    UpdateIntegrationRequest,
};
use stagedoor_state::{Cx, Result};

use crate::list::{self, Ask};
use crate::merge::{merge_texts, present, replace, replace_text};
use crate::{api, deploy, integration_rules, limits, messages, route};

/// Length of the ids that AWS gives to integrations.
pub const ID_LENGTH: usize = 7;

/// `POST /v2/apis/{apiId}/integrations`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations.html#CreateIntegration>
pub fn create_integration(cx: &mut Cx<'_>, input: CreateIntegrationRequest) -> Result<Integration> {
    let protocol = api::protocol(&api::existing(cx, &input.api_id)?);
    if cx.count::<Integration>(&[&input.api_id])? >= limits::INTEGRATIONS_MAX {
        return Err(messages::too_many("Integrations"));
    }
    let id = cx.new_id(ID_LENGTH);
    let integration = Integration {
        connection_id: present(input.connection_id),
        connection_type: input.connection_type,
        content_handling_strategy: input.content_handling_strategy,
        credentials_arn: present(input.credentials_arn),
        description: present(input.description),
        integration_id: Some(id.clone()),
        integration_method: present(input.integration_method),
        integration_subtype: present(input.integration_subtype),
        integration_type: Some(input.integration_type),
        integration_uri: present(input.integration_uri),
        passthrough_behavior: input.passthrough_behavior,
        payload_format_version: present(input.payload_format_version),
        request_parameters: input.request_parameters,
        request_templates: input.request_templates,
        response_parameters: input.response_parameters,
        template_selection_expression: present(input.template_selection_expression),
        timeout_in_millis: input.timeout_in_millis,
        tls_config: input.tls_config.map(tls),
        ..Integration::default()
    };
    let integration = integration_rules::with_defaults(protocol, integration);
    integration_rules::check(protocol, &integration)?;
    cx.put(&[&input.api_id, &id], &integration)?;
    deploy::after_change(cx, &input.api_id)?;
    Ok(integration)
}

/// `GET /v2/apis/{apiId}/integrations/{integrationId}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations-integrationid.html>
pub fn get_integration(cx: &mut Cx<'_>, input: GetIntegrationRequest) -> Result<Integration> {
    api::existing(cx, &input.api_id)?;
    existing(cx, &input.api_id, &input.integration_id)
}

/// `GET /v2/apis/{apiId}/integrations`, by id.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations.html#GetIntegrations>
pub fn get_integrations(cx: &mut Cx<'_>, input: GetIntegrationsRequest) -> Result<GetIntegrationsResponse> {
    api::existing(cx, &input.api_id)?;
    let integrations = cx.all::<Integration>(&[&input.api_id])?;
    let ask = Ask::new(input.max_results, input.next_token);
    let page = list::cut(cx, &["GetIntegrations", &input.api_id], &ask, integrations, |integration| {
        integration.integration_id.clone().unwrap_or_default()
    })?;
    Ok(GetIntegrationsResponse { items: Some(page.items), next_token: page.next })
}

/// `PATCH /v2/apis/{apiId}/integrations/{integrationId}`. The update of an integration with a subtype must send
/// the subtype again.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations-integrationid.html>
pub fn update_integration(cx: &mut Cx<'_>, input: UpdateIntegrationRequest) -> Result<Integration> {
    let protocol = api::protocol(&api::existing(cx, &input.api_id)?);
    let mut integration = existing(cx, &input.api_id, &input.integration_id)?;
    if integration.integration_subtype.is_some() && input.integration_subtype.is_none() {
        return Err(messages::integration_uri_invalid());
    }
    replace_text(&mut integration.connection_id, input.connection_id);
    replace(&mut integration.connection_type, input.connection_type);
    replace(&mut integration.content_handling_strategy, input.content_handling_strategy);
    replace_text(&mut integration.credentials_arn, input.credentials_arn);
    replace_text(&mut integration.description, input.description);
    replace_text(&mut integration.integration_method, input.integration_method);
    replace_text(&mut integration.integration_subtype, input.integration_subtype);
    replace(&mut integration.integration_type, input.integration_type);
    replace_text(&mut integration.integration_uri, input.integration_uri);
    replace(&mut integration.passthrough_behavior, input.passthrough_behavior);
    replace(&mut integration.payload_format_version, present(input.payload_format_version));
    merge_texts(&mut integration.request_parameters, input.request_parameters);
    merge_texts(&mut integration.request_templates, input.request_templates);
    merge_statuses(&mut integration.response_parameters, input.response_parameters);
    replace_text(&mut integration.template_selection_expression, input.template_selection_expression);
    replace(&mut integration.timeout_in_millis, input.timeout_in_millis);
    replace(&mut integration.tls_config, input.tls_config.map(tls));
    let integration = integration_rules::with_defaults(protocol, integration);
    integration_rules::check(protocol, &integration)?;
    cx.put(&[&input.api_id, &input.integration_id], &integration)?;
    deploy::after_change(cx, &input.api_id)?;
    Ok(integration)
}

/// `DELETE /v2/apis/{apiId}/integrations/{integrationId}`, unless a route targets it.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations-integrationid.html>
pub fn delete_integration(cx: &mut Cx<'_>, input: DeleteIntegrationRequest) -> Result<()> {
    api::existing(cx, &input.api_id)?;
    existing(cx, &input.api_id, &input.integration_id)?;
    let mut routes = cx.all::<Route>(&[&input.api_id])?;
    routes.retain(|route| route::integration(route) == Some(input.integration_id.as_str()));
    if !routes.is_empty() {
        let routes: Vec<String> = routes.into_iter().filter_map(|route| route.route_id).collect();
        return Err(messages::integration_in_use(&routes));
    }
    let ids = &[input.api_id.as_str(), input.integration_id.as_str()];
    cx.delete_all::<IntegrationResponse>(ids)?;
    cx.delete::<Integration>(ids)?;
    deploy::after_change(cx, &input.api_id)
}

/// The integration of that id.
pub fn existing(cx: &mut Cx<'_>, api_id: &str, id: &str) -> Result<Integration> {
    cx.get(&[api_id, id])?.ok_or_else(|| messages::integration_not_found(id))
}

fn tls(input: TlsConfigInput) -> TlsConfig {
    TlsConfig { server_name_to_verify: input.server_name_to_verify }
}

/// Replaces the mappings of each status that was given; a status without mappings disappears.
fn merge_statuses(
    stored: &mut Option<BTreeMap<String, BTreeMap<String, String>>>,
    given: Option<BTreeMap<String, BTreeMap<String, String>>>,
) {
    for (status, mappings) in given.into_iter().flatten() {
        let statuses = stored.get_or_insert_default();
        if mappings.is_empty() {
            statuses.remove(&status);
        } else {
            statuses.insert(status, mappings);
        }
    }
}
