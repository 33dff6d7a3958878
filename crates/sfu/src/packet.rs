//! A packet as the room sees it: numbers, not bytes.

use crate::codec::{Codec, Kind};
use crate::{h264, vp8};

/// A picture's size in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub width: u16,
    pub height: u16,
}

impl Size {
    pub fn pixels(self) -> u32 {
        u32::from(self.width) * u32::from(self.height)
    }

    /// Whether neither side is longer than that of `limit`.
    pub fn within(self, limit: Size) -> bool {
        self.width <= limit.width && self.height <= limit.height
    }
}

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
    /// Length of the payload.
    pub bytes: u32,
    pub starts_key_frame: bool,
    /// The picture's size, where a key frame tells it.
    pub size: Option<Size>,
    /// A B slice of H.264, which WebRTC decoders show out of order.
    pub bidirectional: bool,
    pub vp8: Option<vp8::Ids>,
}

impl Incoming {
    /// Looks at a payload once. `sequence` is the extended number, `time` the RTP timestamp.
    pub fn describe(codec: Codec, layer: u8, sequence: u64, time: u32, payload: &[u8]) -> Incoming {
        let mut packet = Incoming {
            kind: codec.kind(),
            layer,
            sequence,
            time,
            bytes: payload.len() as u32,
            starts_key_frame: false,
            size: None,
            bidirectional: false,
            vp8: None,
        };
        match codec {
            Codec::Opus => packet.starts_key_frame = !payload.is_empty(),
            Codec::H264 => {
                let found = h264::look(payload);
                packet.starts_key_frame = found.parameter_set;
                packet.size = found.size;
                packet.bidirectional = found.bidirectional;
            }
            Codec::Vp8 => {
                if let Some(descriptor) = vp8::parse(payload) {
                    packet.starts_key_frame = descriptor.starts_key_frame;
                    packet.size = descriptor.size;
                    packet.vp8 = Some(descriptor.ids);
                }
            }
        }
        packet
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
