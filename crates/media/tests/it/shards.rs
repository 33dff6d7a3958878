//! A stage whose connections are on several media threads.

use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use stagedoor_media::client::{Client, Event};
use stagedoor_media::engine::Direction;
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

/// Carries datagrams between one client and the server, and can come to the server from a new address.
struct Move {
    address: SocketAddr,
    back: Arc<Mutex<UdpSocket>>,
    server: SocketAddr,
}

impl Move {
    fn start(server: SocketAddr) -> Move {
        let front = UdpSocket::bind((LOCALHOST, 0)).expect("a free port");
        front.set_read_timeout(Some(Duration::from_millis(2))).expect("set");
        let address = front.local_addr().expect("bound");
        let back = Arc::new(Mutex::new(Move::door(server)));
        let door = back.clone();
        std::thread::spawn(move || {
            let mut client = None;
            let mut buffer = [0; 2048];
            // Only the test and this thread hold the door.
            while Arc::strong_count(&door) > 1 {
                if let Ok((length, from)) = front.recv_from(&mut buffer) {
                    client = Some(from);
                    drop(door.lock().expect("no panic").send(&buffer[..length]));
                }
                while let Ok(length) = door.lock().expect("no panic").recv(&mut buffer) {
                    client.map(|client| front.send_to(&buffer[..length], client));
                }
            }
        });
        Move { address, back, server }
    }

    fn door(server: SocketAddr) -> UdpSocket {
        let socket = UdpSocket::bind((LOCALHOST, 0)).expect("a free port");
        socket.connect(server).expect("a route");
        socket.set_nonblocking(true).expect("set");
        socket
    }

    fn again(&self) {
        *self.back.lock().expect("no panic") = Move::door(self.server);
    }
}

#[test]
fn a_publisher_whose_address_changes_is_still_received() {
    let mut shards = TestShard::spread();
    let world = shards.world.clone();
    let way = Move::start(shards.handle.address());
    let (mut publisher, offer) = Client::publisher(LOCALHOST, &CODECS, world.clone()).expect("a client");
    let (_, answer) = shards.answer(&offer, "alice", Direction::Publish, &CODECS);
    let port = |address: SocketAddr| format!(" {} typ host", address.port());
    let answer = answer.replace(&port(shards.handle.address()), &port(way.address));
    publisher.accept(&answer).expect("a good answer");
    connect(&mut publisher, &world);
    let (_, mut subscriber) = shards.subscriber("alice", &CODECS);
    shards.expect_counters("both are there", |c| (c.publishers, c.subscribers) == (1, 1));
    let mut number = 0;
    // Until an address has fallen to another thread, which then hands over what is published.
    let mut moves = 0;
    loop {
        let before = shards.expect_counters("counts", |_| true).handed_over;
        number += 1;
        let deadline = deadline(&world);
        let mut seen = 0;
        while seen < 30 {
            assert!(world.now() < deadline, "nothing is received after {moves} moves");
            publisher.send_frame(Kind::Video, number * 90_000, &key_frame(number as u8)).expect("sent");
            run_both(&mut publisher, &mut subscriber, &world, Duration::from_millis(20), |event| {
                let wanted = [0x65, number as u8];
                seen += u32::from(matches!(event, Event::Packet(packet) if packet.payload[..2] == wanted));
            });
        }
        let after = shards.expect_counters("counts", |c| c.packets_in >= 30);
        if after.handed_over > before + 20 {
            break;
        }
        assert!(moves < 12, "twelve addresses fall to one of three sockets");
        moves += 1;
        way.again();
    }
}
