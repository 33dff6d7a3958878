//! What happened to participants.

use stagedoor_api::ivs_realtime::{ListParticipantEventsRequest, ListParticipantEventsResponse};
use stagedoor_state::ivs::event;
use stagedoor_state::ivs::presence::Present;
use stagedoor_state::{Cx, Result};

use crate::page::{self, page};
use crate::{resource, stage_session};

/// `POST /ListParticipantEvents`: newest first.
///
/// An unknown participant has no events. Somebody whose attempt to join failed has some without being a
/// participant.
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_ListParticipantEvents.html>
pub fn list_participant_events(
    cx: &mut Cx<'_>,
    input: ListParticipantEventsRequest,
) -> Result<ListParticipantEventsResponse> {
    let stage_id = resource::stage_with_past(cx, &input.stage_arn)?;
    stage_session::existing(cx, &stage_id, &input.stage_arn, &input.session_id)?;
    let who =
        Present { stage_id: &stage_id, session_id: &input.session_id, participant_id: &input.participant_id };
    let request = page::Request { token: input.next_token, max_results: input.max_results };
    let list = ["ListParticipantEvents", &stage_id, &input.session_id, &input.participant_id];
    let events = event::of(cx, who)?;
    let page = page(cx, &list, &request, events, |(place, _)| event::newest_first(place))?;
    let events = page.items.into_iter().map(|(_, event)| event).collect();
    Ok(ListParticipantEventsResponse { events: Some(events), next_token: page.next })
}
