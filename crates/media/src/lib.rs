//! The media plane of real-time stages: WHIP publishing, subscribing, the events socket, and the threads that carry
//! the packets. It never imports a control plane: what it must ask or tell goes through [`ledger::Ledger`].
//!
//! Reading order: [`service`] is what runs and what requests come to; `whip` and `events_socket` are its two
//! faces; `rtmp` takes encoders in; `presence` decides who is on which stage. [`shard`] are the media threads, [`engine`] the WebRTC it drives,
//! [`udp`], [`tcp`] and [`demux`] its way to the network. [`client`] is our own WebRTC client.

pub mod service;

pub mod config;
pub mod ledger;
mod token;
mod whip;

mod choice;
mod events_socket;
mod exchange;
pub mod figures;
mod ice_servers;
mod presence;
pub mod rtmp;
mod user_agent;

pub mod demux;
mod download;
pub mod engine;
pub mod metrics;
pub mod refusals;
pub mod sdp;
pub mod shard;
pub mod tcp;
pub mod udp;
pub mod world;

pub mod client;

pub use config::Config;
pub use service::{Handle, Media};
