//! Puts what a definition describes into the store, by the rules that hold for each operation that could have done it.
//!
//! Everything happens in the caller's transaction: an error leaves the API as it was.

use std::collections::BTreeMap;

use serde_json::Value;
use stagedoor_api::apigateway::{
    Authorizer, DocumentationPart, GatewayResponse, Method, Model, PutGatewayResponseRequest, PutMode,
    RequestValidator, Resource,
};
use stagedoor_state::{Cx, Result};

use super::document::Document;
use super::notes::Notes;
use super::plan::{Definition, Planned};
use crate::path_tree::PathTree;
use crate::{
    authorizer, documentation_location, documentation_part, gateway_response, integration,
    integration_response, messages, method, method_response, model, request_validator, resource, schema,
};

/// The API that a definition goes to.
pub struct Target<'a> {
    pub api: &'a str,
    pub mode: PutMode,
    /// Whether documentation is left alone.
    pub ignore_documentation: bool,
}

/// Stores everything but the API itself, whose document and root resource are there already.
pub fn store(cx: &mut Cx<'_>, target: &Target<'_>, definition: Definition) -> Result<Notes> {
    let api = target.api;
    let mut notes = definition.notes;
    let overwrite = target.mode == PutMode::Overwrite;
    put_models(cx, api, overwrite, definition.models, &mut notes)?;
    let validators = put_validators(cx, api, overwrite, definition.validators)?;
    let authorizers = put_authorizers(cx, api, overwrite, definition.authorizers, &mut notes)?;
    if overwrite {
        cx.delete_all::<GatewayResponse>(&[api])?;
    }
    put_gateway_responses(cx, api, definition.gateway_responses, &mut notes)?;
    if !target.ignore_documentation {
        put_documentation(cx, api, overwrite, definition.documentation)?;
    }
    let mut importer = Importer { api, validators, authorizers, notes, resources: Resources::default() };
    importer.resources.load(cx, api, overwrite)?;
    for (path, methods) in definition.paths {
        importer.path(cx, &path, methods)?;
    }
    for resource in importer.resources.by_path.values() {
        cx.put(&[api, resource.id.as_deref().unwrap_or_default()], resource)?;
    }
    Ok(importer.notes)
}

// === What methods refer to ===

fn put_models(
    cx: &mut Cx<'_>,
    api: &str,
    overwrite: bool,
    schemas: BTreeMap<String, Value>,
    notes: &mut Notes,
) -> Result<()> {
    let old = cx.all::<Model>(&[api])?;
    let mut ids: BTreeMap<_, _> = old.into_iter().map(|model| (model.name, model.id)).collect();
    if overwrite {
        cx.delete_all::<Model>(&[api])?;
    }
    for (name, mut schema) in schemas {
        schema::each_reference(&mut schema, &mut |reference| {
            if let Some(name) = Document::schema_name(reference) {
                *reference = schema::address(api, name);
            }
        });
        let id = ids.remove(&Some(name.clone())).flatten();
        let model = Model {
            id: id.or_else(|| Some(cx.new_id(model::ID_LENGTH))),
            name: Some(name.clone()),
            description: None,
            content_type: Some("application/json".to_owned()),
            schema: Some(schema.to_string()),
        };
        let checked = model::check_name(&name).and_then(|()| schema::check(&model));
        if notes.try_to(&format!("create model '{name}'"), checked)?.is_some() {
            cx.put(&[api, &name], &model)?;
        }
    }
    Ok(())
}

/// Ids by name.
type Ids = BTreeMap<String, String>;

fn put_validators(
    cx: &mut Cx<'_>,
    api: &str,
    overwrite: bool,
    validators: Vec<RequestValidator>,
) -> Result<Ids> {
    let mut ids = Ids::new();
    for old in cx.all::<RequestValidator>(&[api])? {
        ids.insert(old.name.unwrap_or_default(), old.id.unwrap_or_default());
    }
    if overwrite {
        cx.delete_all::<RequestValidator>(&[api])?;
    }
    let mut kept = if overwrite { Ids::new() } else { ids.clone() };
    for validator in validators {
        let name = validator.name.clone().unwrap_or_default();
        let id = ids.get(&name).cloned().unwrap_or_else(|| cx.new_id(request_validator::ID_LENGTH));
        cx.put(&[api, &id], &RequestValidator { id: Some(id.clone()), ..validator })?;
        kept.insert(name, id);
    }
    Ok(kept)
}

fn put_authorizers(
    cx: &mut Cx<'_>,
    api: &str,
    overwrite: bool,
    authorizers: Vec<Authorizer>,
    notes: &mut Notes,
) -> Result<Ids> {
    let mut ids = Ids::new();
    for old in cx.all::<Authorizer>(&[api])? {
        ids.insert(old.name.unwrap_or_default(), old.id.unwrap_or_default());
    }
    if overwrite {
        cx.delete_all::<Authorizer>(&[api])?;
    }
    let mut kept = if overwrite { Ids::new() } else { ids.clone() };
    for mut authorizer in authorizers {
        let name = authorizer.name.clone().unwrap_or_default();
        let settled = authorizer::settle(&mut authorizer);
        if notes.try_to(&format!("create authorizer '{name}'"), settled)?.is_none() {
            continue;
        }
        let id = ids.get(&name).cloned().unwrap_or_else(|| cx.new_id(authorizer::ID_LENGTH));
        cx.put(&[api, &id], &Authorizer { id: Some(id.clone()), ..authorizer })?;
        kept.insert(name, id);
    }
    Ok(kept)
}

fn put_gateway_responses(
    cx: &mut Cx<'_>,
    api: &str,
    responses: Vec<GatewayResponse>,
    notes: &mut Notes,
) -> Result<()> {
    for response in responses {
        let response_type = response.response_type.unwrap_or_default();
        let input = PutGatewayResponseRequest {
            rest_api_id: api.to_owned(),
            response_type,
            status_code: response.status_code,
            response_parameters: response.response_parameters,
            response_templates: response.response_templates,
        };
        let put = gateway_response::put_gateway_response(cx, input);
        notes.try_to(&format!("put gateway response '{response_type}'"), put)?;
    }
    Ok(())
}

fn put_documentation(
    cx: &mut Cx<'_>,
    api: &str,
    overwrite: bool,
    parts: Vec<(stagedoor_api::apigateway::DocumentationPartLocation, String)>,
) -> Result<()> {
    let mut ids = Ids::new();
    for old in cx.all::<DocumentationPart>(&[api])? {
        let place = old.location.as_ref().map(documentation_location::place).unwrap_or_default();
        ids.insert(place, old.id.unwrap_or_default());
    }
    if overwrite {
        cx.delete_all::<DocumentationPart>(&[api])?;
    }
    for (location, properties) in parts {
        let id = ids.get(&documentation_location::place(&location)).cloned();
        let id = id.unwrap_or_else(|| cx.new_id(documentation_part::ID_LENGTH));
        let part = DocumentationPart {
            id: Some(id.clone()),
            location: Some(location),
            properties: Some(properties),
        };
        cx.put(&[api, &id], &part)?;
    }
    Ok(())
}

// === Resources and their methods ===

/// The tree of an API while it grows.
#[derive(Default)]
struct Resources {
    tree: PathTree,
    by_path: BTreeMap<String, Resource>,
    /// Ids that paths had before, which they keep.
    old_ids: Ids,
}

impl Resources {
    fn load(&mut self, cx: &mut Cx<'_>, api: &str, overwrite: bool) -> Result<()> {
        for mut old in cx.all::<Resource>(&[api])? {
            let (path, id) = (old.path.clone().unwrap_or_default(), old.id.clone().unwrap_or_default());
            self.old_ids.insert(path.clone(), id.clone());
            if overwrite {
                old.resource_methods = None;
                if old.parent_id.is_some() {
                    cx.delete::<Resource>(&[api, &id])?;
                    continue;
                }
            }
            self.tree.insert(old.clone());
            self.by_path.insert(path, old);
        }
        Ok(())
    }

    /// The resource of a path, which is made, with all above it, if it is not there.
    fn at(&mut self, cx: &Cx<'_>, path: &str) -> Result<&mut Resource> {
        let mut here = "/".to_owned();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let parent = self.by_path.get(&here).cloned().unwrap_or_default();
            let next = format!("{}/{part}", here.trim_end_matches('/'));
            if !self.by_path.contains_key(&next) {
                let id = self.old_ids.get(&next).cloned().unwrap_or_else(|| cx.new_id(resource::ID_LENGTH));
                let path = self.tree.place(&id, &parent, part)?;
                let new = Resource {
                    id: Some(id),
                    parent_id: parent.id,
                    path_part: Some(part.to_owned()),
                    path: Some(path),
                    resource_methods: None,
                };
                self.tree.insert(new.clone());
                self.by_path.insert(next.clone(), new);
            }
            here = next;
        }
        self.by_path.get_mut(&here).ok_or_else(messages::no_resource)
    }
}

struct Importer<'a> {
    api: &'a str,
    validators: Ids,
    authorizers: Ids,
    notes: Notes,
    resources: Resources,
}

impl Importer<'_> {
    fn path(&mut self, cx: &mut Cx<'_>, path: &str, methods: BTreeMap<String, Planned>) -> Result<()> {
        let made = self.resources.at(cx, path).map(|resource| resource.id.clone().unwrap_or_default());
        let Some(id) = self.notes.try_to(&format!("create resource at path '{path}'"), made)? else {
            return Ok(());
        };
        for (verb, planned) in methods {
            let Some(method) = self.method(cx, &id, path, &verb, planned)? else { continue };
            let resource = self.resources.at(cx, path)?;
            resource.resource_methods.get_or_insert_default().insert(verb, method);
        }
        Ok(())
    }

    fn method(
        &mut self,
        cx: &mut Cx<'_>,
        resource: &str,
        path: &str,
        verb: &str,
        planned: Planned,
    ) -> Result<Option<Method>> {
        let authorizer_id = planned.authorizer.and_then(|name| self.authorizers.get(&name).cloned());
        // A validator that is not there is refused like one in `PutMethod`.
        let validator = planned
            .validator
            .map(|name| self.validators.get(&name).cloned().ok_or_else(messages::bad_validator));
        let settled = validator.transpose().and_then(|request_validator_id| {
            let method = Method {
                http_method: Some(verb.to_owned()),
                authorizer_id,
                request_validator_id,
                ..planned.method
            };
            method::settled(cx, self.api, method)
        });
        let what = format!("put method '{verb}' on resource at path '{path}'");
        let Some(mut method) = self.notes.try_to(&what, settled)? else { return Ok(None) };
        let place = format!("on '{verb}' for resource at path '{path}'");
        for response in planned.responses {
            let checked = method_response::check(cx, self.api, &response);
            if self.notes.try_to(&format!("put method response {place}"), checked)?.is_some() {
                let status = response.status_code.clone().unwrap_or_default();
                method.method_responses.get_or_insert_default().insert(status, response);
            }
        }
        let Some(mut integration) = planned.integration else { return Ok(Some(method)) };
        integration.cache_namespace.get_or_insert_with(|| resource.to_owned());
        let settled = integration::settled(integration, &method, cx.account());
        let Some(mut integration) = self.notes.try_to(&format!("put integration {place}"), settled)? else {
            return Ok(Some(method));
        };
        for response in planned.integration_responses {
            let settled = integration_response::settled(response, &method);
            let settled = self.notes.try_to(&format!("put integration response {place}"), settled)?;
            if let Some(response) = settled {
                let status = response.status_code.clone().unwrap_or_default();
                integration.integration_responses.get_or_insert_default().insert(status, response);
            }
        }
        method.method_integration = Some(integration);
        Ok(Some(method))
    }
}
