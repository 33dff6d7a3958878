//! Documents of the APIs as this copying sees them: picked, compared, changed.

use stagedoor_model::value::Key;
use stagedoor_model::{Service, Value};

use crate::command::members;

/// Entries of a document that grows.
pub type Entries = Vec<(Key, Value)>;

/// The members of a document that are also members of an operation's input: most answers can be sent back like that.
pub fn fitting(service: &Service, operation: &str, document: &Value) -> Entries {
    let known = service.operation(operation).map(members).unwrap_or_default();
    let Value::Map(entries) = document else { return Vec::new() };
    let fits = |name: &str| known.iter().any(|member| member.name == name);
    let entries = entries.iter().filter(|(name, value)| fits(name) && !value.is_null());
    entries.cloned().collect()
}

/// A text member; empty if there is none.
pub fn text<'v>(document: &'v Value, name: &str) -> &'v str {
    document.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Sets or adds a member.
pub fn set(entries: &mut Entries, name: &'static str, value: impl Into<Text>) {
    entries.retain(|(known, _)| known != name);
    entries.push((name.into(), value.into().0));
}

/// What [`set`] takes.
pub struct Text(Value);

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Value::String(text.to_owned()))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Value::String(text))
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        Self(Value::String(text.clone()))
    }
}

impl From<Value> for Text {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

/// A document without some members.
pub fn without(document: &Value, names: &[&str]) -> Value {
    let mut document = document.clone();
    if let Value::Map(entries) = &mut document {
        entries.retain(|(name, _)| !names.contains(&name.as_ref()));
    }
    document
}

/// A document whose comparison is one of contents: maps by name, nothing empty.
pub fn normal(value: &Value) -> Value {
    match value {
        Value::Map(entries) => {
            let mut entries: Entries = entries
                .iter()
                .map(|(name, value)| (name.clone(), normal(value)))
                .filter(|(_, value)| !is_empty(value))
                .collect();
            entries.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Map(entries)
        }
        Value::List(items) => Value::List(items.iter().map(normal).collect()),
        #[expect(clippy::cast_precision_loss, reason = "the numbers of definitions are small")]
        Value::Int(number) => Value::Float(*number as f64),
        other => other.clone(),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Map(entries) => entries.is_empty(),
        Value::List(items) => items.is_empty(),
        _ => false,
    }
}

/// Whether two documents say the same.
pub fn same(one: &Value, other: &Value) -> bool {
    normal(one) == normal(other)
}

/// Replaces a text member, wherever it is in the first level, if there is one.
pub fn map_member(entries: &mut Entries, name: &str, change: impl FnOnce(&str) -> String) {
    if let Some((_, value)) = entries.iter_mut().find(|(known, _)| known == name)
        && let Some(text) = value.as_str().filter(|text| !text.is_empty())
    {
        *value = Value::String(change(text));
    }
}

/// The value as patch operations and exports write it: a text.
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use stagedoor_model::apigatewayv2;

    use super::*;

    fn read(json: &str) -> Value {
        serde_json::from_str(json).expect("valid JSON")
    }

    #[test]
    fn documents_are_the_same_by_content() {
        assert!(same(&read(r#"{"a":1,"b":[],"c":null}"#), &read(r#"{"c":{},"a":1.0}"#)));
        assert!(!same(&read(r#"{"a":[1,2]}"#), &read(r#"{"a":[2,1]}"#)));
    }

    #[test]
    fn answers_become_inputs() {
        let route =
            read(r#"{"ApiGatewayManaged":false,"RouteId":"r","RouteKey":"GET /","Target":"integrations/i"}"#);
        let mut input = fitting(&apigatewayv2::SERVICE, "CreateRoute", &route);
        map_member(&mut input, "Target", |target| target.replace("/i", "/j"));
        set(&mut input, "ApiId", "a");
        assert_eq!(Value::Map(input), read(r#"{"RouteKey":"GET /","Target":"integrations/j","ApiId":"a"}"#));
    }
}
