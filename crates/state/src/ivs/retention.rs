//! Forgetting sessions that ended long ago, with their participants and events, and revocations of tokens that
//! have long expired. AWS does not say how long it keeps them; when to call this, and for how long to keep, is
//! the server's decision.

use stagedoor_api::ivs_realtime as api;
use stagedoor_model::Timestamp;

use super::Revocation;
use crate::{Documents, Result};

/// Deletes what one stage's sessions that ended before `time` left, and the revocations made before it.
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
    Ok(())
}

fn forget_session(documents: &mut Documents<'_>, stage_id: &str, session_id: &str) -> Result<()> {
    let below = [stage_id, session_id];
    documents.delete::<api::StageSession>(&below)?;
    documents.delete_all::<api::Participant>(&below)?;
    documents.delete_all::<api::Event>(&below)
}
