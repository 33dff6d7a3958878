//! Whether an answer comes from the stage's cache, and whether it is kept there (rest-data C15).
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-caching.html>

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Response, header};
use stagedoor_api::apigateway::UnauthorizedCacheControlHeaderStrategy as Strategy;
use tokio::time::Instant;

use super::method_response;
use crate::authorize::{self, Denial};
use crate::body::Body;
use crate::cache::{Key, Pending};
use crate::fault::GatewayFault;
use crate::headers;
use crate::rest::call::Call;

const IGNORED: HeaderValue =
    HeaderValue::from_static("199 Cache-control headers were ignored because the caller was unauthorized.");

/// What the cache says of a request.
pub(crate) enum LookUp {
    Hit(Response<Body>),
    Miss(Miss),
}

/// What becomes of the answer that has to be made. The default is a method without a cache.
#[derive(Default)]
pub(crate) struct Miss {
    pending: Option<Pending>,
    /// Whether the client must be told that it may not empty the cache.
    warns: bool,
}

/// # Errors
/// [`Denial::AccessDenied`] for clients that want a fresh answer and may not, where the stage says so.
pub(crate) fn look_up(call: &Call<'_>) -> Result<LookUp, GatewayFault> {
    let settings = call.stage.tuning.find(call.method, &call.verb);
    let Some(caching) = settings.and_then(|settings| settings.caching.as_ref()) else {
        return Ok(LookUp::Miss(Miss::default()));
    };
    let Some(key) = key(call) else { return Ok(LookUp::Miss(Miss::default())) };
    let (mut fresh, mut warns) = (false, false);
    if wants_fresh(&call.head.headers) {
        fresh = !caching.requires_authorization || authorize::may_invalidate_cache(call);
        match caching.strategy {
            _ if fresh => caching.cache.remove(&key),
            Strategy::FailWith403 => {
                let text = "User is not authorized to access this resource";
                return Err(GatewayFault::Denied(Denial::AccessDenied(text.to_owned())));
            }
            Strategy::SucceedWithResponseHeader => warns = true,
            Strategy::SucceedWithoutResponseHeader => {}
        }
    }
    let found = if fresh { None } else { caching.cache.get(&key, Instant::now()) };
    call.stage.counters.looked_up(found.is_some());
    if let Some(own) = call.visit.observed.get().and_then(|observed| observed.counters.get()) {
        own.looked_up(found.is_some());
    }
    Ok(match found {
        Some(entry) => LookUp::Hit(warned(with_own_trace(entry.response(), call), warns)),
        None => {
            let pending = Pending { cache: Arc::clone(&caching.cache), key, ttl: caching.ttl };
            LookUp::Miss(Miss { pending: Some(pending), warns })
        }
    })
}

impl Miss {
    /// The answer as it leaves, kept if the method has a cache.
    pub(crate) fn answered(self, response: Response<Body>) -> Response<Body> {
        let response = match self.pending {
            Some(pending) => pending.keep(response),
            None => response,
        };
        warned(response, self.warns)
    }
}

/// Namespace, verb, and the values of the parameters that were chosen; `None` if one of those cannot be a part of it.
fn key(call: &Call<'_>) -> Option<Key> {
    let context = |name: &str| call.context(name);
    let view = call.request_view(&context);
    let mut key = Key::default();
    key.push(&call.method.cache.namespace);
    key.push(call.verb.as_str());
    for source in call.method.cache.parameters.as_deref()? {
        key.push_all(&source.values(&view));
    }
    Some(key)
}

/// `Cache-Control: max-age=0`
fn wants_fresh(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::CACHE_CONTROL).into_iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|directive| directive.trim().eq_ignore_ascii_case("max-age=0"))
}

/// The trace is the request's, not that of the one whose answer was kept.
fn with_own_trace(response: Response<Body>, call: &Call<'_>) -> Response<Body> {
    let Some(kept) = response.headers().get(headers::TRACE_ID) else { return response };
    match kept.to_str().is_ok_and(|kept| kept.contains("Lineage=")) {
        true => method_response::with_function_trace(response, call),
        false => method_response::with_trace(response, call),
    }
}

fn warned(mut response: Response<Body>, warns: bool) -> Response<Body> {
    if warns {
        response.headers_mut().insert(header::WARNING, IGNORED);
    }
    response
}
