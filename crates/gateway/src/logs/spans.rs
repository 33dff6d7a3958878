//! Spans of OpenTelemetry for requests of stages with X-Ray tracing. Pure.
//!
//! The ids of X-Ray and OpenTelemetry are the same numbers: `1-5759e988-bd862e3fe1be46a994272793` is the trace
//! `5759e988bd862e3fe1be46a994272793`.

use std::time::Duration;

use serde_json::{Value, json};

use super::otlp::attribute;

/// `SPAN_KIND_SERVER` and `SPAN_KIND_CLIENT`
const SERVER: u8 = 2;
const CLIENT: u8 = 3;
/// `STATUS_CODE_ERROR`
const ERROR: u8 = 2;

/// One request.
pub(crate) struct Span<'a> {
    /// `1-…-…`
    pub(crate) root: &'a str,
    /// Of the client's segment, if it has told one: 16 hexadecimal digits.
    pub(crate) parent: Option<&'a str>,
    pub(crate) id: &'a str,
    pub(crate) integration_id: &'a str,
    pub(crate) name: String,
    /// Since 1970-01-01T00:00:00Z.
    pub(crate) began: Duration,
    pub(crate) took: Duration,
    /// How long the integration took, if it was asked.
    pub(crate) integration: Option<Duration>,
    pub(crate) status: u16,
    pub(crate) attributes: Vec<(&'static str, String)>,
}

impl Span<'_> {
    /// The spans of the request and of its integration, as a JSON array; `None` if its root is no trace.
    pub(crate) fn json(&self) -> Option<String> {
        let trace = trace_id(self.root)?;
        let mut spans = vec![self.own(&trace)];
        spans.extend(self.integration.map(|took| self.of_integration(&trace, took)));
        Some(Value::Array(spans).to_string())
    }

    fn own(&self, trace: &str) -> Value {
        let mut attributes: Vec<Value> =
            self.attributes.iter().map(|(key, value)| attribute(key, value)).collect();
        let status = json!({"intValue": self.status.to_string()});
        attributes.push(json!({"key": "http.response.status_code", "value": status}));
        json!({
            "traceId": trace,
            "spanId": self.id,
            "parentSpanId": self.parent.unwrap_or_default(),
            "name": self.name,
            "kind": SERVER,
            "startTimeUnixNano": self.began.as_nanos().to_string(),
            "endTimeUnixNano": (self.began + self.took).as_nanos().to_string(),
            "attributes": attributes,
            "status": if self.status >= 500 { json!({"code": ERROR}) } else { json!({}) },
        })
    }

    /// The integration answers last: its span ends where the request's does.
    fn of_integration(&self, trace: &str, took: Duration) -> Value {
        let end = self.began + self.took;
        json!({
            "traceId": trace,
            "spanId": self.integration_id,
            "parentSpanId": self.id,
            "name": "integration",
            "kind": CLIENT,
            "startTimeUnixNano": end.saturating_sub(took).as_nanos().to_string(),
            "endTimeUnixNano": end.as_nanos().to_string(),
        })
    }
}

fn trace_id(root: &str) -> Option<String> {
    let (time, unique) = root.strip_prefix("1-")?.split_once('-')?;
    let id = format!("{time}{unique}");
    (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| id.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_traces() {
        assert_eq!(
            trace_id("1-5759E988-bd862e3fe1be46a994272793").as_deref(),
            Some("5759e988bd862e3fe1be46a994272793")
        );
        for wrong in ["", "1-", "2-5759e988-bd862e3fe1be46a994272793", "1-5759e988-x", "1-é-é"] {
            assert_eq!(trace_id(wrong), None, "{wrong}");
        }
    }
}
