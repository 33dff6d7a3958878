//! `--output json`: as Python's `json.dump(…, indent=4, ensure_ascii=False)` writes it.

use stagedoor_model::Value;

use crate::python;

/// Nothing for an empty object, which is what operations without an answer give.
pub fn json(value: &Value) -> String {
    match value {
        Value::Map(entries) if entries.is_empty() => String::new(),
        value => json_whole(value),
    }
}

/// JSON with a line end, even of an empty object.
pub fn json_whole(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, &mut out);
    out.push('\n');
    out
}

fn write(value: &Value, level: usize, out: &mut String) {
    match value {
        Value::List(items) if items.is_empty() => out.push_str("[]"),
        Value::Map(entries) if entries.is_empty() => out.push_str("{}"),
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                begin_line(at, level + 1, out);
                write(item, level + 1, out);
            }
            end_lines(level, out);
            out.push(']');
        }
        Value::Map(entries) => {
            out.push('{');
            for (at, (key, value)) in entries.iter().enumerate() {
                begin_line(at, level + 1, out);
                out.push_str(&quoted(key));
                out.push_str(": ");
                write(value, level + 1, out);
            }
            end_lines(level, out);
            out.push('}');
        }
        Value::Float(number) => out.push_str(&python::float(*number)),
        Value::String(text) => out.push_str(&quoted(text)),
        scalar => out.push_str(&serde_json::to_string(scalar).unwrap_or_default()),
    }
}

/// JSON text of a string. Both libraries escape quotes, backslashes and control characters, and nothing else.
pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

fn begin_line(at: usize, level: usize, out: &mut String) {
    out.push_str(if at == 0 { "\n" } else { ",\n" });
    out.extend(std::iter::repeat_n(' ', 4 * level));
}

fn end_lines(level: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', 4 * level));
}
