//! What an API answers where no integration does: `PutGatewayResponse`, `GetGatewayResponse`, `GetGatewayResponses`,
//! `UpdateGatewayResponse`, `DeleteGatewayResponse`.
//!
//! Only customised responses are stored. All types are always shown: an own entry wins, then what is customised of
//! `DEFAULT_4XX` or `DEFAULT_5XX`, then AWS's default.

use std::collections::BTreeMap;

use stagedoor_api::apigateway::{
    DeleteGatewayResponseRequest, GatewayResponse, GatewayResponseType as Type, GatewayResponses,
    GetGatewayResponseRequest, GetGatewayResponsesRequest, Op, PutGatewayResponseRequest,
    UpdateGatewayResponseRequest,
};
use stagedoor_state::{Cx, Fault, Result};

use crate::patch::{ADD_REPLACE_REMOVE, Change, Refused, Row, Table, patch_entry};
use crate::{listing, mapping, messages, rest_api};

/// All types in the order in which they are listed, with the status that AWS gives them.
const DEFAULTS: &[(Type, Option<&str>)] = &[
    (Type::AccessDenied, Some("403")),
    (Type::ApiConfigurationError, Some("500")),
    (Type::AuthorizerConfigurationError, Some("500")),
    (Type::AuthorizerFailure, Some("500")),
    (Type::BadRequestBody, Some("400")),
    (Type::BadRequestParameters, Some("400")),
    (Type::Default4xx, None),
    (Type::Default5xx, None),
    (Type::ExpiredToken, Some("403")),
    (Type::IntegrationFailure, Some("504")),
    (Type::IntegrationTimeout, Some("504")),
    (Type::InvalidApiKey, Some("403")),
    (Type::InvalidSignature, Some("403")),
    (Type::MissingAuthenticationToken, Some("403")),
    (Type::QuotaExceeded, Some("429")),
    (Type::RequestTooLarge, Some("413")),
    (Type::ResourceNotFound, Some("404")),
    (Type::Throttled, Some("429")),
    (Type::Unauthorized, Some("401")),
    (Type::UnsupportedMediaType, Some("415")),
    (Type::WafFiltered, Some("403")),
];

const DEFAULT_TEMPLATE: &str = r#"{"message":$context.error.messageString}"#;

/// `PUT /restapis/{restapi_id}/gatewayresponses/{response_type}`: what is not given becomes AWS's default.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_PutGatewayResponse.html>
pub fn put_gateway_response(cx: &mut Cx<'_>, input: PutGatewayResponseRequest) -> Result<GatewayResponse> {
    rest_api::existing(cx, &input.rest_api_id)?;
    let default = default_of(input.response_type);
    let response = GatewayResponse {
        default_response: Some(false),
        status_code: input.status_code.or(default.status_code),
        response_parameters: input.response_parameters.or(default.response_parameters),
        response_templates: input.response_templates.or(default.response_templates),
        response_type: default.response_type,
    };
    store(cx, &input.rest_api_id, response)
}

/// `GET /restapis/{restapi_id}/gatewayresponses/{response_type}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetGatewayResponse.html>
pub fn get_gateway_response(cx: &mut Cx<'_>, input: GetGatewayResponseRequest) -> Result<GatewayResponse> {
    rest_api::existing(cx, &input.rest_api_id)?;
    let customised = customised(cx, &input.rest_api_id)?;
    Ok(shown(&customised, input.response_type))
}

/// `GET /restapis/{restapi_id}/gatewayresponses`: every type, by name.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetGatewayResponses.html>
pub fn get_gateway_responses(cx: &mut Cx<'_>, input: GetGatewayResponsesRequest) -> Result<GatewayResponses> {
    let api = input.rest_api_id.as_str();
    rest_api::existing(cx, api)?;
    let customised = customised(cx, api)?;
    let all = DEFAULTS.iter().map(|(kind, _)| shown(&customised, *kind)).collect();
    let wish = listing::Wish { position: input.position.as_deref(), limit: input.limit };
    let order = |response: &GatewayResponse| type_of(response).as_str().to_owned();
    let page = listing::page(cx, &format!("gatewayresponses {api}"), all, order, &wish)?;
    Ok(GatewayResponses { items: Some(page.items), position: page.next })
}

/// `PATCH /restapis/{restapi_id}/gatewayresponses/{response_type}`: one that was not customised before starts from
/// AWS's default, whatever `DEFAULT_4XX` and `DEFAULT_5XX` say.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateGatewayResponse.html>
pub fn update_gateway_response(
    cx: &mut Cx<'_>,
    input: UpdateGatewayResponseRequest,
) -> Result<GatewayResponse> {
    let api = input.rest_api_id.as_str();
    rest_api::existing(cx, api)?;
    let old = cx.get(&[api, input.response_type.as_str()])?;
    let old = old.unwrap_or_else(|| default_of(input.response_type));
    let response = PATCHES.apply(&old, input.patch_operations.as_deref())?;
    store(cx, api, GatewayResponse { default_response: Some(false), ..response })
}

/// `DELETE /restapis/{restapi_id}/gatewayresponses/{response_type}`: back to the default.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteGatewayResponse.html>
pub fn delete_gateway_response(cx: &mut Cx<'_>, input: DeleteGatewayResponseRequest) -> Result<()> {
    let ids = [input.rest_api_id.as_str(), input.response_type.as_str()];
    rest_api::existing(cx, &input.rest_api_id)?;
    match cx.exists::<GatewayResponse>(&ids)? {
        true => cx.delete::<GatewayResponse>(&ids),
        false => Err(messages::no_gateway_response()),
    }
}

type Customised = BTreeMap<Type, GatewayResponse>;

fn customised(cx: &mut Cx<'_>, api: &str) -> Result<Customised> {
    let responses = cx.all::<GatewayResponse>(&[api])?;
    Ok(responses.into_iter().map(|response| (type_of(&response), response)).collect())
}

fn type_of(response: &GatewayResponse) -> Type {
    response.response_type.unwrap_or_default()
}

/// The response of that type as the API has it.
fn shown(customised: &Customised, kind: Type) -> GatewayResponse {
    if let Some(own) = customised.get(&kind) {
        return own.clone();
    }
    let default = default_of(kind);
    let family = match default.status_code.as_deref() {
        Some(status) if status.starts_with('4') => customised.get(&Type::Default4xx),
        Some(_) => customised.get(&Type::Default5xx),
        None => None,
    };
    let Some(family) = family.cloned() else { return default };
    GatewayResponse {
        status_code: family.status_code.or(default.status_code),
        response_parameters: family.response_parameters,
        response_templates: family.response_templates,
        ..default
    }
}

fn default_of(kind: Type) -> GatewayResponse {
    let status = DEFAULTS.iter().find(|(known, _)| *known == kind).and_then(|(_, status)| *status);
    GatewayResponse {
        default_response: Some(true),
        response_parameters: Some(BTreeMap::new()),
        response_templates: Some(BTreeMap::from([(
            "application/json".to_owned(),
            DEFAULT_TEMPLATE.to_owned(),
        )])),
        response_type: Some(kind),
        status_code: status.map(str::to_owned),
    }
}

fn store(cx: &mut Cx<'_>, api: &str, mut response: GatewayResponse) -> Result<GatewayResponse> {
    // Emptied maps are shown, unlike elsewhere.
    mapping::check_gateway_response(response.response_parameters.get_or_insert_default())?;
    mapping::check_content_types(response.response_templates.get_or_insert_default().keys())?;
    cx.put(&[api, type_of(&response).as_str()], &response)?;
    Ok(response)
}

// === Patches ===

const PATCHES: Table<GatewayResponse> = Table { refuse, rows: &[ROWS] };

const ROWS: &[Row<GatewayResponse>] = &[
    Row { path: "/statusCode", ops: &[Op::Replace], apply: patch_status_code },
    Row { path: "/responseParameters/{}", ops: ADD_REPLACE_REMOVE, apply: patch_parameter },
    Row { path: "/responseTemplates/{}", ops: ADD_REPLACE_REMOVE, apply: patch_template },
];

/// A path that is known but not for this operation is refused like an unknown one.
fn refuse(_: &Table<GatewayResponse>, refused: &Refused<'_>) -> Fault {
    messages::bad_request(format!("Invalid patch path {}", refused.path))
}

fn patch_status_code(response: &mut GatewayResponse, change: &Change<'_>) -> Result<()> {
    let status = change.value_or_empty();
    let digits = status.bytes().all(|byte| byte.is_ascii_digit());
    if status.len() != 3 || !digits || !status.starts_with(['1', '2', '3', '4', '5']) {
        return Err(messages::bad_setting(change.path, change.value));
    }
    response.status_code = Some(status);
    Ok(())
}

fn patch_parameter(response: &mut GatewayResponse, change: &Change<'_>) -> Result<()> {
    let value = given(change, "responseParameters")?;
    patch_entry(&mut response.response_parameters, change, value, messages::no_parameter_name)
}

fn patch_template(response: &mut GatewayResponse, change: &Change<'_>) -> Result<()> {
    let value = given(change, "responseTemplates")?;
    patch_entry(&mut response.response_templates, change, value, messages::no_content_type)
}

/// The value, which only `remove` does without.
fn given(change: &Change<'_>, member: &str) -> Result<String> {
    match change.text() {
        None if change.op != Op::Remove => Err(messages::no_value(member)),
        value => Ok(value.unwrap_or_default()),
    }
}
