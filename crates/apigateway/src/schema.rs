//! The schemas of models: what is refused, and how they refer to each other. Pure.
//!
//! A model refers to another of its API by the address
//! `https://apigateway.amazonaws.com/restapis/{api}/models/{name}`. The data plane judges payloads.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use stagedoor_api::apigateway::Model;
use stagedoor_state::Result;

use crate::messages;

/// Refuses a model without a schema, and one of JSON whose schema is no JSON object.
pub fn check(model: &Model) -> Result<()> {
    let schema = model.schema.as_deref().unwrap_or_default();
    if schema.trim().is_empty() {
        return Err(messages::model_schema_empty());
    }
    let is_json = model.content_type.as_deref().is_some_and(|content_type| content_type.contains("json"));
    match is_json && serde_json::from_str::<Map<String, Value>>(schema).is_err() {
        true => Err(messages::bad_model_schema()),
        false => Ok(()),
    }
}

/// Where a model of that API is referred to.
pub fn address(api: &str, name: &str) -> String {
    format!("https://apigateway.amazonaws.com/restapis/{api}/models/{name}")
}

/// Whether a schema refers to that model.
pub fn refers(schema: &str, api: &str, name: &str) -> bool {
    let Ok(mut schema) = serde_json::from_str::<Value>(schema) else { return false };
    let address = address(api, name);
    let mut found = false;
    each_reference(&mut schema, &mut |reference| found |= *reference == address);
    found
}

/// The schema with everything that it refers to, directly or not, below its `definitions`.
pub fn flatten(schema: &str, api: &str, models: &[Model]) -> String {
    let Ok(mut root) = serde_json::from_str::<Value>(schema) else { return schema.to_owned() };
    let prefix = address(api, "");
    let mut wanted = Vec::new();
    localise(&mut root, &prefix, &mut wanted);
    let mut definitions = BTreeMap::new();
    while let Some(name) = wanted.pop() {
        if definitions.contains_key(&name) {
            continue;
        }
        let model = models.iter().find(|model| model.name.as_ref() == Some(&name));
        let schema = model.and_then(|model| model.schema.as_deref()).unwrap_or_default();
        let mut definition = serde_json::from_str(schema).unwrap_or_else(|_| Value::Object(Map::new()));
        localise(&mut definition, &prefix, &mut wanted);
        definitions.insert(name, definition);
    }
    if let (Value::Object(root), false) = (&mut root, definitions.is_empty()) {
        let own = root.entry("definitions").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(own) = own {
            own.extend(definitions);
        }
    }
    root.to_string()
}

/// Turns references to models into references to definitions; notes the models' names.
fn localise(schema: &mut Value, prefix: &str, wanted: &mut Vec<String>) {
    each_reference(schema, &mut |reference| {
        if let Some(name) = reference.strip_prefix(prefix).map(str::to_owned) {
            *reference = format!("#/definitions/{name}");
            wanted.push(name);
        }
    });
}

/// Visits everything that a schema refers to.
pub fn each_reference(schema: &mut Value, visit: &mut dyn FnMut(&mut String)) {
    match schema {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(reference) if name == "$ref" => visit(reference),
                    other => each_reference(other, visit),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each_reference(item, visit)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(name: &str, schema: &str) -> Model {
        Model { name: Some(name.to_owned()), schema: Some(schema.to_owned()), ..Model::default() }
    }

    const PET: &str = r#"{"properties": {"owner":
        {"$ref": "https://apigateway.amazonaws.com/restapis/a/models/Owner"}}}"#;
    const OWNER: &str = r#"{"properties": {"pets": {"type": "array", "items":
        {"$ref": "https://apigateway.amazonaws.com/restapis/a/models/Pet"}}}}"#;

    #[test]
    fn references_are_found_by_api_and_name() {
        assert!(refers(PET, "a", "Owner"));
        for (schema, api, name) in [(PET, "b", "Owner"), (PET, "a", "Pet"), ("no JSON", "a", "Owner")] {
            assert!(!refers(schema, api, name));
        }
    }

    #[test]
    fn flattening_ends_where_models_refer_to_each_other() {
        let models = [model("Pet", PET), model("Owner", OWNER)];
        let flat: Value = serde_json::from_str(&flatten(PET, "a", &models)).expect("JSON");
        assert_eq!(flat.pointer("/properties/owner/$ref"), Some(&Value::from("#/definitions/Owner")));
        let back = flat.pointer("/definitions/Owner/properties/pets/items/$ref");
        assert_eq!(back, Some(&Value::from("#/definitions/Pet")));
        assert!(flat.pointer("/definitions/Pet/properties/owner").is_some());
        assert_eq!(flatten("{}", "a", &models), "{}");
    }
}
