//! Chooses the request template by the client's media type, and makes the integration's body with it.

use bytes::Bytes;
use stagedoor_vtl::{Overrides, Rendered};

use crate::fault::GatewayFault;
use crate::rest::call::Call;
use crate::rest::payload::Payload;
use crate::rest::sight::{self, Transformed};
use crate::template::{self, Choice, Passthrough, Template, Templates};

/// What goes to the integration.
pub(crate) struct Made {
    pub(crate) body: Bytes,
    pub(crate) overrides: Overrides,
}

/// # Errors
/// 415 when no template takes the body; a configuration error when its template fails.
pub(crate) async fn apply(
    templates: &Templates,
    passthrough: Passthrough,
    call: &Call<'_>,
    payload: &Payload,
) -> Result<Made, GatewayFault> {
    match template::for_request(templates, passthrough, &call.head.headers) {
        Choice::Unsupported => Err(GatewayFault::UnsupportedMediaType),
        Choice::Pass | Choice::Template(Template::Pass) => Ok(unchanged(payload.bytes.clone())),
        Choice::Template(_) if payload.is_binary => Err(untransformable()),
        Choice::Template(Template::Literal(text)) => Ok(unchanged(text.clone())),
        Choice::Template(template) => {
            let made = rendered(template, call, &payload.text()).await?;
            Ok(Made { body: made.text.into(), overrides: made.overrides })
        }
    }
}

/// Templates take text: AWS fails also requests without a body if their type is binary.
pub(crate) fn untransformable() -> GatewayFault {
    GatewayFault::Configuration("Unable to transform request".into())
}

fn unchanged(body: Bytes) -> Made {
    Made { body, overrides: Overrides::default() }
}

/// What a request template makes of a body.
///
/// # Errors
/// A configuration error when the template fails.
pub(crate) async fn rendered(
    template: &Template,
    call: &Call<'_>,
    body: &str,
) -> Result<Rendered, GatewayFault> {
    match template {
        Template::Velocity(velocity) => {
            sight::render(velocity, call, body, &Overrides::default(), Transformed::Request).await
        }
        Template::Broken(fault) => Err(fault.clone()),
        Template::Literal(text) => {
            Ok(Rendered { text: String::from_utf8_lossy(text).into_owned(), ..Rendered::default() })
        }
        Template::Pass => Ok(Rendered { text: body.to_owned(), ..Rendered::default() }),
    }
}
