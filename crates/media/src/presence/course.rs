//! The course of a connection: it connects and takes the place of others, it ends, and why.

use stagedoor_sfu::{PeerKey, Violation};

use super::{Attached, Connection, Presence, Purpose};
use crate::ledger::{Attempt, ErrorCode, What};
use crate::shard::End;
use crate::world::Moment;

impl Presence {
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
        self.regions.count(&attached, false);
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

    /// Notes why the server ended a connection, if somebody did what is not allowed or cannot be.
    fn note_violation(&mut self, key: PeerKey, end: End, moment: Moment) {
        let Some(attached) = self.connections.get(&key) else { return };
        let code = match end {
            End::Violated(Violation::Resolution) => ErrorCode::ResolutionExceeded,
            End::Violated(Violation::BitRate) => ErrorCode::BitrateExceeded,
            End::Violated(Violation::Bidirectional) => ErrorCode::BFramePresent,
            End::Expired => ErrorCode::StreamDurationExceeded,
            // It got as far as DTLS, and what it said there is no good.
            End::Failed if !attached.connected => ErrorCode::InvalidInput,
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
    pub(super) fn stopped(&mut self, key: PeerKey, moment: Moment) {
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
    pub(super) fn rivals(&self, attached: &Attached) -> Vec<PeerKey> {
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
}
