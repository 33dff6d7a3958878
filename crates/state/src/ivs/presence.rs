//! How the media plane records who joined, published and received: one function per thing that happens.
//!
//! Each is a pure function over the documents of the stage's account and region, to be called within one
//! transaction. None asks whether it is allowed: capabilities, quotas and tokens are the media plane's checks.
//! Once a session has ended, with its stage or before, nothing more is recorded in it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use stagedoor_api::ivs_realtime as api;
use stagedoor_api::ivs_realtime::{EventName, ParticipantProtocol, ParticipantState};
use stagedoor_model::Timestamp;
use stagedoor_store::Transaction;

use super::event::{self, What};
use super::{ActiveSession, Revocation, Stage};
use super::{ingest, replica, replication, session};
use crate::document::{Key, prefix, store_fault};
use crate::{Documents, Result};

/// Names a participant in one session of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Present<'a> {
    pub stage_id: &'a str,
    pub session_id: &'a str,
    pub participant_id: &'a str,
}

impl<'a> Present<'a> {
    pub(super) fn ids(self) -> [&'a str; 3] {
        [self.stage_id, self.session_id, self.participant_id]
    }
}

/// A participant about to join, as its token and its client describe it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Joining {
    pub participant_id: String,
    /// Empty if the token names none.
    pub user_id: String,
    pub attributes: BTreeMap<String, String>,
    /// How it publishes; unknown for one that only receives or has not begun.
    pub protocol: ParticipantProtocol,
    pub client: Client,
    /// Of a participant that an RTMP encoder stands for.
    pub ingest_configuration_arn: Option<String>,
    /// Whether it is one of two encoders with the same content.
    pub redundant: bool,
}

/// What is known of a participant's software; empty strings for what is not. Characters that the API does not
/// allow in these members are dropped, and what exceeds 128 is cut off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    pub browser_name: String,
    pub browser_version: String,
    pub os_name: String,
    pub os_version: String,
    pub sdk_version: String,
    pub isp_name: String,
}

/// Whether a participant could join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It joined the session with this id.
    Joined { session_id: String },
    /// There is no such stage (any more).
    StageGone,
    /// `DisconnectParticipant` has removed it for good.
    Revoked,
}

/// A participant joins. Opens a session called `new_session_id` (`st-` and 13 letters or digits) if the stage
/// has none open. Joining while connected only brings the participant's data up to date.
pub fn join(
    documents: &mut Documents<'_>,
    stage_id: &str,
    new_session_id: &str,
    joining: Joining,
    now: Timestamp,
) -> Result<Admission> {
    if !documents.exists::<Stage>(&[stage_id])? {
        return Ok(Admission::StageGone);
    }
    let participant_id = joining.participant_id.clone();
    if documents.exists::<Revocation>(&[stage_id, &participant_id])? {
        return Ok(Admission::Revoked);
    }
    let session_id = session::open(documents, stage_id, new_session_id, now)?;
    let who = Present { stage_id, session_id: &session_id, participant_id: &participant_id };
    let known = documents.get::<api::Participant>(&who.ids())?;
    let connected = known.as_ref().is_some_and(is_connected);
    let participant = participant(joining, known, now);
    documents.put(&who.ids(), &participant)?;
    if !connected {
        event::append(documents, who, EventName::Joined.into(), now)?;
    }
    Ok(Admission::Joined { session_id })
}

/// A participant has left. The session stays open: see [`session::end_session`].
pub fn leave(documents: &mut Documents<'_>, who: Present<'_>, now: Timestamp) -> Result<()> {
    if is_over(documents, who)? {
        return Ok(());
    }
    let disconnected = change(documents, who, |participant| {
        let connected = is_connected(participant);
        participant.state = Some(ParticipantState::Disconnected);
        connected
    })?;
    if disconnected { event::append(documents, who, EventName::Left.into(), now) } else { Ok(()) }
}

/// A participant has begun to publish by `protocol`.
pub fn publish_started(
    documents: &mut Documents<'_>,
    who: Present<'_>,
    protocol: ParticipantProtocol,
    now: Timestamp,
) -> Result<()> {
    if is_over(documents, who)? {
        return Ok(());
    }
    let known = change(documents, who, |participant| {
        participant.published = Some(true);
        participant.protocol = Some(protocol);
        true
    })?;
    if !known {
        return Ok(());
    }
    event::append(documents, who, EventName::PublishStarted.into(), now)?;
    note_ingest(documents, who, true)?;
    replication::resumed(documents, who, now)
}

/// A participant has ended publishing. `published` stays true: it says whether the participant ever did.
pub fn publish_stopped(documents: &mut Documents<'_>, who: Present<'_>, now: Timestamp) -> Result<()> {
    if is_over(documents, who)? {
        return Ok(());
    }
    append_if_known(documents, who, EventName::PublishStopped.into(), now)?;
    note_ingest(documents, who, false)?;
    replication::interrupted(documents, who, now)
}

/// Brings the state of the ingest configuration up to date by which a participant publishes, if it does by one.
fn note_ingest(documents: &mut Documents<'_>, who: Present<'_>, publishes: bool) -> Result<()> {
    let participant = documents.get::<api::Participant>(&who.ids())?;
    match participant.and_then(|participant| participant.ingest_configuration_arn) {
        Some(arn) => ingest::note_publication(documents, who, &arn, publishes),
        None => Ok(()),
    }
}

/// A participant has begun to receive the publisher `remote`.
pub fn subscribe_started(
    documents: &mut Documents<'_>,
    who: Present<'_>,
    remote: &str,
    now: Timestamp,
) -> Result<()> {
    let what = What { remote: Some(remote), ..EventName::SubscribeStarted.into() };
    append_if_known(documents, who, what, now)
}

/// A participant has ended receiving the publisher `remote`.
pub fn subscribe_stopped(
    documents: &mut Documents<'_>,
    who: Present<'_>,
    remote: &str,
    now: Timestamp,
) -> Result<()> {
    let what = What { remote: Some(remote), ..EventName::SubscribeStopped.into() };
    append_if_known(documents, who, what, now)
}

/// An attempt that failed: `JOIN_ERROR`, `PUBLISH_ERROR` or `SUBSCRIBE_ERROR` (the last with the publisher's id
/// as `remote`). Recorded also of somebody who has not joined, if the session exists.
pub fn error(
    documents: &mut Documents<'_>,
    who: Present<'_>,
    name: EventName,
    code: api::EventErrorCode,
    remote: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    let session = documents.get::<api::StageSession>(&[who.stage_id, who.session_id])?;
    if session.is_none_or(|session| session.end_time.is_some()) {
        return Ok(());
    }
    event::append(documents, who, What { code: Some(code), remote, ..name.into() }, now)
}

/// Whatever sessions the store holds open, nobody is connected to them: their server was killed. Stops what had
/// begun and lets everybody leave. Returns the keys (account, region, stage) of the stages whose session is still
/// open, for the caller to end once its time of grace is over.
///
/// To be called at start by a server that has the store to itself. `tells`: whether EventBridge's events have anywhere
/// to go.
pub fn disconnect_everyone(transaction: &mut Transaction, tells: bool, now: Timestamp) -> Result<Vec<Key>> {
    let open = open_stages(transaction)?;
    for stage in &open {
        let mut documents = Documents::new(transaction, &stage.account, &stage.region).telling(tells);
        disconnect_from(&mut documents, &stage.ids.concat(), now)?;
    }
    Ok(open)
}

fn open_stages(transaction: &mut Transaction) -> Result<Vec<Key>> {
    let mut open = Vec::new();
    let visited = transaction.visit::<()>(&prefix::<ActiveSession>(), |key, _| {
        open.extend(Key::parse::<ActiveSession>(key));
        ControlFlow::Continue(())
    });
    visited.map_err(store_fault)?;
    Ok(open)
}

/// Stops what had begun in the open session of a stage and lets everybody leave.
pub fn disconnect_from(documents: &mut Documents<'_>, stage_id: &str, now: Timestamp) -> Result<()> {
    let Some(session_id) = session::active_id(documents, stage_id)? else { return Ok(()) };
    for (ids, participant) in documents.list::<api::Participant>(&[stage_id, &session_id])? {
        if !is_connected(&participant) {
            continue;
        }
        let who = Present { stage_id, session_id: &session_id, participant_id: &ids.concat() };
        let events = event::of(documents, who)?;
        let begun = begun(events.iter().map(|(_, event)| event));
        if begun.publishing {
            publish_stopped(documents, who, now)?;
        }
        for remote in begun.receiving {
            subscribe_stopped(documents, who, remote, now)?;
        }
        leave(documents, who, now)?;
    }
    Ok(())
}

/// Whether a participant is connected and publishes by itself, not as a replica.
pub fn is_publishing(documents: &mut Documents<'_>, who: Present<'_>) -> Result<bool> {
    let Some(participant) = documents.get::<api::Participant>(&who.ids())? else { return Ok(false) };
    let events = event::of(documents, who)?;
    let publishing = begun(events.iter().map(|(_, event)| event)).publishing;
    Ok(publishing && is_connected(&participant) && !replica::is_replica(&participant))
}

/// What a participant's events say it has begun and not ended.
struct Begun<'a> {
    publishing: bool,
    receiving: BTreeSet<&'a str>,
}

fn begun<'a>(events: impl Iterator<Item = &'a api::Event>) -> Begun<'a> {
    let mut begun = Begun { publishing: false, receiving: BTreeSet::new() };
    for event in events {
        let remote = event.remote_participant_id.as_deref().unwrap_or_default();
        match event.name {
            Some(EventName::PublishStarted) => begun.publishing = true,
            Some(EventName::PublishStopped) => begun.publishing = false,
            Some(EventName::SubscribeStarted) => _ = begun.receiving.insert(remote),
            Some(EventName::SubscribeStopped) => _ = begun.receiving.remove(remote),
            _ => {}
        }
    }
    begun
}

// === Documents ===

fn is_over(documents: &mut Documents<'_>, who: Present<'_>) -> Result<bool> {
    session::is_over(documents, who.stage_id, who.session_id)
}

fn is_connected(participant: &api::Participant) -> bool {
    participant.state == Some(ParticipantState::Connected)
}

/// Changes a participant's document if there is one; returns what `change` returned, or false.
pub(super) fn change(
    documents: &mut Documents<'_>,
    who: Present<'_>,
    change: impl FnOnce(&mut api::Participant) -> bool,
) -> Result<bool> {
    let Some(mut participant) = documents.get::<api::Participant>(&who.ids())? else { return Ok(false) };
    let before = participant.clone();
    let changed = change(&mut participant);
    if participant != before {
        documents.put(&who.ids(), &participant)?;
    }
    Ok(changed)
}

/// A participant goes on under another token: what it says of the participant counts from now on.
pub fn token_exchanged(
    documents: &mut Documents<'_>,
    who: Present<'_>,
    previous: &api::ExchangedParticipantToken,
    new: &api::ExchangedParticipantToken,
    now: Timestamp,
) -> Result<()> {
    if is_over(documents, who)? {
        return Ok(());
    }
    let known = change(documents, who, |participant| {
        participant.user_id.clone_from(&new.user_id);
        participant.attributes.clone_from(&new.attributes);
        true
    })?;
    if !known {
        return Ok(());
    }
    let what = What { tokens: Some((previous, new)), ..EventName::TokenExchanged.into() };
    event::append(documents, who, what, now)
}

fn append_if_known(
    documents: &mut Documents<'_>,
    who: Present<'_>,
    what: What<'_>,
    now: Timestamp,
) -> Result<()> {
    if documents.exists::<api::Participant>(&who.ids())? && !is_over(documents, who)? {
        event::append(documents, who, what, now)?;
    }
    Ok(())
}

/// The document of a participant that joins, `known` if it was in this session before.
fn participant(joining: Joining, known: Option<api::Participant>, now: Timestamp) -> api::Participant {
    let known = replica::without_replication(known.unwrap_or_default());
    let client = joining.client;
    let protocol = match (joining.protocol, known.protocol) {
        (ParticipantProtocol::Unknown, Some(known)) => known,
        (given, _) => given,
    };
    api::Participant {
        participant_id: Some(joining.participant_id),
        user_id: Some(joining.user_id),
        attributes: Some(joining.attributes),
        state: Some(ParticipantState::Connected),
        first_join_time: known.first_join_time.or(Some(now)),
        published: known.published.or(Some(false)),
        protocol: Some(protocol),
        browser_name: Some(clean(&client.browser_name)),
        browser_version: Some(clean(&client.browser_version)),
        os_name: Some(clean(&client.os_name)),
        os_version: Some(clean(&client.os_version)),
        sdk_version: Some(clean(&client.sdk_version)),
        isp_name: Some(clean(&client.isp_name)),
        redundant_ingest: joining.ingest_configuration_arn.is_some().then_some(joining.redundant),
        ingest_configuration_arn: joining.ingest_configuration_arn,
        recording_state: known.recording_state.or(Some(api::ParticipantRecordingState::Disabled)),
        recording_s3_bucket_name: known.recording_s3_bucket_name.or(Some(String::new())),
        recording_s3_prefix: known.recording_s3_prefix.or(Some(String::new())),
        replication_type: known.replication_type.or(Some(api::ReplicationType::None)),
        ..known
    }
}

/// Longest string that describes a client, in characters.
const CLIENT_CHARS_MAX: usize = 128;

/// Keeps what `[a-zA-Z0-9-_.,:;\s]{0,128}` allows.
fn clean(text: &str) -> String {
    let allowed = |char: &char| char.is_ascii_alphanumeric() || "-_.,:; ".contains(*char);
    text.chars().filter(allowed).take(CLIENT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests;
