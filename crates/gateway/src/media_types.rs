//! `binaryMediaTypes` of a REST API: which bodies are bytes and which are text. Pure.

use http::{HeaderMap, HeaderName};

/// The type of a message that does not say its own.
const DEFAULT_TYPE: &str = "application/json";

/// Types as `image/png`, `image/*` or `*/*`; lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MediaTypes(Vec<String>);

impl MediaTypes {
    pub(crate) fn new(types: &[String]) -> Self {
        Self(types.iter().map(|name| name.to_ascii_lowercase()).collect())
    }

    /// Whether the first type that the header names is one of these. Recorded: `*` stands for any subtype, but not for
    /// any type with a certain subtype.
    pub(crate) fn contain(&self, headers: &HeaderMap, name: HeaderName) -> bool {
        let text = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or(DEFAULT_TYPE);
        let first = text.split([',', ';']).next().unwrap_or_default().trim().to_ascii_lowercase();
        self.0.iter().any(|known| match known.strip_suffix("/*") {
            Some("*") => true,
            Some(family) => first.split_once('/').is_some_and(|(found, _)| found == family),
            None => *known == first,
        })
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header};

    use super::*;

    #[test]
    fn the_first_type_counts() {
        let check = |types: &[&str], sent: Option<&'static str>, expected: bool| {
            let types: Vec<String> = types.iter().map(|name| (*name).to_owned()).collect();
            let mut headers = HeaderMap::new();
            headers.extend(sent.map(|sent| (header::ACCEPT, HeaderValue::from_static(sent))));
            let found = MediaTypes::new(&types).contain(&headers, header::ACCEPT);
            assert_eq!(found, expected, "{types:?} {sent:?}");
        };
        check(&[], Some("image/png"), false);
        check(&["image/png"], Some("image/png"), true);
        check(&["image/png"], Some("IMAGE/png;q=1, text/html"), true);
        check(&["image/png"], Some("text/html, image/png"), false);
        check(&["image/*"], Some("image/png"), true);
        check(&["image/*"], Some("imagery/png"), false);
        check(&["*/png"], Some("image/png"), false);
        check(&["*/*"], Some("anything/else"), true);
        check(&["*/*"], None, true);
        check(&["application/json"], None, true);
        check(&["image/png"], None, false);
    }
}
