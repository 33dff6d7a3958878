//! The control plane of IVS Real-Time: the operations on stages and on what belongs to them.
//!
//! One file per noun, one function per operation; [`handlers`] lists them all. It changes documents and nothing
//! else: whoever carries media follows the documents. Requests arrive decoded and checked against the model, so
//! what stands here is what the model does not say.
//!
//! <https://docs.aws.amazon.com/ivs/latest/RealTimeAPIReference/Welcome.html>

mod dispatch;
mod handlers;

mod composition;
mod connection_token;
mod encoder_configuration;
mod ingest_configuration;
mod participant;
mod participant_event;
mod participant_token;
mod public_key;
mod replication;
mod stage;
mod stage_session;
mod storage_configuration;
mod tag;

mod composition_destination;
mod composition_layout;
mod messages;
mod page;
mod quota;
mod recording;
mod resource;

pub use dispatch::dispatch;
