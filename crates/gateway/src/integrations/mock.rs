//! `MOCK`: the answer is a status code that the request template yields; nothing is called.

use bytes::Bytes;
use http::HeaderMap;

use super::http_proxy::{self, Collected};
use crate::body::Body;
use crate::fault::GatewayFault;
use crate::rest::call::Call;
use crate::rest::compile;
use crate::rest::plan::Mock;
use crate::template::{self, Choice};

/// # Errors
/// A configuration error when neither template nor body hold a status code.
pub(crate) async fn answer(mock: &Mock, call: &Call<'_>, body: Body) -> Result<Collected, GatewayFault> {
    let status = match template::for_request(&mock.statuses, mock.passthrough, &call.head.headers) {
        Choice::Template(status) => status.clone()?,
        Choice::Pass => {
            let body = http_proxy::request_body(body).await?;
            compile::status_code(&String::from_utf8_lossy(&body))?
        }
        Choice::Unsupported => return Err(GatewayFault::UnsupportedMediaType),
    };
    Ok(Collected { status, headers: HeaderMap::new(), body: Bytes::new() })
}
