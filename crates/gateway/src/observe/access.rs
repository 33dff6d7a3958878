//! The line of an access log: which variable has which value.
//!
//! REST APIs: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html>.
//! HTTP APIs: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html>.

use std::borrow::Cow;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::{ApiKind, Observed};
use crate::digits::decimal;
use crate::fault::GatewayFault;
use crate::logs::{Format, Line, Queue};
use crate::visit::Visit;

/// A line but for the length of the answer, which is not known before its end.
pub(super) struct Record {
    queue: Queue,
    format: Arc<Format>,
    values: Vec<Option<String>>,
    time: Duration,
    request_bytes: u64,
}

/// The line of a request that has been answered with this status; `None` if its stage wants none.
pub(super) fn record(visit: &Visit, observed: &Observed, status: u16) -> Option<Record> {
    let queue = observed.stage.access_queue()?;
    let format = &observed.stage.wanted.access.as_ref()?.format;
    let mut values = std::mem::take(&mut *observed.values.lock().unwrap_or_else(PoisonError::into_inner));
    values.resize(format.names().len(), None);
    for (value, name) in values.iter_mut().zip(format.names()) {
        let known = at_end(visit, observed, status, name).or_else(|| value.take());
        *value = known.or_else(|| without_method(visit, observed, name));
    }
    Some(Record {
        queue: queue.clone(),
        format: Arc::clone(format),
        values,
        time: visit.time,
        request_bytes: visit.request_bytes,
    })
}

impl Record {
    /// Writes the line of an answer of this length, in bytes.
    pub(super) fn write(&self, response_bytes: u64) {
        let text = self.format.line(|index, name| match name {
            "responseLength" => Some(decimal(response_bytes).into()),
            "dataProcessed" => Some(decimal(self.request_bytes + response_bytes).into()),
            _ => self.values.get(index)?.as_deref().map(Cow::Borrowed),
        });
        self.queue.put(Line { time: self.time, text });
    }
}

/// What is not known before the answer is.
fn at_end(visit: &Visit, observed: &Observed, status: u16, name: &str) -> Option<String> {
    let integration = visit.integration.get();
    let took = || visit.integration_took().map(|took| took.as_millis().to_string());
    match name {
        "status" => Some(decimal(status.into())),
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
fn without_method(visit: &Visit, observed: &Observed, name: &str) -> Option<String> {
    let stage = &observed.stage;
    match name {
        "path" => Some(observed.path.clone()),
        "requestId" if stage.kind == ApiKind::Http => Some(visit.id.extended_text()),
        _ => stage.context(name).or_else(|| visit.context(name).map(Cow::into_owned)),
    }
}
