//! The one place that every answer leaves through: faults become bytes, ids are added, counters counted, one line is
//! logged, and what the stage wants told is told.

use std::borrow::Cow;

use http::request::Parts;
use http::{HeaderName, HeaderValue, Response, header};
use tracing::{info, warn};

use super::stage::Located;
use crate::body::Body;
use crate::fault::GatewayFault;
use crate::headers;
use crate::mapping::{BodyView, View};
use crate::metrics::Counters;
use crate::observe;
use crate::rest::call::Call;
use crate::rest::plan::Deployed;
use crate::visit::Visit;

const APIGW_ID: HeaderName = HeaderName::from_static("x-amz-apigw-id");
const APIGW_REQUEST_ID: HeaderName = HeaderName::from_static("apigw-requestid");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// AWS says so although HTTP/1.1 means it (recorded).
const KEEP_ALIVE: HeaderValue = HeaderValue::from_static("keep-alive");

type Outcome = Result<Response<Body>, GatewayFault>;

/// Ends a request to a REST API.
pub(crate) fn rest(visit: &Visit, counters: Option<&Counters>, outcome: Outcome) -> Response<Body> {
    let mut response = outcome.and_then(final_answer).unwrap_or_else(|fault| {
        log(visit, &fault);
        visit.fault.get_or_init(|| fault).rest_response()
    });
    let headers = response.headers_mut();
    headers.insert(headers::REQUEST_ID, visit.request_id());
    headers.insert(APIGW_ID, visit.id.extended());
    headers.entry(header::CONTENT_TYPE).or_insert(JSON);
    if visit.keeps_connection {
        headers.insert(header::CONNECTION, KEEP_ALIVE);
    }
    count(visit, counters, &response);
    observe::end(visit, response)
}

/// Refuses an answer whose status a mapping, a template or a gateway response has made one of those that only come
/// before an answer (RFC 9110, section 15.2).
fn final_answer(response: Response<Body>) -> Outcome {
    if response.status().is_informational() {
        return Err(GatewayFault::Configuration("Invalid status code".into()));
    }
    Ok(response)
}

/// The deployment's own answer to a fault at a method, if it has one.
///
/// # Errors
/// The fault itself, if the default holds.
pub(crate) fn customised(call: &Call<'_>, fault: GatewayFault) -> Outcome {
    let fault = call.visit.fault.get_or_init(|| fault);
    let context = |name: &str| call.context(name);
    let view = call.request_view(&context);
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
    full_path: &dyn Fn() -> String,
    fault: GatewayFault,
) -> Outcome {
    if visit.fault.get().is_some() {
        return Err(fault);
    }
    let fault = visit.fault.get_or_init(|| fault);
    let stage = located.stage;
    let context = |name: &str| match name {
        "deploymentId" => Some(stage.deployment.clone()),
        "isCanaryRequest" => Some(stage.is_canary?.to_string()),
        "path" => Some(full_path()),
        _ => stage.observing.context(name).or_else(|| visit.context(name).map(Cow::into_owned)),
    };
    let view = View {
        path: &[],
        query: head.uri.query().unwrap_or_default(),
        headers: &head.headers,
        way: None,
        stage_variables: &stage.variables,
        context: &context,
        body: BodyView::default(),
    };
    let custom = stage.deployed.gateway_responses.answer(fault, &view, head);
    custom.inspect(|_| log(visit, fault)).ok_or_else(|| fault.clone())
}

/// Ends a request to an HTTP API.
pub(crate) fn http(visit: &Visit, counters: Option<&Counters>, outcome: Outcome) -> Response<Body> {
    let mut response = outcome.unwrap_or_else(|fault| {
        log(visit, &fault);
        visit.fault.get_or_init(|| fault).http_response()
    });
    response.headers_mut().insert(APIGW_REQUEST_ID, visit.id.extended());
    count(visit, counters, &response);
    observe::end(visit, response)
}

fn count(visit: &Visit, counters: Option<&Counters>, response: &Response<Body>) {
    use http_body::Body as _;
    let (took, integration) = (visit.began.elapsed(), visit.integration_took());
    let bytes = visit.request_bytes.saturating_add(response.body().size_hint().exact().unwrap_or_default());
    let own = visit.observed.get().and_then(|observed| observed.counters.get());
    for counters in counters.into_iter().chain(own.map(|own| &**own)) {
        counters.record(response.status(), took, integration, bytes);
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
