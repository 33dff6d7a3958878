//! Where the lines of one destination end: a file, standard output, a collector, or the service itself.

use std::io::Write as _;
use std::sync::Arc;

use http::Uri;

use super::destination::Destination;
use super::file::RotatingFile;
use super::lines::Lines;
use super::queue::Counts;
use super::{Shared, otlp, service};

/// Lines sent at a time to who is no file.
const BATCH_LINES_MAX: usize = 500;
/// Bytes sent at a time, but for one line that is longer: what the services take, with room for what is around.
const BATCH_BYTES_MAX: usize = 768 * 1024;

/// Takes lines.
pub(super) enum Sink {
    File(RotatingFile),
    Stdout,
    Otlp {
        url: Uri,
        destination: Arc<Destination>,
        shared: Arc<Shared>,
    },
    Service(service::Service),
    /// OpenTelemetry spans instead of lines: each text is one span as JSON.
    Spans {
        url: Uri,
        shared: Arc<Shared>,
    },
    /// Nobody has asked for these lines.
    Nowhere,
}

/// Why lines were lost.
pub(super) type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Sink {
    /// Writes lines and gives itself back, and them.
    pub(super) async fn write(mut self, lines: Lines, counts: &Counts) -> (Self, Lines) {
        if lines.len() == 0 {
            return (self, lines);
        }
        if matches!(self, Self::File(_) | Self::Stdout) {
            return self.write_at_once(lines, counts).await;
        }
        for batch in lines.batches(BATCH_LINES_MAX, BATCH_BYTES_MAX) {
            let outcome = match &mut self {
                Self::Otlp { url, destination, shared } => {
                    let body = otlp::logs(&destination.name, &batch);
                    otlp::send(&shared.backends, url, "/v1/logs", body).await
                }
                Self::Spans { url, shared } => {
                    otlp::send(&shared.backends, url, "/v1/traces", otlp::spans(&batch)).await
                }
                Self::Service(service) => service.write(&batch).await,
                Self::File(_) | Self::Stdout | Self::Nowhere => Ok(()),
            };
            counts.count(batch.len(), outcome);
        }
        (self, lines)
    }

    /// On a thread that may wait: whoever reads may be slow.
    async fn write_at_once(self, lines: Lines, counts: &Counts) -> (Self, Lines) {
        let count = lines.len();
        let writing = tokio::task::spawn_blocking(move || {
            let text = lines.text().as_bytes();
            match self {
                Self::File(mut file) => {
                    let outcome = file.append(text);
                    (Self::File(file), lines, outcome)
                }
                other => {
                    let outcome = std::io::stdout().lock().write_all(text);
                    (other, lines, outcome)
                }
            }
        });
        match writing.await {
            Ok((sink, lines, outcome)) => {
                counts.count(count, outcome.map_err(Into::into));
                (sink, lines)
            }
            // The runtime ends: there is no file to go on with.
            Err(error) => {
                counts.count(count, Err(error.into()));
                (Self::Nowhere, Lines::default())
            }
        }
    }
}
