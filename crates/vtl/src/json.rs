//! JSON text read straight into a rendering's heap, as leniently as API Gateway's parser: single quotes and bare words
//! are strings, a comma may stand before a closing bracket.
//!
//! Integers keep every digit; fractions become Java doubles.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::error::{Failure, RenderError};
use crate::heap::{Heap, ListKind, MapKind};
use crate::limits::{Meter, VALUE_DEPTH_MAX};
use crate::value::{Key, Value};

/// Bytes one value costs beside its text.
const VALUE_BYTES: usize = 24;
/// Bytes one entry of a map costs beside its text.
const ENTRY_BYTES: usize = 80;

/// Reads a document. Text that begins like no JSON value is one string, as API Gateway has it.
pub(crate) fn parse(text: &str, heap: &mut Heap, meter: &mut Meter) -> Result<Value, RenderError> {
    let trimmed = text.trim_matches([' ', '\t', '\n', '\r', '\u{feff}']);
    let mut reader = Reader { text: trimmed, position: 0, heap, meter };
    if !trimmed.starts_with(['{', '[', '"', '\'']) {
        return reader.bare(trimmed);
    }
    let value = reader.value(0)?;
    reader.skip_space();
    if reader.position < trimmed.len() {
        return Err(reader.error("text after the end"));
    }
    Ok(value)
}

struct Reader<'a> {
    text: &'a str,
    position: usize,
    heap: &'a mut Heap,
    meter: &'a mut Meter,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Result<Value, RenderError> {
        if depth > VALUE_DEPTH_MAX {
            return Err(Failure::TooDeep.into());
        }
        self.meter.step()?;
        self.meter.allocate(VALUE_BYTES)?;
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"' | b'\'') => Ok(Value::Str(self.string()?)),
            Some(_) => {
                let word = self.bare_word();
                self.bare(word)
            }
            None => Err(self.error("it ends early")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, RenderError> {
        self.position += 1;
        let mut entries = IndexMap::new();
        loop {
            self.skip_space();
            match self.peek() {
                Some(b'}') => break,
                Some(b',') => {
                    self.position += 1;
                    continue;
                }
                _ => {}
            }
            let key = self.key()?;
            self.skip_space();
            if self.peek() != Some(b':') {
                return Err(self.error("expected ':'"));
            }
            self.position += 1;
            self.meter.allocate(ENTRY_BYTES)?;
            let value = self.value(depth + 1)?;
            entries.insert(Key(Value::Str(key)), value);
            self.separator(b'}')?;
        }
        self.position += 1;
        Ok(Value::Map(self.heap.new_map(entries, MapKind::Plain)))
    }

    fn array(&mut self, depth: usize) -> Result<Value, RenderError> {
        self.position += 1;
        let mut items = Vec::new();
        loop {
            self.skip_space();
            match self.peek() {
                Some(b']') => break,
                Some(b',') => {
                    self.position += 1;
                    continue;
                }
                _ => {}
            }
            items.push(self.value(depth + 1)?);
            self.separator(b']')?;
        }
        self.position += 1;
        Ok(self.heap.new_list(items, ListKind::Json))
    }

    /// What may follow a member: a comma, or the end.
    fn separator(&mut self, closing: u8) -> Result<(), RenderError> {
        self.skip_space();
        match self.peek() {
            Some(byte) if byte == b',' || byte == closing => Ok(()),
            _ => Err(self.error("expected ',' or the end of a list or object")),
        }
    }

    fn key(&mut self) -> Result<Arc<str>, RenderError> {
        if matches!(self.peek(), Some(b'"' | b'\'')) {
            return self.string();
        }
        let word = self.bare_word();
        if word.is_empty() {
            return Err(self.error("expected a name"));
        }
        self.meter.allocate(word.len())?;
        Ok(word.into())
    }

    /// Text without quotes, up to where a list or an object goes on.
    fn bare_word(&mut self) -> &'a str {
        let rest = &self.text[self.position..];
        let length = rest.find([',', ':', ']', '}', '[', '{', '\n', '\r']).unwrap_or(rest.len());
        self.position += length;
        rest[..length].trim_end()
    }

    /// A number, a literal, or else a string.
    fn bare(&mut self, word: &str) -> Result<Value, RenderError> {
        self.meter.allocate(word.len())?;
        match word {
            "true" => return Ok(Value::Bool(true)),
            "false" => return Ok(Value::Bool(false)),
            "null" => return Ok(Value::Null),
            "" => return Err(self.error("expected a value")),
            _ => {}
        }
        Ok(number(word).unwrap_or_else(|| Value::str(word)))
    }

    fn string(&mut self) -> Result<Arc<str>, RenderError> {
        let quote = char::from(self.peek().unwrap_or(b'"'));
        self.position += 1;
        let rest = &self.text[self.position..];
        if let Some(length) = rest.find([quote, '\\']).filter(|length| rest[*length..].starts_with(quote)) {
            self.meter.allocate(length)?;
            self.position += length + 1;
            return Ok(rest[..length].into());
        }
        self.string_with_escapes(quote)
    }

    fn string_with_escapes(&mut self, quote: char) -> Result<Arc<str>, RenderError> {
        let mut out = String::new();
        loop {
            let rest = &self.text[self.position..];
            let length = rest.find([quote, '\\']).ok_or_else(|| self.error("a string does not end"))?;
            self.meter.allocate(length)?;
            out.push_str(&rest[..length]);
            self.position += length + 1;
            if rest[length..].starts_with(quote) {
                return Ok(out.into());
            }
            self.escape(&mut out)?;
        }
    }

    /// What follows a backslash.
    fn escape(&mut self, out: &mut String) -> Result<(), RenderError> {
        let rest = &self.text[self.position..];
        let escaped = rest.chars().next().ok_or_else(|| self.error("a string does not end"))?;
        self.position += escaped.len_utf8();
        match escaped {
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'u' => out.push(self.unicode()?),
            other => out.push(other),
        }
        Ok(())
    }

    /// Four hex digits; half a surrogate pair alone becomes U+FFFD.
    fn unicode(&mut self) -> Result<char, RenderError> {
        let first = self.hex_unit()?;
        if !(0xd800..0xdc00).contains(&first) || !self.text[self.position..].starts_with("\\u") {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let before = self.position;
        self.position += 2;
        let second = self.hex_unit()?;
        if !(0xdc00..0xe000).contains(&second) {
            self.position = before;
            return Ok(char::REPLACEMENT_CHARACTER);
        }
        let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex_unit(&mut self) -> Result<u32, RenderError> {
        let digits = self.text.get(self.position..self.position + 4);
        let unit = digits
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .ok_or_else(|| self.error("expected four hex digits after \\u"))?;
        self.position += 4;
        Ok(unit)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn skip_space(&mut self) {
        let bytes = self.text[self.position..].bytes();
        self.position += bytes.take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
    }

    fn error(&self, what: &str) -> RenderError {
        Failure::InvalidJson(format!("{what} at byte {}", self.position)).into()
    }
}

/// A JSON number.
fn number(word: &str) -> Option<Value> {
    let digits = word.strip_prefix('-').unwrap_or(word);
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let is_number = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    let is_integer = digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || (is_integer && digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    crate::number::parse(word, is_integer)
}
