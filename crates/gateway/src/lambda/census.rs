//! How many invocations and processes there are, where they run, and the word that ends the processes.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;

pub(super) struct Census {
    /// The runtime that the program began with: what functions print is no work for a thread that serves requests.
    runtime: Option<Handle>,
    pub(super) invocations: watch::Sender<usize>,
    pub(super) processes: watch::Sender<usize>,
    closing: watch::Sender<bool>,
    stopped: watch::Sender<bool>,
}

/// Counts for as long as it lives.
pub(super) struct Counted<'a>(&'a watch::Sender<usize>);

impl Census {
    pub(super) fn new() -> Self {
        Self {
            runtime: Handle::try_current().ok(),
            invocations: watch::Sender::default(),
            processes: watch::Sender::default(),
            closing: watch::Sender::default(),
            stopped: watch::Sender::default(),
        }
    }

    /// Starts what outlives the request that needs it.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        match &self.runtime {
            Some(runtime) => drop(runtime.spawn(work)),
            None => drop(tokio::spawn(work)),
        }
    }

    pub(super) fn count(counter: &watch::Sender<usize>) -> Counted<'_> {
        counter.send_modify(|count| *count += 1);
        Counted(counter)
    }

    /// Counts an invocation from now on, wherever it goes.
    pub(super) fn invocation(self: &Arc<Self>) -> Invocation {
        self.invocations.send_modify(|count| *count += 1);
        Invocation(Arc::clone(self))
    }

    /// Returns once [`Self::close`] has been called.
    pub(super) async fn until_closing(&self) {
        let mut closing = self.closing.subscribe();
        closing.wait_for(|closing| *closing).await.expect("the sender is as old as this reference");
    }

    /// Says that the end is near, and waits until no invocation is under way, or for this long.
    pub(super) async fn close(&self, patience: Duration) {
        self.closing.send_replace(true);
        self.drained(patience).await;
    }

    /// Waits until no invocation is under way, or for this long.
    pub(super) async fn drained(&self, patience: Duration) {
        let mut invocations = self.invocations.subscribe();
        let drained = invocations.wait_for(|&count| count == 0);
        let _ = tokio::time::timeout(patience, drained).await;
    }

    pub(super) fn is_stopped(&self) -> bool {
        *self.stopped.borrow()
    }

    /// Returns once [`Self::stop`] has been called.
    pub(super) async fn until_stopped(&self) {
        let mut stopped = self.stopped.subscribe();
        stopped.wait_for(|stopped| *stopped).await.expect("the sender is as old as this reference");
    }

    /// Ends every process and waits until the last is gone.
    pub(super) async fn stop(&self) {
        self.stopped.send_replace(true);
        let mut processes = self.processes.subscribe();
        processes.wait_for(|&count| count == 0).await.expect("the sender is as old as this reference");
    }
}

/// As [`Counted`], of an invocation that nobody waits for.
pub(super) struct Invocation(Arc<Census>);

impl Drop for Invocation {
    fn drop(&mut self) {
        self.0.invocations.send_modify(|count| *count -= 1);
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
