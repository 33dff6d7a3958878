//! `AWS_PROXY` and `AWS` integrations with Lambda: which function is meant, and its invocation within the time.
//!
//! What the function is told and what becomes of its result is decided by the steps before and after.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, timeout};

use crate::fault::GatewayFault;
use crate::lambda::{FunctionArn, Kind, Order, Returned};
use crate::shared::Shared;
use crate::steps::function_request::Event;
use crate::uri::UriTemplate;
use crate::visit::{Integrated, Visit};

/// A function as an integration names it.
#[derive(Debug)]
pub(crate) struct Function {
    /// The ARN, or the URI around it; stage variables may stand in it.
    pub(crate) uri: UriTemplate,
    pub(crate) timeout: Duration,
    /// Whether the integration names a role; else the function's own policy lets the method in.
    pub(crate) by_role: bool,
}

impl Function {
    /// Invokes the function that this names at a stage with these variables.
    ///
    /// # Errors
    /// As of [`crate::lambda::Lambda::invoke`]; [`GatewayFault::IntegrationTimeout`]; a configuration error when the
    /// name is none.
    pub(crate) async fn invoke(
        &self,
        shared: &Shared,
        visit: &Visit,
        variables: &BTreeMap<String, String>,
        trace: String,
        event: Event,
    ) -> Result<Returned, GatewayFault> {
        let uri = self.uri.fill(variables, |_| None);
        let function = FunctionArn::of_integration(&uri)
            .ok_or_else(|| GatewayFault::Configuration(format!("{uri:?} names no Lambda function").into()))?;
        let began = Instant::now();
        let Event { kind, payload, tail } = event;
        let order = Order { function, kind, payload, trace, client_context: None, tail, stream: None };
        let invoked = shared.lambda.invoke(&shared.backends, order);
        let returned = timeout(self.timeout, invoked).await;
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        visit.integration_micros.store(micros, Ordering::Relaxed);
        let returned = returned.unwrap_or(Err(GatewayFault::IntegrationTimeout));
        note_status(visit, kind, returned.as_ref().map(|returned| returned.request_id.clone()));
        returned
    }
}

/// Notes what the Lambda service answered to an invocation with this id, or that it throttled it.
pub(crate) fn note_status(visit: &Visit, kind: Kind, invoked: Result<Option<String>, &GatewayFault>) {
    let (status, request_id) = match (invoked, kind) {
        (Ok(id), Kind::RequestResponse) => (SUCCESS, id),
        (Ok(id), Kind::Event) => (ACCEPTED, id),
        (Err(GatewayFault::FunctionThrottled), _) => (THROTTLED, None),
        (Err(_), _) => return,
    };
    let _ = visit.integration.set(Integrated { status, request_id, request_id_2: None });
}

/// The result of a function that must not have failed.
///
/// # Errors
/// [`GatewayFault::FunctionFailure`] with the beginning of what the function said.
pub(crate) fn succeeded(returned: Returned) -> Result<Bytes, GatewayFault> {
    if !returned.failed {
        return Ok(returned.payload);
    }
    let said: String = String::from_utf8_lossy(&returned.payload).chars().take(SAID_MAX).collect();
    Err(GatewayFault::FunctionFailure(said.into()))
}

/// What the Lambda service answers whatever the function does.
const SUCCESS: u16 = 200;
/// What it answers to an invocation that is not waited for.
const ACCEPTED: u16 = 202;
/// What it answers when the function's concurrency is used up.
const THROTTLED: u16 = 429;

/// How much of a function's error the log tells, in characters.
const SAID_MAX: usize = 1000;
