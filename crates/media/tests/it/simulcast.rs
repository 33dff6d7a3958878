//! Simulcast over real connections: a publisher of three layers, a subscriber that changes between them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use stagedoor_media::client::{Client, Event};
use stagedoor_media::engine::Direction;
use stagedoor_media::shard::Command;
use stagedoor_media::world::World;
use stagedoor_sfu::{Choice, Codec, Kind, PeerKey};

use crate::support::*;

const RIDS: [&str; 3] = ["h", "m", "l"];
const FRAME: Duration = Duration::from_millis(20);

/// A VP8 frame that says which layer it is of.
fn frame(layer: usize, key: bool) -> Vec<u8> {
    let width = [1280_u16, 640, 320][layer];
    let ([w0, w1], [h0, h1]) = (width.to_le_bytes(), (width / 16 * 9).to_le_bytes());
    let mut frame = vec![u8::from(!key), 0, 0, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, layer as u8];
    frame.resize([900, 400, 100][layer], 0x33);
    frame
}

/// The publisher, sending, and the subscriber, receiving, in turns on one thread.
struct Show {
    world: Arc<dyn World>,
    publisher: Client,
    subscriber: Client,
    asked: [bool; 3],
    frames: u32,
    /// Layer, sequence number and picture id of what came.
    got: Vec<(u8, u64, u16)>,
}

impl Show {
    /// Runs until the subscriber has had so many packets in a row of one layer.
    fn until(&mut self, layer: u8, packets: usize) {
        let deadline = deadline(&self.world);
        loop {
            let run = self.got.iter().rev().take_while(|(from, ..)| *from == layer).count();
            if run >= packets {
                return;
            }
            let now = self.world.now();
            assert!(now < deadline, "never layer {layer}: {:?}", self.got.last());
            self.frame(now);
        }
    }

    fn frame(&mut self, now: Instant) {
        for layer in 0..RIDS.len() {
            let key = std::mem::take(&mut self.asked[layer]);
            let time = self.frames.wrapping_mul(1800).wrapping_add(layer as u32 * 0x4000_0000);
            self.publisher.send_layer(Kind::Video, layer, time, &frame(layer, key)).expect("sent");
        }
        self.frames += 1;
        let asked = &mut self.asked;
        let half = now + FRAME / 2;
        let publisher = self.publisher.run_until(half, |event| {
            if let Event::KeyFrameWanted(rid) = event {
                let layer =
                    RIDS.iter().position(|known| rid.as_deref() == Some(*known)).expect("a known layer");
                asked[layer] = true;
            }
        });
        publisher.expect("works");
        let got = &mut self.got;
        let subscriber = self.subscriber.run_until(now + FRAME, |event| {
            if let Event::Packet(packet) = event {
                let picture = u16::from_be_bytes([packet.payload[2], packet.payload[3]]) & 0x7fff;
                got.push((packet.payload[4 + 10], packet.sequence, picture));
            }
        });
        subscriber.expect("works");
    }
}

/// A publisher of three layers and a subscriber of it.
fn show(shard: &mut TestShard) -> (PeerKey, Show) {
    let world = shard.world.clone();
    let codecs = [Codec::Opus, Codec::Vp8];
    let (mut publisher, offer) =
        Client::simulcast(LOCALHOST, &codecs, &RIDS, world.clone()).expect("a client");
    assert!(offer.contains("a=simulcast:send h;m;l"), "{offer}");
    let (_, answer) = shard.answer(&offer, "alice", Direction::Publish, &codecs);
    assert!(answer.contains("a=simulcast:recv h;m;l"), "{answer}");
    publisher.accept(&answer).expect("a good answer");
    connect(&mut publisher, &world);
    let (key, subscriber) = shard.subscriber("alice", &codecs);
    (key, Show { world, publisher, subscriber, asked: [true; 3], frames: 0, got: Vec::new() })
}

#[test]
fn a_subscriber_changes_between_layers_without_a_gap() {
    let mut shard = TestShard::spread();
    let (key, mut show) = show(&mut shard);
    let rid = |name: &str| Choice::Rid(name.into());
    for (choice, layer) in [(Choice::Lowest, 2), (Choice::Highest, 0), (rid("l"), 2), (rid("m"), 1)] {
        shard.handle.send(Command::Choose(key, choice)).expect("not overloaded");
        show.until(layer, 20);
    }
    for two in show.got.windows(2) {
        assert_eq!(two[1].1, two[0].1 + 1, "sequence numbers go on");
        assert_eq!(two[1].2, (two[0].2 + 1) & 0x7fff, "picture ids go on");
    }
}

#[test]
fn the_layer_follows_the_bandwidth() {
    let mut shard = TestShard::spread();
    let (_, mut show) = show(&mut shard);
    // The first estimate is less than the highest layer needs; probing finds more.
    show.until(0, 50);
    // A network that loses two of three datagrams of any size.
    let mut count = 0;
    show.subscriber.set_filter(Box::new(move |datagram| {
        count += u32::from(datagram.len() > 120);
        datagram.len() <= 120 || count % 3 == 0
    }));
    show.until(2, 20);
}
