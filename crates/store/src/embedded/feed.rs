//! The change feed's table: appending commits, trimming the oldest, reading on from a revision.

use redb::{ReadTransaction, ReadableTable, Table};

use super::Config;
use super::encoding::{decode, encode};
use super::file::{COMMITS, failure};
use crate::{Commit, Error, Result, Revision};

/// Bytes after which [`read`] returns what it has.
const READ_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Most commits that one write trims, so that a limit made smaller does not delay one commit much.
const TRIMMED_COMMITS_MAX: usize = 2048;

/// The table of commits in a write transaction.
pub(super) type Commits<'a> = Table<'a, u64, (u64, &'static [u8])>;

/// The last commit.
pub(super) fn head(transaction: &ReadTransaction) -> Result<Revision> {
    let commits = transaction.open_table(COMMITS).map_err(failure)?;
    Ok(last(&commits)?.map_or(Revision::ZERO, |(revision, _)| Revision::new(revision)))
}

/// The commits after `after`, at most `limit`, of about [`READ_BYTES_MAX`] bytes.
pub(super) fn read(transaction: &ReadTransaction, after: Revision, limit: usize) -> Result<Vec<Commit>> {
    let commits = transaction.open_table(COMMITS).map_err(failure)?;
    let (Some((first, _)), Some((last, _))) = (first(&commits)?, last(&commits)?) else {
        return if after == Revision::ZERO { Ok(Vec::new()) } else { Err(Error::Lagged { after }) };
    };
    if after.get() + 1 < first || after.get() > last {
        return Err(Error::Lagged { after });
    }
    let mut found = Vec::new();
    let mut found_bytes = 0;
    for entry in commits.range(after.get() + 1..).map_err(failure)? {
        if found.len() == limit || found_bytes > READ_BYTES_MAX {
            break;
        }
        let (revision, record) = entry.map_err(failure)?;
        let (_, bytes) = record.value();
        found_bytes += bytes.len();
        found.push(decode(Revision::new(revision.value()), bytes)?);
    }
    Ok(found)
}

/// Appends a commit.
pub(super) fn append(commits: &mut Commits<'_>, commit: &Commit) -> Result<()> {
    let bytes = encode(commit);
    let before = last(commits)?.map_or(0, |(_, total_bytes)| total_bytes);
    let record = (before + bytes.len() as u64, bytes.as_slice());
    commits.insert(commit.revision.get(), record).map_err(failure)?;
    Ok(())
}

/// Removes the oldest commits, as far as there are more than the configuration allows.
pub(super) fn trim(commits: &mut Commits<'_>, config: &Config) -> Result<()> {
    let Some((last, total_bytes)) = last(commits)? else {
        return Ok(());
    };
    for _ in 0..TRIMMED_COMMITS_MAX {
        let Some((first, bytes_before)) = first(commits)? else {
            return Ok(());
        };
        let kept = last - first + 1;
        let too_many = kept > config.feed_commits_max || total_bytes - bytes_before > config.feed_bytes_max;
        if kept == 1 || !too_many {
            return Ok(());
        }
        commits.pop_first().map_err(failure)?;
    }
    Ok(())
}

/// Revision and total bytes of the first commit in the feed.
fn first(commits: &impl ReadableTable<u64, (u64, &'static [u8])>) -> Result<Option<(u64, u64)>> {
    let first = commits.first().map_err(failure)?;
    Ok(first.map(|(revision, record)| (revision.value(), record.value().0)))
}

/// Revision and total bytes of the last commit in the feed.
fn last(commits: &impl ReadableTable<u64, (u64, &'static [u8])>) -> Result<Option<(u64, u64)>> {
    let last = commits.last().map_err(failure)?;
    Ok(last.map(|(revision, record)| (revision.value(), record.value().0)))
}
