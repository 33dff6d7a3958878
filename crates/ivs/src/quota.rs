//! How much of everything an account may have in a region.

use stagedoor_state::ivs::settings::Quotas;
use stagedoor_state::{Cx, Kind, Result};

use crate::messages;

/// Which quota is meant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quota {
    /// As messages call what is counted.
    pub(crate) name: &'static str,
    pub(crate) max: fn(&Quotas) -> usize,
}

pub(crate) const STAGES: Quota = Quota { name: "stages", max: |quotas| quotas.stages };
pub(crate) const STORAGE_CONFIGURATIONS: Quota =
    Quota { name: "storage configurations", max: |quotas| quotas.storage_configurations };
pub(crate) const ENCODER_CONFIGURATIONS: Quota =
    Quota { name: "encoder configurations", max: |quotas| quotas.encoder_configurations };
pub(crate) const INGEST_CONFIGURATIONS: Quota =
    Quota { name: "ingest configurations", max: |quotas| quotas.ingest_configurations };
pub(crate) const PUBLIC_KEYS: Quota = Quota { name: "public keys", max: |quotas| quotas.public_keys };

pub(crate) const COMPOSITIONS: Quota =
    Quota { name: "concurrent compositions", max: |quotas| quotas.compositions };
pub(crate) const COMPOSITIONS_PER_STAGE: Quota =
    Quota { name: "concurrent compositions of a stage", max: |quotas| quotas.compositions_per_stage };

pub(crate) const REPLICATIONS: Quota = Quota {
    name: "concurrent replications of a participant",
    max: |quotas| quotas.replications_per_participant,
};

/// Fails unless one more resource of this type may be created.
pub(crate) fn check<T: Kind>(cx: &mut Cx<'_>, quota: Quota) -> Result<()> {
    let count = cx.count::<T>(&[])?;
    check_count(cx, quota, count)
}

/// Fails unless there may be one more than `count`.
pub(crate) fn check_count(cx: &Cx<'_>, quota: Quota, count: usize) -> Result<()> {
    let max = (quota.max)(&cx.environment.ivs.quotas);
    if count < max { Ok(()) } else { Err(messages::quota_exceeded(quota.name, max)) }
}
