//! Operations of a definition as methods: parameters, bodies and responses. What secures a method stands in
//! [`super::security`], what it calls in [`super::integrations`].

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use stagedoor_api::apigateway::MethodResponse;

use super::document::{Document, Format, flag, object, text, texts};
use super::extension;
use super::integrations::{self, At};
use super::models::Models;
use super::notes::Notes;
use super::plan::Planned;
use super::security::{self, Scheme};

/// The content type of a body whose definition names none.
const JSON: &str = "application/json";

/// What is needed to read any operation.
pub struct Reader<'a> {
    pub document: &'a Document,
    pub models: Models<'a>,
    pub schemes: BTreeMap<String, Scheme>,
    pub notes: Notes,
}

impl Reader<'_> {
    /// The method that an operation describes. `shared` are the parameters of its path.
    pub fn operation(&mut self, at: &At<'_>, operation: &Value, shared: Option<&Value>) -> Planned {
        let root = &self.document.root;
        let mut planned = Planned::default();
        planned.method.operation_name = text(operation, "operationId");
        security::apply(&mut planned, operation, root, &self.schemes);
        self.parameters(&mut planned, operation, shared);
        self.request_body(&mut planned, operation);
        planned.validator = text(operation, extension::REQUEST_VALIDATOR)
            .or_else(|| text(root, extension::REQUEST_VALIDATOR));
        self.responses(&mut planned, at, operation);
        if let Some(integration) = operation.get(extension::INTEGRATION) {
            let given = self.document.resolve(integration);
            integrations::apply(&mut planned, given, at, &mut self.notes);
        }
        planned
    }

    // === Requests ===

    /// The operation's own parameters stand before those of its path.
    fn parameters(&mut self, planned: &mut Planned, operation: &Value, shared: Option<&Value>) {
        let mut parameters = BTreeMap::new();
        let lists = [shared, operation.get("parameters")];
        for parameter in lists.into_iter().flatten().filter_map(Value::as_array).flatten() {
            let parameter = self.document.resolve(parameter);
            let (Some(name), Some(place)) = (text(parameter, "name"), text(parameter, "in")) else {
                continue;
            };
            let place = match place.as_str() {
                "path" => "path",
                "query" => "querystring",
                "header" => "header",
                "body" => {
                    self.swagger_body(planned, operation, parameter);
                    continue;
                }
                _ => continue,
            };
            let required = place == "path" || flag(parameter, "required").unwrap_or(false);
            parameters.insert(format!("method.request.{place}.{name}"), required);
        }
        planned.method.request_parameters = Some(parameters).filter(|parameters| !parameters.is_empty());
    }

    fn swagger_body(&mut self, planned: &mut Planned, operation: &Value, parameter: &Value) {
        let schema = parameter.get("schema").and_then(|schema| self.models.of(schema, &mut self.notes));
        let Some(model) = schema else { return };
        let types = self.media_types(operation, "consumes");
        let models = types.into_iter().map(|content_type| (content_type, model.clone())).collect();
        planned.method.request_models = Some(models);
    }

    fn request_body(&mut self, planned: &mut Planned, operation: &Value) {
        let Some(body) = operation.get("requestBody").filter(|_| self.document.format == Format::OpenApi)
        else {
            return;
        };
        let models = self.content(self.document.resolve(body));
        planned.method.request_models = Some(models).filter(|models| !models.is_empty());
    }

    /// Models by content type, as OpenAPI 3 has them.
    fn content(&mut self, body: &Value) -> BTreeMap<String, String> {
        let mut models = BTreeMap::new();
        for (content_type, media) in object(body, "content").into_iter().flatten() {
            let schema = media.get("schema").and_then(|schema| self.models.of(schema, &mut self.notes));
            models.extend(schema.map(|model| (content_type.clone(), model)));
        }
        models
    }

    /// `consumes` or `produces` of the operation, else of the definition.
    fn media_types(&self, operation: &Value, member: &str) -> Vec<String> {
        let given = texts(operation, member).or_else(|| texts(&self.document.root, member));
        given.filter(|types| !types.is_empty()).unwrap_or_else(|| vec![JSON.to_owned()])
    }

    // === Responses ===

    fn responses(&mut self, planned: &mut Planned, at: &At<'_>, operation: &Value) {
        for (status, response) in object(operation, "responses").into_iter().flatten() {
            if status.starts_with("x-") {
                continue;
            }
            if !is_status(status) {
                let At { path, verb } = at;
                self.notes.warn(format!(
                    "Response '{status}' of method '{verb}' for resource at path '{path}' is not supported. Ignoring."
                ));
                continue;
            }
            let response = self.document.resolve(response);
            let models = match self.document.format {
                Format::OpenApi => self.content(response),
                Format::Swagger => self.swagger_response(operation, response),
            };
            planned.responses.push(MethodResponse {
                status_code: Some(status.clone()),
                response_models: Some(models).filter(|models| !models.is_empty()),
                response_parameters: response_parameters(object(response, "headers")),
            });
        }
    }

    fn swagger_response(&mut self, operation: &Value, response: &Value) -> BTreeMap<String, String> {
        let schema = response.get("schema").and_then(|schema| self.models.of(schema, &mut self.notes));
        let Some(model) = schema else { return BTreeMap::new() };
        let types = self.media_types(operation, "produces");
        types.into_iter().map(|content_type| (content_type, model.clone())).collect()
    }
}

fn is_status(text: &str) -> bool {
    text.len() == 3
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && text.starts_with(['1', '2', '3', '4', '5'])
}

fn response_parameters(headers: Option<&Map<String, Value>>) -> Option<BTreeMap<String, bool>> {
    let headers = headers.filter(|headers| !headers.is_empty())?;
    Some(headers.keys().map(|name| (format!("method.response.header.{name}"), false)).collect())
}
