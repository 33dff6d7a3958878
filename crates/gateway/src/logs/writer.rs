//! The thread on which lines become batches and leave: forming messages, packing, signing, input and output. The
//! threads that serve requests only put lines into queues.

use std::io;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// How long what is being written may take when the gateway is gone.
const LAST_WRITES_MAX: Duration = Duration::from_secs(2);

/// Ends when this is dropped.
pub(super) struct Writer {
    handle: Handle,
    _end: oneshot::Sender<()>,
}

impl Writer {
    /// # Errors
    /// When the system has no thread or no event queue to give.
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        thread::Builder::new().name("logs".to_owned()).spawn(move || {
            let _ = runtime.block_on(ended);
            // Whoever reads a pipe of ours, or a disk, may never be done.
            runtime.shutdown_timeout(LAST_WRITES_MAX);
        })?;
        Ok(Self { handle, _end: end })
    }

    /// Does work there.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(work);
    }
}
