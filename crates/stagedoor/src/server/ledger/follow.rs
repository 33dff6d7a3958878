//! Stages, their open sessions and revoked participants, and imported keys, kept current by the store's change feed.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use stagedoor_auth::es384::PublicKey as VerifyingKey;
use stagedoor_auth::participant_token::TokenError;
use stagedoor_media::ledger::{Admission, Change};
use stagedoor_state::document::{Key, Kind, decode, prefix, store_fault};
use stagedoor_state::ivs::{ActiveSession, PublicKey, Revocation, Stage};
use stagedoor_state::{Fault, arn, transact};
use stagedoor_store::{Commit, Error, Revision, Store};
use tokio::sync::{mpsc, watch};

use crate::server::told;

/// Pause before the store is asked again after it failed.
const RETRY: Duration = Duration::from_millis(500);

/// What is known of stages. Read by requests, written by the one follower.
pub struct Followed {
    known: RwLock<Known>,
    seen: watch::Sender<Revision>,
}

#[derive(Default)]
struct Known {
    /// By ARN.
    stages: HashMap<String, KnownStage>,
    /// Imported keys that tokens may be signed with, by ARN.
    public_keys: HashMap<String, VerifyingKey>,
}

#[derive(Default)]
struct KnownStage {
    active_session: Option<String>,
    revoked: HashSet<String>,
}

impl Followed {
    pub fn seen(&self) -> watch::Receiver<Revision> {
        self.seen.subscribe()
    }

    pub fn public_key(&self, key_arn: &str) -> Option<VerifyingKey> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.public_keys.get(key_arn).cloned()
    }

    pub fn admit(&self, stage_arn: &str, participant_id: &str) -> Result<Admission, TokenError> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let stage = known.stages.get(stage_arn).ok_or(TokenError::StageDeleted)?;
        if stage.revoked.contains(participant_id) {
            return Err(TokenError::ParticipantDisconnected);
        }
        Ok(Admission { active_session: stage.active_session.clone() })
    }

    /// Takes over a commit; returns what the media plane must be told.
    fn apply(&self, commit: &Commit) -> Vec<Change> {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let mut told = Vec::new();
        if commit.cleared {
            let stages = std::mem::take(&mut *known).stages.into_keys();
            told.extend(stages.map(|stage_arn| Change::StageDeleted { stage_arn }));
        }
        for change in &commit.changes {
            told.extend(apply(&mut known, &change.key, change.value.as_deref()));
        }
        told
    }
}

fn apply(known: &mut Known, key: &str, value: Option<&[u8]>) -> Option<Change> {
    if let Some(stage_arn) = stage_arn::<Stage>(key) {
        if value.is_some() {
            known.stages.entry(stage_arn).or_default();
            return None;
        }
        known.stages.remove(&stage_arn).map(|_| Change::StageDeleted { stage_arn })
    } else if let Some(stage_arn) = stage_arn::<ActiveSession>(key) {
        let session = value.and_then(|bytes| decode::<ActiveSession>(bytes).ok());
        known.stages.get_mut(&stage_arn)?.active_session = session.map(|session| session.session_id);
        None
    } else if let Some(stage_arn) = stage_arn::<Revocation>(key) {
        let participant_id = Key::parse::<Revocation>(key)?.ids.into_iter().nth(1)?;
        let revoked = &mut known.stages.get_mut(&stage_arn)?.revoked;
        if value.is_none() {
            revoked.remove(&participant_id);
            return None;
        }
        let change = Change::ParticipantDisconnected { stage_arn, participant_id: participant_id.clone() };
        revoked.insert(participant_id).then_some(change)
    } else if let Some(key) = Key::parse::<PublicKey>(key) {
        let key_arn = arn::ivs(&key.region, &key.account, "public-key", key.ids.first()?);
        let imported = value.and_then(|bytes| decode::<PublicKey>(bytes).ok());
        match imported.and_then(|imported| imported.key().ok()) {
            Some(verifying) => _ = known.public_keys.insert(key_arn, verifying),
            None => _ = known.public_keys.remove(&key_arn),
        }
        None
    } else {
        None
    }
}

/// The ARN of the stage to which a document of this kind belongs.
fn stage_arn<T: Kind>(key: &str) -> Option<String> {
    let key = Key::parse::<T>(key)?;
    Some(arn::ivs(&key.region, &key.account, "stage", key.ids.first()?))
}

/// Follows the feed until the server stops.
pub struct Follower {
    store: Store,
    followed: Arc<Followed>,
    changes: mpsc::Sender<Change>,
}

/// Reads the stages from the store and prepares to follow.
pub fn open(store: &Store, changes: mpsc::Sender<Change>) -> Result<(Arc<Followed>, Follower), Fault> {
    let (known, revision) = load(store)?;
    let followed = Arc::new(Followed { known: RwLock::new(known), seen: watch::Sender::new(revision) });
    let follower = Follower { store: store.clone(), followed: Arc::clone(&followed), changes };
    Ok((followed, follower))
}

fn load(store: &Store) -> Result<(Known, Revision), Fault> {
    transact::read(store, |transaction| {
        let mut known = Known::default();
        // Stages first: the other documents belong to them.
        let stages = [prefix::<Stage>(), prefix::<ActiveSession>(), prefix::<Revocation>()];
        for prefix in stages.into_iter().chain([prefix::<PublicKey>()]) {
            let visited = transaction.visit::<()>(&prefix, |key, document| {
                apply(&mut known, key, Some(&document.bytes));
                ControlFlow::Continue(())
            });
            visited.map_err(store_fault)?;
        }
        Ok((known, transaction.revision()))
    })
}

impl Follower {
    pub async fn run(self, stopped: watch::Receiver<bool>) {
        let position = *self.followed.seen.borrow();
        let mut feed = self.store.follow(position);
        loop {
            let commit = tokio::select! {
                commit = feed.next() => commit,
                () = told(stopped.clone()) => return,
            };
            match commit {
                Ok(commit) => self.take(&commit).await,
                Err(Error::Closed) => return,
                Err(Error::Lagged { .. }) => {
                    self.reload().await;
                    feed = self.store.follow(*self.followed.seen.borrow());
                }
                Err(error) => {
                    tracing::warn!(%error, "the change feed cannot be read");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    async fn take(&self, commit: &Commit) {
        for change in self.followed.apply(commit) {
            // Waits while the media plane is busy; it fails only when that has ended.
            let _ = self.changes.send(change).await;
        }
        self.followed.seen.send_replace(commit.revision);
    }

    /// The feed no longer reaches back to where we were: read everything anew and tell the differences.
    async fn reload(&self) {
        let Ok((fresh, revision)) = load(&self.store) else { return tokio::time::sleep(RETRY).await };
        let mut told = Vec::new();
        {
            let mut known = self.followed.known.write().unwrap_or_else(PoisonError::into_inner);
            for (stage_arn, before) in &known.stages {
                let Some(now) = fresh.stages.get(stage_arn) else {
                    told.push(Change::StageDeleted { stage_arn: stage_arn.clone() });
                    continue;
                };
                told.extend(now.revoked.difference(&before.revoked).map(|participant_id| {
                    let (stage_arn, participant_id) = (stage_arn.clone(), participant_id.clone());
                    Change::ParticipantDisconnected { stage_arn, participant_id }
                }));
            }
            *known = fresh;
        }
        for change in told {
            let _ = self.changes.send(change).await;
        }
        self.followed.seen.send_replace(revision);
    }
}
