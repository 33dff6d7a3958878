//! Lambda authorizers of REST and HTTP APIs: whom they are asked about, the invocation, and the answers that are kept.
//!
//! What they are told is [`crate::events`]'s; what their answer means for a request is `rest`'s and `http`'s.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use stagedoor_vtl::JavaRegex;
use tokio::time::{Instant, timeout};

use super::answer::Answer;
use super::cache::Cache;
use super::denial::Denial;
use super::source::Source;
use super::told;
use crate::fault::GatewayFault;
use crate::lambda::{FunctionArn, Kind, Order};
use crate::shared::Shared;
use crate::uri::UriTemplate;
use crate::visit::{Authorized, Visit};

/// Answers that a stage keeps at most, and their bytes.
const ANSWERS_MAX: usize = 10_000;
const ANSWERS_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Answers of a stage's authorizers. They end with the stage's deployment, or when somebody flushes them.
#[derive(Debug)]
pub(crate) struct Answers(pub(crate) Cache<Arc<Answer>>);

impl Default for Answers {
    fn default() -> Self {
        Self(Cache::new(ANSWERS_MAX, ANSWERS_BYTES_MAX))
    }
}

/// An authorizer as it was deployed.
#[derive(Debug)]
pub(crate) struct LambdaAuthorizer {
    pub(crate) id: String,
    pub(crate) uri: UriTemplate,
    /// How long AWS waits for it.
    pub(crate) timeout: Duration,
    /// How long its answers are kept; zero is not at all.
    pub(crate) ttl: Duration,
    pub(crate) sources: Vec<Source>,
    pub(crate) form: Form,
}

/// What it is told, and what it returns.
#[derive(Debug)]
pub(crate) enum Form {
    /// The token alone, if it looks like one.
    Token { expression: Option<JavaRegex> },
    /// The request, as of REST APIs.
    Request,
    /// The request, in a format of HTTP APIs.
    Http { version: Version, simple: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    V2,
}

/// A fresh answer, and how long it took.
pub(crate) struct Asked {
    pub(crate) answer: Answer,
    /// The answer as it was returned.
    pub(crate) payload: Bytes,
    pub(crate) latency_millis: u64,
}

impl LambdaAuthorizer {
    /// Invokes the function.
    ///
    /// # Errors
    /// [`Denial::Unauthorized`] when its error says just that, else [`Denial::Authorizer`].
    pub(crate) async fn ask(
        &self,
        shared: &Shared,
        visit: &Visit,
        variables: &BTreeMap<String, String>,
        trace: String,
        event: Bytes,
    ) -> Result<Asked, Denial> {
        let uri = self.uri.fill(variables, |_| None);
        let function = FunctionArn::of_integration(&uri)
            .ok_or_else(|| Denial::Authorizer(format!("{uri:?} names no Lambda function")))?;
        let began = Instant::now();
        let order = Order {
            function,
            kind: Kind::RequestResponse,
            payload: event,
            trace,
            client_context: None,
            tail: false,
            stream: None,
        };
        let returned = timeout(self.timeout, shared.lambda.invoke(&shared.backends, order)).await;
        let returned = returned.map_err(|_| Denial::Authorizer("it took too long".to_owned()))?;
        let latency_millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (status, request_id) = match &returned {
            Ok(returned) => (200, returned.request_id.clone()),
            Err(GatewayFault::FunctionThrottled) => (429, None),
            Err(_) => (500, None),
        };
        let _ = visit.authorized.set(Authorized { request_id, status, latency_millis });
        let returned = returned.map_err(|fault| Denial::Authorizer(fault.to_string()))?;
        told::returned(visit, &returned.payload);
        if returned.failed {
            return Err(self.failure(&returned.payload));
        }
        let read = match self.form {
            Form::Http { simple: true, .. } => Answer::simple,
            Form::Http { simple: false, .. } => Answer::with_policy,
            Form::Token { .. } | Form::Request => Answer::of_rest,
        };
        let answer = read(&returned.payload).map_err(Denial::Authorizer)?;
        Ok(Asked { answer, payload: returned.payload, latency_millis })
    }

    /// A function of a REST API answers 401 by failing with this one word.
    fn failure(&self, payload: &[u8]) -> Denial {
        let error: Option<Value> = serde_json::from_slice(payload).ok();
        let message =
            error.as_ref().and_then(|error| error.get("errorMessage")?.as_str()).unwrap_or_default();
        if message == "Unauthorized" && !matches!(self.form, Form::Http { .. }) {
            return Denial::Unauthorized("the authorizer said so".to_owned());
        }
        Denial::Authorizer(format!("it failed: {}", message.chars().take(SAID_MAX).collect::<String>()))
    }
}

/// How much of an authorizer's error the log tells, in characters.
const SAID_MAX: usize = 1000;
