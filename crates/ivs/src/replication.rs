//! Replications: a publisher of one stage who is also shown in another.
//!
//! A server whose media plane cannot carry replicas refuses to start one, after every other check: its answer
//! could only be a promise that nobody keeps.

use stagedoor_api::ivs_realtime::{
    ListParticipantReplicasRequest, ListParticipantReplicasResponse, Participant, ParticipantReplica,
    ParticipantState, StartParticipantReplicationRequest, StartParticipantReplicationResponse,
    StopParticipantReplicationRequest, StopParticipantReplicationResponse,
};
use stagedoor_model::Timestamp;
use stagedoor_state::ivs::presence::{self, Present};
use stagedoor_state::ivs::replication::{self, Wanted, Which};
use stagedoor_state::ivs::{Replication, Revocation, Stage, session};
use stagedoor_state::page::newest_first;
use stagedoor_state::{Cx, Result};

use crate::page::{self, page};
use crate::{messages, participant_token, quota, resource};

/// Characters of a session's id after `st-`.
const SESSION_ID_CHARS: usize = 13;

/// `POST /StartParticipantReplication`
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_StartParticipantReplication.html>
pub fn start_participant_replication(
    cx: &mut Cx<'_>,
    input: StartParticipantReplicationRequest,
) -> Result<StartParticipantReplicationResponse> {
    participant_token::check_attributes(input.attributes.as_ref())?;
    if input.source_stage_arn == input.destination_stage_arn {
        return Err(messages::replication_to_itself());
    }
    let (source_id, _) = resource::existing::<Stage>(cx, &input.source_stage_arn)?;
    let (destination_id, _) = resource::existing::<Stage>(cx, &input.destination_stage_arn)?;
    let which = Which {
        source_stage_id: &source_id,
        participant_id: &input.participant_id,
        destination_stage_id: &destination_id,
    };
    let now = cx.now();
    check_source(cx, which, &input.source_stage_arn)?;
    let active = replication::active_of(cx, &source_id, &input.participant_id, now)?;
    if active.iter().any(|(destination, _)| *destination == destination_id) {
        return Err(messages::already_replicated(&input.participant_id, &input.destination_stage_arn));
    }
    check_destination(cx, which, &input.destination_stage_arn)?;
    quota::check_count(cx, quota::REPLICATIONS, active.len())?;
    if !cx.environment.ivs.carries.replicas {
        return Err(messages::replicas_not_carried());
    }
    let new_session_id = format!("st-{}", cx.new_ivs_id(SESSION_ID_CHARS));
    let wanted = Wanted {
        attributes: input.attributes.unwrap_or_default(),
        reconnect_window_seconds: input.reconnect_window_seconds.unwrap_or(0),
    };
    replication::start(cx, which, &new_session_id, wanted, now)?;
    Ok(StartParticipantReplicationResponse::default())
}

/// `POST /StopParticipantReplication`
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_StopParticipantReplication.html>
pub fn stop_participant_replication(
    cx: &mut Cx<'_>,
    input: StopParticipantReplicationRequest,
) -> Result<StopParticipantReplicationResponse> {
    let (source_id, _) = resource::existing::<Stage>(cx, &input.source_stage_arn)?;
    let (destination_id, _) = resource::existing::<Stage>(cx, &input.destination_stage_arn)?;
    let which = Which {
        source_stage_id: &source_id,
        participant_id: &input.participant_id,
        destination_stage_id: &destination_id,
    };
    let now = cx.now();
    if replication::stop(cx, which, now)? {
        Ok(StopParticipantReplicationResponse::default())
    } else {
        Err(messages::not_replicated(&input.participant_id, &input.destination_stage_arn))
    }
}

/// `POST /ListParticipantReplicas`: newest first, one for each destination, also those that have stopped.
///
/// <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/API_ListParticipantReplicas.html>
pub fn list_participant_replicas(
    cx: &mut Cx<'_>,
    input: ListParticipantReplicasRequest,
) -> Result<ListParticipantReplicasResponse> {
    let (source_id, _) = resource::existing::<Stage>(cx, &input.source_stage_arn)?;
    let request = page::Request { token: input.next_token, max_results: input.max_results };
    let replications = cx.all::<Replication>(&[&source_id, &input.participant_id])?;
    let order = |one: &Replication| newest_first(one.started_micros, &one.destination_stage_arn);
    let list = ["ListParticipantReplicas", &source_id, &input.participant_id];
    let page = page(cx, &list, &request, replications, order)?;
    let now = cx.now();
    let replicas = page.items.into_iter().map(|one| show(one, &input.participant_id, now)).collect();
    Ok(ListParticipantReplicasResponse { next_token: page.next, replicas: Some(replicas) })
}

/// The participant publishes on the source stage, and not as a replica from elsewhere.
fn check_source(cx: &mut Cx<'_>, which: Which<'_>, stage_arn: &str) -> Result<()> {
    let Which { source_stage_id: stage_id, participant_id, .. } = which;
    let unknown = || messages::participant_not_found(stage_arn, participant_id);
    let session_id = session::active_id(cx, stage_id)?.ok_or_else(unknown)?;
    if !cx.exists::<Participant>(&[stage_id, &session_id, participant_id])? {
        return Err(unknown());
    }
    let publishing =
        presence::is_publishing(cx, Present { stage_id, session_id: &session_id, participant_id })?;
    if publishing { Ok(()) } else { Err(messages::not_publishing(stage_arn, participant_id)) }
}

/// Nobody else in the destination has the participant's id, and it was not turned out of there.
fn check_destination(cx: &mut Cx<'_>, which: Which<'_>, stage_arn: &str) -> Result<()> {
    let Which { destination_stage_id: stage_id, participant_id, .. } = which;
    if cx.exists::<Revocation>(&[stage_id, participant_id])? {
        return Err(messages::turned_out(stage_arn, participant_id));
    }
    let Some(session_id) = session::active_id(cx, stage_id)? else { return Ok(()) };
    let other = cx.get::<Participant>(&[stage_id, &session_id, participant_id])?;
    let connected = other.is_some_and(|other| other.state == Some(ParticipantState::Connected));
    if connected { Err(messages::participant_present(stage_arn, participant_id)) } else { Ok(()) }
}

fn show(replication: Replication, participant_id: &str, now: Timestamp) -> ParticipantReplica {
    ParticipantReplica {
        replication_state: Some(replication.state(now)),
        destination_session_id: Some(replication.destination_session_id),
        destination_stage_arn: Some(replication.destination_stage_arn),
        participant_id: Some(participant_id.to_owned()),
        source_session_id: Some(replication.source_session_id),
        source_stage_arn: Some(replication.source_stage_arn),
    }
}
