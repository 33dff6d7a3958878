//! One stage: its participants, its session, and the message that shows its state to the events sockets.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use stagedoor_sfu::PeerKey;
use tokio::sync::watch;

use super::{Purpose, QuotaExceeded, Visitor};
use crate::ledger::Grant;

/// Why an events socket is closed by the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Farewell {
    /// The participant was disconnected through the API.
    NotAllowed,
    StageDeleted,
}

/// What an events socket listens to.
#[derive(Debug, Clone)]
pub struct Feed {
    /// The newest `STAGE_STATE` message. Older ones that a slow client did not take are skipped: each is complete.
    pub state: watch::Receiver<Arc<str>>,
    pub farewell: watch::Receiver<Option<Farewell>>,
}

/// What a publisher says it does not send.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Muted {
    pub audio: bool,
    pub video: bool,
}

#[derive(Debug)]
pub struct Stage {
    pub arn: Arc<str>,
    pub session_id: Arc<str>,
    pub participants: BTreeMap<Arc<str>, Participant>,
    id: String,
    empty_since: Option<Instant>,
    state: watch::Sender<Arc<str>>,
    changed: bool,
}

#[derive(Debug)]
pub struct Participant {
    /// Media connections, oldest first.
    pub connections: Vec<PeerKey>,
    user_id: String,
    attributes: BTreeMap<String, String>,
    /// The token that it has exchanged another for.
    grant: Option<Grant>,
    muted: Muted,
    /// Whom others see in its place.
    pub stands_for: Option<Arc<str>>,
    sockets: usize,
    /// Connections for publishing, connected or not.
    publishing: Vec<PeerKey>,
    pub is_publishing: bool,
    /// Since when it has had neither a socket nor a connection.
    absent_since: Option<Instant>,
    farewell: watch::Sender<Option<Farewell>>,
}

impl Stage {
    pub fn new(visitor: &Visitor) -> Stage {
        let (state, _) = watch::channel("".into());
        Stage {
            arn: visitor.stage_arn.clone(),
            id: visitor.stage_id.clone(),
            session_id: "".into(),
            empty_since: None,
            participants: BTreeMap::new(),
            state,
            changed: true,
        }
    }

    /// Continues the open session, or begins one.
    pub fn begin_session(&mut self, visitor: &Visitor) {
        if self.session_id.is_empty() {
            self.session_id = visitor.active_session.as_deref().unwrap_or(&visitor.new_session).into();
        }
        self.empty_since = None;
    }

    /// Returns whether the participant was not here before. One that was may bring a newer token.
    pub fn enter(&mut self, visitor: &Visitor, now: Instant) -> bool {
        if let Some(known) = self.participants.get_mut(&visitor.participant_id) {
            if known.newer_grant(visitor).is_none() {
                self.changed |= known.user_id != visitor.user_id || known.attributes != visitor.attributes;
                known.user_id.clone_from(&visitor.user_id);
                known.attributes.clone_from(&visitor.attributes);
                known.grant = None;
            }
            known.absent_since = known.absent_since.map(|_| now);
            return false;
        }
        let participant = Participant {
            connections: Vec::new(),
            user_id: visitor.user_id.clone(),
            attributes: visitor.attributes.clone(),
            grant: None,
            muted: Muted::default(),
            stands_for: visitor.stands_for.clone(),
            sockets: 0,
            publishing: Vec::new(),
            is_publishing: false,
            absent_since: Some(now),
            farewell: watch::channel(None).0,
        };
        self.participants.insert(visitor.participant_id.clone(), participant);
        self.changed = true;
        true
    }

    pub fn open_socket(&mut self, participant_id: &str, sockets_max: usize) -> Result<Feed, QuotaExceeded> {
        let participant = self.participants.get_mut(participant_id).ok_or(QuotaExceeded)?;
        if participant.sockets >= sockets_max {
            return Err(QuotaExceeded);
        }
        participant.sockets += 1;
        participant.absent_since = None;
        Ok(Feed { state: self.state.subscribe(), farewell: participant.farewell.subscribe() })
    }

    pub fn close_socket(&mut self, participant_id: &str, now: Instant) {
        if let Some(participant) = self.participants.get_mut(participant_id) {
            participant.sockets = participant.sockets.saturating_sub(1);
            participant.note_absence(now);
        }
    }

    pub fn attach(&mut self, participant_id: &str, key: PeerKey, publishes: bool) {
        if let Some(participant) = self.participants.get_mut(participant_id) {
            participant.connections.push(key);
            participant.publishing.extend(publishes.then_some(key));
            participant.absent_since = None;
        }
    }

    pub fn detach(&mut self, participant_id: &str, key: PeerKey, since: Instant) {
        if let Some(participant) = self.participants.get_mut(participant_id) {
            participant.connections.retain(|other| *other != key);
            participant.publishing.retain(|other| *other != key);
            if participant.publishing.is_empty() && participant.muted != Muted::default() {
                participant.muted = Muted::default();
                self.changed = true;
            }
            participant.note_absence(since);
        }
    }

    /// Puts one token in place of another. Returns the one that counted until now, and the participant's connections.
    pub fn exchange(
        &mut self,
        participant_id: &str,
        previous: Grant,
        new: Grant,
    ) -> Option<(Grant, Vec<PeerKey>)> {
        let participant = self.participants.get_mut(participant_id)?;
        self.changed |= participant.user_id != new.user_id || participant.attributes != new.attributes;
        participant.user_id.clone_from(&new.user_id);
        participant.attributes.clone_from(&new.attributes);
        // The new one may have been issued before the one that is given up, which must not count again for that.
        let given_up =
            participant.grant.as_ref().map_or(previous.issued, |grant| grant.issued.max(previous.issued));
        let grant = Grant { issued: new.issued.max(given_up), ..new };
        let previous = participant.grant.replace(grant).unwrap_or(previous);
        Some((previous, participant.connections.clone()))
    }

    pub fn set_muted(
        &mut self,
        participant_id: &str,
        audio: Option<bool>,
        video: Option<bool>,
    ) -> Option<Muted> {
        let participant = self.participants.get_mut(participant_id)?;
        if participant.publishing.is_empty() {
            return None;
        }
        let Muted { audio: before, video: stopped } = participant.muted;
        let muted = Muted { audio: audio.unwrap_or(before), video: video.unwrap_or(stopped) };
        self.changed |= participant.muted != muted;
        participant.muted = muted;
        Some(muted)
    }

    /// How many publish besides a visitor; encoders with the same content are one.
    pub fn publishers_besides(&self, visitor: &Visitor) -> usize {
        let publish = self.participants.iter().filter(|(_, participant)| !participant.publishing.is_empty());
        let shown = |id: &Arc<str>, stands_for: &Option<Arc<str>>| stands_for.as_ref().unwrap_or(id).clone();
        let mut seen: HashSet<Arc<str>> =
            publish.map(|(id, participant)| shown(id, &participant.stands_for)).collect();
        seen.remove(&shown(&visitor.participant_id, &visitor.stands_for));
        seen.len()
    }

    pub fn set_publishing(&mut self, participant_id: &str, purpose: &Purpose, publishing: bool) {
        let Purpose::Publish { .. } = purpose else { return };
        if let Some(participant) = self.participants.get_mut(participant_id) {
            self.changed |= participant.is_publishing != publishing;
            participant.is_publishing = publishing;
        }
    }

    /// Those who have been away for `leave`.
    pub fn absent(&self, now: Instant, leave: Duration) -> Vec<Arc<str>> {
        let gone = |participant: &Participant| {
            participant.absent_since.is_some_and(|since| now.saturating_duration_since(since) >= leave)
        };
        self.participants
            .iter()
            .filter(|(_, participant)| gone(participant))
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// Returns the participant, if there was one.
    pub fn remove(&mut self, participant_id: &str, now: Instant) -> Option<Participant> {
        let removed = self.participants.remove(participant_id)?;
        self.changed = true;
        if self.participants.is_empty() {
            self.empty_since = Some(now);
        }
        Some(removed)
    }

    /// Whether the stage has been empty for `session`.
    pub fn is_over(&self, now: Instant, session: Duration) -> bool {
        self.participants.is_empty()
            && self.empty_since.is_none_or(|since| now.saturating_duration_since(since) >= session)
    }

    /// Sends the state to the sockets if it has changed.
    pub fn publish_state(&mut self) {
        if std::mem::take(&mut self.changed) {
            self.state.send_replace(self.message());
        }
    }

    fn message(&self) -> Arc<str> {
        // Encoders with the same content are one participant to others.
        let shown: BTreeMap<&Arc<str>, &Participant> =
            self.participants.iter().fold(BTreeMap::new(), |mut shown, (id, participant)| {
                let entry = shown.entry(participant.stands_for.as_ref().unwrap_or(id)).or_insert(participant);
                if participant.is_publishing {
                    *entry = participant;
                }
                shown
            });
        let participants = shown.into_iter().map(|(id, participant)| Entry {
            id,
            user_id: &participant.user_id,
            attributes: &participant.attributes,
            is_publishing: participant.is_publishing,
            audio_muted: participant.muted.audio,
            video_stopped: participant.muted.video,
        });
        let payload = Payload { stage_id: &self.id, participants: participants.collect() };
        let message = Message { kind: "STAGE_STATE", payload };
        serde_json::to_string(&message).expect("text, flags and maps by text").into()
    }
}

impl Participant {
    /// Has every events socket of the participant closed.
    pub fn dismiss(&self, farewell: Farewell) {
        self.farewell.send_replace(Some(farewell));
    }

    /// Its connections for publishing, oldest first.
    pub fn publications(&self) -> &[PeerKey] {
        &self.publishing
    }

    /// Whether it has a connection for publishing.
    pub fn has_publication(&self) -> bool {
        !self.publishing.is_empty()
    }

    /// The token that counts instead of the one with which a visitor comes: that for which it was exchanged.
    pub fn newer_grant(&self, visitor: &Visitor) -> Option<&Grant> {
        self.grant.as_ref().filter(|grant| visitor.issued <= grant.issued)
    }

    fn note_absence(&mut self, since: Instant) {
        if self.sockets == 0 && self.connections.is_empty() && self.absent_since.is_none() {
            self.absent_since = Some(since);
        }
    }
}

/// The message that AWS's sample programs read.
#[derive(Serialize)]
struct Message<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    payload: Payload<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    stage_id: &'a str,
    participants: Vec<Entry<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    id: &'a str,
    user_id: &'a str,
    attributes: &'a BTreeMap<String, String>,
    is_publishing: bool,
    // Ours: AWS's SDKs know both of a participant, how they travel is not public.
    audio_muted: bool,
    video_stopped: bool,
}
