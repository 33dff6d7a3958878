//! RTMP ingest without I/O: handshake, chunks, AMF0, the commands of a publishing encoder, and the FLV tags that it
//! sends (Adobe RTMP 1.0, FLV 10.1; Enhanced RTMP v1 for the codec's name).
//!
//! Invariants: nothing here reads a socket, a clock or randomness, and nothing panics or grows without bound whatever
//! bytes come in. [`session::Session`] is the server's side of one connection, [`client::Client`] an encoder's.

pub mod aac;
pub mod amf0;
pub mod avc;
pub mod chunk;
pub mod client;
pub mod flv;
pub mod handshake;
pub mod message;
pub mod session;

pub use session::{Event, Session};

/// Why a connection cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("it does not speak RTMP version 3")]
    Version,
    #[error("{0} exceeds what is taken")]
    TooMuch(&'static str),
    #[error("malformed: {0}")]
    Malformed(&'static str),
}
