//! JSON as API Gateway takes it in the request template of a `MOCK` integration: keys without quotes, single quotes
//! and commas at the end are fine.
//!
//! Pure. Not a JSON parser for anything else: what clients and backends send is read strictly.

use serde_json::{Map, Value};

/// Deepest nesting that is read.
const DEPTH_MAX: usize = 32;

/// The value that a text spells; `None` if it spells none.
pub(crate) fn parse(text: &str) -> Option<Value> {
    let mut reader = Reader { rest: text };
    let value = reader.value(DEPTH_MAX)?;
    reader.skip_blanks();
    reader.rest.is_empty().then_some(value)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, wanted: char) -> bool {
        self.skip_blanks();
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        let depth = depth.checked_sub(1)?;
        self.skip_blanks();
        match self.rest.chars().next()? {
            '{' => self.object(depth),
            '[' => self.list(depth),
            '"' | '\'' => self.string().map(Value::String),
            _ => self.word().map(scalar),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        let mut members = Map::new();
        self.take('{');
        loop {
            if self.take('}') {
                return Some(Value::Object(members));
            }
            let key = self.key()?;
            if !self.take(':') {
                return None;
            }
            members.insert(key, self.value(depth)?);
            if !self.take(',') {
                return self.take('}').then_some(Value::Object(members));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Option<Value> {
        let mut items = Vec::new();
        self.take('[');
        loop {
            if self.take(']') {
                return Some(Value::Array(items));
            }
            items.push(self.value(depth)?);
            if !self.take(',') {
                return self.take(']').then_some(Value::Array(items));
            }
        }
    }

    fn key(&mut self) -> Option<String> {
        self.skip_blanks();
        if self.rest.starts_with(['"', '\'']) { self.string() } else { self.word().map(str::to_owned) }
    }

    /// Letters up to a blank or a mark of JSON.
    fn word(&mut self) -> Option<&str> {
        let ends = |letter: char| letter.is_whitespace() || "{}[],:\"'".contains(letter);
        let (word, rest) = self.rest.split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        self.rest = rest;
        Some(word).filter(|word| !word.is_empty())
    }

    fn string(&mut self) -> Option<String> {
        let mut letters = self.rest.chars();
        let quote = letters.next()?;
        let mut text = String::new();
        loop {
            match letters.next()? {
                '\\' => text.push(escaped(&mut letters)?),
                letter if letter == quote => break,
                letter => text.push(letter),
            }
        }
        self.rest = letters.as_str();
        Some(text)
    }
}

fn escaped(letters: &mut std::str::Chars<'_>) -> Option<char> {
    Some(match letters.next()? {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'u' => {
            let first = code_unit(letters)?;
            match char::from_u32(first) {
                Some(letter) => letter,
                // Letters beyond 16 bits are two units of UTF-16 (RFC 8259, section 7).
                None => {
                    *letters = letters.as_str().strip_prefix("\\u")?.chars();
                    let both = [u16::try_from(first).ok()?, u16::try_from(code_unit(letters)?).ok()?];
                    char::decode_utf16(both).next()?.ok()?
                }
            }
        }
        other => other,
    })
}

/// Four hexadecimal digits.
fn code_unit(letters: &mut std::str::Chars<'_>) -> Option<u32> {
    let digits =
        letters.as_str().get(..4).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    *letters = letters.as_str()[4..].chars();
    u32::from_str_radix(digits, 16).ok()
}

fn scalar(word: &str) -> Value {
    serde_json::from_str(word).unwrap_or_else(|_| Value::String(word.to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_read() {
        let cases = [
            (r#"{"statusCode": 200}"#, Some(json!({"statusCode": 200}))),
            ("{statusCode: 200}", Some(json!({"statusCode": 200}))),
            ("{ 'statusCode' : 200 , }", Some(json!({"statusCode": 200}))),
            (
                "\n{\n\tstatusCode:404,\n\tmessage:'it\\'s'\n}\n",
                Some(json!({"statusCode": 404, "message": "it's"})),
            ),
            (
                r#"{"a": [1, true, null, -2.5e3,], "b": {}}"#,
                Some(json!({"a": [1, true, null, -2500.0], "b": {}})),
            ),
            (r#"{"a": "\u00e9\n"}"#, Some(json!({"a": "é\n"}))),
            (r#"{"a": "\ud83d\ude00"}"#, Some(json!({"a": "😀"}))),
            (r#"{"a": "\ud83d\ud83d"}"#, None),
            (r#"{"a": "\ud83d"}"#, None),
            (r#"{"a": "\u+123"}"#, None),
            ("{statusCode: ok}", Some(json!({"statusCode": "ok"}))),
            ("{}", Some(json!({}))),
            ("{", None),
            ("", None),
            ("{statusCode 200}", None),
            ("{statusCode: 200} x", None),
            ("{a: 1 b: 2}", None),
            (r#"{"a": "\u00"}"#, None),
            (r#"{"a": "\u0é0"}"#, None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{text}");
        }
        assert_eq!(parse(&"[".repeat(100_000)), None);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "\\PC{0,30}|[{}\\[\\],:'\"a-u\\\\ ]{0,30}") {
            parse(&text);
        }

        #[test]
        fn json_is_read_as_json(number in any::<i64>(), text in "\\PC{0,20}") {
            let value = json!({"number": number, "list": [text, {"k": text}]});
            prop_assert_eq!(parse(&value.to_string()), Some(value));
        }
    }
}
