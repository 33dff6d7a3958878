//! Lambda functions: which one an ARN means, and its invocation.
//!
//! A function declared in the configuration runs here, as processes under the Lambda Runtime API ([`pool`],
//! [`process`], [`runtime_api`]); any other is invoked at the configured endpoint ([`endpoint`]). What an invocation
//! says and what becomes of its result is not decided here.

mod arn;
mod census;
mod endpoint;
mod job;
mod output;
mod pool;
mod process;
mod runtime_api;
mod settings;
mod streamed;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

pub(crate) use self::arn::{FunctionArn, is_lambda_service};
pub(crate) use self::job::{Kind, Order, Returned};
pub use self::settings::{Function, LambdaEndpoint};
pub(crate) use self::streamed::Streamed;

use self::census::Census;
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

pub(crate) struct Lambda {
    declared: HashMap<String, Arc<Pool>>,
    endpoint: Option<LambdaEndpoint>,
    now: fn() -> Duration,
    census: Arc<Census>,
}

impl Lambda {
    /// Starts nothing: processes begin with the first invocation.
    pub(crate) fn new(config: &Config) -> Self {
        let census = Arc::new(Census::default());
        let declared = config.functions.iter().map(|function| {
            let pool = Pool::new(function.clone(), config.now, Arc::clone(&census));
            (function.name.clone(), Arc::new(pool))
        });
        Self {
            declared: declared.collect(),
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
        match (self.declared.get(&order.function.name), &self.endpoint, order.kind) {
            (Some(pool), _, Kind::RequestResponse) => pool.invoke(order).await,
            (Some(pool), _, Kind::Event) => {
                pool.accept(order)?;
                Ok(Returned { payload: Bytes::new(), failed: false })
            }
            (None, Some(known), _) => endpoint::invoke(known, backends, self.now, order).await,
            (None, None, _) => Err(GatewayFault::Configuration(
                format!(
                    "the function {} is not declared in [[function]], and there is no lambda-endpoint",
                    order.function
                )
                .into(),
            )),
        }
    }

    /// Invokes a function that runs here and takes its result as it writes it; `None` if it does not run here.
    ///
    /// # Errors
    /// As of [`Self::invoke`], for an event that is too long or no JSON.
    pub(crate) fn stream(&self, order: &Order) -> Result<Option<Streamed>, GatewayFault> {
        check(order)?;
        let pool = self.declared.get(&order.function.name);
        Ok(pool.map(|pool| Streamed::begin(pool, &self.census, order)))
    }

    /// Lets invocations under way finish, within bounds, then ends every process.
    pub(crate) async fn close(&self) {
        let mut invocations = self.census.invocations.subscribe();
        let drained = invocations.wait_for(|&count| count == 0);
        let _ = tokio::time::timeout(DRAIN_MAX, drained).await;
        self.census.stop().await;
    }
}

fn check(order: &Order) -> Result<(), GatewayFault> {
    let bytes_max = match order.kind {
        Kind::RequestResponse => EVENT_BYTES_MAX,
        Kind::Event => ASYNCHRONOUS_EVENT_BYTES_MAX,
    };
    if order.payload.len() > bytes_max {
        return Err(GatewayFault::RequestTooLarge);
    }
    match serde_json::from_slice::<serde::de::IgnoredAny>(&order.payload) {
        Ok(_) => Ok(()),
        Err(error) => Err(GatewayFault::InvalidJson(error.to_string())),
    }
}
