//! What a real-time stage decides: rooms, tracks, layers, who receives which packet and how it is renumbered.
//!
//! Invariants: this crate does no I/O, reads no clock and draws no random numbers. `now` is a [`std::time::Duration`]
//! since a start chosen by the caller; random first sequence numbers come in as arguments. Payload bytes stay with
//! the caller, which decrypts and encrypts them (`stagedoor-media`).

pub mod codec;
pub mod forward;
pub mod h264;
pub mod keyframe;
pub mod keys;
pub mod layer;
pub mod packet;
pub mod pli;
pub mod room;
pub mod rooms;
pub mod rules;
pub mod select;
pub mod share;
pub mod vp8;

pub use codec::{Codec, Kind};
pub use keys::{PeerKey, PeerMap};
pub use packet::{Incoming, Outgoing, Size};
pub use room::{KeyFrameRequest, LayerFigures, Rates, Room, TrackSpec, Wanted};
pub use rooms::{Heard, Notice, Rooms, ShardId, To};
pub use rules::{Rules, Violation};
pub use select::Choice;
pub use share::{Demand, share};
