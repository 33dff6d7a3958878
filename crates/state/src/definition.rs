//! The text of API definitions, which clients send and get as JSON or as YAML. What a definition means is for the
//! service that imports or exports it.

use serde_json::{Map, Value};

/// Largest definition that is read, in bytes.
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>
pub const BYTES_MAX: usize = 6 * 1024 * 1024;

/// The object that a text holds, as JSON or as YAML 1.2; `None` if it holds anything else.
///
/// YAML's aliases are limited, so that a short text cannot become a huge object.
pub fn read(text: &str) -> Option<Map<String, Value>> {
    if text.len() > BYTES_MAX {
        return None;
    }
    let value = match text.trim_start().starts_with('{') {
        true => serde_json::from_str(text).ok().or_else(|| read_yaml(text)),
        false => read_yaml(text),
    };
    match value {
        Some(Value::Object(members)) => Some(members),
        _ => None,
    }
}

/// A definition's text with the variables replaced that it may hold.
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/import-api-aws-variables.html>
pub fn with_variables(text: &str, region: &str, account: &str) -> String {
    let variables = [
        ("AWS::AccountId", account),
        ("AWS::Partition", "aws"),
        ("AWS::Region", region),
        ("AWS::URLSuffix", "amazonaws.com"),
    ];
    let mut text = text.to_owned();
    for (name, value) in variables {
        text = text.replace(&format!("${{{name}}}"), value).replace(&format!("{{{name}}}"), value);
    }
    text
}

/// A definition as YAML.
pub fn write_yaml(definition: &Value) -> String {
    serde_saphyr::to_string(definition).expect("a JSON value is always YAML")
}

/// A definition as JSON for people.
pub fn write_json(definition: &Value) -> String {
    serde_json::to_string_pretty(definition).expect("a JSON value is always JSON")
}

/// A scalar as text: YAML reads `version: 1.0` as a number, which definitions mean as a text.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn read_yaml(text: &str) -> Option<Value> {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_and_yaml_say_the_same() {
        let yaml = "info: {title: on, version: 1.0}\npaths:\n  /a:\n    get:\n      responses:\n        200: \
                    {description: 'yes'}\n        default: {description: no}\n";
        let expected = json!({
            "info": {"title": "on", "version": 1.0},
            "paths": {"/a": {"get": {"responses": {
                "200": {"description": "yes"}, "default": {"description": "no"},
            }}}},
        });
        let read_yaml = read(yaml).map(Value::Object);
        assert_eq!(read_yaml, Some(expected.clone()));
        assert_eq!(read(&write_json(&expected)).map(Value::Object), Some(expected.clone()));
        assert_eq!(read(&write_yaml(&expected)).map(Value::Object), Some(expected));
        for bad in ["", "[]", "text", "{", "a: [", "- a"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn texts_that_look_like_something_else_stay_texts() {
        let texts = [
            "1.0",
            "true",
            "null",
            "~",
            "2024-01-01",
            "a: b",
            "# a",
            "",
            " ",
            "a\nb\n",
            "\t",
            "é",
            "0x1",
            "*a",
            "&a",
            "!a",
            "yes",
            "'",
            "\"",
            "-",
            "? a",
            "%",
            "@",
            "`",
        ];
        for text in texts {
            let definition = json!({ "a": text, text: [text] });
            let yaml = write_yaml(&definition);
            assert_eq!(read(&yaml).map(Value::Object), Some(definition), "{yaml}");
        }
    }

    #[test]
    fn aliases_cannot_explode() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let before = format!("*a{}", level - 1);
            let ten = [before.as_str(); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{ten}]\n"));
        }
        assert_eq!(read(&bomb), None);
    }
}
