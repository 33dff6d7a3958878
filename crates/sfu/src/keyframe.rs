//! Where a picture starts that a decoder can begin with. It reads payload headers only, never the picture.

use crate::codec::Codec;
use crate::{h264, vp8};

/// Whether a receiver that has seen nothing yet can start with this packet.
///
/// Audio can always be started. For H.264 it is the packet that carries the sequence parameter set: an IDR slice
/// alone cannot be decoded without SPS and PPS, and starting one packet later than them leaves a subscriber with a
/// grey picture until the next key frame (mediasoup issues 215 and 408 tell that story). WebRTC encoders send
/// SPS, PPS and IDR together, in one STAP-A or as packets of the same frame.
pub fn starts(codec: Codec, payload: &[u8]) -> bool {
    match codec {
        Codec::Opus => !payload.is_empty(),
        Codec::Vp8 => vp8::parse(payload).is_some_and(|d| d.starts_key_frame),
        Codec::H264 => h264::look(payload).parameter_set,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(codec: Codec, payload: &[u8], expected: bool) {
        assert_eq!(starts(codec, payload), expected, "{codec:?} {payload:x?}");
    }

    #[test]
    fn h264() {
        check(Codec::H264, &[], false);
        check(Codec::H264, &[0x67, 0x42], true);
        check(Codec::H264, &[0x68, 0xce], false);
        check(Codec::H264, &[0x65, 0x88], false);
        check(Codec::H264, &[0x41, 0x9a], false);
        // STAP-A: SPS + PPS, AUD + SPS, PPS only, cut short, zero lengths.
        check(Codec::H264, &[0x78, 0, 2, 0x67, 1, 0, 1, 0x68], true);
        check(Codec::H264, &[0x78, 0, 1, 0x09, 0, 2, 0x67, 1], true);
        check(Codec::H264, &[0x78, 0, 1, 0x68], false);
        check(Codec::H264, &[0x78, 0, 200, 0x68, 1], false);
        check(Codec::H264, &[0x78, 0, 0, 0, 0], false);
        check(Codec::H264, &[0x78, 0], false);
        // FU-A: first fragment of an SPS, later fragment, first fragment of an IDR.
        check(Codec::H264, &[0x7c, 0x87, 1], true);
        check(Codec::H264, &[0x7c, 0x07, 1], false);
        check(Codec::H264, &[0x7c, 0x85, 1], false);
        check(Codec::H264, &[0x7c], false);
    }

    #[test]
    fn vp8_and_opus() {
        check(Codec::Vp8, &[0x10, 0x00], true);
        check(Codec::Vp8, &[0x10, 0x01], false);
        check(Codec::Opus, &[0xfc], true);
        check(Codec::Opus, &[], false);
    }

    proptest! {
        #[test]
        fn never_panics(payload in proptest::collection::vec(any::<u8>(), 0..64)) {
            for codec in [Codec::Opus, Codec::H264, Codec::Vp8] {
                starts(codec, &payload);
            }
        }
    }
}
