//! Values as text: as Java's `toString` has it, and as JSON.

use crate::error::{Failure, RenderError};
use crate::heap::{Heap, ListKind, MapKind};
use crate::limits::{Meter, VALUE_DEPTH_MAX};
use crate::number::double_text;
use crate::value::Value;

/// Writes values into one text, watching how long it gets.
pub(crate) struct Printer<'a> {
    pub(crate) heap: &'a Heap,
    pub(crate) meter: &'a mut Meter,
    pub(crate) out: &'a mut String,
    pub(crate) bytes_max: usize,
}

impl Printer<'_> {
    /// `String.valueOf(value)`.
    pub(crate) fn text(&mut self, value: &Value) -> Result<(), RenderError> {
        self.text_at(value, 0)
    }

    /// The value as compact JSON.
    pub(crate) fn json(&mut self, value: &Value) -> Result<(), RenderError> {
        self.json_at(value, 0)
    }

    fn text_at(&mut self, value: &Value, depth: usize) -> Result<(), RenderError> {
        self.check(depth)?;
        match value {
            Value::Null => self.out.push_str("null"),
            Value::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Value::Int(value) => self.number(i64::from(*value)),
            Value::Long(value) => self.number(*value),
            Value::Double(value) => self.out.push_str(&double_text(*value)),
            Value::Str(text) | Value::Big(text) => self.push(text)?,
            Value::List(id) => {
                if self.heap.list(*id).kind == ListKind::Json {
                    return self.json_at(value, depth);
                }
                self.list_text(&self.heap.list(*id).items, value, depth)?;
            }
            Value::Map(_) => self.map_text(value, depth)?,
            Value::Pair(id) => {
                let (key, value) = self.heap.pair(*id);
                self.text_at(key, depth + 1)?;
                self.out.push('=');
                self.text_at(value, depth + 1)?;
            }
            Value::Iter(_) | Value::Loop(_) | Value::Define(_) | Value::Object(_) => {}
        }
        Ok(())
    }

    fn list_text(&mut self, items: &[Value], itself: &Value, depth: usize) -> Result<(), RenderError> {
        self.out.push('[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.out.push_str(", ");
            }
            match (item, itself) {
                (Value::List(a), Value::List(b)) if a == b => self.out.push_str("(this Collection)"),
                _ => self.text_at(item, depth + 1)?,
            }
        }
        self.out.push(']');
        Ok(())
    }

    fn map_text(&mut self, itself: &Value, depth: usize) -> Result<(), RenderError> {
        let Value::Map(id) = itself else { return Ok(()) };
        let map = self.heap.map(*id);
        if !matches!(map.kind, MapKind::Plain | MapKind::Headers) {
            return Ok(());
        }
        self.out.push('{');
        for (index, (key, value)) in map.entries.iter().enumerate() {
            if index > 0 {
                self.out.push_str(", ");
            }
            self.text_at(&key.0, depth + 1)?;
            self.out.push('=');
            match value {
                Value::Map(inner) if inner == id => self.out.push_str("(this Map)"),
                _ => self.text_at(value, depth + 1)?,
            }
        }
        self.out.push('}');
        Ok(())
    }

    fn json_at(&mut self, value: &Value, depth: usize) -> Result<(), RenderError> {
        self.check(depth)?;
        match value {
            Value::Str(text) => self.quoted(text)?,
            Value::Double(number) if !number.is_finite() => self.out.push_str("null"),
            Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Long(_)
            | Value::Double(_)
            | Value::Big(_) => {
                self.text_at(value, depth)?;
            }
            Value::List(id) => {
                self.out.push('[');
                for (index, item) in self.heap.list(*id).items.iter().enumerate() {
                    if index > 0 {
                        self.out.push(',');
                    }
                    self.json_at(item, depth + 1)?;
                }
                self.out.push(']');
            }
            Value::Map(id) => {
                self.out.push('{');
                for (index, (key, value)) in self.heap.map(*id).entries.iter().enumerate() {
                    if index > 0 {
                        self.out.push(',');
                    }
                    self.key(&key.0, depth + 1)?;
                    self.out.push(':');
                    self.json_at(value, depth + 1)?;
                }
                self.out.push('}');
            }
            Value::Pair(id) => {
                let (key, value) = self.heap.pair(*id);
                self.out.push('{');
                self.key(key, depth + 1)?;
                self.out.push(':');
                self.json_at(value, depth + 1)?;
                self.out.push('}');
            }
            Value::Iter(_) | Value::Loop(_) | Value::Define(_) | Value::Object(_) => {
                self.out.push_str("\"\"")
            }
        }
        Ok(())
    }

    /// A key that is no string prints into one first.
    fn key(&mut self, key: &Value, depth: usize) -> Result<(), RenderError> {
        if let Value::Str(text) = key {
            return self.quoted(text);
        }
        let mut text = String::new();
        let mut inner =
            Printer { heap: self.heap, meter: &mut *self.meter, out: &mut text, bytes_max: self.bytes_max };
        inner.text_at(key, depth)?;
        self.quoted(&text)
    }

    fn quoted(&mut self, text: &str) -> Result<(), RenderError> {
        self.out.push('"');
        let mut rest = text;
        while let Some(at) = rest.find(must_escape) {
            self.push(&rest[..at])?;
            let escaped = rest[at..].chars().next().unwrap_or_default();
            push_escape(escaped, self.out);
            rest = &rest[at + escaped.len_utf8()..];
        }
        self.push(rest)?;
        self.out.push('"');
        Ok(())
    }

    fn number(&mut self, number: i64) {
        use std::fmt::Write as _;
        // Writing into a string cannot fail.
        let _ = write!(self.out, "{number}");
    }

    fn push(&mut self, text: &str) -> Result<(), RenderError> {
        self.meter.read(text.len())?;
        if self.out.len() + text.len() > self.bytes_max {
            return Err(Failure::OutputTooLong.into());
        }
        self.out.push_str(text);
        Ok(())
    }

    fn check(&mut self, depth: usize) -> Result<(), RenderError> {
        self.meter.step()?;
        if depth > VALUE_DEPTH_MAX {
            return Err(Failure::TooDeep.into());
        }
        if self.out.len() > self.bytes_max { Err(Failure::OutputTooLong.into()) } else { Ok(()) }
    }
}

fn must_escape(character: char) -> bool {
    matches!(character, '"' | '\\' | '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}')
}

fn push_escape(character: char, out: &mut String) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        _ => out.push_str(&format!("\\u{:04X}", u32::from(character))),
    }
}
