//! Documentation in a definition: as `x-amazon-apigateway-documentation`, and as the descriptions that OpenAPI has of
//! its own, which become parts on import and are written back on export.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use stagedoor_api::apigateway::{
    DocumentationPart, DocumentationPartLocation as Location, DocumentationPartType as Type,
};

use super::document::{Document, Format, object, text};
use super::notes::Notes;
use super::{extension, read};
use crate::{documentation_location, documentation_part};

/// Members of OpenAPI that are documentation and nothing else.
const DESCRIBING: [&str; 4] = ["summary", "description", "tags", "externalDocs"];

// === In ===

/// The parts of a definition. What the extension says of a location replaces what stands in place.
pub fn imported(document: &Document, prefix: &str, notes: &mut Notes) -> Vec<(Location, String)> {
    let mut parts = Parts::default();
    let root = &document.root;
    if let Some(description) = text(&root["info"], "description") {
        parts.add(Type::Api, &Location::default(), json!({"info": {"description": description}}));
    }
    for (name, schema) in document.schemas().into_iter().flatten() {
        let here = Location { name: Some(name.clone()), ..Location::default() };
        parts.add(Type::Model, &here, described(schema, &["title", "description"]));
    }
    for (path, item) in object(root, "paths").into_iter().flatten().filter(|(path, _)| path.starts_with('/'))
    {
        let here = Location { path: Some(read::joined(prefix, path)), ..Location::default() };
        parts.path(document, &here, document.resolve(item));
    }
    if let Some(members) = root.as_object() {
        let (given, warnings) = documentation_part::imported(members);
        notes.warnings.extend(warnings);
        for (location, properties) in given {
            parts.0.insert(documentation_location::place(&location), (location, properties));
        }
    }
    parts.0.into_values().collect()
}

/// Parts by place.
#[derive(Default)]
struct Parts(BTreeMap<String, (Location, String)>);

impl Parts {
    fn add(&mut self, kind: Type, here: &Location, properties: Value) {
        if properties.as_object().is_none_or(Map::is_empty) {
            return;
        }
        let location = documentation_location::completed(Location { r#type: kind, ..here.clone() });
        self.0.insert(documentation_location::place(&location), (location, properties.to_string()));
    }

    fn path(&mut self, document: &Document, here: &Location, item: &Value) {
        self.add(Type::Resource, here, described(item, &["summary", "description"]));
        for (member, operation) in item.as_object().into_iter().flatten() {
            let verb = match member.as_str() {
                extension::ANY_METHOD => extension::ANY.to_owned(),
                verb if operation.get("responses").is_some() => verb.to_ascii_uppercase(),
                _ => continue,
            };
            let here = Location { method: Some(verb), ..here.clone() };
            self.operation(document, &here, operation);
        }
    }

    fn operation(&mut self, document: &Document, here: &Location, operation: &Value) {
        self.add(Type::Method, here, described(operation, &DESCRIBING));
        let parameters = operation.get("parameters").and_then(Value::as_array);
        for parameter in parameters.into_iter().flatten().map(|parameter| document.resolve(parameter)) {
            let kind = match parameter["in"].as_str() {
                Some("path") => Type::PathParameter,
                Some("query") => Type::QueryParameter,
                Some("header") => Type::RequestHeader,
                Some("body") => Type::RequestBody,
                _ => continue,
            };
            let name = text(parameter, "name").filter(|_| kind != Type::RequestBody);
            self.add(kind, &Location { name, ..here.clone() }, described(parameter, &["description"]));
        }
        if let Some(body) = operation.get("requestBody") {
            self.add(Type::RequestBody, here, described(document.resolve(body), &["description"]));
        }
        for (status, response) in object(operation, "responses").into_iter().flatten() {
            let response = document.resolve(response);
            let here = Location { status_code: Some(status.clone()), ..here.clone() };
            self.add(Type::Response, &here, described(response, &["description"]));
            for (name, header) in object(response, "headers").into_iter().flatten() {
                let here = Location { name: Some(name.clone()), ..here.clone() };
                self.add(Type::ResponseHeader, &here, described(header, &["description"]));
            }
        }
    }
}

/// Those of some members that are there.
fn described(value: &Value, members: &[&str]) -> Value {
    let found = members.iter().filter_map(|member| Some(((*member).to_owned(), value.get(member)?.clone())));
    Value::Object(found.filter(|(_, value)| !value.is_null() && value != "").collect())
}

// === Out ===

/// Writes the parts that OpenAPI has places for into a definition.
pub fn write(definition: &mut Value, format: Format, parts: &[DocumentationPart]) {
    for part in parts {
        let Some(location) = &part.location else { continue };
        let properties = part.properties.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let Some(Value::Object(properties)) = properties else { continue };
        if let Some(place) = place(definition, format, location) {
            put(place, location.r#type, &properties);
        }
    }
}

fn put(place: &mut Value, kind: Type, properties: &Map<String, Value>) {
    let Some(members) = place.as_object_mut() else { return };
    if kind == Type::Api {
        let info = properties.get("info").and_then(Value::as_object).into_iter().flatten();
        let info = info.chain(properties.iter().filter(|(name, _)| *name == "description"));
        for (name, value) in info.filter(|(_, value)| value.is_string()) {
            members.entry("info").and_modify(|info| info[name.as_str()] = value.clone());
        }
        return;
    }
    for (name, value) in properties {
        let fits = match name.as_str() {
            "summary" | "description" | "title" => value.is_string(),
            "tags" => value.is_array() && kind == Type::Method,
            "externalDocs" => value.is_object(),
            _ => false,
        };
        if fits {
            members.insert(name.clone(), value.clone());
        }
    }
}

/// The part of a definition that a location means. One about several methods at once has no place.
fn place<'a>(definition: &'a mut Value, format: Format, location: &Location) -> Option<&'a mut Value> {
    let name = location.name.as_deref();
    let schemas: &[&str] = match format {
        Format::Swagger => &["definitions"],
        Format::OpenApi => &["components", "schemas"],
    };
    let mut at = definition;
    match location.r#type {
        Type::Api => return Some(at),
        Type::Authorizer => return None,
        Type::Model => return schemas.iter().chain(&name).try_fold(at, |at, member| at.get_mut(*member)),
        // Swagger's paths have no descriptions.
        Type::Resource if format == Format::Swagger => return None,
        _ => {}
    }
    at = at.get_mut("paths")?.get_mut(location.path.as_deref()?)?;
    if location.r#type == Type::Resource {
        return Some(at);
    }
    at = at.get_mut(extension::member(location.method.as_deref()?).as_str())?;
    match location.r#type {
        Type::Method => Some(at),
        Type::RequestBody if format == Format::OpenApi => at.get_mut("requestBody"),
        Type::RequestBody => parameter(at, "body", None),
        Type::PathParameter => parameter(at, "path", name),
        Type::QueryParameter => parameter(at, "query", name),
        Type::RequestHeader => parameter(at, "header", name),
        Type::Response => at.get_mut("responses")?.get_mut(location.status_code.as_deref()?),
        Type::ResponseHeader => {
            let response = at.get_mut("responses")?.get_mut(location.status_code.as_deref()?)?;
            response.get_mut("headers")?.get_mut(name?)
        }
        _ => None,
    }
}

fn parameter<'a>(operation: &'a mut Value, place: &str, name: Option<&str>) -> Option<&'a mut Value> {
    let parameters = operation.get_mut("parameters")?.as_array_mut()?;
    parameters
        .iter_mut()
        .find(|parameter| parameter["in"] == place && name.is_none_or(|name| parameter["name"] == name))
}

/// The extension, which keeps every part as it is.
pub fn extension(version: &str, created: &str, parts: &[DocumentationPart]) -> Value {
    let parts = parts.iter().filter_map(|part| {
        let properties: Value = serde_json::from_str(part.properties.as_deref()?).ok()?;
        Some(json!({"location": part.location.as_ref()?, "properties": properties}))
    });
    json!({"version": version, "createdDate": created, "documentationParts": parts.collect::<Vec<_>>()})
}
