//! `MOCK`: the answer is a status code that the request template yields; nothing is called.

use bytes::Bytes;
use http::HeaderMap;
use stagedoor_vtl::Overrides;

use super::http_proxy::{self, Collected};
use crate::body::Body;
use crate::fault::GatewayFault;
use crate::rest::call::Call;
use crate::rest::compile;
use crate::rest::plan::{Mock, MockTemplate};
use crate::steps::request_template;
use crate::template::{self, Choice};

/// The answer, and what its template has overridden.
///
/// # Errors
/// A configuration error when neither template nor body hold a status code.
pub(crate) async fn answer(
    mock: &Mock,
    call: &Call<'_>,
    body: Body,
) -> Result<(Collected, Overrides), GatewayFault> {
    let (status, overrides) =
        match template::for_request(&mock.templates, mock.passthrough, &call.head.headers) {
            Choice::Template(MockTemplate::Fixed(status)) => (status.clone()?, Overrides::default()),
            Choice::Template(MockTemplate::Rendered(template)) => {
                let body = http_proxy::request_body(body).await?;
                let made = request_template::rendered(template, call, &String::from_utf8_lossy(&body))?;
                (compile::status_code(&made.text)?, made.overrides)
            }
            Choice::Pass => {
                let body = http_proxy::request_body(body).await?;
                (compile::status_code(&String::from_utf8_lossy(&body))?, Overrides::default())
            }
            Choice::Unsupported => return Err(GatewayFault::UnsupportedMediaType),
        };
    Ok((Collected { status, headers: HeaderMap::new(), body: Bytes::new() }, overrides))
}
