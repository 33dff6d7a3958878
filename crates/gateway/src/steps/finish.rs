//! The one place that every answer leaves through: faults become bytes, ids are added, counters counted, one line is
//! logged. Access logs belong here.

use std::sync::atomic::Ordering;

use http::{HeaderName, HeaderValue, Response, header};
use tracing::{info, warn};

use crate::body::Body;
use crate::fault::GatewayFault;
use crate::headers;
use crate::metrics::Counters;
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
