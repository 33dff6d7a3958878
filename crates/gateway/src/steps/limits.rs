//! Refuses requests whose size is over the quotas before anything else is done with them.
//!
//! A body that does not say its length is counted on its way (see [`crate::body`]).

use http::Uri;
use http::request::Parts;

use crate::Config;
use crate::fault::GatewayFault;
use crate::visit::Visit;

/// Letters that queries of REST APIs must have percent-encoded (rest-data C3).
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html#api-gateway-known-issues-rest-apis>
pub(crate) fn check_query(uri: &Uri) -> Result<(), GatewayFault> {
    match uri.query() {
        Some(query) if query.contains(['|', '{', '}']) => Err(GatewayFault::BadQuery),
        _ => Ok(()),
    }
}

pub(crate) fn check(head: &Parts, visit: &Visit, config: &Config) -> Result<(), GatewayFault> {
    let target = head.uri.path_and_query().map_or(0, |target| target.as_str().len());
    let request_line = head.method.as_str().len() + target;
    let values: usize = head.headers.values().map(|value| value.len()).sum();
    if request_line + values > config.header_bytes_max {
        return Err(GatewayFault::HeadersTooLarge);
    }
    if visit.request_bytes > config.payload_bytes_max as u64 {
        return Err(GatewayFault::RequestTooLarge);
    }
    Ok(())
}
