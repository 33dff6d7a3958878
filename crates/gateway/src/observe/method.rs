//! What only a request's method or route knows.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Observed;
use crate::execution_log::ExecutionLog;
use crate::{http_api, rest};

/// The method is known, not yet who asks: its execution log begins.
pub(crate) fn begin_method(call: &rest::call::Call<'_>) {
    let Some(observed) = call.visit.observed.get() else { return };
    let Some(settings) = call.stage.tuning.find(call.method, &call.verb) else { return };
    if let Some(counters) = &settings.counters {
        let _ = observed.counters.set(Arc::clone(counters));
    }
    let Some(detail) = settings.logged else { return };
    let log = ExecutionLog::new(call.shared.config.now, Vec::new()).telling(detail);
    let _ = call.visit.log.set(log);
    call.visit.note(|_| format!("Extended Request Id: {}", call.visit.id.extended_text()));
}

/// It is known who asks, or that they may not: the access log's variables get their values.
pub(crate) fn at_method(call: &rest::call::Call<'_>) {
    if let Some(observed) = call.visit.observed.get() {
        let proxies = matches!(call.method.integration, rest::plan::Integration::AwsProxy(_));
        gather(observed, proxies, |name| call.context(name));
    }
}

/// As [`at_method`], of an HTTP API.
pub(crate) fn at_route(call: &http_api::call::Call<'_>) {
    if let Some(observed) = call.visit.observed.get() {
        let proxies = matches!(call.routed.route.integration, http_api::plan::Integration::AwsProxy(_));
        if let Some(counters) = call.located.stage.tuning.counters(call.routed.route) {
            let _ = observed.counters.set(Arc::clone(counters));
        }
        gather(observed, proxies, |name| call.context(name));
    }
}

fn gather(observed: &Observed, proxies_function: bool, context: impl Fn(&str) -> Option<String>) {
    observed.proxies_function.store(proxies_function, Ordering::Relaxed);
    let Some(access) = &observed.stage.wanted.access else { return };
    let asked = || context("authorizer.integrationLatency");
    let value = |name: &str| match name {
        "authorizer.latency" => asked(),
        "authorizer.status" | "authorizer.integrationStatus" => asked().map(|_| "200".to_owned()),
        name => context(name),
    };
    if !access.of_method.is_empty() {
        let names = access.of_method.iter().map(|&index| access.format.names()[index].as_str());
        let _ = observed.values.set(names.map(value).collect());
    }
}
