//! Lambda functions: which one an ARN means, and its invocation.
//!
//! A function declared in the configuration runs here, as processes under the Lambda Runtime API ([`pool`],
//! [`process`], [`runtime_api`]); any other is invoked at the configured endpoint ([`endpoint`]). What an invocation
//! says and what becomes of its result is not decided here.

mod arn;
mod census;
mod endpoint;
pub(crate) mod event_stream;
mod events;
mod extensions_api;
mod job;
mod output;
mod pool;
mod process;
mod runtime_api;
mod settings;
mod streamed;
mod waiting;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use stagedoor_state::lambda::{WaitingEvent, WaitingKey};

pub(crate) use self::arn::{FunctionArn, is_lambda_service};
pub(crate) use self::job::{Kind, Order, Returned};
pub use self::settings::{Asynchronous, Function, LambdaEndpoint};
pub(crate) use self::streamed::Streamed;
pub use self::waiting::WaitingEvents;

use self::census::Census;
use self::events::Declared;
use self::pool::Pool;
use crate::Config;
use crate::backends::Backends;
use crate::fault::GatewayFault;

/// Longest event of an invocation that is waited for, in bytes: AWS's quota.
const EVENT_BYTES_MAX: usize = 6 * 1024 * 1024;
/// The same of an invocation that is not waited for.
const ASYNCHRONOUS_EVENT_BYTES_MAX: usize = 1024 * 1024;
/// How long invocations under way may take to finish when the server stops.
const DRAIN_MAX: Duration = Duration::from_secs(8);

/// How long they may then take to tell that they did not.
const LAST_WORDS_MAX: Duration = Duration::from_secs(1);

pub(crate) struct Lambda {
    declared: Arc<Declared>,
    endpoint: Option<LambdaEndpoint>,
    now: fn() -> Duration,
    census: Arc<Census>,
}

impl Lambda {
    /// Starts nothing: processes begin with the first invocation.
    pub(crate) fn new(config: &Config) -> Self {
        let census = Arc::new(Census::new());
        let declared = config.functions.iter().map(|function| {
            let pool = Pool::new(function.clone(), config.now, Arc::clone(&census));
            (function.name.clone(), Arc::new(pool))
        });
        Self {
            declared: Arc::new(Declared {
                pools: declared.collect(),
                waiting: config.waiting_events.clone(),
            }),
            endpoint: config.lambda_endpoint.clone(),
            now: config.now,
            census,
        }
    }

    /// Invokes a function and waits for its result; for [`Kind::Event`] only until it is accepted.
    ///
    /// # Errors
    /// As a fault of the integration: no such function, too many invocations, an event that is too long or no JSON,
    /// an endpoint that fails. A function's own failure is a result.
    pub(crate) async fn invoke(&self, backends: &Backends, order: Order) -> Result<Returned, GatewayFault> {
        check(&order)?;
        let _counted = Census::count(&self.census.invocations);
        match (self.declared.pools.get(&order.function.name), &self.endpoint, order.kind) {
            (Some(pool), _, Kind::RequestResponse) => pool.invoke(&order).await,
            (Some(pool), _, Kind::Event) => {
                let id = pool.new_id();
                let accepted = events::accept(&self.declared, pool, order, id.clone())?;
                let lost = |_| GatewayFault::IntegrationFailure("the event cannot be written down");
                accepted.await.map_err(lost)?;
                Ok(Returned { request_id: Some(id), ..Returned::well(Bytes::new()) })
            }
            (None, Some(known), _) => endpoint::invoke(known, backends, self.now, order).await,
            (None, None, _) => Err(unknown(&order)),
        }
    }

    /// Invokes a function and takes its result as it writes it.
    ///
    /// # Errors
    /// As of [`Self::invoke`].
    pub(crate) async fn stream(&self, backends: &Backends, order: &Order) -> Result<Streamed, GatewayFault> {
        check(order)?;
        match (self.declared.pools.get(&order.function.name), &self.endpoint) {
            (Some(pool), _) => Ok(Streamed::begin(pool, &self.census, order)),
            (None, Some(known)) => {
                let events = endpoint::stream(known, backends, self.now, order).await?;
                Ok(Streamed::of_events(&self.census, events))
            }
            (None, None) => Err(unknown(order)),
        }
    }

    /// Whether a function of this name can be invoked, as far as is known here.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.endpoint.is_some() || self.declared.pools.contains_key(name)
    }

    /// Goes on with asynchronous invocations that the last server did not get done.
    pub(crate) fn resume(&self, events: Vec<(WaitingKey, WaitingEvent)>) {
        events::resume(&self.declared, events, (self.now)());
    }

    /// Lets invocations under way finish, within bounds, then ends every process.
    pub(crate) async fn close(&self) {
        self.census.close(DRAIN_MAX).await;
        self.census.stop().await;
        // Those that were not done say so.
        self.census.drained(LAST_WORDS_MAX).await;
    }
}

fn unknown(order: &Order) -> GatewayFault {
    let function = &order.function;
    let why =
        format!("the function {function} is not declared in [[function]], and there is no lambda-endpoint");
    GatewayFault::Configuration(why.into())
}

/// Longest event of an invocation of this kind, in bytes.
pub(crate) fn payload_bytes_max(kind: Kind) -> usize {
    match kind {
        Kind::RequestResponse => EVENT_BYTES_MAX,
        Kind::Event => ASYNCHRONOUS_EVENT_BYTES_MAX,
    }
}

fn check(order: &Order) -> Result<(), GatewayFault> {
    if order.payload.len() > payload_bytes_max(order.kind) {
        return Err(GatewayFault::RequestTooLarge);
    }
    let text = std::str::from_utf8(&order.payload);
    let text = text.map_err(|error| GatewayFault::InvalidJson(error.to_string()))?;
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(GatewayFault::InvalidJson(error.to_string())),
    }
}
