//! The present group of pictures of a publisher that cannot be asked for key frames: a subscriber that comes in the
//! middle of it gets all of it at once. So does everybody when the publisher takes another's place.

use std::time::Duration;

use stagedoor_sfu::{Incoming, Kind};

use crate::engine::Packet;

/// Packets kept. What a connection keeps for retransmission is about as much, so that what is lost of such a burst
/// can be had again. Two seconds of 4.5 Mbit/s fit.
const PACKETS_MAX: usize = 1000;
/// The distance of replayed frames, and the same in ticks of the video clock.
const REPLAY_STEP: Duration = Duration::from_millis(1);
const REPLAY_TICKS: u32 = 90;

/// The packets from the last key frame on.
#[derive(Default)]
pub struct Group {
    packets: Vec<Kept>,
    /// It became too long: nothing is kept until the next key frame.
    overflowed: bool,
}

/// A packet of the group.
#[derive(Clone)]
pub struct Kept {
    pub incoming: Incoming,
    pub packet: Packet,
}

impl Group {
    pub fn note(&mut self, incoming: &Incoming, packet: &Packet) {
        if incoming.kind != Kind::Video {
            return;
        }
        if incoming.starts_key_frame
            && self.packets.last().is_none_or(|last| last.incoming.time != incoming.time)
        {
            self.packets.clear();
            self.overflowed = false;
        }
        let begun = incoming.starts_key_frame || !self.packets.is_empty();
        if self.packets.len() >= PACKETS_MAX {
            self.packets.clear();
            self.overflowed = true;
        }
        if begun && !self.overflowed {
            self.packets.push(Kept { incoming: *incoming, packet: packet.clone() });
        }
    }

    pub fn packets(&self) -> impl Iterator<Item = (&Incoming, &Packet)> + Clone {
        self.packets.iter().map(|kept| (&kept.incoming, &kept.packet))
    }

    /// The packets for a subscriber that has no picture, with their times moved, and how long ago each is to have been.
    ///
    /// A player shows frames at the distances that their times say, so with its own times a group of two seconds
    /// would stay two seconds late for good. Frames are therefore moved to one millisecond apart, up to the newest,
    /// which keeps its time.
    pub fn replay(&self) -> Vec<(Kept, Duration)> {
        let mut times: Vec<u32> = self.packets.iter().map(|kept| kept.incoming.time).collect();
        times.dedup();
        let Some(&newest) = times.last() else { return Vec::new() };
        let mut index = 0;
        let mut replay = Vec::with_capacity(self.packets.len());
        for kept in &self.packets {
            if times[index] != kept.incoming.time {
                index += 1;
            }
            let later = (times.len() - 1 - index) as u32;
            let time = newest.wrapping_sub(later * REPLAY_TICKS);
            let kept = Kept { incoming: Incoming { time, ..kept.incoming }, packet: kept.packet.clone() };
            replay.push((kept, later * REPLAY_STEP));
        }
        replay
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Extensions;
    use stagedoor_sfu::Codec;
    use std::time::Instant;

    const KEY: &[u8] = &[0x67, 0x42];
    const DELTA: &[u8] = &[0x41, 0x9a];

    struct Filled(Group, Instant);

    impl Filled {
        fn new() -> Filled {
            #[expect(clippy::disallowed_methods, reason = "a time that nothing looks at")]
            Filled(Group::default(), Instant::now())
        }

        fn note(&mut self, sequence: u64, time: u32, payload: &[u8]) {
            let incoming = Incoming::describe(Codec::H264, 0, sequence, time, payload);
            let packet = Packet {
                kind: Kind::Video,
                codec: Codec::H264,
                layer: 0,
                sequence,
                time,
                marker: true,
                payload: payload.into(),
                received: self.1,
                extensions: Extensions::default(),
            };
            self.0.note(&incoming, &packet);
        }

        fn replay(&self) -> Vec<(u64, u32)> {
            self.0
                .replay()
                .into_iter()
                .map(|(kept, _)| (kept.incoming.sequence, kept.incoming.time))
                .collect()
        }
    }

    #[test]
    fn a_group_begins_with_its_key_frame_and_is_squeezed() {
        let mut filled = Filled::new();
        filled.note(1, 0, DELTA);
        assert_eq!(filled.replay(), []);
        filled.note(2, 3000, KEY);
        filled.note(3, 3000, DELTA);
        filled.note(4, 6000, DELTA);
        filled.note(5, 9000, DELTA);
        assert_eq!(filled.replay(), [(2, 8820), (3, 8820), (4, 8910), (5, 9000)]);
        let ago: Vec<u128> = filled.0.replay().iter().map(|(_, ago)| ago.as_millis()).collect();
        assert_eq!(ago, [2, 2, 1, 0]);
        filled.note(6, 12_000, KEY);
        assert_eq!(filled.replay(), [(6, 12_000)]);
    }

    #[test]
    fn a_group_that_is_too_long_is_not_replayed() {
        let mut filled = Filled::new();
        filled.note(0, 0, KEY);
        (1..=PACKETS_MAX as u64).for_each(|at| filled.note(at, at as u32 * 3000, DELTA));
        assert_eq!(filled.replay(), []);
        filled.note(5000, 90, KEY);
        assert_eq!(filled.replay(), [(5000, 90)]);
    }
}
