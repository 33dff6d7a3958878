//! Integration responses: how a WebSocket API turns an integration's answer into a message. HTTP APIs have none.

use stagedoor_api::apigatewayv2::{
    Api, CreateIntegrationResponseRequest, DeleteIntegrationResponseRequest, GetIntegrationResponseRequest,
    GetIntegrationResponsesRequest, GetIntegrationResponsesResponse, IntegrationResponse, ProtocolType,
    UpdateIntegrationResponseRequest,
};
use stagedoor_state::{Cx, Result};

use crate::list::{self, Ask};
use crate::merge::{merge_texts, present, replace, replace_text};
use crate::{api, deploy, integration, messages};

const ID_LENGTH: usize = 7;

/// `POST /v2/apis/{apiId}/integrations/{integrationId}/integrationresponses`
pub fn create_integration_response(
    cx: &mut Cx<'_>,
    input: CreateIntegrationResponseRequest,
) -> Result<IntegrationResponse> {
    let api = api::existing(cx, &input.api_id)?;
    integration::existing(cx, &input.api_id, &input.integration_id)?;
    let id = cx.new_id(ID_LENGTH);
    let response = IntegrationResponse {
        content_handling_strategy: input.content_handling_strategy,
        integration_response_id: Some(id.clone()),
        integration_response_key: Some(input.integration_response_key),
        response_parameters: input.response_parameters,
        response_templates: input.response_templates,
        template_selection_expression: present(input.template_selection_expression),
    };
    check(cx, &api, &input.integration_id, &response)?;
    cx.put(&[&input.api_id, &input.integration_id, &id], &response)?;
    deploy::after_change(cx, &input.api_id)?;
    Ok(response)
}

/// `GET /v2/apis/{apiId}/integrations/{integrationId}/integrationresponses/{integrationResponseId}`
pub fn get_integration_response(
    cx: &mut Cx<'_>,
    input: GetIntegrationResponseRequest,
) -> Result<IntegrationResponse> {
    api::existing(cx, &input.api_id)?;
    integration::existing(cx, &input.api_id, &input.integration_id)?;
    existing(cx, &input.api_id, &input.integration_id, &input.integration_response_id)
}

/// `GET /v2/apis/{apiId}/integrations/{integrationId}/integrationresponses`, by id.
pub fn get_integration_responses(
    cx: &mut Cx<'_>,
    input: GetIntegrationResponsesRequest,
) -> Result<GetIntegrationResponsesResponse> {
    api::existing(cx, &input.api_id)?;
    integration::existing(cx, &input.api_id, &input.integration_id)?;
    let responses = cx.all::<IntegrationResponse>(&[&input.api_id, &input.integration_id])?;
    let ask = Ask::new(input.max_results, input.next_token);
    let list = &["GetIntegrationResponses", &input.api_id, &input.integration_id];
    let page = list::cut(cx, list, &ask, responses, |response| {
        response.integration_response_id.clone().unwrap_or_default()
    })?;
    Ok(GetIntegrationResponsesResponse { items: Some(page.items), next_token: page.next })
}

/// `PATCH /v2/apis/{apiId}/integrations/{integrationId}/integrationresponses/{integrationResponseId}`
pub fn update_integration_response(
    cx: &mut Cx<'_>,
    input: UpdateIntegrationResponseRequest,
) -> Result<IntegrationResponse> {
    let api = api::existing(cx, &input.api_id)?;
    integration::existing(cx, &input.api_id, &input.integration_id)?;
    let id = &input.integration_response_id;
    let mut response = existing(cx, &input.api_id, &input.integration_id, id)?;
    replace(&mut response.content_handling_strategy, input.content_handling_strategy);
    replace(&mut response.integration_response_key, input.integration_response_key);
    merge_texts(&mut response.response_parameters, input.response_parameters);
    merge_texts(&mut response.response_templates, input.response_templates);
    replace_text(&mut response.template_selection_expression, input.template_selection_expression);
    check(cx, &api, &input.integration_id, &response)?;
    cx.put(&[&input.api_id, &input.integration_id, id], &response)?;
    deploy::after_change(cx, &input.api_id)?;
    Ok(response)
}

/// `DELETE /v2/apis/{apiId}/integrations/{integrationId}/integrationresponses/{integrationResponseId}`
pub fn delete_integration_response(cx: &mut Cx<'_>, input: DeleteIntegrationResponseRequest) -> Result<()> {
    api::existing(cx, &input.api_id)?;
    integration::existing(cx, &input.api_id, &input.integration_id)?;
    existing(cx, &input.api_id, &input.integration_id, &input.integration_response_id)?;
    let ids = &[input.api_id.as_str(), &input.integration_id, &input.integration_response_id];
    cx.delete::<IntegrationResponse>(ids)?;
    deploy::after_change(cx, &input.api_id)
}

fn existing(cx: &mut Cx<'_>, api_id: &str, integration_id: &str, id: &str) -> Result<IntegrationResponse> {
    cx.get(&[api_id, integration_id, id])?.ok_or_else(|| messages::integration_response_not_found(id))
}

fn check(cx: &mut Cx<'_>, of: &Api, integration_id: &str, response: &IntegrationResponse) -> Result<()> {
    if api::protocol(of) != ProtocolType::Websocket {
        return Err(messages::integration_responses_websocket_only());
    }
    let key = response.integration_response_key.as_deref().unwrap_or_default();
    let pattern = key.len() > 2 && key.starts_with('/') && key.ends_with('/');
    if key != "$default" && !pattern {
        return Err(messages::integration_response_key_invalid(key));
    }
    let others = cx.all::<IntegrationResponse>(&[api::id(of), integration_id])?;
    let taken = others.iter().any(|other| {
        other.integration_response_id != response.integration_response_id
            && other.integration_response_key == response.integration_response_key
    });
    if taken { Err(messages::integration_response_key_taken(key)) } else { Ok(()) }
}
