//! Sessions of a stage, also of one that was deleted since. The media plane opens and ends them.

use stagedoor_api::ivs_realtime::{
    GetStageSessionRequest, GetStageSessionResponse, ListStageSessionsRequest, ListStageSessionsResponse,
    StageSession, StageSessionSummary,
};
use stagedoor_state::page::newest_first;
use stagedoor_state::{Cx, Result};

use crate::page::{self, page};
use crate::{messages, resource};

/// `POST /GetStageSession`
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_GetStageSession.html>
pub fn get_stage_session(cx: &mut Cx<'_>, input: GetStageSessionRequest) -> Result<GetStageSessionResponse> {
    let stage_id = resource::stage_with_past(cx, &input.stage_arn)?;
    let session = existing(cx, &stage_id, &input.stage_arn, &input.session_id)?;
    Ok(GetStageSessionResponse { stage_session: Some(session) })
}

/// `POST /ListStageSessions`: newest first.
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_ListStageSessions.html>
pub fn list_stage_sessions(
    cx: &mut Cx<'_>,
    input: ListStageSessionsRequest,
) -> Result<ListStageSessionsResponse> {
    let stage_id = resource::stage_with_past(cx, &input.stage_arn)?;
    let request = page::Request { token: input.next_token, max_results: input.max_results };
    let sessions = cx.all::<StageSession>(&[&stage_id])?;
    let order = |session: &StageSession| {
        let started = session.start_time.unwrap_or_default().as_micros();
        newest_first(started, session.session_id.as_deref().unwrap_or_default())
    };
    let page = page(cx, &["ListStageSessions", &stage_id], &request, sessions, order)?;
    let summaries = page.items.into_iter().map(summary).collect();
    Ok(ListStageSessionsResponse { stage_sessions: Some(summaries), next_token: page.next })
}

/// A stage's session.
///
/// # Errors
/// ResourceNotFoundException.
pub(crate) fn existing(
    cx: &mut Cx<'_>,
    stage_id: &str,
    stage_arn: &str,
    session_id: &str,
) -> Result<StageSession> {
    let session = cx.get::<StageSession>(&[stage_id, session_id])?;
    session.ok_or_else(|| messages::session_not_found(stage_arn, session_id))
}

fn summary(session: StageSession) -> StageSessionSummary {
    let StageSession { end_time, session_id, start_time } = session;
    StageSessionSummary { end_time, session_id, start_time }
}
