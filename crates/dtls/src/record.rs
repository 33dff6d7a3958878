//! Records (RFC 6347 §4.1): their headers, and which of an epoch were seen (§4.1.2.6). Not what is in them.

use crate::bytes::{Reader, Short};

pub(crate) const HEADER_LEN: usize = 13;
/// DTLS 1.2.
pub(crate) const VERSION: [u8; 2] = [0xfe, 0xfd];

/// Content types.
pub(crate) const CHANGE_CIPHER_SPEC: u8 = 20;
pub(crate) const ALERT: u8 = 21;
pub(crate) const HANDSHAKE: u8 = 22;
pub(crate) const APPLICATION_DATA: u8 = 23;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    pub(crate) kind: u8,
    pub(crate) epoch: u16,
    /// 48 bits.
    pub(crate) sequence: u64,
}

impl Header {
    /// Epoch and sequence number as they stand in a record, and in what is authenticated with it.
    pub(crate) fn number(&self) -> [u8; 8] {
        (u64::from(self.epoch) << 48 | self.sequence).to_be_bytes()
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>, body: &[u8]) {
        out.push(self.kind);
        out.extend_from_slice(&VERSION);
        out.extend_from_slice(&self.number());
        out.extend_from_slice(&(body.len() as u16).to_be_bytes());
        out.extend_from_slice(body);
    }
}

/// The next record of a datagram; `None` at its end, or where it is no longer DTLS.
///
/// Clients say DTLS 1.0 in the header of their first hello, so any version of DTLS passes here.
pub(crate) fn next<'a>(datagram: &mut Reader<'a>) -> Option<(Header, &'a [u8])> {
    read(datagram).ok()
}

fn read<'a>(datagram: &mut Reader<'a>) -> Result<(Header, &'a [u8]), Short> {
    let kind = datagram.u8()?;
    let [major, _] = datagram.array()?;
    if major != VERSION[0] {
        return Err(Short);
    }
    let number = u64::from_be_bytes(datagram.array()?);
    let body = datagram.vector16()?.0;
    Ok((Header { kind, epoch: (number >> 48) as u16, sequence: number & 0xffff_ffff_ffff }, body))
}

/// The sequence numbers that were seen, as far back as 64 before the highest.
#[derive(Debug, Default)]
pub(crate) struct Window {
    /// One more than the highest.
    next: u64,
    /// Bit `n` stands for `next - 1 - n`.
    seen: u64,
}

impl Window {
    pub(crate) fn is_new(&self, sequence: u64) -> bool {
        match self.next.checked_sub(1 + sequence) {
            None => true,
            Some(behind) => behind < 64 && self.seen >> behind & 1 == 0,
        }
    }

    /// To be called for authentic records alone.
    pub(crate) fn mark(&mut self, sequence: u64) {
        if sequence >= self.next {
            let ahead = sequence + 1 - self.next;
            self.seen = if ahead < 64 { self.seen << ahead } else { 0 };
            self.next = sequence + 1;
        }
        let behind = self.next - 1 - sequence;
        if behind < 64 {
            self.seen |= 1 << behind;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_passes_once_and_old_ones_never() {
        let mut window = Window::default();
        for (sequence, is_new) in [
            (0, true),
            (0, false),
            (5, true),
            (4, true),
            (5, false),
            (4, false),
            (70, true),
            (6, false),
            (7, true),
        ] {
            assert_eq!(window.is_new(sequence), is_new, "{sequence}");
            if is_new {
                window.mark(sequence);
            }
        }
        window.mark(0xffff_ffff_ffff);
        assert!(!window.is_new(70) && !window.is_new(0xffff_ffff_ffff));
        assert!(window.is_new(0xffff_ffff_fffe));
    }

    #[test]
    fn what_is_no_record_ends_the_datagram() {
        let mut whole = Vec::new();
        Header { kind: HANDSHAKE, epoch: 1, sequence: 7 }.write(&mut whole, b"body");
        let mut reader = Reader(&whole);
        let (header, body) = next(&mut reader).unwrap();
        assert_eq!((header.kind, header.epoch, header.sequence, body), (HANDSHAKE, 1, 7, &b"body"[..]));
        assert!(next(&mut reader).is_none());
        for len in 0..whole.len() {
            assert!(next(&mut Reader(&whole[..len])).is_none(), "{len}");
        }
        whole[1] = 3;
        assert!(next(&mut Reader(&whole)).is_none(), "TLS is not DTLS");
    }
}
