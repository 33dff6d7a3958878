//! The line of an access log: which variable has which value.
//!
//! REST APIs: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html>.
//! HTTP APIs: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html>.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use smallvec::SmallVec;

use super::{ApiKind, Held, Observed};
use crate::digits::{push_address, push_common_log_time, push_decimal};
use crate::fault::GatewayFault;
use crate::logs::Told;
use crate::visit::Visit;

/// A line but for the length of the answer, which is not known before its end.
pub(super) struct Record {
    stage: Arc<Held>,
    time: Duration,
    text: String,
    gaps: SmallVec<[Gap; 1]>,
}

/// Where the length of the answer belongs in a line.
struct Gap {
    at: usize,
    /// What is added to it, in bytes.
    more: u64,
}

/// The line of a request that has been answered with this status; `None` if its stage wants none.
pub(super) fn record(visit: &Visit, observed: &Observed, status: u16) -> Option<Record> {
    let stage = &observed.stage;
    stage.access_queue()?;
    let access = stage.wanted.access.as_ref()?;
    let mut gaps = SmallVec::new();
    let text = access.format.line(|line, index, name| {
        match name {
            "responseLength" => gaps.push(Gap { at: line.len(), more: 0 }),
            "dataProcessed" => gaps.push(Gap { at: line.len(), more: visit.request_bytes }),
            _ => {
                let gathered = || observed.values.get()?.get(access.place(index)?)?.as_deref();
                return push(line, visit, observed, status, name, gathered);
            }
        }
        Told::Later
    });
    Some(Record { stage: Arc::clone(stage), time: visit.time, text, gaps })
}

impl Record {
    /// Writes the line of an answer of this length, in bytes.
    pub(super) fn write(self, response_bytes: u64) {
        let Self { stage, time, mut text, gaps } = self;
        for Gap { at, more } in gaps.into_iter().rev() {
            text.insert_str(at, itoa::Buffer::new().format(response_bytes + more));
        }
        if let Some(queue) = stage.access_queue() {
            queue.put(time, &text);
        }
    }
}

/// Whether a variable's value is asked of the method or route as soon as that is known.
pub(super) fn is_of_method(kind: ApiKind, name: &str) -> bool {
    match name {
        "extendedRequestId" | "identity.sourceIp" | "path" | "protocol" | "requestId" | "requestTime"
        | "responseLength" | "status" => false,
        "httpMethod" => kind == ApiKind::Rest,
        _ => true,
    }
}

/// Appends a variable's value, if it has one. What most lines have is written to its place at once.
fn push<'v>(
    line: &mut String,
    visit: &Visit,
    observed: &Observed,
    status: u16,
    name: &str,
    gathered: impl FnOnce() -> Option<&'v str>,
) -> Told {
    match name {
        "extendedRequestId" => visit.id.push_extended(line),
        "identity.sourceIp" => push_address(line, visit.peer.ip().to_canonical()),
        "path" => {
            line.push_str(&observed.path);
            return Told::Now;
        }
        "requestId" if observed.stage.kind == ApiKind::Http => visit.id.push_extended(line),
        "requestTime" => push_common_log_time(line, visit.time.as_secs()),
        "status" => push_decimal(line, status.into(), 1),
        _ => {
            let known = at_end(visit, observed, status, name).map(Cow::Owned);
            let known = known.or_else(|| gathered().map(Cow::Borrowed));
            if let Some(value) = known.or_else(|| without_method(visit, observed, name)) {
                line.push_str(&value);
            }
            return Told::Now;
        }
    }
    Told::Plain
}

/// What is not known before the answer is.
fn at_end(visit: &Visit, observed: &Observed, status: u16, name: &str) -> Option<String> {
    let integration = visit.integration.get();
    let took = || visit.integration_took().map(|took| took.as_millis().to_string());
    match name {
        "responseLatency" => Some(visit.began.elapsed().as_millis().to_string()),
        "integrationLatency" | "integration.latency" => took(),
        "integrationStatus" | "integration.integrationStatus" => Some(integration?.status.to_string()),
        "integration.status" if observed.proxies_function.load(Ordering::Relaxed) => {
            (integration.is_some() && visit.fault.get().is_none()).then(|| status.to_string())
        }
        "integration.status" => Some(integration?.status.to_string()),
        "integration.requestId" | "awsEndpointRequestId" => integration?.request_id.clone(),
        "awsEndpointRequestId2" => integration?.request_id_2.clone(),
        "integration.error" | "integrationErrorMessage" => of_integration(visit.fault.get()?),
        "authorizer.requestId" => visit.authorized.get()?.request_id.clone(),
        "authorizer.integrationStatus" => Some(visit.authorized.get()?.status.to_string()),
        "authorizer.latency" | "authorizer.integrationLatency" => {
            Some(visit.authorized.get()?.latency_millis.to_string())
        }
        "authorizer.error" => match visit.fault.get()? {
            GatewayFault::Denied(denial) => Some(denial.to_string()),
            _ => None,
        },
        "requestId" => visit.logged_id().map(str::to_owned),
        "xrayTraceId" => visit.xray_trace_id(),
        _ => {
            if let Some(member) = name.strip_prefix("authenticate.") {
                return visit.authenticate.get()?.member(member);
            }
            if let Some(member) = name.strip_prefix("authorize.") {
                return visit.authorize.get()?.member(member);
            }
            let (fault, member) = (visit.fault.get()?, name.strip_prefix("error.")?);
            match observed.stage.kind {
                ApiKind::Rest => fault.context(member),
                ApiKind::Http => fault.http_context(member),
            }
        }
    }
}

/// What failed behind the gateway, not in front of it.
fn of_integration(fault: &GatewayFault) -> Option<String> {
    match fault {
        GatewayFault::Configuration(_)
        | GatewayFault::IntegrationFailure(_)
        | GatewayFault::FunctionFailure(_)
        | GatewayFault::FunctionThrottled
        | GatewayFault::Unreachable(_)
        | GatewayFault::IntegrationTimeout => Some(fault.to_string()),
        _ => None,
    }
}

/// What is known although no method was found.
fn without_method<'v>(visit: &'v Visit, observed: &Observed, name: &str) -> Option<Cow<'v, str>> {
    observed.stage.context(name).map(Cow::Owned).or_else(|| visit.context(name))
}
