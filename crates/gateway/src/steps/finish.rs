//! The one place that every answer leaves through: faults become bytes, ids are added, counters counted, one line is
//! logged. Access logs belong here.

use std::borrow::Cow;
use std::sync::atomic::Ordering;

use http::request::Parts;
use http::{HeaderName, HeaderValue, Response, header};
use tracing::{info, warn};

use super::stage::Located;
use crate::body::Body;
use crate::fault::GatewayFault;
use crate::headers;
use crate::mapping::{BodyView, View};
use crate::metrics::Counters;
use crate::rest::call::Call;
use crate::rest::plan::Deployed;
use crate::visit::Visit;

const APIGW_ID: HeaderName = HeaderName::from_static("x-amz-apigw-id");
const APIGW_REQUEST_ID: HeaderName = HeaderName::from_static("apigw-requestid");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

type Outcome = Result<Response<Body>, GatewayFault>;

/// Ends a request to a REST API.
pub(crate) fn rest(visit: &Visit, counters: Option<&Counters>, outcome: Outcome) -> Response<Body> {
    let mut response = outcome.unwrap_or_else(|fault| {
        log(visit, &fault);
        fault.rest_response()
    });
    let headers = response.headers_mut();
    headers.insert(headers::REQUEST_ID, visit.id.uuid());
    headers.insert(APIGW_ID, visit.id.extended());
    headers.entry(header::CONTENT_TYPE).or_insert(JSON);
    count(visit, counters, &response);
    response
}

/// The deployment's own answer to a fault at a method, if it has one.
///
/// # Errors
/// The fault itself, if the default holds.
pub(crate) fn customised(call: &Call<'_>, fault: GatewayFault) -> Outcome {
    let fault = call.visit.fault.get_or_init(|| fault);
    let context = |name: &str| call.context(name);
    let view = call.view(&call.head.headers, &context);
    let custom = call.stage.deployed.gateway_responses.answer(fault, &view, call.head);
    custom.inspect(|_| log(call.visit, fault)).ok_or_else(|| fault.clone())
}

/// As [`customised`], where no method was found.
///
/// # Errors
/// As of [`customised`]; also what [`customised`] has let pass.
pub(crate) fn customised_before_routing(
    located: &Located<'_, Deployed>,
    head: &Parts,
    visit: &Visit,
    fault: GatewayFault,
) -> Outcome {
    if visit.fault.get().is_some() {
        return Err(fault);
    }
    let fault = visit.fault.get_or_init(|| fault);
    let context = |name: &str| match name {
        "stage" => Some(located.stage.name.clone()),
        _ => visit.context(name).map(Cow::into_owned),
    };
    let view = View {
        path: &[],
        query: head.uri.query().unwrap_or_default(),
        headers: &head.headers,
        stage_variables: &located.stage.variables,
        context: &context,
        body: BodyView::default(),
    };
    let custom = located.stage.deployed.gateway_responses.answer(fault, &view, head);
    custom.inspect(|_| log(visit, fault)).ok_or_else(|| fault.clone())
}

/// Ends a request to an HTTP API.
pub(crate) fn http(visit: &Visit, counters: Option<&Counters>, outcome: Outcome) -> Response<Body> {
    let mut response = outcome.unwrap_or_else(|fault| {
        log(visit, &fault);
        fault.http_response()
    });
    response.headers_mut().insert(APIGW_REQUEST_ID, visit.id.extended());
    count(visit, counters, &response);
    response
}

fn count(visit: &Visit, counters: Option<&Counters>, response: &Response<Body>) {
    if let Some(counters) = counters {
        let integration_micros = visit.integration_micros.load(Ordering::Relaxed);
        counters.record(response.status(), visit.began.elapsed(), integration_micros);
    }
}

fn log(visit: &Visit, fault: &GatewayFault) {
    let (host, method) = (visit.host(), &visit.method);
    if fault.is_the_clients() {
        info!(host, %method, %fault, "request refused");
    } else {
        warn!(host, %method, %fault, "request failed");
    }
}
