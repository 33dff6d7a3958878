//! Where what stages log goes: destinations, sinks, queues. What is logged is decided in [`crate::observe`].
//!
//! A request puts a line into its destination's bounded queue and never waits; a task per destination writes batches,
//! all of them on one thread that serves no requests ([`writer`]).

mod destination;
mod file;
mod format;
mod lines;
mod otlp;
mod queue;
mod service;
mod settings;
mod sink;
mod spans;
mod writer;

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

pub(crate) use self::destination::Destination;
pub(crate) use self::format::{Format, Told};
pub(crate) use self::queue::{Counts, Queue};
pub use self::settings::{LOG_FILE_BYTES_MAX, LOG_FILES_KEPT, LogSink, LogTarget};
pub(crate) use self::spans::Span;

use self::sink::Sink;
use self::writer::Writer;
use crate::Config;
use crate::aws::Services;
use crate::backends::Backends;

/// Destinations at a time; lines for more are dropped.
const DESTINATIONS_MAX: usize = 1024;
/// How long lines may take to be written when the server stops.
const FLUSH_MAX: Duration = Duration::from_secs(5);

/// Every destination's queue.
pub(crate) struct Logs {
    shared: Arc<Shared>,
    queues: Mutex<Queues>,
    counts: Arc<Counts>,
    /// Started with the first queue; none if that failed.
    writer: OnceLock<Option<Writer>>,
}

/// By destination; that of spans has none.
type Queues = HashMap<Option<Arc<Destination>>, Queue>;

/// What sinks use.
pub(super) struct Shared {
    backends: Backends,
    config: Config,
}

/// What became of all lines and spans since the server started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogFigures {
    pub written: u64,
    /// For want of room in their queue.
    pub dropped: u64,
    /// Their sink did not take them.
    pub failed: u64,
}

impl Logs {
    pub(crate) fn new(config: &Config) -> Self {
        let shared = Shared { backends: Backends::new(config), config: config.clone() };
        Self {
            shared: Arc::new(shared),
            queues: Mutex::default(),
            counts: Arc::default(),
            writer: OnceLock::new(),
        }
    }

    /// The queue of a destination, which starts with the first line for it; `None` if there are too many.
    pub(crate) fn queue(&self, destination: &Arc<Destination>) -> Option<Queue> {
        self.started(Some(Arc::clone(destination)), || self.sink(destination))
    }

    /// The queue of spans, if there is a collector for them.
    pub(crate) fn spans(&self) -> Option<Queue> {
        let url = self.shared.config.otlp_endpoint.clone()?;
        self.started(None, || Sink::Spans { url, shared: Arc::clone(&self.shared) })
    }

    fn started(&self, key: Option<Arc<Destination>>, sink: impl FnOnce() -> Sink) -> Option<Queue> {
        let mut queues = self.queues();
        if let Some(known) = queues.get(&key) {
            return Some(known.clone());
        }
        if queues.len() > DESTINATIONS_MAX {
            return None;
        }
        let queue = Queue::start(self.writer()?, sink(), Arc::clone(&self.counts));
        queues.insert(key, queue.clone());
        Some(queue)
    }

    fn writer(&self) -> Option<&Writer> {
        let started = self.writer.get_or_init(|| {
            Writer::start().inspect_err(|error| tracing::error!(%error, "nothing can be logged")).ok()
        });
        started.as_ref()
    }

    /// As configured; without, a file in the directory of logs.
    fn sink(&self, destination: &Arc<Destination>) -> Sink {
        let config = &self.shared.config;
        let shared = Arc::clone(&self.shared);
        let configured = config.log_sinks.iter().find(|sink| destination.matches(&sink.pattern));
        let destination = Arc::clone(destination);
        match configured.map(|sink| &sink.target) {
            Some(LogTarget::File { path, bytes_max, kept }) => {
                Sink::File(file::RotatingFile::new(path.clone(), *bytes_max, *kept))
            }
            Some(LogTarget::Stdout) => Sink::Stdout,
            Some(LogTarget::Otlp { url }) => Sink::Otlp { url: url.clone(), destination, shared },
            Some(LogTarget::Service(endpoint)) => Sink::Service(service::Service {
                services: Services::all_at(endpoint.clone(), config.now),
                stream: format!("stagedoor-{}", std::process::id()),
                has_stream: false,
                destination,
                shared,
            }),
            None => match &config.log_directory {
                Some(directory) => Sink::File(file::RotatingFile::new(
                    directory.join(destination.file()),
                    LOG_FILE_BYTES_MAX,
                    LOG_FILES_KEPT,
                )),
                None => Sink::Nowhere,
            },
        }
    }

    /// Waits until what has been logged is written, within bounds.
    pub(crate) async fn flush(&self) {
        let queues: Vec<Queue> = self.queues().values().cloned().collect();
        let flushed = async {
            for queue in queues {
                queue.flush().await;
            }
        };
        if tokio::time::timeout(FLUSH_MAX, flushed).await.is_err() {
            tracing::warn!("log lines were left unwritten");
        }
    }

    pub(crate) fn figures(&self) -> LogFigures {
        LogFigures {
            written: self.counts.written.load(Ordering::Relaxed),
            dropped: self.counts.dropped.load(Ordering::Relaxed),
            failed: self.counts.failed.load(Ordering::Relaxed),
        }
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
