//! The `redb` database behind the embedded store: its tables, opening, and opening again after an I/O error.
//!
//! After a failed read or write `redb` refuses further work until the file is opened anew, so this closes it at
//! once and opens it again at the next call.

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use redb::{
    Database, DatabaseError, ReadTransaction, ReadableDatabase, TableDefinition, TableError, WriteTransaction,
};

use crate::{Error, Result};

/// Key → (revision, value).
pub(super) const DOCUMENTS: TableDefinition<&str, (u64, &[u8])> = TableDefinition::new("documents");

/// Revision → (bytes of all commits so far including this one, the commit as of `encoding.rs`).
pub(super) const COMMITS: TableDefinition<u64, (u64, &[u8])> = TableDefinition::new("commits");

/// Facts about the file.
const FACTS: TableDefinition<&str, u64> = TableDefinition::new("facts");

/// The fact which tells the layout of the tables, and its only value so far.
const FORMAT: (&str, u64) = ("format", 1);

/// Opens the database.
pub(super) type Opener = Box<dyn Fn() -> Result<Database, DatabaseError> + Send + Sync>;

/// The database, open or able to be opened again.
pub(super) struct File {
    path: PathBuf,
    opener: Opener,
    state: RwLock<State>,
}

enum State {
    /// `generation` counts how often the file was opened.
    Open {
        database: Database,
        generation: u64,
    },
    /// After an I/O error.
    Failed {
        generation: u64,
    },
    Closed,
}

/// Which opening of the file something belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Generation(u64);

impl File {
    pub(super) fn open(path: PathBuf, opener: Opener) -> Result<Self> {
        let database = open(&path, &opener)?;
        Ok(Self { path, opener, state: RwLock::new(State::Open { database, generation: 0 }) })
    }

    /// Holds all that is in the file against its checksums, so that damage is told at the start and not to whoever
    /// meets it. Since every commit has two phases, a damaged file is refused and not rolled back.
    pub(super) fn verify(&mut self) -> Result<()> {
        match self.state.get_mut().unwrap_or_else(PoisonError::into_inner) {
            State::Open { database, .. } => database.check_integrity().map(drop).map_err(failure),
            State::Failed { .. } | State::Closed => Ok(()),
        }
    }

    /// Reads from a snapshot of the database.
    pub(super) fn read<T>(&self, f: impl FnOnce(&ReadTransaction) -> Result<T>) -> Result<T> {
        let (transaction, generation) = self.begin_read()?;
        self.note(generation, f(&transaction))
    }

    pub(super) fn begin_read(&self) -> Result<(ReadTransaction, Generation)> {
        self.with_database(|database| database.begin_read().map_err(failure))
    }

    /// Makes all that `f` writes durable at once, or none of it.
    pub(super) fn write<T>(&self, f: impl FnOnce(&WriteTransaction) -> Result<T>) -> Result<T> {
        let (mut transaction, generation) =
            self.with_database(|database| database.begin_write().map_err(failure))?;
        // Costs a second fsync, and makes the start after a crash as fast as any: nothing is scanned then.
        transaction.set_quick_repair(true);
        let written = f(&transaction);
        let done = written.and_then(|value| transaction.commit().map_err(failure).map(|()| value));
        self.note(generation, done)
    }

    /// Looks at the result of something done to the database and closes the database if it has failed.
    pub(super) fn note<T>(&self, generation: Generation, result: Result<T>) -> Result<T> {
        if matches!(result, Err(Error::Unavailable { .. })) {
            self.failed(generation);
        }
        result
    }

    /// Closes the database for good.
    pub(super) fn close(&self) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = State::Closed;
    }

    fn failed(&self, of: Generation) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if let State::Open { generation, .. } = *state
            && generation == of.0
        {
            *state = State::Failed { generation };
        }
    }

    fn with_database<T>(&self, begin: impl FnOnce(&Database) -> Result<T>) -> Result<(T, Generation)> {
        let state = self.opened()?;
        let State::Open { database, generation } = &*state else {
            return Err(Error::unavailable("the file has failed again"));
        };
        let generation = Generation(*generation);
        let begun = begin(database);
        drop(state);
        Ok((self.note(generation, begun)?, generation))
    }

    fn opened(&self) -> Result<RwLockReadGuard<'_, State>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        match *state {
            State::Open { .. } => return Ok(state),
            State::Closed => return Err(Error::Closed),
            State::Failed { .. } => drop(state),
        }
        self.open_again()?;
        Ok(self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn open_again(&self) -> Result<()> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if let State::Failed { generation } = *state {
            let database = open(&self.path, &self.opener)?;
            *state = State::Open { database, generation: generation + 1 };
        }
        Ok(())
    }
}

/// Opens the database, and makes its tables if it is new.
fn open(path: &Path, opener: &Opener) -> Result<Database> {
    // A damaged file can make redb panic, which reads some of it before it looks at checksums.
    let opened = catch_unwind(AssertUnwindSafe(opener)).map_err(|_| Error::corrupt("it cannot be read"))?;
    let database = opened.map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            Error::InUse { path: path.to_owned() }
        }
        error => failure(error),
    })?;
    match format(&database)? {
        Some(format) if format == FORMAT.1 => {}
        Some(format) => return Err(Error::corrupt(format_args!("its format {format} is unknown"))),
        None => create(&database, path)?,
    }
    Ok(database)
}

/// The format of the tables, unless there are none.
fn format(database: &Database) -> Result<Option<u64>> {
    let facts = match database.begin_read().map_err(failure)?.open_table(FACTS) {
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        facts => facts.map_err(failure)?,
    };
    let format = facts.get(FORMAT.0).map_err(failure)?;
    match format {
        Some(format) => Ok(Some(format.value())),
        None => Err(Error::corrupt("it does not say its format")),
    }
}

fn create(database: &Database, path: &Path) -> Result<()> {
    let transaction = database.begin_write().map_err(failure)?;
    transaction.open_table(DOCUMENTS).map_err(failure)?;
    transaction.open_table(COMMITS).map_err(failure)?;
    transaction.open_table(FACTS).map_err(failure)?.insert(FORMAT.0, FORMAT.1).map_err(failure)?;
    transaction.commit().map_err(failure)?;
    sync_directory(path)
}

/// Makes the new file's name durable; the file's contents alone would not survive a power failure.
fn sync_directory(path: &Path) -> Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let synced = std::fs::File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(Error::unavailable)
}

/// Whether an error of `redb` means that the file cannot be used now, or that what it holds is wrong.
pub(super) fn failure(error: impl Into<redb::Error>) -> Error {
    match error.into() {
        error @ (redb::Error::Corrupted(_)
        | redb::Error::UpgradeRequired(_)
        | redb::Error::TableDoesNotExist(_)
        | redb::Error::TableIsMultimap(_)
        | redb::Error::TableTypeMismatch { .. }
        | redb::Error::TypeDefinitionChanged { .. }) => Error::corrupt(error),
        redb::Error::Io(error)
            if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) =>
        {
            Error::corrupt(error)
        }
        error => Error::unavailable(error),
    }
}
