//! Methods of resources: `PutMethod`, `GetMethod`, `UpdateMethod`, `DeleteMethod`.
//!
//! A method is stored in its resource and holds its integration and its responses, which have files of their own.

use std::collections::BTreeMap;

use stagedoor_api::apigateway::{
    Authorizer, DeleteMethodRequest, GetMethodRequest, Method, Op, PutMethodRequest, RequestValidator,
    Resource, UpdateMethodRequest,
};
use stagedoor_state::{Cx, Result};

use crate::patch::{ADD_REPLACE_REMOVE, Change, Row, Table, patch_entry, refuse_second_generation};
use crate::{mapping, messages, model, resource};

/// Verbs a method may have; `ANY` stands for all that have no method of their own.
pub const VERBS: &[&str] = &["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY"];

const AUTHORIZATION_TYPES: &[&str] = &["NONE", "AWS_IAM", "CUSTOM", "COGNITO_USER_POOLS"];

/// `PUT /restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_PutMethod.html>
pub fn put_method(cx: &mut Cx<'_>, input: PutMethodRequest) -> Result<Method> {
    let (api, verb) = (input.rest_api_id, input.http_method);
    let resource = resource::existing(cx, &api, &input.resource_id)?;
    if !VERBS.contains(&verb.as_str()) {
        return Err(messages::bad_verb());
    }
    let method = Method {
        http_method: Some(verb.clone()),
        authorization_type: Some(input.authorization_type),
        authorizer_id: input.authorizer_id,
        authorization_scopes: input.authorization_scopes,
        api_key_required: Some(input.api_key_required.unwrap_or_default()),
        operation_name: input.operation_name,
        request_models: input.request_models,
        request_parameters: input.request_parameters,
        request_validator_id: input.request_validator_id,
        ..Method::default()
    };
    let method = settled(cx, &api, method)?;
    if resource.resource_methods.as_ref().is_some_and(|methods| methods.contains_key(&verb)) {
        return Err(messages::method_exists());
    }
    Located { api, resource, method: method.clone() }.put(cx)?;
    Ok(method)
}

/// `GET /restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetMethod.html>
pub fn get_method(cx: &mut Cx<'_>, input: GetMethodRequest) -> Result<Method> {
    Ok(Located::find(cx, &input.rest_api_id, &input.resource_id, &input.http_method)?.method)
}

/// `PATCH /restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateMethod.html>
pub fn update_method(cx: &mut Cx<'_>, input: UpdateMethodRequest) -> Result<Method> {
    let old = Located::find(cx, &input.rest_api_id, &input.resource_id, &input.http_method)?;
    let method = PATCHES.apply(&old.method, input.patch_operations.as_deref())?;
    let method = settled(cx, &input.rest_api_id, method)?;
    Located { method: method.clone(), ..old }.put(cx)?;
    Ok(method)
}

/// `DELETE /restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteMethod.html>
pub fn delete_method(cx: &mut Cx<'_>, input: DeleteMethodRequest) -> Result<()> {
    let Located { api, mut resource, .. } =
        Located::find(cx, &input.rest_api_id, &input.resource_id, &input.http_method)?;
    resource.resource_methods.get_or_insert_default().remove(&input.http_method);
    cx.put(&[&api, &input.resource_id], &resource)
}

/// A method and where it is stored.
pub struct Located {
    api: String,
    resource: Resource,
    pub method: Method,
}

impl Located {
    pub fn find(cx: &mut Cx<'_>, api: &str, resource: &str, verb: &str) -> Result<Self> {
        let resource = resource::existing(cx, api, resource)?;
        let method = resource.resource_methods.as_ref().and_then(|methods| methods.get(verb));
        let method = method.cloned().ok_or_else(messages::no_method)?;
        Ok(Self { api: api.to_owned(), resource, method })
    }

    /// Stores the method, changed or new.
    pub fn put(mut self, cx: &mut Cx<'_>) -> Result<()> {
        let verb = self.method.http_method.clone().unwrap_or_default();
        self.resource.resource_methods.get_or_insert_default().insert(verb, self.method);
        cx.put(&[&self.api, self.resource.id.as_deref().unwrap_or_default()], &self.resource)
    }
}

/// The method in stored form, if it keeps all rules.
pub fn settled(cx: &mut Cx<'_>, api: &str, mut method: Method) -> Result<Method> {
    // AWS takes the type in any case.
    let authorization = method.authorization_type.unwrap_or_default().to_uppercase();
    if !AUTHORIZATION_TYPES.contains(&authorization.as_str()) {
        return Err(messages::bad_option("AuthorizationType", &AUTHORIZATION_TYPES.join(",")));
    }
    method.authorizer_id = match authorization.as_str() {
        "CUSTOM" | "COGNITO_USER_POOLS" => Some(known_authorizer(cx, api, method.authorizer_id)?),
        _ => None,
    };
    method.authorization_type = Some(authorization);
    method.request_validator_id = method.request_validator_id.filter(|id| !id.is_empty());
    if let Some(id) = &method.request_validator_id
        && !cx.exists::<RequestValidator>(&[api, id])?
    {
        return Err(messages::bad_validator());
    }
    method.request_models = method.request_models.filter(|models| !models.is_empty());
    model::check_all(cx, api, method.request_models.iter().flat_map(BTreeMap::values))?;
    method.request_parameters = method.request_parameters.filter(|parameters| !parameters.is_empty());
    method.request_parameters.as_ref().map_or(Ok(()), mapping::check_request_parameters)?;
    method.authorization_scopes = method.authorization_scopes.filter(|scopes| !scopes.is_empty());
    method.operation_name = method.operation_name.filter(|name| !name.is_empty());
    Ok(method)
}

fn known_authorizer(cx: &mut Cx<'_>, api: &str, id: Option<String>) -> Result<String> {
    let id = id.ok_or_else(messages::authorizer_needed)?;
    if cx.exists::<Authorizer>(&[api, &id])? { Ok(id) } else { Err(messages::authorizer_needed()) }
}

// === Patches ===

const PATCHES: Table<Method> = Table { refuse: refuse_second_generation, rows: &[ROWS] };

const ROWS: &[Row<Method>] = &[
    Row { path: "/apiKeyRequired", ops: &[Op::Replace], apply: patch_api_key_required },
    Row { path: "/authorizationType", ops: &[Op::Replace], apply: patch_authorization_type },
    Row { path: "/authorizerId", ops: &[Op::Replace], apply: patch_authorizer_id },
    Row { path: "/operationName", ops: &[Op::Replace], apply: patch_operation_name },
    Row { path: "/requestValidatorId", ops: &[Op::Replace], apply: patch_validator },
    Row { path: "/authorizationScopes", ops: &[Op::Add, Op::Remove], apply: patch_scopes },
    Row { path: "/requestParameters/{}", ops: ADD_REPLACE_REMOVE, apply: patch_parameter },
    Row { path: "/requestModels/{}", ops: ADD_REPLACE_REMOVE, apply: patch_model },
];

fn patch_api_key_required(method: &mut Method, change: &Change<'_>) -> Result<()> {
    method.api_key_required = Some(change.flag());
    Ok(())
}

fn patch_authorization_type(method: &mut Method, change: &Change<'_>) -> Result<()> {
    method.authorization_type = Some(change.value_or_empty());
    Ok(())
}

/// Without effect, and without error, while the type needs no authorizer.
fn patch_authorizer_id(method: &mut Method, change: &Change<'_>) -> Result<()> {
    method.authorizer_id = change.text();
    Ok(())
}

fn patch_operation_name(method: &mut Method, change: &Change<'_>) -> Result<()> {
    method.operation_name = change.text();
    Ok(())
}

fn patch_validator(method: &mut Method, change: &Change<'_>) -> Result<()> {
    method.request_validator_id = change.text();
    Ok(())
}

fn patch_scopes(method: &mut Method, change: &Change<'_>) -> Result<()> {
    let scopes = method.authorization_scopes.get_or_insert_default();
    let scope = change.value_or_empty();
    scopes.retain(|old| *old != scope);
    if change.op == Op::Add {
        scopes.push(scope);
    }
    Ok(())
}

fn patch_parameter(method: &mut Method, change: &Change<'_>) -> Result<()> {
    patch_entry(&mut method.request_parameters, change, change.flag(), messages::no_parameter_name)
}

fn patch_model(method: &mut Method, change: &Change<'_>) -> Result<()> {
    patch_entry(&mut method.request_models, change, change.value_or_empty(), messages::no_content_type)
}
