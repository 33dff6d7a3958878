//! `--output text`: one line per structure, tab-separated, nested structures after their parent with their name in
//! front. Members are sorted by name.

use std::collections::BTreeSet;

use stagedoor_model::Value;

use crate::python;

pub fn text(value: &Value) -> String {
    let mut out = String::new();
    write(value, None, None, &mut out);
    out
}

fn write(value: &Value, name: Option<&str>, columns: Option<&[&str]>, out: &mut String) {
    match value {
        Value::Map(entries) => structure(entries, value, name, columns, out),
        Value::List(items) => list(items, name, out),
        scalar => line([python::text(scalar)], out),
    }
}

fn list(items: &[Value], name: Option<&str>, out: &mut String) {
    if items.iter().any(|item| matches!(item, Value::Map(_))) {
        let columns: BTreeSet<&str> = items.iter().flat_map(scalar_keys).collect();
        let columns: Vec<_> = columns.into_iter().collect();
        for item in items {
            write(item, name, Some(&columns), out);
        }
    } else if items.iter().any(is_nested) {
        let (nested, scalars): (Vec<_>, Vec<_>) = items.iter().partition(|item| is_nested(item));
        scalar_list(&scalars, name, out);
        for item in nested {
            write(item, name, None, out);
        }
    } else {
        scalar_list(&items.iter().collect::<Vec<_>>(), name, out);
    }
}

fn scalar_list(items: &[&Value], name: Option<&str>, out: &mut String) {
    match name {
        _ if items.is_empty() => {}
        Some(name) => {
            for item in items {
                line([name.to_uppercase(), python::text(item)], out);
            }
        }
        None => line(items.iter().map(|item| python::text(item)), out),
    }
}

fn structure(
    entries: &[(stagedoor_model::value::Key, Value)],
    value: &Value,
    name: Option<&str>,
    columns: Option<&[&str]>,
    out: &mut String,
) {
    let mut sorted: Vec<_> = entries.iter().map(|(key, value)| (&**key, value)).collect();
    sorted.sort_by_key(|(key, _)| *key);
    let cells: Vec<String> = match columns {
        Some(columns) => {
            columns.iter().map(|column| value.get(column).map_or(String::new(), python::text)).collect()
        }
        None => sorted
            .iter()
            .filter(|(_, value)| !is_nested(value))
            .map(|(_, value)| python::text(value))
            .collect(),
    };
    if !cells.is_empty() {
        line(name.map(str::to_uppercase).into_iter().chain(cells), out);
    }
    // With columns, a member is nested for all items if it is for one.
    let is_column = |key: &str| columns.is_some_and(|columns| columns.contains(&key));
    for (key, value) in sorted {
        if if columns.is_some() { !is_column(key) } else { is_nested(value) } {
            write(value, Some(key), None, out);
        }
    }
}

fn scalar_keys(item: &Value) -> Vec<&str> {
    match item {
        Value::Map(entries) => {
            entries.iter().filter(|(_, value)| !is_nested(value)).map(|(key, _)| &**key).collect()
        }
        _ => Vec::new(),
    }
}

fn is_nested(value: &Value) -> bool {
    matches!(value, Value::Map(_) | Value::List(_))
}

fn line(cells: impl IntoIterator<Item = String>, out: &mut String) {
    out.push_str(&cells.into_iter().collect::<Vec<_>>().join("\t"));
    out.push('\n');
}
