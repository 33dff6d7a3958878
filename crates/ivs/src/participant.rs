//! Participants of a session. The media plane records them; here they are shown, and removed.

use stagedoor_api::ivs_realtime::{
    DisconnectParticipantRequest, DisconnectParticipantResponse, GetParticipantRequest,
    GetParticipantResponse, ListParticipantsRequest, ListParticipantsResponse, Participant,
    ParticipantSummary,
};
use stagedoor_state::ivs::replication::{self, Which};
use stagedoor_state::ivs::{Revocation, Stage};
use stagedoor_state::page::newest_first;
use stagedoor_state::{Cx, Result};

use crate::page::{self, page};
use crate::{ingest_configuration, messages, resource, stage_session};

/// `POST /GetParticipant`
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_GetParticipant.html>
pub fn get_participant(cx: &mut Cx<'_>, input: GetParticipantRequest) -> Result<GetParticipantResponse> {
    let stage_id = resource::stage_with_past(cx, &input.stage_arn)?;
    stage_session::existing(cx, &stage_id, &input.stage_arn, &input.session_id)?;
    let participant = cx.get::<Participant>(&[&stage_id, &input.session_id, &input.participant_id])?;
    let unknown = || messages::participant_not_found(&input.stage_arn, &input.participant_id);
    Ok(GetParticipantResponse { participant: Some(participant.ok_or_else(unknown)?) })
}

/// `POST /ListParticipants`: those who joined last first.
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_ListParticipants.html>
pub fn list_participants(
    cx: &mut Cx<'_>,
    input: ListParticipantsRequest,
) -> Result<ListParticipantsResponse> {
    let filter = Filter::of(&input)?;
    let stage_id = resource::stage_with_past(cx, &input.stage_arn)?;
    stage_session::existing(cx, &stage_id, &input.stage_arn, &input.session_id)?;
    let request = page::Request { token: input.next_token, max_results: input.max_results };
    let mut participants = cx.all::<Participant>(&[&stage_id, &input.session_id])?;
    participants.retain(|participant| filter.admits(participant));
    let order = |participant: &Participant| {
        let joined = participant.first_join_time.unwrap_or_default().as_micros();
        newest_first(joined, participant.participant_id.as_deref().unwrap_or_default())
    };
    let list = ["ListParticipants", &stage_id, &input.session_id, &format!("{filter:?}")];
    let page = page(cx, &list, &request, participants, order)?;
    let summaries = page.items.into_iter().map(summary).collect();
    Ok(ListParticipantsResponse { participants: Some(summaries), next_token: page.next })
}

/// `POST /DisconnectParticipant`: for good, the participant's token opens nothing any more.
///
/// Tokens are not stored, and those that customers sign themselves are unknown before they are used. So every id
/// that a participant could have is accepted: one that has not joined yet cannot join any more. The ingest
/// configuration of an RTMP publisher is detached from the stage, and replications of the participant from and to
/// the stage stop.
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_DisconnectParticipant.html>
pub fn disconnect_participant(
    cx: &mut Cx<'_>,
    input: DisconnectParticipantRequest,
) -> Result<DisconnectParticipantResponse> {
    let (stage_id, _) = resource::existing::<Stage>(cx, &input.stage_arn)?;
    if input.participant_id.is_empty() {
        return Err(messages::participant_not_found(&input.stage_arn, &input.participant_id));
    }
    revoke(cx, &stage_id, &input.participant_id, input.reason.unwrap_or_default())?;
    let concerned = |one: Which<'_>| {
        one.participant_id == input.participant_id
            && (one.source_stage_id == stage_id || one.destination_stage_id == stage_id)
    };
    let now = cx.now();
    replication::stop_all(cx, concerned, now)?;
    ingest_configuration::detach(cx, &input.stage_arn, Some(&input.participant_id))?;
    Ok(DisconnectParticipantResponse::default())
}

/// Turns a participant out of a stage for good.
pub(crate) fn revoke(cx: &mut Cx<'_>, stage_id: &str, participant_id: &str, reason: String) -> Result<()> {
    let revoked_micros = cx.now().as_micros();
    cx.put(&[stage_id, participant_id], &Revocation { reason, revoked_micros })
}

/// Which participants a list is about.
#[derive(Debug)]
enum Filter {
    Everybody,
    UserId(String),
    /// True for those who ever published in the session, false for those who never did.
    Published(bool),
    State(&'static str),
    RecordingState(&'static str),
}

impl Filter {
    fn of(input: &ListParticipantsRequest) -> Result<Self> {
        let given = [
            input.filter_by_user_id.clone().map(Self::UserId),
            input.filter_by_published.map(Self::Published),
            input.filter_by_state.map(|state| Self::State(state.as_str())),
            input.filter_by_recording_state.map(|state| Self::RecordingState(state.as_str())),
        ];
        let mut given = given.into_iter().flatten();
        match (given.next(), given.next()) {
            (None, _) => Ok(Self::Everybody),
            (Some(filter), None) => Ok(filter),
            (Some(_), Some(_)) => Err(messages::several_filters()),
        }
    }

    fn admits(&self, participant: &Participant) -> bool {
        match self {
            Self::Everybody => true,
            Self::UserId(id) => participant.user_id.as_ref() == Some(id),
            Self::Published(published) => participant.published.unwrap_or(false) == *published,
            Self::State(state) => participant.state.is_some_and(|own| own.as_str() == *state),
            Self::RecordingState(state) => {
                participant.recording_state.is_some_and(|own| own.as_str() == *state)
            }
        }
    }
}

fn summary(participant: Participant) -> ParticipantSummary {
    ParticipantSummary {
        first_join_time: participant.first_join_time,
        ingest_configuration_arn: participant.ingest_configuration_arn,
        participant_id: participant.participant_id,
        published: participant.published,
        recording_state: participant.recording_state,
        redundant_ingest: participant.redundant_ingest,
        replication_state: participant.replication_state,
        replication_type: participant.replication_type,
        source_session_id: participant.source_session_id,
        source_stage_arn: participant.source_stage_arn,
        state: participant.state,
        user_id: participant.user_id,
    }
}
