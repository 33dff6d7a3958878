//! How many publish and receive on each stage at the moment.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::{Presence, Purpose};
use crate::figures::StageFigures;

impl Presence {
    /// The stages with a connection, by ARN, without what flows there.
    pub fn counts(&self) -> BTreeMap<Arc<str>, StageFigures> {
        let mut stages: BTreeMap<Arc<str>, StageFigures> = BTreeMap::new();
        let mut seen = HashSet::new();
        for attached in self.connections.values().filter(|one| one.connected && !one.superseded) {
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
                }
            }
        }
        stages
    }
}
