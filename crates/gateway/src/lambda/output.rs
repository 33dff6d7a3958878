//! What a function's processes print: line by line into the log, and its end to callers who want it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Child;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tracing::info;

/// Longest line; what is longer becomes several.
const LINE_BYTES_MAX: usize = 16 * 1024;
/// How much of the end is kept: AWS's number.
const TAIL_BYTES_MAX: usize = 4096;
/// How long is waited until what a process has printed is read, if it does not stop to print.
const SETTLE_MAX: Duration = Duration::from_millis(200);

/// What one process has printed while it worked on an invocation whose caller wants to know.
#[derive(Default)]
pub(super) struct Printed {
    tail: Mutex<Option<Tail>>,
    readers: Mutex<Vec<mpsc::Sender<oneshot::Sender<()>>>>,
}

struct Tail {
    id: String,
    began: Instant,
    bytes: VecDeque<u8>,
}

impl Printed {
    /// An invocation begins, whose caller wants to see the end of what is printed, or does not.
    pub(super) fn begin(&self, id: &str, wanted: bool) {
        let mut tail = wanted.then(|| Tail {
            id: id.to_owned(),
            began: Instant::now(),
            bytes: VecDeque::with_capacity(TAIL_BYTES_MAX),
        });
        if let Some(tail) = &mut tail {
            tail.add(format!("START RequestId: {id} Version: $LATEST\n").as_bytes());
        }
        *self.tail() = tail;
    }

    /// The end of what was printed, in the frame that AWS puts around it.
    pub(super) fn end(&self, memory_mib: &str) -> Option<Bytes> {
        let mut tail = self.tail().take()?;
        let millis = tail.began.elapsed().as_secs_f64() * 1000.0;
        if tail.bytes.back() != Some(&b'\n') {
            tail.add(b"\n");
        }
        let id = &tail.id;
        let report = format!(
            "END RequestId: {id}\nREPORT RequestId: {id}\tDuration: {millis:.2} ms\tBilled Duration: {:.0} ms\t\
             Memory Size: {memory_mib} MB\t\n",
            millis.ceil()
        );
        tail.add(report.as_bytes());
        Some(Vec::from(tail.bytes).into())
    }

    /// Waits until what the process has printed so far is read, if anybody wants it.
    pub(super) async fn settle(&self) {
        if self.tail().is_none() {
            return;
        }
        let readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let settled = async {
            for reader in readers {
                let (reply, answer) = oneshot::channel();
                // A reader that has gone has read all there was.
                if reader.send(reply).await.is_ok() {
                    let _ = answer.await;
                }
            }
        };
        let _ = timeout(SETTLE_MAX, settled).await;
    }

    fn add(&self, bytes: &[u8]) {
        if let Some(tail) = &mut *self.tail() {
            tail.add(bytes);
        }
    }

    fn tail(&self) -> MutexGuard<'_, Option<Tail>> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tail {
    fn add(&mut self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(TAIL_BYTES_MAX)..];
        let excess = (self.bytes.len() + bytes.len()).saturating_sub(TAIL_BYTES_MAX);
        self.bytes.drain(..excess);
        self.bytes.extend(bytes);
    }
}

/// Reads both outputs until they are closed.
pub(super) fn read(function: &str, child: &mut Child, printed: &Arc<Printed>) -> JoinSet<()> {
    let mut reading = JoinSet::new();
    let mut readers = Vec::new();
    let mut reader = || {
        let (sender, asked) = mpsc::channel(1);
        readers.push(sender);
        (function.to_owned(), Arc::clone(printed), asked)
    };
    if let Some(output) = child.stdout.take() {
        reading.spawn(log(reader(), "stdout", output));
    }
    if let Some(output) = child.stderr.take() {
        reading.spawn(log(reader(), "stderr", output));
    }
    *printed.readers.lock().unwrap_or_else(PoisonError::into_inner) = readers;
    reading
}

type Reader = (String, Arc<Printed>, mpsc::Receiver<oneshot::Sender<()>>);

async fn log(
    (function, printed, mut asked): Reader,
    stream: &'static str,
    mut output: impl AsyncRead + Unpin,
) {
    let mut unwritten = BytesMut::new();
    let mut told = true;
    loop {
        unwritten.reserve(LINE_BYTES_MAX);
        let before = unwritten.len();
        tokio::select! {
            biased;
            read = output.read_buf(&mut unwritten) => {
                let Ok(1..) = read else { break };
                printed.add(&unwritten[before..]);
                while let Some(line) = line(&mut unwritten) {
                    write(&function, stream, &line);
                }
            }
            reply = asked.recv(), if told => match reply {
                // There was nothing to read.
                Some(reply) => drop(reply.send(())),
                None => told = false,
            }
        }
    }
    if !unwritten.is_empty() {
        write(&function, stream, &unwritten);
    }
}

/// Takes a line, or what is too long to be one.
fn line(unwritten: &mut BytesMut) -> Option<BytesMut> {
    let end = unwritten.iter().position(|byte| *byte == b'\n').map(|end| end + 1);
    match end {
        Some(end) => Some(unwritten.split_to(end.min(LINE_BYTES_MAX))),
        None => (unwritten.len() >= LINE_BYTES_MAX).then(|| unwritten.split_to(LINE_BYTES_MAX)),
    }
}

fn write(function: &str, stream: &'static str, line: &[u8]) {
    let text = String::from_utf8_lossy(line);
    info!(function, stream, line = text.trim_end(), "output");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_one_by_one() {
        let mut unwritten = BytesMut::from("a\n\nbc");
        assert_eq!(line(&mut unwritten).as_deref(), Some(&b"a\n"[..]));
        assert_eq!(line(&mut unwritten).as_deref(), Some(&b"\n"[..]));
        assert_eq!(line(&mut unwritten), None);
        unwritten.extend_from_slice(&[b'x'; 2 * LINE_BYTES_MAX]);
        assert_eq!(line(&mut unwritten).map(|line| line.len()), Some(LINE_BYTES_MAX));
        assert_eq!(line(&mut unwritten).map(|line| line.len()), Some(LINE_BYTES_MAX));
        assert_eq!((line(&mut unwritten), &*unwritten), (None, &b"xx"[..]));
    }

    #[tokio::test]
    async fn the_end_is_kept_if_it_is_wanted() {
        let printed = Printed::default();
        printed.begin("an-id", false);
        printed.add(b"nobody wants it");
        assert_eq!(printed.end("128"), None);
        printed.begin("an-id", true);
        printed.add(b"said");
        let tail = printed.end("128").expect("it was wanted");
        let tail = std::str::from_utf8(&tail).expect("text");
        let expected =
            "START RequestId: an-id Version: $LATEST\nsaid\nEND RequestId: an-id\nREPORT RequestId: an-id\t";
        assert!(tail.starts_with(expected) && tail.contains("\tBilled Duration: "), "{tail}");
        printed.begin("an-id", true);
        for _ in 0..100 {
            printed.add(&[b'x'; 10_000]);
        }
        let tail = printed.end("128").expect("it was wanted");
        assert!(tail.len() == TAIL_BYTES_MAX && tail.starts_with(b"xxx") && tail.ends_with(b"MB\t\n"));
    }
}
