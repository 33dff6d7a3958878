//! `help`: pages in the manner of the AWS CLI, made from the tables: everything but prose, which the models lack.

mod shapes;

pub use shapes::{hint, kind};

use std::fmt::Write as _;

use stagedoor_model::{Kind, Member, Service};

use crate::command::Command;
use crate::globals::OPTIONS;
use crate::names;
use crate::words::Arity;

/// Column at which text under a heading begins.
const INDENT: usize = 7;

/// Operations of a service.
pub fn service(service: &Service) -> String {
    let mut out = String::new();
    heading(&mut out, "NAME", &format!("{} - {}", service.name, title(service)));
    let about = format!(
        "The {} operations of the API of {}. Calls go to Stagedoor unless an endpoint or a profile says otherwise.",
        service.operations.len(),
        service.api_version
    );
    heading(&mut out, "DESCRIPTION", &about);
    heading(&mut out, "SYNOPSIS", &format!("stagedoor {} <operation> [--member value ...]", service.name));
    let _ = writeln!(out, "AVAILABLE COMMANDS");
    for operation in service.operations {
        let _ = writeln!(out, "{:INDENT$}o {}", "", names::kebab(operation.name));
    }
    let _ = writeln!(out, "{:INDENT$}o help\n", "");
    globals(&mut out);
    out
}

/// Everything that the table says of an operation.
pub fn operation(command: &Command) -> String {
    let (service, operation) = (command.service, command.operation);
    let name = names::kebab(operation.name);
    let mut out = String::new();
    heading(&mut out, "NAME", &format!("{name} - {} of {}", operation.name, title(service)));
    heading(&mut out, "DESCRIPTION", &description(command));
    synopsis(&mut out, command, &name);
    let _ = writeln!(out, "OPTIONS");
    for (name, member, required) in command.options().filter(|(name, ..)| !is_negative(command, name)) {
        option(&mut out, command, name, member, required);
    }
    if command.has_outfile() {
        let _ = writeln!(
            out,
            "{:INDENT$}outfile (string) [required]\n{:10}File for the body of the answer.\n",
            "", ""
        );
    }
    globals(&mut out);
    let _ = writeln!(out, "OUTPUT");
    match operation.output.map(|shape| &shape.kind) {
        Some(Kind::Structure { members, .. }) if !members.is_empty() => {
            members.iter().for_each(|member| shapes::member(&mut out, member, INDENT));
        }
        _ => {
            let _ = writeln!(out, "{:INDENT$}None\n", "");
        }
    }
    out
}

fn description(command: &Command) -> String {
    let operation = command.operation;
    let mut text = format!("{} {}.", operation.method, operation.path);
    if operation.readonly {
        text.push_str(" Changes nothing.");
    }
    if operation.paginator.is_some() {
        text.push_str(
            " A paginated operation: all pages are asked for, unless --no-paginate or a limit says otherwise.",
        );
    }
    if !operation.errors.is_empty() {
        let _ = write!(text, " Errors: {}.", operation.errors.join(", "));
    }
    text
}

fn synopsis(out: &mut String, command: &Command, name: &str) {
    let _ = writeln!(out, "SYNOPSIS\n{:INDENT$}{name}", "");
    for (name, member, required) in command.options().filter(|(name, ..)| !is_negative(command, name)) {
        let text = match member.map(|member| &member.shape.kind) {
            Some(Kind::Boolean) => format!("--{name} | --no-{name}"),
            _ => format!("--{name} <value>"),
        };
        let text = if required { text } else { format!("[{text}]") };
        let _ = writeln!(out, "{:INDENT$}{text}", "");
    }
    if command.has_outfile() {
        let _ = writeln!(out, "{:INDENT$}<outfile>", "");
    }
    out.push('\n');
}

/// Whether an option is the `--no-…` of a boolean, which is told with it.
fn is_negative(command: &Command, name: &str) -> bool {
    let Some(positive) = name.strip_prefix("no-") else { return false };
    command.options().any(|(known, member, _)| {
        known == positive && member.is_some_and(|member| matches!(member.shape.kind, Kind::Boolean))
    })
}

fn option(out: &mut String, command: &Command, name: &str, member: Option<&'static Member>, required: bool) {
    let mark = if required { " [required]" } else { "" };
    match member {
        Some(member) => {
            let dashes = match member.shape.kind {
                Kind::Boolean => format!("--{name} | --no-{name}"),
                _ => format!("--{name}"),
            };
            let _ = writeln!(out, "{:INDENT$}{dashes} ({}){mark}", "", shapes::kind(member.shape));
            shapes::details(out, member.shape, INDENT + 3);
        }
        None => {
            let (kind, what) = own(name);
            let _ = writeln!(out, "{:INDENT$}--{name} ({kind}){mark}\n{:10}{what}", "", "");
        }
    }
    if name == "cli-input-json" {
        let operation = names::kebab(command.operation.name);
        let _ = writeln!(
            out,
            "{:10}A form to fill in: stagedoor {} {operation} --generate-cli-skeleton",
            "", command.service.name
        );
    }
    out.push('\n');
}

/// Options that are no member of the input.
pub fn own(name: &str) -> (&'static str, &'static str) {
    match name {
        "starting-token" => ("string", "Where to go on: the NextToken of an earlier answer."),
        "page-size" => ("integer", "Most items that each call asks for; all are shown nevertheless."),
        "max-items" => ("integer", "Most items to show; if there are more, NextToken says where to go on."),
        "cli-input-json" => {
            ("string", "Members as one JSON object, or file://...; other options win over it.")
        }
        "cli-input-yaml" => ("string", "Members as YAML, or file://...; other options win over it."),
        "generate-cli-skeleton" => ("string", "Print a form of the input or output instead of calling."),
        _ => ("string", "An option of the client itself."),
    }
}

fn globals(out: &mut String) {
    let _ = writeln!(out, "GLOBAL OPTIONS");
    for (name, arity, what) in OPTIONS {
        let value = if arity == Arity::None { "" } else { " <value>" };
        let _ = writeln!(out, "{:INDENT$}--{:<30} {what}", "", format!("{name}{value}"));
    }
    out.push('\n');
}

fn heading(out: &mut String, name: &str, text: &str) {
    let _ = writeln!(out, "{name}");
    shapes::wrapped(out, text, INDENT);
    out.push('\n');
}

/// What a service is called in full.
pub fn title(service: &Service) -> &'static str {
    match service.name {
        "apigateway" => "Amazon API Gateway (REST APIs)",
        "apigatewayv2" => "Amazon API Gateway (HTTP and WebSocket APIs)",
        "apigatewaymanagementapi" => "Amazon API Gateway (management of WebSocket connections)",
        _ => "Amazon IVS Real-Time",
    }
}

#[cfg(test)]
mod tests {
    use stagedoor_model::SERVICES;

    use super::*;

    #[test]
    fn every_operation_has_a_page_with_all_its_options() {
        for service in SERVICES {
            for operation in service.operations {
                let command = Command::new(service, operation);
                let page = super::operation(&command);
                for (name, ..) in command.options() {
                    assert!(page.contains(&format!("--{name}")), "{}: --{name}", operation.name);
                }
                for section in ["NAME\n", "DESCRIPTION\n", "SYNOPSIS\n", "OPTIONS\n", "OUTPUT\n"] {
                    assert!(page.contains(section), "{}: {section}", operation.name);
                }
            }
        }
    }

    #[test]
    fn pages_say_types_constraints_and_values() {
        let service = SERVICES.into_iter().find(|service| service.name == "ivs-realtime").expect("there");
        let page = operation(&Command::find(service, "create-participant-token").expect("there"));
        for line in [
            "       --stage-arn (string) [required]\n",
            "          o length: 1 to 128\n",
            "          o PUBLISH\n",
            "       [--duration <value>]\n",
            "       participantToken -> (structure)\n",
            "          token -> (string)\n",
        ] {
            assert!(page.contains(line), "{line:?} in\n{page}");
        }
    }
}
