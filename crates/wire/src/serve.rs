//! The server's side of a call, up to and from the operation's own function.
//!
//! A caller does: [`accept`] → its operation → [`crate::encode::answer`].

use bytes::Bytes;
use http::request::Parts;
use stagedoor_auth::sigv4::{self, Expected, Identity, Keys, Payload, Refusal, peek_scope};
use stagedoor_model::{
    Operation, Service, Timestamp, Value, apigateway, apigatewaymanagementapi, apigatewayv2, ivs_realtime,
};

use crate::check::check;
use crate::decode::decode;
use crate::dialect::Dialect;
use crate::fault::Fault;
use crate::route::route;

/// A request that was signed well and has a valid input.
#[derive(Debug)]
pub struct Call {
    pub operation: &'static Operation,
    pub input: Value,
    pub identity: Identity,
}

/// What a request to a control plane turned out to be.
#[derive(Debug)]
pub struct Accepted {
    /// The service addressed, also when the call was refused: its dialect words the refusal.
    pub service: &'static Service,
    /// The operation, as soon as it is known.
    pub operation: Option<&'static Operation>,
    pub call: Result<Call, Fault>,
}

/// Which service a request addresses: the one that its signature's scope names. Both API Gateways sign as
/// `apigateway`; paths under `/v2` are the newer one's. Unsigned requests are taken for one of those.
pub fn service_of(parts: &Parts) -> &'static Service {
    let scope = peek_scope(&parts.headers, parts.uri.query().unwrap_or(""));
    let path = parts.uri.path();
    match scope.as_ref().map(|scope| scope.service.as_str()) {
        Some("ivs" | "ivsrealtime" | "ivs-realtime") => &ivs_realtime::SERVICE,
        Some("execute-api") => &apigatewaymanagementapi::SERVICE,
        _ if path == "/v2" || path.starts_with("/v2/") => &apigatewayv2::SERVICE,
        _ => &apigateway::SERVICE,
    }
}

/// Routes, verifies, decodes and checks a request: everything before the operation's own function.
///
/// `host` is the request's authority where the `Host` header does not say it (HTTP/2).
pub fn accept(parts: &Parts, body: &Bytes, keys: &dyn Keys, now: Timestamp, host: Option<&str>) -> Accepted {
    accept_at((service_of(parts), parts.uri.path()), parts, body, keys, now, host)
}

/// As [`accept`], for a service and a path that are known. The path may be only a part of the request's, where
/// another part says to whom it goes; the signature is over the whole.
pub fn accept_at(
    (service, path): (&'static Service, &str),
    parts: &Parts,
    body: &Bytes,
    keys: &dyn Keys,
    now: Timestamp,
    host: Option<&str>,
) -> Accepted {
    let query = parts.uri.query().unwrap_or("");
    let identity = verified(service.signing_name, parts, body, keys, now, host);
    let routed = route(service, parts.method.as_str(), path, query);
    let operation = routed.as_ref().map(|routed| routed.operation);
    let call = identity.and_then(|identity| {
        let routed = routed.ok_or_else(|| Dialect::of(service).unknown_operation())?;
        let input = decode(&routed, query, &parts.headers, body)?;
        let violations = check(routed.operation, &input);
        if !violations.is_empty() {
            return Err(Dialect::of(service).violations(routed.operation, &violations));
        }
        Ok(Call { operation: routed.operation, input, identity })
    });
    Accepted { service, operation, call }
}

/// Who signed a request, for a service by the name that stands in the scopes of its signatures. For what is no operation
/// of the tables; [`accept`] does the same for those.
///
/// # Errors
/// If it is not signed well.
pub fn verified(
    signing_name: &str,
    parts: &Parts,
    body: &Bytes,
    keys: &dyn Keys,
    now: Timestamp,
    host: Option<&str>,
) -> Result<Identity, Fault> {
    let request = sigv4::Request {
        method: &parts.method,
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or(""),
        headers: &parts.headers,
        host,
        payload: Payload::Bytes(body),
    };
    let expected = Expected { service: signing_name, regions: None, now: now.to_jiff() };
    sigv4::verify(&request, &expected, keys)
        .map_err(|refusal: Refusal| Fault::new(refusal.code(), refusal.status().as_u16(), refusal.message()))
}
