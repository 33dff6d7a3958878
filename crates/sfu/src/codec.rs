//! The codecs a stage carries, and their clocks. Negotiating them is the media crate's work.

/// Audio or video: a publisher has at most one track of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Audio,
    Video,
}

/// A codec that can be forwarded.
///
/// Amazon IVS itself takes H.264 and Opus only; VP8 is accepted too, because every browser has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    Opus,
    H264,
    Vp8,
}

impl Codec {
    pub fn kind(self) -> Kind {
        match self {
            Codec::Opus => Kind::Audio,
            Codec::H264 | Codec::Vp8 => Kind::Video,
        }
    }

    /// RTP clock in ticks per second (RFC 7587 §4.1, RFC 6184 §8.2.1, RFC 7741 §4.1).
    pub fn clock_hz(self) -> u32 {
        match self {
            Codec::Opus => 48_000,
            Codec::H264 | Codec::Vp8 => 90_000,
        }
    }

    /// The name in `a=rtpmap` lines.
    pub fn name(self) -> &'static str {
        match self {
            Codec::Opus => "opus",
            Codec::H264 => "H264",
            Codec::Vp8 => "VP8",
        }
    }
}
