//! What a function's processes print, line by line, into the log.

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::Child;
use tokio::task::JoinSet;
use tracing::info;

/// Longest line; what is longer becomes several.
const LINE_BYTES_MAX: u64 = 16 * 1024;

/// Reads both outputs until they are closed.
pub(super) fn read(function: &str, child: &mut Child) -> JoinSet<()> {
    let mut reading = JoinSet::new();
    if let Some(output) = child.stdout.take() {
        reading.spawn(log(function.to_owned(), "stdout", output));
    }
    if let Some(output) = child.stderr.take() {
        reading.spawn(log(function.to_owned(), "stderr", output));
    }
    reading
}

async fn log(function: String, stream: &'static str, output: impl AsyncRead + Unpin) {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    while let Ok(1..) = (&mut output).take(LINE_BYTES_MAX).read_until(b'\n', &mut line).await {
        let text = String::from_utf8_lossy(&line);
        info!(function, stream, line = text.trim_end(), "output");
        line.clear();
    }
}
