//! Replicas: participants of a stage who publish on another one. Each is recorded like any other participant,
//! with `replicationType` REPLICA.

use stagedoor_api::ivs_realtime as api;
use stagedoor_api::ivs_realtime::{EventName, ParticipantState, ReplicationState, ReplicationType};
use stagedoor_model::Timestamp;

use super::event;
use super::presence::{self, Present};
use super::replication::Replication;
use crate::{Documents, Result};

/// A replica of `participant` joins and publishes.
pub(super) fn join(
    documents: &mut Documents<'_>,
    who: Present<'_>,
    replication: &Replication,
    participant: api::Participant,
    now: Timestamp,
) -> Result<()> {
    let known = documents.get::<api::Participant>(&who.ids())?.unwrap_or_default();
    let replica = replica(replication, participant, known, now);
    documents.put(&who.ids(), &replica)?;
    event::append(documents, who, EventName::Joined.into(), now)?;
    event::append(documents, who, EventName::PublishStarted.into(), now)
}

/// A replica is gone; nothing happens if it already was.
pub(super) fn leave(documents: &mut Documents<'_>, who: Present<'_>, now: Timestamp) -> Result<()> {
    let left = presence::change(documents, who, |replica| {
        if !is_replica(replica) {
            return false;
        }
        replica.replication_state = Some(ReplicationState::Stopped);
        replica.state.replace(ParticipantState::Disconnected) == Some(ParticipantState::Connected)
    })?;
    if left {
        event::append(documents, who, EventName::PublishStopped.into(), now)?;
        event::append(documents, who, EventName::Left.into(), now)?;
    }
    Ok(())
}

pub(super) fn is_replica(participant: &api::Participant) -> bool {
    participant.replication_type == Some(ReplicationType::Replica)
}

/// What is known of somebody who now joins without being a replica any more.
pub(super) fn without_replication(known: api::Participant) -> api::Participant {
    if !is_replica(&known) {
        return known;
    }
    api::Participant {
        replication_type: None,
        replication_state: None,
        source_stage_arn: None,
        source_session_id: None,
        ..known
    }
}

/// The document of a replica, `known` if it was in this session before.
fn replica(
    replication: &Replication,
    participant: api::Participant,
    known: api::Participant,
    now: Timestamp,
) -> api::Participant {
    let mut attributes = participant.attributes.clone().unwrap_or_default();
    attributes.extend(replication.attributes.clone());
    api::Participant {
        attributes: Some(attributes),
        state: Some(ParticipantState::Connected),
        first_join_time: known.first_join_time.or(Some(now)),
        published: Some(true),
        recording_state: known.recording_state.or(Some(api::ParticipantRecordingState::Disabled)),
        recording_s3_bucket_name: known.recording_s3_bucket_name.or(Some(String::new())),
        recording_s3_prefix: known.recording_s3_prefix.or(Some(String::new())),
        replication_type: Some(ReplicationType::Replica),
        replication_state: Some(ReplicationState::Active),
        source_stage_arn: Some(replication.source_stage_arn.clone()),
        source_session_id: Some(replication.source_session_id.clone()),
        ..participant
    }
}
