//! The services that take logs on AWS, called as they are: `PutLogEvents` and `PutRecordBatch`.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html>,
//! <https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html>

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Shared;
use super::destination::{self, Destination};
use super::lines::Line;
use super::sink::Failure;
use crate::aws::{ServiceCall, Services};
use crate::backends::Trust;
use crate::body;

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
/// Records of one `PutRecordBatch`.
const RECORDS_MAX: usize = 500;
/// How long a call may take.
const CALL_MAX: Duration = Duration::from_secs(10);
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// Calls for the same lines when a call fails.
const TRIES: u32 = 3;

/// A log group or delivery stream at its service.
pub(super) struct Service {
    pub(super) destination: Arc<Destination>,
    pub(super) services: Services,
    pub(super) shared: Arc<Shared>,
    /// Name of the log stream that this server writes.
    pub(super) stream: String,
    pub(super) has_stream: bool,
}

impl Service {
    /// # Errors
    /// If the service does not take the lines, also when asked again.
    pub(super) async fn write(&mut self, lines: &[Line<'_>]) -> Result<(), Failure> {
        match self.destination.service {
            destination::Service::Firehose => {
                for records in lines.chunks(RECORDS_MAX) {
                    self.put_records(records).await?;
                }
                Ok(())
            }
            destination::Service::Logs => {
                if !self.has_stream {
                    self.create_stream().await?;
                }
                let answer = self.put_events(lines).await?;
                if refused_for(&answer, "ResourceNotFoundException") {
                    self.create_stream().await?;
                    return done("PutLogEvents", &self.put_events(lines).await?);
                }
                done("PutLogEvents", &answer)
            }
        }
    }

    async fn put_events(&self, lines: &[Line<'_>]) -> Result<Answer, Failure> {
        // A batch is in the order of time.
        let mut events: Vec<(u128, &str)> =
            lines.iter().map(|line| (line.time.as_millis(), line.text)).collect();
        events.sort_by_key(|(millis, _)| *millis);
        let events: Vec<Value> = events
            .into_iter()
            .map(|(millis, text)| json!({"timestamp": u64::try_from(millis).unwrap_or(u64::MAX), "message": text}))
            .collect();
        let input = json!({
            "logGroupName": self.destination.name,
            "logStreamName": self.stream,
            "logEvents": events,
        });
        self.call("PutLogEvents", input).await
    }

    /// Also makes the group if there is none: stages that may log need not find it.
    async fn create_stream(&mut self) -> Result<(), Failure> {
        let group = &self.destination.name;
        let input = json!({"logGroupName": group, "logStreamName": self.stream});
        let mut answer = self.call("CreateLogStream", input.clone()).await?;
        if refused_for(&answer, "ResourceNotFoundException") {
            let made = self.call("CreateLogGroup", json!({"logGroupName": group})).await?;
            if !refused_for(&made, "ResourceAlreadyExistsException") {
                done("CreateLogGroup", &made)?;
            }
            answer = self.call("CreateLogStream", input).await?;
        }
        if !refused_for(&answer, "ResourceAlreadyExistsException") {
            done("CreateLogStream", &answer)?;
        }
        self.has_stream = true;
        Ok(())
    }

    /// Each line is a record, with its end of line. Records that were refused are sent once more.
    async fn put_records(&self, lines: &[Line<'_>]) -> Result<(), Failure> {
        let mut data: Vec<String> =
            lines.iter().map(|line| STANDARD.encode(format!("{}\n", line.text))).collect();
        for _ in 0..TRIES {
            let records: Vec<Value> = data.iter().map(|data| json!({"Data": data})).collect();
            let input = json!({"DeliveryStreamName": self.destination.name, "Records": records});
            let answer = self.call("PutRecordBatch", input).await?;
            done("PutRecordBatch", &answer)?;
            let outcomes = answer.1["RequestResponses"].as_array().cloned().unwrap_or_default();
            let failed =
                |at: usize| outcomes.get(at).is_some_and(|outcome| outcome.get("ErrorCode").is_some());
            data = data.into_iter().enumerate().filter(|(at, _)| failed(*at)).map(|(_, data)| data).collect();
            if data.is_empty() {
                return Ok(());
            }
        }
        Err(format!("PutRecordBatch: {} records were refused", data.len()).into())
    }

    /// Calls an operation; again if the endpoint fails or throttles.
    async fn call(&self, operation: &str, input: Value) -> Result<Answer, Failure> {
        let mut tried = self.call_once(operation, &input).await;
        for _ in 1..TRIES {
            match &tried {
                Ok((status, _)) if !status.is_server_error() && *status != StatusCode::TOO_MANY_REQUESTS => {
                    break;
                }
                Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            }
            tried = self.call_once(operation, &input).await;
        }
        tried
    }

    async fn call_once(&self, operation: &str, input: &Value) -> Result<Answer, Failure> {
        let (service, target) = match self.destination.service {
            destination::Service::Logs => ("logs", "Logs_20140328"),
            destination::Service::Firehose => ("firehose", "Firehose_20150804"),
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
        headers.insert(TARGET, HeaderValue::from_str(&format!("{target}.{operation}"))?);
        let request = self.services.request(ServiceCall {
            service,
            region: &self.destination.region,
            method: Method::POST,
            path: "/".to_owned(),
            query: String::new(),
            headers,
            body: Bytes::from(input.to_string()),
        })?;
        let answer = self.shared.backends.send(request, Trust::System, Instant::now() + CALL_MAX).await?;
        let status = answer.status();
        let said =
            tokio::time::timeout(CALL_MAX, body::collected(answer.into_body(), ANSWER_BYTES_MAX)).await??;
        Ok((status, serde_json::from_slice(&said).unwrap_or_default()))
    }
}

/// Status and body.
type Answer = (StatusCode, Value);

fn refused_for((status, body): &Answer, exception: &str) -> bool {
    let kind = body["__type"].as_str().unwrap_or_default();
    !status.is_success() && kind.rsplit('#').next() == Some(exception)
}

fn done(operation: &str, (status, body): &Answer) -> Result<(), Failure> {
    if status.is_success() { Ok(()) } else { Err(format!("{operation} answered {status}: {body}").into()) }
}
