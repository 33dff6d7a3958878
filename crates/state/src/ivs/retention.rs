//! Forgetting sessions that ended long ago, with their participants and events, revocations of tokens that have
//! long expired, and replications that stopped as long ago. AWS does not say how long it keeps them; when to call
//! this, and for how long to keep, is the server's decision.

use stagedoor_api::ivs_realtime as api;
use stagedoor_model::Timestamp;

use super::{Replication, Revocation};
use crate::{Documents, Result};

/// Deletes what one stage's sessions that ended before `time` left, the revocations made before it, and the
/// replications that stopped before it.
pub fn forget_before(documents: &mut Documents<'_>, stage_id: &str, time: Timestamp) -> Result<()> {
    for (ids, session) in documents.list::<api::StageSession>(&[stage_id])? {
        if session.end_time.is_some_and(|end| end < time) {
            forget_session(documents, stage_id, &ids.concat())?;
        }
    }
    for (ids, revocation) in documents.list::<Revocation>(&[stage_id])? {
        if revocation.revoked_micros < time.as_micros() {
            documents.delete::<Revocation>(&[stage_id, &ids.concat()])?;
        }
    }
    for (ids, replication) in documents.list::<Replication>(&[stage_id])? {
        if replication.stops_micros.is_some_and(|stops| stops < time.as_micros()) {
            let ids: Vec<&str> = [stage_id].into_iter().chain(ids.iter().map(String::as_str)).collect();
            documents.delete::<Replication>(&ids)?;
        }
    }
    Ok(())
}

/// Deletes what all sessions of a stage left, which exists no more.
pub fn forget_sessions(documents: &mut Documents<'_>, stage_id: &str) -> Result<()> {
    let below = [stage_id];
    documents.delete_all::<api::StageSession>(&below)?;
    documents.delete_all::<api::Participant>(&below)?;
    documents.delete_all::<api::Event>(&below)
}

fn forget_session(documents: &mut Documents<'_>, stage_id: &str, session_id: &str) -> Result<()> {
    let below = [stage_id, session_id];
    documents.delete::<api::StageSession>(&below)?;
    documents.delete_all::<api::Participant>(&below)?;
    documents.delete_all::<api::Event>(&below)
}
