//! The mapping template that API Gateway generates for a model: a sample of what the model's schema describes.
//!
//! Both generations of the service answer it (`GetModelTemplate`). Nothing here judges payloads by a schema.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// Deepest nesting that is written out; below it a value is an empty object. Also ends schemas that refer to
/// themselves.
const DEPTH_MAX: usize = 16;

const FIRST_LINE: &str = "#set($inputRoot = $input.path('$'))\n";
/// The remark that AWS puts before each loop.
const LOOP_REMARK: &str = "##TODO: Update this foreach loop to reference array from input json\n";

/// The template for a schema. A schema that cannot be read gives the template of an empty object.
pub fn of(schema: &str) -> String {
    let root = serde_json::from_str(schema).unwrap_or(Value::Null);
    let mut writer = Writer { root: &root, out: FIRST_LINE.to_owned() };
    writer.value(&root, "$inputRoot", 0);
    writer.out
}

/// Whether a text is a JSON object, as every schema is.
pub fn is_schema(text: &str) -> bool {
    serde_json::from_str::<Map<String, Value>>(text).is_ok()
}

struct Writer<'a> {
    root: &'a Value,
    out: String,
}

impl<'a> Writer<'a> {
    /// Writes a sample; `place` is the expression that stands for it in the input.
    fn value(&mut self, schema: &'a Value, place: &str, depth: usize) {
        let Some(schema) = self.resolved(schema) else { return self.out.push_str("{ }") };
        match kind(schema) {
            _ if depth > DEPTH_MAX => self.out.push_str("{ }"),
            "string" => self.out.push_str("\"foo\""),
            "integer" => self.out.push_str("42"),
            "number" => self.out.push_str("42.0"),
            "boolean" => self.out.push_str("true"),
            "null" => self.out.push_str("null"),
            "array" => self.array(schema, place, depth),
            _ => self.object(schema, place, depth),
        }
    }

    fn object(&mut self, schema: &'a Value, place: &str, depth: usize) {
        let properties = schema.get("properties").and_then(Value::as_object);
        let Some(properties) = properties.filter(|properties| !properties.is_empty()) else {
            return self.out.push_str("{ }");
        };
        self.out.push_str("{\n");
        for (at, (name, property)) in properties.iter().enumerate() {
            self.indent(depth + 1);
            let quoted = Value::from(name.as_str());
            write!(self.out, "{quoted} : ").expect("a text takes any text");
            self.value(property, &format!("{place}.{name}"), depth + 1);
            self.out.push_str(if at + 1 < properties.len() { ",\n" } else { "\n" });
        }
        self.indent(depth);
        self.out.push('}');
    }

    fn array(&mut self, schema: &'a Value, place: &str, depth: usize) {
        self.out.push_str("[\n");
        self.out.push_str(LOOP_REMARK);
        writeln!(self.out, "#foreach($elem in {place})").expect("a text takes any text");
        self.indent(depth + 1);
        self.value(schema.get("items").unwrap_or(&Value::Null), "$elem", depth + 1);
        self.out.push_str("#if($foreach.hasNext),#end\n\n#end\n");
        self.indent(depth);
        self.out.push(']');
    }

    fn indent(&mut self, depth: usize) {
        self.out.push_str(&"  ".repeat(depth));
    }

    /// Follows a reference within the schema; `None` if it leads nowhere.
    fn resolved(&self, schema: &'a Value) -> Option<&'a Value> {
        let mut schema = schema;
        for _ in 0..DEPTH_MAX {
            match schema.get("$ref").and_then(Value::as_str) {
                None => return Some(schema),
                Some(reference) => schema = self.root.pointer(reference.strip_prefix('#')?)?,
            }
        }
        None
    }
}

/// The type that a schema names, or the one that its other members imply.
fn kind(schema: &Value) -> &str {
    let named = match schema.get("type") {
        Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
        Some(kind) => kind.as_str(),
        None => None,
    };
    named.unwrap_or(if schema.get("items").is_some() { "array" } else { "object" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_become_samples() {
        let schema = r#"{"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"},
            "price": {"type": "number"}, "sold": {"type": ["null", "boolean"]}, "rest": {}}}"#;
        let expected = "#set($inputRoot = $input.path('$'))\n{\n  \"id\" : 42,\n  \"name\" : \"foo\",\n  \
                        \"price\" : 42.0,\n  \"sold\" : true,\n  \"rest\" : { }\n}";
        assert_eq!(of(schema), expected);
        for empty in ["", "{}", "[]", r#"{"type": "object"}"#, r##"{"$ref": "#/nowhere"}"##] {
            assert_eq!(of(empty), "#set($inputRoot = $input.path('$'))\n{ }", "{empty}");
        }
    }

    #[test]
    fn arrays_become_loops_over_their_place() {
        let schema = r##"{"properties": {"pets": {"type": "array", "items": {"$ref": "#/definitions/Pet"}}},
            "definitions": {"Pet": {"properties": {"id": {"type": "integer"}}}}}"##;
        let expected = "#set($inputRoot = $input.path('$'))\n{\n  \"pets\" : [\n\
            ##TODO: Update this foreach loop to reference array from input json\n\
            #foreach($elem in $inputRoot.pets)\n    {\n      \"id\" : 42\n    }#if($foreach.hasNext),#end\n\n\
            #end\n  ]\n}";
        assert_eq!(of(schema), expected);
    }

    #[test]
    fn schemas_that_refer_to_themselves_end() {
        let schema = r##"{"properties": {"next": {"$ref": "#"}}}"##;
        assert!(of(schema).len() < 2000);
        assert!(of(r##"{"$ref": "#"}"##).ends_with("{ }"));
    }
}
