//! What a stranger can send to the media port, and what a publisher can put into its packets: nothing may panic.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use stagedoor_media::demux::stun_ufrag;
use stagedoor_sfu::{Choice, Codec, Incoming, PeerKey, Room, TrackSpec, Wanted};

fuzz_target!(|bytes: &[u8]| {
    stun_ufrag(bytes);
    for codec in [Codec::Opus, Codec::H264, Codec::Vp8] {
        let (publisher, subscriber) = (PeerKey(1), PeerKey(2));
        let mut room = Room::default();
        // With layers, so that strange packets also meet the switching between them.
        room.publish(publisher, "a".into(), &[TrackSpec { codec, rids: vec!["high".into(), "low".into()] }]);
        let wanted = vec![Wanted { codec, first_sequence: u16::MAX }];
        room.subscribe(subscriber, "a".into(), wanted, Choice::Automatic, Duration::ZERO);
        // Each chunk is a packet; its first bytes make its numbers.
        for (index, chunk) in bytes.chunks(24).enumerate() {
            let (Some(sequence), Some(time)) = (chunk.first_chunk::<4>(), chunk.last_chunk::<4>()) else {
                continue;
            };
            let sequence = u64::from(u32::from_be_bytes(*sequence));
            let now = Duration::from_millis(index as u64);
            let packet = Incoming::describe(codec, chunk[0] % 3, sequence, u32::from_be_bytes(*time), chunk);
            let Some(source) = room.receive(publisher, &packet, now) else { continue };
            room.forward(subscriber, source, &packet, now);
        }
    }
});
