//! `--generate-cli-skeleton`: what a call's input or output looks like, as botocore's `ArgumentGenerator` shows it.

use stagedoor_model::{Kind, ShapeTable, Value};

/// The input with empty values, to be filled in for `--cli-input-json`. Of an enumeration the AWS CLI takes any
/// value; here it is the first by alphabet.
pub fn input(shape: &ShapeTable) -> Value {
    Generator { names: false, within: Vec::new() }.shape(shape, "")
}

/// An output whose strings are their members' names.
pub fn output(shape: &ShapeTable) -> Value {
    Generator { names: true, within: Vec::new() }.shape(shape, "")
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
}
