//! `help`: what there is to call and which options it has, from the tables.

use std::fmt::Write as _;

use stagedoor_model::{Kind, Service, ShapeTable};

use crate::command::Command;
use crate::globals::OPTIONS;
use crate::names;

/// Operations of a service.
pub fn service(service: &Service) -> String {
    let mut out = format!(
        "{}: operations of the API of {}\n\nusage: stagedoor {} <operation> [--member value ...]\n\n",
        service.name, service.api_version, service.name
    );
    for operation in service.operations {
        let _ = writeln!(out, "  {}", names::kebab(operation.name));
    }
    out.push_str("\nGlobal options\n\n");
    for (name, _, what) in OPTIONS {
        let _ = writeln!(out, "  --{name:<22}{what}");
    }
    out
}

/// Options of an operation.
pub fn operation(command: &Command) -> String {
    let operation = command.operation;
    let outfile = if command.has_outfile() { " <outfile>" } else { "" };
    let mut out = format!(
        "{}: {} {}\n\nusage: stagedoor {} {} [options]{outfile}\n\n",
        operation.name,
        operation.method,
        operation.path,
        command.service.name,
        names::kebab(operation.name),
    );
    for (name, member, required) in command.options() {
        let kind = member.map_or_else(String::new, |member| kind(member.shape));
        let required = if required { ", required" } else { "" };
        let _ = writeln!(out, "  --{name:<32}{kind}{required}");
    }
    out
}

fn kind(shape: &ShapeTable) -> String {
    match &shape.kind {
        Kind::Boolean => "boolean".to_owned(),
        Kind::Integer | Kind::Long => "integer".to_owned(),
        Kind::Float | Kind::Double => "number".to_owned(),
        Kind::Timestamp(_) => "timestamp".to_owned(),
        Kind::Blob => "bytes".to_owned(),
        Kind::String if shape.constraint.values.is_empty() => "string".to_owned(),
        Kind::String => shape.constraint.values.join(" | "),
        Kind::List(item) => format!("list of {}", kind(item)),
        Kind::Map { value, .. } => format!("map of {}", kind(value)),
        Kind::Structure { members, .. } => {
            format!("structure ({})", members.iter().map(|member| member.name).collect::<Vec<_>>().join(", "))
        }
    }
}
