//! Cross-origin requests to HTTP APIs that have a `corsConfiguration`.
//!
//! Developer guide, "Configure CORS for HTTP APIs". Of REST APIs CORS is an ordinary `OPTIONS` method.

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method as Verb, Response, StatusCode, header};

use super::route::Routed;
use crate::body::{self, Body};
use crate::fault::GatewayFault;
use crate::http_api::plan::{Cors, Deployed, Route};

/// The gateway's own answer to a preflight request, unless a route with authorization matches: that one decides.
pub(crate) fn preflight(
    deployed: &Deployed,
    head: &Parts,
    routed: &Result<Routed<'_, Route>, GatewayFault>,
) -> Option<Response<Body>> {
    let cors = deployed.cors.as_ref()?;
    let origin = head.headers.get(header::ORIGIN)?;
    let is_preflight =
        head.method == Verb::OPTIONS && head.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let is_guarded = routed.as_ref().is_ok_and(|routed| !routed.route.guard.is_open());
    if !is_preflight || is_guarded {
        return None;
    }
    let mut response = Response::new(body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    if allow(cors, origin, headers) {
        add(headers, header::ACCESS_CONTROL_ALLOW_METHODS, cors.methods.as_ref());
        add(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, cors.headers.as_ref());
        add(headers, header::ACCESS_CONTROL_MAX_AGE, cors.max_age.as_ref());
    }
    Some(response)
}

/// An integration's answer with the configured headers; what the backend says of CORS is ignored.
pub(crate) fn actual(deployed: &Deployed, head: &Parts, mut response: Response<Body>) -> Response<Body> {
    let Some(cors) = &deployed.cors else { return response };
    let headers = response.headers_mut();
    let backends: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with("access-control-")).cloned().collect();
    for name in backends {
        headers.remove(name);
    }
    if let Some(origin) = head.headers.get(header::ORIGIN)
        && allow(cors, origin, headers)
    {
        add(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, cors.exposed.as_ref());
    }
    response
}

/// Adds what lets this origin read the answer; false if it may not.
fn allow(cors: &Cors, origin: &HeaderValue, headers: &mut HeaderMap) -> bool {
    let Some(allowed) = allowed_origin(&cors.origins, origin) else { return false };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    if cors.credentials {
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    true
}

/// `*` where any origin may, else the origin itself.
fn allowed_origin(origins: &[String], origin: &HeaderValue) -> Option<HeaderValue> {
    if origins.iter().any(|allowed| allowed == "*") {
        return Some(HeaderValue::from_static("*"));
    }
    let text = origin.to_str().ok()?;
    let matches = |allowed: &String| match allowed.strip_suffix('*') {
        Some(scheme) => text.starts_with(scheme),
        None => allowed.eq_ignore_ascii_case(text),
    };
    origins.iter().any(matches).then(|| origin.clone())
}

fn add(headers: &mut HeaderMap, name: HeaderName, value: Option<&HeaderValue>) {
    if let Some(value) = value {
        headers.insert(name, value.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_allowed_exactly_by_scheme_or_all() {
        let check = |allowed: &[&str], origin: &'static str, expected: Option<&str>| {
            let allowed: Vec<String> = allowed.iter().map(|origin| (*origin).to_owned()).collect();
            let found = allowed_origin(&allowed, &HeaderValue::from_static(origin));
            assert_eq!(
                found.as_ref().and_then(|value| value.to_str().ok()),
                expected,
                "{allowed:?} {origin}"
            );
        };
        check(&["https://example.com"], "https://example.com", Some("https://example.com"));
        check(&["https://example.com"], "https://example.com.evil", None);
        check(&["https://example.com"], "http://example.com", None);
        check(&["https://*"], "https://a.b", Some("https://a.b"));
        check(&["https://*"], "http://a.b", None);
        check(&["http://x", "*"], "https://a.b", Some("*"));
        check(&[], "https://a.b", None);
    }
}
