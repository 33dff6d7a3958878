//! The tables: one `static` per shape and one row per operation.

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::names::constant;
use super::source::{Model, text};

pub fn file(model: &Model) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "pub static SERVICE: Service = Service {{ name: {:?}, signing_name: {:?}, api_version: {:?}, operations: &OPERATIONS }};\n",
        model.name(),
        text(&model.service, "signingName"),
        text(&model.service, "apiVersion"),
    );
    let _ = writeln!(out, "static OPERATIONS: [Operation; {}] = [", model.operations.len());
    for (name, operation) in &model.operations {
        out.push_str(&row(name, operation, model.paginators.get(name)));
    }
    out.push_str("];\n\n");
    for (name, shape) in &model.shapes {
        if !model.is_error(name) {
            out.push_str(&shape_table(name, shape));
        }
    }
    let imports = [
        "Constraint",
        "Kind",
        "Member",
        "Operation",
        "Paginator",
        "Pattern",
        "Service",
        "ShapeTable",
        "TimeFormat",
    ];
    let used: Vec<_> = imports
        .into_iter()
        .filter(|name| out.contains(&format!("{name}::")) || out.contains(&format!("{name} {{")))
        .collect();
    format!("{}use crate::table::{{{}}};\n\n{out}", super::HEADER, used.join(", "))
}

fn row(name: &str, operation: &Json, paginator: Option<&Json>) -> String {
    let uri = text(operation, "uri");
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let method = text(operation, "method");
    let input = constant(text(operation, "input"));
    let mut row =
        format!("Operation::new({name:?}, {method:?}, {path:?}, {}, &{input})", operation["status"]);
    if let Some((key, value)) = query.split_once('=') {
        let _ = write!(row, ".query(&[({key:?}, {value:?})])");
    }
    if let Some(output) = operation["output"].as_str() {
        let _ = write!(row, ".output(&{})", constant(output));
    }
    let errors: Vec<_> = operation["errors"].as_array().into_iter().flatten().map(Json::to_string).collect();
    let _ = write!(row, ".errors(&[{}])", errors.join(", "));
    if operation["readonly"].as_bool().unwrap_or(method == "GET") {
        row.push_str(".readonly()");
    }
    if let Some(paginator) = paginator {
        let _ = write!(row, ".pages({})", self::paginator(paginator));
    }
    row + ",\n"
}

fn paginator(paginator: &Json) -> String {
    let fields = ["input_token", "output_token", "limit_key", "result_key"];
    let fields = fields.map(|field| format!("{field}: {:?}", text(paginator, field)));
    let once = paginator["non_aggregate_keys"].as_array().into_iter().flatten().map(Json::to_string);
    let once = once.collect::<Vec<_>>().join(", ");
    format!("Paginator {{ {}, once: &[{once}] }}", fields.join(", "))
}

fn shape_table(name: &str, shape: &Json) -> String {
    let constant = constant(name);
    let table = match (kind(shape), constraint(shape)) {
        (Kind::Structure(members), _) => format!("ShapeTable::structure({name:?}, &[{members}])"),
        (Kind::Other(kind), None) => format!("ShapeTable::new({name:?}, {kind})"),
        (Kind::Other(kind), Some(constraint)) => {
            format!("ShapeTable {{ name: {name:?}, kind: {kind}, constraint: {constraint} }}")
        }
    };
    format!("pub static {constant}: ShapeTable = {table};\n\n")
}

enum Kind {
    /// Its members, comma-separated.
    Structure(String),
    Other(String),
}

fn kind(shape: &Json) -> Kind {
    let of = |key: &str| constant(text(&shape[key], "shape"));
    Kind::Other(match text(shape, "type") {
        "boolean" => "Kind::Boolean".to_owned(),
        "integer" => "Kind::Integer".to_owned(),
        "long" => "Kind::Long".to_owned(),
        "float" => "Kind::Float".to_owned(),
        "double" => "Kind::Double".to_owned(),
        "string" => "Kind::String".to_owned(),
        "blob" => "Kind::Blob".to_owned(),
        "timestamp" if shape["timestampFormat"] == "iso8601" => {
            "Kind::Timestamp(TimeFormat::Iso8601)".to_owned()
        }
        "timestamp" => "Kind::Timestamp(TimeFormat::EpochSeconds)".to_owned(),
        "list" => format!("Kind::List(&{})", of("member")),
        "map" => {
            let sparse = shape["sparse"].as_bool().unwrap_or(false);
            format!("Kind::Map {{ key: &{}, value: &{}, sparse: {sparse} }}", of("key"), of("value"))
        }
        "structure" => match (members(shape), shape["payload"].as_str()) {
            (members, None) => return Kind::Structure(members),
            (members, payload) => {
                format!("Kind::Structure {{ members: &[{members}], payload: {payload:?} }}")
            }
        },
        other => panic!("unknown type {other}"),
    })
}

fn members(shape: &Json) -> String {
    let required: Vec<_> =
        shape["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let mut members = String::new();
    for (name, member) in ordered(shape) {
        let wire = member["locationName"].as_str().unwrap_or(name);
        let _ = write!(members, "Member::new({name:?}, {wire:?}, &{})", constant(text(member, "shape")));
        members.push_str(match member["location"].as_str() {
            None => "",
            Some("uri") => ".uri()",
            Some("querystring") => ".query()",
            Some("header") => ".header()",
            Some(other) => panic!("unknown location {other}"),
        });
        if member["idempotencyToken"] == true {
            members.push_str(".idempotency_token()");
        }
        members.push_str(if required.contains(&name.as_str()) { ".required(), " } else { ", " });
    }
    members
}

/// The members, those that `memberOrder` names first: violations are printed in the order of AWS's original model.
fn ordered(shape: &Json) -> Vec<(&String, &Json)> {
    let order: Vec<_> =
        shape["memberOrder"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let mut members: Vec<_> = shape["members"].as_object().into_iter().flatten().collect();
    members.sort_by_key(|(name, _)| order.iter().position(|first| first == name).unwrap_or(order.len()));
    members
}

fn constraint(shape: &Json) -> Option<String> {
    let number = |key: &str| shape[key].as_f64().map(|number| format!("{key}: Some({})", number as i64));
    let mut fields: Vec<String> = ["min", "max"].into_iter().filter_map(number).collect();
    if let Some(pattern) = shape["pattern"].as_str() {
        fields.push(format!("pattern: Some(Pattern::new({pattern:?}))"));
    }
    if let Some(values) = shape["enum"].as_array() {
        let values: Vec<_> = values.iter().map(Json::to_string).collect();
        fields.push(format!("values: &[{}]", values.join(", ")));
    }
    if shape["sensitive"] == true {
        fields.push("sensitive: true".to_owned());
    }
    (!fields.is_empty()).then(|| format!("Constraint {{ {}, ..Constraint::NONE }}", fields.join(", ")))
}
