//! What a template set in `$context.requestOverride` and `$context.responseOverride`.
//!
//! Reading it in the terms of a request or a response is done here; applying it is the gateway's.

use serde_json::{Map, Value};

/// Both objects as the template left them, and hence also what it was given and did not touch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    pub request: Map<String, Value>,
    pub response: Map<String, Value>,
}

/// Parameters of the integration request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestOverride {
    pub header: Vec<(String, String)>,
    pub querystring: Vec<(String, String)>,
    pub path: Vec<(String, String)>,
}

/// Status and headers of the method response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResponseOverride {
    /// Only an integer from 100 to 599 counts.
    pub status: Option<u16>,
    pub header: Vec<(String, String)>,
}

impl Overrides {
    pub fn of_request(&self) -> RequestOverride {
        RequestOverride {
            header: members(&self.request, "header"),
            querystring: members(&self.request, "querystring"),
            path: members(&self.request, "path"),
        }
    }

    pub fn of_response(&self) -> ResponseOverride {
        ResponseOverride {
            status: self.response.get("status").and_then(status),
            header: members(&self.response, "header"),
        }
    }
}

fn members(object: &Map<String, Value>, name: &str) -> Vec<(String, String)> {
    let Some(Value::Object(members)) = object.get(name) else { return Vec::new() };
    members.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

/// A list joins its members with commas.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn status(value: &Value) -> Option<u16> {
    let status: u16 = match value {
        Value::String(text) => text.trim().parse().ok()?,
        other => u16::try_from(other.as_u64()?).ok()?,
    };
    (100..=599).contains(&status).then_some(status)
}
