//! The AWS CLI's shorthand syntax: `Key=Value,Key2=[a,b],Key3={Inner=c}`. Grammar and back-tracking are those of the
//! AWS CLI's `shorthand.py`, so that the same words mean the same values.
//!
//! Pure: `Key@=file://…` is read by the loader that the caller passes.

use stagedoor_model::{Kind, ShapeTable, Value};

/// How deep lists and maps may nest; the models need four levels.
const DEPTH_MAX: usize = 64;

/// Reads what `file://…` or `fileb://…` names; `None` for any other text.
pub type Loader<'l> = &'l dyn Fn(&str) -> Result<Option<Value>, String>;

/// The values of one shorthand expression, all scalars as strings.
pub fn parse(text: &str, load: Loader<'_>) -> Result<Value, String> {
    let mut parser = Parser { input: text.chars().collect(), at: 0, loading: false, depth: 0, load };
    parser.parameter()
}

/// Gives the scalars of a parsed expression the types of its shape; a lone value becomes a list where one is due.
pub fn adapt(shape: &ShapeTable, value: Value) -> Result<Value, String> {
    Ok(match (&shape.kind, value) {
        (Kind::Structure { members, .. }, Value::Map(mut entries)) => {
            for (key, value) in &mut entries {
                if let Some(member) = members.iter().find(|member| member.name == key) {
                    *value = adapt(member.shape, std::mem::take(value))?;
                }
            }
            Value::Map(entries)
        }
        (Kind::List(item), Value::List(items)) => {
            Value::List(items.into_iter().map(|value| adapt(item, value)).collect::<Result<_, _>>()?)
        }
        (Kind::List(_), lone) => Value::List(vec![lone]),
        (Kind::Map { value: shape, .. }, Value::Map(mut entries)) => {
            for (_, value) in &mut entries {
                *value = adapt(shape, std::mem::take(value))?;
            }
            Value::Map(entries)
        }
        (Kind::Integer | Kind::Long, Value::String(text)) => Value::Int(integer(&text)?),
        (Kind::Float | Kind::Double, Value::String(text)) => Value::Float(float(&text)?),
        (Kind::Boolean, Value::String(text)) => match text.to_lowercase().as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::String(text),
        },
        (_, value) => value,
    })
}

/// Whether a complaint is Python's own about a number; the AWS CLI does not say then which option holds it.
pub fn is_of_number(message: &str) -> bool {
    message.starts_with("invalid literal for int()")
        || message.starts_with("could not convert string to float")
}

/// As Python's `int` reads it.
pub fn integer(text: &str) -> Result<i64, String> {
    text.trim().parse().map_err(|_| format!("invalid literal for int() with base 10: '{text}'"))
}

/// As Python's `float` reads it.
pub fn float(text: &str) -> Result<f64, String> {
    text.trim().parse().map_err(|_| format!("could not convert string to float: '{text}'"))
}

struct Parser<'l> {
    input: Vec<char>,
    at: usize,
    /// Whether the value being read came with `@=`.
    loading: bool,
    depth: usize,
    load: Loader<'l>,
}

impl Parser<'_> {
    fn parameter(&mut self) -> Result<Value, String> {
        let mut entries: Vec<(stagedoor_model::value::Key, Value)> = Vec::new();
        let mut last = 0;
        loop {
            let (key, value) = self.key_and_value(Self::values)?;
            if entries.iter().any(|(known, _)| *known == key) {
                return Err(format!(
                    "Second instance of key \"{key}\" encountered for input:\n{}\nThis is often because there is a \
                     preceding \",\" instead of a space.",
                    self.location(last + 1)
                ));
            }
            entries.push((key.into(), value));
            last = self.at;
            if self.at >= self.input.len() {
                return Ok(Value::Map(entries));
            }
            self.expect(',')?;
        }
    }

    fn key_and_value(
        &mut self,
        values: fn(&mut Self) -> Result<Value, String>,
    ) -> Result<(String, Value), String> {
        let start = self.at;
        while self.current().is_some_and(|c| c.is_ascii_alphanumeric() || "-_.#/:".contains(c)) {
            self.at += 1;
        }
        let key = self.input[start..self.at].iter().collect();
        self.skip_whitespace();
        self.loading = self.current() == Some('@');
        if self.loading {
            self.at += 1;
        }
        self.expect('=')?;
        Ok((key, values(self)?))
    }

    fn values(&mut self) -> Result<Value, String> {
        match self.current() {
            None => Ok(Value::String(String::new())),
            Some('[' | '{') => self.explicit_values(),
            Some(_) => self.comma_separated(),
        }
    }

    /// `a`, or `a,b,c`; a word behind a comma that turns out to be a key is given back.
    fn comma_separated(&mut self) -> Result<Value, String> {
        let first = self.first_value()?;
        self.skip_whitespace();
        if self.current() != Some(',') {
            return Ok(first);
        }
        self.expect(',')?;
        let mut values = vec![first];
        loop {
            let read = self.second_value().and_then(|value| {
                self.skip_whitespace();
                let more = self.current().is_some();
                if more {
                    self.expect(',')?;
                }
                Ok((value, more))
            });
            match read {
                Ok((value, more)) => {
                    values.push(value);
                    if !more {
                        break;
                    }
                }
                Err(error) if self.current().is_none() => return Err(error),
                Err(_) => {
                    while self.input[self.at] != ',' {
                        self.at -= 1;
                    }
                    break;
                }
            }
        }
        Ok(if values.len() == 1 { values.remove(0) } else { Value::List(values) })
    }

    fn explicit_values(&mut self) -> Result<Value, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(format!("more than {DEPTH_MAX} levels"));
        }
        let value = match self.current() {
            Some('[') => self.explicit_list(),
            Some('{') => self.hash_literal(),
            _ => self.first_value(),
        };
        self.depth -= 1;
        value
    }

    fn explicit_list(&mut self) -> Result<Value, String> {
        self.expect('[')?;
        let mut items = Vec::new();
        while self.current() != Some(']') {
            items.push(self.explicit_values()?);
            self.separator(']')?;
        }
        self.at += 1;
        Ok(Value::List(items))
    }

    fn hash_literal(&mut self) -> Result<Value, String> {
        self.expect('{')?;
        let mut entries: Vec<(stagedoor_model::value::Key, Value)> = Vec::new();
        while self.current() != Some('}') {
            let (key, value) = self.key_and_value(Self::explicit_values)?;
            entries.retain(|(known, _)| *known != key);
            entries.push((key.into(), value));
            self.separator('}')?;
        }
        self.at += 1;
        Ok(Value::Map(entries))
    }

    /// The comma between two items, unless the closing bracket follows.
    fn separator(&mut self, close: char) -> Result<(), String> {
        self.skip_whitespace();
        if self.current() == Some(close) { Ok(()) } else { self.expect(',') }
    }

    fn first_value(&mut self) -> Result<Value, String> {
        match self.current() {
            Some(quote @ ('\'' | '"')) => self.quoted(quote),
            _ => {
                let word = self.word(follows_first).unwrap_or_default();
                self.loaded(word)
            }
        }
    }

    fn second_value(&mut self) -> Result<Value, String> {
        match self.current() {
            Some(quote @ ('\'' | '"')) => self.quoted(quote),
            _ => {
                let word = self.word(follows_second);
                let word = word.ok_or_else(|| self.unexpected("<second>", "<none>"))?;
                self.loaded(word)
            }
        }
    }

    /// An unquoted word; `\,` is a comma. `None` if not one character can begin it.
    fn word(&mut self, follows: fn(char) -> bool) -> Option<String> {
        let start = self.at;
        while let Some(letter) = self.current() {
            if letter == '\\' && self.input.get(self.at + 1) == Some(&',') {
                self.at += 2;
            } else if if self.at == start { starts(letter) } else { follows(letter) } {
                self.at += 1;
            } else {
                break;
            }
        }
        let word: String = self.input[start..self.at].iter().collect();
        (self.at > start).then(|| word.replace("\\,", ",").trim_end().to_owned())
    }

    fn quoted(&mut self, quote: char) -> Result<Value, String> {
        let start = self.at + 1;
        let mut at = start;
        let mut last_escaped = None;
        let end = loop {
            match self.input.get(at) {
                Some('\\') if self.input.get(at + 1) == Some(&quote) => {
                    last_escaped = Some(at + 1);
                    at += 2;
                }
                Some(letter) if *letter == quote => break Some(at),
                Some(_) => at += 1,
                // Without a closing quote, the last escaped one closes.
                None => break last_escaped,
            }
        };
        let name = if quote == '"' { "<double quoted>" } else { "<singled quoted>" };
        let end = end.ok_or_else(|| self.unexpected(name, "<none>"))?;
        self.at = end + 1;
        let text: String = self.input[start..end].iter().collect();
        self.loaded(text.replace(&format!("\\{quote}"), &quote.to_string()).replace("\\\\", "\\"))
    }

    fn loaded(&self, text: String) -> Result<Value, String> {
        let loaded = if self.loading { (self.load)(&text)? } else { None };
        Ok(loaded.unwrap_or(Value::String(text)))
    }

    /// Passes `wanted` and the whitespace around it.
    fn expect(&mut self, wanted: char) -> Result<(), String> {
        self.skip_whitespace();
        match self.current() {
            Some(letter) if letter == wanted => {
                self.at += 1;
                self.skip_whitespace();
                Ok(())
            }
            Some(letter) => Err(self.unexpected(&wanted.to_string(), &letter.to_string())),
            None => Err(self.unexpected(&wanted.to_string(), "EOF")),
        }
    }

    fn unexpected(&self, expected: &str, actual: &str) -> String {
        let location = self.location(self.at);
        format!("Expected: '{expected}', received: '{actual}' for input:\n{location}")
    }

    /// The input with a mark under one character.
    fn location(&self, at: usize) -> String {
        let at = at.min(self.input.len());
        let line_start = self.input[..at].iter().rposition(|c| *c == '\n').map_or(0, |newline| newline + 1);
        let line_end =
            self.input[at..].iter().position(|c| *c == '\n').map_or(self.input.len(), |end| at + end);
        let consumed: String = self.input[..line_end].iter().collect();
        let remaining: String = self.input[line_end..].iter().collect();
        format!("{consumed}\n{}^{remaining}", " ".repeat(at - line_start))
    }

    fn current(&self) -> Option<char> {
        self.input.get(self.at).copied()
    }

    fn skip_whitespace(&mut self) {
        while self.current().is_some_and(|c| matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')) {
            self.at += 1;
        }
    }
}

// === Which characters an unquoted word may have; those beyond U+FFFF need quotes ===

fn starts(c: char) -> bool {
    matches!(c, '!' | '#'..='&' | '('..='+' | '-'..='<' | '>'..='Z' | '\\'..='z' | '|'..='\u{ffff}')
}

fn follows_first(c: char) -> bool {
    c.is_whitespace() || matches!(c, '!' | '#'..='&' | '('..='+' | '-'..='\\' | '^'..='|' | '~'..='\u{ffff}')
}

fn follows_second(c: char) -> bool {
    c.is_whitespace() || matches!(c, '!' | '#'..='&' | '('..='+' | '-'..='<' | '>'..='\u{ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(text: &str) -> String {
        let load =
            |text: &str| Ok(text.strip_prefix("file://").map(|name| Value::String(format!("<{name}>"))));
        match parse(text, &load) {
            Ok(value) => serde_json::to_string(&value).unwrap_or_default(),
            Err(error) => error.lines().next().unwrap_or_default().to_owned(),
        }
    }

    #[test]
    fn expressions_mean_what_they_mean_to_the_aws_cli() {
        let cases = [
            ("a=b", r#"{"a":"b"}"#),
            ("a=b,c=d", r#"{"a":"b","c":"d"}"#),
            ("a=b,c", r#"{"a":["b","c"]}"#),
            ("a=b,c,d=e,f", r#"{"a":["b","c"],"d":["e","f"]}"#),
            ("a=", r#"{"a":""}"#),
            ("a=,b=", r#"{"a":"","b":""}"#),
            ("a=[b,c]", r#"{"a":["b","c"]}"#),
            ("a={b=c,d=[e,{f=g}]}", r#"{"a":{"b":"c","d":["e",{"f":"g"}]}}"#),
            ("a='b,c'", r#"{"a":"b,c"}"#),
            (r#"a="b\"c""#, r#"{"a":"b\"c"}"#),
            (r"a=b\,c", r#"{"a":"b,c"}"#),
            ("a=b=c", r#"{"a":"b=c"}"#),
            ("a = b , c = d", r#"{"a":"b","c":"d"}"#),
            ("a@=file://x,b=file://y", r#"{"a":"<x>","b":"file://y"}"#),
            ("a=arn:aws:ivs:us-east-1:1:stage/x", r#"{"a":"arn:aws:ivs:us-east-1:1:stage/x"}"#),
            ("a", "Expected: '=', received: 'EOF' for input:"),
            ("a=b,", "Expected: '<second>', received: '<none>' for input:"),
            ("a=[b", "Expected: ',', received: 'EOF' for input:"),
            ("a='b", "Expected: '<singled quoted>', received: '<none>' for input:"),
            ("a=b,a=c", "Second instance of key \"a\" encountered for input:"),
        ];
        for (text, expected) in cases {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_a_surprise(text in r#"([a-c=,\[\]{}@'"\\ ]|.){0,40}"#) {
            let _ = told(&text);
        }

        #[test]
        fn deep_nesting_ends(depth in 0_usize..10_000, open in r"[\[{]") {
            let _ = told(&format!("a={}", if open == "[" { open.repeat(depth) } else { "{a=".repeat(depth) }));
        }
    }
}
