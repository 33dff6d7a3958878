//! Mapping templates: which of them serves a message, and the text of those that have no directives.
//!
//! Pure. Templates with directives (Velocity) are recognised, so that their methods refuse to answer, not evaluated.

use std::collections::BTreeMap;

use http::{HeaderMap, header};

/// The type of a message that does not say its own.
const DEFAULT_TYPE: &str = "application/json";

/// A template by what it takes to apply it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Template {
    /// An empty template: the body goes on as it came.
    Pass,
    /// The same text every time.
    Literal(String),
    /// References or directives.
    Directives,
}

impl Template {
    pub(crate) fn of(text: &str) -> Self {
        if text.is_empty() {
            return Self::Pass;
        }
        if text.contains(['$', '#']) { Self::Directives } else { Self::Literal(text.to_owned()) }
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
fn media_type<'h>(headers: &'h HeaderMap, name: &header::HeaderName) -> &'h str {
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
