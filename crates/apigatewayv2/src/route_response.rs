//! Route responses: whether a WebSocket API's route answers at all. HTTP APIs have none.

use stagedoor_api::apigatewayv2::{
    Api, CreateRouteResponseRequest, DeleteRouteResponseRequest, GetRouteResponseRequest,
    GetRouteResponsesRequest, GetRouteResponsesResponse, ProtocolType, RouteResponse,
    UpdateRouteResponseRequest,
};
use stagedoor_state::{Cx, Result};

use crate::list::{self, Ask};
use crate::merge::{merge_entries, merge_texts, present, replace, replace_text};
use crate::{api, deploy, messages, route};

const ID_LENGTH: usize = 7;

/// The only key that AWS knows so far.
const KEY: &str = "$default";

/// `POST /v2/apis/{apiId}/routes/{routeId}/routeresponses`
pub fn create_route_response(cx: &mut Cx<'_>, input: CreateRouteResponseRequest) -> Result<RouteResponse> {
    let api = api::existing(cx, &input.api_id)?;
    route::existing(cx, &input.api_id, &input.route_id)?;
    let id = cx.new_id(ID_LENGTH);
    let response = RouteResponse {
        model_selection_expression: present(input.model_selection_expression),
        response_models: input.response_models,
        response_parameters: input.response_parameters,
        route_response_id: Some(id.clone()),
        route_response_key: Some(input.route_response_key),
    };
    check(cx, &api, &input.route_id, &response)?;
    cx.put(&[&input.api_id, &input.route_id, &id], &response)?;
    deploy::after_change(cx, &input.api_id)?;
    Ok(response)
}

/// `GET /v2/apis/{apiId}/routes/{routeId}/routeresponses/{routeResponseId}`
pub fn get_route_response(cx: &mut Cx<'_>, input: GetRouteResponseRequest) -> Result<RouteResponse> {
    api::existing(cx, &input.api_id)?;
    route::existing(cx, &input.api_id, &input.route_id)?;
    existing(cx, &input.api_id, &input.route_id, &input.route_response_id)
}

/// `GET /v2/apis/{apiId}/routes/{routeId}/routeresponses`, by id.
pub fn get_route_responses(
    cx: &mut Cx<'_>,
    input: GetRouteResponsesRequest,
) -> Result<GetRouteResponsesResponse> {
    api::existing(cx, &input.api_id)?;
    route::existing(cx, &input.api_id, &input.route_id)?;
    let responses = cx.all::<RouteResponse>(&[&input.api_id, &input.route_id])?;
    let ask = Ask::new(input.max_results, input.next_token);
    let list = &["GetRouteResponses", &input.api_id, &input.route_id];
    let page = list::cut(cx, list, &ask, responses, |response| {
        response.route_response_id.clone().unwrap_or_default()
    })?;
    Ok(GetRouteResponsesResponse { items: Some(page.items), next_token: page.next })
}

/// `PATCH /v2/apis/{apiId}/routes/{routeId}/routeresponses/{routeResponseId}`
pub fn update_route_response(cx: &mut Cx<'_>, input: UpdateRouteResponseRequest) -> Result<RouteResponse> {
    let api = api::existing(cx, &input.api_id)?;
    route::existing(cx, &input.api_id, &input.route_id)?;
    let mut response = existing(cx, &input.api_id, &input.route_id, &input.route_response_id)?;
    replace_text(&mut response.model_selection_expression, input.model_selection_expression);
    merge_texts(&mut response.response_models, input.response_models);
    merge_entries(&mut response.response_parameters, input.response_parameters);
    replace(&mut response.route_response_key, input.route_response_key);
    check(cx, &api, &input.route_id, &response)?;
    cx.put(&[&input.api_id, &input.route_id, &input.route_response_id], &response)?;
    deploy::after_change(cx, &input.api_id)?;
    Ok(response)
}

/// `DELETE /v2/apis/{apiId}/routes/{routeId}/routeresponses/{routeResponseId}`
pub fn delete_route_response(cx: &mut Cx<'_>, input: DeleteRouteResponseRequest) -> Result<()> {
    api::existing(cx, &input.api_id)?;
    route::existing(cx, &input.api_id, &input.route_id)?;
    existing(cx, &input.api_id, &input.route_id, &input.route_response_id)?;
    cx.delete::<RouteResponse>(&[&input.api_id, &input.route_id, &input.route_response_id])?;
    deploy::after_change(cx, &input.api_id)
}

fn existing(cx: &mut Cx<'_>, api_id: &str, route_id: &str, id: &str) -> Result<RouteResponse> {
    cx.get(&[api_id, route_id, id])?.ok_or_else(|| messages::route_response_not_found(id))
}

fn check(cx: &mut Cx<'_>, of: &Api, route_id: &str, response: &RouteResponse) -> Result<()> {
    if api::protocol(of) != ProtocolType::Websocket {
        return Err(messages::route_responses_websocket_only());
    }
    if response.route_response_key.as_deref() != Some(KEY) {
        return Err(messages::route_response_key_not_default());
    }
    let others = cx.all::<RouteResponse>(&[api::id(of), route_id])?;
    match others.iter().any(|other| other.route_response_id != response.route_response_id) {
        true => Err(messages::route_response_key_taken(KEY)),
        false => Ok(()),
    }
}
