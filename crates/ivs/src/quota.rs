//! How much of everything an account may have in a region: AWS's defaults.
//!
//! <https://docs.aws.amazon.com/ivs/latest/RealTimeUserGuide/service-quotas.html>

use stagedoor_state::{Cx, Kind, Result};

use crate::messages;

/// Most resources of one type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quota {
    /// As messages call them.
    pub(crate) name: &'static str,
    pub(crate) max: usize,
}

pub(crate) const STAGES: Quota = Quota { name: "stages", max: 1000 };
pub(crate) const STORAGE_CONFIGURATIONS: Quota = Quota { name: "storage configurations", max: 5 };
pub(crate) const ENCODER_CONFIGURATIONS: Quota = Quota { name: "encoder configurations", max: 20 };
pub(crate) const INGEST_CONFIGURATIONS: Quota = Quota { name: "ingest configurations", max: 100 };
pub(crate) const PUBLIC_KEYS: Quota = Quota { name: "public keys", max: 3 };

/// Fails unless one more resource of this type may be created.
pub(crate) fn check<T: Kind>(cx: &mut Cx<'_>, quota: Quota) -> Result<()> {
    if cx.count::<T>(&[])? < quota.max { Ok(()) } else { Err(messages::quota_exceeded(quota)) }
}
