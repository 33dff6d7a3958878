//! The settings of the data plane.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use stagedoor_auth::sigv4::Key;

use crate::{AccessKey, Function, LambdaEndpoint, LogSink, ServiceEndpoint, WaitingEvents};

/// Settings of a [`crate::Gateway`]. [`Config::new`] gives every one its default.
#[derive(Clone, Debug)]
pub struct Config {
    /// The wall clock: the time since 1970-01-01T00:00:00Z.
    pub now: fn() -> Duration,
    /// Whether clients reach the listener by TLS, as backends are told in `Forwarded` and `X-Forwarded-Proto`.
    pub tls: bool,
    /// Port of the listener, as backends are told in `X-Forwarded-Port`.
    pub port: u16,
    /// Longest body of a request, and of a buffered answer, in bytes. Default 10 MiB, AWS's quota.
    pub payload_bytes_max: usize,
    /// Most bytes of the bodies of all requests together, as far as these did not come with their heads. Default 512 MiB.
    pub request_bodies_bytes_max: usize,
    /// Most bytes of request line and header values together. Default 10240, AWS's quota.
    pub header_bytes_max: usize,
    /// Idle connections kept to each backend. Default 256.
    pub idle_connections_per_backend_max: usize,
    /// How long an idle connection to a backend is kept. Default 55 s, less than most servers' own minute.
    pub idle_connection_timeout: Duration,
    /// How long a client may keep a request's body waiting. Default 30 s.
    pub client_timeout: Duration,
    /// Requests per second and burst of each account in each region, over all its APIs. Default no limit; AWS's own
    /// is 10,000 and 5,000.
    pub account_throttle: Option<(f64, i64)>,
    /// Lambda functions that this server runs itself, each name once. Default none.
    pub functions: Vec<Function>,
    /// Writes down their asynchronous invocations until they are done. Default nobody: they end with the gateway.
    pub waiting_events: Option<Arc<dyn WaitingEvents>>,
    /// Where all other Lambda functions are invoked. Default nowhere: their integrations fail.
    pub lambda_endpoint: Option<LambdaEndpoint>,
    /// Where AWS services are called, by their names in integrations (`sqs`, `states`) or [`crate::ANY_SERVICE`].
    /// Default nowhere: their integrations fail.
    pub service_endpoints: BTreeMap<String, ServiceEndpoint>,
    /// Signs calls of services without an endpoint, which go to AWS itself. Default nobody: their integrations fail.
    pub aws_key: Option<Key>,
    /// Addresses of private integrations, by VPC link id or by the ARN of a listener or Cloud Map service. Default
    /// none: their integrations fail.
    pub vpc_links: BTreeMap<String, http::Uri>,
    /// Who may sign requests to methods and routes with `AWS_IAM`. Default nobody.
    pub access_keys: Vec<AccessKey>,
    /// Where the lines for destinations go, the first that matches. Default none: to [`Self::log_directory`].
    pub log_sinks: Vec<LogSink>,
    /// Directory of a file for every destination without a sink. Default none: their lines go nowhere.
    pub log_directory: Option<PathBuf>,
    /// Collector of the spans of stages with X-Ray tracing: `http://127.0.0.1:4318`. Default none.
    pub otlp_endpoint: Option<http::Uri>,
}

impl Config {
    pub fn new(now: fn() -> Duration) -> Self {
        Self {
            now,
            tls: false,
            port: 4566,
            payload_bytes_max: 10 * 1024 * 1024,
            request_bodies_bytes_max: 512 * 1024 * 1024,
            header_bytes_max: 10_240,
            idle_connections_per_backend_max: 256,
            idle_connection_timeout: Duration::from_secs(55),
            client_timeout: Duration::from_secs(30),
            account_throttle: None,
            functions: Vec::new(),
            waiting_events: None,
            lambda_endpoint: None,
            service_endpoints: BTreeMap::new(),
            aws_key: None,
            vpc_links: BTreeMap::new(),
            log_sinks: Vec::new(),
            log_directory: None,
            otlp_endpoint: None,
            access_keys: Vec::new(),
        }
    }
}
