//! Writing what happens on stages, in the order in which it happened, without anyone waiting for it.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use stagedoor_api::ivs_realtime::{
    EventErrorCode, EventName, ExchangedParticipantToken, ParticipantProtocol, ParticipantTokenCapability,
};
use stagedoor_media::ledger::{Attempt, ErrorCode, Exchange, Grant, Joining, Note, Protocol, What};
use stagedoor_model::Timestamp;
use stagedoor_state::arn::Arn;
use stagedoor_state::ivs::presence::{self, Admission, Present};
use stagedoor_state::ivs::session;
use stagedoor_state::transact::transact;
use stagedoor_state::{Documents, Result};
use stagedoor_store::{Store, Transaction};

use crate::server::clock::now;

/// Notes that wait at most. More can only pile up while the store is out of order.
const NOTES_MAX: usize = 65_536;
/// Notes written in one transaction at most.
const BATCH_MAX: usize = 256;
/// Pause before a failed write is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// A queue of notes and the thread that writes them.
pub struct Recorder(Mutex<Option<Open>>);

struct Open {
    notes: SyncSender<Note>,
    thread: JoinHandle<()>,
}

impl Recorder {
    /// `tells`: whether EventBridge's events have anywhere to go.
    pub fn start(store: Store, tells: bool) -> Self {
        let (notes, queue) = sync_channel(NOTES_MAX);
        let thread =
            std::thread::Builder::new().name("ledger".to_owned()).spawn(move || write(&store, tells, &queue));
        let thread = thread.expect("the system can start a thread");
        Self(Mutex::new(Some(Open { notes, thread })))
    }

    pub fn record(&self, note: Note) {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = open.as_ref().map(|open| open.notes.try_send(note));
        if let Some(Err(TrySendError::Full(note) | TrySendError::Disconnected(note))) = refused {
            tracing::error!(?note, "what happened on a stage could not be recorded");
        }
    }

    /// Waits until everything queued is written.
    pub fn close(&self) {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Open { notes, thread }) = open {
            drop(notes);
            let _ = thread.join();
        }
    }
}

fn write(store: &Store, tells: bool, queue: &Receiver<Note>) {
    while let Ok(first) = queue.recv() {
        let mut batch = vec![first];
        batch.extend(queue.try_iter().take(BATCH_MAX - 1));
        write_batch(store, tells, &batch);
    }
}

/// Tries until the store takes the batch. A store out of order answers 503; anything else would fail again.
fn write_batch(store: &Store, tells: bool, batch: &[Note]) {
    let write = || {
        transact(store, |transaction| batch.iter().try_for_each(|note| write_note(transaction, tells, note)))
    };
    while let Err(fault) = write() {
        if fault.status != 503 {
            return tracing::error!(%fault, "what happened on a stage could not be recorded");
        }
        tracing::warn!("what happened on a stage waits to be recorded");
        std::thread::sleep(RETRY);
    }
}

fn write_note(transaction: &mut Transaction, tells: bool, note: &Note) -> Result<()> {
    let Some(arn) = Arn::parse(&note.stage_arn) else { return Ok(()) };
    let Some(stage_id) = arn.id_of("stage") else { return Ok(()) };
    let documents = &mut Documents::new(transaction, arn.account, arn.region).telling(tells);
    let at = Timestamp::from_micros(note.at.as_microsecond());
    let session_id = &*note.session_id;
    let who = |participant_id| Present { stage_id, session_id, participant_id };
    match &note.what {
        What::Joined(joining) => {
            match presence::join(documents, stage_id, session_id, joined(joining), at)? {
                Admission::Joined { .. } | Admission::StageGone | Admission::Revoked => Ok(()),
            }
        }
        What::Left { participant_id } => presence::leave(documents, who(participant_id), at),
        What::PublishStarted { participant_id, protocol: by } => {
            presence::publish_started(documents, who(participant_id), protocol(*by), at)
        }
        What::PublishStopped { participant_id } => {
            presence::publish_stopped(documents, who(participant_id), at)
        }
        What::SubscribeStarted { participant_id, remote } => {
            presence::subscribe_started(documents, who(participant_id), remote, at)
        }
        What::SubscribeStopped { participant_id, remote } => {
            presence::subscribe_stopped(documents, who(participant_id), remote, at)
        }
        What::Failed { participant_id, attempt, code } => {
            let (name, remote) = match attempt {
                Attempt::Join => (EventName::JoinError, None),
                Attempt::Publish => (EventName::PublishError, None),
                Attempt::Subscribe { remote } => (EventName::SubscribeError, Some(&**remote)),
            };
            presence::error(documents, who(participant_id), name, error_code(*code), remote, at)
        }
        What::TokenExchanged { participant_id, exchange } => {
            let Exchange { previous, new } = &**exchange;
            presence::token_exchanged(documents, who(participant_id), &token(previous), &token(new), at)
        }
        What::SessionEnded => session::end_session(documents, stage_id, at).map(|_| ()),
    }
}

fn joined(joining: &Joining) -> presence::Joining {
    let client = &joining.client;
    presence::Joining {
        participant_id: joining.participant_id.to_string(),
        user_id: joining.user_id.clone(),
        attributes: joining.attributes.clone(),
        protocol: protocol(joining.protocol),
        client: presence::Client {
            browser_name: client.browser_name.clone(),
            browser_version: client.browser_version.clone(),
            os_name: client.os_name.clone(),
            os_version: client.os_version.clone(),
            ..Default::default()
        },
        ingest_configuration_arn: joining.ingest_configuration_arn.as_deref().map(str::to_owned),
        redundant: joining.redundant,
    }
}

fn token(grant: &Grant) -> ExchangedParticipantToken {
    use ParticipantTokenCapability::{Publish, Subscribe};
    let allowed =
        [(grant.capabilities.allow_publish, Publish), (grant.capabilities.allow_subscribe, Subscribe)];
    let capabilities = allowed.into_iter().filter_map(|(allowed, capability)| allowed.then_some(capability));
    ExchangedParticipantToken {
        attributes: Some(grant.attributes.clone()),
        capabilities: Some(capabilities.collect()),
        expiration_time: Some(Timestamp::from_seconds(grant.expires)),
        user_id: Some(grant.user_id.clone()),
    }
}

fn protocol(protocol: Protocol) -> ParticipantProtocol {
    match protocol {
        Protocol::Unknown => ParticipantProtocol::Unknown,
        Protocol::Whip => ParticipantProtocol::Whip,
        Protocol::Rtmp => ParticipantProtocol::Rtmp,
        Protocol::Rtmps => ParticipantProtocol::Rtmps,
    }
}

fn error_code(code: ErrorCode) -> EventErrorCode {
    match code {
        ErrorCode::InsufficientCapabilities => EventErrorCode::InsufficientCapabilities,
        ErrorCode::QuotaExceeded => EventErrorCode::QuotaExceeded,
        ErrorCode::PublisherNotFound => EventErrorCode::PublisherNotFound,
        ErrorCode::InvalidAudioCodec => EventErrorCode::InvalidAudioCodec,
        ErrorCode::InvalidVideoCodec => EventErrorCode::InvalidVideoCodec,
        ErrorCode::InvalidInput => EventErrorCode::InvalidInput,
        ErrorCode::ResolutionExceeded => EventErrorCode::ResolutionExceeded,
        ErrorCode::BitrateExceeded => EventErrorCode::BitrateExceeded,
        ErrorCode::BFramePresent => EventErrorCode::BFramePresent,
        ErrorCode::StreamDurationExceeded => EventErrorCode::StreamDurationExceeded,
        ErrorCode::InvalidProtocol => EventErrorCode::InvalidProtocol,
        ErrorCode::InvalidStreamKey => EventErrorCode::InvalidStreamKey,
        ErrorCode::ReuseOfStreamKey => EventErrorCode::ReuseOfStreamKey,
        ErrorCode::InternalServerException => EventErrorCode::InternalServerException,
    }
}

/// A server that was killed could not say who left: say it now, and end the sessions.
pub fn recover(store: &Store, tells: bool) -> Result<()> {
    transact(store, |transaction| {
        for key in presence::disconnect_everyone(transaction, tells, now())? {
            let documents = &mut Documents::new(transaction, &key.account, &key.region);
            session::end_session(documents, &key.ids.concat(), now())?;
        }
        Ok(())
    })
}
