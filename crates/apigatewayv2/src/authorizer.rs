//! Authorizers: who decides whether a request may reach a route. Asking them is the data plane's. What one may be
//! stands in `authorizer_rules`.

use stagedoor_api::apigatewayv2::{
    Authorizer, CreateAuthorizerRequest, DeleteAuthorizerRequest, GetAuthorizerRequest,
    GetAuthorizersRequest, GetAuthorizersResponse, ResetAuthorizersCacheRequest, Route,
    UpdateAuthorizerRequest,
};
use stagedoor_state::http::AuthorizerCacheEpoch;
use stagedoor_state::{Cx, Result};

use crate::list::{self, Ask};
use crate::merge::{present, replace, replace_text};
use crate::{api, authorizer_rules, deploy, limits, messages, stage};

/// Length of the ids that AWS gives to authorizers.
pub const ID_LENGTH: usize = 6;

/// `POST /v2/apis/{apiId}/authorizers`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-authorizers.html#CreateAuthorizer>
pub fn create_authorizer(cx: &mut Cx<'_>, input: CreateAuthorizerRequest) -> Result<Authorizer> {
    let api = api::existing(cx, &input.api_id)?;
    if cx.count::<Authorizer>(&[&input.api_id])? >= limits::AUTHORIZERS_MAX {
        return Err(messages::too_many("Authorizers"));
    }
    let id = cx.new_id(ID_LENGTH);
    let authorizer = Authorizer {
        authorizer_credentials_arn: present(input.authorizer_credentials_arn),
        authorizer_id: Some(id.clone()),
        authorizer_payload_format_version: present(input.authorizer_payload_format_version),
        authorizer_result_ttl_in_seconds: input.authorizer_result_ttl_in_seconds,
        authorizer_type: Some(input.authorizer_type),
        authorizer_uri: present(input.authorizer_uri),
        enable_simple_responses: input.enable_simple_responses,
        identity_source: Some(input.identity_source),
        identity_validation_expression: present(input.identity_validation_expression),
        jwt_configuration: input.jwt_configuration,
        name: Some(input.name),
    };
    let authorizer = authorizer_rules::without_foreign_members(api::protocol(&api), authorizer);
    check(cx, &input.api_id, &authorizer)?;
    authorizer_rules::check(api::protocol(&api), &authorizer)?;
    cx.put(&[&input.api_id, &id], &authorizer)?;
    deploy::after_change(cx, &input.api_id)?;
    Ok(authorizer)
}

/// `GET /v2/apis/{apiId}/authorizers/{authorizerId}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-authorizers-authorizerid.html>
pub fn get_authorizer(cx: &mut Cx<'_>, input: GetAuthorizerRequest) -> Result<Authorizer> {
    api::existing(cx, &input.api_id)?;
    existing(cx, &input.api_id, &input.authorizer_id)
}

/// `GET /v2/apis/{apiId}/authorizers`, by id.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-authorizers.html#GetAuthorizers>
pub fn get_authorizers(cx: &mut Cx<'_>, input: GetAuthorizersRequest) -> Result<GetAuthorizersResponse> {
    api::existing(cx, &input.api_id)?;
    let authorizers = cx.all::<Authorizer>(&[&input.api_id])?;
    let ask = Ask::new(input.max_results, input.next_token);
    let page = list::cut(cx, &["GetAuthorizers", &input.api_id], &ask, authorizers, |authorizer| {
        authorizer.authorizer_id.clone().unwrap_or_default()
    })?;
    Ok(GetAuthorizersResponse { items: Some(page.items), next_token: page.next })
}

/// `PATCH /v2/apis/{apiId}/authorizers/{authorizerId}`. Its type cannot change while routes refer to it.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-authorizers-authorizerid.html>
pub fn update_authorizer(cx: &mut Cx<'_>, input: UpdateAuthorizerRequest) -> Result<Authorizer> {
    let api = api::existing(cx, &input.api_id)?;
    let mut authorizer = existing(cx, &input.api_id, &input.authorizer_id)?;
    if input.authorizer_type.is_some_and(|kind| Some(kind) != authorizer.authorizer_type) {
        check_unused(cx, &input.api_id, &authorizer)?;
    }
    replace_text(&mut authorizer.authorizer_credentials_arn, input.authorizer_credentials_arn);
    replace_text(&mut authorizer.authorizer_payload_format_version, input.authorizer_payload_format_version);
    replace(&mut authorizer.authorizer_result_ttl_in_seconds, input.authorizer_result_ttl_in_seconds);
    replace(&mut authorizer.authorizer_type, input.authorizer_type);
    replace_text(&mut authorizer.authorizer_uri, input.authorizer_uri);
    replace(&mut authorizer.enable_simple_responses, input.enable_simple_responses);
    replace(&mut authorizer.identity_source, input.identity_source);
    replace_text(&mut authorizer.identity_validation_expression, input.identity_validation_expression);
    replace(&mut authorizer.name, input.name);
    if let Some(given) = input.jwt_configuration {
        let jwt = authorizer.jwt_configuration.get_or_insert_default();
        replace(&mut jwt.audience, given.audience);
        replace(&mut jwt.issuer, given.issuer);
    }
    let authorizer = authorizer_rules::without_foreign_members(api::protocol(&api), authorizer);
    check(cx, &input.api_id, &authorizer)?;
    authorizer_rules::check(api::protocol(&api), &authorizer)?;
    cx.put(&[&input.api_id, &input.authorizer_id], &authorizer)?;
    deploy::after_change(cx, &input.api_id)?;
    Ok(authorizer)
}

/// `DELETE /v2/apis/{apiId}/authorizers/{authorizerId}`, unless a route refers to it.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-authorizers-authorizerid.html>
pub fn delete_authorizer(cx: &mut Cx<'_>, input: DeleteAuthorizerRequest) -> Result<()> {
    api::existing(cx, &input.api_id)?;
    let authorizer = existing(cx, &input.api_id, &input.authorizer_id)?;
    check_unused(cx, &input.api_id, &authorizer)?;
    cx.delete::<Authorizer>(&[&input.api_id, &input.authorizer_id])?;
    deploy::after_change(cx, &input.api_id)
}

/// `DELETE /v2/apis/{apiId}/stages/{stageName}/cache/authorizers`: whoever keeps answers of this stage's
/// authorizers drops them when the epoch it follows has changed.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages-stagename-cache-authorizers.html>
pub fn reset_authorizers_cache(cx: &mut Cx<'_>, input: ResetAuthorizersCacheRequest) -> Result<()> {
    api::existing(cx, &input.api_id)?;
    stage::existing(cx, &input.api_id, &input.stage_name)?;
    let ids = &[input.api_id.as_str(), input.stage_name.as_str()];
    let before = cx.get::<AuthorizerCacheEpoch>(ids)?.unwrap_or_default();
    cx.put(ids, &AuthorizerCacheEpoch { resets: before.resets + 1 })
}

fn existing(cx: &mut Cx<'_>, api_id: &str, id: &str) -> Result<Authorizer> {
    cx.get(&[api_id, id])?.ok_or_else(messages::authorizer_not_found)
}

/// Refuses a name that another authorizer of the API has.
fn check(cx: &mut Cx<'_>, api_id: &str, authorizer: &Authorizer) -> Result<()> {
    let others = cx.all::<Authorizer>(&[api_id])?;
    let taken = others
        .iter()
        .any(|other| other.authorizer_id != authorizer.authorizer_id && other.name == authorizer.name);
    match taken {
        true => Err(messages::authorizer_name_taken(authorizer.name.as_deref().unwrap_or_default())),
        false => Ok(()),
    }
}

fn check_unused(cx: &mut Cx<'_>, api_id: &str, authorizer: &Authorizer) -> Result<()> {
    let routes = cx.all::<Route>(&[api_id])?;
    let user = routes
        .iter()
        .find(|route| route.authorizer_id.is_some() && route.authorizer_id == authorizer.authorizer_id);
    match user {
        Some(route) => Err(messages::authorizer_in_use(
            authorizer.name.as_deref().unwrap_or_default(),
            route.route_key.as_deref().unwrap_or_default(),
        )),
        None => Ok(()),
    }
}
