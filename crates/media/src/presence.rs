//! Who is on which stage: participants, their sockets and media connections, the stage's session. It decides when
//! somebody has joined, left, started or stopped, and notes it; it does no I/O, and every method is told the time.
//!
//! A participant is on a stage from its first socket or POST until all of them have ended and some seconds have
//! passed. A session begins with the first participant and ends some minutes after the last; whoever comes back in
//! between finds the same session.

mod counts;
mod course;
mod departure;
mod redundant;
mod regions;
mod shown;
mod stage;

pub use redundant::Rename;
pub use stage::{Farewell, Feed, Muted};

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use stagedoor_auth::participant_token::Capabilities;
use stagedoor_sfu::{Kind, PeerKey, PeerMap, TrackSpec};

use crate::config::{Limits, Timeouts};
use crate::ledger::{Attempt, Client, ErrorCode, Exchange, Grant, Joining, Note, Protocol, What};
use crate::world::Moment;
use regions::Regions;
use shown::Shown;
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
    regions: Regions,
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
    /// What its owner reports of the pictures that it received.
    shown: Shown,
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
            regions: Regions::default(),
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
            self.failed(visitor, Attempt::Join, ErrorCode::QuotaExceeded, moment);
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
        let region = self.regions.of(&visitor.stage_arn);
        let attached = Attached {
            stage_arn: visitor.stage_arn.clone(),
            participant_id: visitor.participant_id.clone(),
            name: self.name_of_publication(&visitor.stage_arn, &visitor.participant_id),
            protocol: visitor.protocol,
            connection,
            connected: false,
            shown: Shown::default(),
            superseded: false,
        };
        let rivals = self.rivals(&attached);
        // One that takes another's place adds nothing.
        if rivals.is_empty() && !region.has_room_for(&attached.connection.purpose, &self.limits) {
            return Err(QuotaExceeded);
        }
        let unfinished: Vec<PeerKey> =
            rivals.into_iter().filter(|key| !self.connections[key].connected).collect();
        self.resources.insert(attached.connection.resource.clone(), key);
        let publishes = matches!(attached.connection.purpose, Purpose::Publish { .. });
        self.regions.count(&attached, true);
        self.connections.insert(key, attached);
        if let Some(stage) = self.stages.get_mut(&visitor.stage_arn) {
            stage.attach(&visitor.participant_id, key, publishes);
        }
        Ok(unfinished)
    }

    /// An attempt of a visitor failed. It is noted only of those who are here: a stranger's mistakes change nothing. But
    /// that somebody could not come in is.
    pub fn failed(&mut self, visitor: &Visitor, attempt: Attempt, code: ErrorCode, moment: Moment) {
        let stage = self.stages.get(&visitor.stage_arn);
        let here = |stage: &Stage| stage.participants.contains_key(&visitor.participant_id);
        if stage.is_some_and(|stage| attempt == Attempt::Join || here(stage)) {
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

    fn note(&mut self, stage_arn: &Arc<str>, moment: Moment, what: What) {
        let Some(session_id) = self.stages.get(stage_arn).map(|stage| stage.session_id.clone()) else {
            return;
        };
        self.notes.push(Note { stage_arn: stage_arn.clone(), session_id, at: moment.wall, what });
    }
}

#[cfg(test)]
mod tests;
