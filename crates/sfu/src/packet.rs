//! A packet as the room sees it: numbers, not bytes.

use crate::codec::{Codec, Kind};
use crate::{keyframe, vp8};

/// One packet from a publisher, described once and looked at by every subscriber's forwarder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incoming {
    pub kind: Kind,
    /// Index of the layer in its track; 0 when the publisher sends a single one.
    pub layer: u8,
    /// Sequence number extended over its 16-bit wraps.
    pub sequence: u64,
    /// RTP timestamp in ticks of the codec's clock.
    pub time: u32,
    pub starts_key_frame: bool,
    pub vp8: Option<vp8::Ids>,
}

impl Incoming {
    /// Looks at a payload once. `sequence` is the extended number, `time` the RTP timestamp.
    pub fn describe(codec: Codec, layer: u8, sequence: u64, time: u32, payload: &[u8]) -> Incoming {
        let descriptor = if codec == Codec::Vp8 { vp8::parse(payload) } else { None };
        let starts_key_frame = match codec {
            Codec::Vp8 => descriptor.is_some_and(|d| d.starts_key_frame),
            other => keyframe::starts(other, payload),
        };
        Incoming {
            kind: codec.kind(),
            layer,
            sequence,
            time,
            starts_key_frame,
            vp8: descriptor.map(|d| d.ids),
        }
    }
}

/// The numbers under which one subscriber receives a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outgoing {
    /// Extended sequence number. The first one of a subscription is below 65 536: SRTP receivers start with a
    /// rollover counter of zero and could not authenticate anything above (RFC 3711 §3.3.1).
    pub sequence: u64,
    pub time: u32,
    /// Ids to write over those in the VP8 descriptor; `None` if they can stay as they are.
    pub vp8: Option<vp8::Ids>,
}
