//! The settings of log destinations: where the lines of a log group or delivery stream go.

use std::path::PathBuf;

use http::Uri;

use crate::ServiceEndpoint;

/// What becomes of the lines for some destinations.
#[derive(Clone, Debug)]
pub struct LogSink {
    /// An ARN in which `*` stands for anything: `arn:aws:logs:*:*:log-group:orders-*`.
    pub pattern: String,
    pub target: LogTarget,
}

/// Where lines go.
#[derive(Clone, Debug)]
pub enum LogTarget {
    /// A file, which becomes `FILE.1`, `FILE.2` and so on once it is longer than `bytes_max`; `kept` of those are kept.
    File { path: PathBuf, bytes_max: u64, kept: u32 },
    /// The server's standard output.
    Stdout,
    /// A collector of OpenTelemetry: `http://127.0.0.1:4318`, to which `/v1/logs` is added.
    Otlp { url: Uri },
    /// CloudWatch Logs or Firehose, whichever the destination's ARN names, at this endpoint.
    Service(ServiceEndpoint),
}

/// Default of [`LogTarget::File::bytes_max`].
pub const LOG_FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Default of [`LogTarget::File::kept`].
pub const LOG_FILES_KEPT: u32 = 5;
