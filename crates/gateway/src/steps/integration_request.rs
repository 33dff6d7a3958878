//! Makes the request to a REST integration's backend from the client's: URI, query, headers, body.

use std::borrow::Cow;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method as Verb, Request, Uri, Version, header};
use stagedoor_vtl::{Overrides, RequestOverride};

use super::request_template;
use crate::body::{self, Body};
use crate::fault::GatewayFault;
use crate::mapping::{Source, Target, View};
use crate::rest::call::Call;
use crate::rest::compile::sends_body;
use crate::rest::payload::{Handling, Payload, Readable};
use crate::rest::plan::{Http, Outgoing};
use crate::{forwarded, headers, links, uri};

const API_ID: HeaderName = HeaderName::from_static("x-amzn-apigateway-api-id");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// `HTTP_PROXY`: the client's own query, headers and body, with what is mapped on top.
///
/// # Errors
/// A configuration error when the backend's address is none; 400 when a mapping needs JSON and gets none.
pub(crate) async fn proxied(
    outgoing: &Outgoing,
    call: &Call<'_>,
    mut body: Body,
) -> Result<Request<Body>, GatewayFault> {
    let mut payload = Payload::default();
    if outgoing.handling != Handling::AsItIs
        || outgoing.parameters.iter().any(|(_, source)| source.reads_body())
    {
        payload = Payload::of_request(body, call, outgoing.handling).await?;
        body = body::full(payload.bytes.clone());
    }
    let readable = readable(&outgoing.parameters, &payload)?;
    let context = |name: &str| call.context(name);
    let view = View { body: readable.view(), ..call.request_view(&context) };
    let mut headers = call.head.headers.clone();
    headers::leave_for_rest_backend(&mut headers);
    add_own_headers(&mut headers, call);
    add_mapped_headers(&mut headers, outgoing, &view);
    let verb = outgoing.verb.clone().unwrap_or_else(|| call.verb.clone());
    let body = if sends_body(&verb) { body } else { body::empty() };
    let none = RequestOverride::default();
    let request = request(verb, endpoint(outgoing, &view, call.query(), &none)?, headers, body);
    behind_link(outgoing, call, request)
}

/// `HTTP`: only what is mapped, and the body that the template makes; and what the template has overridden.
///
/// # Errors
/// A configuration error when the backend's address is none or the template fails; 415 when no template takes the
/// body; 400 when a mapping needs JSON and gets none.
pub(crate) async fn built(
    http: &Http,
    call: &Call<'_>,
    body: Body,
) -> Result<(Request<Body>, Overrides), GatewayFault> {
    let (made, overrides) = made(http, call, body).await?;
    Ok((made.map(|bytes| if bytes.is_empty() { body::empty() } else { body::full(bytes) }), overrides))
}

/// As [`built`], with the body in memory.
///
/// # Errors
/// As of [`built`].
pub(crate) async fn made(
    http: &Http,
    call: &Call<'_>,
    body: Body,
) -> Result<(Request<Bytes>, Overrides), GatewayFault> {
    let outgoing = &http.outgoing;
    let verb = outgoing.verb.clone().unwrap_or_else(|| call.verb.clone());
    let payload = Payload::of_request(body, call, http.handling).await?;
    let made = request_template::apply(&http.templates, http.passthrough, call, &payload).await?;
    let told = made.overrides.of_request();
    let readable = readable(&outgoing.parameters, &payload)?;
    let context = |name: &str| call.context(name);
    let view = View { body: readable.view(), ..call.request_view(&context) };
    let mut headers = HeaderMap::new();
    add_default_headers(&mut headers, call, sends_body(&verb));
    add_mapped_headers(&mut headers, outgoing, &view);
    override_headers(&mut headers, &told);
    let uri = endpoint(outgoing, &view, "", &told)?;
    let body = if sends_body(&verb) { made.body } else { Bytes::new() };
    Ok((behind_link(outgoing, call, request(verb, uri, headers, body))?, made.overrides))
}

/// The body as these mappings need it.
pub(crate) fn readable<'p>(
    parameters: &[(Target, Source)],
    payload: &'p Payload,
) -> Result<Readable<'p>, GatewayFault> {
    Readable::new(payload, parameters.iter().map(|(_, source)| source), || GatewayFault::InvalidJsonBody)
}

fn request<B>(verb: Verb, uri: Uri, headers: HeaderMap, body: B) -> Request<B> {
    let mut request = Request::new(body);
    *request.method_mut() = verb;
    *request.uri_mut() = uri;
    *request.version_mut() = Version::HTTP_11;
    *request.headers_mut() = headers;
    request
}

/// Sends a request to the address that is configured for its VPC link; `Host` and path stay the integration's.
fn behind_link<B>(
    outgoing: &Outgoing,
    call: &Call<'_>,
    mut request: Request<B>,
) -> Result<Request<B>, GatewayFault> {
    let Some(link) = &outgoing.link else { return Ok(request) };
    let id = link.fill(&call.stage.variables, |_| None);
    let known = call.api.place.links.load();
    let named = links::Named {
        link: &id,
        arn: outgoing.target.as_deref(),
        targets: known.get(&id).map(Vec::as_slice).unwrap_or_default(),
    };
    let origin = links::address(&call.shared.config.vpc_links, named)?;
    let invalid = |_| GatewayFault::Configuration("Invalid endpoint address".into());
    if let Some(named) = request.uri().authority() {
        let host = HeaderValue::from_str(named.as_str()).map_err(|error| invalid(error.into()))?;
        request.headers_mut().entry(header::HOST).or_insert(host);
    }
    let mut parts = request.uri().clone().into_parts();
    parts.scheme = origin.scheme().cloned();
    parts.authority = origin.authority().cloned();
    *request.uri_mut() = Uri::from_parts(parts).map_err(|error| invalid(http::Error::from(error)))?;
    Ok(request)
}

/// The backend's address, with the client's query and what is mapped onto path and query.
///
/// An override takes the place of what is mapped onto the same name.
fn endpoint(
    outgoing: &Outgoing,
    view: &View<'_>,
    client_query: &str,
    told: &RequestOverride,
) -> Result<Uri, GatewayFault> {
    let mut text = outgoing.uri.fill(view.stage_variables, |name| {
        let overridden = told.path.iter().find(|(known, _)| known == name);
        let encoded = overridden.map(|(_, value)| uri::encode_path(value).into_owned().into());
        encoded.or_else(|| path_value(outgoing, view, name))
    });
    uri::add_query(&mut text, client_query);
    let mut add = |name: &str, value: &str| {
        uri::add_query(&mut text, &format!("{}={}", uri::encode_query(name), uri::encode_query(value)));
    };
    for (target, source) in &outgoing.parameters {
        let Target::Query(name) = target else { continue };
        if told.querystring.iter().any(|(known, _)| known == name) {
            continue;
        }
        source.values(view).iter().for_each(|value| add(name, value));
    }
    told.querystring.iter().for_each(|(name, value)| add(name, value));
    uri::endpoint(text)
}

/// What the template has set takes the place of what is mapped.
fn override_headers(headers: &mut HeaderMap, told: &RequestOverride) {
    for (name, value) in &told.header {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { continue };
        if !headers::is_lost_when_mapped(&name) && !headers::is_unmappable(&name) {
            headers::set(headers, name, value);
        }
    }
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
