//! What is told of requests: access logs, execution logs and spans, to where a stage's settings send them.
//!
//! A pipeline opens a [`Watch`] once it knows the stage, calls [`at_method`] or [`at_route`] once it knows who asks,
//! and ends with [`end`]. Whatever becomes of a request, also if its client goes away, one line is written. Nothing
//! here waits.

mod access;
mod body;
mod method;
mod stage;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use http::Response;

pub(crate) use self::method::{at_method, at_route, begin_method};
pub(crate) use self::stage::{ApiKind, Held, Wanted, Watched, detail, wanted_of_http, wanted_of_rest};

use crate::body::Body;
use crate::execution_log::{self, Event};
use crate::logs::Span;
use crate::metrics::Counters;
use crate::shared::Shared;
use crate::visit::Visit;

/// The status that is logged of a request whose client went away before there was an answer, as nginx has it.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// What is known of a request beside its [`Visit`], once its stage is found.
pub(crate) struct Observed {
    pub(crate) stage: Arc<Held>,
    /// The path with the stage's name, as `$context.path` has it.
    path: String,
    /// Values of the access log's variables that only a method or route knows, see [`stage::Access`].
    values: OnceLock<Vec<Option<String>>>,
    /// The integration is a function whose answer is the response.
    proxies_function: AtomicBool,
    /// Of the method or route, where detailed metrics are on.
    pub(crate) counters: OnceLock<Arc<Counters>>,
    ended: AtomicBool,
}

/// Ends what [`end`] has not, because the request's task was dropped with its connection.
pub(crate) struct Watch<'v>(&'v Visit);

/// From now on the stage's settings hold for the request.
pub(crate) fn begin<'v>(shared: &Shared, visit: &'v Visit, stage: &Watched, path: &str) -> Watch<'v> {
    stage.start(&shared.logs);
    let observed = Observed {
        stage: stage.hold(),
        path: if stage.wanted.access.is_some() { path.to_owned() } else { String::new() },
        values: OnceLock::new(),
        proxies_function: AtomicBool::new(false),
        counters: OnceLock::new(),
        ended: AtomicBool::new(false),
    };
    let _ = visit.observed.set(observed);
    Watch(visit)
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let Some(observed) = self.0.observed.get() else { return };
        if !observed.ended.load(Ordering::Relaxed) {
            self.0.note(|_| "Execution failed: the client closed the connection".to_owned());
            told(self.0, observed, CLIENT_CLOSED_REQUEST);
            if let Some(record) = access::record(self.0, observed, CLIENT_CLOSED_REQUEST) {
                record.write(0);
            }
        }
    }
}

/// The answer is ready: everything is told but the access log's line, which follows the last byte of the body.
pub(crate) fn end(visit: &Visit, response: Response<Body>) -> Response<Body> {
    let Some(observed) = visit.observed.get() else { return response };
    observed.ended.store(true, Ordering::Relaxed);
    let status = response.status().as_u16();
    told(visit, observed, status);
    match access::record(visit, observed, status) {
        Some(record) => response.map(|body| body::counted(body, record)),
        None => response,
    }
}

fn told(visit: &Visit, observed: &Observed, status: u16) {
    if let Some(log) = visit.log.get()
        && let Some(queue) = observed.stage.execution_queue()
    {
        match visit.fault.get() {
            Some(fault) => fault
                .execution_log(&visit.request_id_text())
                .into_iter()
                .for_each(|line| log.write_failure(line)),
            None => log.write("Successfully completed execution".to_owned()),
        }
        let completed = format!("Method completed with status: {status}");
        if status >= 400 {
            log.write_failure(completed)
        } else {
            log.write(completed)
        }
        if let Some(id) = visit.integration.get().and_then(|integration| integration.request_id.as_deref()) {
            log.write(format!("AWS Integration Endpoint RequestId : {id}"));
        }
        if let Some(root) = visit.xray_trace_id() {
            log.write(format!("X-ray Tracing ID : {root}"));
        }
        for Event { time, text } in execution_log::events(log, &visit.request_id_text()) {
            queue.put(time, &text);
        }
    }
    if let Some(queue) = observed.stage.spans_queue()
        && let Some(spans) = span(visit, observed, status)
    {
        queue.put(visit.time, &spans);
    }
}

/// The spans of a request of which a trace is kept.
fn span(visit: &Visit, observed: &Observed, status: u16) -> Option<String> {
    let trace = visit.traced()?;
    let integration = visit.integration_took();
    let stage = &observed.stage;
    Span {
        root: &trace.root,
        parent: trace.parent.as_deref(),
        id: &trace.segment,
        integration_id: &trace.integration,
        name: format!("{}/{}", stage.owner.api, stage.name),
        began: visit.time,
        took: visit.began.elapsed(),
        integration,
        status,
        attributes: vec![
            ("http.request.method", visit.method.to_string()),
            ("server.address", visit.host().to_owned()),
            ("aws.apigateway.api_id", stage.owner.api.clone()),
            ("aws.apigateway.stage", stage.name.clone()),
            ("aws.request_id", visit.request_id_text().into_owned()),
            ("cloud.account.id", stage.owner.account.clone()),
            ("cloud.region", stage.owner.region.clone()),
        ],
    }
    .json()
}
