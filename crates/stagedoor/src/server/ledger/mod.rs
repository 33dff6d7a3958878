//! What the media plane asks and tells, answered from and written to the store.
//!
//! [`follow`] keeps the stages that exist and the participants turned out in memory, so that asking costs no
//! access to the store; [`record`] writes what happened, in order, on a thread of its own.

mod follow;
mod record;
pub mod retention;

use std::sync::Arc;

use stagedoor_auth::es384::PublicKey;
use stagedoor_auth::participant_token::{Claims, TokenError};
use stagedoor_media::ledger::{Admission, Change, Ingest, IngestRefusal, Ledger, Note};
use stagedoor_state::Fault;
use stagedoor_store::{Revision, Store};
use tokio::sync::{mpsc, watch};

pub use follow::Followed;
use record::Recorder;

/// Changes that wait for the media plane at most; the feed is read no faster than they are taken.
const CHANGES_MAX: usize = 1024;

/// The store, as the media plane sees it.
pub struct StoreLedger {
    token_key_id: &'static str,
    token_key: PublicKey,
    followed: Arc<Followed>,
    recorder: Recorder,
}

/// A ledger, and what has to run beside it.
pub struct Opened {
    pub ledger: Arc<StoreLedger>,
    pub changes: mpsc::Receiver<Change>,
    pub follower: follow::Follower,
}

impl StoreLedger {
    /// Reads what the store knows of stages. Whoever was connected when the last server died is recorded as gone.
    /// `tells`: whether EventBridge's events have anywhere to go.
    pub fn open(
        store: &Store,
        token_key_id: &'static str,
        token_key: PublicKey,
        tells: bool,
    ) -> Result<Opened, Fault> {
        record::recover(store, tells)?;
        let (sender, changes) = mpsc::channel(CHANGES_MAX);
        let (followed, follower) = follow::open(store, sender)?;
        let recorder = Recorder::start(store.clone(), tells);
        let ledger = Arc::new(Self { token_key_id, token_key, followed, recorder });
        Ok(Opened { ledger, changes, follower })
    }

    /// Returns when answers take everything up to `revision` into account.
    pub async fn caught_up(&self, revision: Revision) {
        let mut seen: watch::Receiver<Revision> = self.followed.seen();
        // An error means that the follower has ended, and with it the server.
        let _ = seen.wait_for(|seen| *seen >= revision).await;
    }

    /// Tells each revision with something new in the outbox of events.
    pub fn noticed(&self) -> watch::Receiver<Revision> {
        self.followed.noticed()
    }

    /// Writes what is still queued, then ends.
    pub fn close(&self) {
        self.recorder.close();
    }
}

impl Ledger for StoreLedger {
    fn public_key(&self, kid: &str) -> Option<PublicKey> {
        if kid == self.token_key_id { Some(self.token_key.clone()) } else { self.followed.public_key(kid) }
    }

    fn admit(&self, claims: &Claims) -> Result<Admission, TokenError> {
        self.followed.admit(&claims.resource, &claims.jti)
    }

    fn ingest(&self, stream_key: &str) -> Result<Ingest, IngestRefusal> {
        self.followed.ingest(stream_key)
    }

    fn record(&self, note: Note) {
        self.recorder.record(note);
    }
}
