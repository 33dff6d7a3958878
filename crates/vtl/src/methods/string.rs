//! `java.lang.String`.

use std::sync::Arc;

use super::utf16;
use crate::error::{Failure, RenderError};
use crate::number::Number;
use crate::render::Renderer;
use crate::value::Value;

/// Bytes that a short text costs beside its characters.
const PIECE_BYTES: usize = 64;

impl Renderer<'_> {
    /// `None` if strings have no such method.
    pub(super) fn string_method(
        &mut self,
        text: &Arc<str>,
        name: &str,
        args: &[Value],
    ) -> Result<Option<Value>, RenderError> {
        self.meter.read(text.len())?;
        if let Some(answer) = string_question(text, name, args)? {
            return Ok(Some(answer));
        }
        if let Some(answer) = self.string_pattern_method(text, name, args)? {
            return Ok(Some(answer));
        }
        let made = match (name, args) {
            ("toString" | "intern" | "trim" | "strip" | "toLowerCase" | "toUpperCase", []) => {
                recased(text, name)
            }
            ("stripLeading", []) => text.trim_start().to_owned(),
            ("stripTrailing", []) => text.trim_end().to_owned(),
            ("substring" | "subSequence", [Value::Int(from), Value::Int(to)]) => {
                utf16::substring(text, *from, Some(*to))?
            }
            ("substring", [Value::Int(from)]) => utf16::substring(text, *from, None)?,
            ("charAt", [Value::Int(index)]) => utf16::substring(text, *index, Some(index.saturating_add(1)))?,
            ("concat", [Value::Str(other)]) => format!("{text}{other}"),
            ("replace", [Value::Str(from), Value::Str(to)]) => self.replaced(text, from, to)?,
            ("repeat", [Value::Int(count)]) => self.repeated(text, *count)?,
            // Static methods, which templates reach through any string.
            ("valueOf", [value]) => self.text_of(value)?.to_string(),
            ("format", [Value::Str(format), arguments @ ..]) => self.formatted(format, arguments)?,
            ("join", [Value::Str(separator), Value::List(list)]) => {
                let items = self.heap.list(*list).items.clone();
                self.joined(separator, &items)?
            }
            ("join", [Value::Str(separator), items @ ..]) => self.joined(separator, items)?,
            ("toCharArray", []) => {
                self.meter.allocate(utf16::length(text) * PIECE_BYTES)?;
                let characters: Vec<_> =
                    text.chars().map(|character| Value::str(character.to_string())).collect();
                return self.new_list(characters).map(Some);
            }
            _ => return Ok(None),
        };
        self.meter.allocate(made.len())?;
        Ok(Some(Value::str(made)))
    }

    fn string_pattern_method(
        &mut self,
        text: &Arc<str>,
        name: &str,
        args: &[Value],
    ) -> Result<Option<Value>, RenderError> {
        Ok(Some(match (name, args) {
            ("matches", [Value::Str(pattern)]) => Value::Bool(self.matches(text, pattern)?),
            ("replaceAll" | "replaceFirst", [Value::Str(pattern), Value::Str(replacement)]) => {
                let count = if name == "replaceFirst" { 1 } else { usize::MAX };
                let replaced = self.pattern(text, pattern)?.replace(
                    text,
                    replacement,
                    count,
                    self.meter.memory_left(),
                )?;
                self.meter.allocate(replaced.len())?;
                Value::str(replaced)
            }
            ("split", [Value::Str(pattern)]) => self.split(text, pattern, 0)?,
            ("split", [Value::Str(pattern), Value::Int(limit)]) => self.split(text, pattern, *limit)?,
            _ => return Ok(None),
        }))
    }

    fn split(&mut self, text: &str, pattern: &Arc<str>, limit: i32) -> Result<Value, RenderError> {
        let pieces =
            self.pattern(text, pattern)?.split(text, limit, self.meter.memory_left() / PIECE_BYTES)?;
        self.meter.allocate(text.len() + pieces.len() * PIECE_BYTES)?;
        self.new_list(pieces.into_iter().map(Value::str).collect())
    }

    fn replaced(&mut self, text: &str, from: &str, to: &str) -> Result<String, RenderError> {
        let found = text.matches(from).count();
        if found.saturating_mul(to.len()) > self.meter.memory_left() {
            return Err(Failure::TooMuchMemory.into());
        }
        Ok(text.replace(from, to))
    }

    fn repeated(&mut self, text: &str, count: i32) -> Result<String, RenderError> {
        let count = usize::try_from(count).map_err(|_| RenderError::method("count is negative"))?;
        // Paid before it is made.
        self.meter.allocate(text.len().saturating_mul(count))?;
        Ok(text.repeat(count))
    }

    fn joined(&mut self, separator: &str, items: &[Value]) -> Result<String, RenderError> {
        let mut out = String::new();
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                out.push_str(separator);
            }
            self.meter.allocate(separator.len())?;
            out.push_str(&self.text_of(item)?);
            self.meter.read(out.len() / (items.len() + 1))?;
        }
        Ok(out)
    }
}

/// Methods that answer with a number or a truth.
fn string_question(text: &str, name: &str, args: &[Value]) -> Result<Option<Value>, RenderError> {
    let index = |found: Option<usize>| Value::Int(found.map_or(-1, |byte| utf16::index_of_byte(text, byte)));
    Ok(Some(match (name, args) {
        ("length", []) => Value::Int(utf16::length(text) as i32),
        ("isEmpty", []) => Value::Bool(text.is_empty()),
        ("isBlank", []) => Value::Bool(text.trim().is_empty()),
        ("contains", [Value::Str(part)]) => Value::Bool(text.contains(&**part)),
        ("startsWith", [Value::Str(part)]) => Value::Bool(text.starts_with(&**part)),
        ("startsWith", [Value::Str(part), Value::Int(from)]) => {
            let inside = *from >= 0 && *from as usize <= utf16::length(text);
            Value::Bool(inside && text[utf16::byte_of_index(text, *from)..].starts_with(&**part))
        }
        ("endsWith", [Value::Str(part)]) => Value::Bool(text.ends_with(&**part)),
        ("indexOf", [Value::Str(part)]) => index(text.find(&**part)),
        ("indexOf", [Value::Str(part), Value::Int(from)]) => {
            let from = utf16::byte_of_index(text, *from);
            index(text[from..].find(&**part).map(|found| from + found))
        }
        ("lastIndexOf", [Value::Str(part)]) => index(text.rfind(&**part)),
        ("equals", [other]) => Value::Bool(matches!(other, Value::Str(other) if **other == *text)),
        ("contentEquals", [Value::Str(other)]) => Value::Bool(**other == *text),
        ("equalsIgnoreCase", [other]) => {
            let folded = |text: &str| text.to_uppercase().to_lowercase();
            Value::Bool(matches!(other, Value::Str(other) if folded(other) == folded(text)))
        }
        ("compareTo", [Value::Str(other)]) => Value::Int(utf16::compare(text, other)),
        ("compareToIgnoreCase", [Value::Str(other)]) => {
            Value::Int(utf16::compare(&text.to_lowercase(), &other.to_lowercase()))
        }
        ("hashCode", []) => Value::Int(utf16::hash_code(text)),
        ("codePointAt", [Value::Int(at)]) => {
            let inside = *at >= 0 && (*at as usize) < utf16::length(text);
            let rest = inside.then(|| &text[utf16::byte_of_index(text, *at)..]);
            let character = rest.and_then(|rest| rest.chars().next());
            Value::Int(
                character.map(u32::from).ok_or_else(|| RenderError::method(format!("index {at}")))? as i32
            )
        }
        _ => return Ok(None),
    }))
}

fn recased(text: &str, name: &str) -> String {
    match name {
        "toLowerCase" => text.to_lowercase(),
        "toUpperCase" => text.to_uppercase(),
        // `trim` takes all up to the blank, `strip` what Unicode calls white space.
        "trim" => text.trim_matches(|character| character <= ' ').to_owned(),
        "strip" => text.trim().to_owned(),
        _ => text.to_owned(),
    }
}

/// An argument as `int`, where a method takes any number.
pub(super) fn int_of(value: &Value) -> Option<i32> {
    Number::of(value).map(Number::as_int)
}
