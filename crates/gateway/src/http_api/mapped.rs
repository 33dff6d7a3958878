//! Integrations of HTTP APIs with the parameter mappings around them: what is sent, and what becomes of the answer.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;

use bytes::Bytes;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, Request, Response, Uri, header};

use super::call::Call;
use super::expression::Values;
use super::parameters::{Parameters, Target};
use super::plan::{AwsService, Outgoing};
use crate::backends::{ServerName, Trust};
use crate::body::{self, Body};
use crate::fault::GatewayFault;
use crate::forwarded::Way;
use crate::integrations::http_proxy;
use crate::steps::{proxy_request, proxy_response};

/// Calls an HTTP backend, public or behind a VPC link.
///
/// # Errors
/// When there is no such backend, a mapped value does not fit, or the backend fails.
pub(crate) async fn proxied(
    outgoing: &Outgoing,
    call: &Call<'_>,
    body: Body,
) -> Result<Response<Body>, GatewayFault> {
    let (read, body) = body_if_read(outgoing.parameters.read_body(), body).await?;
    let (mut request, told, mut passing) = proxy_request::make(
        call.shared,
        call.located,
        call.routed,
        outgoing,
        &call.full_path,
        call.head,
        body,
        call.visit,
    )?;
    passing.extend(told.iter().map(|(name, value)| (name, value)));
    if !outgoing.parameters.is_empty() {
        for (name, value) in passing.drain(..) {
            request.headers_mut().append(name, value.clone());
        }
        change_outgoing(&outgoing.parameters, call, &read, &mut request)?;
    }
    if let Some(name) = outgoing.link.as_ref().and_then(|link| link.server_name.clone()) {
        request.extensions_mut().insert(ServerName(name));
    }
    let answer =
        http_proxy::send(call.shared, call.visit, request, &passing, Trust::System, outgoing.timeout).await?;
    let response = proxy_response::make(answer, &call.routed.verb, &call.shared.config)?;
    answered(&outgoing.responses, call, response).await
}

/// Calls an AWS service.
///
/// # Errors
/// As of [`proxied`].
pub(crate) async fn service(
    integration: &AwsService,
    call: &Call<'_>,
    body: Body,
) -> Result<Response<Body>, GatewayFault> {
    let (read, _) = body_if_read(integration.service.reads_body(), body).await?;
    let request = {
        let context = |name: &str| call.context(name);
        let mut region = call.api.owner.region.clone();
        let asked = integration.service.call(&request_values(call, &read, &context), &mut region)?;
        call.shared.services.request(asked)?
    };
    let answer =
        http_proxy::send(call.shared, call.visit, request, &[], Trust::System, integration.timeout).await?;
    let response = proxy_response::make(answer, &call.routed.verb, &call.shared.config)?;
    answered(&integration.responses, call, response).await
}

/// What a function is told: the request with its mappings applied. `None` if there are none.
///
/// # Errors
/// When a mapped value does not fit.
pub(crate) async fn told(
    parameters: &Parameters,
    call: &Call<'_>,
    body: Body,
) -> Result<(Option<(Parts, Option<String>)>, Body), GatewayFault> {
    if parameters.is_empty() {
        return Ok((None, body));
    }
    let (read, body) = body_if_read(parameters.read_body(), body).await?;
    let mut head = call.head.clone();
    let context = |name: &str| call.context(name);
    let values = request_values(call, &read, &context);
    let target = parameters.change_request(&values, &mut head.headers, call.query())?;
    let path = target.path.clone();
    head.uri = readdressed(&head.uri, Target { path: None, ..target })?;
    Ok((Some((head, path)), body))
}

/// Applies the mappings of the answer's status code.
///
/// # Errors
/// When a mapped value does not fit, or a body that is mapped breaks off.
pub(crate) async fn answered(
    responses: &BTreeMap<u16, Parameters>,
    call: &Call<'_>,
    response: Response<Body>,
) -> Result<Response<Body>, GatewayFault> {
    let Some(parameters) = responses.get(&response.status().as_u16()) else { return Ok(response) };
    let (mut head, mut body) = response.into_parts();
    let mut read = Bytes::new();
    if parameters.read_body() {
        let collected = body::whole(body).await;
        read =
            collected.map_err(|_| GatewayFault::IntegrationFailure("its answer is too long or broke off"))?;
        body = body::full(read.clone());
    }
    let sent = head.headers.clone();
    let context = |name: &str| call.context(name);
    let values = Values {
        headers: &sent,
        way: None,
        query: "",
        path: "",
        path_variables: &[],
        body: &read,
        stage_variables: &call.located.stage.variables,
        context: &context,
        json: OnceCell::new(),
    };
    parameters.change_response(&values, &mut head.headers, &mut head.status)?;
    parameters.spelt().clone().put_on(&mut head.extensions);
    Ok(Response::from_parts(head, body))
}

async fn body_if_read(reads: bool, body: Body) -> Result<(Bytes, Body), GatewayFault> {
    use http_body::Body as _;
    if !reads || body.is_end_stream() {
        return Ok((Bytes::new(), body));
    }
    let read = http_proxy::request_body(body).await?;
    Ok((read.clone(), body::full(read)))
}

fn request_values<'v>(
    call: &'v Call<'_>,
    body: &'v [u8],
    context: &'v dyn Fn(&str) -> Option<String>,
) -> Values<'v> {
    Values {
        headers: &call.head.headers,
        way: Way::of(call.visit, &call.shared.config),
        query: call.query(),
        path: call.located.path,
        path_variables: &call.routed.variables,
        body,
        stage_variables: &call.located.stage.variables,
        context,
        json: OnceCell::new(),
    }
}

fn change_outgoing(
    parameters: &Parameters,
    call: &Call<'_>,
    body: &[u8],
    request: &mut Request<Body>,
) -> Result<(), GatewayFault> {
    let context = |name: &str| call.context(name);
    let values = request_values(call, body, &context);
    let query = request.uri().query().map(str::to_owned).unwrap_or_default();
    let mut headers: HeaderMap = std::mem::take(request.headers_mut());
    let target = parameters.change_request(&values, &mut headers, &query)?;
    headers.remove(header::CONTENT_LENGTH);
    *request.headers_mut() = headers;
    *request.uri_mut() = readdressed(request.uri(), target)?;
    Ok(())
}

/// The same place with another path or query.
fn readdressed(uri: &Uri, target: Target) -> Result<Uri, GatewayFault> {
    let invalid = |_| GatewayFault::Configuration("Invalid endpoint address".into());
    let path: Cow<'_, str> = target.path.map_or(uri.path().into(), Cow::Owned);
    let separator = if target.query.is_empty() { "" } else { "?" };
    let path_and_query = format!("{path}{separator}{}", target.query);
    let mut parts = uri.clone().into_parts();
    parts.path_and_query =
        Some(PathAndQuery::try_from(path_and_query).map_err(|error| invalid(http::Error::from(error)))?);
    Uri::from_parts(parts).map_err(|error| invalid(http::Error::from(error)))
}
