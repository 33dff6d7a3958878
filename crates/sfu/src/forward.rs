//! What one subscriber receives of one track: from which packet on, and under which numbers.
//!
//! Sequence numbers, timestamps and VP8 picture ids are continued whenever the source changes (a publisher that came
//! back, another simulcast layer), so that the subscriber's decoder sees one unbroken stream. Packets that the
//! network lost on the way in stay missing under their own number, so that they can still be delivered late.

use std::time::Duration;

use crate::codec::Codec;
use crate::packet::{Incoming, Outgoing};
use crate::vp8::Ids;

/// One encoding of one publication. A publisher that publishes again gets new sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Source(pub u64);

/// The forwarder of one track to one subscriber.
#[derive(Debug, Clone)]
pub struct Forward {
    codec: Codec,
    first_sequence: u16,
    target: Source,
    current: Option<Current>,
    last: Option<Last>,
}

/// The source that is being forwarded, and how its numbers are moved.
#[derive(Debug, Clone, Copy)]
struct Current {
    source: Source,
    first_in: u64,
    first_out: u64,
    time_offset: u32,
    picture_offset: u16,
    base_layer_offset: u8,
}

/// The newest packet sent, from which the next source continues.
#[derive(Debug, Clone, Copy)]
struct Last {
    sequence: u64,
    time: u32,
    at: Duration,
    vp8: Option<Ids>,
}

impl Forward {
    /// A forwarder that waits for `target`'s next key frame. `first_sequence` is random, from the caller.
    pub fn new(codec: Codec, target: Source, first_sequence: u16) -> Forward {
        Forward { codec, first_sequence, target, current: None, last: None }
    }

    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// The source that is wanted, and the one that is being sent, if any is.
    pub fn sources(&self) -> (Source, Option<Source>) {
        (self.target, self.current.map(|current| current.source))
    }

    /// Chooses another source. The present one goes on until the new one brings a key frame.
    pub fn switch_to(&mut self, target: Source) {
        self.target = target;
    }

    /// Whether a key frame of the target would bring this subscriber forward.
    pub fn waits(&self) -> bool {
        self.current.is_none_or(|current| current.source != self.target)
    }

    /// The numbers for `packet`, or `None` if this subscriber does not get it.
    pub fn accept(&mut self, source: Source, packet: &Incoming, now: Duration) -> Option<Outgoing> {
        let current = match self.current {
            Some(current) if current.source == source => current,
            _ if source == self.target && packet.starts_key_frame => self.start(source, packet, now),
            _ => return None,
        };
        // A packet from before the key frame with which this source was started, delivered late.
        let advance = packet.sequence.checked_sub(current.first_in)?;
        let out = Outgoing {
            sequence: current.first_out + advance,
            time: packet.time.wrapping_add(current.time_offset),
            vp8: packet.vp8.map(|ids| current.moved(ids)),
        };
        self.remember(&out, now);
        Some(Outgoing { vp8: out.vp8.filter(|ids| Some(*ids) != packet.vp8), ..out })
    }

    fn start(&mut self, source: Source, packet: &Incoming, now: Duration) -> Current {
        let mut current = Current {
            source,
            first_in: packet.sequence,
            first_out: u64::from(self.first_sequence),
            time_offset: 0,
            picture_offset: 0,
            base_layer_offset: 0,
        };
        if let Some(last) = self.last {
            current.first_out = last.sequence + 1;
            current.time_offset = self.time_after(last, now).wrapping_sub(packet.time);
            (current.picture_offset, current.base_layer_offset) = id_offsets(last.vp8, packet.vp8);
        }
        self.current = Some(current);
        current
    }

    /// The timestamp at which a new source continues: as much later as time has passed, at least one tick.
    fn time_after(&self, last: Last, now: Duration) -> u32 {
        let elapsed = now.saturating_sub(last.at).as_micros();
        let ticks = elapsed * u128::from(self.codec.clock_hz()) / 1_000_000;
        last.time.wrapping_add((ticks as u32).max(1))
    }

    fn remember(&mut self, out: &Outgoing, now: Duration) {
        if self.last.is_none_or(|last| out.sequence > last.sequence) {
            self.last = Some(Last { sequence: out.sequence, time: out.time, at: now, vp8: out.vp8 });
        }
    }
}

impl Current {
    fn moved(&self, ids: Ids) -> Ids {
        Ids {
            picture: ids.picture.map(|picture| picture.moved(self.picture_offset)),
            base_layer: ids.base_layer.map(|index| index.wrapping_add(self.base_layer_offset)),
        }
    }
}

fn id_offsets(last: Option<Ids>, next: Option<Ids>) -> (u16, u8) {
    let (Some(last), Some(next)) = (last, next) else {
        return (0, 0);
    };
    let picture = match (last.picture, next.picture) {
        (Some(last), Some(next)) => next.offset_after(last),
        _ => 0,
    };
    let base_layer = match (last.base_layer, next.base_layer) {
        (Some(last), Some(next)) => last.wrapping_add(1).wrapping_sub(next),
        _ => 0,
    };
    (picture, base_layer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vp8::PictureId;
    use proptest::prelude::*;

    const A: Source = Source(1);
    const B: Source = Source(2);

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    fn video(sequence: u64, time: u32, key: bool) -> Incoming {
        let packet = Incoming::describe(Codec::H264, 0, sequence, time, &[0x41]);
        Incoming { starts_key_frame: key, ..packet }
    }

    fn vp8(sequence: u64, picture: u16, base_layer: u8, key: bool) -> Incoming {
        let picture = Some(PictureId { value: picture, wide: true });
        Incoming { vp8: Some(Ids { picture, base_layer: Some(base_layer) }), ..video(sequence, 0, key) }
    }

    #[test]
    fn starts_with_a_key_frame_and_drops_what_came_before_it() {
        let mut forward = Forward::new(Codec::H264, A, 500);
        assert!(forward.waits());
        assert_eq!(forward.accept(A, &video(70_000, 1, false), ms(0)), None);
        let first = forward.accept(A, &video(70_002, 2, true), ms(1)).expect("a key frame starts");
        assert_eq!((first.sequence, first.time), (500, 2));
        assert!(!forward.waits());
        assert_eq!(forward.accept(A, &video(70_001, 1, false), ms(2)), None);
        assert_eq!(forward.accept(A, &video(70_004, 3, false), ms(3)).map(|o| o.sequence), Some(502));
        assert_eq!(forward.accept(A, &video(70_003, 3, false), ms(4)).map(|o| o.sequence), Some(501));
    }

    #[test]
    fn keeps_the_old_source_until_the_new_one_has_a_key_frame() {
        let mut forward = Forward::new(Codec::H264, A, 0);
        forward.accept(A, &video(10, 90_000, true), ms(0));
        forward.switch_to(B);
        assert!(forward.waits());
        assert_eq!(forward.accept(B, &video(900, 5, false), ms(10)), None);
        assert_eq!(forward.accept(A, &video(11, 93_000, false), ms(33)).map(|o| o.sequence), Some(1));
        let first = forward.accept(B, &video(901, 5, true), ms(66)).expect("a key frame switches");
        assert_eq!((first.sequence, first.time), (2, 93_000 + 33 * 90));
        assert_eq!(forward.accept(A, &video(12, 96_000, false), ms(67)), None);
    }

    #[test]
    fn vp8_ids_continue_over_a_switch() {
        let mut forward = Forward::new(Codec::Vp8, A, 0);
        // Ids that need no change are not rewritten at all.
        assert_eq!(forward.accept(A, &vp8(1, 0x7fff, 255, true), ms(0)).and_then(|o| o.vp8), None);
        forward.switch_to(B);
        let ids = forward.accept(B, &vp8(9, 77, 3, true), ms(1)).and_then(|o| o.vp8).expect("rewritten");
        assert_eq!((ids.picture.map(|p| p.value), ids.base_layer), (Some(0), Some(0)));
        let ids = forward.accept(B, &vp8(10, 78, 4, false), ms(2)).and_then(|o| o.vp8).expect("rewritten");
        assert_eq!((ids.picture.map(|p| p.value), ids.base_layer), (Some(1), Some(1)));
    }

    proptest! {
        /// Without a switch the distance between two packets is the same on both sides, over every wrap, and the
        /// first number stays below 65 536.
        #[test]
        fn rewriting_keeps_distances(
            start in 0u64..1 << 40,
            first in any::<u16>(),
            steps in proptest::collection::vec(0u64..70_000, 1..50),
        ) {
            let mut forward = Forward::new(Codec::H264, A, first);
            let head = forward.accept(A, &video(start, 7, true), ms(0)).expect("starts");
            prop_assert_eq!(head.sequence, u64::from(first));
            for (index, step) in steps.iter().enumerate() {
                let out = forward.accept(A, &video(start + step, 7, false), ms(index as u64)).expect("goes on");
                prop_assert_eq!(out.sequence - head.sequence, *step);
            }
        }

        /// Sources that take turns, each in order and without loss: the subscriber sees numbers without a gap,
        /// timestamps that never go back, and picture ids that count up by one.
        #[test]
        fn switches_leave_no_gap(
            runs in proptest::collection::vec((any::<u32>(), any::<u16>(), any::<u32>(), 1u64..40), 1..12),
            first in any::<u16>(),
        ) {
            let mut forward = Forward::new(Codec::Vp8, Source(0), first);
            let mut expected = u64::from(first);
            let mut last: Option<(u32, u16)> = None;
            let mut now = 0;
            for (index, (sequence, picture, time, length)) in runs.iter().enumerate() {
                let source = Source(index as u64);
                forward.switch_to(source);
                for step in 0..*length {
                    now += 33;
                    let mut packet = vp8(
                        u64::from(*sequence) + step,
                        picture.wrapping_add(step as u16) & 0x7fff,
                        step as u8,
                        step == 0,
                    );
                    packet.time = time.wrapping_add(step as u32 * 2970);
                    let out = forward.accept(source, &packet, ms(now)).expect("in order");
                    prop_assert_eq!(out.sequence, expected);
                    expected += 1;
                    let id = out.vp8.or(packet.vp8).and_then(|ids| ids.picture).expect("has one").value;
                    if let Some((time, picture)) = last {
                        prop_assert_eq!(out.time.wrapping_sub(time), 2970);
                        prop_assert_eq!(id, (picture + 1) & 0x7fff);
                    }
                    last = Some((out.time, id));
                }
            }
        }

        #[test]
        fn never_panics(
            packets in proptest::collection::vec((0u64..3, any::<u32>(), any::<u32>(), any::<bool>()), 0..100),
        ) {
            let mut forward = Forward::new(Codec::Vp8, Source(0), u16::MAX);
            for (source, sequence, time, key) in packets {
                forward.switch_to(Source(u64::from(time) % 3));
                forward.accept(Source(source), &video(u64::from(sequence), time, key), ms(u64::from(time)));
            }
        }
    }
}
