//! Datagrams that belong to nobody, and those that lie about whom they belong to.

use std::net::UdpSocket;
use std::time::Duration;

use stagedoor_sfu::{Codec, Kind};

use crate::support::*;

/// A STUN binding request with a user name, without the integrity that only the real peer can add.
fn forged_check(user: &str) -> Vec<u8> {
    let mut bytes = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    bytes.resize(20, 9);
    bytes.extend([0, 6, 0, user.len() as u8]);
    bytes.extend(user.as_bytes());
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes[3] = (bytes.len() - 20) as u8;
    bytes
}

#[test]
fn garbage_is_counted_and_dropped_and_the_stage_goes_on() {
    let mut shard = TestShard::spread();
    let world = shard.world.clone();
    let (_, mut publisher) = shard.publisher("alice", &[Codec::H264]);
    let (_, mut subscriber) = shard.subscriber("alice", &[Codec::H264]);
    let stranger = UdpSocket::bind((LOCALHOST, 0)).expect("a free port");
    let to = shard.handle.address();
    let mut garbage: Vec<Vec<u8>> =
        vec![vec![0x80; 1200], vec![0x16; 60], vec![0; 3], vec![0xff; 2048], vec![]];
    garbage.push(forged_check("nobody:x"));
    for bytes in &garbage {
        stranger.send_to(bytes, to).expect("sent");
    }
    for length in 1..100 {
        stranger.send_to(&vec![length as u8; length], to).expect("sent");
    }
    let counters = shard.expect_counters("all are counted", |c| c.dropped_unknown >= 105);
    assert_eq!(counters.dropped_refused, 0);
    let ufrag = shard.last_ufrag.clone();
    stranger.send_to(&forged_check(&format!("{ufrag}:x")), to).expect("sent");
    // A check without integrity is refused, and its sender is not believed afterwards either.
    let counters = shard.expect_counters("the lie is refused", |c| c.dropped_refused >= 1);
    stranger.send_to(&[0x80; 100], to).expect("sent");
    shard.expect_counters("still a stranger", |c| c.dropped_unknown > counters.dropped_unknown);

    publisher.send_frame(Kind::Video, 0, &key_frame(1)).expect("sent");
    assert_eq!(expect_packet(&mut subscriber, &world, Kind::Video).sequence, 65_530);
}

#[test]
fn who_never_connects_is_forgotten() {
    use stagedoor_media::client::Client;
    use stagedoor_media::config::Timeouts;
    use stagedoor_media::engine::Direction;
    use stagedoor_media::shard::{End, Report};

    let timeouts = Timeouts { connect: Duration::from_millis(200), ..Timeouts::default() };
    let mut shard = TestShard::with(timeouts);
    let (_client, offer) =
        Client::publisher(LOCALHOST, &[Codec::Vp8], shard.world.clone()).expect("a client");
    let (key, _) = shard.answer(&offer, "alice", Direction::Publish, &[Codec::Vp8]);
    shard.expect_report(Report::Ended(key, End::NeverConnected));
}

#[test]
fn a_flood_from_one_address_gets_no_answer_and_leaves_nothing_behind() {
    /// What a million would show, a hundred thousand show too: nothing is kept of any of them.
    const ATTEMPTS: u64 = 100_000;
    const AT_ONCE: u64 = 1000;
    let mut shard = TestShard::spread();
    let world = shard.world.clone();
    let (_, mut publisher) = shard.publisher("alice", &[Codec::H264]);
    let (_, mut subscriber) = shard.subscriber("alice", &[Codec::H264]);
    let stranger = UdpSocket::bind((LOCALHOST, 0)).expect("a free port");
    stranger.connect(shard.handle.address()).expect("a route");
    // ICE checks for sessions that do not exist, and DTLS ClientHellos without a check before them.
    let check = forged_check("nobody:x");
    let mut hello = vec![22, 254, 253];
    hello.resize(160, 1);
    let before = shard.expect_counters("counts", |_| true);
    for sent in (AT_ONCE..=ATTEMPTS).step_by(AT_ONCE as usize) {
        for number in 0..AT_ONCE {
            stranger.send(if number % 2 == 0 { &check } else { &hello }).expect("sent");
        }
        // The kernel may lose some of a flood; most arrive and are dropped by the shard.
        let most = before.dropped_unknown + sent / 10;
        shard.expect_counters("they are looked at", |c| c.dropped_unknown >= most);
        // Both clients go on meanwhile: on a busy machine the flood lasts longer than a silent peer may.
        run_both(&mut publisher, &mut subscriber, &world, Duration::from_millis(4), |_| {});
    }
    // Nothing was sent to the stranger: what is not asked for by a known session is not amplified.
    stranger.set_nonblocking(true).expect("set");
    assert!(stranger.recv(&mut [0; 64]).is_err());
    publisher.send_frame(Kind::Video, 0, &key_frame(1)).expect("sent");
    assert_eq!(expect_packet(&mut subscriber, &world, Kind::Video).sequence, 65_530);
    let after = shard.expect_counters("still there", |c| (c.publishers, c.subscribers) == (1, 1));
    assert_eq!(after.dropped_refused, before.dropped_refused);
}
