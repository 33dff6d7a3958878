//! Holds a request against its method's validator: what must be there, then the body.

use http::header;
use serde_json::Value;

use crate::body::{self, Body};
use crate::fault::GatewayFault;
use crate::integrations::http_proxy;
use crate::json_schema::Schema;
use crate::rest::call::Call;
use crate::rest::validator::Validator;
use crate::template;

/// Returns the body, which may have been read.
///
/// # Errors
/// [`GatewayFault::MissingParameters`], [`GatewayFault::InvalidBody`]; a configuration error of the model.
pub(crate) async fn request(call: &Call<'_>, body: Body) -> Result<Body, GatewayFault> {
    let Some(validator) = &call.method.validator else { return Ok(body) };
    parameters(validator, call)?;
    let media_type = template::media_type(&call.head.headers, &header::CONTENT_TYPE);
    let Some(schema) = validator.bodies.get(media_type).or_else(|| validator.bodies.get("$default")) else {
        return Ok(body);
    };
    let schema = schema.as_ref().map_err(GatewayFault::clone)?;
    let bytes = http_proxy::request_body(body).await?;
    check(schema, &bytes).map_err(|why| GatewayFault::InvalidBody {
        media_type: media_type.to_owned(),
        why: format!("[{why}]"),
    })?;
    Ok(if bytes.is_empty() { body::empty() } else { body::full(bytes) })
}

fn parameters(validator: &Validator, call: &Call<'_>) -> Result<(), GatewayFault> {
    let context = |name: &str| call.context(name);
    let view = call.request_view(&context);
    let blank = |values: Vec<std::borrow::Cow<'_, str>>| values.iter().all(|value| value.trim().is_empty());
    let missing = validator.required.iter().filter(|(_, source)| blank(source.values(&view)));
    let missing: Vec<&str> = missing.map(|(name, _)| name.as_str()).collect();
    if missing.is_empty() { Ok(()) } else { Err(GatewayFault::MissingParameters(missing.join(", "))) }
}

/// What API Gateway says of a body that is no JSON.
const NO_JSON: &str = "Unknown error parsing request body";

/// No body is the empty object.
///
/// # Errors
/// Says what is wrong with it.
fn check(schema: &Schema, bytes: &[u8]) -> Result<(), String> {
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    let value: Value = serde_json::from_slice(bytes).map_err(|_| NO_JSON)?;
    let errors = schema.errors(&value);
    if errors.is_empty() { Ok(()) } else { Err(errors.join(", ")) }
}
