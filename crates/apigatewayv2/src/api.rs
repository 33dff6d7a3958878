//! APIs: what routes, integrations, stages and deployments belong to. Quick create stands in `quick_create`.

use stagedoor_api::apigateway::RestApi;
use stagedoor_api::apigatewayv2::{
    Api, Authorizer, CreateApiRequest, DeleteApiRequest, DeleteCorsConfigurationRequest, Deployment,
    GetApiRequest, GetApisRequest, GetApisResponse, Integration, IntegrationResponse, IpAddressType, Model,
    ProtocolType, Route, RouteResponse, Stage, UpdateApiRequest,
};
use stagedoor_state::http::{AuthorizerCacheEpoch, Snapshot};
use stagedoor_state::page::oldest_first;
use stagedoor_state::{Cx, Result, domain, tags};

use crate::list::{self, Ask};
use crate::merge::{present, replace, replace_text};
use crate::quick_create::{self, Quick};
use crate::{cors, deploy, endpoint, limits, messages, tagging};

/// Length of the ids that AWS gives to APIs.
const ID_LENGTH: usize = 10;

const API_KEY_SELECTION: &str = "$request.header.x-api-key";
const HTTP_ROUTE_SELECTION: &str = "$request.method $request.path";
const HTTP_ROUTE_SELECTION_BRACED: &str = "${request.method} ${request.path}";

/// `POST /v2/apis`. Where a target is given, an integration, a route and a stage are made with the API.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html#CreateApi>
pub fn create_api(cx: &mut Cx<'_>, mut input: CreateApiRequest) -> Result<Api> {
    tagging::check(input.tags.as_ref())?;
    let quick = Quick::new(input.target.take(), input.route_key.take(), input.credentials_arn.take());
    let id = new_id(cx, input.tags.as_ref())?;
    let api = Api {
        api_id: Some(id.clone()),
        api_key_selection_expression: present(input.api_key_selection_expression)
            .or_else(|| Some(API_KEY_SELECTION.to_owned())),
        cors_configuration: input.cors_configuration,
        created_date: Some(cx.now().whole_seconds()),
        description: present(input.description),
        disable_execute_api_endpoint: Some(input.disable_execute_api_endpoint.unwrap_or(false)),
        disable_schema_validation: input.disable_schema_validation,
        ip_address_type: Some(input.ip_address_type.unwrap_or(IpAddressType::Ipv4)),
        name: Some(input.name),
        protocol_type: Some(input.protocol_type),
        route_selection_expression: present(input.route_selection_expression)
            .or_else(|| default_selection(input.protocol_type)),
        tags: Some(input.tags.unwrap_or_default()),
        version: present(input.version),
        ..Api::default()
    };
    check(&api)?;
    cx.put(&[&id], &api)?;
    if let Some(quick) = quick {
        quick_create::make(cx, &api, quick)?;
    }
    Ok(answer(cx, api))
}

/// `GET /v2/apis/{apiId}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid.html#GetApi>
pub fn get_api(cx: &mut Cx<'_>, input: GetApiRequest) -> Result<Api> {
    let api = existing(cx, &input.api_id)?;
    Ok(answer(cx, api))
}

/// `GET /v2/apis`, oldest first.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html#GetApis>
pub fn get_apis(cx: &mut Cx<'_>, input: GetApisRequest) -> Result<GetApisResponse> {
    let apis = cx.all::<Api>(&[])?;
    let ask = Ask::new(input.max_results, input.next_token);
    let page = list::cut(cx, &["GetApis"], &ask, apis, |api| {
        oldest_first(api.created_date.unwrap_or_default().as_micros(), id(api))
    })?;
    let items = page.items.into_iter().map(|api| answer(cx, api)).collect();
    Ok(GetApisResponse { items: Some(items), next_token: page.next })
}

/// `PATCH /v2/apis/{apiId}`. CORS is replaced as a whole; it can only be removed by `DeleteCorsConfiguration`.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid.html#UpdateApi>
pub fn update_api(cx: &mut Cx<'_>, mut input: UpdateApiRequest) -> Result<Api> {
    let mut api = existing(cx, &input.api_id)?;
    let quick = Quick::new(input.target.take(), input.route_key.take(), input.credentials_arn.take());
    replace(&mut api.api_key_selection_expression, present(input.api_key_selection_expression));
    replace(&mut api.cors_configuration, input.cors_configuration);
    replace_text(&mut api.description, input.description);
    replace(&mut api.disable_execute_api_endpoint, input.disable_execute_api_endpoint);
    replace(&mut api.disable_schema_validation, input.disable_schema_validation);
    replace(&mut api.ip_address_type, input.ip_address_type);
    replace(&mut api.name, input.name);
    replace(&mut api.route_selection_expression, present(input.route_selection_expression));
    replace_text(&mut api.version, input.version);
    check(&api)?;
    cx.put(&[&input.api_id], &api)?;
    if let Some(quick) = quick {
        quick_create::change(cx, &api, quick)?;
    }
    deploy::after_change(cx, &input.api_id)?;
    Ok(answer(cx, api))
}

/// `DELETE /v2/apis/{apiId}`, with everything that belongs to the API, unless a domain maps to it.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid.html#DeleteApi>
pub fn delete_api(cx: &mut Cx<'_>, input: DeleteApiRequest) -> Result<()> {
    existing(cx, &input.api_id)?;
    if domain::is_mapped(cx, &input.api_id)? {
        return Err(messages::api_is_mapped(&input.api_id));
    }
    let api = &[input.api_id.as_str()];
    cx.delete_all::<Stage>(api)?;
    cx.delete_all::<Deployment>(api)?;
    cx.delete_all::<Snapshot>(api)?;
    cx.delete_all::<RouteResponse>(api)?;
    cx.delete_all::<Route>(api)?;
    cx.delete_all::<IntegrationResponse>(api)?;
    cx.delete_all::<Integration>(api)?;
    cx.delete_all::<Authorizer>(api)?;
    cx.delete_all::<AuthorizerCacheEpoch>(api)?;
    cx.delete_all::<Model>(api)?;
    cx.delete::<Api>(api)
}

/// `DELETE /v2/apis/{apiId}/cors`; no error if the API has none.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-cors.html#DeleteCorsConfiguration>
pub fn delete_cors_configuration(cx: &mut Cx<'_>, input: DeleteCorsConfigurationRequest) -> Result<()> {
    let mut api = existing(cx, &input.api_id)?;
    api.cors_configuration = None;
    cx.put(&[&input.api_id], &api)?;
    deploy::after_change(cx, &input.api_id)
}

/// The API of that id.
pub fn existing(cx: &mut Cx<'_>, id: &str) -> Result<Api> {
    let account = cx.account();
    cx.get(&[id])?.ok_or_else(|| messages::api_not_found(account, id))
}

/// What kind of API it is.
pub fn protocol(api: &Api) -> ProtocolType {
    api.protocol_type.unwrap_or_default()
}

/// The API's id, which every stored one has.
pub fn id(api: &Api) -> &str {
    api.api_id.as_deref().unwrap_or_default()
}

/// An API as it is answered: what is stored, and where it is reached.
pub fn answer(cx: &Cx<'_>, mut api: Api) -> Api {
    api.api_endpoint = Some(endpoint(cx, &api));
    api
}

/// Where the API is reached.
pub fn endpoint(cx: &Cx<'_>, api: &Api) -> String {
    endpoint::of(&cx.environment.endpoints.http, cx.region(), protocol(api), id(api))
}

fn default_selection(protocol: ProtocolType) -> Option<String> {
    (protocol == ProtocolType::Http).then(|| HTTP_ROUTE_SELECTION.to_owned())
}

/// An HTTP API of a definition, with what an API shows of members that were not given.
pub fn http_defaults(api: Api) -> Api {
    Api {
        api_key_selection_expression: Some(API_KEY_SELECTION.to_owned()),
        disable_execute_api_endpoint: Some(api.disable_execute_api_endpoint.unwrap_or(false)),
        ip_address_type: Some(api.ip_address_type.unwrap_or(IpAddressType::Ipv4)),
        route_selection_expression: default_selection(ProtocolType::Http),
        tags: Some(api.tags.unwrap_or_default()),
        ..api
    }
}

/// A fresh id, or the one that the client chose. REST APIs share the addresses, and so the ids, of these.
pub fn new_id(cx: &mut Cx<'_>, given: Option<&tags::Tags>) -> Result<String> {
    let Some(chosen) = tagging::chosen_id(given)? else { return Ok(cx.new_id(ID_LENGTH)) };
    if cx.exists::<Api>(&[chosen])? || cx.exists::<RestApi>(&[chosen])? {
        return Err(messages::api_id_taken(chosen));
    }
    Ok(chosen.to_owned())
}

/// Refuses an API that AWS would refuse.
pub fn check(api: &Api) -> Result<()> {
    let name = api.name.as_deref().unwrap_or_default();
    if name.is_empty() || name.chars().count() > limits::NAME_MAX {
        return Err(messages::api_name_invalid());
    }
    limits::at_most("description", api.description.as_deref(), limits::DESCRIPTION_MAX)?;
    limits::at_most("version", api.version.as_deref(), limits::NAME_MAX)?;
    let selection = api.route_selection_expression.as_deref();
    match protocol(api) {
        ProtocolType::Http => {
            if !matches!(selection, Some(HTTP_ROUTE_SELECTION | HTTP_ROUTE_SELECTION_BRACED)) {
                return Err(messages::http_selection_fixed());
            }
            api.cors_configuration.as_ref().map_or(Ok(()), cors::check)
        }
        ProtocolType::Websocket if selection.is_none() => Err(messages::websocket_without_selection()),
        ProtocolType::Websocket if api.cors_configuration.is_some() => Err(messages::cors_http_only()),
        ProtocolType::Websocket => Ok(()),
    }
}
