//! What is stored of real-time stages (IVS), and how the media plane records who is present.
//!
//! The control plane writes [`Stage`] and [`Revocation`]; the media plane writes sessions, participants and
//! their events by the functions of [`presence`] while it carries them, and follows the control plane's
//! documents. [`retention`] forgets what is old; [`token`] lets participants in; [`settings`] holds for the whole server.

pub mod composition;
pub mod configuration;
pub mod connection_token;
pub mod event;
pub mod ingest;
pub mod notice;
pub mod presence;
pub mod public_key;
mod replica;
pub mod replication;
pub mod retention;
pub mod session;
pub mod settings;
pub mod stage;
pub mod token;

pub use composition::Composition;
pub use configuration::{EncoderConfiguration, StorageConfiguration};
pub use connection_token::RevokedConnectionToken;
pub use ingest::IngestConfiguration;
pub use notice::Notice;
pub use public_key::PublicKey;
pub use replication::Replication;
pub use session::ActiveSession;
pub use settings::Settings;
pub use stage::{Revocation, Stage};

/// The API's types that documents are made of, for those who record them.
pub use stagedoor_api::ivs_realtime as api;
pub use stagedoor_model::Timestamp;
