//! The format of an access log: text with `$context` variables, read once when a plan is made. Pure.
//!
//! CLF, JSON, XML and CSV are all just texts.

/// A format.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Format {
    parts: Vec<Part>,
    /// Names of the variables, in the order in which they stand there.
    names: Vec<String>,
    /// The text is a JSON object: what stands between its quotes must not end them.
    is_json: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// Index of a name.
    Variable(usize),
}

/// What became of a variable.
pub(crate) enum Told {
    /// Its value is appended; nothing if it has none.
    Now,
    /// The same of a value without any letter that could be taken for something else.
    Plain,
    /// Its value will be put in its place.
    Later,
}

/// What stands for a variable without a value.
const UNSET: &str = "-";
/// Already quoted as JSON by definition.
const QUOTED: &str = "error.messageString";

impl Format {
    pub(crate) fn parse(text: &str) -> Self {
        let (mut parts, mut names) = (Vec::new(), Vec::new());
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            plain.push_str(&rest[..at]);
            rest = &rest[at..];
            match variable(rest) {
                Some((name, after)) => {
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    parts.push(Part::Variable(names.len()));
                    names.push(name.to_owned());
                    rest = after;
                }
                None => {
                    plain.push('$');
                    rest = &rest[1..];
                }
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Self { parts, names, is_json: text.trim_start().starts_with('{') }
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The line, without an end of line; `write` appends the value of each name, by its index too.
    pub(crate) fn line(&self, mut write: impl FnMut(&mut String, usize, &str) -> Told) -> String {
        let mut line = String::with_capacity(256);
        for part in &self.parts {
            match part {
                Part::Text(text) => line.push_str(text),
                Part::Variable(index) => {
                    let name = &self.names[*index];
                    let from = line.len();
                    match write(&mut line, *index, name) {
                        Told::Later => {}
                        Told::Now | Told::Plain if line.len() == from => line.push_str(UNSET),
                        Told::Plain => {}
                        Told::Now => self.make_safe(&mut line, from, name == QUOTED),
                    }
                }
            }
        }
        line
    }

    /// A value has no way to begin another line, nor, in JSON, to leave its quotes.
    fn make_safe(&self, line: &mut String, from: usize, is_quoted: bool) {
        // Most values have nothing that could: no letter but these is changed below.
        let is_safe = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        if line.as_bytes()[from..].iter().all(is_safe) {
            return;
        }
        let value = line.split_off(from);
        for letter in value.chars() {
            match letter {
                '"' | '\\' if self.is_json && !is_quoted => line.extend(['\\', letter]),
                '\n' => line.push_str("\\n"),
                '\r' => line.push_str("\\r"),
                '\t' => line.push_str("\\t"),
                letter if letter.is_control() => {
                    use std::fmt::Write as _;
                    let _ = write!(line, "\\u{:04x}", u32::from(letter));
                }
                letter => line.push(letter),
            }
        }
    }
}

/// The variable that a text begins with, `$context.x` or `${context.x}`, without `$context.`, and what follows it.
fn variable(text: &str) -> Option<(&str, &str)> {
    if let Some(rest) = text.strip_prefix("${context.") {
        let (name, after) = rest.split_once('}')?;
        return (!name.is_empty()).then_some((name, after));
    }
    let rest = text.strip_prefix("$context.")?;
    let mut end = 0;
    for (at, byte) in rest.bytes().enumerate() {
        // Claims and what authorizers say have names of their own making.
        let own = rest.starts_with("authorizer.") && matches!(byte, b'-' | b'_' | b':');
        if byte.is_ascii_alphanumeric() {
            end = at + 1;
        } else if byte != b'.' && !own {
            break;
        }
    }
    (end > 0).then(|| rest.split_at(end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(format: &str) -> String {
        let value = |name: &str| match name {
            "status" => Some("200"),
            "identity.userAgent" => Some("a \"b\"\nc"),
            "authorizer.claims.cognito:groups" => Some("[x y]"),
            "error.messageString" => Some("\"Forbidden\""),
            _ => None,
        };
        Format::parse(format).line(|line, _, name| {
            line.push_str(value(name).unwrap_or_default());
            Told::Now
        })
    }

    #[test]
    fn variables_are_replaced() {
        for (format, expected) in [
            ("$context.status $context.identity.caller [x]", "200 - [x]"),
            ("$context.status.", "200."),
            ("$context.status-$context.status", "200-200"),
            ("<s>${context.status}</s>", "<s>200</s>"),
            ("$context.authorizer.claims.cognito:groups:", "[x y]:"),
            ("$5 $context $context. $$context.status", "$5 $context $context. $200"),
            ("$context.identity.userAgent", "a \"b\"\\nc"),
            (r#"{"a":"$context.identity.userAgent"}"#, r#"{"a":"a \"b\"\nc"}"#),
            (r#"{"m":$context.error.messageString}"#, r#"{"m":"Forbidden"}"#),
            ("", ""),
        ] {
            assert_eq!(told(format), expected, "{format}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_format(text in ".{0,80}") {
            let format = Format::parse(&text);
            let line = format.line(|line, _, name| {
                line.push_str(name);
                Told::Now
            });
            if format.names().is_empty() {
                prop_assert_eq!(line, text);
            }
        }

        #[test]
        fn json_stays_json_and_one_line(value in any::<String>()) {
            let line = Format::parse(r#"{"a":"$context.x"}"#).line(|line, _, _| {
                line.push_str(&value);
                Told::Now
            });
            prop_assert!(!line.contains('\n'));
            prop_assert!(serde_json::from_str::<serde_json::Value>(&line).is_ok(), "{}", line);
        }
    }
}
