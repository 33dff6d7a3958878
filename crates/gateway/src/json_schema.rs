//! JSON Schema draft 4, as models of REST APIs use it to check request bodies.
//!
//! Pure. A schema is read once; `$ref` leads to another model of the API by its URL, or into the same document. What is
//! wrong with a value is told in the words of the Java library `json-schema-validator`, which API Gateway passes on.

mod check;
mod format;

use std::collections::{BTreeMap, HashMap};

use format::Format;
use serde_json::{Map, Value};
use stagedoor_vtl::JavaRegex;

/// Schemas inside each other in a model's text.
const DEPTH_MAX: usize = 64;

/// A schema, ready to check values.
#[derive(Debug)]
pub(crate) struct Schema {
    nodes: Vec<Node>,
    root: usize,
}

/// The schema of a model by its name.
pub(crate) type Models<'m> = dyn Fn(&str) -> Option<&'m Value> + 'm;

/// One schema object; others are named by their place.
#[derive(Debug, Default)]
struct Node {
    reference: Option<usize>,
    types: Vec<String>,
    values: Option<Vec<Value>>,
    required: Vec<String>,
    properties: BTreeMap<String, usize>,
    pattern_properties: Vec<(JavaRegex, usize)>,
    additional_properties: Rest,
    dependencies: Vec<(String, Dependency)>,
    properties_min: Option<u64>,
    properties_max: Option<u64>,
    items: Items,
    additional_items: Rest,
    items_min: Option<u64>,
    items_max: Option<u64>,
    items_unique: bool,
    length_min: Option<u64>,
    length_max: Option<u64>,
    pattern: Option<JavaRegex>,
    format: Option<Format>,
    minimum: Option<Bound>,
    maximum: Option<Bound>,
    multiple_of: Option<f64>,
    all_of: Vec<usize>,
    any_of: Vec<usize>,
    one_of: Vec<usize>,
    not: Option<usize>,
}

/// What members beside those named may be.
#[derive(Clone, Copy, Debug, Default)]
enum Rest {
    #[default]
    Anything,
    Nothing,
    Schema(usize),
}

#[derive(Debug, Default)]
enum Items {
    #[default]
    Anything,
    Each(usize),
    ByPlace(Vec<usize>),
}

#[derive(Debug)]
enum Dependency {
    Members(Vec<String>),
    Schema(usize),
}

#[derive(Clone, Debug)]
struct Bound {
    value: serde_json::Number,
    exclusive: bool,
}

/// Why a schema cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unusable {
    #[error("the model refers to {0}, which does not exist")]
    NoSuchReference(String),
    #[error("{0:?} is no pattern that can be read")]
    Pattern(String),
    #[error("the model is nested too deeply")]
    TooDeep,
}

impl Schema {
    /// Reads a model's schema.
    ///
    /// # Errors
    /// A reference leads nowhere, or a pattern cannot be read.
    pub(crate) fn read<'m>(document: &'m Value, models: &Models<'m>) -> Result<Self, Unusable> {
        let mut reader = Reader { models, nodes: Vec::new(), known: HashMap::new() };
        let root = reader.node(document, document, 0)?;
        Ok(Self { nodes: reader.nodes, root })
    }
}

struct Reader<'r, 'm> {
    models: &'r Models<'m>,
    nodes: Vec<Node>,
    /// Where schemas that were referred to are, by their address in memory.
    known: HashMap<*const Value, usize>,
}

impl<'m> Reader<'_, 'm> {
    /// Reads `schema`, a part of `document`; each once, so that schemas may refer to themselves.
    fn node(&mut self, schema: &'m Value, document: &'m Value, depth: usize) -> Result<usize, Unusable> {
        if let Some(known) = self.known.get(&std::ptr::from_ref(schema)) {
            return Ok(*known);
        }
        if depth > DEPTH_MAX {
            return Err(Unusable::TooDeep);
        }
        let place = self.nodes.len();
        self.nodes.push(Node::default());
        self.known.insert(std::ptr::from_ref(schema), place);
        if let Some(members) = schema.as_object() {
            self.nodes[place] = self.members(members, document, depth + 1)?;
        }
        Ok(place)
    }

    fn members(
        &mut self,
        schema: &'m Map<String, Value>,
        document: &'m Value,
        depth: usize,
    ) -> Result<Node, Unusable> {
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let (schema, document) = self.referred(target, document)?;
            let reference = Some(self.node(schema, document, depth)?);
            return Ok(Node { reference, ..Node::default() });
        }
        let number = |name: &str| schema.get(name).and_then(Value::as_u64);
        let text = |name: &str| schema.get(name).and_then(Value::as_str);
        let mut node = Node {
            types: texts(schema.get("type")),
            values: schema.get("enum").and_then(Value::as_array).cloned(),
            required: texts(schema.get("required").filter(|value| value.is_array())),
            properties_min: number("minProperties"),
            properties_max: number("maxProperties"),
            items_min: number("minItems"),
            items_max: number("maxItems"),
            items_unique: schema.get("uniqueItems") == Some(&Value::Bool(true)),
            length_min: number("minLength"),
            length_max: number("maxLength"),
            pattern: text("pattern").map(pattern).transpose()?,
            format: text("format").and_then(Format::parse),
            minimum: bound(schema, "minimum", "exclusiveMinimum"),
            maximum: bound(schema, "maximum", "exclusiveMaximum"),
            multiple_of: schema.get("multipleOf").and_then(Value::as_f64),
            ..Node::default()
        };
        node.required.sort();
        self.add_members(&mut node, schema, document, depth)?;
        self.add_items(&mut node, schema, document, depth)?;
        node.all_of = self.list(schema.get("allOf"), document, depth)?;
        node.any_of = self.list(schema.get("anyOf"), document, depth)?;
        node.one_of = self.list(schema.get("oneOf"), document, depth)?;
        node.not = schema.get("not").map(|not| self.node(not, document, depth)).transpose()?;
        Ok(node)
    }

    fn add_members(
        &mut self,
        node: &mut Node,
        schema: &'m Map<String, Value>,
        document: &'m Value,
        depth: usize,
    ) -> Result<(), Unusable> {
        for (name, schema) in object(schema.get("properties")) {
            node.properties.insert(name.clone(), self.node(schema, document, depth)?);
        }
        for (name, schema) in object(schema.get("patternProperties")) {
            node.pattern_properties.push((pattern(name)?, self.node(schema, document, depth)?));
        }
        for (name, wanted) in object(schema.get("dependencies")) {
            let dependency = match wanted {
                Value::Object(_) => Dependency::Schema(self.node(wanted, document, depth)?),
                _ => Dependency::Members(texts(Some(wanted))),
            };
            node.dependencies.push((name.clone(), dependency));
        }
        node.additional_properties = self.rest(schema.get("additionalProperties"), document, depth)?;
        Ok(())
    }

    fn add_items(
        &mut self,
        node: &mut Node,
        schema: &'m Map<String, Value>,
        document: &'m Value,
        depth: usize,
    ) -> Result<(), Unusable> {
        node.items = match schema.get("items") {
            Some(Value::Array(_)) => Items::ByPlace(self.list(schema.get("items"), document, depth)?),
            Some(each) => Items::Each(self.node(each, document, depth)?),
            None => Items::Anything,
        };
        node.additional_items = self.rest(schema.get("additionalItems"), document, depth)?;
        Ok(())
    }

    fn list(
        &mut self,
        schemas: Option<&'m Value>,
        document: &'m Value,
        depth: usize,
    ) -> Result<Vec<usize>, Unusable> {
        let schemas = schemas.and_then(Value::as_array).into_iter().flatten();
        schemas.map(|schema| self.node(schema, document, depth)).collect()
    }

    fn rest(&mut self, rest: Option<&'m Value>, document: &'m Value, depth: usize) -> Result<Rest, Unusable> {
        Ok(match rest {
            Some(Value::Bool(false)) => Rest::Nothing,
            Some(schema @ Value::Object(_)) => Rest::Schema(self.node(schema, document, depth)?),
            _ => Rest::Anything,
        })
    }

    /// `https://apigateway.amazonaws.com/restapis/{api}/models/{name}`, `#/definitions/{name}`, or both.
    fn referred(&self, target: &str, document: &'m Value) -> Result<(&'m Value, &'m Value), Unusable> {
        let unknown = || Unusable::NoSuchReference(target.to_owned());
        let (address, pointer) = target.split_once('#').unwrap_or((target, ""));
        let document = match address.rsplit_once("/models/") {
            Some((_, name)) => (self.models)(name).ok_or_else(unknown)?,
            None if address.is_empty() => document,
            None => return Err(unknown()),
        };
        Ok((document.pointer(pointer).ok_or_else(unknown)?, document))
    }
}

fn object(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

/// A text or a list of texts.
fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn pattern(text: &str) -> Result<JavaRegex, Unusable> {
    JavaRegex::part(text).map_err(|_| Unusable::Pattern(text.to_owned()))
}

fn bound(schema: &Map<String, Value>, name: &str, exclusive: &str) -> Option<Bound> {
    let Some(Value::Number(value)) = schema.get(name) else { return None };
    Some(Bound { value: value.clone(), exclusive: schema.get(exclusive) == Some(&Value::Bool(true)) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The errors, joined as `$context.error.validationErrorString` has them.
    #[track_caller]
    fn check(schema: &Value, value: &Value, expected: &str) {
        let models = json!({
            "Name": {"type": "string", "minLength": 2},
            "Tree": {"type": "object", "required": ["v"], "properties": {
                "next": {"$ref": "https://apigateway.amazonaws.com/restapis/abc/models/Tree"}
            }},
        });
        let find = |name: &str| models.get(name);
        let read = Schema::read(schema, &find).expect("a usable schema");
        assert_eq!(read.errors(value).join(", "), expected, "{schema} {value}");
    }

    #[test]
    fn scalars_are_checked() {
        let ty = |name: &str| json!({"type": name});
        check(
            &ty("object"),
            &json!("x"),
            r#"instance type (string) does not match any allowed primitive type (allowed: ["object"])"#,
        );
        check(&ty("integer"), &json!(1), "");
        check(
            &ty("integer"),
            &json!(1.5),
            r#"instance type (number) does not match any allowed primitive type (allowed: ["integer"])"#,
        );
        check(&ty("number"), &json!(1), "");
        check(&json!({"type": ["string", "null"]}), &json!(null), "");
        check(
            &json!({"enum": ["a", 1]}),
            &json!("b"),
            r#"instance value ("b") not found in enum (possible values: ["a",1])"#,
        );
        check(
            &json!({"minimum": 2}),
            &json!(1),
            "numeric instance is lower than the required minimum (minimum: 2, found: 1)",
        );
        check(
            &json!({"maximum": 2, "exclusiveMaximum": true}),
            &json!(2),
            "numeric instance is not strictly lower than the required maximum 2",
        );
        check(&json!({"multipleOf": 0.5}), &json!(1.5), "");
        check(&json!({"multipleOf": 0.01}), &json!(19.99), "");
        check(&json!({"multipleOf": 0.1}), &json!(-0.3), "");
        check(&json!({"multipleOf": 1e-300}), &json!(1e300), "");
        check(&json!({"multipleOf": 1e300}), &json!(0), "");
        check(&json!({"multipleOf": 3}), &json!(u64::MAX), "");
        check(&json!({"multipleOf": 5e-324}), &json!(1), "");
        check(
            &json!({"multipleOf": 0.02}),
            &json!(19.99),
            "remainder of division is not zero (19.99 / 0.02)",
        );
        check(&json!({"multipleOf": 100}), &json!(0.5), "remainder of division is not zero (0.5 / 100)");
        check(
            &json!({"multipleOf": 4}),
            &json!(u64::MAX),
            "remainder of division is not zero (18446744073709551615 / 4)",
        );
        check(
            &json!({"minLength": 3, "maxLength": 1}),
            &json!("éa"),
            "string \"éa\" is too long (length: 2, maximum allowed: 1), \
             string \"éa\" is too short (length: 2, required minimum: 3)",
        );
        check(
            &json!({"pattern": "^a"}),
            &json!("b"),
            r#"ECMA 262 regex "^a" does not match input string "b""#,
        );
        // A rule for passwords, as models have them.
        let rule = json!({"pattern": r"^(?=.*[A-Z])(?=.*\d).{8,}$"});
        check(&rule, &json!("Secret12"), "");
        check(
            &rule,
            &json!("secret12"),
            r#"ECMA 262 regex "^(?=.*[A-Z])(?=.*\d).{8,}$" does not match input string "secret12""#,
        );
    }

    #[test]
    fn objects_and_lists_are_checked() {
        check(
            &json!({"required": ["b", "a", "c"]}),
            &json!({"c": 1}),
            r#"object has missing required properties (["a","b"])"#,
        );
        check(
            &json!({"properties": {"a": {"type": "string"}}, "additionalProperties": false}),
            &json!({"a": "x", "b": 1}),
            r#"object instance has properties which are not allowed by the schema: ["b"]"#,
        );
        check(
            &json!({"patternProperties": {"^x-": {"type": "string"}}, "additionalProperties": false}),
            &json!({"x-a": "x"}),
            "",
        );
        check(
            &json!({"items": {"type": "string"}, "maxItems": 1}),
            &json!(["a", "b"]),
            "array is too long: must have at most 1 elements but instance has 2 elements",
        );
        check(
            &json!({"items": [{"type": "string"}], "additionalItems": false}),
            &json!(["a", 1]),
            "array is too long: must have at most 1 elements but instance has 2 elements",
        );
        check(&json!({"uniqueItems": true}), &json!([1, 2, 1]), "array must not contain duplicate elements");
        check(
            &json!({"dependencies": {"a": ["b"]}}),
            &json!({"a": 1}),
            r#"property "a" of object has missing property dependencies (schema requires ["b"]; missing: ["b"])"#,
        );
        check(&json!({}), &json!([{"any": "thing"}]), "");
    }

    #[test]
    fn schemas_are_put_together() {
        let either = json!({"oneOf": [{"type": "null"}, {"type": "string"}]});
        check(&either, &json!(null), "");
        check(&either, &json!(1), "instance failed to match exactly one schema (matched 0 out of 2)");
        check(
            &json!({"anyOf": [{"type": "null"}]}),
            &json!(1),
            "instance failed to match at least one required schema among 1",
        );
        check(
            &json!({"not": {"type": "string"}}),
            &json!("x"),
            "instance matched a schema which it should not have",
        );
        check(
            &json!({"$ref": "https://apigateway.amazonaws.com/restapis/abc/models/Name"}),
            &json!("x"),
            "string \"x\" is too short (length: 1, required minimum: 2)",
        );
        check(
            &json!({"definitions": {"n": {"type": "null"}}, "items": {"$ref": "#/definitions/n"}}),
            &json!([1]),
            r#"instance type (integer) does not match any allowed primitive type (allowed: ["null"])"#,
        );
        let tree = json!({"$ref": "https://apigateway.amazonaws.com/restapis/abc/models/Tree"});
        check(
            &tree,
            &json!({"v": 1, "next": {"v": 2, "next": {}}}),
            r#"object has missing required properties (["v"])"#,
        );
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        let read = |schema: &Value| Schema::read(schema, &|_: &str| None).map(drop).unwrap_err();
        assert!(matches!(read(&json!({"$ref": "https://x/models/None"})), Unusable::NoSuchReference(_)));
        assert!(matches!(read(&json!({"pattern": "("})), Unusable::Pattern(_)));
    }

    #[test]
    fn circles_and_depth_end() {
        let circle = json!({"$ref": "#"});
        let read = Schema::read(&circle, &|_: &str| None).expect("a schema");
        assert_eq!(read.errors(&json!(1)), ["the value is nested too deeply"]);
    }
}
