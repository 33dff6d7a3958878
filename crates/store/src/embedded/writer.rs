//! The writer thread: takes what is waiting in the queue, validates it, and makes it durable in one write.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};

use tokio::sync::watch;

use super::file::{COMMITS, DOCUMENTS, File, failure};
use super::recent::Recent;
use super::{Config, feed};
use crate::{Change, Commit, Error, Proposal, Result, Revision};

/// Most jobs made durable together.
const BATCH_JOBS_MAX: usize = 256;

/// Bytes of changes after which a batch is closed.
const BATCH_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Something to commit, and where to tell how it went.
pub(super) struct Job {
    pub(super) work: Work,
    /// Has room for the one answer, so that answering never waits.
    pub(super) reply: SyncSender<Result<Revision>>,
}

/// What to commit.
pub(super) enum Work {
    Commit(Proposal),
    Clear,
}

impl Work {
    fn bytes(&self) -> usize {
        match self {
            Self::Commit(proposal) => proposal.changes.iter().map(Change::bytes).sum(),
            Self::Clear => 0,
        }
    }
}

/// The state of the writer thread.
pub(super) struct Writer {
    file: Arc<File>,
    config: Config,
    head: watch::Sender<Revision>,
    recent: Recent,
    /// A write has failed since the head was last read from the file.
    uncertain: bool,
}

impl Writer {
    /// A writer and the channel on which it announces the latest revision.
    pub(super) fn new(file: Arc<File>, config: Config) -> Result<(Self, watch::Receiver<Revision>)> {
        let revision = file.read(feed::head)?;
        let (head, followers) = watch::channel(revision);
        Ok((Self { file, config, head, recent: Recent::new(revision), uncertain: false }, followers))
    }

    /// Works until nobody can send jobs any more.
    pub(super) fn run(mut self, queue: &Receiver<Job>) {
        while let Ok(first) = queue.recv() {
            self.commit(gather(first, queue));
        }
    }

    /// Commits the jobs that do not conflict and answers all of them.
    fn commit(&mut self, jobs: Vec<Job>) {
        if self.uncertain
            && let Err(error) = self.recover()
        {
            return answer(jobs.into_iter().map(|job| job.reply), &Err(error));
        }
        let mut accepted = Vec::new();
        let mut refused = Vec::new();
        let mut commits = Vec::new();
        let mut revision = *self.head.borrow();
        for Job { work, reply } in jobs {
            let Some(commit) = self.accept(revision.next(), work) else {
                refused.push(reply);
                continue;
            };
            revision = commit.revision;
            accepted.push((revision, reply));
            commits.push(commit);
        }
        self.finish(&commits, accepted);
        // Only now: what a refused proposal conflicts with may have become visible just by this.
        answer(refused, &Err(Error::Conflict));
    }

    /// The commit that a job becomes, unless it conflicts.
    fn accept(&mut self, revision: Revision, work: Work) -> Option<Commit> {
        let commit = match work {
            Work::Clear => Commit { revision, cleared: true, changes: Vec::new() },
            Work::Commit(proposal) if self.recent.conflicts(&proposal) => return None,
            Work::Commit(proposal) => Commit { revision, cleared: false, changes: proposal.changes },
        };
        self.recent.add(&commit);
        Some(commit)
    }

    fn finish(&mut self, commits: &[Commit], accepted: Vec<(Revision, SyncSender<Result<Revision>>)>) {
        let Some(last) = commits.last() else { return };
        match self.store(commits) {
            Ok(()) => {
                self.head.send_replace(last.revision);
                for (revision, reply) in accepted {
                    answer([reply], &Ok(revision));
                }
            }
            Err(error) => {
                self.uncertain = true;
                // If this fails too, the next job tries again.
                let _ = self.recover();
                answer(accepted.into_iter().map(|(_, reply)| reply), &Err(error));
            }
        }
    }

    fn store(&self, commits: &[Commit]) -> Result<()> {
        self.file.write(|transaction| {
            let mut documents = transaction.open_table(DOCUMENTS).map_err(failure)?;
            let mut feed = transaction.open_table(COMMITS).map_err(failure)?;
            for commit in commits {
                if commit.cleared {
                    documents.retain(|_, _| false).map_err(failure)?;
                }
                for Change { key, value } in &commit.changes {
                    match value {
                        Some(bytes) => documents.insert(key.as_str(), (commit.revision.get(), &**bytes)),
                        None => documents.remove(key.as_str()),
                    }
                    .map_err(failure)?;
                }
                feed::append(&mut feed, commit)?;
            }
            feed::trim(&mut feed, &self.config)
        })
    }

    /// Finds out what the file holds after a failed write, which may have been stored nevertheless.
    fn recover(&mut self) -> Result<()> {
        let revision = self.file.read(feed::head)?;
        let known = *self.head.borrow();
        if revision < known {
            return Err(Error::corrupt(format_args!("it went back from revision {known} to {revision}")));
        }
        self.recent = Recent::new(revision);
        self.head.send_if_modified(|head| std::mem::replace(head, revision) != revision);
        self.uncertain = false;
        Ok(())
    }
}

/// The first job and those waiting behind it.
fn gather(first: Job, queue: &Receiver<Job>) -> Vec<Job> {
    let mut bytes = first.work.bytes();
    let mut jobs = vec![first];
    while jobs.len() < BATCH_JOBS_MAX && bytes < BATCH_BYTES_MAX {
        let Ok(job) = queue.try_recv() else { break };
        bytes += job.work.bytes();
        jobs.push(job);
    }
    jobs
}

fn answer(replies: impl IntoIterator<Item = SyncSender<Result<Revision>>>, result: &Result<Revision>) {
    for reply in replies {
        // Nobody waits for the answer if the caller's thread is gone.
        let _ = reply.send(result.clone());
    }
}
