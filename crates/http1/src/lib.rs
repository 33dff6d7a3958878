//! The messages of HTTP/1.1 (RFC 9112) as bytes: as a client needs them, which writes heads of requests and reads
//! answers, and as a server does for the requests that are usual.
//!
//! Owns what is malformed and where a message ends. Heads are parsed by `httparse`, which is hyper's parser too; what
//! is refused here is what hyper refuses. Does not know connections: who reads hands in what has come so far, cut
//! anywhere.
//!
//! Pure: no I/O, no clock. Whatever the peer sends, memory and work are bounded by what was handed in.

mod answer;
mod asked;
mod chunks;
mod fields;
mod framing;
mod reply;
mod request;

pub use answer::{Answer, AnswerReader, HEAD_BYTES_MAX};
pub use asked::{Asked, RequestReader, Usual};
pub use chunks::{Chunks, Piece};
pub use framing::Framing;
pub use reply::write_reply;
pub use request::{Length, write_request};

/// Why what a peer sends is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("it is no HTTP/1: {0}")]
    Head(httparse::Error),
    #[error("its head has an impossible status")]
    Status,
    #[error("its head is too long")]
    HeadTooLong,
    #[error("its lengths contradict each other or are none")]
    Length,
    #[error("HTTP/1.0 has no transfer codings")]
    Coding,
    #[error("its chunks are malformed")]
    Chunk,
    #[error("its trailer is malformed or too long")]
    Trailer,
}
