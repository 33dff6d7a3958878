//! Models: the schemas that payloads of WebSocket APIs are held against. HTTP APIs may have them and ignore them.

use stagedoor_api::apigatewayv2::{
    CreateModelRequest, DeleteModelRequest, GetModelRequest, GetModelTemplateRequest,
    GetModelTemplateResponse, GetModelsRequest, GetModelsResponse, Model, UpdateModelRequest,
};
use stagedoor_state::{Cx, Result, model_template};

use crate::list::{self, Ask};
use crate::merge::{present, replace, replace_text};
use crate::{api, deploy, limits, messages};

/// Length of the ids that AWS gives to models.
pub const ID_LENGTH: usize = 6;
const CONTENT_TYPE: &str = "application/json";
/// Bytes of a schema.
const SCHEMA_BYTES_MAX: usize = 32 * 1024;
/// Characters of a content type.
const CONTENT_TYPE_MAX: usize = 256;

/// `POST /v2/apis/{apiId}/models`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-models.html#CreateModel>
pub fn create_model(cx: &mut Cx<'_>, input: CreateModelRequest) -> Result<Model> {
    api::existing(cx, &input.api_id)?;
    let id = cx.new_id(ID_LENGTH);
    let model = Model {
        content_type: present(input.content_type).or_else(|| Some(CONTENT_TYPE.to_owned())),
        description: present(input.description),
        model_id: Some(id.clone()),
        name: Some(input.name),
        schema: Some(input.schema),
    };
    check(cx, &input.api_id, &model)?;
    cx.put(&[&input.api_id, &id], &model)?;
    deploy::after_change(cx, &input.api_id)?;
    Ok(model)
}

/// `GET /v2/apis/{apiId}/models/{modelId}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-models-modelid.html#GetModel>
pub fn get_model(cx: &mut Cx<'_>, input: GetModelRequest) -> Result<Model> {
    api::existing(cx, &input.api_id)?;
    existing(cx, &input.api_id, &input.model_id)
}

/// `GET /v2/apis/{apiId}/models/{modelId}/template`: a mapping template that makes a sample of the model.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-models-modelid-template.html>
pub fn get_model_template(
    cx: &mut Cx<'_>,
    input: GetModelTemplateRequest,
) -> Result<GetModelTemplateResponse> {
    api::existing(cx, &input.api_id)?;
    let model = existing(cx, &input.api_id, &input.model_id)?;
    let template = model_template::of(model.schema.as_deref().unwrap_or_default());
    Ok(GetModelTemplateResponse { value: Some(template) })
}

/// `GET /v2/apis/{apiId}/models`, by id.
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-models.html#GetModels>
pub fn get_models(cx: &mut Cx<'_>, input: GetModelsRequest) -> Result<GetModelsResponse> {
    api::existing(cx, &input.api_id)?;
    let models = cx.all::<Model>(&[&input.api_id])?;
    let ask = Ask::new(input.max_results, input.next_token);
    let page = list::cut(cx, &["GetModels", &input.api_id], &ask, models, |model| {
        model.model_id.clone().unwrap_or_default()
    })?;
    Ok(GetModelsResponse { items: Some(page.items), next_token: page.next })
}

/// `PATCH /v2/apis/{apiId}/models/{modelId}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-models-modelid.html#UpdateModel>
pub fn update_model(cx: &mut Cx<'_>, input: UpdateModelRequest) -> Result<Model> {
    api::existing(cx, &input.api_id)?;
    let mut model = existing(cx, &input.api_id, &input.model_id)?;
    replace(&mut model.content_type, present(input.content_type));
    replace_text(&mut model.description, input.description);
    replace(&mut model.name, input.name);
    replace(&mut model.schema, input.schema);
    check(cx, &input.api_id, &model)?;
    cx.put(&[&input.api_id, &input.model_id], &model)?;
    deploy::after_change(cx, &input.api_id)?;
    Ok(model)
}

/// `DELETE /v2/apis/{apiId}/models/{modelId}`
///
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-models-modelid.html#DeleteModel>
pub fn delete_model(cx: &mut Cx<'_>, input: DeleteModelRequest) -> Result<()> {
    api::existing(cx, &input.api_id)?;
    existing(cx, &input.api_id, &input.model_id)?;
    cx.delete::<Model>(&[&input.api_id, &input.model_id])?;
    deploy::after_change(cx, &input.api_id)
}

fn existing(cx: &mut Cx<'_>, api_id: &str, id: &str) -> Result<Model> {
    cx.get(&[api_id, id])?.ok_or_else(|| messages::model_not_found(id))
}

fn check(cx: &mut Cx<'_>, api_id: &str, model: &Model) -> Result<()> {
    check_members(model)?;
    let others = cx.all::<Model>(&[api_id])?;
    let taken = others.iter().any(|other| other.model_id != model.model_id && other.name == model.name);
    match taken {
        true => Err(messages::model_name_taken()),
        false => Ok(()),
    }
}

/// The part of the rules that needs no other document.
pub fn check_members(model: &Model) -> Result<()> {
    let name = model.name.as_deref().unwrap_or_default();
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !letters || !(1..=limits::NAME_MAX).contains(&name.len()) {
        return Err(messages::model_name_invalid(name));
    }
    limits::at_most("description", model.description.as_deref(), limits::DESCRIPTION_MAX)?;
    limits::at_most("contentType", model.content_type.as_deref(), CONTENT_TYPE_MAX)?;
    let schema = model.schema.as_deref().unwrap_or_default();
    if schema.len() > SCHEMA_BYTES_MAX {
        return Err(messages::model_schema_too_long(SCHEMA_BYTES_MAX));
    }
    let json = model.content_type.as_deref() == Some(CONTENT_TYPE);
    match json && !model_template::is_schema(schema) {
        true => Err(messages::model_schema_invalid()),
        false => Ok(()),
    }
}
