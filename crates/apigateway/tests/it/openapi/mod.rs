//! APIs from definitions and definitions from APIs.

mod export;
mod import;
mod round_trip;

use serde_json::{Value as Json, json};

use crate::control::Control;

/// Base64, as blobs stand in inputs.
pub(crate) fn blob(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

pub(crate) fn import(control: &Control, definition: &Json) -> Json {
    control.ok("ImportRestApi", json!({"body": blob(&definition.to_string())}))
}
