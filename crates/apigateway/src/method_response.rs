//! Responses that a method declares: `PutMethodResponse`, `GetMethodResponse`, `UpdateMethodResponse`,
//! `DeleteMethodResponse`.

use std::collections::BTreeMap;

use stagedoor_api::apigateway::{
    DeleteMethodResponseRequest, GetMethodResponseRequest, MethodResponse, PutMethodResponseRequest,
    UpdateMethodResponseRequest,
};
use stagedoor_state::{Cx, Result};

use crate::method::Located;
use crate::patch::{ADD_REPLACE_REMOVE, Change, Row, Table, patch_entry, refuse_second_generation};
use crate::{mapping, messages, model};

/// `PUT /restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/responses/{status_code}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_PutMethodResponse.html>
pub fn put_method_response(cx: &mut Cx<'_>, input: PutMethodResponseRequest) -> Result<MethodResponse> {
    let mut at = Located::find(cx, &input.rest_api_id, &input.resource_id, &input.http_method)?;
    let responses = at.method.method_responses.get_or_insert_default();
    if responses.contains_key(&input.status_code) {
        return Err(messages::response_exists());
    }
    let response = MethodResponse {
        status_code: Some(input.status_code.clone()),
        response_models: input.response_models,
        response_parameters: input.response_parameters,
    };
    check(cx, &input.rest_api_id, &response)?;
    responses.insert(input.status_code, response.clone());
    at.put(cx)?;
    Ok(response)
}

/// `GET /restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/responses/{status_code}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetMethodResponse.html>
pub fn get_method_response(cx: &mut Cx<'_>, input: GetMethodResponseRequest) -> Result<MethodResponse> {
    let at = Located::find(cx, &input.rest_api_id, &input.resource_id, &input.http_method)?;
    existing(&at, &input.status_code)
}

/// `PATCH /restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/responses/{status_code}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateMethodResponse.html>
pub fn update_method_response(cx: &mut Cx<'_>, input: UpdateMethodResponseRequest) -> Result<MethodResponse> {
    let mut at = Located::find(cx, &input.rest_api_id, &input.resource_id, &input.http_method)?;
    let old = existing(&at, &input.status_code)?;
    let response = PATCHES.apply(&old, input.patch_operations.as_deref())?;
    check(cx, &input.rest_api_id, &response)?;
    at.method.method_responses.get_or_insert_default().insert(input.status_code, response.clone());
    at.put(cx)?;
    Ok(response)
}

/// `DELETE /restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/responses/{status_code}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteMethodResponse.html>
pub fn delete_method_response(cx: &mut Cx<'_>, input: DeleteMethodResponseRequest) -> Result<()> {
    let mut at = Located::find(cx, &input.rest_api_id, &input.resource_id, &input.http_method)?;
    existing(&at, &input.status_code)?;
    let responses = at.method.method_responses.take().unwrap_or_default();
    let left: BTreeMap<_, _> = responses.into_iter().filter(|(code, _)| *code != input.status_code).collect();
    at.method.method_responses = Some(left).filter(|left| !left.is_empty());
    at.put(cx)
}

fn existing(at: &Located, status_code: &str) -> Result<MethodResponse> {
    let response = at.method.method_responses.as_ref().and_then(|responses| responses.get(status_code));
    response.cloned().ok_or_else(messages::no_response)
}

/// Refuses what a method cannot answer.
pub fn check(cx: &mut Cx<'_>, api: &str, response: &MethodResponse) -> Result<()> {
    model::check_all(cx, api, response.response_models.iter().flat_map(BTreeMap::values))?;
    response.response_parameters.as_ref().map_or(Ok(()), mapping::check_response_parameters)
}

// === Patches ===

const PATCHES: Table<MethodResponse> = Table { refuse: refuse_second_generation, rows: &[ROWS] };

const ROWS: &[Row<MethodResponse>] = &[
    Row { path: "/responseParameters/{}", ops: ADD_REPLACE_REMOVE, apply: patch_parameter },
    Row { path: "/responseModels/{}", ops: ADD_REPLACE_REMOVE, apply: patch_model },
];

fn patch_parameter(response: &mut MethodResponse, change: &Change<'_>) -> Result<()> {
    patch_entry(&mut response.response_parameters, change, change.flag(), messages::no_parameter_name)
}

fn patch_model(response: &mut MethodResponse, change: &Change<'_>) -> Result<()> {
    patch_entry(&mut response.response_models, change, change.value_or_empty(), messages::no_content_type)
}
