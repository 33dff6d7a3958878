//! Decodes the bodies of requests to REST APIs, and encodes answers where the API and the client want it.

use bytes::Bytes;
use http::{HeaderMap, Response, header};
use tokio::task;

use crate::Config;
use crate::body::{self, Body};
use crate::coding::{self, Coding, Undecodable};
use crate::fault::GatewayFault;
use crate::integrations::http_proxy;

/// Bodies longer than this are coded on a thread that serves no other request meanwhile.
const BYTES_AT_ONCE: usize = 128 * 1024;

/// Refuses a body in a coding that is not known, before anybody is asked for anything.
pub(crate) fn check(head: &HeaderMap) -> Result<(), GatewayFault> {
    let unknown = head.contains_key(header::CONTENT_ENCODING) && coding::of_body(head).is_none();
    if unknown { Err(GatewayFault::UnsupportedMediaType) } else { Ok(()) }
}

/// The body without its codings.
///
/// # Errors
/// 415 for a coding that is not known or does not hold; 413 for a body that unpacks to more than the quota.
pub(crate) async fn decode(head: &HeaderMap, body: Body, config: &Config) -> Result<Body, GatewayFault> {
    if !head.contains_key(header::CONTENT_ENCODING) {
        return Ok(body);
    }
    let codings = coding::of_body(head).ok_or(GatewayFault::UnsupportedMediaType)?;
    let mut bytes = http_proxy::request_body(body).await?;
    for coding in codings {
        let bytes_max = config.payload_bytes_max;
        bytes =
            heavy(bytes, move |bytes| coding.decode(bytes, bytes_max)).await?.map_err(|why| match why {
                Undecodable::TooLong => GatewayFault::RequestTooLarge,
                Undecodable::Malformed => GatewayFault::UnsupportedMediaType,
            })?;
    }
    Ok(if bytes.is_empty() { body::empty() } else { body::full(bytes) })
}

/// The answer, encoded if the client names a coding, the body is as long as the API asks for, and nobody has encoded it.
///
/// # Errors
/// When a body on its way breaks off or is too long.
pub(crate) async fn encode(
    head: &HeaderMap,
    bytes_min: Option<u64>,
    response: Response<Body>,
) -> Result<Response<Body>, GatewayFault> {
    let Some(bytes_min) = bytes_min else { return Ok(response) };
    let Some(coding) = coding::accepted(head) else { return Ok(response) };
    if response.headers().contains_key(header::CONTENT_ENCODING) || is_short(&response, bytes_min) {
        return Ok(response);
    }
    let (mut head, body) = response.into_parts();
    let bytes = body::whole(body).await;
    let bytes = bytes.map_err(|_| GatewayFault::IntegrationFailure("its answer is too long or broke off"))?;
    if bytes.is_empty() || (bytes.len() as u64) < bytes_min {
        return Ok(Response::from_parts(head, body::full(bytes)));
    }
    let encoded = heavy(bytes, move |bytes| coding.encode(bytes)).await?;
    let encoded = encoded.map_err(|_| GatewayFault::IntegrationFailure("its answer cannot be encoded"))?;
    head.headers.insert(header::CONTENT_ENCODING, Coding::name(coding));
    head.headers.remove(header::CONTENT_LENGTH);
    Ok(Response::from_parts(head, body::full(encoded)))
}

fn is_short(response: &Response<Body>, bytes_min: u64) -> bool {
    use http_body::Body as _;
    response.body().size_hint().upper().is_some_and(|most| most == 0 || most < bytes_min)
}

/// Runs work on bytes; much of it elsewhere.
async fn heavy<E: Send + 'static>(
    bytes: Bytes,
    work: impl FnOnce(&[u8]) -> Result<Vec<u8>, E> + Send + 'static,
) -> Result<Result<Bytes, E>, GatewayFault> {
    let done = if bytes.len() <= BYTES_AT_ONCE {
        work(&bytes)
    } else {
        let ran = task::spawn_blocking(move || work(&bytes)).await;
        ran.map_err(|_| GatewayFault::IntegrationFailure("a body could not be coded"))?
    };
    Ok(done.map(Bytes::from))
}
