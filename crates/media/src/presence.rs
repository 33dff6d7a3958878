//! Who is on which stage: participants, their sockets and media connections, the stage's session. It decides when
//! somebody has joined, left, started or stopped, and notes it; it does no I/O, and every method is told the time.
//!
//! A participant is on a stage from its first socket or POST until all of them have ended and some seconds have
//! passed. A session begins with the first participant and ends some minutes after the last; whoever comes back in
//! between finds the same session.

mod counts;
mod redundant;
mod stage;

pub use redundant::Rename;
pub use stage::{Farewell, Feed, Muted};

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use stagedoor_auth::participant_token::Capabilities;
use stagedoor_sfu::{Kind, PeerKey, PeerMap, TrackSpec, Violation};

use crate::config::{Limits, Timeouts};
use crate::ledger::{Attempt, Client, ErrorCode, Exchange, Grant, Joining, Note, Protocol, What};
use crate::shard::End;
use crate::world::Moment;
use stage::Stage;

/// Somebody with a verified token for a stage.
#[derive(Debug, Clone)]
pub struct Visitor {
    pub stage_arn: Arc<str>,
    /// The last part of the ARN, which the events socket calls `topic`.
    pub stage_id: String,
    pub participant_id: Arc<str>,
    pub user_id: String,
    pub attributes: BTreeMap<String, String>,
    /// When its token was, in seconds since 1970; 0 if it has none.
    pub issued: i64,
    pub protocol: Protocol,
    pub client: Client,
    /// Of an RTMP encoder.
    pub ingest_configuration_arn: Option<Arc<str>>,
    /// Of one of two encoders with the same content: whom others see in their place.
    pub stands_for: Option<Arc<str>>,
    /// The session to continue if the stage has none open here, and the id of a new one.
    pub active_session: Option<String>,
    pub new_session: String,
}

/// A stage or participant has as many as it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaExceeded;

/// What a media connection is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    Publish { tracks: Vec<TrackSpec> },
    Subscribe { remote: Arc<str> },
}

/// A WHIP session: a media connection and the URL by which its owner changes and ends it.
#[derive(Debug, Clone)]
pub struct Connection {
    pub resource: String,
    pub etag: String,
    /// The ICE user name fragment of the peer's offer.
    pub peer_ufrag: String,
    /// What stands at the head of an SDP fragment about the session.
    pub fragment_head: String,
    pub purpose: Purpose,
}

/// Whether somebody can be received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remote {
    /// Nobody of this name is on the stage.
    Unknown,
    NotPublishing,
    Publishing {
        video: Option<TrackSpec>,
    },
}

/// Everybody on every stage.
#[derive(Debug)]
pub struct Presence {
    timeouts: Timeouts,
    limits: Limits,
    stages: HashMap<Arc<str>, Stage>,
    connections: PeerMap<Attached>,
    resources: HashMap<String, PeerKey>,
    notes: Vec<Note>,
    renames: Vec<Rename>,
}

/// A connection with its owner.
#[derive(Debug)]
struct Attached {
    stage_arn: Arc<str>,
    participant_id: Arc<str>,
    /// Under which a publication is received.
    name: Arc<str>,
    protocol: Protocol,
    connection: Connection,
    connected: bool,
    /// A newer connection has taken its place: its end is not an event.
    superseded: bool,
}

impl Presence {
    pub fn new(timeouts: Timeouts, limits: Limits) -> Presence {
        Presence {
            timeouts,
            limits,
            stages: HashMap::new(),
            connections: PeerMap::default(),
            resources: HashMap::new(),
            notes: Vec::new(),
            renames: Vec::new(),
        }
    }

    /// What happened since the last call, in order.
    pub fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// Tells the sockets of changed stages. To be called soon after any change; several changes become one message.
    pub fn publish_states(&mut self) {
        for stage in self.stages.values_mut() {
            stage.publish_state();
        }
    }

    // === Coming in ===

    /// The visitor is here. Without a socket or a connection it is gone again some seconds later.
    pub fn enter(&mut self, visitor: &Visitor, moment: Moment) -> Result<(), QuotaExceeded> {
        let stage = self.stages.entry(visitor.stage_arn.clone()).or_insert_with(|| Stage::new(visitor));
        let known = stage.participants.contains_key(&visitor.participant_id);
        if !known && stage.participants.len() >= self.limits.participants_per_stage {
            return Err(QuotaExceeded);
        }
        stage.begin_session(visitor);
        if stage.enter(visitor, moment.now) {
            let joining = Joining {
                participant_id: visitor.participant_id.clone(),
                user_id: visitor.user_id.clone(),
                attributes: visitor.attributes.clone(),
                protocol: visitor.protocol,
                client: visitor.client.clone(),
                ingest_configuration_arn: visitor.ingest_configuration_arn.clone(),
                redundant: visitor.stands_for.is_some(),
            };
            self.note(&visitor.stage_arn, moment, What::Joined(Box::new(joining)));
        }
        Ok(())
    }

    /// A visitor that has entered opens an events socket.
    pub fn open_socket(&mut self, visitor: &Visitor) -> Result<Feed, QuotaExceeded> {
        let stage = self.stages.get_mut(&visitor.stage_arn).ok_or(QuotaExceeded)?;
        stage.publish_state();
        stage.open_socket(&visitor.participant_id, self.limits.sockets_per_participant)
    }

    pub fn close_socket(&mut self, stage_arn: &str, participant_id: &str, now: Instant) {
        if let Some(stage) = self.stages.get_mut(stage_arn) {
            stage.close_socket(participant_id, now);
        }
    }

    /// A visitor that has entered brings a media connection. Returns connections to close: those of the same purpose
    /// that never got as far as being connected.
    ///
    /// The newest connection of a participant counts. A client that lost its network posts again long before its old
    /// connection is found to be silent; to refuse it (409) would lock it out for that time.
    pub fn attach(
        &mut self,
        visitor: &Visitor,
        key: PeerKey,
        connection: Connection,
    ) -> Result<Vec<PeerKey>, QuotaExceeded> {
        let Some(stage) = self.stages.get_mut(&visitor.stage_arn) else { return Err(QuotaExceeded) };
        if matches!(connection.purpose, Purpose::Publish { .. })
            && stage.publishers_besides(visitor) >= self.limits.publishers_per_stage
        {
            return Err(QuotaExceeded);
        }
        let attached = Attached {
            stage_arn: visitor.stage_arn.clone(),
            participant_id: visitor.participant_id.clone(),
            name: self.name_of_publication(&visitor.stage_arn, &visitor.participant_id),
            protocol: visitor.protocol,
            connection,
            connected: false,
            superseded: false,
        };
        let rivals = self.rivals(&attached);
        let unfinished: Vec<PeerKey> =
            rivals.into_iter().filter(|key| !self.connections[key].connected).collect();
        self.resources.insert(attached.connection.resource.clone(), key);
        let publishes = matches!(attached.connection.purpose, Purpose::Publish { .. });
        self.connections.insert(key, attached);
        if let Some(stage) = self.stages.get_mut(&visitor.stage_arn) {
            stage.attach(&visitor.participant_id, key, publishes);
        }
        Ok(unfinished)
    }

    /// An attempt of a visitor failed. It is noted only of those who are here: a stranger's mistakes change nothing.
    pub fn failed(&mut self, visitor: &Visitor, attempt: Attempt, code: ErrorCode, moment: Moment) {
        let stage = self.stages.get(&visitor.stage_arn);
        if stage.is_some_and(|stage| stage.participants.contains_key(&visitor.participant_id)) {
            let participant_id = visitor.participant_id.clone();
            self.note(&visitor.stage_arn, moment, What::Failed { participant_id, attempt, code });
        }
    }

    /// Whether `participant_id` can be received on a stage.
    pub fn remote(&self, stage_arn: &str, participant_id: &str) -> Remote {
        let Some(stage) = self.stages.get(stage_arn) else { return Remote::Unknown };
        let participant = stage.participants.get(participant_id);
        // Of encoders others see whom they stand for.
        let hidden = participant.is_some_and(|encoder| encoder.stands_for.is_some());
        if hidden || self.meant_by(stage_arn, participant_id).is_empty() {
            return Remote::Unknown;
        }
        let own = participant.and_then(|participant| participant.publications().last().copied());
        let key = own.or_else(|| self.in_front(stage_arn, participant_id));
        match key.and_then(|key| self.connections.get(&key)).map(|attached| &attached.connection.purpose) {
            Some(Purpose::Publish { tracks }) => {
                let video = tracks.iter().find(|track| track.codec.kind() == Kind::Video).cloned();
                Remote::Publishing { video }
            }
            _ => Remote::NotPublishing,
        }
    }

    /// Whether a participant has a connection for publishing, connected or not; or one in whose place it is seen.
    pub fn publishes(&self, visitor: &Visitor) -> bool {
        let rivals = [Some(&visitor.participant_id), visitor.stands_for.as_ref()];
        let Some(stage) = self.stages.get(&visitor.stage_arn) else { return false };
        let own = rivals.into_iter().flatten().filter_map(|id| stage.participants.get(id));
        own.into_iter().any(stage::Participant::has_publication)
            || self.in_front(&visitor.stage_arn, &visitor.participant_id).is_some()
    }

    /// How many stages have a connected publisher or subscriber.
    pub fn connected_stages(&self) -> usize {
        let connected = self.connections.values().filter(|attached| attached.connected);
        connected.map(|attached| &attached.stage_arn).collect::<HashSet<_>>().len()
    }

    /// The connections by which a participant receives another.
    pub fn subscriptions(&self, stage_arn: &str, participant_id: &str, remote: &str) -> Vec<PeerKey> {
        let stage = self.stages.get(stage_arn);
        let Some(participant) = stage.and_then(|stage| stage.participants.get(participant_id)) else {
            return Vec::new();
        };
        let receives = |key: &PeerKey| {
            let purpose = self.connections.get(key).map(|attached| &attached.connection.purpose);
            matches!(purpose, Some(Purpose::Subscribe { remote: whom }) if **whom == *remote)
        };
        participant.connections.iter().copied().filter(receives).collect()
    }

    // === Changes of those who are here ===

    /// Puts one token in place of another. Returns the connections to close, which the new one does not allow; `None`
    /// if the participant is not here.
    pub fn exchange(
        &mut self,
        visitor: &Visitor,
        previous: Grant,
        new: Grant,
        moment: Moment,
    ) -> Option<Vec<PeerKey>> {
        let stage = self.stages.get_mut(&visitor.stage_arn)?;
        let (previous, connections) = stage.exchange(&visitor.participant_id, previous, new.clone())?;
        let allowed = new.capabilities;
        let exchange = Box::new(Exchange { previous, new });
        let participant_id = visitor.participant_id.clone();
        self.note(&visitor.stage_arn, moment, What::TokenExchanged { participant_id, exchange });
        let forbidden = |key: &PeerKey| match self.connections.get(key)?.connection.purpose {
            Purpose::Publish { .. } => Some(!allowed.allow_publish),
            Purpose::Subscribe { .. } => Some(!allowed.allow_subscribe),
        };
        let close: Vec<PeerKey> =
            connections.into_iter().filter(|key| forbidden(key).unwrap_or(false)).collect();
        for key in &close {
            self.stopped(*key, moment);
        }
        Some(close)
    }

    /// What a visitor that has entered may do: what its token says, unless it has exchanged that for another since.
    pub fn capabilities(&self, visitor: &Visitor, own: Capabilities) -> Capabilities {
        let stage = self.stages.get(&visitor.stage_arn);
        let participant = stage.and_then(|stage| stage.participants.get(&visitor.participant_id));
        let newer = participant.and_then(|participant| participant.newer_grant(visitor));
        newer.map_or(own, |grant| grant.capabilities)
    }

    /// A publisher says whether it sends sound and picture; `None` if it does not publish.
    pub fn set_muted(
        &mut self,
        stage_arn: &str,
        participant_id: &str,
        audio: Option<bool>,
        video: Option<bool>,
    ) -> Option<Muted> {
        self.stages.get_mut(stage_arn)?.set_muted(participant_id, audio, video)
    }

    // === WHIP sessions ===

    /// The connection behind a session URL.
    pub fn resource(&self, resource: &str) -> Option<(PeerKey, &Connection)> {
        let key = self.resources.get(resource)?;
        Some((*key, &self.connections.get(key)?.connection))
    }

    /// The same, to be changed: its ETag and the peer's credentials change with every ICE restart.
    pub fn resource_mut(&mut self, resource: &str) -> Option<(PeerKey, &mut Connection)> {
        let key = self.resources.get(resource)?;
        Some((*key, &mut self.connections.get_mut(key)?.connection))
    }

    /// ICE and DTLS are done. Returns connections to close, whose place this one takes.
    pub fn connected(&mut self, key: PeerKey, moment: Moment) -> Vec<PeerKey> {
        let Some(attached) = self.connections.get_mut(&key) else { return vec![key] };
        attached.connected = true;
        let (stage_arn, participant_id) = (attached.stage_arn.clone(), attached.participant_id.clone());
        let (purpose, protocol) = (attached.connection.purpose.clone(), attached.protocol);
        let attached = &self.connections[&key];
        let rivals: Vec<PeerKey> = self.rivals(attached).into_iter().filter(|rival| *rival != key).collect();
        for rival in &rivals {
            self.stopped(*rival, moment);
        }
        if let Some(stage) = self.stages.get_mut(&stage_arn) {
            stage.set_publishing(&participant_id, &purpose, true);
        }
        let started = match purpose {
            Purpose::Publish { .. } => What::PublishStarted { participant_id, protocol },
            Purpose::Subscribe { remote } => What::SubscribeStarted { participant_id, remote },
        };
        self.note(&stage_arn, moment, started);
        rivals
    }

    /// A connection is gone.
    pub fn ended(&mut self, key: PeerKey, end: End, moment: Moment) {
        self.note_violation(key, end, moment);
        self.stopped(key, moment);
        let Some(attached) = self.connections.remove(&key) else { return };
        self.resources.remove(&attached.connection.resource);
        if attached.name != attached.participant_id {
            self.put_in_front(&attached.stage_arn, &attached.name);
        }
        if let Some(stage) = self.stages.get_mut(&attached.stage_arn) {
            // Who was silent has already had the time in which it could have come back.
            let since = match end {
                End::Silent => moment.now.checked_sub(self.timeouts.leave).unwrap_or(moment.now),
                _ => moment.now,
            };
            stage.detach(&attached.participant_id, key, since);
        }
    }

    /// Notes why the server ended a connection, if somebody did what is not allowed.
    fn note_violation(&mut self, key: PeerKey, end: End, moment: Moment) {
        let Some(attached) = self.connections.get(&key) else { return };
        let code = match end {
            End::Violated(Violation::Resolution) => ErrorCode::ResolutionExceeded,
            End::Violated(Violation::BitRate) => ErrorCode::BitrateExceeded,
            End::Violated(Violation::Bidirectional) => ErrorCode::BFramePresent,
            End::Expired => ErrorCode::StreamDurationExceeded,
            End::Left | End::Removed | End::Silent | End::NeverConnected | End::Failed => return,
        };
        let attempt = match &attached.connection.purpose {
            Purpose::Publish { .. } => Attempt::Publish,
            Purpose::Subscribe { remote } => Attempt::Subscribe { remote: remote.clone() },
        };
        let (stage_arn, participant_id) = (attached.stage_arn.clone(), attached.participant_id.clone());
        self.note(&stage_arn, moment, What::Failed { participant_id, attempt, code });
    }

    /// Notes the end of what a connection did, once.
    fn stopped(&mut self, key: PeerKey, moment: Moment) {
        let Some(attached) = self.connections.get_mut(&key) else { return };
        if !attached.connected || std::mem::replace(&mut attached.superseded, true) {
            return;
        }
        let (stage_arn, participant_id) = (attached.stage_arn.clone(), attached.participant_id.clone());
        let purpose = attached.connection.purpose.clone();
        let name = attached.name.clone();
        if let Some(stage) = self.stages.get_mut(&stage_arn) {
            stage.set_publishing(&participant_id, &purpose, false);
        }
        if matches!(purpose, Purpose::Publish { .. }) && name != participant_id {
            self.put_in_front(&stage_arn, &name);
        }
        let stopped = match purpose {
            Purpose::Publish { .. } => What::PublishStopped { participant_id },
            Purpose::Subscribe { remote } => What::SubscribeStopped { participant_id, remote },
        };
        self.note(&stage_arn, moment, stopped);
    }

    /// Other connections of the same participant for the same purpose.
    fn rivals(&self, attached: &Attached) -> Vec<PeerKey> {
        let same = |other: &Connection| match (&attached.connection.purpose, &other.purpose) {
            (Purpose::Publish { .. }, Purpose::Publish { .. }) => true,
            (Purpose::Subscribe { remote: one }, Purpose::Subscribe { remote: two }) => one == two,
            _ => false,
        };
        let stage = self.stages.get(&attached.stage_arn);
        let participant = stage.and_then(|stage| stage.participants.get(&attached.participant_id));
        let connections = participant.map_or(&[][..], |participant| &participant.connections);
        let rivals = connections.iter().copied();
        rivals.filter(|key| self.connections.get(key).is_some_and(|other| same(&other.connection))).collect()
    }

    // === Going ===

    /// Lets those leave who have been away for too long, and ends the sessions of empty stages. Returns connections
    /// to close: those that received somebody who has left.
    pub fn tick(&mut self, moment: Moment) -> Vec<PeerKey> {
        let mut orphans = Vec::new();
        let stages: Vec<Arc<str>> = self.stages.keys().cloned().collect();
        for stage_arn in stages {
            let Some(stage) = self.stages.get_mut(&stage_arn) else { continue };
            for participant_id in stage.absent(moment.now, self.timeouts.leave) {
                orphans.extend(self.leave(&stage_arn, &participant_id, moment));
            }
            let Some(stage) = self.stages.get_mut(&stage_arn) else { continue };
            if stage.is_over(moment.now, self.timeouts.session) {
                self.note(&stage_arn, moment, What::SessionEnded);
                self.stages.remove(&stage_arn);
            }
        }
        orphans
    }

    /// Turns a participant out, or the encoders that stand for it. Returns the connections to close.
    pub fn disconnect(&mut self, stage_arn: &str, participant_id: &str, moment: Moment) -> Vec<PeerKey> {
        let meant = self.meant_by(stage_arn, participant_id).into_iter();
        meant.flat_map(|name| self.turn_out(stage_arn, &name, moment)).collect()
    }

    fn turn_out(&mut self, stage_arn: &str, name: &Arc<str>, moment: Moment) -> Vec<PeerKey> {
        let Some(stage) = self.stages.get_mut(stage_arn) else { return Vec::new() };
        let Some(participant) = stage.participants.get(name) else { return Vec::new() };
        let stage_arn = stage.arn.clone();
        participant.dismiss(Farewell::NotAllowed);
        let mut close = participant.connections.clone();
        for key in &close {
            self.stopped(*key, moment);
        }
        close.extend(self.leave(&stage_arn, name, moment));
        close
    }

    /// Ends a stage for everybody, without a note: what was recorded of it is deleted with it. Returns the connections
    /// to close.
    pub fn delete_stage(&mut self, stage_arn: &str) -> Vec<PeerKey> {
        let Some(stage) = self.stages.remove(stage_arn) else { return Vec::new() };
        let mut close = Vec::new();
        for participant in stage.participants.values() {
            participant.dismiss(Farewell::StageDeleted);
            close.extend(&participant.connections);
        }
        for key in &close {
            if let Some(attached) = self.connections.remove(key) {
                self.resources.remove(&attached.connection.resource);
            }
        }
        close
    }

    /// The server stops: everybody leaves, every session ends.
    pub fn end_everything(&mut self, moment: Moment) {
        let stages: Vec<Arc<str>> = self.stages.keys().cloned().collect();
        for stage_arn in stages {
            let participants: Vec<Arc<str>> = self.stages[&stage_arn].participants.keys().cloned().collect();
            for participant_id in participants {
                self.disconnect(&stage_arn, &participant_id, moment);
            }
            self.note(&stage_arn, moment, What::SessionEnded);
            self.stages.remove(&stage_arn);
        }
    }

    /// Removes a participant. Returns the connections by which others received it.
    fn leave(&mut self, stage_arn: &Arc<str>, participant_id: &Arc<str>, moment: Moment) -> Vec<PeerKey> {
        let Some(stage) = self.stages.get_mut(stage_arn) else { return Vec::new() };
        let Some(removed) = stage.remove(participant_id, moment.now) else { return Vec::new() };
        self.note(stage_arn, moment, What::Left { participant_id: participant_id.clone() });
        let shown = removed.stands_for.as_ref().unwrap_or(participant_id);
        if !self.meant_by(stage_arn, shown).is_empty() {
            return Vec::new();
        }
        let receives = |attached: &Attached| {
            attached.stage_arn == *stage_arn
                && matches!(&attached.connection.purpose, Purpose::Subscribe { remote } if remote == shown)
        };
        self.connections.iter().filter(|(_, attached)| receives(attached)).map(|(key, _)| *key).collect()
    }

    fn note(&mut self, stage_arn: &Arc<str>, moment: Moment, what: What) {
        let Some(session_id) = self.stages.get(stage_arn).map(|stage| stage.session_id.clone()) else {
            return;
        };
        self.notes.push(Note { stage_arn: stage_arn.clone(), session_id, at: moment.wall, what });
    }
}

#[cfg(test)]
mod tests;
