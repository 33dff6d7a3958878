//! Who goes: after too long an absence, turned out, with a stage that is deleted, with the server.

use std::sync::Arc;

use stagedoor_sfu::PeerKey;

use super::{Attached, Farewell, Presence, Purpose};
use crate::ledger::What;
use crate::world::Moment;

impl Presence {
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
                self.regions.count(&attached, false);
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
    pub(super) fn leave(
        &mut self,
        stage_arn: &Arc<str>,
        participant_id: &Arc<str>,
        moment: Moment,
    ) -> Vec<PeerKey> {
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
}
