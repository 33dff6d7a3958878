//! DTLS on a live shard: either role, and a participant who passes ICE and then sends anything but a handshake.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use aws_lc_rs::hmac;
use stagedoor_media::client::Client;
use stagedoor_media::engine::Direction;
use stagedoor_media::shard::Report;
use stagedoor_sfu::{Codec, Kind};

use crate::support::*;

#[test]
fn an_offer_may_make_us_the_client() {
    let mut shard = TestShard::start();
    let world = shard.world.clone();
    let (mut client, offer) = Client::publisher(LOCALHOST, &[Codec::Vp8], world.clone()).expect("a client");
    let offer = offer.replace("a=setup:actpass", "a=setup:passive");
    let (key, answer) = shard.answer(&offer, "alice", Direction::Publish, &[Codec::Vp8]);
    assert!(answer.contains("a=setup:active"), "{answer}");
    client.accept(&answer).expect("a good answer");
    connect(&mut client, &world);
    shard.expect_report(Report::Connected(key));
}

/// Someone with a token, and so with the credentials of ICE, who wrote a client of their own.
struct Intruder {
    socket: UdpSocket,
    user: String,
    password: String,
}

impl Intruder {
    fn join(shard: &mut TestShard) -> Intruder {
        let (_, offer) = Client::publisher(LOCALHOST, &[Codec::Vp8], shard.world.clone()).expect("a client");
        let (_, answer) = shard.answer(&offer, "mallory", Direction::Publish, &[Codec::Vp8]);
        let socket = UdpSocket::bind((LOCALHOST, 0)).expect("a free port");
        socket.connect(shard.handle.address()).expect("a route");
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
        let user = format!("{}:{}", attribute(&answer, "ice-ufrag"), attribute(&offer, "ice-ufrag"));
        let intruder = Intruder { socket, user, password: attribute(&answer, "ice-pwd") };
        intruder.say(&intruder.check());
        let mut buffer = [0; 2048];
        let length = intruder.socket.recv(&mut buffer).expect("an answer to the check");
        assert_eq!(buffer[..2], [1, 1], "a success: {:?}", &buffer[..length]);
        intruder
    }

    fn say(&self, datagram: &[u8]) {
        self.socket.send(datagram).expect("sent");
    }

    /// A STUN binding request that nominates (RFC 8445 §7.2.2), with its integrity (RFC 8489 §14.5).
    fn check(&self) -> Vec<u8> {
        let mut message = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        message.extend([5; 12]);
        let mut put = |kind: u16, value: &[u8]| {
            message.extend(kind.to_be_bytes());
            message.extend((value.len() as u16).to_be_bytes());
            message.extend(value);
            message.resize(message.len().next_multiple_of(4), 0);
        };
        put(0x0006, self.user.as_bytes());
        put(0x0024, &[0x7e, 0, 0, 0xff]);
        put(0x802a, &[1; 8]);
        put(0x0025, &[]);
        // The length counts the integrity that is about to follow.
        let length = (message.len() - 20 + 24) as u16;
        message[2..4].copy_from_slice(&length.to_be_bytes());
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.password.as_bytes());
        let integrity = hmac::sign(&key, &message);
        message.extend([0, 8, 0, 20]);
        message.extend(integrity.as_ref());
        message
    }
}

fn attribute(sdp: &str, name: &str) -> String {
    let prefix = format!("a={name}:");
    sdp.lines().find_map(|line| line.strip_prefix(&prefix)).expect("the attribute").to_owned()
}

fn record(kind: u8, epoch: u8, number: u32, body: &[u8]) -> Vec<u8> {
    let mut out = vec![kind, 0xfe, 0xfd, 0, epoch, 0, 0];
    out.extend(number.to_be_bytes());
    out.extend((body.len() as u16).to_be_bytes());
    out.extend(body);
    out
}

/// A fragment of a handshake message in a record.
fn fragment(number: u32, kind: u8, sequence: u8, len: u16, offset: u16, contents: &[u8]) -> Vec<u8> {
    let mut body = vec![kind, 0];
    body.extend(len.to_be_bytes());
    body.extend([0, sequence, 0]);
    body.extend(offset.to_be_bytes());
    body.push(0);
    body.extend((contents.len() as u16).to_be_bytes());
    body.extend(contents);
    record(22, 0, number, &body)
}

/// A good ClientHello: one suite, the extended master secret, SRTP with AES-128-GCM.
fn hello(number: u32) -> Vec<u8> {
    let mut body = vec![0xfe, 0xfd];
    body.extend([9; 32]);
    body.extend([0, 0, 0, 2, 0xc0, 0x2b, 1, 0]);
    body.extend([0, 13, 0, 23, 0, 0, 0, 14, 0, 5, 0, 2, 0, 7, 0]);
    fragment(number, 1, 0, body.len() as u16, 0, &body)
}

/// What comes back until nothing does, in bytes.
fn drain(socket: &UdpSocket) -> usize {
    socket.set_read_timeout(Some(Duration::from_millis(300))).expect("set");
    let mut buffer = [0; 2048];
    std::iter::from_fn(|| socket.recv(&mut buffer).ok()).sum()
}

#[test]
fn a_hello_is_answered_for_known_addresses_alone() {
    let mut shard = TestShard::start();
    let intruder = Intruder::join(&mut shard);
    let stranger = UdpSocket::bind((LOCALHOST, 0)).expect("a free port");
    let server: SocketAddr = shard.handle.address();
    let before = shard.handle.counters();
    for number in 0..1000 {
        stranger.send_to(&hello(number), server).expect("sent");
    }
    shard.expect_counters("they are dropped", |c| c.dropped_unknown > before.dropped_unknown + 500);
    assert_eq!(drain(&stranger), 0);
    intruder.say(&hello(0));
    assert!(drain(&intruder.socket) > 500, "the flight with our certificate");
}

#[test]
fn a_client_that_is_refused_is_told_why() {
    let mut shard = TestShard::start();
    let intruder = Intruder::join(&mut shard);
    let mut old = hello(0);
    // Its version, behind the headers of record and message: DTLS 1.0.
    old[25..27].copy_from_slice(&[0xfe, 0xff]);
    intruder.say(&old);
    let mut buffer = [0; 2048];
    let length = intruder.socket.recv(&mut buffer).expect("an alert");
    let (fatal, protocol_version) = (2, 70);
    assert_eq!((buffer[0], &buffer[13..length]), (21, &[fatal, protocol_version][..]));
    shard.expect_counters("it is over", |c| c.failures == 1);
}

#[test]
fn who_sends_anything_but_a_handshake_costs_little_and_disturbs_nobody() {
    let mut shard = TestShard::start();
    let world = shard.world.clone();
    let (_, mut publisher) = shard.publisher("alice", &[Codec::Vp8]);
    let (_, mut subscriber) = shard.subscriber("alice", &[Codec::Vp8]);
    let before = shard.handle.counters();
    let kinds: [fn(u32) -> Vec<u8>; 7] = [
        hello,
        // Messages that never become whole, in pieces of one byte.
        |number| fragment(number, 11, 1, 8000, (number % 4000) as u16 * 2, &[7]),
        |number| fragment(number, 11, (number % 200) as u8, 40, 0, &[7; 40]),
        // Lengths that lie.
        |number| fragment(number, 1, 0, 10, 9, &[7; 20]),
        // Records of an epoch that has no keys yet.
        |number| record(23, 1, number, &[number as u8; 200]),
        |number| record(20, 0, number, &[1]),
        |number| vec![20 + (number % 44) as u8; (number % 1400) as usize + 1],
    ];
    for (index, kind) in kinds.iter().enumerate() {
        let intruder = Intruder::join(&mut shard);
        intruder.say(&hello(0));
        for number in 1..2000 {
            intruder.say(&kind(number));
        }
        let answered = drain(&intruder.socket);
        // A dozen flights at most, of a kilobyte.
        assert!(answered < 16 * 1024, "kind {index}: {answered} bytes");
        let time = index as u32 * 3000;
        publisher.send_frame(Kind::Video, time, &key_frame(index as u8)).expect("sent");
        let packet = expect_packet(&mut subscriber, &world, Kind::Video);
        assert_eq!(packet.sequence, 65_530 + index as u64);
        publisher.run_until(world.now() + Duration::from_millis(1), |_| {}).expect("works");
    }
    let after = shard.handle.counters();
    assert_eq!((after.publishers, after.subscribers), (1, 1));
    assert!(after.failures <= before.failures + kinds.len() as u64);
}
