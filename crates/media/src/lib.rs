//! The media plane of real-time stages: WHIP publishing, subscribing, the events socket, and the threads that carry
//! the packets. It never imports a control plane: what it must ask or tell goes through [`ledger::Ledger`].

pub mod client;
pub mod config;
pub mod demux;
pub mod engine;
pub mod metrics;
pub mod sdp;
pub mod shard;
pub mod udp;
pub mod world;

pub use config::Config;
