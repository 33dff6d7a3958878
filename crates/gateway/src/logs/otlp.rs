//! OpenTelemetry's protocol over HTTP with JSON bodies, as far as lines of logs and spans need it.
//!
//! <https://opentelemetry.io/docs/specs/otlp/#otlphttp>. The SDK of OpenTelemetry is not used: two messages do not
//! justify its dozens of crates.

use std::time::Duration;

use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Request, Uri, header};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::lines::Line;
use super::sink::Failure;
use crate::backends::{Backends, Trust};
use crate::body;

/// How long a collector may take for a batch.
const SEND_MAX: Duration = Duration::from_secs(10);
/// Longest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// `SEVERITY_NUMBER_INFO`
const INFO: u8 = 9;

/// `ExportLogsServiceRequest`
pub(super) fn logs(group: &str, lines: &[Line<'_>]) -> Value {
    let records: Vec<Value> = lines
        .iter()
        .map(|line| {
            json!({
                "timeUnixNano": line.time.as_nanos().to_string(),
                "severityNumber": INFO,
                "severityText": "INFO",
                "body": {"stringValue": line.text},
            })
        })
        .collect();
    let names = json!({"arrayValue": {"values": [{"stringValue": group}]}});
    json!({"resourceLogs": [{
        "resource": resource(vec![json!({"key": "aws.log.group.names", "value": names})]),
        "scopeLogs": [{"scope": {"name": "stagedoor"}, "logRecords": records}],
    }]})
}

/// `ExportTraceServiceRequest` of spans that are JSON already.
pub(super) fn spans(lines: &[Line<'_>]) -> Value {
    let spans: Vec<Value> = lines.iter().filter_map(|line| serde_json::from_str(line.text).ok()).collect();
    // Each line holds the spans of one request.
    let spans: Vec<&Value> = spans.iter().filter_map(Value::as_array).flatten().collect();
    json!({"resourceSpans": [{
        "resource": resource(Vec::new()),
        "scopeSpans": [{"scope": {"name": "stagedoor"}, "spans": spans}],
    }]})
}

fn resource(mut attributes: Vec<Value>) -> Value {
    attributes.push(attribute("service.name", "stagedoor"));
    attributes.push(attribute("cloud.provider", "aws"));
    json!({"attributes": attributes})
}

/// A `KeyValue` with text.
pub(super) fn attribute(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

/// Posts a message to a collector.
///
/// # Errors
/// If it cannot be reached or does not answer with success.
pub(super) async fn send(backends: &Backends, url: &Uri, path: &str, message: Value) -> Result<(), Failure> {
    let mut parts = url.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path)?);
    let mut request = Request::new(body::full(message.to_string()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::from_parts(parts)?;
    request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let answer = backends.send(request, Trust::System, Instant::now() + SEND_MAX).await?;
    let status = answer.status();
    let said = tokio::time::timeout(SEND_MAX, body::collected(answer.into_body(), ANSWER_BYTES_MAX)).await;
    let said = said.ok().and_then(Result::ok).unwrap_or_default();
    if status.is_success() {
        return Ok(());
    }
    Err(format!("the collector answered {status}: {}", String::from_utf8_lossy(&said)).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_their_form() {
        let line = |text| Line { time: Duration::from_millis(1_700_000_000_123), text };
        let logs = logs("orders", &[line("a"), line("b")]);
        let records = &logs["resourceLogs"][0]["scopeLogs"][0]["logRecords"];
        assert_eq!(records[1]["body"]["stringValue"], "b");
        assert_eq!(records[0]["timeUnixNano"], "1700000000123000000");
        let spans = spans(&[line(r#"[{"name":"x"},{"name":"y"}]"#), line("[]")]);
        let spans = &spans["resourceSpans"][0]["scopeSpans"][0]["spans"];
        assert_eq!((spans[0]["name"].as_str(), spans[1]["name"].as_str()), (Some("x"), Some("y")));
    }
}
