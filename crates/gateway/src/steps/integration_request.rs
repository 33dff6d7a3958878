//! Makes the request to a REST integration's backend from the client's: URI, query, headers, body.

use std::borrow::Cow;

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method as Verb, Request, Uri, Version, header};

use crate::body::{self, Body};
use crate::fault::GatewayFault;
use crate::integrations::http_proxy;
use crate::mapping::{Source, Target, View};
use crate::rest::call::Call;
use crate::rest::compile::{DIRECTIVES, sends_body};
use crate::rest::plan::{Http, Outgoing};
use crate::template::{self, Choice, Template};
use crate::{forwarded, headers, uri};

const API_ID: HeaderName = HeaderName::from_static("x-amzn-apigateway-api-id");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// `HTTP_PROXY`: the client's own query, headers and body, with what is mapped on top.
///
/// # Errors
/// A configuration error when the backend's address is none.
pub(crate) fn proxied(
    outgoing: &Outgoing,
    call: &Call<'_>,
    body: Body,
) -> Result<Request<Body>, GatewayFault> {
    let context = |name: &str| call.context(name);
    let view = call.view(&call.head.headers, &context);
    let mut headers = call.head.headers.clone();
    headers::leave_for_rest_backend(&mut headers);
    add_own_headers(&mut headers, call);
    add_mapped_headers(&mut headers, outgoing, &view);
    let verb = outgoing.verb.clone().unwrap_or_else(|| call.verb.clone());
    let body = if sends_body(&verb) {
        body
    } else {
        headers.remove(header::CONTENT_ENCODING);
        body::empty()
    };
    Ok(request(verb, endpoint(outgoing, &view, call.query())?, headers, body))
}

/// `HTTP`: only what is mapped, and the body that the template makes.
///
/// # Errors
/// A configuration error when the backend's address is none; 415 when no template takes the body.
pub(crate) async fn built(http: &Http, call: &Call<'_>, body: Body) -> Result<Request<Body>, GatewayFault> {
    let outgoing = &http.outgoing;
    let verb = outgoing.verb.clone().unwrap_or_else(|| call.verb.clone());
    let (headers, uri) = {
        let context = |name: &str| call.context(name);
        let view = call.view(&call.head.headers, &context);
        let mut headers = HeaderMap::new();
        add_default_headers(&mut headers, call, sends_body(&verb));
        add_mapped_headers(&mut headers, outgoing, &view);
        (headers, endpoint(outgoing, &view, "")?)
    };
    let body = match template::for_request(&http.templates, http.passthrough, &call.head.headers) {
        Choice::Template(Template::Directives) => return Err(DIRECTIVES),
        Choice::Unsupported => return Err(GatewayFault::UnsupportedMediaType),
        _ if !sends_body(&verb) => body::empty(),
        Choice::Template(Template::Literal(text)) => body::full(text.clone()),
        Choice::Pass | Choice::Template(Template::Pass) => body::full(http_proxy::request_body(body).await?),
    };
    Ok(request(verb, uri, headers, body))
}

fn request(verb: Verb, uri: Uri, headers: HeaderMap, body: Body) -> Request<Body> {
    let mut request = Request::new(body);
    *request.method_mut() = verb;
    *request.uri_mut() = uri;
    *request.version_mut() = Version::HTTP_11;
    *request.headers_mut() = headers;
    request
}

/// The backend's address, with the client's query and what is mapped onto path and query.
fn endpoint(outgoing: &Outgoing, view: &View<'_>, client_query: &str) -> Result<Uri, GatewayFault> {
    let mut text = outgoing.uri.fill(view.stage_variables, |name| path_value(outgoing, view, name));
    uri::add_query(&mut text, client_query);
    for (target, source) in &outgoing.parameters {
        let Target::Query(name) = target else { continue };
        for value in source.values(view) {
            uri::add_query(&mut text, &format!("{}={}", uri::encode_query(name), uri::encode_query(&value)));
        }
    }
    uri::endpoint(text)
}

/// What is mapped onto `integration.request.path.{name}`.
fn path_value<'v>(outgoing: &'v Outgoing, view: &View<'v>, name: &str) -> Option<Cow<'v, str>> {
    let mapped = |(target, _): &&(Target, Source)| matches!(target, Target::Path(known) if known == name);
    let (_, source) = outgoing.parameters.iter().find(mapped)?;
    let value = source.values(view).pop()?;
    Some(if source.is_encoded() { value } else { uri::encode_path(&value).into_owned().into() })
}

/// Mapped headers take the place of the client's; several values become one, joined by commas.
fn add_mapped_headers(headers: &mut HeaderMap, outgoing: &Outgoing, view: &View<'_>) {
    for (target, source) in &outgoing.parameters {
        let Target::Header(name) = target else { continue };
        let values = source.values(view);
        if values.is_empty() || headers::is_lost_when_mapped(name) {
            continue;
        }
        headers::set(headers, name.clone(), &values.join(","));
    }
}

/// What a backend learns of the way to it.
fn add_own_headers(headers: &mut HeaderMap, call: &Call<'_>) {
    forwarded::add(headers, call.visit, &call.shared.config);
    add_identity(headers, call);
}

fn add_identity(headers: &mut HeaderMap, call: &Call<'_>) {
    let trace = call.visit.trace(call.head.headers.get(headers::TRACE_ID));
    headers.insert(headers::TRACE_ID, trace);
    headers::set(headers, API_ID, &call.api.owner.api);
}

/// What an `HTTP` integration sends unless something else is mapped (recorded).
fn add_default_headers(headers: &mut HeaderMap, call: &Call<'_>, with_body: bool) {
    headers.insert(header::ACCEPT, JSON);
    headers::set(headers, header::USER_AGENT, &format!("AmazonAPIGateway_{}", call.api.owner.api));
    if with_body {
        headers.insert(header::CONTENT_TYPE, content_type(call.head));
    }
    add_identity(headers, call);
}

fn content_type(head: &Parts) -> HeaderValue {
    head.headers.get(header::CONTENT_TYPE).cloned().unwrap_or(JSON)
}
