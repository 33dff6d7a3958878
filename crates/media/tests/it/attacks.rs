//! What somebody can do who sees the datagrams of a session: repeat them from elsewhere, and put changed ones among
//! them. Behind the session's own address stands a tap; the server cannot tell its datagrams from the client's.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use stagedoor_media::client::{Client, Event};
use stagedoor_media::engine::Direction;
use stagedoor_media::shard::Report;
use stagedoor_media::world::World;
use stagedoor_sfu::{Codec, Kind};

use crate::support::*;

/// Datagrams remembered: the whole handshake and some media.
const HEARD_MAX: usize = 400;

/// Carries the datagrams of one client, remembers what it says, and can speak in its place.
struct Tap {
    address: SocketAddr,
    back: UdpSocket,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Tap {
    fn start(server: SocketAddr) -> Tap {
        let front = UdpSocket::bind((LOCALHOST, 0)).expect("a free port");
        let back = UdpSocket::bind((LOCALHOST, 0)).expect("a free port");
        back.connect(server).expect("a route");
        for socket in [&front, &back] {
            socket.set_read_timeout(Some(Duration::from_millis(20))).expect("set");
        }
        let address = front.local_addr().expect("bound");
        let (heard, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let client = Arc::new(Mutex::new(None));
        let up = {
            let (front, back) = (front.try_clone().expect("cloned"), back.try_clone().expect("cloned"));
            let (heard, stop, client) = (heard.clone(), stop.clone(), client.clone());
            std::thread::spawn(move || {
                let mut buffer = [0; 2048];
                while !stop.load(Ordering::Relaxed) {
                    let Ok((length, from)) = front.recv_from(&mut buffer) else { continue };
                    *client.lock().expect("no panic") = Some(from);
                    let mut heard = heard.lock().expect("no panic");
                    if heard.len() < HEARD_MAX {
                        heard.push(buffer[..length].to_vec());
                    }
                    drop(back.send(&buffer[..length]));
                }
            })
        };
        let down = {
            let (back, stop) = (back.try_clone().expect("cloned"), stop.clone());
            std::thread::spawn(move || {
                let mut buffer = [0; 2048];
                while !stop.load(Ordering::Relaxed) {
                    let Ok(length) = back.recv(&mut buffer) else { continue };
                    if let Some(client) = *client.lock().expect("no panic") {
                        drop(front.send_to(&buffer[..length], client));
                    }
                }
            })
        };
        Tap { address, back, heard, stop, threads: vec![up, down] }
    }

    fn through(&self, answer: &str, server: SocketAddr) -> String {
        answer.replace(&format!(" {} typ host", server.port()), &format!(" {} typ host", self.address.port()))
    }

    fn heard(&self) -> Vec<Vec<u8>> {
        self.heard.lock().expect("no panic").clone()
    }

    /// Speaks with the client's address.
    fn say(&self, datagram: &[u8]) {
        drop(self.back.send(datagram));
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

/// A publisher and a subscriber of it, both tapped.
struct Watched {
    shard: TestShard,
    world: Arc<dyn World>,
    publisher: Client,
    subscriber: Client,
    publishing: Tap,
    subscribing: Tap,
    frames: u8,
}

impl Watched {
    fn start() -> Watched {
        let mut shard = TestShard::start();
        let world = shard.world.clone();
        let (publisher, publishing) = tapped(&mut shard, Direction::Publish);
        let (subscriber, subscribing) = tapped(&mut shard, Direction::Subscribe);
        Watched { shard, world, publisher, subscriber, publishing, subscribing, frames: 0 }
    }

    /// Shows so many frames; each arrives, after the one before it.
    fn show(&mut self, frames: u8) {
        for _ in 0..frames {
            self.frames += 1;
            let number = self.frames;
            self.publisher
                .send_frame(Kind::Video, u32::from(number) * 3000, &key_frame(number))
                .expect("sent");
            loop {
                self.publisher.run_until(self.world.now() + Duration::from_millis(1), |_| {}).expect("works");
                let packet = expect_packet(&mut self.subscriber, &self.world, Kind::Video);
                if packet.marker {
                    assert_eq!(packet.payload[1], number, "frames come whole and in order");
                    break;
                }
            }
        }
    }

    /// Lets both clients do their work, so that checks and reports are among what the taps hear.
    fn idle(&mut self, time: Duration) {
        run_both(&mut self.publisher, &mut self.subscriber, &self.world, time, |event| {
            assert!(!matches!(event, Event::Closed), "the session ended");
        });
    }
}

fn tapped(shard: &mut TestShard, direction: Direction) -> (Client, Tap) {
    let world = shard.world.clone();
    let server = shard.handle.address();
    let tap = Tap::start(server);
    let codecs = [Codec::H264];
    let made = match direction {
        Direction::Publish => Client::publisher(LOCALHOST, &codecs, world.clone()),
        Direction::Subscribe => Client::subscriber(LOCALHOST, &codecs, world.clone()),
    };
    let (mut client, offer) = made.expect("a client");
    let (key, answer) = shard.answer(&offer, "alice", direction, &codecs);
    client.accept(&tap.through(&answer, server)).expect("a good answer");
    connect(&mut client, &world);
    shard.expect_report(Report::Connected(key));
    (client, tap)
}

#[test]
fn what_was_heard_and_is_repeated_from_elsewhere_moves_nothing() {
    let mut watched = Watched::start();
    watched.show(5);
    watched.idle(Duration::from_millis(300));
    let before = watched.shard.handle.counters();
    // More addresses than are kept for one connection.
    let strangers: Vec<UdpSocket> = (0..20)
        .map(|_| {
            let stranger = UdpSocket::bind((LOCALHOST, 0)).expect("a free port");
            stranger.connect(watched.shard.handle.address()).expect("a route");
            stranger.set_nonblocking(true).expect("set");
            stranger
        })
        .collect();
    let mut sent = 0;
    for stranger in &strangers {
        for datagram in watched.publishing.heard().iter().chain(&watched.subscribing.heard()) {
            sent += stranger.send(datagram).expect("sent");
        }
    }
    watched.shard.expect_counters("they are refused", |c| {
        c.dropped_unknown + c.dropped_refused > before.dropped_unknown + before.dropped_refused + 100
    });
    watched.show(30);
    watched.idle(Duration::from_millis(300));
    watched.show(5);
    let mut answered = 0;
    let mut buffer = [0; 2048];
    for stranger in &strangers {
        while let Ok(length) = stranger.recv(&mut buffer) {
            assert!(buffer[0] < 4, "media for a stranger: {:?}", &buffer[..length.min(20)]);
            answered += length;
        }
    }
    assert!(answered <= sent, "{answered} bytes for {sent}");
}

#[test]
fn what_is_put_among_the_datagrams_of_a_session_ends_nothing() {
    let mut watched = Watched::start();
    watched.show(5);
    watched.idle(Duration::from_millis(300));
    let before = watched.shard.handle.counters();
    for round in 0..8_usize {
        for tap in [&watched.publishing, &watched.subscribing] {
            for (index, datagram) in tap.heard().iter().enumerate() {
                let at = (index * 31 + round * 7) % datagram.len();
                let mut changed = datagram.clone();
                changed[at] ^= 1 << (round % 8);
                tap.say(&changed);
                tap.say(&datagram[..at]);
                tap.say(datagram);
            }
            for head in 0..=255_u8 {
                let mut garbage = vec![head; 1 + (usize::from(head) * 5 + round * 131) % 1400];
                garbage[0] = head;
                tap.say(&garbage);
            }
            // Farewells that anybody can write: a DTLS alert without encryption, and an RTCP BYE.
            tap.say(&[21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 1, 0]);
            tap.say(&[21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 100, 0, 2, 2, 40]);
            tap.say(&[0x81, 203, 0, 1, 0, 0, 0, 1]);
        }
        watched.idle(Duration::from_millis(20));
        watched.show(2);
    }
    watched.idle(Duration::from_millis(300));
    watched.show(5);
    let after = watched.shard.expect_counters("both are there", |c| (c.publishers, c.subscribers) == (1, 1));
    assert_eq!(after.failures, before.failures);
}
