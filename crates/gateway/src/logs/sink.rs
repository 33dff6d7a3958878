//! Where the lines of one destination end: a file, standard output, a collector, or the service itself.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use http::Uri;

use super::destination::Destination;
use super::file::RotatingFile;
use super::queue::Line;
use super::{Shared, otlp, service};

/// Takes batches of lines.
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
    /// Writes lines and gives itself back.
    pub(super) async fn write(self, lines: Vec<Line>) -> (Self, Result<(), Failure>) {
        match self {
            Self::File(file) => in_file(file, lines).await,
            Self::Stdout => {
                // Whoever reads it may be slow.
                let print = move || std::io::stdout().lock().write_all(text(&lines).as_bytes());
                let outcome = tokio::task::spawn_blocking(print).await;
                (Self::Stdout, outcome.map_err(Into::into).and_then(|printed| printed.map_err(Into::into)))
            }
            Self::Otlp { url, destination, shared } => {
                let body = otlp::logs(&destination.name, &lines);
                let outcome = otlp::send(&shared.backends, &url, "/v1/logs", body).await;
                (Self::Otlp { url, destination, shared }, outcome)
            }
            Self::Spans { url, shared } => {
                let body = otlp::spans(&lines);
                let outcome = otlp::send(&shared.backends, &url, "/v1/traces", body).await;
                (Self::Spans { url, shared }, outcome)
            }
            Self::Service(mut service) => {
                let outcome = service.write(&lines).await;
                (Self::Service(service), outcome)
            }
            Self::Nowhere => (Self::Nowhere, Ok(())),
        }
    }
}

async fn in_file(mut file: RotatingFile, lines: Vec<Line>) -> (Sink, Result<(), Failure>) {
    let written = tokio::task::spawn_blocking(move || {
        let outcome = file.append(text(&lines).as_bytes());
        (file, outcome)
    });
    match written.await {
        Ok((file, outcome)) => (Sink::File(file), outcome.map_err(Into::into)),
        // The runtime ends: there is no file to go on with.
        Err(error) => (Sink::Nowhere, Err(error.into())),
    }
}

fn text(lines: &[Line]) -> String {
    lines.iter().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{}", line.text);
        text
    })
}
