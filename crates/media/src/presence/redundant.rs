//! Redundant ingest: two encoders that send the same content, each a participant of its own, and the one that others
//! see in their place. Of the two publications the one in front is received under that one's name; when it ends, the
//! other goes on.

use std::sync::Arc;

use stagedoor_sfu::PeerKey;

use super::Presence;

/// A publication that is to be received under another name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    pub key: PeerKey,
    pub name: Arc<str>,
}

impl Presence {
    /// The name under which a new publication of the participant is received: its own, or that of the one in whose
    /// place it is seen, if no other publication is in front.
    pub fn name_of_publication(&self, stage_arn: &str, participant_id: &Arc<str>) -> Arc<str> {
        let stage = self.stages.get(stage_arn);
        let participant = stage.and_then(|stage| stage.participants.get(participant_id));
        match participant.and_then(|participant| participant.stands_for.clone()) {
            Some(shown) if self.in_front(stage_arn, &shown).is_none() => shown,
            _ => participant_id.clone(),
        }
    }

    /// The publication that is received under the name of `shown`, whom encoders stand for.
    pub(super) fn in_front(&self, stage_arn: &str, shown: &str) -> Option<PeerKey> {
        let mut keys = self.standing_for(stage_arn, shown).into_iter();
        keys.find(|key| self.connections.get(key).is_some_and(|attached| *attached.name == *shown))
    }

    /// The publications of all encoders that stand for `shown`, those that are connected first.
    fn standing_for(&self, stage_arn: &str, shown: &str) -> Vec<PeerKey> {
        let Some(stage) = self.stages.get(stage_arn) else { return Vec::new() };
        let encoders = stage.participants.values();
        let encoders = encoders.filter(|encoder| encoder.stands_for.as_deref() == Some(shown));
        let mut keys: Vec<PeerKey> =
            encoders.flat_map(|encoder| encoder.publications().iter().copied()).collect();
        keys.retain(|key| self.connections.get(key).is_some_and(|attached| !attached.superseded));
        keys.sort_by_key(|key| !self.connections[key].connected);
        keys
    }

    /// A publication named `name` has ended: puts another one of the same content in its place.
    pub(super) fn put_in_front(&mut self, stage_arn: &Arc<str>, name: &Arc<str>) {
        if self.in_front(stage_arn, name).is_some() {
            return;
        }
        let Some(key) = self.standing_for(stage_arn, name).into_iter().next() else { return };
        if let Some(attached) = self.connections.get_mut(&key) {
            attached.name = name.clone();
            self.renames.push(Rename { key, name: name.clone() });
        }
    }

    /// Hands out what is to be renamed; what `send` does not take is kept for the next time.
    pub fn send_renames(&mut self, mut send: impl FnMut(&Rename) -> bool) {
        self.renames.retain(|rename| !send(rename));
    }

    /// The participants whom an id names: itself, and the encoders that stand for it.
    pub(super) fn meant_by(&self, stage_arn: &str, participant_id: &str) -> Vec<Arc<str>> {
        let Some(stage) = self.stages.get(stage_arn) else { return Vec::new() };
        let meant = stage.participants.iter().filter(|(id, participant)| {
            ***id == *participant_id || participant.stands_for.as_deref() == Some(participant_id)
        });
        meant.map(|(id, _)| id.clone()).collect()
    }
}
