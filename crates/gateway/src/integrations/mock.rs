//! `MOCK`: the answer is a status code that the request template yields; nothing is called.

use bytes::Bytes;
use http::{HeaderMap, header};
use stagedoor_vtl::Overrides;

use super::http_proxy::Collected;
use crate::body::Body;
use crate::fault::GatewayFault;
use crate::rest::call::Call;
use crate::rest::compile;
use crate::rest::payload::{Handling, Payload};
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
    let chosen = template::for_request(&mock.templates, mock.passthrough, &call.head.headers);
    let (status, overrides) = match chosen {
        Choice::Unsupported => return Err(GatewayFault::UnsupportedMediaType),
        Choice::Template(_) if is_binary(mock, call) => return Err(request_template::untransformable()),
        Choice::Template(MockTemplate::Fixed(status)) => (status.clone()?, Overrides::default()),
        Choice::Template(MockTemplate::Rendered(template)) => {
            let payload = Payload::of_request(body, call, mock.handling).await?;
            let made = request_template::rendered(template, call, &payload.text()).await?;
            (compile::status_code(&made.text)?, made.overrides)
        }
        Choice::Pass => {
            let payload = Payload::of_request(body, call, mock.handling).await?;
            (compile::status_code(&payload.text())?, Overrides::default())
        }
    };
    Ok((Collected { status, headers: HeaderMap::new(), body: Bytes::new() }, overrides))
}

fn is_binary(mock: &Mock, call: &Call<'_>) -> bool {
    match mock.handling {
        Handling::AsItIs => call.stage.deployed.binary.contain(&call.head.headers, header::CONTENT_TYPE),
        Handling::ToBinary => true,
        Handling::ToText => false,
    }
}
