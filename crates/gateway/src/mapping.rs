//! Parameter mappings of REST integrations: `method.request.header.x`, `'literal'`, `stageVariables.x` and the like.
//!
//! Pure. A body's mapping sees the body as text and, if it is asked for by a JSON path, as the value that the caller
//! has read from it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName};
use serde_json::Value;
use stagedoor_vtl::jsonpath::{Found, Path};

use crate::forwarded::Way;
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
    /// The whole body.
    Body,
    BodyPath(BodyPath),
}

/// A JSON path into a body.
#[derive(Clone, Debug)]
pub(crate) struct BodyPath {
    text: String,
    path: Path,
}

impl PartialEq for BodyPath {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for BodyPath {}

/// Where a mapped value goes: `integration.request.{path|querystring|header}.name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Path(String),
    Query(String),
    Header(HeaderName),
}

/// The expression is no mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// What mappings read from: a message's head and what is known around it.
pub(crate) struct View<'a> {
    pub(crate) path: &'a [(&'a str, &'a str)],
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    /// How a request came, which headers that the client did not send tell; `None` of an answer.
    pub(crate) way: Option<Way<'a>>,
    pub(crate) stage_variables: &'a BTreeMap<String, String>,
    pub(crate) context: &'a dyn Fn(&str) -> Option<String>,
    pub(crate) body: BodyView<'a>,
}

/// A message's body as mappings see it.
#[derive(Clone, Copy, Default)]
pub(crate) struct BodyView<'a> {
    pub(crate) text: &'a str,
    /// `None` if the text is no list, object or string in JSON, or no mapping asks.
    pub(crate) json: Option<&'a Value>,
}

impl<'a> BodyView<'a> {
    fn at(self, path: &BodyPath) -> Option<Cow<'a, str>> {
        Some(match path.path.find(self.json?).ok()? {
            Found::Missing | Found::One(Value::Null) => return None,
            Found::One(Value::String(text)) => text.as_str().into(),
            Found::One(value) => value.to_string().into(),
            Found::Many(values) => serde_json::to_string(&values).ok()?.into(),
            Found::Count(count) => count.to_string().into(),
            Found::Number(number) => number.to_string().into(),
            Found::Keys(keys) => serde_json::to_string(&keys).ok()?.into(),
        })
    }
}

/// Whether one of these needs the body as JSON.
pub(crate) fn read_json<'s>(mut sources: impl Iterator<Item = &'s Source>) -> bool {
    sources.any(|source| matches!(source, Source::BodyPath(_)))
}

/// A body as JSON; `None` if it does not look like a list, an object or a string.
///
/// # Errors
/// It looks like one and is none.
pub(crate) fn body_json(text: &str) -> Result<Option<Value>, serde_json::Error> {
    if text.trim_start().starts_with(['{', '[', '"', '\'']) {
        serde_json::from_str(text).map(Some)
    } else {
        Ok(None)
    }
}

impl Source {
    /// An expression of `requestParameters`.
    pub(crate) fn of_request(text: &str) -> Result<Self, Malformed> {
        Self::parse(text, "method.request.")
    }

    /// An expression of `responseParameters`.
    pub(crate) fn of_response(text: &str) -> Result<Self, Malformed> {
        match Self::parse(text, "integration.response.")? {
            Self::Path(_) | Self::Query(_) | Self::MultiQuery(_) => Err(Malformed),
            readable => Ok(readable),
        }
    }

    fn parse(text: &str, message: &str) -> Result<Self, Malformed> {
        if let Some(literal) = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
            return Ok(Self::Literal(literal.to_owned()));
        }
        if let Some(name) = text.strip_prefix("stageVariables.") {
            return Ok(Self::StageVariable(name.to_owned()));
        }
        if let Some(name) = text.strip_prefix("context.") {
            return Ok(Self::Context(name.to_owned()));
        }
        let place = text.strip_prefix(message).ok_or(Malformed)?;
        if place == "body" {
            return Ok(Self::Body);
        }
        if let Some(path) = place.strip_prefix("body").filter(|path| path.starts_with(['.', '['])) {
            return body_path(path).map(Self::BodyPath);
        }
        let (kind, name) = place.split_once('.').ok_or(Malformed)?;
        match kind {
            "path" => Ok(Self::Path(name.to_owned())),
            "querystring" => Ok(Self::Query(name.to_owned())),
            "multivaluequerystring" => Ok(Self::MultiQuery(name.to_owned())),
            "header" => header(name).map(Self::Header),
            "multivalueheader" => header(name).map(Self::MultiHeader),
            _ => Err(Malformed),
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
            Self::Header(name) => one(header_values(view, name).pop()),
            Self::MultiHeader(name) => header_values(view, name),
            Self::Body => vec![view.body.text.into()],
            Self::BodyPath(path) => one(view.body.at(path)),
        };
        values.retain(|value| !value.is_empty());
        values
    }

    /// Whether it takes a body to know the values.
    pub(crate) fn reads_body(&self) -> bool {
        matches!(self, Self::Body | Self::BodyPath(_))
    }

    /// Whether values come percent-encoded already, as those of paths do.
    pub(crate) fn is_encoded(&self) -> bool {
        matches!(self, Self::Path(_))
    }
}

fn query_values<'v>(query: &'v str, name: &str) -> impl Iterator<Item = Cow<'v, str>> {
    uri::query_pairs(query).filter(move |(known, _)| known == name).map(|(_, value)| value)
}

fn header_values<'v>(view: &View<'v>, name: &HeaderName) -> Vec<Cow<'v, str>> {
    if let Some(added) = view.way.and_then(|way| way.header(name, view.headers)) {
        return vec![String::from_utf8_lossy(added.as_bytes()).into_owned().into()];
    }
    let values = view.headers.get_all(name).into_iter();
    values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect()
}

impl Target {
    /// A key of `requestParameters`.
    pub(crate) fn parse(text: &str) -> Result<Self, Malformed> {
        let place = text.strip_prefix("integration.request.").ok_or(Malformed)?;
        match place.split_once('.').ok_or(Malformed)? {
            ("path", name) => Ok(Self::Path(name.to_owned())),
            ("querystring", name) => Ok(Self::Query(name.to_owned())),
            ("header", name) => header(name).map(Self::Header),
            _ => Err(Malformed),
        }
    }
}

/// What keys of `responseParameters` begin with.
pub(crate) const RESPONSE_HEADER: &str = "method.response.header.";

/// A key of `responseParameters`: `method.response.header.name`.
pub(crate) fn response_header(text: &str) -> Result<HeaderName, Malformed> {
    header(text.strip_prefix(RESPONSE_HEADER).ok_or(Malformed)?)
}

/// `.user.name`, `[0].id`; what follows the word `body`.
fn body_path(text: &str) -> Result<BodyPath, Malformed> {
    let path = Path::parse(&format!("${text}")).map_err(|_| Malformed)?;
    Ok(BodyPath { text: text.to_owned(), path })
}

fn header(name: &str) -> Result<HeaderName, Malformed> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| Malformed)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde_json::json;

    use super::*;

    fn check(expression: &str, expected: &[&str]) {
        let mut headers = HeaderMap::new();
        for (name, value) in [("x-one", "1"), ("x-many", "a"), ("x-many", "b"), ("x-empty", "")] {
            headers.append(name, HeaderValue::from_static(value));
        }
        let json = json!({"user": {"name": "Ada"}, "list": [1, "b"], "none": null});
        let view = View {
            path: &[("id", "a%20b")],
            query: "q=1&q=two+words&empty=",
            headers: &headers,
            way: None,
            stage_variables: &BTreeMap::from([("host".to_owned(), "h".to_owned())]),
            context: &|name| (name == "identity.sourceIp").then(|| "127.0.0.1".to_owned()),
            body: BodyView { text: "the text", json: Some(&json) },
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
        check("method.request.body", &["the text"]);
        check("method.request.body.user.name", &["Ada"]);
        check("method.request.body.user", &[r#"{"name":"Ada"}"#]);
        check("method.request.body.list[0]", &["1"]);
        check("method.request.body.list", &[r#"[1,"b"]"#]);
        check("method.request.body.list[*]", &[r#"[1,"b"]"#]);
        check("method.request.body.none", &[]);
        check("method.request.body.other", &[]);
    }

    #[test]
    fn what_is_no_mapping_is_refused() {
        for text in [
            "literal",
            "method.request.header.a b",
            "method.request.cookie.x",
            "method.request.path",
            "method.request.body[",
            "integration.response.header.x",
        ] {
            assert_eq!(Source::of_request(text), Err(Malformed), "{text}");
        }
        assert_eq!(Source::of_response("integration.response.path.x"), Err(Malformed));
        assert!(Source::of_response("integration.response.body.x").is_ok());
        assert!(Target::parse("integration.request.path.id").is_ok());
        assert_eq!(Target::parse("method.request.path.id"), Err(Malformed));
        assert!(response_header("method.response.header.X-A").is_ok());
    }
}
