//! What becomes of an integration's answers: `PutIntegrationResponse`, `GetIntegrationResponse`,
//! `UpdateIntegrationResponse`, `DeleteIntegrationResponse`.

use std::collections::BTreeMap;

use stagedoor_api::apigateway::{
    DeleteIntegrationResponseRequest, GetIntegrationResponseRequest, Integration, IntegrationResponse,
    Method, Op, PutIntegrationResponseRequest, UpdateIntegrationResponseRequest,
};
use stagedoor_state::{Cx, Result};

use crate::integration::content_handling;
use crate::method::Located;
use crate::patch::{ADD_REPLACE_REMOVE, Change, Row, Table, patch_entry, refuse_second_generation};
use crate::{integration, mapping, messages};

/// `PUT /restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration/responses/{status_code}`:
/// unlike a method response it may be overwritten.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_PutIntegrationResponse.html>
pub fn put_integration_response(
    cx: &mut Cx<'_>,
    input: PutIntegrationResponseRequest,
) -> Result<IntegrationResponse> {
    let at = Located::find(cx, &input.rest_api_id, &input.resource_id, &input.http_method)?;
    let integration = integration::existing(at.method.clone())?;
    let response = IntegrationResponse {
        status_code: Some(input.status_code),
        selection_pattern: input.selection_pattern,
        response_parameters: input.response_parameters,
        response_templates: input.response_templates,
        content_handling: input.content_handling,
    };
    store(cx, at, integration, response)
}

/// `GET /restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration/responses/{status_code}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetIntegrationResponse.html>
pub fn get_integration_response(
    cx: &mut Cx<'_>,
    input: GetIntegrationResponseRequest,
) -> Result<IntegrationResponse> {
    let at = Located::find(cx, &input.rest_api_id, &input.resource_id, &input.http_method)?;
    existing(&integration::existing(at.method)?, &input.status_code)
}

/// `PATCH /restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration/responses/{status_code}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateIntegrationResponse.html>
pub fn update_integration_response(
    cx: &mut Cx<'_>,
    input: UpdateIntegrationResponseRequest,
) -> Result<IntegrationResponse> {
    let at = Located::find(cx, &input.rest_api_id, &input.resource_id, &input.http_method)?;
    let integration = integration::existing(at.method.clone())?;
    let old = existing(&integration, &input.status_code)?;
    let response = PATCHES.apply(&old, input.patch_operations.as_deref())?;
    store(cx, at, integration, response)
}

/// `DELETE /restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration/responses/{status_code}`
///
/// An unknown method is answered as an unknown integration, which only this operation does.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteIntegrationResponse.html>
pub fn delete_integration_response(cx: &mut Cx<'_>, input: DeleteIntegrationResponseRequest) -> Result<()> {
    let found = Located::find(cx, &input.rest_api_id, &input.resource_id, &input.http_method);
    let no_method = messages::no_method();
    let mut at =
        found.map_err(|fault| if fault == no_method { messages::no_integration() } else { fault })?;
    let mut integration = integration::existing(at.method.clone())?;
    existing(&integration, &input.status_code)?;
    let mut responses = integration.integration_responses.take().unwrap_or_default();
    responses.remove(&input.status_code);
    integration.integration_responses = Some(responses).filter(|responses| !responses.is_empty());
    at.method.method_integration = Some(integration);
    at.put(cx)
}

fn existing(integration: &Integration, status_code: &str) -> Result<IntegrationResponse> {
    let response =
        integration.integration_responses.as_ref().and_then(|responses| responses.get(status_code));
    response.cloned().ok_or_else(messages::no_response)
}

fn store(
    cx: &mut Cx<'_>,
    mut at: Located,
    mut integration: Integration,
    response: IntegrationResponse,
) -> Result<IntegrationResponse> {
    let response = settled(response, &at.method)?;
    let status_code = response.status_code.clone().unwrap_or_default();
    integration.integration_responses.get_or_insert_default().insert(status_code, response.clone());
    at.method.method_integration = Some(integration);
    at.put(cx)?;
    Ok(response)
}

/// The response in stored form, if it keeps all rules.
pub fn settled(mut response: IntegrationResponse, method: &Method) -> Result<IntegrationResponse> {
    let status_code = response.status_code.clone().unwrap_or_default();
    mapping::check_content_types(response.response_templates.iter().flat_map(BTreeMap::keys))?;
    let declared = method.method_responses.as_ref().and_then(|responses| responses.get(&status_code));
    let mappings = response.response_parameters.as_ref();
    mappings.map_or(Ok(()), |mappings| mapping::check_integration_response(mappings, declared))?;
    for template in response.response_templates.iter_mut().flat_map(BTreeMap::values_mut) {
        // An empty template is stored, and answered, as null.
        *template = template.take().filter(|template| !template.is_empty());
    }
    Ok(response)
}

// === Patches ===

const PATCHES: Table<IntegrationResponse> = Table { refuse: refuse_second_generation, rows: &[ROWS] };

const ROWS: &[Row<IntegrationResponse>] = &[
    Row { path: "/selectionPattern", ops: &[Op::Replace], apply: patch_selection_pattern },
    Row { path: "/contentHandling", ops: &[Op::Replace], apply: patch_content_handling },
    Row { path: "/responseParameters/{}", ops: ADD_REPLACE_REMOVE, apply: patch_mapping },
    Row { path: "/responseTemplates/{}", ops: ADD_REPLACE_REMOVE, apply: patch_template },
];

fn patch_selection_pattern(response: &mut IntegrationResponse, change: &Change<'_>) -> Result<()> {
    response.selection_pattern = Some(change.value_or_empty());
    Ok(())
}

fn patch_content_handling(response: &mut IntegrationResponse, change: &Change<'_>) -> Result<()> {
    response.content_handling = content_handling(change)?;
    Ok(())
}

fn patch_mapping(response: &mut IntegrationResponse, change: &Change<'_>) -> Result<()> {
    patch_entry(
        &mut response.response_parameters,
        change,
        change.value_or_empty(),
        messages::no_parameter_name,
    )
}

fn patch_template(response: &mut IntegrationResponse, change: &Change<'_>) -> Result<()> {
    patch_entry(&mut response.response_templates, change, change.text(), messages::no_content_type)
}
