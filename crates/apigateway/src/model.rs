//! Models, JSON schemas by name: `CreateModel`, `GetModel`, `GetModels`, `GetModelTemplate`, `UpdateModel`,
//! `DeleteModel`, and the two that every new API has.
//!
//! How models refer to each other stands in [`crate::schema`].

use stagedoor_api::apigateway::{
    CreateModelRequest, DeleteModelRequest, GetModelRequest, GetModelTemplateRequest, GetModelsRequest,
    Model, Models, Op, Resource, Template, UpdateModelRequest,
};
use stagedoor_state::{Cx, Result, model_template};

use crate::patch::{Change, Row, Table, refuse_first_generation};
use crate::{listing, messages, rest_api, schema};

/// Characters of a model's id.
pub const ID_LENGTH: usize = 6;
/// AWS's limit is not known; ours is what the store can name.
const NAME_LENGTH_MAX: usize = 255;

/// `POST /restapis/{restapi_id}/models`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_CreateModel.html>
pub fn create_model(cx: &mut Cx<'_>, input: CreateModelRequest) -> Result<Model> {
    let (api, name) = (input.rest_api_id.as_str(), input.name.as_str());
    rest_api::existing(cx, api)?;
    check_name(name)?;
    if cx.exists::<Model>(&[api, name])? {
        return Err(messages::model_exists());
    }
    let model = Model {
        id: Some(cx.new_id(ID_LENGTH)),
        name: Some(input.name.clone()),
        description: input.description.filter(|description| !description.is_empty()),
        content_type: Some(input.content_type),
        schema: input.schema,
    };
    schema::check(&model)?;
    cx.put(&[api, name], &model)?;
    Ok(model)
}

/// `GET /restapis/{restapi_id}/models/{model_name}`; with `flatten` the models that it refers to stand inside it.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetModel.html>
pub fn get_model(cx: &mut Cx<'_>, input: GetModelRequest) -> Result<Model> {
    let model = existing(cx, &input.rest_api_id, &input.model_name)?;
    if input.flatten != Some(true) {
        return Ok(model);
    }
    let schema = flattened(cx, &input.rest_api_id, &model)?;
    Ok(Model { schema: Some(schema), ..model })
}

/// `GET /restapis/{restapi_id}/models/{model_name}/default_template`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetModelTemplate.html>
pub fn get_model_template(cx: &mut Cx<'_>, input: GetModelTemplateRequest) -> Result<Template> {
    let model = existing(cx, &input.rest_api_id, &input.model_name)?;
    let schema = flattened(cx, &input.rest_api_id, &model)?;
    Ok(Template { value: Some(model_template::of(&schema)) })
}

/// `GET /restapis/{restapi_id}/models`, by name; AWS promises no order.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetModels.html>
pub fn get_models(cx: &mut Cx<'_>, input: GetModelsRequest) -> Result<Models> {
    let api = input.rest_api_id.as_str();
    rest_api::existing(cx, api)?;
    let models = cx.all::<Model>(&[api])?;
    let wish = listing::Wish { position: input.position.as_deref(), limit: input.limit };
    let order = |model: &Model| model.name.clone().unwrap_or_default();
    let page = listing::page(cx, &format!("models {api}"), models, order, &wish)?;
    Ok(Models { items: Some(page.items), position: page.next })
}

/// `PATCH /restapis/{restapi_id}/models/{model_name}`
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateModel.html>
pub fn update_model(cx: &mut Cx<'_>, input: UpdateModelRequest) -> Result<Model> {
    let (api, name) = (input.rest_api_id.as_str(), input.model_name.as_str());
    let old = existing(cx, api, name)?;
    let model = PATCHES.apply(&old, input.patch_operations.as_deref())?;
    schema::check(&model)?;
    cx.put(&[api, name], &model)?;
    Ok(model)
}

/// `DELETE /restapis/{restapi_id}/models/{model_name}`, unless a method or another model refers to it.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteModel.html>
pub fn delete_model(cx: &mut Cx<'_>, input: DeleteModelRequest) -> Result<()> {
    let (api, name) = (input.rest_api_id.as_str(), input.model_name.as_str());
    existing(cx, api, name)?;
    let mut resources = cx.all::<Resource>(&[api])?;
    // Of several methods AWS was seen to name one that is not on the root.
    resources.sort_by(|a, b| b.path.cmp(&a.path));
    if let Some(user) = resources.iter().find_map(|resource| user_of(resource, name)) {
        return Err(messages::model_in_use(name, &user));
    }
    for other in cx.all::<Model>(&[api])? {
        let other_name = other.name.as_deref().unwrap_or_default();
        if other_name != name && schema::refers(other.schema.as_deref().unwrap_or_default(), api, name) {
            return Err(messages::model_in_use(name, &format!("model: {other_name}")));
        }
    }
    cx.delete::<Model>(&[api, name])
}

fn existing(cx: &mut Cx<'_>, api: &str, name: &str) -> Result<Model> {
    cx.get(&[api, name])?.ok_or_else(|| messages::no_model(name))
}

/// The model's schema with the models that it refers to inside.
fn flattened(cx: &mut Cx<'_>, api: &str, model: &Model) -> Result<String> {
    let models = cx.all::<Model>(&[api])?;
    Ok(schema::flatten(model.schema.as_deref().unwrap_or_default(), api, &models))
}

/// Refuses what is no name of a model.
pub fn check_name(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(messages::model_name_empty());
    }
    if name.len() > NAME_LENGTH_MAX {
        return Err(messages::name_too_long("model name", NAME_LENGTH_MAX));
    }
    match name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        true => Ok(()),
        false => Err(messages::bad_model_name(name)),
    }
}

/// The method of the resource that refers to the model, as AWS prints it.
fn user_of(resource: &Resource, name: &str) -> Option<String> {
    let path = resource.path.as_deref().unwrap_or_default();
    for (verb, method) in resource.resource_methods.iter().flatten() {
        if method.request_models.iter().flatten().any(|(_, model)| model == name) {
            return Some(format!("method request: {path}/{verb}"));
        }
        for (status, response) in method.method_responses.iter().flatten() {
            if response.response_models.iter().flatten().any(|(_, model)| model == name) {
                return Some(format!("method response: {path}/{verb}/{status}"));
            }
        }
    }
    None
}

// === Patches ===

const PATCHES: Table<Model> = Table { refuse: refuse_first_generation, rows: &[ROWS] };

const ROWS: &[Row<Model>] = &[
    Row { path: "/description", ops: &[Op::Replace], apply: patch_description },
    Row { path: "/schema", ops: &[Op::Replace], apply: patch_schema },
];

fn patch_description(model: &mut Model, change: &Change<'_>) -> Result<()> {
    model.description = change.text();
    Ok(())
}

fn patch_schema(model: &mut Model, change: &Change<'_>) -> Result<()> {
    model.schema = change.text();
    Ok(())
}

// === The models that are always there ===

const EMPTY_SCHEMA: &str = r##"{
  "$schema" : "http://json-schema.org/draft-04/schema#",
  "title" : "Empty Schema",
  "type" : "object"
}"##;

const ERROR_SCHEMA: &str = r##"{
  "$schema" : "http://json-schema.org/draft-04/schema#",
  "title" : "Error Schema",
  "type" : "object",
  "properties" : {
    "message" : { "type" : "string" }
  }
}"##;

/// Stores the models `Empty` and `Error`, which every API has unless it was imported.
pub fn put_defaults(cx: &mut Cx<'_>, api: &str) -> Result<()> {
    for (name, word, schema) in [("Empty", "empty", EMPTY_SCHEMA), ("Error", "error", ERROR_SCHEMA)] {
        let model = Model {
            id: Some(cx.new_id(ID_LENGTH)),
            name: Some(name.to_owned()),
            description: Some(format!("This is a default {word} schema model")),
            content_type: Some("application/json".to_owned()),
            schema: Some(schema.to_owned()),
        };
        cx.put(&[api, name], &model)?;
    }
    Ok(())
}

/// Stores copies of all models of the API `from`, with ids of their own, which refer to each other.
pub fn clone_all(cx: &mut Cx<'_>, from: &str, to: &str) -> Result<()> {
    for model in cx.all::<Model>(&[from])? {
        let name = model.name.clone().unwrap_or_default();
        let schema =
            model.schema.map(|schema| schema.replace(&schema::address(from, ""), &schema::address(to, "")));
        let id = Some(cx.new_id(ID_LENGTH));
        cx.put(&[to, &name], &Model { id, schema, ..model })?;
    }
    Ok(())
}

/// Refuses the first of `names` that is no model of the API.
pub fn check_all<'a>(cx: &mut Cx<'_>, api: &str, names: impl Iterator<Item = &'a String>) -> Result<()> {
    for name in names {
        if !cx.exists::<Model>(&[api, name])? {
            return Err(messages::bad_model(name));
        }
    }
    Ok(())
}
