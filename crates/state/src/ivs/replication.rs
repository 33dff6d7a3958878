//! Replications: a publisher of one stage who is also shown, under the same id, in another one.
//!
//! The control plane starts and stops them; [`presence`] interrupts one when its participant stops publishing
//! and resumes it when the participant is back in time. Who is shown in the other stage is [`replica`]'s.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stagedoor_api::ivs_realtime as api;
use stagedoor_api::ivs_realtime::{EventName, ReplicationState, ReplicationType};
use stagedoor_model::Timestamp;

use super::event::{self, What};
use super::presence::{self, Present};
use super::{Stage, replica, session};
use crate::document::Kind;
use crate::{Documents, Result};

/// The latest replication from this source to this destination.
/// Ids: `[source stage, participant, destination stage]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Replication {
    pub source_stage_arn: String,
    pub source_session_id: String,
    pub destination_stage_arn: String,
    pub destination_session_id: String,
    /// Added to the participant's own, which they overrule.
    pub attributes: BTreeMap<String, String>,
    /// How long the participant may stay away.
    pub reconnect_window_seconds: i64,
    pub started_micros: i64,
    /// When it stopped or, while the participant is away, when it will have.
    pub stops_micros: Option<i64>,
}

impl Kind for Replication {
    const KIND: &'static str = "ivs-replication";
}

impl Replication {
    pub fn state(&self, now: Timestamp) -> ReplicationState {
        let stopped = self.stops_micros.is_some_and(|stops| stops <= now.as_micros());
        if stopped { ReplicationState::Stopped } else { ReplicationState::Active }
    }

    pub fn is_active(&self, now: Timestamp) -> bool {
        self.state(now) == ReplicationState::Active
    }
}

/// Names a replication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Which<'a> {
    pub source_stage_id: &'a str,
    pub participant_id: &'a str,
    pub destination_stage_id: &'a str,
}

impl<'a> Which<'a> {
    pub fn ids(self) -> [&'a str; 3] {
        [self.source_stage_id, self.participant_id, self.destination_stage_id]
    }

    fn source(self, session_id: &'a str) -> Present<'a> {
        Present { stage_id: self.source_stage_id, session_id, participant_id: self.participant_id }
    }

    fn replica(self, session_id: &'a str) -> Present<'a> {
        Present { stage_id: self.destination_stage_id, session_id, participant_id: self.participant_id }
    }
}

/// What a replication is to be like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    pub attributes: BTreeMap<String, String>,
    pub reconnect_window_seconds: i64,
}

/// Starts one, or starts it anew after it has stopped. If the destination has no session open, one called
/// `new_session_id` begins. Does nothing if a stage or the participant does not exist.
///
/// Whether it may start is the caller's to check: that the participant [is publishing](presence::is_publishing)
/// and that nobody else in the destination has its id.
pub fn start(
    documents: &mut Documents<'_>,
    which: Which<'_>,
    new_session_id: &str,
    wanted: Wanted,
    now: Timestamp,
) -> Result<()> {
    let Some(source_session_id) = session::active_id(documents, which.source_stage_id)? else {
        return Ok(());
    };
    let source_stage = documents.get::<Stage>(&[which.source_stage_id])?;
    let destination_stage = documents.get::<Stage>(&[which.destination_stage_id])?;
    let (Some(source_stage), Some(destination_stage)) = (source_stage, destination_stage) else {
        return Ok(());
    };
    let destination_session_id = session::open(documents, which.destination_stage_id, new_session_id, now)?;
    let replication = Replication {
        source_stage_arn: source_stage.arn,
        source_session_id,
        destination_stage_arn: destination_stage.arn,
        destination_session_id,
        attributes: wanted.attributes,
        reconnect_window_seconds: wanted.reconnect_window_seconds,
        started_micros: now.as_micros(),
        stops_micros: None,
    };
    begin(documents, which, &replication, now)?;
    tell_source(documents, which, &replication, EventName::ReplicationStarted, now)
}

/// Stops one; false if there is none that is active.
pub fn stop(documents: &mut Documents<'_>, which: Which<'_>, now: Timestamp) -> Result<bool> {
    let Some(mut replication) = documents.get::<Replication>(&which.ids())? else { return Ok(false) };
    if !replication.is_active(now) {
        return Ok(false);
    }
    replication.stops_micros = Some(now.as_micros());
    documents.put(&which.ids(), &replication)?;
    replica::leave(documents, which.replica(&replication.destination_session_id), now)?;
    if active_of(documents, which.source_stage_id, which.participant_id, now)?.is_empty() {
        presence::change(documents, which.source(&replication.source_session_id), |participant| {
            participant.replication_state = Some(ReplicationState::Stopped);
            true
        })?;
    }
    tell_source(documents, which, &replication, EventName::ReplicationStopped, now)?;
    Ok(true)
}

/// Stops all those that `meant` picks.
pub fn stop_all(
    documents: &mut Documents<'_>,
    meant: impl Fn(Which<'_>) -> bool,
    now: Timestamp,
) -> Result<()> {
    for (ids, _) in documents.list::<Replication>(&[])? {
        let [source_stage_id, participant_id, destination_stage_id] = ids.as_slice() else { continue };
        let which = Which { source_stage_id, participant_id, destination_stage_id };
        if meant(which) {
            stop(documents, which, now)?;
        }
    }
    Ok(())
}

/// The destinations to which a participant is being replicated.
pub fn active_of(
    documents: &mut Documents<'_>,
    source_stage_id: &str,
    participant_id: &str,
    now: Timestamp,
) -> Result<Vec<(String, Replication)>> {
    let all = documents.list::<Replication>(&[source_stage_id, participant_id])?;
    let active = all.into_iter().filter(|(_, replication)| replication.is_active(now));
    Ok(active.map(|(ids, replication)| (ids.concat(), replication)).collect())
}

/// A participant has stopped publishing. Its replicas are gone, and back if it is within the time that each
/// replication allows. Whoever carries media stops those for which it was not.
pub(super) fn interrupted(documents: &mut Documents<'_>, source: Present<'_>, now: Timestamp) -> Result<()> {
    for (destination, mut replication) in active_of(documents, source.stage_id, source.participant_id, now)? {
        let which = to(source, &destination);
        if replication.reconnect_window_seconds == 0 {
            stop(documents, which, now)?;
        } else if replication.stops_micros.is_none() {
            let stops = now.plus_seconds(replication.reconnect_window_seconds);
            replication.stops_micros = Some(stops.as_micros());
            documents.put(&which.ids(), &replication)?;
            replica::leave(documents, which.replica(&replication.destination_session_id), now)?;
        }
    }
    Ok(())
}

/// A participant publishes again: its replicas that were waiting for it are back. One whose session has ended
/// meanwhile has no place to come back to; its replication stops.
pub(super) fn resumed(documents: &mut Documents<'_>, source: Present<'_>, now: Timestamp) -> Result<()> {
    for (destination, mut replication) in active_of(documents, source.stage_id, source.participant_id, now)? {
        let which = to(source, &destination);
        let session_id = session::active_id(documents, &destination)?;
        if session_id.as_ref() != Some(&replication.destination_session_id) {
            stop(documents, which, now)?;
        } else if replication.stops_micros.take().is_some() {
            source.session_id.clone_into(&mut replication.source_session_id);
            begin(documents, which, &replication, now)?;
        }
    }
    Ok(())
}

fn to<'a>(source: Present<'a>, destination_stage_id: &'a str) -> Which<'a> {
    Which { source_stage_id: source.stage_id, participant_id: source.participant_id, destination_stage_id }
}

/// Shows on both stages that the participant is being replicated.
fn begin(
    documents: &mut Documents<'_>,
    which: Which<'_>,
    replication: &Replication,
    now: Timestamp,
) -> Result<()> {
    documents.put(&which.ids(), replication)?;
    let source = which.source(&replication.source_session_id);
    presence::change(documents, source, |participant| {
        participant.replication_type = Some(ReplicationType::Source);
        participant.replication_state = Some(ReplicationState::Active);
        true
    })?;
    let Some(participant) = documents.get::<api::Participant>(&source.ids())? else { return Ok(()) };
    let replica = which.replica(&replication.destination_session_id);
    replica::join(documents, replica, replication, participant, now)
}

fn tell_source(
    documents: &mut Documents<'_>,
    which: Which<'_>,
    replication: &Replication,
    name: EventName,
    now: Timestamp,
) -> Result<()> {
    let what = What { replication: Some(replication), ..name.into() };
    event::append(documents, which.source(&replication.source_session_id), what, now)
}
