//! Chooses the integration response for a backend's or mock's answer, and makes status, headers and body from it.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::fault::GatewayFault;
use crate::integrations::http_proxy::Collected;
use crate::rest::call::Call;
use crate::rest::compile::DIRECTIVES;
use crate::rest::plan::IntegrationResponse;
use crate::template::{self, Template};
use crate::{headers, mapping};

/// What goes back to the client, before headers are renamed.
pub(crate) struct Mapped {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// `told` is what patterns are matched with: the status code, or a function's error message.
///
/// # Errors
/// A configuration error when no response matches.
pub(crate) fn map(
    responses: &[IntegrationResponse],
    answer: Collected,
    told: &str,
    call: &Call<'_>,
) -> Result<Mapped, GatewayFault> {
    let response = select(responses, told, answer.status)?;
    let body = match template::for_response(&response.templates, &call.head.headers) {
        Some(Template::Literal(text)) => Bytes::from(text.clone()),
        Some(Template::Directives) => return Err(DIRECTIVES),
        Some(Template::Pass) | None => answer.body,
    };
    Ok(Mapped { status: response.status, headers: mapped_headers(response, &answer.headers, call), body })
}

/// The response whose pattern matches the text; else the one without a pattern.
fn select<'r>(
    responses: &'r [IntegrationResponse],
    told: &str,
    status: u16,
) -> Result<&'r IntegrationResponse, GatewayFault> {
    let matches = |response: &&IntegrationResponse| {
        response.pattern.as_ref().is_some_and(|pattern| pattern.is_match(told))
    };
    let default = || responses.iter().find(|response| response.pattern.is_none());
    responses.iter().find(matches).or_else(default).ok_or_else(|| {
        GatewayFault::Configuration(
            format!(
                "No match for output mapping and no default output mapping configured. \
                 Endpoint Response Status Code: {status}"
            )
            .into(),
        )
    })
}

fn mapped_headers(response: &IntegrationResponse, answered: &HeaderMap, call: &Call<'_>) -> HeaderMap {
    let context = |name: &str| call.context(name);
    let view: mapping::View<'_> = call.view(answered, &context);
    let mut mapped = HeaderMap::new();
    for (name, source) in &response.headers {
        let values = source.values(&view);
        if !values.is_empty() {
            headers::set(&mut mapped, name.clone(), &values.join(","));
        }
    }
    mapped
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use regex::Regex;

    use super::*;

    /// Responses as `status:pattern`; the expected is a status, or `none`.
    fn check(responses: &[&str], status: u16, expected: &str) {
        let responses: Vec<IntegrationResponse> = responses
            .iter()
            .map(|text| {
                let (status, pattern) = text.split_once(':').expect("a test's own response");
                IntegrationResponse {
                    status: status.parse().expect("a test's own status"),
                    pattern: (!pattern.is_empty())
                        .then(|| Regex::new(&format!("^(?:{pattern})$")).expect("a test's own pattern")),
                    headers: Vec::new(),
                    templates: BTreeMap::new(),
                }
            })
            .collect();
        let found = select(&responses, &status.to_string(), status)
            .map(|response| response.status.as_str().to_owned());
        assert_eq!(found.unwrap_or_else(|_| "none".to_owned()), expected, "{status}");
    }

    #[test]
    fn responses_are_selected_by_pattern_then_default() {
        check(&["200:"], 400, "200");
        check(&["200:", "400:4\\d{2}"], 404, "400");
        check(&["200:", "400:4\\d{2}"], 500, "200");
        check(&["200:2\\d{2}", "400:4\\d{2}"], 500, "none");
        check(&["200:20"], 200, "none");
        check(&["200:200|404"], 404, "200");
        check(&[], 200, "none");
    }
}
