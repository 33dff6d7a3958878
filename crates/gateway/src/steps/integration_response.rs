//! Chooses the integration response for a backend's or mock's answer, and makes status, headers and body from it.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode};
use stagedoor_vtl::Overrides;

use crate::answer_names::Spelt;
use crate::fault::GatewayFault;
use crate::headers;
use crate::integrations::http_proxy::Collected;
use crate::mapping::View;
use crate::rest::call::Call;
use crate::rest::payload::{Payload, Readable};
use crate::rest::plan::IntegrationResponse;
use crate::rest::sight::{self, Transformed};
use crate::template::{self, Template};

/// What goes back to the client, before headers are renamed.
pub(crate) struct Mapped {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// How the mappings wrote the names of the headers.
    pub(crate) spelt: Spelt,
    pub(crate) body: Bytes,
}

/// `told` is what patterns are matched with: the status code, or a function's error message. `overrides` is what the
/// request's template has set.
///
/// # Errors
/// A configuration error when no response matches or its template fails; 500 when a mapping needs JSON and gets none.
pub(crate) async fn map(
    responses: &[IntegrationResponse],
    answer: Collected,
    told: &str,
    call: &Call<'_>,
    overrides: Overrides,
) -> Result<Mapped, GatewayFault> {
    let response = select(responses, told, answer.status)?;
    let payload = Payload::of_answer(answer.body, &answer.headers, call, response.handling)?;
    let mut mapped = mapped_headers(response, &answer.headers, &payload, call)?;
    let (body, overrides) = transformed(response, payload, call, overrides).await?;
    let told = overrides.of_response();
    let mut spelt = response.spelt.clone();
    for (name, value) in told.header {
        spelt.note(&name);
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            headers::set(&mut mapped, name, &value);
        }
    }
    let status = told.status.and_then(|status| StatusCode::from_u16(status).ok());
    Ok(Mapped { status: status.unwrap_or(response.status), headers: mapped, spelt, body })
}

/// The body that the response's template makes, and the overrides as they are then.
async fn transformed(
    response: &IntegrationResponse,
    payload: Payload,
    call: &Call<'_>,
    overrides: Overrides,
) -> Result<(Bytes, Overrides), GatewayFault> {
    match template::for_response(&response.templates, &call.head.headers) {
        Some(Template::Literal(_) | Template::Velocity(_))
            if payload.is_binary && !payload.bytes.is_empty() =>
        {
            Err(GatewayFault::Configuration("Unable to transform response".into()))
        }
        Some(Template::Literal(text)) => Ok((text.clone(), overrides)),
        Some(Template::Velocity(velocity)) => {
            let made =
                sight::render(velocity, call, &payload.text(), &overrides, Transformed::Response).await?;
            Ok((made.text.into(), made.overrides))
        }
        Some(Template::Broken(fault)) => Err(fault.clone()),
        Some(Template::Pass) | None => Ok((payload.bytes, overrides)),
    }
}

/// The response whose pattern matches the text; else the one without a pattern.
fn select<'r>(
    responses: &'r [IntegrationResponse],
    told: &str,
    status: u16,
) -> Result<&'r IntegrationResponse, GatewayFault> {
    for response in responses {
        let Some(pattern) = &response.pattern else { continue };
        let costly = |_| GatewayFault::Configuration("Selection pattern takes too long".into());
        if pattern.is_match(told).map_err(costly)? {
            return Ok(response);
        }
    }
    responses.iter().find(|response| response.pattern.is_none()).ok_or_else(|| {
        GatewayFault::Configuration(
            format!(
                "No match for output mapping and no default output mapping configured. \
                 Endpoint Response Status Code: {status}"
            )
            .into(),
        )
    })
}

fn mapped_headers(
    response: &IntegrationResponse,
    answered: &HeaderMap,
    payload: &Payload,
    call: &Call<'_>,
) -> Result<HeaderMap, GatewayFault> {
    let mut mapped = HeaderMap::new();
    if response.headers.is_empty() {
        return Ok(mapped);
    }
    let sources = response.headers.iter().map(|(_, source)| source);
    let readable = Readable::new(payload, sources, || {
        GatewayFault::Configuration("Invalid JSON in response body".into())
    })?;
    let context = |name: &str| call.context(name);
    let view = View { body: readable.view(), ..call.view(answered, &context) };
    for (name, source) in &response.headers {
        let values = source.values(&view);
        if !values.is_empty() {
            headers::set(&mut mapped, name.clone(), &values.join(","));
        }
    }
    Ok(mapped)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use stagedoor_vtl::JavaRegex;

    use super::*;
    use crate::rest::payload::Handling;

    /// Responses as `status:pattern`; the expected is a status, or `none`.
    fn check(responses: &[&str], status: u16, expected: &str) {
        let responses: Vec<IntegrationResponse> = responses
            .iter()
            .map(|text| {
                let (status, pattern) = text.split_once(':').expect("a test's own response");
                IntegrationResponse {
                    status: status.parse().expect("a test's own status"),
                    pattern: (!pattern.is_empty())
                        .then(|| JavaRegex::whole(pattern).expect("a test's own pattern")),
                    handling: Handling::AsItIs,
                    headers: Vec::new(),
                    spelt: Spelt::default(),
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
        check(&["200:", "500:(?!2).*"], 404, "500");
        check(&["200:", "500:(?!2).*"], 204, "200");
        check(&[], 200, "none");
    }
}
