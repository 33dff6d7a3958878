//! The short file per control plane that connects each operation's name with its function.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::names::snake;
use super::source::{Model, text};

pub fn file(model: &Model, unimplemented: &BTreeSet<String>) -> String {
    let service = model.name();
    let module = snake(service);
    let written: Vec<_> = model
        .operations
        .iter()
        .filter(|(name, _)| !unimplemented.contains(&format!("{service} {name}")))
        .collect();
    let mut out = String::from(super::HEADER);
    let _ = writeln!(out,);
    let _ = writeln!(out, "use stagedoor_api::{module}::*;\nuse stagedoor_model::Value;");
    let _ = writeln!(
        out,
        "use stagedoor_state::{{Cx, Result, row}};\nuse stagedoor_wire::Fault;\n\nuse crate::handlers;\n"
    );
    let _ = writeln!(out, "/// Runs the operation of that name on its typed input.");
    let _ =
        writeln!(out, "pub fn dispatch(operation: &str, cx: &mut Cx<'_>, input: Value) -> Result<Value> {{");
    let _ = writeln!(out, "match operation {{");
    for (name, operation) in written {
        let input = text(operation, "input");
        let output = operation["output"].as_str().unwrap_or("()");
        let _ = writeln!(out, "{name:?} => row::<{input}, {output}>(handlers::{}, cx, input),", snake(name));
    }
    let _ = writeln!(out, "_ => Err(Fault::not_implemented(operation)),\n}}\n}}");
    out
}
