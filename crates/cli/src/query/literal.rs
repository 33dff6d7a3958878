//! Literals without quotes: `` stages[?name==`meeting`] ``. JMESPath wants JSON between the backticks; the library of
//! the AWS CLI takes anything else there for a string, and half of the queries that people share are written so.

use std::borrow::Cow;

/// The expression with quotes around the literals that are no JSON and would be a string with them.
pub fn quote_bare(expression: &str) -> Cow<'_, str> {
    let mut quoted = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = expression[at..].find(['`', '\'', '"']) {
        let start = at + found;
        let delimiter = expression.as_bytes()[start];
        let Some(end) = end_of(expression, start + 1, delimiter) else { break };
        if delimiter == b'`'
            && let Some(string) = as_string(&expression[start + 1..end])
        {
            quoted.push_str(&expression[copied..=start]);
            quoted.push_str(&string);
            copied = end;
        }
        at = end + 1;
    }
    if copied == 0 { Cow::Borrowed(expression) } else { Cow::Owned(quoted + &expression[copied..]) }
}

/// Where what begins before `start` ends. A backslash takes the next character's meaning away.
fn end_of(expression: &str, start: usize, delimiter: u8) -> Option<usize> {
    let mut escaped = false;
    expression.bytes().enumerate().skip(start).find_map(|(at, byte)| {
        let ends = byte == delimiter && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends.then_some(at)
    })
}

/// A literal's text in quotes, if it is no JSON without them and is with them.
fn as_string(literal: &str) -> Option<String> {
    let is_json = |text: &str| serde_json::from_str::<serde_json::Value>(&text.replace("\\`", "`")).is_ok();
    let string = format!("\"{}\"", literal.trim_start());
    (!is_json(literal) && is_json(&string)).then_some(string)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bare_words_get_quotes_and_nothing_else_does() {
        for (expression, expected) in [
            ("stages[?name==`meeting`].name", "stages[?name==`\"meeting\"`].name"),
            ("[?a==`two words` || b==` x`]", "[?a==`\"two words\"` || b==`\"x\"`]"),
            (r"`a\`b`", r#"`"a\`b"`"#),
            ("``", "`\"\"`"),
            ("`1`", "`1`"),
            ("`\"quoted\"`", "`\"quoted\"`"),
            ("`[1, 2`", "`\"[1, 2\"`"),
            ("`say \"x\"`", "`say \"x\"`"),
            ("'`raw`'", "'`raw`'"),
            (r"'it\'s `raw`'", r"'it\'s `raw`'"),
            ("\"`name`\"", "\"`name`\""),
            ("`open", "`open"),
        ] {
            assert_eq!(quote_bare(expression), expected, "{expression}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken_and_settled_in_one_pass(text in "[`'\"\\\\a1 é\\[\\]{}:,]{0,40}") {
            let once = quote_bare(&text).into_owned();
            prop_assert_eq!(quote_bare(&once), once.as_str());
        }
    }
}
