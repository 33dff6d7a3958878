//! How many connections the stages of an account have in a region, for its quotas
//! (<https://docs.aws.amazon.com/ivs/latest/RealTimeUserGuide/service-quotas.html>).

use std::collections::HashMap;

use super::{Attached, Purpose};
use crate::config::Limits;

/// The regions with a connection, by what ARNs of their stages begin with.
#[derive(Debug, Default)]
pub struct Regions(HashMap<Box<str>, InUse>);

/// Connections of one account in one region, connected or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InUse {
    publications: usize,
    subscriptions: usize,
}

impl Regions {
    /// What is in use where this stage is.
    pub fn of(&self, stage_arn: &str) -> InUse {
        self.0.get(region(stage_arn)).copied().unwrap_or_default()
    }

    /// A connection has come, or gone.
    pub fn count(&mut self, attached: &Attached, came: bool) {
        let region = region(&attached.stage_arn);
        let mut used = self.0.get(region).copied().unwrap_or_default();
        let number = match attached.connection.purpose {
            Purpose::Publish { .. } => &mut used.publications,
            Purpose::Subscribe { .. } => &mut used.subscriptions,
        };
        *number = if came { *number + 1 } else { number.saturating_sub(1) };
        if used == InUse::default() {
            self.0.remove(region);
        } else if let Some(known) = self.0.get_mut(region) {
            *known = used;
        } else {
            self.0.insert(region.into(), used);
        }
    }
}

impl InUse {
    pub fn has_room_for(self, purpose: &Purpose, limits: &Limits) -> bool {
        match purpose {
            Purpose::Publish { .. } => self.publications < limits.publishers_per_region,
            Purpose::Subscribe { .. } => self.subscriptions < limits.subscriptions_per_region,
        }
    }
}

/// `arn:aws:ivs:us-east-1:123456789012`.
fn region(stage_arn: &str) -> &str {
    stage_arn.rsplit_once(':').map_or(stage_arn, |(region, _)| region)
}
