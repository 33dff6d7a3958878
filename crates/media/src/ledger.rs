//! What the media plane asks of and tells the rest of the server. It knows stages only through this trait: who may
//! come in, and what is to be remembered of them. Changes from outside come the other way, as [`Change`]s on a channel.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use stagedoor_auth::es384::PublicKey;
use stagedoor_auth::participant_token::{Capabilities, Claims, TokenError};

/// The memory of the server, as the media plane sees it.
///
/// Calls come from HTTP handlers and timers, never from a media thread, but they must not wait for a disk or a
/// network: answers come from a snapshot, notes are queued.
pub trait Ledger: Send + Sync + 'static {
    /// The key that a token's `kid` names: our own, or a customer's imported one.
    fn public_key(&self, kid: &str) -> Option<PublicKey>;

    /// Whether the bearer of a verified token may be on its stage: the stage exists and has not turned this
    /// participant out.
    fn admit(&self, claims: &Claims) -> Result<Admission, TokenError>;

    /// What a stream key opens: the ingest configuration whose key it is, attached to a stage that exists and that has
    /// not turned its participant out.
    fn ingest(&self, stream_key: &str) -> Result<Ingest, IngestRefusal>;

    /// Remembers that something happened. Notes come in the order of their happening.
    fn record(&self, note: Note);
}

/// The answer to somebody who may come in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Admission {
    /// The session that the stage has open by the ledger's knowledge; it is continued rather than a new one begun.
    pub active_session: Option<String>,
}

/// An ingest configuration, as far as its encoder's connection is concerned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ingest {
    pub configuration_arn: String,
    pub stage_arn: String,
    /// The last part of the stage's ARN.
    pub stage_id: String,
    pub participant_id: String,
    /// Of one of two encoders with the same content: the participant that others see in their place.
    pub stands_for: Option<String>,
    pub user_id: String,
    pub attributes: BTreeMap<String, String>,
    /// Whether RTMP without TLS is allowed.
    pub insecure: bool,
    /// As in [`Admission`].
    pub active_session: Option<String>,
}

/// Why a stream key opens nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IngestRefusal {
    /// It is nobody's. If it names a configuration and only its secret is wrong, this is that one's stage and
    /// participant.
    WrongKey { of: Option<(String, String)> },
    /// Its configuration is attached to no stage, or the stage has turned its participant out.
    Detached,
}

/// Something to remember.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub stage_arn: Arc<str>,
    pub session_id: Arc<str>,
    pub at: Timestamp,
    pub what: What,
}

/// What happened, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A participant came to the stage. The first one of a session begins it.
    Joined(Box<Joining>),
    Left {
        participant_id: Arc<str>,
    },
    PublishStarted {
        participant_id: Arc<str>,
        protocol: Protocol,
    },
    PublishStopped {
        participant_id: Arc<str>,
    },
    /// A participant receives what `remote` publishes.
    SubscribeStarted {
        participant_id: Arc<str>,
        remote: Arc<str>,
    },
    SubscribeStopped {
        participant_id: Arc<str>,
        remote: Arc<str>,
    },
    /// A present participant's attempt failed, or that of somebody to become one.
    Failed {
        participant_id: Arc<str>,
        attempt: Attempt,
        code: ErrorCode,
    },
    /// A participant goes on under another token.
    TokenExchanged {
        participant_id: Arc<str>,
        exchange: Box<Exchange>,
    },
    /// Nobody came back to the empty stage in time.
    SessionEnded,
}

/// A participant that comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joining {
    pub participant_id: Arc<str>,
    pub user_id: String,
    pub attributes: BTreeMap<String, String>,
    pub protocol: Protocol,
    pub client: Client,
    /// Of a participant that an RTMP encoder is.
    pub ingest_configuration_arn: Option<Arc<str>>,
    /// Whether it is one of two encoders with the same content.
    pub redundant: bool,
}

/// What a token says that others are told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub capabilities: Capabilities,
    pub user_id: String,
    pub attributes: BTreeMap<String, String>,
    /// Seconds since 1970, as the next one.
    pub issued: i64,
    pub expires: i64,
}

/// One token in place of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    pub previous: Grant,
    pub new: Grant,
}

/// How a participant publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// It only watches so far.
    Unknown,
    Whip,
    Rtmp,
    Rtmps,
}

/// What is known of a participant's software, from its `User-Agent`; empty if unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    pub browser_name: String,
    pub browser_version: String,
    pub os_name: String,
    pub os_version: String,
}

/// What a participant tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// To come to the stage at all.
    Join,
    Publish,
    Subscribe {
        remote: Arc<str>,
    },
}

/// Why an attempt failed; the names are those of the API's `EventErrorCode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    InsufficientCapabilities,
    QuotaExceeded,
    PublisherNotFound,
    InvalidAudioCodec,
    InvalidVideoCodec,
    InvalidInput,
    ResolutionExceeded,
    BitrateExceeded,
    BFramePresent,
    StreamDurationExceeded,
    InvalidProtocol,
    InvalidStreamKey,
    ReuseOfStreamKey,
    InternalServerException,
}

/// What others did that concerns the stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    StageDeleted {
        stage_arn: String,
    },
    /// `DisconnectParticipant`: the participant is to go, and [`Ledger::admit`] refuses it from now on.
    ParticipantDisconnected {
        stage_arn: String,
        participant_id: String,
    },
}
