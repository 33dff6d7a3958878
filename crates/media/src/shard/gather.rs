//! Packets of one frame leave together.
//!
//! They come one after the other, and a thread that has nothing else to do takes the first before the last was sent.
//! Nobody can show a frame before its last packet is there, but each message to each follower costs a trip through the
//! kernel, and equal packets of one burst share one (`crate::udp`). So what has come of a frame waits for the rest of
//! it, for a moment: a sender that spreads a frame over a longer time has a reason to.

use std::time::{Duration, Instant};

use stagedoor_sfu::{Kind, PeerKey};

use crate::engine::Packet;

/// From the first packet on. On a network of a gigabit that is room for a key frame.
const HELD_MAX: Duration = Duration::from_millis(1);

/// Whether the publisher's packets in a burst wait for more of their frame.
pub fn waits(publisher: PeerKey, burst: &[(PeerKey, Packet)], now: Instant) -> bool {
    let mut packets = burst.iter().filter(|(key, _)| *key == publisher).map(|(_, packet)| packet).peekable();
    if packets.peek().is_none_or(|first| now >= first.received + HELD_MAX) {
        return false;
    }
    let mut newest: Vec<&Packet> = Vec::new();
    for packet in packets.filter(|packet| packet.kind == Kind::Video) {
        match newest.iter_mut().find(|newest| newest.layer == packet.layer) {
            Some(newest) if newest.sequence < packet.sequence => *newest = packet,
            Some(_) => {}
            None => newest.push(packet),
        }
    }
    newest.iter().any(|packet| !packet.marker)
}

/// When what is held of a burst is to leave.
pub fn until(held: &[(PeerKey, Packet)]) -> Option<Instant> {
    held.iter().map(|(_, packet)| packet.received + HELD_MAX).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Extensions;
    use stagedoor_sfu::Codec;

    const MINE: PeerKey = PeerKey(1);
    const OTHER: PeerKey = PeerKey(2);

    fn packet(kind: Kind, layer: u8, sequence: u64, marker: bool, received: Instant) -> Packet {
        let codec = if kind == Kind::Video { Codec::H264 } else { Codec::Opus };
        let payload = [0x41][..].into();
        let extensions = Extensions::default();
        Packet { kind, codec, layer, sequence, time: 0, marker, payload, received, extensions }
    }

    #[test]
    fn an_unfinished_frame_waits_a_moment() {
        #[expect(clippy::disallowed_methods, reason = "a time that nothing looks at")]
        let start = Instant::now();
        let video = |layer, sequence, marker| (MINE, packet(Kind::Video, layer, sequence, marker, start));
        let sound = (MINE, packet(Kind::Audio, 0, 1, false, start));
        let cases = [
            (vec![video(0, 1, true)], false),
            (vec![video(0, 1, false)], true),
            (vec![video(0, 1, false), video(0, 2, true)], false),
            (vec![video(0, 2, true), video(0, 1, false)], false),
            (vec![video(0, 1, true), video(0, 2, false)], true),
            (vec![video(0, 1, false), video(1, 2, true)], true),
            (vec![sound.clone()], false),
            (vec![sound, video(0, 1, false)], true),
        ];
        for (mut burst, expected) in cases {
            assert_eq!(waits(MINE, &burst, start), expected, "{burst:?}");
            assert!(!waits(MINE, &burst, start + HELD_MAX));
            assert_eq!(until(&burst), Some(start + HELD_MAX));
            burst.iter_mut().for_each(|(key, _)| *key = OTHER);
            assert!(!waits(MINE, &burst, start));
        }
        assert_eq!(until(&[]), None);
    }
}
