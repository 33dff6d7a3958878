//! The embedded back end: one `redb` file, or one in memory, used by one process.
//!
//! Reading happens on the caller's thread, from a snapshot. Commits go through one writer thread, which makes all
//! that are waiting durable in one go. This file owns the handle and its options; the reasons for all this are in
//! `docs/decisions/0002-store.md`.

mod encoding;
mod feed;
mod file;
mod recent;
mod snapshot;
mod writer;

use std::io;
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use redb::Database;
use redb::backends::InMemoryBackend;
use tokio::sync::watch;

use crate::{Backend, Commit, Error, Proposal, Result, Revision, Snapshot};
use file::{File, Opener};
use snapshot::EmbeddedSnapshot;
use writer::{Job, Work, Writer};

/// Most commits waiting for the writer. A caller who finds the queue full waits for a place in it.
const QUEUE_JOBS_MAX: usize = 256;

/// Options of the embedded store.
#[derive(Debug, Clone)]
pub struct Config {
    /// Commits that the change feed keeps; the last one is always kept. Default 100,000.
    pub feed_commits_max: u64,
    /// Bytes that the change feed keeps of the commits before the last one. Default 64 MiB.
    pub feed_bytes_max: u64,
    /// Memory for pages of the file, in bytes. Default 16 MiB.
    pub cache_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { feed_commits_max: 100_000, feed_bytes_max: 64 * 1024 * 1024, cache_bytes: 16 * 1024 * 1024 }
    }
}

/// The embedded back end.
pub struct Embedded {
    file: Arc<File>,
    head: watch::Receiver<Revision>,
    /// `None` when closed.
    writer: Mutex<Option<WriterThread>>,
}

struct WriterThread {
    jobs: SyncSender<Job>,
    thread: JoinHandle<()>,
}

impl Embedded {
    /// Opens the file `path`, creating it if it does not exist (its directory must). After a crash this repairs it.
    ///
    /// # Errors
    /// As of [`crate::Store::open_embedded`].
    pub fn open(path: impl AsRef<Path>, config: Config) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let (cache_bytes, created) = (config.cache_bytes, path.clone());
        let opener: Opener = Box::new(move || {
            match std::fs::metadata(&created) {
                // `make` leaves none: it has lost what it held, and redb would begin anew in it.
                Ok(found) if found.len() == 0 => return Err(empty()),
                Ok(_) => {}
                Err(_) => make(&created)?,
            }
            Database::builder().set_cache_size(cache_bytes).create(&created)
        });
        let mut file = File::open(path, opener)?;
        file.verify()?;
        Self::start(file, config)
    }

    /// A store in memory.
    ///
    /// # Errors
    /// As of [`crate::Store::open_embedded`]; none is expected.
    pub fn in_memory(config: Config) -> Result<Self> {
        let opener: Opener = Box::new(|| Database::builder().create_with_backend(InMemoryBackend::new()));
        Self::start(File::open(Path::new(":memory:").to_owned(), opener)?, config)
    }

    fn start(file: File, config: Config) -> Result<Self> {
        let file = Arc::new(file);
        let (writer, head) = Writer::new(Arc::clone(&file), config)?;
        let (jobs, queue) = sync_channel(QUEUE_JOBS_MAX);
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run(&queue))
            .map_err(Error::unavailable)?;
        Ok(Self { file, head, writer: Mutex::new(Some(WriterThread { jobs, thread })) })
    }

    /// Has the writer do something, and waits until it is durable.
    fn submit(&self, work: Work) -> Result<Revision> {
        let jobs = {
            let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
            writer.as_ref().ok_or(Error::Closed)?.jobs.clone()
        };
        let (reply, answer) = sync_channel(1);
        let stopped = || Error::unavailable("the writer thread has stopped; restart to recover");
        jobs.send(Job { work, reply }).map_err(|_| stopped())?;
        answer.recv().map_err(|_| stopped())?
    }
}

impl Backend for Embedded {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>> {
        Ok(Box::new(EmbeddedSnapshot::new(&self.file)?))
    }

    fn commit(&self, proposal: Proposal) -> Result<Revision> {
        self.submit(Work::Commit(proposal))
    }

    fn commits_after(&self, after: Revision, limit: usize) -> Result<Vec<Commit>> {
        self.file.read(|transaction| feed::read(transaction, after, limit))
    }

    fn head(&self) -> watch::Receiver<Revision> {
        self.head.clone()
    }

    fn clear(&self) -> Result<Revision> {
        self.submit(Work::Clear)
    }

    fn close(&self) {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(WriterThread { jobs, thread }) = writer {
            drop(jobs);
            // A writer that panicked has told its callers; there is nothing more to do about it here.
            let _ = thread.join();
        }
        self.file.close();
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.close();
    }
}

fn empty() -> redb::DatabaseError {
    redb::StorageError::from(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is empty")).into()
}

/// Makes a new file aside and gives it its name when it is whole: a process that is killed meanwhile leaves none that
/// cannot be opened. One that another process has made first stays.
fn make(path: &Path) -> std::result::Result<(), redb::DatabaseError> {
    let aside = path.with_extension(format!("{}.new", std::process::id()));
    drop(Database::builder().create(&aside)?);
    let named = std::fs::hard_link(&aside, path);
    std::fs::remove_file(&aside).map_err(redb::StorageError::from)?;
    match named {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(redb::StorageError::from(error).into())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
