//! Where a request says who sends it: the identity sources of authorizers. Pure.

use std::borrow::Cow;
use std::collections::BTreeMap;

use http::HeaderName;
use http::request::Parts;

use crate::uri;

/// One identity source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Header(HeaderName),
    Query(String),
    Context(String),
    StageVariable(String),
}

impl Source {
    /// `method.request.header.Authorization`, `$request.querystring.token`, `context.httpMethod`,
    /// `$stageVariables.name`; `None` if it is none of these.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix('$').unwrap_or(text);
        if let Some(name) = text.strip_prefix("context.") {
            return Some(Self::Context(name.to_owned()));
        }
        if let Some(name) = text.strip_prefix("stageVariables.") {
            return Some(Self::StageVariable(name.to_owned()));
        }
        let place = text.strip_prefix("method.request.").or_else(|| text.strip_prefix("request."))?;
        match place.split_once('.')? {
            ("header", name) => HeaderName::from_bytes(name.as_bytes()).ok().map(Self::Header),
            ("querystring", name) => Some(Self::Query(name.to_owned())),
            _ => None,
        }
    }

    /// All of a REST API's list, which is one text.
    pub(crate) fn parse_list(text: &str) -> Option<Vec<Self>> {
        text.split(',').filter(|source| !source.trim().is_empty()).map(Self::parse).collect()
    }

    /// The value; `None` if it is missing or empty. Several headers of one name are one value, joined by commas.
    pub(crate) fn value<'r>(
        &self,
        head: &'r Parts,
        variables: &'r BTreeMap<String, String>,
        context: impl Fn(&str) -> Option<String>,
    ) -> Option<Cow<'r, str>> {
        let value = match self {
            Self::Header(name) => header(head, name)?,
            Self::Query(name) => {
                let query = head.uri.query().unwrap_or_default();
                uri::query_pairs(query).filter(|(known, _)| known == name).last()?.1
            }
            Self::Context(name) => context(name)?.into(),
            Self::StageVariable(name) => variables.get(name)?.into(),
        };
        (!value.trim().is_empty()).then_some(value)
    }
}

fn header<'r>(head: &'r Parts, name: &HeaderName) -> Option<Cow<'r, str>> {
    let mut values = head.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let first = values.next()?;
    let rest: Vec<_> = values.collect();
    if rest.is_empty() { Some(first) } else { Some(format!("{first},{}", rest.join(",")).into()) }
}

/// Identities as one text, of which no other identities can make the same: each with its length before it.
pub(crate) fn key<'i>(authorizer: &str, identities: impl Iterator<Item = &'i str>) -> String {
    let mut key = authorizer.to_owned();
    for identity in identities {
        key.push_str(&format!(" {}:{identity}", identity.len()));
    }
    key
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(source: &str, head: &Parts) -> Option<String> {
        let variables = BTreeMap::from([("v".to_owned(), "var".to_owned())]);
        let context = |name: &str| (name == "stage").then(|| "dev".to_owned());
        let source = Source::parse(source)?;
        source.value(head, &variables, context).map(Cow::into_owned)
    }

    #[test]
    fn sources_are_read() {
        let request =
            http::Request::builder().uri("/x?a=1&a=2%2B&e=").header("X-One", "1").header("x-two", "1");
        let request = request.header("x-two", "2").header("blank", " ").body(()).expect("a request");
        let head = request.into_parts().0;
        for (source, expected) in [
            ("method.request.header.x-oNe", Some("1")),
            ("$request.header.X-Two", Some("1,2")),
            ("method.request.header.blank", None),
            ("method.request.header.none", None),
            ("method.request.querystring.a", Some("2+")),
            ("$request.querystring.e", None),
            ("context.stage", Some("dev")),
            ("$context.none", None),
            ("stageVariables.v", Some("var")),
            ("$stageVariables.w", None),
            ("method.request.path.id", None),
            ("nonsense", None),
        ] {
            assert_eq!(value(source, &head).as_deref(), expected, "{source}");
        }
        assert_eq!(Source::parse_list("method.request.header.a, context.b,").map(|list| list.len()), Some(2));
    }

    proptest! {
        #[test]
        fn keys_tell_identities_apart(
            a in prop::collection::vec("[ :0-9a]{0,4}", 0..4),
            b in prop::collection::vec("[ :0-9a]{0,4}", 0..4),
        ) {
            let of = |list: &Vec<String>| key("id", list.iter().map(String::as_str));
            prop_assert_eq!(of(&a) == of(&b), a == b);
        }
    }
}
