//! What the control plane stores of a stage.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stagedoor_api::ivs_realtime as api;
use stagedoor_model::Timestamp;

use super::{Replication, presence, session};
use crate::document::Kind;
use crate::{Documents, Result};

/// A stage. Ids: `[stage]`, the last part of its ARN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    pub arn: String,
    pub name: String,
    pub tags: BTreeMap<String, String>,
    /// Always complete: members that the client left out hold their defaults.
    pub recording: api::AutoParticipantRecordingConfiguration,
    pub created_micros: i64,
}

impl Kind for Stage {
    const KIND: &'static str = "ivs-stage";
}

/// A participant whom `DisconnectParticipant` removed: its token is good for nothing any more.
/// Ids: `[stage, participant]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Revocation {
    pub reason: String,
    pub revoked_micros: i64,
}

impl Kind for Revocation {
    const KIND: &'static str = "ivs-revocation";
}

/// Deletes a stage with its revocations and the replications from it. Everybody leaves and the open session ends;
/// sessions, participants and events stay as those of other stages do, for as long as [`super::retention`] keeps them.
pub fn delete(documents: &mut Documents<'_>, stage_id: &str, now: Timestamp) -> Result<()> {
    presence::disconnect_from(documents, stage_id, now)?;
    session::end_session(documents, stage_id, now)?;
    let below = [stage_id];
    documents.delete::<Stage>(&below)?;
    documents.delete_all::<Revocation>(&below)?;
    documents.delete_all::<Replication>(&below)
}
