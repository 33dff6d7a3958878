//! Request validators: `CreateRequestValidator`, `GetRequestValidator`, `GetRequestValidators`,
//! `UpdateRequestValidator`, `DeleteRequestValidator`.

use stagedoor_api::apigateway::{
    CreateRequestValidatorRequest, DeleteRequestValidatorRequest, GetRequestValidatorRequest,
    GetRequestValidatorsRequest, Method, Op, RequestValidator, RequestValidators, Resource, RestApi,
    UpdateRequestValidatorRequest,
};
use stagedoor_state::{Cx, Result};

use crate::patch::{Change, Row, Table, refuse_first_generation};
use crate::{listing, messages, rest_api};

/// Characters of a validator's id.
pub const ID_LENGTH: usize = 6;

/// `POST /restapis/{restapi_id}/requestvalidators`; an unknown API is a 400, which only this operation makes of it.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_CreateRequestValidator.html>
pub fn create_request_validator(
    cx: &mut Cx<'_>,
    input: CreateRequestValidatorRequest,
) -> Result<RequestValidator> {
    let api = input.rest_api_id.as_str();
    if !cx.exists::<RestApi>(&[api])? {
        return Err(messages::no_api_for_validator());
    }
    let id = cx.new_id(ID_LENGTH);
    let validator = RequestValidator {
        id: Some(id.clone()),
        name: input.name,
        validate_request_body: Some(input.validate_request_body.unwrap_or_default()),
        validate_request_parameters: Some(input.validate_request_parameters.unwrap_or_default()),
    };
    check(&validator)?;
    cx.put(&[api, &id], &validator)?;
    Ok(validator)
}

/// `GET /restapis/{restapi_id}/requestvalidators/{requestvalidator_id}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetRequestValidator.html>
pub fn get_request_validator(cx: &mut Cx<'_>, input: GetRequestValidatorRequest) -> Result<RequestValidator> {
    existing(cx, &input.rest_api_id, &input.request_validator_id)
}

/// `GET /restapis/{restapi_id}/requestvalidators`, by id; AWS promises no order.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetRequestValidators.html>
pub fn get_request_validators(
    cx: &mut Cx<'_>,
    input: GetRequestValidatorsRequest,
) -> Result<RequestValidators> {
    let api = input.rest_api_id.as_str();
    rest_api::existing(cx, api)?;
    let validators = cx.all::<RequestValidator>(&[api])?;
    let wish = listing::Wish { position: input.position.as_deref(), limit: input.limit };
    let order = |validator: &RequestValidator| validator.id.clone().unwrap_or_default();
    let page = listing::page(cx, &format!("requestvalidators {api}"), validators, order, &wish)?;
    Ok(RequestValidators { items: Some(page.items), position: page.next })
}

/// `PATCH /restapis/{restapi_id}/requestvalidators/{requestvalidator_id}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateRequestValidator.html>
pub fn update_request_validator(
    cx: &mut Cx<'_>,
    input: UpdateRequestValidatorRequest,
) -> Result<RequestValidator> {
    let (api, id) = (input.rest_api_id.as_str(), input.request_validator_id.as_str());
    let old = existing(cx, api, id)?;
    let validator = PATCHES.apply(&old, input.patch_operations.as_deref())?;
    check(&validator)?;
    cx.put(&[api, id], &validator)?;
    Ok(validator)
}

/// `DELETE /restapis/{restapi_id}/requestvalidators/{requestvalidator_id}`, unless a method uses it.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteRequestValidator.html>
pub fn delete_request_validator(cx: &mut Cx<'_>, input: DeleteRequestValidatorRequest) -> Result<()> {
    let (api, id) = (input.rest_api_id.as_str(), input.request_validator_id.as_str());
    existing(cx, api, id)?;
    let uses = |method: &Method| method.request_validator_id.as_deref() == Some(id);
    for resource in cx.all::<Resource>(&[api])? {
        let methods = resource.resource_methods.iter().flatten();
        if let Some((verb, _)) = methods.into_iter().find(|(_, method)| uses(method)) {
            let path = resource.path.as_deref().unwrap_or_default();
            return Err(messages::validator_in_use(id, verb, path));
        }
    }
    cx.delete::<RequestValidator>(&[api, id])
}

/// The validator of that id. An unknown API is answered like an unknown validator.
fn existing(cx: &mut Cx<'_>, api: &str, id: &str) -> Result<RequestValidator> {
    cx.get(&[api, id])?.ok_or_else(messages::no_validator)
}

fn check(validator: &RequestValidator) -> Result<()> {
    match validator.name.as_deref().is_some_and(|name| name.trim().is_empty()) {
        true => Err(messages::validator_name_blank()),
        false => Ok(()),
    }
}

// === Patches ===

const PATCHES: Table<RequestValidator> = Table { refuse: refuse_first_generation, rows: &[ROWS] };

const ROWS: &[Row<RequestValidator>] = &[
    Row { path: "/name", ops: &[Op::Replace], apply: patch_name },
    Row { path: "/validateRequestParameters", ops: &[Op::Replace], apply: patch_parameters },
    Row { path: "/validateRequestBody", ops: &[Op::Replace], apply: patch_body },
];

fn patch_name(validator: &mut RequestValidator, change: &Change<'_>) -> Result<()> {
    validator.name = Some(change.value_or_empty());
    Ok(())
}

fn patch_parameters(validator: &mut RequestValidator, change: &Change<'_>) -> Result<()> {
    validator.validate_request_parameters = Some(change.flag());
    Ok(())
}

fn patch_body(validator: &mut RequestValidator, change: &Change<'_>) -> Result<()> {
    validator.validate_request_body = Some(change.flag());
    Ok(())
}
