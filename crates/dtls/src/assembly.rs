//! The peer's handshake messages, put together from fragments and brought into order (RFC 6347 §4.2.3).
//!
//! Bounded: a message has at most [`MESSAGE_LEN_MAX`] bytes, and only the few that can follow the one awaited are
//! kept, so a connection holds some ten kilobytes of a stranger's bytes at most, and none after its handshake.

use std::collections::VecDeque;

use crate::bytes::{Reader, Short};
use crate::message::{FINISHED, Message};

/// No certificate of WebRTC comes near this, nor does a hello with post-quantum key shares.
const MESSAGE_LEN_MAX: usize = 8 * 1024;
/// A client sends four messages in one flight, and has sent one before.
const AHEAD_MAX: usize = 4;
/// Pieces of one message that may be apart from each other.
const PIECES_MAX: usize = 16;

#[derive(Debug, Default)]
pub(crate) struct Assembly {
    /// The sequence number of the message that is awaited.
    next: u16,
    /// The messages from the awaited one on.
    partial: VecDeque<Option<Partial>>,
}

/// A part of a handshake record.
#[derive(Debug, Clone, Copy)]
struct Fragment<'a> {
    kind: u8,
    len: usize,
    sequence: u16,
    offset: usize,
    contents: &'a [u8],
}

#[derive(Debug)]
struct Partial {
    kind: u8,
    body: Vec<u8>,
    /// What has come, in order and apart from each other.
    pieces: Vec<(usize, usize)>,
}

impl Assembly {
    /// Takes the fragments in a record. `true` if one is of a message that was complete before: the peer repeats
    /// itself, so it lacks our answer.
    pub(crate) fn take(&mut self, epoch: u16, record: &[u8]) -> bool {
        let mut reader = Reader(record);
        let mut repeats = false;
        while !reader.is_empty() {
            let Ok(fragment) = read_fragment(&mut reader) else { break };
            // The keys change before Finished and nowhere else.
            if (fragment.kind == FINISHED) == (epoch == 1) {
                repeats |= fragment.sequence < self.next;
                self.keep(fragment);
            }
        }
        repeats
    }

    /// The awaited message, if all of it is there.
    pub(crate) fn pop(&mut self) -> Option<Message> {
        let is_whole =
            self.partial.front().is_some_and(|first| first.as_ref().is_some_and(Partial::is_whole));
        if !is_whole {
            return None;
        }
        let partial = self.partial.pop_front()??;
        let message = Message { kind: partial.kind, sequence: self.next, body: partial.body };
        self.next += 1;
        Some(message)
    }

    fn keep(&mut self, fragment: Fragment<'_>) {
        let Some(ahead) = fragment.sequence.checked_sub(self.next).map(usize::from) else { return };
        if ahead >= AHEAD_MAX || fragment.len > MESSAGE_LEN_MAX {
            return;
        }
        while self.partial.len() <= ahead {
            self.partial.push_back(None);
        }
        let partial = self.partial[ahead].get_or_insert_with(|| Partial {
            kind: fragment.kind,
            body: vec![0; fragment.len],
            pieces: Vec::new(),
        });
        partial.add(fragment);
    }
}

fn read_fragment<'a>(reader: &mut Reader<'a>) -> Result<Fragment<'a>, Short> {
    let kind = reader.u8()?;
    let len = reader.u24()?;
    let sequence = reader.u16()?;
    let offset = reader.u24()?;
    let contents = reader.vector24()?.0;
    if offset + contents.len() > len {
        return Err(Short);
    }
    Ok(Fragment { kind, len, sequence, offset, contents })
}

impl Partial {
    fn add(&mut self, fragment: Fragment<'_>) {
        let (start, end) = (fragment.offset, fragment.offset + fragment.contents.len());
        // A peer that says two things of one message is not understood; what it said first stands.
        if fragment.kind != self.kind || fragment.len != self.body.len() || self.pieces.len() >= PIECES_MAX {
            return;
        }
        self.body[start..end].copy_from_slice(fragment.contents);
        self.pieces.push((start, end));
        self.pieces.sort_unstable();
        self.pieces.dedup_by(|later, earlier| {
            let touches = later.0 <= earlier.1;
            if touches {
                earlier.1 = earlier.1.max(later.1);
            }
            touches
        });
    }

    fn is_whole(&self) -> bool {
        self.pieces.first() == Some(&(0, self.body.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{CERTIFICATE, CLIENT_HELLO};

    fn message(kind: u8, sequence: u16, len: usize) -> Message {
        Message { kind, sequence, body: (0..len).map(|n| n as u8).collect() }
    }

    fn fragment(message: &Message, offset: usize, len: usize) -> Vec<u8> {
        let mut out = Vec::new();
        message.write(&mut out, offset, len);
        out
    }

    #[test]
    fn fragments_come_in_any_order_twice_and_overlapping() {
        let hello = message(CLIENT_HELLO, 0, 100);
        let mut assembly = Assembly::default();
        for (offset, len) in [(60, 40), (10, 30), (60, 40), (35, 30)] {
            assert!(!assembly.take(0, &fragment(&hello, offset, len)));
            assert_eq!(assembly.pop(), None);
        }
        assembly.take(0, &fragment(&hello, 0, 10));
        assert_eq!(assembly.pop(), Some(hello.clone()));
        assert_eq!(assembly.pop(), None);
        assert!(assembly.take(0, &fragment(&hello, 0, 1)), "the peer repeats itself");
    }

    #[test]
    fn messages_wait_for_those_before_them() {
        let (hello, certificate) = (message(CLIENT_HELLO, 0, 0), message(CERTIFICATE, 1, 5));
        let mut assembly = Assembly::default();
        assembly.take(0, &fragment(&certificate, 0, 5));
        assert_eq!(assembly.pop(), None);
        assembly.take(0, &fragment(&hello, 0, 0));
        assert_eq!(assembly.pop(), Some(hello));
        assert_eq!(assembly.pop(), Some(certificate));
    }

    #[test]
    fn what_is_too_long_too_far_ahead_or_contradicts_itself_is_dropped() {
        let mut assembly = Assembly::default();
        assembly.take(0, &fragment(&message(CLIENT_HELLO, 0, MESSAGE_LEN_MAX + 1), 0, 10));
        assembly.take(0, &fragment(&message(CERTIFICATE, AHEAD_MAX as u16, 10), 0, 10));
        assembly.take(1, &fragment(&message(CLIENT_HELLO, 0, 10), 0, 10));
        assembly.take(0, &fragment(&message(FINISHED, 0, 12), 0, 12));
        assert!(assembly.partial.is_empty());
        let mut beyond = fragment(&message(CLIENT_HELLO, 0, 10), 0, 10);
        beyond[8] = 1;
        assembly.take(0, &beyond);
        assert!(assembly.partial.is_empty());
        assembly.take(0, &fragment(&message(CLIENT_HELLO, 0, 10), 0, 4));
        assembly.take(0, &fragment(&message(CLIENT_HELLO, 0, 12), 4, 8));
        assembly.take(0, &fragment(&message(CERTIFICATE, 0, 10), 4, 6));
        assert_eq!(assembly.pop(), None);
        assembly.take(0, &fragment(&message(CLIENT_HELLO, 0, 10), 4, 6));
        assert!(assembly.pop().is_some());
    }

    #[test]
    fn many_pieces_apart_are_not_all_kept() {
        let hello = message(CLIENT_HELLO, 0, MESSAGE_LEN_MAX);
        let mut assembly = Assembly::default();
        for offset in (0..MESSAGE_LEN_MAX).step_by(2) {
            assembly.take(0, &fragment(&hello, offset, 1));
        }
        assert_eq!(assembly.partial[0].as_ref().unwrap().pieces.len(), PIECES_MAX);
    }
}
