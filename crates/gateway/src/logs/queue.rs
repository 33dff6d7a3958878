//! The queue of one destination: requests put lines in and never wait; a task takes them out in batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use super::sink::Sink;
use super::writer::Writer;

/// Lines that wait for a destination; more are dropped.
const LINES_MAX: usize = 16_384;
/// The same in bytes, all of a destination's lines together.
const BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long lines are gathered before they are written: nobody is woken for each of them.
const GATHERED_FOR: Duration = Duration::from_millis(50);
/// Lines written at a time.
const BATCH_MAX: usize = 500;
/// Bytes written at a time, but for one line that is longer: what the services take, with room for what is around.
const BATCH_BYTES_MAX: usize = 768 * 1024;

/// One event of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Since 1970-01-01T00:00:00Z.
    pub(crate) time: Duration,
    /// Without an end of line.
    pub(crate) text: String,
}

/// What became of lines.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) written: AtomicU64,
    /// For want of room.
    pub(crate) dropped: AtomicU64,
    /// Their sink did not take them.
    pub(crate) failed: AtomicU64,
}

/// Puts lines in. Clones put into the same queue.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    sender: mpsc::Sender<Entry>,
    waiting_bytes: Arc<AtomicUsize>,
    counts: Arc<Counts>,
}

enum Entry {
    Line(Line),
    /// Answered when all that was before it is written.
    Flush(oneshot::Sender<()>),
}

impl Queue {
    /// Starts the task, which ends when the last clone is gone.
    pub(super) fn start(writer: &Writer, sink: Sink, counts: Arc<Counts>) -> Self {
        let (sender, receiver) = mpsc::channel(LINES_MAX);
        let waiting_bytes = Arc::<AtomicUsize>::default();
        writer.spawn(write(sink, receiver, Arc::clone(&waiting_bytes), Arc::clone(&counts)));
        Self { sender, waiting_bytes, counts }
    }

    /// Drops the line if there is no room.
    pub(crate) fn put(&self, line: Line) {
        let bytes = line.text.len();
        let before = self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes > BYTES_MAX || self.sender.try_send(Entry::Line(line)).is_err() {
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until what has been put in is written, or has failed.
    pub(super) async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.sender.send(Entry::Flush(done)).await.is_ok() {
            let _ = written.await;
        }
    }
}

async fn write(
    mut sink: Sink,
    mut receiver: mpsc::Receiver<Entry>,
    waiting_bytes: Arc<AtomicUsize>,
    counts: Arc<Counts>,
) {
    let mut entries = Vec::with_capacity(BATCH_MAX);
    while receiver.recv_many(&mut entries, BATCH_MAX).await > 0 {
        let (mut batch, mut flushed, mut bytes) = (Vec::new(), Vec::new(), 0);
        for entry in entries.drain(..) {
            match entry {
                Entry::Flush(done) => flushed.push(done),
                Entry::Line(line) => {
                    waiting_bytes.fetch_sub(line.text.len(), Ordering::Relaxed);
                    if bytes + line.text.len() > BATCH_BYTES_MAX && !batch.is_empty() {
                        sink = written(sink, std::mem::take(&mut batch), &counts).await;
                        bytes = 0;
                    }
                    bytes += line.text.len();
                    batch.push(line);
                }
            }
        }
        if !batch.is_empty() {
            sink = written(sink, batch, &counts).await;
        }
        for done in flushed {
            let _ = done.send(());
        }
        if receiver.is_empty() {
            sleep(GATHERED_FOR).await;
        }
    }
}

async fn written(sink: Sink, batch: Vec<Line>, counts: &Counts) -> Sink {
    let lines = batch.len() as u64;
    let (sink, outcome) = sink.write(batch).await;
    let counter = if outcome.is_ok() { &counts.written } else { &counts.failed };
    counter.fetch_add(lines, Ordering::Relaxed);
    if let Err(error) = outcome {
        tracing::warn!(lines, %error, "log lines could not be written");
    }
    sink
}
