//! The threads that serve connections, one per processor: a connection's requests are answered where they are read.
//!
//! Each has a runtime of its own and a handle of the gateway with connections to backends of its own, so that no
//! request wakes another thread on its way. What is decided elsewhere, control planes and media, stays on the
//! runtime that the program began with. `docs/decisions/0009-a-runtime-per-core.md` has the figures.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use stagedoor_gateway::Gateway;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// How long threads of a lane that write may take when it ends.
const THREADS_MAX: Duration = Duration::from_secs(2);

/// All of them. They end when this is dropped, and with them whatever still runs there.
pub struct Lanes(Vec<Lane>);

/// One thread, and what its connections use.
pub struct Lane {
    handle: Handle,
    gateway: Gateway,
    /// One reference per connection.
    connections: Arc<()>,
    /// Dropped to end the thread.
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// A connection's place in a lane.
pub struct Place {
    pub gateway: Gateway,
    _counted: Arc<()>,
}

impl Lanes {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system has no thread or no event queue to give.
    pub fn start(gateway: &Gateway) -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, usize::from);
        (0..count)
            .map(|number| Lane::start(number, gateway.for_thread()))
            .collect::<io::Result<_>>()
            .map(Self)
    }

    /// The lane with the fewest connections.
    fn freest(&self) -> &Lane {
        let lanes = self.0.iter();
        lanes.min_by_key(|lane| Arc::strong_count(&lane.connections)).expect("there is at least one")
    }

    /// Has a connection served where there are the fewest.
    ///
    /// # Errors
    /// When it cannot be taken from the runtime that accepted it.
    pub fn serve<F>(
        &self,
        stream: TcpStream,
        work: impl FnOnce(TcpStream, Place) -> F + Send + 'static,
    ) -> io::Result<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stream = stream.into_std()?;
        let lane = self.freest();
        let place = Place { gateway: lane.gateway.clone(), _counted: Arc::clone(&lane.connections) };
        lane.handle.spawn(async move {
            match TcpStream::from_std(stream) {
                Ok(stream) => work(stream, place).await,
                Err(error) => tracing::warn!(%error, "cannot serve a connection"),
            }
        });
        Ok(())
    }
}

impl Lane {
    fn start(number: usize, gateway: Gateway) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        let thread = thread::Builder::new().name(format!("http-{number}")).spawn(move || {
            let _ = runtime.block_on(ended);
            // Whoever reads a pipe of ours, or a disk, may never be done.
            runtime.shutdown_timeout(THREADS_MAX);
        })?;
        Ok(Self { handle, gateway, connections: Arc::default(), end: Some(end), thread: Some(thread) })
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
