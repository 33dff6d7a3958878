//! Cuts encoded frames into RTP payloads: H.264 (RFC 6184, packetization mode 1), VP8 (RFC 7741), Opus (RFC 7587).

use stagedoor_sfu::Codec;

/// Payloads stay below this many bytes, so that a datagram with all headers fits into 1 200.
pub const PAYLOAD_BYTES_MAX: usize = 1100;

/// Turns the frames of one track into payloads.
#[derive(Debug, Clone)]
pub struct Packetizer {
    codec: Codec,
    picture_id: u16,
}

impl Packetizer {
    pub fn new(codec: Codec) -> Packetizer {
        Packetizer { codec, picture_id: 0 }
    }

    /// The payloads of one frame: an H.264 access unit in Annex B form, a VP8 frame, or an Opus packet. The last one
    /// is to carry the marker bit (for video).
    pub fn payloads(&mut self, frame: &[u8]) -> Vec<Vec<u8>> {
        match self.codec {
            Codec::Opus => vec![frame.to_vec()],
            Codec::Vp8 => self.vp8(frame),
            Codec::H264 => h264(frame),
        }
    }

    fn vp8(&mut self, frame: &[u8]) -> Vec<Vec<u8>> {
        let id = self.picture_id;
        self.picture_id = (id + 1) & 0x7fff;
        let pieces = frame.chunks(PAYLOAD_BYTES_MAX).enumerate();
        pieces
            .map(|(index, piece)| {
                let start = if index == 0 { 0x90 } else { 0x80 };
                let mut payload = vec![start, 0x80, 0x80 | (id >> 8) as u8, id as u8];
                payload.extend_from_slice(piece);
                payload
            })
            .collect()
    }
}

fn h264(access_unit: &[u8]) -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    for unit in nal_units(access_unit) {
        let Some((&header, body)) = unit.split_first() else { continue };
        if unit.len() <= PAYLOAD_BYTES_MAX {
            payloads.push(unit.to_vec());
            continue;
        }
        let pieces = body.chunks(PAYLOAD_BYTES_MAX);
        let last = pieces.len() - 1;
        for (index, piece) in pieces.enumerate() {
            let start = if index == 0 { 0x80 } else { 0 };
            let end = if index == last { 0x40 } else { 0 };
            // FU-A: the unit's type moves into the second byte.
            let mut payload = vec![header & 0xe0 | 28, start | end | header & 0x1f];
            payload.extend_from_slice(piece);
            payloads.push(payload);
        }
    }
    payloads
}

/// The NAL units of an Annex B byte stream, without start codes.
pub fn nal_units(stream: &[u8]) -> Vec<&[u8]> {
    let mut starts: Vec<usize> = Vec::new();
    for index in 0..stream.len().saturating_sub(2) {
        if stream[index..index + 3] == [0, 0, 1] {
            starts.push(index);
        }
    }
    let ends = starts.iter().skip(1).copied().chain([stream.len()]);
    let units = starts.iter().copied().zip(ends).map(|(start, end)| {
        let unit = &stream[start + 3..end];
        // Zero bytes before the next start code belong to that code.
        let length = unit.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        &unit[..length]
    });
    units.filter(|unit| !unit.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagedoor_sfu::keyframe;

    #[test]
    fn annex_b_is_split_at_both_start_codes() {
        let stream = [0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 3, 0, 0, 0, 1, 0x65, 4, 0];
        assert_eq!(nal_units(&stream), [&[0x67, 1, 2][..], &[0x68, 3], &[0x65, 4]]);
        assert_eq!(nal_units(&[1, 2, 3]), Vec::<&[u8]>::new());
        assert_eq!(nal_units(&[0, 0, 1]), Vec::<&[u8]>::new());
    }

    #[test]
    fn long_units_are_fragmented() {
        let mut stream = vec![0, 0, 1, 0x67, 9, 0, 0, 1, 0x65];
        stream.extend(std::iter::repeat_n(7, 2 * PAYLOAD_BYTES_MAX + 5));
        let payloads = Packetizer::new(Codec::H264).payloads(&stream);
        assert_eq!(payloads.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1102, 1102, 7]);
        assert!(keyframe::starts(Codec::H264, &payloads[0]));
        let heads: Vec<_> = payloads[1..].iter().map(|payload| (payload[0], payload[1])).collect();
        assert_eq!(heads, [(0x7c, 0x85), (0x7c, 0x05), (0x7c, 0x45)]);
    }

    #[test]
    fn vp8_pictures_are_numbered() {
        let mut packetizer = Packetizer::new(Codec::Vp8);
        let key = packetizer.payloads(&[0; 1500]);
        assert_eq!(key.len(), 2);
        assert!(keyframe::starts(Codec::Vp8, &key[0]) && !keyframe::starts(Codec::Vp8, &key[1]));
        assert_eq!(packetizer.payloads(&[1])[0], [0x90, 0x80, 0x80, 1, 1]);
    }
}
