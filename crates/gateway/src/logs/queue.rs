//! The queue of one destination: requests put lines in and never wait for its sink; a task takes out what has gathered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::sleep;

use super::lines::Lines;
use super::sink::{Failure, Sink};
use super::writer::Writer;

/// Lines that wait for a destination; more are dropped.
const LINES_MAX: usize = 16_384;
/// The same in bytes, all of a destination's lines together.
const BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long lines are gathered before they are written: nobody is woken for each of them.
const GATHERED_FOR: Duration = Duration::from_millis(50);
/// Memory for lines that is larger is not kept, in bytes.
const KEPT_MAX: usize = 1024 * 1024;

/// What became of lines.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) written: AtomicU64,
    /// For want of room.
    pub(crate) dropped: AtomicU64,
    /// Their sink did not take them.
    pub(crate) failed: AtomicU64,
}

impl Counts {
    /// So many lines have been handed to their sink.
    pub(super) fn count(&self, lines: usize, outcome: Result<(), Failure>) {
        let counter = if outcome.is_ok() { &self.written } else { &self.failed };
        counter.fetch_add(lines as u64, Ordering::Relaxed);
        if let Err(error) = outcome {
            tracing::warn!(lines, %error, "log lines could not be written");
        }
    }
}

/// Puts lines in. Clones put into the same queue.
#[derive(Clone, Debug)]
pub(crate) struct Queue(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    waiting: Mutex<Waiting>,
    /// Told of the first that waits.
    begun: Notify,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: Lines,
    /// Told when all that was before is written.
    flushes: Vec<oneshot::Sender<()>>,
}

impl Queue {
    /// Starts the task, which ends with the writer.
    pub(super) fn start(writer: &Writer, sink: Sink, counts: Arc<Counts>) -> Self {
        let inner = Arc::new(Inner { waiting: Mutex::default(), begun: Notify::new(), counts });
        writer.spawn(write(sink, Arc::clone(&inner)));
        Self(inner)
    }

    /// Puts a line in, without an end of line, told at this time since 1970-01-01T00:00:00Z. Drops it if there is no
    /// room.
    pub(crate) fn put(&self, time: Duration, text: &str) {
        let mut waiting = self.0.waiting();
        let lines = &mut waiting.lines;
        if lines.len() >= LINES_MAX || lines.text().len() + text.len() > BYTES_MAX {
            drop(waiting);
            self.0.counts.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        lines.push(time, text);
        let is_first = lines.len() == 1;
        drop(waiting);
        if is_first {
            self.0.begun.notify_one();
        }
    }

    /// Waits until what has been put in is written, or has failed.
    pub(super) async fn flush(&self) {
        let (done, written) = oneshot::channel();
        self.0.waiting().flushes.push(done);
        self.0.begun.notify_one();
        let _ = written.await;
    }
}

impl Inner {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // It is whole between any two lines.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn write(mut sink: Sink, queue: Arc<Inner>) {
    let mut empty = Lines::default();
    loop {
        queue.begun.notified().await;
        let (lines, flushes) = {
            let mut waiting = queue.waiting();
            (std::mem::replace(&mut waiting.lines, empty), std::mem::take(&mut waiting.flushes))
        };
        let written;
        (sink, written) = sink.write(lines, &queue.counts).await;
        empty = written.emptied(KEPT_MAX);
        for done in flushes {
            let _ = done.send(());
        }
        sleep(GATHERED_FOR).await;
    }
}
