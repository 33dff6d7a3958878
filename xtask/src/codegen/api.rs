//! The typed inputs and outputs: `structure!` and `string_enum!` blocks that read like an interface definition.
//!
//! API Gateway v2 repeats whole structures under other names (`Api`, `GetApiResponse`, …); a repetition becomes
//! a type alias of the one with the shortest name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value as Json;

use super::names::{field, variant};
use super::source::{Model, text};

pub fn file(model: &Model) -> String {
    let roots =
        |key: &'static str| model.operations.values().filter_map(move |operation| operation[key].as_str());
    let from_clients = reachable(model, roots("input"));
    let mut used = reachable(model, roots("output"));
    used.extend(from_clients.iter().cloned());
    let model = &optional_in_answers(model, &from_clients);
    let aliases = aliases(model, &used);
    let mut body = String::new();
    for (name, shape) in model.shapes.iter().filter(|(name, _)| used.contains(*name)) {
        match (text(shape, "type"), aliases.get(name.as_str())) {
            ("structure", Some(original)) => {
                let _ =
                    writeln!(body, "/// Same members as [`{original}`].\npub type {name} = {original};\n");
            }
            ("structure", None) => body.push_str(&structure(model, name, shape)),
            ("string", _) if shape.get("enum").is_some() => body.push_str(&string_enum(name, shape)),
            _ => {}
        }
    }
    let mut imports = String::new();
    if body.contains("BTreeMap<") {
        imports.push_str("use std::collections::BTreeMap;\n\n");
    }
    if body.contains("Bytes") {
        imports.push_str("use bytes::Bytes;\n");
    }
    let time = if body.contains("Timestamp") { "Timestamp, " } else { "" };
    let enums = if body.contains("string_enum!") { "string_enum, " } else { "" };
    let _ = writeln!(imports, "use stagedoor_model::{{{time}{enums}structure}};\n");
    format!("{}{imports}{body}", super::HEADER)
}

/// Shapes reached from these ones. Errors are `wire::Fault`s, not types, so operations do not lead there.
fn reachable<'a>(model: &Model, roots: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    let mut queue: Vec<String> = roots.map(str::to_owned).collect();
    while let Some(name) = queue.pop() {
        let shape = model.shape(&name);
        if !used.insert(name) {
            continue;
        }
        let members = shape["members"].as_object().into_iter().flatten().map(|(_, member)| member);
        let parts = members.chain([&shape["member"], &shape["value"]]);
        queue.extend(parts.filter_map(|part| part["shape"].as_str()).map(str::to_owned));
    }
    used
}

/// In a shape that only answers hold, `required` guards nobody: clients are told what there is. Without it the
/// many copies of one noun (`Api`, `GetApiResponse`) are the same type.
fn optional_in_answers(model: &Model, from_clients: &BTreeSet<String>) -> Model {
    let mut shapes = model.shapes.clone();
    for (name, shape) in &mut shapes {
        if !from_clients.contains(name)
            && let Some(object) = shape.as_object_mut()
        {
            object.remove("required");
        }
    }
    Model {
        operations: model.operations.clone(),
        shapes,
        paginators: BTreeMap::new(),
        service: model.service.clone(),
    }
}

/// Structures whose fields equal those of another one with a shorter (then alphabetically earlier) name.
fn aliases(model: &Model, used: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for name in used {
        let shape = model.shape(name);
        if text(shape, "type") == "structure"
            && shape["members"].as_object().is_some_and(|map| !map.is_empty())
        {
            groups.entry(fields(model, shape)).or_default().push(name);
        }
    }
    let mut aliases = BTreeMap::new();
    for names in groups.values_mut() {
        names.sort_by_key(|name| (name.len(), *name));
        // Only repetitions of one noun: two nouns that happen to look alike stay two types.
        for name in &names[1..] {
            let stem = ["Response", "Result", "Request"].iter().find_map(|end| name.strip_suffix(end));
            let noun = stem.unwrap_or(name);
            let noun = ["Create", "Get", "Update", "Import", "Reimport", "Put"]
                .iter()
                .find_map(|verb| noun.strip_prefix(verb))
                .unwrap_or(noun);
            let original = names[0];
            if original == noun
                || original.ends_with(&format!("{noun}Response")) && name.ends_with("Response")
            {
                aliases.insert((*name).to_owned(), original.to_owned());
            }
        }
    }
    aliases
}

fn structure(model: &Model, name: &str, shape: &Json) -> String {
    format!("structure! {{\n    pub struct {name} {{\n{}    }}\n}}\n\n", fields(model, shape))
}

fn fields(model: &Model, shape: &Json) -> String {
    let required: Vec<_> =
        shape["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let mut out = String::new();
    for (name, member) in shape["members"].as_object().into_iter().flatten() {
        let plain = rust_type(model, text(member, "shape"));
        let typed = if required.contains(&name.as_str()) { plain } else { format!("Option<{plain}>") };
        let _ = writeln!(out, "        {}: {typed} => {name:?},", field(name));
    }
    out
}

fn rust_type(model: &Model, name: &str) -> String {
    let shape = model.shape(name);
    let of = |key: &str| rust_type(model, text(&shape[key], "shape"));
    match text(shape, "type") {
        "boolean" => "bool".to_owned(),
        "integer" | "long" => "i64".to_owned(),
        "float" | "double" => "f64".to_owned(),
        "timestamp" => "Timestamp".to_owned(),
        "blob" => "Bytes".to_owned(),
        "list" => format!("Vec<{}>", of("member")),
        "map" if shape["sparse"] == true => format!("BTreeMap<String, Option<{}>>", of("value")),
        "map" => format!("BTreeMap<String, {}>", of("value")),
        "string" if shape.get("enum").is_none() => "String".to_owned(),
        "string" | "structure" => name.to_owned(),
        other => panic!("unknown type {other}"),
    }
}

fn string_enum(name: &str, shape: &Json) -> String {
    let mut out = format!("string_enum! {{\n    pub enum {name} {{\n");
    for value in shape["enum"].as_array().into_iter().flatten().filter_map(Json::as_str) {
        let _ = writeln!(out, "        {} => {value:?},", variant(value));
    }
    out.push_str("    }\n}\n\n");
    out
}
