//! `$util`: escaping, encoding and parsing.

use base64::alphabet;
use base64::engine::{DecodePaddingMode, Engine as _, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::error::RenderError;
use crate::json;
use crate::render::Renderer;
use crate::value::Value;

/// What `java.net.URLEncoder` escapes; blanks become `+` afterwards.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'*').remove(b'_').remove(b'-').remove(b' ');

/// Takes text with padding and without.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

impl Renderer<'_> {
    /// A method of `$util`; `None` if it has no such method.
    pub(crate) fn util_method(&mut self, name: &str, args: &[Value]) -> Result<Option<Value>, RenderError> {
        let [argument] = args else { return Ok(None) };
        if !matches!(
            name,
            "escapeJavaScript" | "parseJson" | "urlEncode" | "urlDecode" | "base64Encode" | "base64Decode"
        ) {
            return Ok(None);
        }
        if argument.is_null() {
            return Ok(Some(Value::Null));
        }
        let text = self.text_of(argument)?;
        self.meter.read(text.len())?;
        if name == "parseJson" {
            return self.parse_json(&text).map(Some);
        }
        let result = match name {
            "escapeJavaScript" => escape_java_script(&text),
            "urlEncode" => utf8_percent_encode(&text, FORM).to_string().replace(' ', "+"),
            "urlDecode" => url_decode(&text)?,
            "base64Encode" => BASE64_STANDARD.encode(text.as_bytes()),
            _ => base64_decode(&text)?,
        };
        self.meter.allocate(result.len())?;
        Ok(Some(Value::str(result)))
    }

    fn parse_json(&mut self, text: &str) -> Result<Value, RenderError> {
        if text.trim().is_empty() {
            return Ok(Value::Null);
        }
        json::parse(text, &mut self.heap, &mut self.meter)
    }
}

/// As Apache Commons Lang 2 does: quotes of both kinds, slashes of both kinds, and all that is not printable ASCII.
fn escape_java_script(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for character in text.chars() {
        match character {
            '\'' | '"' | '\\' | '/' => out.extend(['\\', character]),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            ' '..='\u{7f}' => out.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04X}"));
                }
            }
        }
    }
    out
}

fn url_decode(text: &str) -> Result<String, RenderError> {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let is_escape = byte == b'%';
        if is_escape && !(0..2).all(|_| bytes.next().is_some_and(|digit| digit.is_ascii_hexdigit())) {
            return Err(RenderError::method("urlDecode: incomplete escape"));
        }
    }
    Ok(percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned())
}

/// What is no part of the alphabet is passed over.
fn base64_decode(text: &str) -> Result<String, RenderError> {
    let symbols: Vec<u8> = text
        .bytes()
        .filter_map(|byte| match byte {
            b'-' => Some(b'+'),
            b'_' => Some(b'/'),
            b'+' | b'/' => Some(byte),
            _ => byte.is_ascii_alphanumeric().then_some(byte),
        })
        .collect();
    let decoded =
        LENIENT.decode(symbols).map_err(|error| RenderError::method(format!("base64Decode: {error}")))?;
    Ok(String::from_utf8_lossy(&decoded).into_owned())
}
