//! Parameter mappings of REST integrations: `method.request.header.x`, `'literal'`, `stageVariables.x` and the like.
//!
//! Pure. JSON paths into bodies are not read here; such mappings are refused when a plan is made.

use std::borrow::Cow;
use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName};

use crate::uri;

/// Where a mapped value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Literal(String),
    StageVariable(String),
    Context(String),
    Path(String),
    Query(String),
    MultiQuery(String),
    Header(HeaderName),
    MultiHeader(HeaderName),
}

/// Where a mapped value goes: `integration.request.{path|querystring|header}.name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Path(String),
    Query(String),
    Header(HeaderName),
}

/// Why an expression is no mapping that can be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It maps a body, which takes JSON paths.
    Body,
    Malformed,
}

/// What mappings read from: a message's head and what is known around it.
pub(crate) struct View<'a> {
    pub(crate) path: &'a [(&'a str, &'a str)],
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) stage_variables: &'a BTreeMap<String, String>,
    pub(crate) context: &'a dyn Fn(&str) -> Option<String>,
}

impl Source {
    /// An expression of `requestParameters`.
    pub(crate) fn of_request(text: &str) -> Result<Self, Unreadable> {
        Self::parse(text, "method.request.")
    }

    /// An expression of `responseParameters`.
    pub(crate) fn of_response(text: &str) -> Result<Self, Unreadable> {
        match Self::parse(text, "integration.response.")? {
            Self::Path(_) | Self::Query(_) | Self::MultiQuery(_) => Err(Unreadable::Malformed),
            readable => Ok(readable),
        }
    }

    fn parse(text: &str, message: &str) -> Result<Self, Unreadable> {
        if let Some(literal) = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
            return Ok(Self::Literal(literal.to_owned()));
        }
        if let Some(name) = text.strip_prefix("stageVariables.") {
            return Ok(Self::StageVariable(name.to_owned()));
        }
        if let Some(name) = text.strip_prefix("context.") {
            return Ok(Self::Context(name.to_owned()));
        }
        let place = text.strip_prefix(message).ok_or(Unreadable::Malformed)?;
        if place == "body" || place.starts_with("body.") || place.starts_with("body[") {
            return Err(Unreadable::Body);
        }
        let (kind, name) = place.split_once('.').ok_or(Unreadable::Malformed)?;
        match kind {
            "path" => Ok(Self::Path(name.to_owned())),
            "querystring" => Ok(Self::Query(name.to_owned())),
            "multivaluequerystring" => Ok(Self::MultiQuery(name.to_owned())),
            "header" => header(name).map(Self::Header),
            "multivalueheader" => header(name).map(Self::MultiHeader),
            _ => Err(Unreadable::Malformed),
        }
    }

    /// The values, decoded. None is missing or empty; most sources have one at most, the last.
    pub(crate) fn values<'v>(&'v self, view: &View<'v>) -> Vec<Cow<'v, str>> {
        let one = |value: Option<Cow<'v, str>>| value.into_iter().collect::<Vec<_>>();
        let mut values = match self {
            Self::Literal(text) => vec![Cow::Borrowed(text.as_str())],
            Self::StageVariable(name) => {
                one(view.stage_variables.get(name).map(|value| value.as_str().into()))
            }
            Self::Context(name) => one((view.context)(name).map(Cow::Owned)),
            Self::Path(name) => {
                one(view.path.iter().find(|(known, _)| known == name).map(|(_, raw)| (*raw).into()))
            }
            Self::Query(name) => one(query_values(view.query, name).last()),
            Self::MultiQuery(name) => query_values(view.query, name).collect(),
            Self::Header(name) => one(header_values(view.headers, name).last()),
            Self::MultiHeader(name) => header_values(view.headers, name).collect(),
        };
        values.retain(|value| !value.is_empty());
        values
    }

    /// Whether values come percent-encoded already, as those of paths do.
    pub(crate) fn is_encoded(&self) -> bool {
        matches!(self, Self::Path(_))
    }
}

fn query_values<'v>(query: &'v str, name: &str) -> impl Iterator<Item = Cow<'v, str>> {
    uri::query_pairs(query).filter(move |(known, _)| known == name).map(|(_, value)| value)
}

fn header_values<'v>(headers: &'v HeaderMap, name: &HeaderName) -> impl Iterator<Item = Cow<'v, str>> {
    headers.get_all(name).into_iter().map(|value| String::from_utf8_lossy(value.as_bytes()))
}

impl Target {
    /// A key of `requestParameters`.
    pub(crate) fn parse(text: &str) -> Result<Self, Unreadable> {
        let place = text.strip_prefix("integration.request.").ok_or(Unreadable::Malformed)?;
        match place.split_once('.').ok_or(Unreadable::Malformed)? {
            ("path", name) => Ok(Self::Path(name.to_owned())),
            ("querystring", name) => Ok(Self::Query(name.to_owned())),
            ("header", name) => header(name).map(Self::Header),
            _ => Err(Unreadable::Malformed),
        }
    }
}

/// A key of `responseParameters`: `method.response.header.name`.
pub(crate) fn response_header(text: &str) -> Result<HeaderName, Unreadable> {
    header(text.strip_prefix("method.response.header.").ok_or(Unreadable::Malformed)?)
}

fn header(name: &str) -> Result<HeaderName, Unreadable> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| Unreadable::Malformed)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn check(expression: &str, expected: &[&str]) {
        let mut headers = HeaderMap::new();
        for (name, value) in [("x-one", "1"), ("x-many", "a"), ("x-many", "b"), ("x-empty", "")] {
            headers.append(name, HeaderValue::from_static(value));
        }
        let view = View {
            path: &[("id", "a%20b")],
            query: "q=1&q=two+words&empty=",
            headers: &headers,
            stage_variables: &BTreeMap::from([("host".to_owned(), "h".to_owned())]),
            context: &|name| (name == "identity.sourceIp").then(|| "127.0.0.1".to_owned()),
        };
        let source = Source::of_request(expression).expect("a readable expression");
        assert_eq!(source.values(&view), expected, "{expression}");
    }

    #[test]
    fn sources_have_their_values() {
        check("'literal text'", &["literal text"]);
        check("''", &[]);
        check("stageVariables.host", &["h"]);
        check("stageVariables.none", &[]);
        check("context.identity.sourceIp", &["127.0.0.1"]);
        check("context.none", &[]);
        check("method.request.path.id", &["a%20b"]);
        check("method.request.path.none", &[]);
        check("method.request.querystring.q", &["two words"]);
        check("method.request.multivaluequerystring.q", &["1", "two words"]);
        check("method.request.querystring.empty", &[]);
        check("method.request.header.X-One", &["1"]);
        check("method.request.header.x-many", &["b"]);
        check("method.request.multivalueheader.x-many", &["a", "b"]);
        check("method.request.header.x-empty", &[]);
    }

    #[test]
    fn what_is_no_mapping_is_refused() {
        for (text, why) in [
            ("method.request.body", Unreadable::Body),
            ("method.request.body.user.name", Unreadable::Body),
            ("literal", Unreadable::Malformed),
            ("method.request.header.a b", Unreadable::Malformed),
            ("method.request.cookie.x", Unreadable::Malformed),
            ("method.request.path", Unreadable::Malformed),
            ("integration.response.header.x", Unreadable::Malformed),
        ] {
            assert_eq!(Source::of_request(text), Err(why), "{text}");
        }
        assert_eq!(Source::of_response("integration.response.path.x"), Err(Unreadable::Malformed));
        assert_eq!(Source::of_response("integration.response.body.x"), Err(Unreadable::Body));
        assert!(Target::parse("integration.request.path.id").is_ok());
        assert_eq!(Target::parse("method.request.path.id"), Err(Unreadable::Malformed));
        assert!(response_header("method.response.header.X-A").is_ok());
    }
}
