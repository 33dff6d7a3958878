//! What mapping expressions of HTTP APIs are worth. Their syntax is [`stagedoor_vtl::expression`]'s.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html>. Pure.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;

use http::HeaderMap;
use serde_json::Value;
use stagedoor_vtl::expression::{self, Piece, Reference};
pub(crate) use stagedoor_vtl::expression::{Invalid, Side};
use stagedoor_vtl::jsonpath::{Found, Path};

use crate::forwarded::Way;
use crate::uri;

/// How much of a body a JSON path sees, in bytes; what is longer is cut off there, and then is no JSON.
const BODY_BYTES_MAX: usize = 100 * 1024;

/// What a value of `requestParameters` or `responseParameters` says.
#[derive(Clone, Debug)]
pub(crate) struct Expression(Vec<Piece>);

/// What expressions read from.
pub(crate) struct Values<'a> {
    pub(crate) headers: &'a HeaderMap,
    /// How a request came, which headers that the client did not send tell; `None` of an answer.
    pub(crate) way: Option<Way<'a>>,
    pub(crate) query: &'a str,
    /// As sent, without the stage.
    pub(crate) path: &'a str,
    /// As sent.
    pub(crate) path_variables: &'a [(&'a str, &'a str)],
    /// Empty unless an expression [reads it](Expression::reads_body).
    pub(crate) body: &'a [u8],
    pub(crate) stage_variables: &'a BTreeMap<String, String>,
    pub(crate) context: &'a dyn Fn(&str) -> Option<String>,
    /// The body as JSON, once a path into it was asked for.
    pub(crate) json: OnceCell<Option<Value>>,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// As of [`expression::parse`].
    pub(crate) fn parse(text: &str, side: Side) -> Result<Self, Invalid> {
        expression::parse(text, side).map(Self)
    }

    /// Whether [`Values::body`] must be there.
    pub(crate) fn reads_body(&self) -> bool {
        self.references().any(|reference| matches!(reference, Reference::Body | Reference::BodyPath(_)))
    }

    fn references(&self) -> impl Iterator<Item = &Reference> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Reference(reference) => Some(reference),
            Piece::Text(_) => None,
        })
    }

    /// The value, decoded. `None` if the expression is a single reference that leads nowhere; among other text such a
    /// reference is empty.
    pub(crate) fn value<'v>(&'v self, values: &'v Values<'_>) -> Option<Cow<'v, str>> {
        self.joined(|reference| Some(decoded(reference, value_of(reference, values)?)))
    }

    /// The value as part of a path: what comes from the path stays as it was sent, everything else is encoded.
    pub(crate) fn path_value<'v>(&'v self, values: &'v Values<'_>) -> Option<Cow<'v, str>> {
        self.joined(|reference| {
            let value = value_of(reference, values)?;
            let raw = matches!(reference, Reference::Path | Reference::PathVariable(_));
            Some(if raw { value } else { uri::encode_path(&value).into_owned().into() })
        })
    }

    fn joined<'v>(&'v self, value: impl Fn(&'v Reference) -> Option<Cow<'v, str>>) -> Option<Cow<'v, str>> {
        match &*self.0 {
            [Piece::Text(text)] => Some(Cow::Borrowed(text)),
            [Piece::Reference(reference)] => value(reference),
            pieces => {
                let texts = pieces.iter().map(|piece| match piece {
                    Piece::Text(text) => Cow::Borrowed(text.as_str()),
                    Piece::Reference(reference) => value(reference).unwrap_or_default(),
                });
                Some(Cow::Owned(texts.collect()))
            }
        }
    }
}

fn value_of<'v>(reference: &'v Reference, values: &'v Values<'_>) -> Option<Cow<'v, str>> {
    match reference {
        Reference::Header(name) => match values.way.and_then(|way| way.header(name, values.headers)) {
            Some(added) => Some(String::from_utf8_lossy(added.as_bytes()).into_owned().into()),
            None => joined(
                values.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())),
            ),
        },
        Reference::Query(name) => {
            joined(uri::query_pairs(values.query).filter(|(known, _)| known == name).map(|(_, value)| value))
        }
        Reference::Path => Some(values.path.into()),
        Reference::PathVariable(name) => {
            let found = values.path_variables.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| Cow::Borrowed(*value))
        }
        Reference::Body => Some(String::from_utf8_lossy(values.body)),
        Reference::BodyPath(path) => values.at(path).map(Cow::Owned),
        Reference::Context(name) => (values.context)(name).map(Cow::Owned),
        Reference::StageVariable(name) => values.stage_variables.get(name).map(|value| value.as_str().into()),
    }
}

impl Values<'_> {
    fn at(&self, path: &Path) -> Option<String> {
        let json = self
            .json
            .get_or_init(|| serde_json::from_slice(&self.body[..self.body.len().min(BODY_BYTES_MAX)]).ok());
        match path.find(json.as_ref()?).ok()? {
            Found::One(Value::Null) | Found::Missing => None,
            Found::One(Value::String(text)) => Some(text.clone()),
            Found::One(value) => Some(value.to_string()),
            Found::Many(values) => serde_json::to_string(&values).ok(),
            Found::Count(count) => Some(count.to_string()),
            Found::Number(number) => Some(number.to_string()),
            Found::Keys(keys) => serde_json::to_string(&keys).ok(),
        }
    }
}

/// All values with commas between them; `None` if there are none.
fn joined<'v>(mut values: impl Iterator<Item = Cow<'v, str>>) -> Option<Cow<'v, str>> {
    let first = values.next()?;
    let mut all: Option<String> = None;
    for value in values {
        let all = all.get_or_insert_with(|| first.clone().into_owned());
        all.push(',');
        all.push_str(&value);
    }
    Some(all.map_or(first, Cow::Owned))
}

fn decoded<'v>(reference: &Reference, value: Cow<'v, str>) -> Cow<'v, str> {
    match reference {
        Reference::PathVariable(_) if value.contains('%') => {
            Cow::Owned(percent_encoding::percent_decode_str(&value).decode_utf8_lossy().into_owned())
        }
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    const BODY: &str =
        r#"{"name": "Ada", "age": 36, "pets": [{"kind": "cat"}, {"kind": "dog"}], "none": null}"#;

    fn with_values<T>(test: impl FnOnce(&Values<'_>) -> T) -> T {
        let mut headers = HeaderMap::new();
        for (name, value) in [("x-one", "1"), ("x-many", "a"), ("x-many", "b")] {
            headers.append(name, HeaderValue::from_static(value));
        }
        test(&Values {
            headers: &headers,
            way: None,
            query: "q=1&m=two+words&m=3",
            path: "/pets/a%20b",
            path_variables: &[("id", "a%20b")],
            body: BODY.as_bytes(),
            stage_variables: &BTreeMap::from([("tier".to_owned(), "gold".to_owned())]),
            context: &|name| (name == "requestId").then(|| "id=".to_owned()),
            json: OnceCell::new(),
        })
    }

    fn check(text: &str, expected: Option<&str>) {
        let expression = Expression::parse(text, Side::Request).expect("an expression");
        with_values(|values| assert_eq!(expression.value(values).as_deref(), expected, "{text}"));
    }

    #[test]
    fn references_have_their_values() {
        check("$request.header.X-One", Some("1"));
        check("$request.header.x-many", Some("a,b"));
        check("$request.header.x-none", None);
        check("$request.querystring.q", Some("1"));
        check("$request.querystring.m", Some("two words,3"));
        check("$request.querystring.Q", None);
        check("$request.path", Some("/pets/a%20b"));
        check("$request.path.id", Some("a b"));
        check("$request.path.other", None);
        check("$request.body", Some(BODY));
        check("$request.body.name", Some("Ada"));
        check("$request.body.age", Some("36"));
        check("$request.body.none", None);
        check("$request.body.pets[1].kind", Some("dog"));
        check("$request.body.pets[0]", Some(r#"{"kind":"cat"}"#));
        check("$request.body['name']", Some("Ada"));
        check("$context.requestId", Some("id="));
        check("$context.other", None);
        check("$stageVariables.tier", Some("gold"));
    }

    #[test]
    fn text_stays_text_and_braces_are_filled() {
        check("", Some(""));
        check("static", Some("static"));
        check("$5", Some("$5"));
        check("costs ${5}", Some("costs ${5}"));
        check("${request.path.id}", Some("a b"));
        check("/x/${request.path.id}/${context.requestId}!", Some("/x/a b/id=!"));
        check("<${request.header.x-none}>", Some("<>"));
        check(r#"{"tier": "${stageVariables.tier}"}"#, Some(r#"{"tier": "gold"}"#));
    }

    #[test]
    fn paths_keep_their_encoding() {
        with_values(|values| {
            let of = |text| {
                let expression = Expression::parse(text, Side::Request).expect("an expression");
                expression.path_value(values).map(Cow::into_owned)
            };
            assert_eq!(of("$request.path").as_deref(), Some("/pets/a%20b"));
            assert_eq!(
                of("/v/${request.path.id}/${request.querystring.m}").as_deref(),
                Some("/v/a%20b/two%20words,3")
            );
        });
    }

    #[test]
    fn a_path_sees_the_beginning_of_a_long_body_only() {
        let long = format!("{{\"name\": \"Ada\", \"rest\": \"{}\"}}", "x".repeat(BODY_BYTES_MAX));
        with_values(|values| {
            let values = Values { body: long.as_bytes(), json: OnceCell::new(), ..*values };
            let of = |text| {
                let expression = Expression::parse(text, Side::Request).expect("an expression");
                expression.value(&values).map(|value| value.len())
            };
            assert_eq!(of("$request.body.name"), None);
            assert_eq!(of("$request.body"), Some(long.len()));
        });
    }

    proptest! {
        /// Text without `$` means itself; any text is read or refused, without a panic.
        #[test]
        fn any_text_is_read_or_refused(
            plain in "[^$]{0,40}",
            wild in r"(\$|\$\{|\}|request|response|context|stageVariables|\.|header|body|path|\[|\]|\?|[a-z ]|é){0,14}",
        ) {
            let same = Expression::parse(&plain, Side::Request).expect("plain text");
            with_values(|values| assert_eq!(same.value(values).as_deref(), Some(plain.as_str())));
            for side in [Side::Request, Side::Response] {
                if let Ok(expression) = Expression::parse(&wild, side) {
                    with_values(|values| {
                        expression.value(values);
                        expression.path_value(values);
                    });
                }
            }
        }

        /// Braces are filled in wherever they stand.
        #[test]
        fn braces_are_found_anywhere(before in "[^$]{0,10}", after in "[^$]{0,10}") {
            let text = format!("{before}${{stageVariables.tier}}{after}");
            let expression = Expression::parse(&text, Side::Request).expect("an expression");
            let expected = format!("{before}gold{after}");
            with_values(|values| assert_eq!(expression.value(values).as_deref(), Some(expected.as_str())));
        }
    }
}
