//! How many publish and receive on each stage at the moment, and who has several subscriptions.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use stagedoor_sfu::{PeerKey, PeerMap};

use super::{Attached, Presence, Purpose};
use crate::figures::{Receiving, StageFigures};

impl Presence {
    /// The stages with a connection, by ARN, without what flows there.
    ///
    /// `received` is what is known of connections by which somebody receives; a participant's own are told of those
    /// who publish too.
    pub fn counts(&self, received: &PeerMap<Receiving>) -> BTreeMap<Arc<str>, StageFigures> {
        let mut stages: BTreeMap<Arc<str>, StageFigures> = BTreeMap::new();
        let mut seen = HashSet::new();
        for (key, attached) in self.connections.iter().filter(|(_, one)| one.connected && !one.superseded) {
            let stage = stages.entry(attached.stage_arn.clone()).or_default();
            stage.stage_arn = attached.stage_arn.clone();
            let owner = self
                .stages
                .get(&attached.stage_arn)
                .and_then(|stage| stage.participants.get(&attached.participant_id)?.stands_for.as_ref());
            let owner = owner.unwrap_or(&attached.participant_id);
            match attached.connection.purpose {
                Purpose::Publish { .. } => {
                    stage.publishers += u64::from(seen.insert((&attached.stage_arn, owner, true)));
                }
                Purpose::Subscribe { .. } => {
                    stage.subscriptions += 1;
                    stage.subscribers += u64::from(seen.insert((&attached.stage_arn, owner, false)));
                    let mut receiving = received.get(key).copied().unwrap_or_default();
                    receiving.dropped = attached.shown.share();
                    stage.receiving.add(&receiving);
                    if self.is_publishing(attached) {
                        stage.receivers.entry(owner.clone()).or_default().add(&receiving);
                    }
                }
            }
        }
        stages
    }

    /// The connected subscriptions of each participant that has more than one, the oldest first.
    pub fn several_subscriptions(&self) -> Vec<Vec<PeerKey>> {
        let participants = self.stages.values().flat_map(|stage| stage.participants.values());
        let several = participants.filter(|participant| participant.connections.len() > 1);
        let receives = |key: &PeerKey| {
            self.connections.get(key).is_some_and(|attached| {
                attached.connected
                    && !attached.superseded
                    && matches!(attached.connection.purpose, Purpose::Subscribe { .. })
            })
        };
        let subscriptions = several
            .map(|participant| participant.connections.iter().copied().filter(receives).collect::<Vec<_>>());
        subscriptions.filter(|keys| keys.len() > 1).collect()
    }

    fn is_publishing(&self, attached: &Attached) -> bool {
        let stage = self.stages.get(&attached.stage_arn);
        let participant = stage.and_then(|stage| stage.participants.get(&attached.participant_id));
        participant.is_some_and(|participant| participant.is_publishing)
    }
}
