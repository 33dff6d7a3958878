//! The URI of an integration: a template with path variables and stage variables.
//!
//! Pure. Which value a variable has is the caller's to say.

use std::borrow::Cow;
use std::collections::BTreeMap;

use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::fault::GatewayFault;

/// `http://${stageVariables.host}/pets/{id}?all=yes`, read once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UriTemplate(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// `{name}`
    Variable(String),
    /// `${stageVariables.name}`
    StageVariable(String),
}

const STAGE_VARIABLE: &str = "${stageVariables.";

impl UriTemplate {
    /// Any text is a template; what is not a variable stays as it is.
    pub(crate) fn parse(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(start) = rest.find(['$', '{']) {
            let (before, tail) = rest.split_at(start);
            literal.push_str(before);
            let Some((piece, after)) = variable(tail) else {
                literal.push_str(&tail[..1]);
                rest = &tail[1..];
                continue;
            };
            if !literal.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut literal)));
            }
            pieces.push(piece);
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        Self(pieces)
    }

    /// The whole text, if it has no variables.
    pub(crate) fn text(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The URI's text. A stage variable that is not defined is empty; a path variable without a value stays as it
    /// is written.
    pub(crate) fn fill<'v>(
        &self,
        stage_variables: &BTreeMap<String, String>,
        path: impl Fn(&str) -> Option<Cow<'v, str>>,
    ) -> String {
        let mut text = String::with_capacity(128);
        for piece in &self.0 {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::StageVariable(name) => {
                    text.push_str(stage_variables.get(name).map_or("", String::as_str));
                }
                Piece::Variable(name) => match path(name) {
                    Some(value) => text.push_str(&value),
                    None => {
                        text.push('{');
                        text.push_str(name);
                        text.push('}');
                    }
                },
            }
        }
        text
    }
}

/// The variable that a text begins with, and what follows it.
fn variable(text: &str) -> Option<(Piece, &str)> {
    if let Some(tail) = text.strip_prefix(STAGE_VARIABLE) {
        let (name, after) = tail.split_once('}')?;
        return Some((Piece::StageVariable(name.to_owned()), after));
    }
    let (name, after) = text.strip_prefix('{')?.split_once('}')?;
    let named = !name.is_empty() && !name.contains(['{', '/']);
    named.then(|| (Piece::Variable(name.to_owned()), after))
}

/// Adds parameters to the query of a URI's text: `query` is already encoded.
pub(crate) fn add_query(text: &mut String, query: &str) {
    if query.is_empty() {
        return;
    }
    match text.find('?') {
        None => text.push('?'),
        Some(at) if at + 1 == text.len() || text.ends_with('&') => {}
        Some(_) => text.push('&'),
    }
    text.push_str(query);
}

/// What REST APIs make of a semicolon in a query: the end of a parameter (rest-data C3).
pub(crate) fn split_at_semicolons(uri: &mut Uri) {
    if !uri.query().is_some_and(|query| query.contains(';')) {
        return;
    }
    let mut parts = uri.clone().into_parts();
    let split = format!("{}?{}", uri.path(), uri.query().unwrap_or_default().replace(';', "&"));
    parts.path_and_query = split.parse().ok();
    if let Ok(split) = Uri::from_parts(parts) {
        *uri = split;
    }
}

/// A backend's address from its text.
///
/// # Errors
/// A configuration error unless it is an absolute `http` or `https` URI with a host.
pub(crate) fn endpoint(mut text: String) -> Result<Uri, GatewayFault> {
    if let Some(fragment) = text.find('#') {
        text.truncate(fragment);
    }
    let invalid = || GatewayFault::Configuration("Invalid endpoint address".into());
    let uri = Uri::try_from(text).map_err(|_| invalid())?;
    let fine =
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty());
    if fine { Ok(uri) } else { Err(invalid()) }
}

/// What may stand in a path as it is: RFC 3986, section 3.3, and the slash.
const PATH: &AsciiSet = &UNRESERVED
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@')
    .remove(b'/');

/// RFC 3986, section 2.3.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A value that did not come from a path, for use in one.
pub(crate) fn encode_path(value: &str) -> Cow<'_, str> {
    utf8_percent_encode(value, PATH).into()
}

/// A name or value for use in a query.
pub(crate) fn encode_query(value: &str) -> Cow<'_, str> {
    utf8_percent_encode(value, UNRESERVED).into()
}

/// The parameters of a query, decoded, in order.
pub(crate) fn query_pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode_query(name), decode_query(value))
    })
}

fn decode_query(text: &str) -> Cow<'_, str> {
    if !text.contains(['+', '%']) {
        return Cow::Borrowed(text);
    }
    let spaced = text.replace('+', " ");
    Cow::Owned(percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(template: &str, expected: &str) {
        let variables = BTreeMap::from([("host".to_owned(), "127.0.0.1:80".to_owned())]);
        let path = |name: &str| (name == "id").then_some(Cow::Borrowed("a%20b/c"));
        assert_eq!(UriTemplate::parse(template).fill(&variables, path), expected, "{template}");
    }

    #[test]
    fn variables_are_filled_in() {
        check("http://h/p", "http://h/p");
        check("http://h/{id}", "http://h/a%20b/c");
        check("http://${stageVariables.host}/x/{id}/y?q={id}", "http://127.0.0.1:80/x/a%20b/c/y?q=a%20b/c");
        check("http://${stageVariables.none}/x", "http:///x");
        check("http://h/{other}/{id}", "http://h/{other}/a%20b/c");
        check("http://h/${x}/$", "http://h/${x}/$");
        check("{", "{");
        check("{}{id", "{}{id");
        check("é{id}ü", "éa%20b/cü");
        check("", "");
    }

    #[test]
    fn queries_are_joined() {
        for (base, query, expected) in
            [("u", "", "u"), ("u", "a=1", "u?a=1"), ("u?", "a=1", "u?a=1"), ("u?b", "a=1", "u?b&a=1")]
        {
            let mut text = base.to_owned();
            add_query(&mut text, query);
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn semicolons_end_parameters() {
        for (target, expected) in
            [("/a;b?c=1;d;e=%3B", "/a;b?c=1&d&e=%3B"), ("http://h/?;", "http://h/?&"), ("/a;b", "/a;b")]
        {
            let mut uri: Uri = target.parse().expect("a test's own target");
            split_at_semicolons(&mut uri);
            assert_eq!(uri.to_string(), expected);
        }
    }

    #[test]
    fn only_web_addresses_are_endpoints() {
        for fine in ["http://h", "https://h:8443/x?y", "http://[::1]:80/", "http://h/{x}", "http://h/x#y"] {
            assert!(endpoint(fine.to_owned()).is_ok(), "{fine}");
        }
        for wrong in
            ["", "h/x", "/x", "http:///x", "ftp://h/x", "http://h h/", "arn:aws:lambda:x", "http://:80/"]
        {
            assert!(endpoint(wrong.to_owned()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn queries_are_decoded_as_forms_are() {
        let pairs: Vec<String> =
            query_pairs("a=1+2&b=%2B&c&&d=x=y").map(|(name, value)| format!("{name}:{value}")).collect();
        assert_eq!(pairs, ["a:1 2", "b:+", "c:", "d:x=y"]);
        assert_eq!(encode_query("a b/ü+"), "a%20b%2F%C3%BC%2B");
        assert_eq!(encode_path("a b/ü+?"), "a%20b/%C3%BC+%3F");
    }
}
