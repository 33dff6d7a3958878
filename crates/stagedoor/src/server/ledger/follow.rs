//! Stages, their open sessions and revoked participants, imported keys and stream keys, kept current by the store's change feed.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use stagedoor_auth::es384::PublicKey as VerifyingKey;
use stagedoor_auth::participant_token::TokenError;
use stagedoor_media::ledger::{Admission, Change, Ingest, IngestRefusal};
use stagedoor_state::document::{Key, Kind, decode, prefix, store_fault};
use stagedoor_state::ivs::notice::Notice;
use stagedoor_state::ivs::{ActiveSession, IngestConfiguration, PublicKey, Revocation, Stage};
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
    /// The last revision that may have put something into the outbox of events.
    noticed: watch::Sender<Revision>,
}

#[derive(Default)]
struct Known {
    /// By ARN.
    stages: HashMap<String, KnownStage>,
    /// Imported keys that tokens may be signed with, by ARN.
    public_keys: HashMap<String, VerifyingKey>,
    /// Ingest configurations by ARN, and by stream key their ARN and the participant.
    ingests: HashMap<String, IngestConfiguration>,
    stream_keys: HashMap<String, (String, String)>,
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

    pub fn noticed(&self) -> watch::Receiver<Revision> {
        self.noticed.subscribe()
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

    pub fn ingest(&self, stream_key: &str) -> Result<Ingest, IngestRefusal> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let Some((ingest_arn, participant_id)) = known.stream_keys.get(stream_key) else {
            return Err(IngestRefusal::WrongKey { of: known.named_by(stream_key) });
        };
        let configuration = known.ingests.get(ingest_arn).ok_or(IngestRefusal::WrongKey { of: None })?;
        let stage = known.stages.get(&configuration.stage_arn).ok_or(IngestRefusal::Detached)?;
        let shown = &configuration.credential.participant_id;
        if stage.revoked.contains(participant_id) || stage.revoked.contains(shown) {
            return Err(IngestRefusal::Detached);
        }
        Ok(Ingest {
            configuration_arn: configuration.arn.clone(),
            stage_arn: configuration.stage_arn.clone(),
            stage_id: configuration.stage_arn.rsplit_once('/').map_or("", |(_, id)| id).to_owned(),
            participant_id: participant_id.clone(),
            stands_for: (participant_id != shown).then(|| shown.clone()),
            user_id: configuration.user_id.clone(),
            attributes: configuration.attributes.clone(),
            insecure: configuration.allows_insecure(),
            active_session: stage.active_session.clone(),
        })
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
            told.extend(apply_ingest(&mut known, &change.key, change.value.as_deref()));
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

fn apply_ingest(known: &mut Known, key: &str, value: Option<&[u8]>) -> Vec<Change> {
    let Some(key) = Key::parse::<IngestConfiguration>(key) else { return Vec::new() };
    let ingest_arn = arn::ivs(&key.region, &key.account, "ingest-configuration", &key.ids.concat());
    known.set_ingest(ingest_arn, value.and_then(|bytes| decode(bytes).ok()))
}

impl Known {
    /// The stage and participant of the configuration that a stream key names, whatever its secret:
    /// `rt_{account}_{region}_{configuration}_{secret}`.
    fn named_by(&self, stream_key: &str) -> Option<(String, String)> {
        let mut parts = stream_key.splitn(5, '_').skip(1);
        let (account, region, id) = (parts.next()?, parts.next()?, parts.next()?);
        let named = self.ingests.get(&arn::ivs(region, account, "ingest-configuration", id))?;
        Some((named.stage_arn.clone(), named.credential.participant_id.clone()))
    }

    /// Takes over an ingest configuration, or that it was deleted. Who published by it to a stage that it is no
    /// longer attached to has to go.
    fn set_ingest(&mut self, ingest_arn: String, new: Option<IngestConfiguration>) -> Vec<Change> {
        let old = self.ingests.remove(&ingest_arn);
        for credential in old.iter().flat_map(IngestConfiguration::credentials) {
            self.stream_keys.remove(&credential.stream_key);
        }
        let gone = old.filter(|old| new.as_ref().is_none_or(|new| new.stage_arn != old.stage_arn));
        if let Some(new) = new {
            for credential in new.credentials() {
                let participant = (ingest_arn.clone(), credential.participant_id.clone());
                self.stream_keys.insert(credential.stream_key.clone(), participant);
            }
            self.ingests.insert(ingest_arn, new);
        }
        let change = |old: &IngestConfiguration, participant_id: &str| Change::ParticipantDisconnected {
            stage_arn: old.stage_arn.clone(),
            participant_id: participant_id.to_owned(),
        };
        gone.iter().flat_map(|old| old.participant_ids().map(|id| change(old, id))).collect()
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
    let followed = Arc::new(Followed {
        known: RwLock::new(known),
        seen: watch::Sender::new(revision),
        noticed: watch::Sender::new(revision),
    });
    let follower = Follower { store: store.clone(), followed: Arc::clone(&followed), changes };
    Ok((followed, follower))
}

fn load(store: &Store) -> Result<(Known, Revision), Fault> {
    transact::read(store, |transaction| {
        let mut known = Known::default();
        // Stages first: the other documents belong to them.
        let stages = [prefix::<Stage>(), prefix::<ActiveSession>(), prefix::<Revocation>()];
        for prefix in stages.into_iter().chain([prefix::<PublicKey>(), prefix::<IngestConfiguration>()]) {
            let visited = transaction.visit::<()>(&prefix, |key, document| {
                apply(&mut known, key, Some(&document.bytes));
                apply_ingest(&mut known, key, Some(&document.bytes));
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
        let outbox = prefix::<Notice>();
        if commit.changes.iter().any(|change| change.value.is_some() && change.key.starts_with(&outbox)) {
            self.followed.noticed.send_replace(commit.revision);
        }
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
            for (ingest_arn, new) in &fresh.ingests {
                told.extend(known.set_ingest(ingest_arn.clone(), Some(new.clone())));
            }
            let deleted: Vec<String> =
                known.ingests.keys().filter(|arn| !fresh.ingests.contains_key(*arn)).cloned().collect();
            for ingest_arn in deleted {
                told.extend(known.set_ingest(ingest_arn, None));
            }
            *known = fresh;
        }
        for change in told {
            let _ = self.changes.send(change).await;
        }
        self.followed.seen.send_replace(revision);
        self.followed.noticed.send_replace(revision);
    }
}
