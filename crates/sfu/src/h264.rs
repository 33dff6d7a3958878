//! What an H.264 payload says about its picture: its size (sequence parameter set, ITU-T H.264 §7.3.2.1) and whether
//! a slice is bidirectional (§7.3.3). It reads headers of NAL units inside RTP payloads (RFC 6184), never the picture.

use crate::packet::Size;

const NAL_SLICE: u8 = 1;
const NAL_SPS: u8 = 7;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;

/// What was found in one RTP payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Found {
    /// The beginning of a sequence parameter set is here: a decoder can start with this packet.
    pub parameter_set: bool,
    pub size: Option<Size>,
    /// A B slice begins here.
    pub bidirectional: bool,
}

/// Looks into an RTP payload (RFC 6184 §5.2): a single NAL unit, a STAP-A, or the first fragment of an FU-A.
pub fn look(payload: &[u8]) -> Found {
    let mut found = Found::default();
    let Some((&first, rest)) = payload.split_first() else {
        return found;
    };
    match first & 0x1f {
        STAP_A => aggregated(rest, &mut found),
        FU_A => {
            // Only the first fragment has the unit's own header.
            if let Some((&header, body)) = rest.split_first().filter(|(header, _)| **header & 0x80 != 0) {
                unit(header & 0x1f, body, false, &mut found);
            }
        }
        kind => unit(kind, rest, true, &mut found),
    }
    found
}

fn aggregated(mut units: &[u8], found: &mut Found) {
    while let [high, low, rest @ ..] = units {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        match rest.first() {
            Some(nal) if length > 0 => {
                let whole = length <= rest.len();
                unit(nal & 0x1f, &rest[1..length.min(rest.len())], whole, found);
                units = rest.get(length..).unwrap_or_default();
            }
            _ => return,
        }
    }
}

fn unit(kind: u8, body: &[u8], whole: bool, found: &mut Found) {
    match kind {
        NAL_SPS => {
            found.parameter_set = true;
            if whole {
                found.size = found.size.or(picture_size(body));
            }
        }
        NAL_SLICE => found.bidirectional |= is_bidirectional(body) == Some(true),
        _ => {}
    }
}

/// Whether a slice header (after the NAL unit's first byte) is that of a B slice: types 1 and 6 (table 7-6).
fn is_bidirectional(body: &[u8]) -> Option<bool> {
    let mut bits = Bits::new(body);
    let _first_macroblock = bits.number()?;
    Some(bits.number()? % 5 == 1)
}

/// Profiles whose parameter sets describe their chroma format.
const WITH_CHROMA: [u32; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

/// Width and height in pixels from a sequence parameter set (after the NAL unit's first byte), cropping applied.
fn picture_size(body: &[u8]) -> Option<Size> {
    let mut bits = Bits::new(body);
    let profile = bits.take(8)?;
    bits.take(16)?;
    bits.number()?;
    let chroma = if WITH_CHROMA.contains(&profile) { chroma_format(&mut bits)? } else { 1 };
    bits.number()?;
    skip_order_count(&mut bits)?;
    bits.number()?;
    bits.take(1)?;
    let width = bits.number()?.checked_add(1)?.checked_mul(16)?;
    let height = bits.number()?.checked_add(1)?.checked_mul(16)?;
    let frames_only = bits.take(1)?;
    if frames_only == 0 {
        bits.take(1)?;
    }
    bits.take(1)?;
    let height = height.checked_mul(2 - frames_only)?;
    let (mut crop_x, mut crop_y) = (0, 0);
    if bits.take(1)? == 1 {
        let sides = [bits.number()?, bits.number()?, bits.number()?, bits.number()?];
        let unit_x = if matches!(chroma, 1 | 2) { 2 } else { 1 };
        let unit_y = if chroma == 1 { 2 } else { 1 } * (2 - frames_only);
        crop_x = sides[0].checked_add(sides[1])?.checked_mul(unit_x)?;
        crop_y = sides[2].checked_add(sides[3])?.checked_mul(unit_y)?;
    }
    let side = |whole: u32, crop: u32| whole.checked_sub(crop).and_then(|side| u16::try_from(side).ok());
    Some(Size { width: side(width, crop_x)?, height: side(height, crop_y)? })
}

fn chroma_format(bits: &mut Bits) -> Option<u32> {
    let chroma = bits.number()?;
    if chroma == 3 {
        bits.take(1)?;
    }
    bits.number()?;
    bits.number()?;
    bits.take(1)?;
    if bits.take(1)? == 1 {
        for list in 0..if chroma == 3 { 12 } else { 8 } {
            if bits.take(1)? == 1 {
                skip_scaling_list(bits, if list < 6 { 16 } else { 64 })?;
            }
        }
    }
    Some(chroma)
}

fn skip_scaling_list(bits: &mut Bits, entries: u32) -> Option<()> {
    let (mut last, mut next) = (8_i64, 8_i64);
    for _ in 0..entries {
        if next != 0 {
            next = (last + bits.signed()? + 256).rem_euclid(256);
        }
        last = if next == 0 { last } else { next };
    }
    Some(())
}

fn skip_order_count(bits: &mut Bits) -> Option<()> {
    match bits.number()? {
        0 => drop(bits.number()?),
        1 => {
            bits.take(1)?;
            bits.number()?;
            bits.number()?;
            for _ in 0..bits.number()?.min(255) {
                bits.number()?;
            }
        }
        _ => {}
    }
    Some(())
}

/// Reads bits, leaving out emulation prevention bytes (§7.4.1.1).
struct Bits<'a> {
    rest: &'a [u8],
    zeros: u32,
    byte: u8,
    left: u32,
}

impl<'a> Bits<'a> {
    fn new(rest: &'a [u8]) -> Bits<'a> {
        Bits { rest, zeros: 0, byte: 0, left: 0 }
    }

    fn bit(&mut self) -> Option<u32> {
        if self.left == 0 {
            self.byte = self.next_byte()?;
            if self.zeros >= 2 && self.byte == 3 {
                self.byte = self.next_byte()?;
                self.zeros = 0;
            }
            self.zeros = if self.byte == 0 { self.zeros + 1 } else { 0 };
            self.left = 8;
        }
        self.left -= 1;
        Some(u32::from(self.byte >> self.left & 1))
    }

    fn next_byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    fn take(&mut self, count: u32) -> Option<u32> {
        (0..count).try_fold(0, |value, _| Some(value << 1 | self.bit()?))
    }

    /// An unsigned exponential Golomb code (§9.1), of at most 31 bits.
    fn number(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.bit()? == 0 {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        Some((1_u32 << zeros) - 1 + self.take(zeros)?)
    }

    fn signed(&mut self) -> Option<i64> {
        let code = i64::from(self.number()?);
        Some(if code % 2 == 0 { -code / 2 } else { (code + 1) / 2 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Constrained baseline at 1280×720 by OpenH264, and high at 1920×1080 by x264 (cropped from 1088).
    const SPS_720: &[u8] =
        &[0x67, 0x42, 0xc0, 0x1f, 0x8c, 0x8d, 0x40, 0x28, 0x02, 0xdd, 0x80, 0x88, 0x45, 0x38];
    const SPS_1080: &[u8] = &[
        0x67, 0x64, 0x00, 0x28, 0xac, 0xd9, 0x40, 0x78, 0x02, 0x27, 0xe5, 0x84, 0x00, 0x00, 0x03, 0x00, 0x04,
        0x00, 0x00, 0x03, 0x00, 0xf0, 0x3c, 0x60, 0xc6, 0x58,
    ];

    fn size(payload: &[u8]) -> Option<(u16, u16)> {
        look(payload).size.map(|size| (size.width, size.height))
    }

    #[test]
    fn sizes() {
        assert_eq!(size(SPS_720), Some((1280, 720)));
        assert_eq!(size(SPS_1080), Some((1920, 1080)));
        let stap = [&[0x78, 0, SPS_720.len() as u8][..], SPS_720, &[0, 1, 0x68]].concat();
        assert_eq!(size(&stap), Some((1280, 720)));
        assert_eq!(size(&SPS_720[..4]), None);
        assert!(look(&SPS_720[..4]).parameter_set);
    }

    #[test]
    fn slices() {
        let bidirectional = |payload: &[u8]| look(payload).bidirectional;
        // first_mb 0 is the bit 1; slice types P=0 → 1, B=1 → 010, I=2 → 011, all-B=6 → 00111.
        assert!(!bidirectional(&[0x41, 0b1100_0000]));
        assert!(bidirectional(&[0x01, 0b1010_0000]));
        assert!(!bidirectional(&[0x65, 0b1011_0000]));
        assert!(bidirectional(&[0x41, 0b1001_1100]));
        assert!(bidirectional(&[0x5c, 0x81, 0b1010_0000]));
        assert!(!bidirectional(&[0x5c, 0x01, 0b1010_0000]));
        assert!(!bidirectional(&[0x41]));
    }

    proptest! {
        #[test]
        fn never_panics(mut payload in proptest::collection::vec(any::<u8>(), 0..80), kind in 0u8..32) {
            if let Some(first) = payload.first_mut() {
                *first = kind;
            }
            look(&payload);
        }
    }
}
