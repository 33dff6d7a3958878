//! `--generate-cli-skeleton`: what a call's input or output looks like, as botocore's `ArgumentGenerator` shows it.

use stagedoor_model::{Kind, Member, ShapeTable, Value};

/// The input with empty values, to be filled in for `--cli-input-json`. Of an enumeration the AWS CLI takes any
/// value; here it is the first by alphabet.
pub fn input(shape: &ShapeTable) -> Value {
    Generator { names: false, within: Vec::new() }.shape(shape, "")
}

/// An output whose strings are their members' names.
pub fn output(shape: &ShapeTable) -> Value {
    Generator { names: true, within: Vec::new() }.shape(shape, "")
}

/// The input as YAML, with comments that say what must be given and which values an enumeration has. AWS CLI v2 puts
/// the documentation's first sentence there too, which the models here do not have.
pub fn input_yaml(shape: &ShapeTable) -> String {
    let mut out = String::new();
    let skeleton = input(shape);
    yaml_members(shape, &skeleton, 0, &mut out);
    out
}

fn yaml_members(shape: &ShapeTable, value: &Value, indent: usize, out: &mut String) {
    let (Kind::Structure { members, .. }, Value::Map(entries)) = (&shape.kind, value) else { return };
    for (key, value) in entries {
        let Some(member) = members.iter().find(|member| member.name == key) else { continue };
        out.push_str(&" ".repeat(indent));
        out.push_str(key);
        out.push(':');
        yaml_node(member.shape, value, indent, &comment(member), out);
    }
}

/// What stands behind a key, with a comment on its line.
fn yaml_node(shape: &ShapeTable, value: &Value, indent: usize, comment: &str, out: &mut String) {
    match (&shape.kind, value) {
        (Kind::Structure { .. }, Value::Map(entries)) if !entries.is_empty() => {
            out.push_str(&format!("{comment}\n"));
            yaml_members(shape, value, indent + 2, out);
        }
        (Kind::Map { value: shape, .. }, Value::Map(entries)) if !entries.is_empty() => {
            out.push_str(&format!("{comment}\n"));
            for (key, value) in entries {
                out.push_str(&format!("{}{key}:", " ".repeat(indent + 2)));
                yaml_node(shape, value, indent + 2, "", out);
            }
        }
        (Kind::List(item), Value::List(items)) if !items.is_empty() => {
            out.push_str(&format!("{comment}\n"));
            for value in items {
                out.push_str(&" ".repeat(indent));
                out.push('-');
                match (&item.kind, value) {
                    (Kind::Structure { .. }, Value::Map(entries)) if !entries.is_empty() => {
                        let mut inner = String::new();
                        yaml_members(item, value, indent + 2, &mut inner);
                        out.push(' ');
                        out.push_str(inner.trim_start());
                    }
                    _ => yaml_node(item, value, indent, "", out),
                }
            }
        }
        _ => {
            let text = crate::output::yaml_scalar(value);
            out.push_str(&format!(" {text}{comment}\n"));
        }
    }
}

fn comment(member: &Member) -> String {
    let values = member.shape.constraint.values;
    let values =
        if values.is_empty() { String::new() } else { format!("Valid values are: {}.", values.join(", ")) };
    let required = if member.required { "[REQUIRED]" } else { "" };
    let words: Vec<_> = [required, &values].into_iter().filter(|words| !words.is_empty()).collect();
    if words.is_empty() { String::new() } else { format!("  # {}", words.join(" ")) }
}

struct Generator {
    /// Whether strings are their names rather than empty.
    names: bool,
    /// Shapes from the outside in: one that holds itself ends there.
    within: Vec<&'static str>,
}

impl Generator {
    fn shape(&mut self, shape: &ShapeTable, name: &str) -> Value {
        self.within.push(shape.name);
        let value = match &shape.kind {
            Kind::Structure { members, .. } => {
                let recursive = self.within.iter().filter(|outer| **outer == shape.name).count() > 1;
                let members = if recursive { &[] } else { *members };
                let entries =
                    members.iter().map(|member| (member.name.into(), self.shape(member.shape, member.name)));
                Value::Map(entries.collect())
            }
            Kind::List(item) => {
                let name = if self.names { item.name } else { "" };
                Value::List(vec![self.shape(item, name)])
            }
            Kind::Map { value, .. } => Value::Map(vec![("KeyName".into(), self.shape(value, ""))]),
            Kind::String if self.names => Value::String(name.to_owned()),
            Kind::String => {
                Value::String(shape.constraint.values.iter().min().copied().unwrap_or_default().to_owned())
            }
            Kind::Integer | Kind::Long => Value::Int(0),
            Kind::Float | Kind::Double => Value::Float(0.0),
            Kind::Boolean => Value::Bool(true),
            Kind::Timestamp(_) => Value::String("1970-01-01T00:00:00".to_owned()),
            Kind::Blob => Value::Null,
        };
        self.within.pop();
        value
    }
}

#[cfg(test)]
mod tests {
    use stagedoor_model::SERVICES;

    use super::*;
    use crate::command::Command;

    /// What the AWS CLI generates, written by `tests/awscli/make.py`.
    const SKELETONS: &str = include_str!("../tests/awscli/skeletons.json");

    #[test]
    fn skeletons_are_those_of_the_aws_cli() {
        let Ok(Value::Map(commands)) = serde_json::from_str(SKELETONS) else { panic!("not an object") };
        for (name, expected) in commands {
            let (service, operation) = name.split_once(' ').expect("service and operation");
            let service = SERVICES.into_iter().find(|known| known.name == service).expect("one of ours");
            let operation = Command::find(service, operation).expect("there is such an operation").operation;
            let ours = [Some(input(operation.input)), operation.output.map(output)];
            for (ours, kind) in ours.into_iter().zip(["input", "output"]) {
                let theirs = expected.get(kind).filter(|value| !value.is_null());
                assert_eq!(ours.as_ref(), theirs, "{name}, {kind}");
            }
        }
    }

    #[test]
    fn the_yaml_skeleton_is_an_input() {
        for service in SERVICES {
            for operation in service.operations {
                let text = input_yaml(operation.input);
                let read = crate::input::yaml("cli-input-yaml", &text);
                let read = read.unwrap_or_else(|error| panic!("{}: {error}\n{text}", operation.name));
                let expected = input(operation.input);
                let is_empty = matches!(&expected, Value::Map(entries) if entries.is_empty());
                assert!(
                    read == expected || is_empty && read.is_null(),
                    "{}: {read:?}\n{text}",
                    operation.name
                );
            }
        }
        let create = stagedoor_model::apigateway::SERVICE.operation("CreateRestApi").expect("in the model");
        let text = input_yaml(create.input);
        assert!(text.starts_with("name: ''  # [REQUIRED]\ndescription: ''\n"), "{text}");
        assert!(text.contains("\napiKeySource: AUTHORIZER  # Valid values are: "), "{text}");
    }
}
