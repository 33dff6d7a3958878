//! The threads of the shards, and the end of each: none of them may end unnoticed, since its connections hang on it.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::Notify;

/// Running threads.
pub struct Threads {
    threads: Vec<JoinHandle<io::Result<()>>>,
    ended: Arc<Notify>,
}

/// Rings when its thread ends, however that happens.
struct Bell(Arc<Notify>);

impl Threads {
    /// A thread for each piece of work.
    pub fn start<W>(works: Vec<W>) -> io::Result<Threads>
    where
        W: FnOnce() -> io::Result<()> + Send + 'static,
    {
        let ended = Arc::new(Notify::new());
        let threads = works.into_iter().enumerate().map(|(index, work)| {
            let bell = Bell(ended.clone());
            std::thread::Builder::new().name(format!("media-{index}")).spawn(move || {
                let _bell = bell;
                work()
            })
        });
        Ok(Threads { threads: threads.collect::<io::Result<_>>()?, ended })
    }

    /// Waits until one of them has ended.
    pub async fn ended(&self) {
        self.ended.notified().await;
    }

    /// Whether all have ended.
    pub fn finished(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }

    /// Waits until all have ended, on a thread that may be blocked. An error is that of the first that failed.
    pub fn join(self) -> io::Result<()> {
        let mut joined = Ok(());
        for thread in self.threads {
            let ended = thread.join().unwrap_or_else(|_| Err(io::Error::other("a media thread panicked")));
            joined = joined.and(ended);
        }
        joined
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test]
    async fn the_end_of_one_thread_is_noticed_and_its_error_kept() {
        for panics in [true, false] {
            let (go_on, wait) = mpsc::sync_channel::<()>(1);
            let lasting: Box<dyn FnOnce() -> io::Result<()> + Send> = Box::new(move || {
                _ = wait.recv();
                Ok(())
            });
            let failing: Box<dyn FnOnce() -> io::Result<()> + Send> = Box::new(move || {
                assert!(!panics, "on purpose");
                Err(io::Error::other("no socket"))
            });
            let threads = Threads::start(vec![lasting, failing]).expect("starts");
            threads.ended().await;
            assert!(!threads.finished());
            drop(go_on);
            let joined = tokio::task::spawn_blocking(|| threads.join()).await.expect("joins");
            let error = joined.expect_err("one failed").to_string();
            assert_eq!(error, if panics { "a media thread panicked" } else { "no socket" });
        }
    }
}
