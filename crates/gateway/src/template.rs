//! Mapping templates: read once when a plan is made, and which of them serves a message.
//!
//! Pure. What a template sees of a request, and what becomes of its outcome, is `rest::sight`'s and the steps' to say.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, header};
use stagedoor_vtl as vtl;

use crate::fault::GatewayFault;

/// The type of a message that does not say its own.
const DEFAULT_TYPE: &str = "application/json";

/// The templates of a request or of one integration response, by media type.
pub(crate) type Templates = BTreeMap<String, Template>;

/// A template by what it takes to apply it.
#[derive(Debug)]
pub(crate) enum Template {
    /// An empty template: the body goes on as it came.
    Pass,
    /// The same text every time.
    Literal(Bytes),
    /// References or directives.
    Velocity(Arc<Velocity>),
    /// It is not Velocity: whatever needs it fails.
    Broken(GatewayFault),
}

/// A template with references or directives, and which of the dearer things it may ask for.
#[derive(Debug)]
pub(crate) struct Velocity {
    pub(crate) template: vtl::Template,
    pub(crate) context: Named,
    pub(crate) identity: Named,
    pub(crate) reads_params: bool,
}

impl Template {
    pub(crate) fn of(text: &str) -> Self {
        if text.is_empty() {
            return Self::Pass;
        }
        if !text.contains(['$', '#']) {
            return Self::Literal(Bytes::copy_from_slice(text.as_bytes()));
        }
        match vtl::Template::parse(text) {
            Ok(template) => Self::Velocity(Arc::new(Velocity {
                template,
                context: Named::of(text, "context"),
                identity: Named::of(text, "identity"),
                reads_params: may_name(text, "params"),
            })),
            Err(error) => Self::Broken(GatewayFault::Configuration(
                format!("Unable to parse the mapping template: {error}").into(),
            )),
        }
    }

    /// All templates of one message.
    pub(crate) fn all<'t>(texts: impl Iterator<Item = (&'t String, &'t str)>) -> Templates {
        texts.map(|(media_type, text)| (media_type.clone(), Self::of(text))).collect()
    }
}

/// Whether a rendering can ever get hold of something of this name: `#evaluate` may put names together.
fn may_name(text: &str, name: &str) -> bool {
    text.contains(name) || text.contains("evaluate")
}

/// Which members of something a rendering can get hold of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// These, perhaps none. Methods that it calls are among them.
    Only(Vec<String>),
    /// It may go through all of them, or put their names together.
    Any,
}

impl Named {
    /// By the template's text: all is well as long as the thing's name is nowhere without a member's.
    fn of(text: &str, thing: &str) -> Self {
        if text.contains("evaluate") {
            return Self::Any;
        }
        let mut names = Vec::new();
        for (at, _) in text.match_indices(thing) {
            let member = text[at + thing.len()..].strip_prefix('.').unwrap_or_default();
            let end = member.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
            let (name, after) = member.split_at(end.unwrap_or(member.len()));
            if name.is_empty() || after.starts_with('(') {
                return Self::Any;
            }
            names.push(name.to_owned());
        }
        Self::Only(names)
    }

    /// Whether a rendering can get hold of the member of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        match self {
            Self::Only(names) => names.iter().any(|known| known == name),
            Self::Any => true,
        }
    }

    /// Whether there is none that it can get hold of.
    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Self::Only(names) if names.is_empty())
    }
}

/// What becomes of a request for which no template is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Passthrough {
    #[default]
    WhenNoMatch,
    WhenNoTemplates,
    Never,
}

impl Passthrough {
    pub(crate) fn parse(text: Option<&str>) -> Self {
        match text {
            Some("WHEN_NO_TEMPLATES") => Self::WhenNoTemplates,
            Some("NEVER") => Self::Never,
            _ => Self::WhenNoMatch,
        }
    }
}

/// The outcome of choosing a request template.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Choice<'t, T> {
    Template(&'t T),
    /// The body goes on as it came.
    Pass,
    /// 415.
    Unsupported,
}

/// The request template for a message: by its `Content-Type`, else `$default`.
pub(crate) fn for_request<'t, T>(
    templates: &'t BTreeMap<String, T>,
    passthrough: Passthrough,
    headers: &HeaderMap,
) -> Choice<'t, T> {
    let chosen =
        templates.get(media_type(headers, &header::CONTENT_TYPE)).or_else(|| templates.get("$default"));
    match (chosen, passthrough) {
        (Some(template), _) => Choice::Template(template),
        (None, Passthrough::WhenNoMatch) => Choice::Pass,
        (None, Passthrough::WhenNoTemplates) if templates.is_empty() => Choice::Pass,
        (None, _) => Choice::Unsupported,
    }
}

/// The response template for a client: by the first type it accepts, else `application/json`, else any.
pub(crate) fn for_response<'t, T>(templates: &'t BTreeMap<String, T>, headers: &HeaderMap) -> Option<&'t T> {
    templates
        .get(media_type(headers, &header::ACCEPT))
        .or_else(|| templates.get(DEFAULT_TYPE))
        .or_else(|| templates.values().next())
}

/// The first media type of a header, without its parameters.
pub(crate) fn media_type<'h>(headers: &'h HeaderMap, name: &header::HeaderName) -> &'h str {
    let text = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or(DEFAULT_TYPE);
    text.split([',', ';']).next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if !value.is_empty() {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers
    }

    fn map(types: &[&'static str]) -> BTreeMap<String, &'static str> {
        types.iter().map(|name| ((*name).to_owned(), *name)).collect()
    }

    fn check_request(types: &[&'static str], passthrough: Passthrough, sent: &'static str, expected: &str) {
        let templates = map(types);
        let found = match for_request(&templates, passthrough, &headers(header::CONTENT_TYPE, sent)) {
            Choice::Template(name) => name,
            Choice::Pass => "pass",
            Choice::Unsupported => "415",
        };
        assert_eq!(found, expected, "{types:?} {passthrough:?} {sent}");
    }

    #[test]
    fn requests_choose_by_what_they_are() {
        use Passthrough::*;
        check_request(&["application/json"], WhenNoMatch, "", "application/json");
        check_request(
            &["application/json"],
            WhenNoMatch,
            "application/json; charset=utf-8",
            "application/json",
        );
        check_request(&["application/json"], WhenNoMatch, "text/xml", "pass");
        check_request(&["application/json", "$default"], Never, "text/xml", "$default");
        check_request(&["application/json"], WhenNoTemplates, "text/xml", "415");
        check_request(&[], WhenNoTemplates, "text/xml", "pass");
        check_request(&[], Never, "text/xml", "415");
    }

    #[test]
    fn members_are_known_where_each_is_named() {
        let check = |text: &str, expected: Option<&[&str]>| {
            let only = |names: &[&str]| Named::Only(names.iter().map(|name| (*name).to_owned()).collect());
            assert_eq!(Named::of(text, "context"), expected.map_or(Named::Any, only), "{text}");
        };
        check("{}", Some(&[]));
        check("$context.stage ${context.identity.user}$!context.path.", Some(&["stage", "identity", "path"]));
        check("#set($context.requestOverride.header.x = 'y')", Some(&["requestOverride"]));
        check("#foreach($name in $context.keySet())", None);
        check("#set($c = $context)$c.stage", None);
        check("$context['stage']", None);
        check("$context.stage $context", None);
        check("#evaluate('$con' + 'text.stage')", None);
    }

    #[test]
    fn answers_choose_by_what_is_accepted() {
        let check = |types: &[&'static str], accept: &'static str, expected: Option<&'static str>| {
            let templates = map(types);
            assert_eq!(
                for_response(&templates, &headers(header::ACCEPT, accept)).copied(),
                expected,
                "{accept}"
            );
        };
        check(&["application/json", "text/html"], "text/html, */*", Some("text/html"));
        check(&["application/json", "text/html"], "image/png", Some("application/json"));
        check(&["text/html", "text/xml"], "image/png", Some("text/html"));
        check(&[], "text/html", None);
    }
}
