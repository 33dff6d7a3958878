//! Every operation of the service: called by name with values, as the wire engine does, on a store in memory.
//! Clock and ids are fixed.

mod control;

mod composition;
mod connection_token;
mod encoder_configuration;
mod ingest_configuration;
mod pages;
mod participant;
mod participant_event;
mod participant_token;
mod public_key;
mod replication;
mod stage;
mod stage_session;
mod storage_configuration;
mod tag;
