//! Routes: which integration answers which requests or messages.

use stagedoor_api::apigatewayv2::{
    Api, AuthorizationType, Authorizer, AuthorizerType, CreateRouteRequest, DeleteRouteRequest,
    DeleteRouteRequestParameterRequest, GetRouteRequest, GetRoutesRequest, GetRoutesResponse, Integration,
    ProtocolType, Route, RouteResponse, UpdateRouteRequest,
};
use stagedoor_state::{Cx, Result};

use crate::list::{self, Ask};
use crate::merge::{merge_entries, merge_texts, present, replace, replace_text};
use crate::{api, deploy, limits, messages, route_key};

/// Length of the ids that AWS gives to routes.
pub const ID_LENGTH: usize = 7;

/// What the target of a route begins with.
pub const TARGET_PREFIX: &str = "integrations/";

/// `POST /v2/apis/{apiId}/routes`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-routes.html#CreateRoute>
pub fn create_route(cx: &mut Cx<'_>, input: CreateRouteRequest) -> Result<Route> {
    let api = api::existing(cx, &input.api_id)?;
    if cx.count::<Route>(&[&input.api_id])? >= limits::ROUTES_MAX {
        return Err(messages::too_many("Routes"));
    }
    let id = cx.new_id(ID_LENGTH);
    let route = Route {
        api_key_required: Some(input.api_key_required.unwrap_or(false)),
        authorization_scopes: input.authorization_scopes.filter(|scopes| !scopes.is_empty()),
        authorization_type: Some(input.authorization_type.unwrap_or(AuthorizationType::None)),
        authorizer_id: present(input.authorizer_id),
        model_selection_expression: present(input.model_selection_expression),
        operation_name: present(input.operation_name),
        request_models: input.request_models,
        request_parameters: input.request_parameters,
        route_id: Some(id.clone()),
        route_key: Some(input.route_key),
        route_response_selection_expression: present(input.route_response_selection_expression),
        target: present(input.target),
        ..Route::default()
    };
    check(cx, &api, &route)?;
    cx.put(&[&input.api_id, &id], &route)?;
    deploy::after_change(cx, &input.api_id)?;
    Ok(route)
}

/// `GET /v2/apis/{apiId}/routes/{routeId}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-routes-routeid.html#GetRoute>
pub fn get_route(cx: &mut Cx<'_>, input: GetRouteRequest) -> Result<Route> {
    api::existing(cx, &input.api_id)?;
    existing(cx, &input.api_id, &input.route_id)
}

/// `GET /v2/apis/{apiId}/routes`, by id.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-routes.html#GetRoutes>
pub fn get_routes(cx: &mut Cx<'_>, input: GetRoutesRequest) -> Result<GetRoutesResponse> {
    api::existing(cx, &input.api_id)?;
    let routes = cx.all::<Route>(&[&input.api_id])?;
    let ask = Ask::new(input.max_results, input.next_token);
    let page = list::cut(cx, &["GetRoutes", &input.api_id], &ask, routes, |route| {
        route.route_id.clone().unwrap_or_default()
    })?;
    Ok(GetRoutesResponse { items: Some(page.items), next_token: page.next })
}

/// `PATCH /v2/apis/{apiId}/routes/{routeId}`. The key can change in place.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-routes-routeid.html#UpdateRoute>
pub fn update_route(cx: &mut Cx<'_>, input: UpdateRouteRequest) -> Result<Route> {
    let api = api::existing(cx, &input.api_id)?;
    let mut route = existing(cx, &input.api_id, &input.route_id)?;
    replace(&mut route.api_key_required, input.api_key_required);
    if let Some(scopes) = input.authorization_scopes {
        route.authorization_scopes = Some(scopes).filter(|scopes| !scopes.is_empty());
    }
    replace(&mut route.authorization_type, input.authorization_type);
    replace_text(&mut route.authorizer_id, input.authorizer_id);
    replace_text(&mut route.model_selection_expression, input.model_selection_expression);
    replace_text(&mut route.operation_name, input.operation_name);
    merge_texts(&mut route.request_models, input.request_models);
    merge_entries(&mut route.request_parameters, input.request_parameters);
    replace(&mut route.route_key, input.route_key);
    replace_text(&mut route.route_response_selection_expression, input.route_response_selection_expression);
    replace_text(&mut route.target, input.target);
    check(cx, &api, &route)?;
    cx.put(&[&input.api_id, &input.route_id], &route)?;
    deploy::after_change(cx, &input.api_id)?;
    Ok(route)
}

/// `DELETE /v2/apis/{apiId}/routes/{routeId}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-routes-routeid.html#DeleteRoute>
pub fn delete_route(cx: &mut Cx<'_>, input: DeleteRouteRequest) -> Result<()> {
    api::existing(cx, &input.api_id)?;
    existing(cx, &input.api_id, &input.route_id)?;
    let ids = &[input.api_id.as_str(), input.route_id.as_str()];
    cx.delete_all::<RouteResponse>(ids)?;
    cx.delete::<Route>(ids)?;
    deploy::after_change(cx, &input.api_id)
}

/// `DELETE /v2/apis/{apiId}/routes/{routeId}/requestparameters/{requestParameterKey}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-routes-routeid-requestparameters-requestparameterkey.html>
pub fn delete_route_request_parameter(
    cx: &mut Cx<'_>,
    input: DeleteRouteRequestParameterRequest,
) -> Result<()> {
    api::existing(cx, &input.api_id)?;
    let mut route = existing(cx, &input.api_id, &input.route_id)?;
    let removed = route.request_parameters.as_mut().and_then(|all| all.remove(&input.request_parameter_key));
    if removed.is_none() {
        return Err(messages::request_parameter_not_found(&input.request_parameter_key));
    }
    route.request_parameters = route.request_parameters.filter(|left| !left.is_empty());
    cx.put(&[&input.api_id, &input.route_id], &route)?;
    deploy::after_change(cx, &input.api_id)
}

/// The route of that id.
pub fn existing(cx: &mut Cx<'_>, api_id: &str, id: &str) -> Result<Route> {
    cx.get(&[api_id, id])?.ok_or_else(|| messages::route_not_found(id))
}

/// The id of the integration that a route calls.
pub fn integration(route: &Route) -> Option<&str> {
    route.target.as_deref()?.strip_prefix(TARGET_PREFIX)
}

/// Refuses a route that its API cannot have.
pub fn check(cx: &mut Cx<'_>, of: &Api, route: &Route) -> Result<()> {
    let protocol = api::protocol(of);
    check_alone(protocol, route)?;
    check_unique(cx, api::id(of), protocol, route)?;
    check_target(cx, api::id(of), route)?;
    check_authorization(cx, api::id(of), route)
}

/// The part of [`check`] that needs no other document.
pub fn check_alone(protocol: ProtocolType, route: &Route) -> Result<()> {
    let key = route.route_key.as_deref().unwrap_or_default();
    route_key::check(protocol, key)?;
    limits::at_most("operationName", route.operation_name.as_deref(), 64)?;
    match protocol {
        ProtocolType::Http => check_http_members(route),
        ProtocolType::Websocket if key != route_key::CONNECT => check_message_members(route),
        ProtocolType::Websocket => Ok(()),
    }
}

/// Refuses a key that an API with a route of the other key cannot have.
pub fn check_keys(protocol: ProtocolType, key: &str, other: &str) -> Result<()> {
    if other == key {
        return Err(messages::route_key_taken(key));
    }
    match protocol == ProtocolType::Http && route_key::ambiguous(key, other) {
        true => Err(messages::route_key_ambiguous(key, other)),
        false => Ok(()),
    }
}

fn check_unique(cx: &mut Cx<'_>, api_id: &str, protocol: ProtocolType, route: &Route) -> Result<()> {
    let key = route.route_key.as_deref().unwrap_or_default();
    for other in cx.all::<Route>(&[api_id])? {
        if other.route_id != route.route_id {
            check_keys(protocol, key, other.route_key.as_deref().unwrap_or_default())?;
        }
    }
    Ok(())
}

fn check_target(cx: &mut Cx<'_>, api_id: &str, route: &Route) -> Result<()> {
    if route.target.is_none() {
        return Ok(());
    }
    let id = integration(route).ok_or_else(messages::target_malformed)?;
    match cx.exists::<Integration>(&[api_id, id])? {
        true => Ok(()),
        false => Err(messages::integration_not_found(id)),
    }
}

/// What only routes of WebSocket APIs can have.
fn check_http_members(route: &Route) -> Result<()> {
    if route.api_key_required == Some(true) {
        return Err(messages::api_key_not_for_http());
    }
    let unsupported = [
        ("ModelSelectionExpression", route.model_selection_expression.is_some()),
        ("RequestModels", route.request_models.as_ref().is_some_and(|models| !models.is_empty())),
        ("RequestParameters", route.request_parameters.as_ref().is_some_and(|all| !all.is_empty())),
        ("RouteResponseSelectionExpression", route.route_response_selection_expression.is_some()),
    ];
    match unsupported.iter().find(|(_, given)| *given) {
        Some((member, _)) => Err(messages::not_for_http_routes(member)),
        None => Ok(()),
    }
}

/// What only the `$connect` route of a WebSocket API can have.
fn check_message_members(route: &Route) -> Result<()> {
    if route.authorization_type.is_some_and(|kind| kind != AuthorizationType::None) {
        return Err(messages::authorization_connect_only());
    }
    match route.request_parameters.as_ref().is_some_and(|all| !all.is_empty()) {
        true => Err(messages::request_parameters_connect_only()),
        false => Ok(()),
    }
}

fn check_authorization(cx: &mut Cx<'_>, api_id: &str, route: &Route) -> Result<()> {
    let kind = route.authorization_type.unwrap_or_default();
    if kind != AuthorizationType::Jwt && route.authorization_scopes.is_some() {
        return Err(messages::scopes_not_allowed());
    }
    let (wanted, refusal) = match kind {
        AuthorizationType::None | AuthorizationType::AwsIam => return Ok(()),
        AuthorizationType::Custom => (AuthorizerType::Request, messages::authorizer_invalid()),
        AuthorizationType::Jwt => (AuthorizerType::Jwt, messages::jwt_authorizer_invalid()),
    };
    let Some(id) = route.authorizer_id.as_deref() else { return Err(refusal) };
    let authorizer = cx.get::<Authorizer>(&[api_id, id])?;
    match authorizer.and_then(|authorizer| authorizer.authorizer_type) {
        Some(kind) if kind == wanted => Ok(()),
        _ => Err(refusal),
    }
}
