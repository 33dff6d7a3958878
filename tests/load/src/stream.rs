//! The sequence numbers of one stream, and the heads of the packets that carry them. They are not encrypted
//! (RFC 3711).

/// What stands in an RTP packet's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) payload_type: u8,
    pub(crate) marker: bool,
    pub(crate) sequence: u16,
    pub(crate) time: u32,
    pub(crate) source: u32,
}

/// What a datagram is (RFC 7983, RFC 5761).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Datagram {
    Media(Head),
    Control,
    Other,
}

impl Datagram {
    pub(crate) fn of(bytes: &[u8]) -> Datagram {
        match bytes {
            [128..192, 192..224, ..] => Datagram::Control,
            [128..192, kind, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3, ..] => Datagram::Media(Head {
                payload_type: kind & 0x7f,
                marker: kind & 0x80 != 0,
                sequence: u16::from_be_bytes([*s0, *s1]),
                time: u32::from_be_bytes([*t0, *t1, *t2, *t3]),
                source: u32::from_be_bytes([*c0, *c1, *c2, *c3]),
            }),
            _ => Datagram::Other,
        }
    }
}

/// The sequence numbers of one stream, unrolled.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    first: Option<u64>,
    last: u64,
    count: u64,
    /// What the server added to the publisher's timestamps.
    pub(crate) time_offset: Option<u32>,
}

impl Stream {
    pub(crate) fn note(&mut self, sequence: u16) {
        self.count += 1;
        if self.first.is_none() {
            (self.first, self.last) = (Some(sequence.into()), sequence.into());
        }
        let step = sequence.wrapping_sub(self.last as u16);
        // A step backwards is a packet that came late.
        if step < 0x8000 {
            self.last += u64::from(step);
        }
    }

    /// Counting starts again here.
    pub(crate) fn forget(&mut self) {
        *self = Stream { time_offset: self.time_offset, ..Stream::default() };
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn missing(&self) -> u64 {
        let Some(first) = self.first else { return 0 };
        (self.last - first + 1).saturating_sub(self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_counted_over_the_wrap_and_late_packets_close_them() {
        for (sequences, missing) in [
            (vec![1, 2, 3], 0),
            (vec![1, 2, 5], 2),
            (vec![65534, 65535, 1], 1),
            (vec![1, 3, 2], 0),
            (vec![], 0),
        ] {
            let mut stream = Stream::default();
            sequences.iter().for_each(|&sequence| stream.note(sequence));
            assert_eq!(stream.missing(), missing, "{sequences:?}");
        }
    }

    #[test]
    fn heads() {
        let media = [0x90, 0xe0, 1, 2, 0, 0, 0, 9, 0, 0, 0, 7, 55];
        let head = Head { payload_type: 96, marker: true, sequence: 258, time: 9, source: 7 };
        assert_eq!(Datagram::of(&media), Datagram::Media(head));
        assert_eq!(Datagram::of(&media[..8]), Datagram::Other);
        assert_eq!(Datagram::of(&[0x80, 200, 0, 6]), Datagram::Control);
        assert_eq!(Datagram::of(&[0, 1]), Datagram::Other);
    }
}
