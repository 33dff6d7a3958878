//! Shapes on a help page: types, what constrains them, members below members, and the two ways to write a value.

use std::fmt::Write as _;

use stagedoor_model::{Kind, Member, ShapeTable};

/// Widest line of a page.
const WIDTH: usize = 100;
/// How far each level stands from the one around it.
const STEP: usize = 3;
/// Levels below which a shape is only named.
const DEPTH_MAX: usize = 8;

/// The type in the words of the AWS CLI.
pub fn kind(shape: &ShapeTable) -> &'static str {
    match &shape.kind {
        Kind::Boolean => "boolean",
        Kind::Integer => "integer",
        Kind::Long => "long",
        Kind::Float => "float",
        Kind::Double => "double",
        Kind::String => "string",
        Kind::Timestamp(_) => "timestamp",
        Kind::Blob => "blob",
        Kind::List(_) => "list",
        Kind::Map { .. } => "map",
        Kind::Structure { .. } => "structure",
    }
}

/// Type, constraints and shorthand of a value on one line.
pub fn hint(shape: &ShapeTable) -> String {
    let mut hint = kind(shape).to_owned();
    match (shape.constraint.min, shape.constraint.max) {
        (Some(min), Some(max)) => hint.push_str(&format!(", {min} to {max}")),
        (None, Some(max)) => hint.push_str(&format!(", at most {max}")),
        _ => {}
    }
    if let Some(shorthand) = shorthand(shape) {
        hint.push_str(", ");
        hint.push_str(&shorthand);
    }
    hint
}

/// A member of an output with everything below it.
pub fn member(out: &mut String, member: &Member, indent: usize) {
    let mut walk = Walk { out, within: Vec::new() };
    walk.named(member.name, member.shape, false, indent);
    walk.out.push('\n');
}

/// What there is to say of an option's value: constraints, shorthand, members.
pub fn details(out: &mut String, shape: &'static ShapeTable, indent: usize) {
    let mut walk = Walk { out, within: vec![shape.name] };
    walk.constraints(shape, indent);
    walk.below(shape, indent);
    if let Some(shorthand) = shorthand(shape) {
        let _ = writeln!(out, "{:indent$}Shorthand: {shorthand}", "");
    }
}

/// Text in lines of at most [`WIDTH`] characters.
pub fn wrapped(out: &mut String, text: &str, indent: usize) {
    let mut column = 0;
    for word in text.split_whitespace() {
        if column > 0 && column + 1 + word.len() > WIDTH {
            out.push('\n');
            column = 0;
        }
        if column == 0 {
            let _ = write!(out, "{:indent$}", "");
            column = indent;
        } else {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += word.len();
    }
    out.push('\n');
}

/// How a value is written without JSON, if it can be.
fn shorthand(shape: &ShapeTable) -> Option<String> {
    match &shape.kind {
        Kind::Map { .. } => Some("KeyName1=string,KeyName2=string".to_owned()),
        Kind::Structure { members, .. } => {
            let members = members.iter().map(|member| format!("{}={}", member.name, sample(member.shape)));
            Some(members.collect::<Vec<_>>().join(","))
        }
        Kind::List(item) => match &item.kind {
            Kind::Structure { .. } => shorthand(item).map(|item| format!("{item} ...")),
            Kind::Map { .. } | Kind::List(_) => None,
            _ => Some(format!("{} {} ...", sample(item), sample(item))),
        },
        _ => None,
    }
}

fn sample(shape: &ShapeTable) -> String {
    match &shape.kind {
        Kind::List(item) => format!("[{},...]", sample(item)),
        Kind::Structure { .. } | Kind::Map { .. } => "{...}".to_owned(),
        _ => kind(shape).to_owned(),
    }
}

struct Walk<'o> {
    out: &'o mut String,
    /// Shapes from the outside in: one that holds itself ends there.
    within: Vec<&'static str>,
}

impl Walk<'_> {
    fn named(&mut self, name: &str, shape: &'static ShapeTable, required: bool, indent: usize) {
        let mark = if required { " [required]" } else { "" };
        let _ = writeln!(self.out, "{:indent$}{name} -> ({}){mark}", "", kind(shape));
        if self.within.contains(&shape.name) || self.within.len() >= DEPTH_MAX {
            if matches!(shape.kind, Kind::Structure { .. }) {
                let _ = writeln!(self.out, "{:indent$}   as the {} around it", "", shape.name);
            }
            return;
        }
        self.within.push(shape.name);
        self.constraints(shape, indent + STEP);
        self.below(shape, indent + STEP);
        self.within.pop();
    }

    fn below(&mut self, shape: &'static ShapeTable, indent: usize) {
        match &shape.kind {
            Kind::Structure { members, .. } => {
                for member in members.iter() {
                    self.named(member.name, member.shape, member.required, indent);
                }
            }
            Kind::List(item) => self.named("(item)", item, false, indent),
            Kind::Map { key, value, .. } => {
                self.named("key", key, false, indent);
                self.named("value", value, false, indent);
            }
            _ => {}
        }
    }

    fn constraints(&mut self, shape: &ShapeTable, indent: usize) {
        let constraint = &shape.constraint;
        let what = match shape.kind {
            Kind::String | Kind::Blob => "length",
            Kind::List(_) | Kind::Map { .. } => "items",
            _ => "value",
        };
        let range = match (constraint.min, constraint.max) {
            (Some(min), Some(max)) => Some(format!("{min} to {max}")),
            (Some(min), None) => Some(format!("at least {min}")),
            (None, Some(max)) => Some(format!("at most {max}")),
            (None, None) => None,
        };
        if let Some(range) = range {
            let _ = writeln!(self.out, "{:indent$}o {what}: {range}", "");
        }
        if let Some(pattern) = &constraint.pattern {
            let _ = writeln!(self.out, "{:indent$}o pattern: {}", "", pattern.source);
        }
        if !constraint.values.is_empty() {
            let _ = writeln!(self.out, "{:indent$}Possible values:", "");
            for value in constraint.values {
                let _ = writeln!(self.out, "{:indent$}o {value}", "");
            }
        }
    }
}
