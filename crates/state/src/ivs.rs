//! What is stored of real-time stages (IVS).
//!
//! The control plane writes [`Stage`] and [`Revocation`]; the media plane writes sessions, participants and
//! their events while it carries them, and follows the control plane's documents.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stagedoor_api::ivs_realtime as api;

use crate::document::Kind;

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

/// Something that happened to a participant. Ids: `[stage, session, participant, place]`, where place is the
/// event's time in microseconds as 16 hexadecimal digits and a counter of 4, which makes it unique and sorted.
impl Kind for api::Event {
    const KIND: &'static str = "ivs-event";
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
