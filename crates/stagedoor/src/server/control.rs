//! A control-plane call from end to end: read → accept → the operation in a transaction → answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use hyper::body::Incoming;
use stagedoor_model::{Operation, Service, Value};
use stagedoor_state::{Cx, Environment, ids, transact};
use stagedoor_store::Transaction;
use stagedoor_wire::decode::BODY_BYTES_MAX;
use stagedoor_wire::serve::{Accepted, Call, accept, service_of};
use stagedoor_wire::{Fault, encode};

use super::Server;
use super::body::{self, BodyError};
use super::clock::now;
use super::management;
use super::usage;

/// How long an answer waits for the data plane to have seen what the call changed.
const CATCH_UP_MAX: Duration = Duration::from_secs(2);

/// Answers a request to one of the AWS APIs.
pub async fn call(server: &Arc<Server>, request: Request<Incoming>) -> Response<Bytes> {
    let request_id = ids::uuid(&ids::SystemEntropy);
    let (parts, incoming) = request.into_parts();
    let share = server.gateway.body_share();
    let body = match body::read(incoming, BODY_BYTES_MAX, &share).await {
        Ok(body) => body,
        Err(error) => return refuse(service_of(&parts), error, &request_id),
    };
    let authority = parts.uri.authority().map(ToString::to_string);
    let accepted = accept(&parts, &body, &server.keys, now(), authority.as_deref());
    let Accepted { service, operation, call } = accepted;
    let result = match call {
        Ok(call) => run(server, service, call).await,
        Err(fault) => Err(fault),
    };
    log(service, operation.map(|operation| operation.name), &parts, &result);
    encode::answer(service, operation, result, &request_id)
}

/// The answer to a call whose body cannot be read.
pub fn refuse(service: &'static Service, error: BodyError, request_id: &str) -> Response<Bytes> {
    let fault = match error {
        BodyError::TooLarge => Fault::new("RequestEntityTooLargeException", 413, "Request Too Long"),
        BodyError::TooSlow => {
            Fault::new("RequestTimeoutException", 408, "The request body did not arrive in time")
        }
        BodyError::NoRoom => Fault::new("ServiceUnavailableException", 503, "Service Unavailable"),
        BodyError::Broken => Fault::serialization("The request body is incomplete"),
    };
    encode::answer(service, None, Err(fault), request_id)
}

/// Runs the operation on a blocking thread (the store blocks), then waits until stages serve what it changed.
async fn run(server: &Arc<Server>, service: &'static Service, call: Call) -> Result<Value, Fault> {
    let readonly = only_reads(call.operation);
    if usage::is_asked_by(service.name, call.operation.name) {
        usage::flush(&server.store, &server.gateway).await;
    }
    let on_thread = Arc::clone(server);
    let ran = tokio::task::spawn_blocking(move || on_thread.operate(service, call)).await;
    let output = ran.unwrap_or_else(|panic| {
        tracing::error!(%panic, "operation panicked");
        Err(Fault::internal())
    })?;
    if !readonly {
        let head = server.store.head();
        let caught_up = async { tokio::join!(server.gateway.caught_up(head), server.ledger.caught_up(head)) };
        if tokio::time::timeout(CATCH_UP_MAX, caught_up).await.is_err() {
            tracing::warn!("stages have not caught up with the store");
        }
    }
    Ok(output)
}

impl Server {
    /// What operations may know of the world, now.
    pub fn environment(&self) -> Environment<'_> {
        Environment {
            now: now(),
            entropy: &ids::SystemEntropy,
            endpoints: &self.endpoints,
            page_key: &self.secrets.page_key,
            token_key: &self.secrets.token_key,
            token_key_id: super::secrets::TOKEN_KEY_ID,
            stages: &self.gateway,
            ivs: &self.ivs,
            rest_quotas: &self.rest_quotas,
        }
    }

    fn operate(&self, service: &'static Service, call: Call) -> Result<Value, Fault> {
        let environment = self.environment();
        let once = |transaction: &mut Transaction| {
            let (account, region) = (&call.identity.account, &call.identity.scope.region);
            let mut cx = Cx::new(transaction, account, region, &environment);
            dispatch(service, call.operation.name, &mut cx, call.input.clone())
        };
        if only_reads(call.operation) {
            transact::read(&self.store, once)
        } else {
            transact::transact(&self.store, once)
        }
    }
}

/// Whether an operation changes nothing. Tests of methods and authorizers are none of AWS's reading operations, but
/// wait for backends, and no writer may wait with them.
fn only_reads(operation: &Operation) -> bool {
    operation.readonly || operation.name.starts_with("TestInvoke")
}

/// The service's own table of operations.
fn dispatch(service: &Service, operation: &str, cx: &mut Cx<'_>, input: Value) -> Result<Value, Fault> {
    match service.name {
        "apigateway" => stagedoor_apigateway::dispatch(operation, cx, input),
        "apigatewayv2" => stagedoor_apigatewayv2::dispatch(operation, cx, input),
        "ivs-realtime" => stagedoor_ivs::dispatch(operation, cx, input),
        // Its calls arrive at stages' addresses; this one names none.
        "apigatewaymanagementapi" => Err(management::forbidden()),
        _ => Err(Fault::not_implemented(operation)),
    }
}

fn log(service: &Service, operation: Option<&str>, parts: &Parts, result: &Result<Value, Fault>) {
    let (service, operation) = (service.name, operation.unwrap_or("-"));
    match result {
        Ok(_) => tracing::debug!(service, operation, "called"),
        Err(fault) if fault.is_server_error() => {
            tracing::warn!(service, operation, code = fault.code, message = fault.message, "call failed");
        }
        Err(fault) => {
            let path = parts.uri.path();
            tracing::info!(
                service,
                operation,
                path,
                code = fault.code,
                message = fault.message,
                "call refused"
            );
        }
    }
}
