//! Lambda's own `Invoke` and `InvokeWithResponseStream`, for the functions that stages can invoke: so that
//! `aws lambda invoke` and an SDK's client reach them without an API in front.
//!
//! No other operation of Lambda is here. Payloads are the function's own bytes, and an answer may be a stream, so these
//! two do not pass through the tables of `stagedoor_wire`; signatures are checked there as those of any other call.
//!
//! <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use serde_json::json;
use stagedoor_auth::percent;
use stagedoor_gateway::{Body, INVOKE_EVENT_STREAM, Invocation, InvocationKind, InvokeError, Invoked};
use stagedoor_state::ids;
use stagedoor_wire::Fault;
use stagedoor_wire::serve::verified;

use super::Server;
use super::body::{self, BodyError};
use super::clock::now;

const INVOKE: &str = "/2015-03-31/functions/";
const INVOKE_WITH_RESPONSE_STREAM: &str = "/2021-11-15/functions/";
/// Bytes that are read of a payload, so that one that is too long is refused in Lambda's words.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

const INVOCATION_TYPE: &str = "x-amz-invocation-type";
const CLIENT_CONTEXT: &str = "x-amz-client-context";
const LOG_TYPE: &str = "x-amz-log-type";
const REQUEST_ID: &str = "x-amzn-requestid";
const TRACE_ID: &str = "x-amzn-trace-id";
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A call as its path says it.
#[derive(Debug, PartialEq, Eq)]
pub struct Called {
    /// As the client wrote it, decoded.
    function: String,
    streams: bool,
}

/// The call that a request is, if it is one.
pub fn called(method: &Method, path: &str) -> Option<Called> {
    let (function, streams) = match path.strip_prefix(INVOKE) {
        Some(rest) => (rest.strip_suffix("/invocations")?, false),
        None => {
            let rest = path.strip_prefix(INVOKE_WITH_RESPONSE_STREAM)?;
            (rest.strip_suffix("/response-streaming-invocations")?, true)
        }
    };
    let is_one = *method == Method::POST && !function.is_empty() && !function.contains('/');
    if !is_one {
        return None;
    }
    Some(Called { function: percent::decode(function)?.into_owned(), streams })
}

/// Answers a call.
pub async fn answer(server: &Arc<Server>, request: Request<Incoming>, called: Called) -> Response<Body> {
    let (parts, incoming) = request.into_parts();
    let mut response = match run(server, &parts, incoming, called).await {
        Ok(response) => response,
        Err(fault) => refuse(&fault),
    };
    // An invocation has its id already; whatever else is answered gets one here.
    if !response.headers().contains_key(REQUEST_ID) {
        let id = HeaderValue::from_str(&ids::uuid(&ids::SystemEntropy)).ok();
        response.headers_mut().extend(id.map(|id| (HeaderName::from_static(REQUEST_ID), id)));
    }
    response
}

async fn run(
    server: &Arc<Server>,
    parts: &Parts,
    incoming: Incoming,
    called: Called,
) -> Result<Response<Body>, Fault> {
    let share = server.gateway.body_share();
    let payload = body::read(incoming, BODY_BYTES_MAX, &share).await.map_err(unreadable)?;
    let authority = parts.uri.authority().map(ToString::to_string);
    let identity = verified("lambda", parts, &payload, &server.keys, now(), authority.as_deref())?;
    let invocation = Invocation {
        access_key: identity.access_key_id,
        account: identity.account,
        region: identity.scope.region,
        function: called.function,
        qualifier: qualifier(parts.uri.query().unwrap_or_default()),
        kind: kind(&parts.headers)?,
        payload,
        tail: header(&parts.headers, LOG_TYPE) == "Tail",
        trace: header(&parts.headers, TRACE_ID).to_owned(),
        client_context: client_context(&parts.headers)?,
    };
    if called.streams && invocation.kind == InvocationKind::RequestResponse {
        let body = server.gateway.invoke_streamed(invocation).await.map_err(fault)?;
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(INVOKE_EVENT_STREAM));
        headers.insert("x-amz-executed-version", HeaderValue::from_static("$LATEST"));
        return Ok(response);
    }
    let kind = invocation.kind;
    Ok(returned(kind, server.gateway.invoke(invocation).await.map_err(fault)?))
}

fn returned(kind: InvocationKind, invoked: Invoked) -> Response<Body> {
    let Invoked { payload, failed, tail, request_id } = invoked;
    let mut response = Response::new(whole(payload));
    *response.status_mut() = match kind {
        InvocationKind::RequestResponse => StatusCode::OK,
        InvocationKind::Event => StatusCode::ACCEPTED,
        InvocationKind::DryRun => StatusCode::NO_CONTENT,
    };
    let headers = response.headers_mut();
    if kind == InvocationKind::RequestResponse {
        headers.insert(CONTENT_TYPE, JSON);
        headers.insert("x-amz-executed-version", HeaderValue::from_static("$LATEST"));
    }
    if failed {
        headers.insert("x-amz-function-error", HeaderValue::from_static("Unhandled"));
    }
    let id = request_id.and_then(|id| HeaderValue::from_str(&id).ok());
    headers.extend(id.map(|id| (HeaderName::from_static(REQUEST_ID), id)));
    let tail = tail.and_then(|tail| HeaderValue::from_str(&STANDARD.encode(tail)).ok());
    headers.extend(tail.map(|tail| (HeaderName::from_static("x-amz-log-result"), tail)));
    response
}

fn qualifier(query: &str) -> Option<String> {
    let mut members = query.split('&').filter_map(|member| member.split_once('='));
    let (_, value) = members.find(|(name, _)| *name == "Qualifier")?;
    percent::decode(value).map(Cow::into_owned).filter(|value| !value.is_empty())
}

/// Travels in base64.
fn client_context(headers: &HeaderMap) -> Result<Option<String>, Fault> {
    let text = header(headers, CLIENT_CONTEXT);
    if text.is_empty() {
        return Ok(None);
    }
    let decoded = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let decoded = decoded.filter(|text| serde_json::from_str::<serde_json::Value>(text).is_ok());
    decoded.map(Some).ok_or_else(|| {
        Fault::new(
            "InvalidRequestContentException",
            400,
            "Client context must be a valid Base64-encoded JSON object.",
        )
    })
}

fn kind(headers: &HeaderMap) -> Result<InvocationKind, Fault> {
    match header(headers, INVOCATION_TYPE) {
        "" | "RequestResponse" => Ok(InvocationKind::RequestResponse),
        "Event" => Ok(InvocationKind::Event),
        "DryRun" => Ok(InvocationKind::DryRun),
        other => {
            let message = format!(
                "1 validation error detected: Value '{other}' at 'invocationType' failed to satisfy constraint: \
                 Member must satisfy enum value set: [Event, RequestResponse, DryRun]"
            );
            Err(Fault::new("ValidationException", 400, message))
        }
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn fault(error: InvokeError) -> Fault {
    let (code, status) = match &error {
        InvokeError::NoName(_) => ("InvalidParameterValueException", 400),
        InvokeError::NotAllowed(_) => (ACCESS_DENIED, 403),
        InvokeError::NoFunction(_) => (NOT_FOUND, 404),
        InvokeError::Throttled => (THROTTLED, 429),
        InvokeError::TooLarge(_) => ("RequestTooLargeException", 413),
        InvokeError::InvalidJson(_) => ("InvalidRequestContentException", 400),
        InvokeError::Failed(why) => {
            tracing::warn!(why, "a function could not be invoked");
            ("ServiceException", 500)
        }
    };
    Fault::new(code, status, error.to_string())
}

fn unreadable(error: BodyError) -> Fault {
    match error {
        BodyError::TooLarge => fault(InvokeError::too_large()),
        BodyError::TooSlow => {
            Fault::new("RequestTimeoutException", 408, "The request body did not arrive in time")
        }
        BodyError::NoRoom => Fault::new("ServiceException", 503, "Service Unavailable"),
        BodyError::Broken => {
            Fault::new("InvalidRequestContentException", 400, "The request body is incomplete")
        }
    }
}

const ACCESS_DENIED: &str = "AccessDeniedException";
const NOT_FOUND: &str = "ResourceNotFoundException";
const THROTTLED: &str = "TooManyRequestsException";

/// Lambda's errors: the message's member is spelled `Message` by some, `message` by most.
fn refuse(fault: &Fault) -> Response<Body> {
    let blame = if fault.is_server_error() { "Service" } else { "User" };
    let message = if [NOT_FOUND, ACCESS_DENIED].contains(&fault.code) { "Message" } else { "message" };
    let mut body = json!({"Type": blame, message: fault.message});
    if fault.code == ACCESS_DENIED {
        body = json!({message: fault.message});
    }
    if fault.code == THROTTLED {
        body["Reason"] = "ReservedFunctionConcurrentInvocationLimitExceeded".into();
    }
    let mut response = Response::new(whole(Bytes::from(body.to_string())));
    *response.status_mut() = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert("x-amzn-errortype", HeaderValue::from_static(fault.code));
    response
}

fn whole(body: Bytes) -> Body {
    Full::new(body).map_err(|never| match never {}).boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_known_by_their_paths() {
        let check = |method: Method, path: &str, expected: Option<(&str, bool)>| {
            let found = called(&method, path);
            let found = found.as_ref().map(|called| (called.function.as_str(), called.streams));
            assert_eq!(found, expected, "{path}");
        };
        check(Method::POST, "/2015-03-31/functions/pets/invocations", Some(("pets", false)));
        check(Method::POST, "/2015-03-31/functions/pets%3Alive/invocations", Some(("pets:live", false)));
        let streaming = "/2021-11-15/functions/pets/response-streaming-invocations";
        check(Method::POST, streaming, Some(("pets", true)));
        for other in [
            "/2015-03-31/functions",
            "/2015-03-31/functions/pets",
            "/2015-03-31/functions//invocations",
            "/2015-03-31/functions/a/b/invocations",
            "/2015-03-31/functions/pets/response-streaming-invocations",
            "/restapis",
        ] {
            check(Method::POST, other, None);
        }
        check(Method::GET, "/2015-03-31/functions/pets/invocations", None);
    }

    #[test]
    fn qualifiers() {
        assert_eq!(qualifier("Qualifier=%24LATEST").as_deref(), Some("$LATEST"));
        assert_eq!(qualifier("a=b&Qualifier=live").as_deref(), Some("live"));
        assert_eq!((qualifier(""), qualifier("Qualifier=")), (None, None));
    }
}
