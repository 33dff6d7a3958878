//! The model's constraints: required, length, range, pattern and enumeration, all violations together.

use stagedoor_model::{Constraint, Kind, Location, Member, Operation, ShapeTable, Value};

use crate::dialect::Dialect;

/// Most violations that one answer reports; the rest would only repeat them.
const VIOLATIONS_MAX: usize = 100;

/// One violated constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Member names from the outside in; items of lists count from 1 and are followed by `member`.
    pub path: Vec<String>,
    /// Whether the member travels in the body. Those in the path and query are named bare.
    pub in_body: bool,
    /// The offending value as AWS prints it; `None` if it is secret.
    pub value: Option<String>,
    /// `Member must not be null` and the like.
    pub constraint: String,
}

impl Violation {
    /// AWS's sentence for it.
    pub fn text(&self, operation: &Operation, dialect: &Dialect) -> String {
        let mut path = self.path.join(".");
        if self.in_body && dialect.names_input {
            let mut name = operation.name.to_owned();
            name[..1].make_ascii_lowercase();
            path = format!("{name}Input.{path}");
        }
        let value = match &self.value {
            None => String::new(),
            Some(value) if value == NULL => format!("{NULL} "),
            Some(value) => format!("'{value}' "),
        };
        format!("Value {value}at '{path}' failed to satisfy constraint: {}", self.constraint)
    }
}

/// How an absent value is printed; unquoted.
const NULL: &str = "null";

/// Everything in `input` that the model forbids: first the body, then path, query and headers.
pub fn check(operation: &Operation, input: &Value) -> Vec<Violation> {
    let Kind::Structure { members, .. } = &operation.input.kind else { return Vec::new() };
    let mut found = Vec::new();
    for body in [true, false] {
        for member in members.iter().filter(|member| (member.location == Location::Body) == body) {
            let mut checker = Checker { found: &mut found, path: Vec::new(), in_body: body };
            checker.member(member, input.get(member.name).unwrap_or(&Value::Null));
        }
    }
    found.truncate(VIOLATIONS_MAX);
    found
}

struct Checker<'f> {
    found: &'f mut Vec<Violation>,
    path: Vec<String>,
    in_body: bool,
}

impl Checker<'_> {
    fn member(&mut self, member: &Member, value: &Value) {
        self.path.push(printed_name(member));
        if value.is_null() {
            if member.required {
                self.report(NULL.to_owned(), "Member must not be null".to_owned(), false);
            }
        } else {
            self.shape(member.shape, value);
        }
        self.path.pop();
    }

    fn shape(&mut self, shape: &ShapeTable, value: &Value) {
        for constraint in violated(shape, value) {
            self.report(print(value), constraint, shape.constraint.sensitive);
        }
        match (&shape.kind, value) {
            (Kind::Structure { members, .. }, Value::Map(_)) => {
                for member in *members {
                    self.member(member, value.get(member.name).unwrap_or(&Value::Null));
                }
            }
            (Kind::List(item), Value::List(items)) => self.list(item, items, value),
            (Kind::Map { key, value: entry, .. }, Value::Map(entries)) => {
                self.map(key, entry, entries, value)
            }
            _ => {}
        }
    }

    /// Structures in a list are reported one by one, plain values as a property of the list.
    fn list(&mut self, item: &ShapeTable, items: &[Value], list: &Value) {
        if matches!(item.kind, Kind::Structure { .. } | Kind::List(_) | Kind::Map { .. }) {
            for (at, value) in items.iter().enumerate() {
                self.path.extend([(at + 1).to_string(), "member".to_owned()]);
                self.shape(item, value);
                self.path.truncate(self.path.len() - 2);
            }
        } else if let Some(bad) = items.iter().find(|value| !violated(item, value).is_empty()) {
            let inner = violated(item, bad).join(", ");
            let text = format!("Member must satisfy constraint: [{inner}]");
            self.report(print(list), text, item.constraint.sensitive);
        }
    }

    fn map(
        &mut self,
        key: &ShapeTable,
        entry: &ShapeTable,
        entries: &[(stagedoor_model::value::Key, Value)],
        map: &Value,
    ) {
        let bad_key = entries.iter().map(|(name, _)| violated_text(key, name)).find(|bad| !bad.is_empty());
        if let Some(bad) = bad_key {
            let text = format!("Map keys must satisfy constraint: [{}]", bad.join(", "));
            self.report(print(map), text, false);
        }
        if matches!(entry.kind, Kind::Structure { .. } | Kind::List(_) | Kind::Map { .. }) {
            for (name, value) in entries {
                self.path.extend([name.to_string(), "member".to_owned()]);
                self.shape(entry, value);
                self.path.truncate(self.path.len() - 2);
            }
        } else if let Some((_, bad)) = entries.iter().find(|(_, value)| !violated(entry, value).is_empty()) {
            let text = format!("Map value must satisfy constraint: [{}]", violated(entry, bad).join(", "));
            self.report(print(map), text, entry.constraint.sensitive);
        }
    }

    fn report(&mut self, value: String, constraint: String, secret: bool) {
        let value = (!secret).then_some(value);
        self.found.push(Violation { path: self.path.clone(), in_body: self.in_body, value, constraint });
    }
}

/// AWS's messages name members as SDKs in lower camel case do, in the path too: `statusCode`, not `status_code`.
fn printed_name(member: &Member) -> String {
    let mut name = member.name.to_owned();
    name[..1].make_ascii_lowercase();
    name
}

/// The constraints of `shape` itself that `value` violates.
fn violated(shape: &ShapeTable, value: &Value) -> Vec<String> {
    match (&shape.kind, value) {
        (Kind::String, Value::String(text)) => violated_text(shape, text),
        (Kind::Blob, Value::Blob(bytes)) => length(&shape.constraint, bytes.len()),
        (Kind::List(_), Value::List(items)) => length(&shape.constraint, items.len()),
        (Kind::Map { .. }, Value::Map(entries)) => length(&shape.constraint, entries.len()),
        (_, Value::Int(number)) => range(&shape.constraint, *number as f64),
        (_, Value::Float(number)) => range(&shape.constraint, *number),
        _ => Vec::new(),
    }
}

fn violated_text(shape: &ShapeTable, text: &str) -> Vec<String> {
    let constraint = &shape.constraint;
    let mut bad = length(constraint, text.chars().count());
    if let Some(pattern) = &constraint.pattern
        && !pattern.matches(text)
    {
        bad.push(format!("Member must satisfy regular expression pattern: {}", pattern.source));
    }
    if !constraint.values.is_empty() && !constraint.values.contains(&text) {
        bad.push(format!("Member must satisfy enum value set: [{}]", constraint.values.join(", ")));
    }
    bad
}

fn length(constraint: &Constraint, length: usize) -> Vec<String> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let mut bad = Vec::new();
    if let Some(min) = constraint.min.filter(|min| length < *min) {
        bad.push(format!("Member must have length greater than or equal to {min}"));
    }
    if let Some(max) = constraint.max.filter(|max| length > *max) {
        bad.push(format!("Member must have length less than or equal to {max}"));
    }
    bad
}

fn range(constraint: &Constraint, number: f64) -> Vec<String> {
    let mut bad = Vec::new();
    if let Some(min) = constraint.min.filter(|min| number < *min as f64) {
        bad.push(format!("Member must have value greater than or equal to {min}"));
    }
    if let Some(max) = constraint.max.filter(|max| number > *max as f64) {
        bad.push(format!("Member must have value less than or equal to {max}"));
    }
    bad
}

/// A value as Java's `toString` prints it, which is how AWS's messages show it.
fn print(value: &Value) -> String {
    match value {
        Value::Null => NULL.to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::String(text) => text.clone(),
        Value::Blob(bytes) => format!("java.nio.HeapByteBuffer[pos=0 lim={0} cap={0}]", bytes.len()),
        Value::Time(time) => time.to_string(),
        Value::List(items) => format!("[{}]", items.iter().map(print).collect::<Vec<_>>().join(", ")),
        Value::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| format!("{key}={}", print(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}
