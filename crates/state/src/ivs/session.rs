//! Sessions of a stage: the time from the first participant's arrival until some minutes after the last one left.

use serde::{Deserialize, Serialize};
use stagedoor_api::ivs_realtime as api;
use stagedoor_model::Timestamp;

use crate::document::Kind;
use crate::{Documents, Result};

/// The session that a stage has open, which is what `activeSessionId` shows. Ids: `[stage]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActiveSession {
    pub session_id: String,
}

impl Kind for ActiveSession {
    const KIND: &'static str = "ivs-active-session";
}

/// One session of a stage, open while `end_time` is absent. Ids: `[stage, session]`.
impl Kind for api::StageSession {
    const KIND: &'static str = "ivs-session";
}

/// A participant in one session. Ids: `[stage, session, participant]`.
impl Kind for api::Participant {
    const KIND: &'static str = "ivs-participant";
}

/// The id of the session that the stage has open.
pub fn active_id(documents: &mut Documents<'_>, stage_id: &str) -> Result<Option<String>> {
    Ok(documents.get::<ActiveSession>(&[stage_id])?.map(|active| active.session_id))
}

/// Whether a session has ended, so that nothing more happens in it.
pub(super) fn is_over(documents: &mut Documents<'_>, stage_id: &str, session_id: &str) -> Result<bool> {
    let session = documents.get::<api::StageSession>(&[stage_id, session_id])?;
    Ok(session.is_some_and(|session| session.end_time.is_some()))
}

/// The open session's id; opens one called `new_id` if there is none.
pub(super) fn open(
    documents: &mut Documents<'_>,
    stage_id: &str,
    new_id: &str,
    now: Timestamp,
) -> Result<String> {
    if let Some(open) = active_id(documents, stage_id)? {
        return Ok(open);
    }
    let session_id = new_id.to_owned();
    let session =
        api::StageSession { session_id: Some(session_id.clone()), start_time: Some(now), end_time: None };
    documents.put(&[stage_id, &session_id], &session)?;
    documents.put(&[stage_id], &ActiveSession { session_id: session_id.clone() })?;
    Ok(session_id)
}

/// Ends the stage's open session, unless somebody is connected; returns its id if it has ended.
///
/// The caller decides when: AWS ends a session a few minutes after the last participant left.
pub fn end_session(documents: &mut Documents<'_>, stage_id: &str, now: Timestamp) -> Result<Option<String>> {
    let Some(session_id) = active_id(documents, stage_id)? else { return Ok(None) };
    if anybody_connected(documents, stage_id, &session_id)? {
        return Ok(None);
    }
    documents.delete::<ActiveSession>(&[stage_id])?;
    let ids = [stage_id, session_id.as_str()];
    if let Some(mut session) = documents.get::<api::StageSession>(&ids)? {
        session.end_time = Some(now);
        documents.put(&ids, &session)?;
    }
    Ok(Some(session_id))
}

fn anybody_connected(documents: &mut Documents<'_>, stage_id: &str, session_id: &str) -> Result<bool> {
    let participants = documents.all::<api::Participant>(&[stage_id, session_id])?;
    Ok(participants.iter().any(|participant| participant.state == Some(api::ParticipantState::Connected)))
}
