//! The VP8 payload descriptor (RFC 7741 §4.2): the ids that have to stay continuous for a subscriber, and where a
//! key frame starts and how large its picture is. It does not look into the coded picture beyond that.

use crate::packet::Size;

/// A picture id and the width it is written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureId {
    pub value: u16,
    /// 15 bits (two bytes) rather than 7. A rewrite must keep the width, since the payload may not change its length.
    pub wide: bool,
}

impl PictureId {
    fn mask(self) -> u16 {
        if self.wide { 0x7fff } else { 0x7f }
    }

    /// This id moved by `offset`, wrapping within its own width.
    pub fn moved(self, offset: u16) -> PictureId {
        PictureId { value: self.value.wrapping_add(offset) & self.mask(), ..self }
    }

    /// The offset that turns this id into the one after `last`.
    pub fn offset_after(self, last: PictureId) -> u16 {
        last.value.wrapping_add(1).wrapping_sub(self.value) & 0x7fff
    }
}

/// The fields of a descriptor that count pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ids {
    pub picture: Option<PictureId>,
    /// TL0PICIDX, the running number of base-layer frames.
    pub base_layer: Option<u8>,
}

/// What the descriptor says about one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptor {
    pub ids: Ids,
    pub starts_key_frame: bool,
    /// The picture's size, at the start of a key frame.
    pub size: Option<Size>,
}

/// Reads the descriptor at the start of an RTP payload; `None` if it is cut short.
pub fn parse(payload: &[u8]) -> Option<Descriptor> {
    let (&first, mut rest) = payload.split_first()?;
    let mut ids = Ids::default();
    if first & 0x80 != 0 {
        let extension = take(&mut rest)?;
        if extension & 0x80 != 0 {
            ids.picture = Some(picture_id(&mut rest)?);
        }
        if extension & 0x40 != 0 {
            ids.base_layer = Some(take(&mut rest)?);
        }
        if extension & 0x30 != 0 {
            take(&mut rest)?;
        }
    }
    // S set and partition 0: the packet starts with the frame header, whose lowest bit is 0 in a key frame
    // (RFC 6386 §9.1).
    let header = *rest.first()?;
    let starts_frame = first & 0x10 != 0 && first & 0x07 == 0;
    let starts_key_frame = starts_frame && header & 1 == 0;
    let size = if starts_key_frame { picture_size(rest) } else { None };
    Some(Descriptor { ids, starts_key_frame, size })
}

/// Width and height behind a key frame's start code; their two highest bits are a scale (RFC 6386 §9.1).
fn picture_size(frame: &[u8]) -> Option<Size> {
    let &[_, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1] = frame.first_chunk::<10>()? else {
        return None;
    };
    let side = |low, high| u16::from_le_bytes([low, high]) & 0x3fff;
    Some(Size { width: side(w0, w1), height: side(h0, h1) })
}

fn picture_id(rest: &mut &[u8]) -> Option<PictureId> {
    let high = take(rest)?;
    if high & 0x80 == 0 {
        return Some(PictureId { value: u16::from(high), wide: false });
    }
    let low = take(rest)?;
    Some(PictureId { value: u16::from(high & 0x7f) << 8 | u16::from(low), wide: true })
}

fn take(rest: &mut &[u8]) -> Option<u8> {
    let (&byte, tail) = rest.split_first()?;
    *rest = tail;
    Some(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Picture id with its width, TL0PICIDX, whether a key frame starts.
    type Found = (Option<(u16, bool)>, Option<u8>, bool);

    fn check(payload: &[u8], expected: Option<Found>) {
        let found = parse(payload)
            .map(|d| (d.ids.picture.map(|p| (p.value, p.wide)), d.ids.base_layer, d.starts_key_frame));
        assert_eq!(found, expected, "{payload:x?}");
    }

    #[test]
    fn descriptors() {
        check(&[], None);
        check(&[0x10], None);
        check(&[0x10, 0x00], Some((None, None, true)));
        check(&[0x10, 0x01], Some((None, None, false)));
        check(&[0x00, 0x00], Some((None, None, false)));
        check(&[0x11, 0x00], Some((None, None, false)));
        check(&[0x90, 0x80, 0x05, 0x00], Some((Some((5, false)), None, true)));
        check(&[0x90, 0x80, 0x81, 0x02, 0x01], Some((Some((0x102, true)), None, false)));
        check(&[0x90, 0xe0, 0xff, 0xff, 7, 0x20, 0x00], Some((Some((0x7fff, true)), Some(7), true)));
        check(&[0x90, 0xe0, 0xff, 0xff, 7, 0x20], None);
        check(&[0x90, 0x80, 0xff], None);
    }

    #[test]
    fn key_frames_have_a_size() {
        let payload = [0x10, 0x00, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x41];
        assert_eq!(parse(&payload).and_then(|d| d.size), Some(Size { width: 640, height: 360 }));
        assert_eq!(parse(&payload[..10]).map(|d| d.size), Some(None));
    }

    #[test]
    fn offsets_wrap_in_the_width_of_the_id() {
        let last = PictureId { value: 0x7fff, wide: true };
        let next = PictureId { value: 300, wide: true };
        assert_eq!(next.moved(next.offset_after(last)).value, 0);
        let narrow = PictureId { value: 3, wide: false };
        assert_eq!(narrow.moved(narrow.offset_after(PictureId { value: 127, wide: false })).value, 0);
    }
}
