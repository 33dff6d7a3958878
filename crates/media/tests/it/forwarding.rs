//! Packets from a publisher to its subscriber.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use stagedoor_media::client::Event;
use stagedoor_sfu::{Codec, Kind};

use crate::support::*;

const CODECS: [Codec; 2] = [Codec::Opus, Codec::H264];

#[test]
fn packets_arrive_in_order_from_the_key_frame_on() {
    let mut shard = TestShard::start();
    let world = shard.world.clone();
    let (_, mut publisher) = shard.publisher("alice", &CODECS);
    let (_, mut subscriber) = shard.subscriber("alice", &CODECS);
    publisher.send_frame(Kind::Video, 0, &delta_frame(0)).expect("sent");
    let mut expected = Vec::new();
    for number in 1..=60_u8 {
        let frame = if number == 1 { key_frame(number) } else { delta_frame(number) };
        publisher.send_frame(Kind::Video, u32::from(number) * 3000, &frame).expect("sent");
        publisher.send_frame(Kind::Audio, u32::from(number) * 960, &[0xfc, number]).expect("sent");
        expected.push(number);
    }
    let (mut video, mut audio, mut sequences) = (Vec::new(), Vec::new(), Vec::new());
    while video.len() < 60 || audio.len() < 60 {
        let packet = expect_event(&mut subscriber, &world, "a packet", |event| match event {
            Event::Packet(packet) => Some(packet),
            _ => None,
        });
        match packet.kind {
            Kind::Audio => audio.push(packet.payload[1]),
            Kind::Video => {
                sequences.push(packet.sequence);
                if packet.marker {
                    video.push(packet.payload[1]);
                }
            }
        }
    }
    assert_eq!(video, expected);
    assert_eq!(audio, expected);
    // Numbers start below 65 536 and have no gap, over the 16-bit wrap.
    assert_eq!(sequences, (65_530..65_530 + 62).collect::<Vec<u64>>());
    let counters = shard.expect_counters("all is counted", |c| c.packets_in >= 123);
    assert_eq!((counters.rooms, counters.publishers, counters.subscribers), (1, 1, 1));
}

#[test]
fn a_lost_packet_is_sent_again() {
    let mut shard = TestShard::start();
    let world = shard.world.clone();
    let (_, mut publisher) = shard.publisher("alice", &CODECS);
    let (_, mut subscriber) = shard.subscriber("alice", &CODECS);
    // Lose two large (media) datagrams on the way to the subscriber.
    let seen = Arc::new(AtomicU32::new(0));
    let counted = seen.clone();
    subscriber.set_filter(Box::new(move |datagram| {
        let media = datagram.len() > 250 && datagram[0] & 0xc0 == 0x80;
        !media || !matches!(counted.fetch_add(1, Ordering::Relaxed), 20 | 21)
    }));
    let mut numbers = Vec::new();
    for number in 0..60_u8 {
        let frame = if number == 0 { key_frame(number) } else { delta_frame(number) };
        publisher.send_frame(Kind::Video, u32::from(number) * 3000, &frame).expect("sent");
        run_both(&mut publisher, &mut subscriber, &world, Duration::from_millis(10), |event| {
            if let Event::Packet(packet) = event {
                numbers.extend(packet.marker.then_some(packet.payload[1]));
            }
        });
    }
    while numbers.len() < 60 {
        let packet = expect_packet(&mut subscriber, &world, Kind::Video);
        numbers.extend(packet.marker.then_some(packet.payload[1]));
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (0..60).collect::<Vec<u8>>());
    assert!(seen.load(Ordering::Relaxed) >= 62, "two came twice");
}

#[test]
fn a_key_frame_request_reaches_the_publisher() {
    let mut shard = TestShard::start();
    let world = shard.world.clone();
    let (_, mut publisher) = shard.publisher("alice", &CODECS);
    publisher.send_frame(Kind::Video, 0, &key_frame(0)).expect("sent");
    shard.expect_counters("the publisher's track is known", |c| c.packets_in >= 3);
    // A new subscriber asks by itself.
    let (_, mut subscriber) = shard.subscriber("alice", &CODECS);
    expect_event(&mut publisher, &world, "asked", |e| matches!(e, Event::KeyFrameWanted(_)).then_some(()));
    publisher.send_frame(Kind::Video, 3000, &key_frame(1)).expect("sent");
    while expect_packet(&mut subscriber, &world, Kind::Video).payload[0] != 0x65 {}
    // And one that has lost the picture.
    subscriber.request_key_frame().expect("asked");
    subscriber.run_until(world.now() + Duration::from_millis(50), |_| {}).expect("works");
    expect_event(&mut publisher, &world, "asked again", |e| {
        matches!(e, Event::KeyFrameWanted(_)).then_some(())
    });
}
