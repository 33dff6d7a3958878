//! A stage whose connections are on several media threads.

use std::time::Duration;

use stagedoor_media::client::{Client, Event};
use stagedoor_sfu::{Codec, Kind, PeerKey};

use crate::support::*;

const CODECS: [Codec; 2] = [Codec::Opus, Codec::H264];

/// Three shards, a publisher, and as many subscribers as it takes for two shards to have some at least.
fn spread() -> (TestShard, Client, Vec<(PeerKey, Client)>) {
    let mut shards = TestShard::spread();
    let (_, publisher) = shards.publisher("alice", &CODECS);
    let mut subscribers: Vec<(PeerKey, Client)> = Vec::new();
    loop {
        subscribers.push(shards.subscriber("alice", &CODECS));
        let count = subscribers.len() as u64;
        shards.expect_counters("all are there", |c| c.subscribers == count);
        let busy = shards.handle.each().iter().filter(|counters| counters.subscribers > 0).count();
        if busy > 1 && count > 5 {
            return (shards, publisher, subscribers);
        }
        // The kernel's hash cannot favour one of three sockets for ever.
        assert!(count < 60, "{:?}", shards.handle.each());
    }
}

#[test]
fn everybody_on_every_shard_gets_the_same() {
    let (shards, mut publisher, mut subscribers) = spread();
    let world = shards.world.clone();
    let frames: Vec<u8> = (1..=60).collect();
    for number in &frames {
        let frame = if *number == 1 { key_frame(*number) } else { delta_frame(*number) };
        publisher.send_frame(Kind::Video, u32::from(*number) * 3000, &frame).expect("sent");
        publisher.run_until(world.now() + Duration::from_millis(3), |_| {}).expect("works");
    }
    for (_, subscriber) in &mut subscribers {
        let (mut numbers, mut sequences) = (Vec::new(), Vec::new());
        while numbers.len() < frames.len() {
            let packet = expect_packet(subscriber, &world, Kind::Video);
            sequences.push(packet.sequence);
            if packet.marker {
                numbers.push(packet.payload[1]);
            }
        }
        assert_eq!(numbers, frames);
        assert_eq!(sequences, (65_530..65_530 + 62).collect::<Vec<u64>>());
    }
    let counters = shards.expect_counters("all are counted", |c| c.packets_in >= 62);
    assert_eq!((counters.publishers, counters.dropped_between), (1, 0));
    let busy = shards.handle.each().iter().filter(|counters| counters.packets_in > 0).count();
    assert_eq!(busy, 1, "one thread alone decrypts");
}

#[test]
fn a_picture_lost_on_another_shard_is_asked_for() {
    let (shards, mut publisher, mut subscribers) = spread();
    let world = shards.world.clone();
    for (number, (_, subscriber)) in (1..).zip(subscribers.iter_mut().take(4)) {
        publisher.send_frame(Kind::Video, number * 3000, &key_frame(number as u8)).expect("sent");
        while expect_packet(subscriber, &world, Kind::Video).payload[1] != number as u8 {}
        // What was asked before is answered; requests rest for half a second after one.
        publisher.run_until(world.now() + Duration::from_millis(700), |_| {}).expect("works");
        subscriber.request_key_frame().expect("asked");
        subscriber.run_until(world.now() + Duration::from_millis(50), |_| {}).expect("works");
        expect_event(&mut publisher, &world, "a request", |event| {
            matches!(event, Event::KeyFrameWanted(_)).then_some(())
        });
    }
}

#[test]
fn a_publisher_that_comes_back_is_followed_on_every_shard() {
    let (mut shards, mut publisher, mut subscribers) = spread();
    let world = shards.world.clone();
    publisher.close().expect("closed");
    publisher.run_until(world.now() + Duration::from_millis(20), |_| {}).expect("works");
    shards.expect_counters("it is gone", |c| c.publishers == 0);
    let (_, mut publisher) = shards.publisher("alice", &CODECS);
    shards.expect_counters("it is back", |c| c.publishers == 1);
    for number in 1..=20_u8 {
        publisher.send_frame(Kind::Video, u32::from(number) * 3000, &key_frame(number)).expect("sent");
        publisher.run_until(world.now() + Duration::from_millis(5), |_| {}).expect("works");
    }
    for (_, subscriber) in &mut subscribers {
        assert!(expect_packet(subscriber, &world, Kind::Video).sequence >= 65_530);
    }
    subscribers.clear();
    drop(publisher);
}
