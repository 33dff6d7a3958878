//! A definition as a document: which format it has, where that format keeps things, and what its references mean.

use serde_json::{Map, Value};
use stagedoor_state::definition;

/// The two formats. They describe the same things in different places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Swagger 2.0, also called OpenAPI 2.0.
    Swagger,
    /// OpenAPI 3.0.
    OpenApi,
}

/// References that lead to references are followed so far.
const HOPS_MAX: usize = 16;

/// A definition's text, read.
#[derive(Debug)]
pub struct Document {
    pub root: Value,
    pub format: Format,
}

impl Document {
    /// Reads JSON or YAML; `None` if it is neither or is of no known format.
    pub fn read(text: &str) -> Option<Self> {
        let root = Value::Object(definition::read(text)?);
        let version = |member: &str| root.get(member).and_then(definition::text).unwrap_or_default();
        let format = if version("swagger").starts_with('2') {
            Format::Swagger
        } else if version("openapi").starts_with("3.") {
            Format::OpenApi
        } else {
            return None;
        };
        Some(Self { root, format })
    }

    /// Schemas by name.
    pub fn schemas(&self) -> Option<&Map<String, Value>> {
        match self.format {
            Format::Swagger => object(&self.root, "definitions"),
            Format::OpenApi => object(self.root.get("components")?, "schemas"),
        }
    }

    /// Security schemes by name.
    pub fn security_schemes(&self) -> Option<&Map<String, Value>> {
        match self.format {
            Format::Swagger => object(&self.root, "securityDefinitions"),
            Format::OpenApi => object(self.root.get("components")?, "securitySchemes"),
        }
    }

    /// Whether a reference is to the schema of some name.
    pub fn schema_name(reference: &str) -> Option<&str> {
        ["#/definitions/", "#/components/schemas/"].iter().find_map(|place| reference.strip_prefix(place))
    }

    /// What a value is, or what it refers to. A reference to nowhere stays what it is.
    pub fn resolve<'a>(&'a self, mut value: &'a Value) -> &'a Value {
        for _ in 0..HOPS_MAX {
            let pointer = reference(value).and_then(|reference| reference.strip_prefix('#'));
            match pointer.and_then(|pointer| self.root.pointer(pointer)) {
                Some(target) => value = target,
                None => break,
            }
        }
        value
    }
}

/// What a value refers to, if it is a reference.
pub fn reference(value: &Value) -> Option<&str> {
    value.get("$ref").and_then(Value::as_str)
}

/// A member that is an object.
pub fn object<'a>(value: &'a Value, member: &str) -> Option<&'a Map<String, Value>> {
    value.get(member).and_then(Value::as_object)
}

/// A member that is a scalar and not empty, as text.
pub fn text(value: &Value, member: &str) -> Option<String> {
    value.get(member).and_then(definition::text).filter(|text| !text.is_empty())
}

/// A member that says yes or no. Definitions that were made from templates say it in quotes.
pub fn flag(value: &Value, member: &str) -> Option<bool> {
    match value.get(member)? {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => Some(text.eq_ignore_ascii_case("true")),
        _ => None,
    }
}

/// A member that is a whole number, or one in quotes.
pub fn number(value: &Value, member: &str) -> Option<i64> {
    let value = value.get(member)?;
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// The texts of a member that is a list, or of one that is a single text.
pub fn texts(value: &Value, member: &str) -> Option<Vec<String>> {
    match value.get(member)? {
        Value::Array(items) => Some(items.iter().filter_map(definition::text).collect()),
        single => definition::text(single).map(|text| vec![text]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        let cases = [
            (r#"{"swagger": "2.0"}"#, Some(Format::Swagger)),
            ("swagger: 2.0", Some(Format::Swagger)),
            ("openapi: 3.0.1", Some(Format::OpenApi)),
            (r#"{"openapi": "3.0"}"#, Some(Format::OpenApi)),
            ("openapi: 4.0.0", None),
            ("{}", None),
            ("no definition", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Document::read(text).map(|document| document.format), expected, "{text}");
        }
    }

    #[test]
    fn references_end() {
        let document = Document::read(
            r##"{"swagger": "2.0", "a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}, "c": {"$ref": "#/d~1e"}, "d/e": 1}"##,
        )
        .expect("a definition");
        assert_eq!(document.resolve(&document.root["c"]), &Value::from(1));
        assert!(reference(document.resolve(&document.root["a"])).is_some());
    }
}
