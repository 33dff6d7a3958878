//! The check that botocore makes before it sends a request: types, required members, unknown members, smallest
//! lengths and numbers. Everything else is left to the service.

use stagedoor_model::{Kind, ShapeTable, Value};

use crate::failure::{Failure, Result};
use crate::python;

/// Nothing if `input` may be sent.
pub fn validate(shape: &ShapeTable, input: &Value) -> Result<()> {
    let mut report = Vec::new();
    check(shape, input, "", &mut report);
    if report.is_empty() {
        return Ok(());
    }
    Err(Failure::Value(format!("Parameter validation failed:\n{}", report.join("\n"))))
}

fn check(shape: &ShapeTable, value: &Value, name: &str, report: &mut Vec<String>) {
    let min = shape.constraint.min;
    let short = |length: usize| min.filter(|min| i64::try_from(length).unwrap_or(i64::MAX) < *min);
    let shown = shown(name);
    let too_short = |length: usize, min: i64| {
        format!("Invalid length for parameter {shown}, value: {length}, valid min length: {min}")
    };
    match (&shape.kind, value) {
        (Kind::Structure { members, .. }, Value::Map(entries)) => {
            for member in members.iter().filter(|member| member.required && value.get(member.name).is_none())
            {
                report.push(format!("Missing required parameter in {shown}: \"{}\"", member.name));
            }
            for (key, _) in entries.iter().filter(|(key, _)| !members.iter().any(|member| member.name == key))
            {
                let known = members.iter().map(|member| member.name).collect::<Vec<_>>().join(", ");
                report.push(format!("Unknown parameter in {shown}: \"{key}\", must be one of: {known}"));
            }
            for (key, value) in entries {
                if let Some(member) = members.iter().find(|member| member.name == key) {
                    check(member.shape, value, &format!("{name}.{key}"), report);
                }
            }
        }
        (Kind::List(item), Value::List(items)) => {
            report.extend(short(items.len()).map(|min| too_short(items.len(), min)));
            for (at, value) in items.iter().enumerate() {
                check(item, value, &format!("{name}[{at}]"), report);
            }
        }
        (Kind::Map { key: key_shape, value: shape, .. }, Value::Map(entries)) => {
            for (key, value) in entries {
                check(
                    key_shape,
                    &Value::String(key.clone().into_owned()),
                    &format!("{name} (key: {key})"),
                    report,
                );
                check(shape, value, &format!("{name}.{key}"), report);
            }
        }
        (Kind::String, Value::String(text)) => {
            let length = text.chars().count();
            report.extend(short(length).map(|min| too_short(length, min)));
        }
        (Kind::Integer | Kind::Long | Kind::Float | Kind::Double, Value::Int(_))
        | (Kind::Float | Kind::Double, Value::Float(_)) => {
            let number = match value {
                Value::Int(number) => *number as f64,
                Value::Float(number) => *number,
                _ => f64::MAX,
            };
            report.extend(min.filter(|min| number < *min as f64).map(|min| {
                let value = python::text(value);
                format!("Invalid value for parameter {shown}, value: {value}, valid min value: {min}")
            }));
        }
        (Kind::Boolean | Kind::Integer | Kind::Long, Value::Bool(_))
        | (Kind::Blob, Value::Blob(_) | Value::String(_))
        | (Kind::Timestamp(_), Value::Time(_) | Value::Int(_) | Value::Float(_) | Value::String(_)) => {}
        (kind, value) => report.push(format!(
            "Invalid type for parameter {shown}, value: {}, type: {}, valid types: {}",
            python::text(value),
            python::type_name(value),
            valid_types(kind),
        )),
    }
}

fn shown(name: &str) -> &str {
    if name.is_empty() { "input" } else { name.strip_prefix('.').unwrap_or(name) }
}

fn valid_types(kind: &Kind) -> &'static str {
    match kind {
        Kind::Structure { .. } | Kind::Map { .. } => "<class 'dict'>",
        Kind::List(_) => "<class 'list'>, <class 'tuple'>",
        Kind::String => "<class 'str'>",
        Kind::Boolean => "<class 'bool'>",
        Kind::Integer | Kind::Long => "<class 'int'>",
        Kind::Float | Kind::Double => "<class 'float'>, <class 'decimal.Decimal'>, <class 'int'>",
        Kind::Blob => "<class 'bytes'>, <class 'bytearray'>, file-like object",
        Kind::Timestamp(_) => "<class 'datetime.datetime'>, timestamp-string",
    }
}
