//! A full stage: as many publishers as there may be, and twenty viewers who receive all of them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use stagedoor_media::client::{Client, Event, Received};
use stagedoor_sfu::{Codec, Kind};
use tokio::runtime::Handle;

use crate::stage::*;
use crate::support::*;

const PUBLISHERS: usize = 12;
const VIEWERS: usize = 20;
const FRAMES: u8 = 25;
const PACKETS_PER_FRAME: usize = 3;
const FRAME_TIME: Duration = Duration::from_millis(40);
/// For all of them to join, on a busy machine without optimization.
const JOIN_MAX: Duration = Duration::from_secs(120);
const CODECS: [Codec; 1] = [Codec::H264];

/// A key frame that says who sends it and which one it is.
fn frame(publisher: usize, number: u8) -> Vec<u8> {
    let mut frame =
        vec![0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80, 0, 0, 0, 1, 0x65];
    frame.extend([publisher as u8, number]);
    frame.resize(frame.len() + 200, 0x11);
    frame
}

/// The stage and what its people wait for.
struct Crowd<'a> {
    plane: &'a Plane,
    runtime: Handle,
    publishing: AtomicUsize,
    /// Viewers whom every publisher has reached.
    reached: AtomicUsize,
    served: AtomicUsize,
}

impl Crowd<'_> {
    /// Joins by WHIP; the connections that there are already go on meanwhile.
    fn join(&self, path: &str, name: &str, made: (Client, String), others: &mut [Client]) -> Client {
        let (mut client, offer) = made;
        let token = self.plane.token(name, true, true);
        let answer = self.runtime.block_on(self.plane.post(path, &token, offer));
        assert_eq!(answer.status, http::StatusCode::CREATED, "{}", answer.body);
        client.accept(&answer.body).expect("a good answer");
        let mut connected = false;
        let deadline = self.plane.world.now() + JOIN_MAX;
        while !connected {
            assert!(self.plane.world.now() < deadline, "{name} never connects");
            self.turn(std::slice::from_mut(&mut client), |_, event| {
                connected |= matches!(event, Event::Connected);
            });
            self.turn(others, |_, _| {});
        }
        client
    }

    /// Lets each client work for a moment.
    fn turn(&self, clients: &mut [Client], mut on: impl FnMut(usize, Event)) {
        for (index, client) in clients.iter_mut().enumerate() {
            let end = self.plane.world.now() + Duration::from_millis(1);
            client.run_until(end, |event| on(index, event)).expect("works");
        }
    }

    fn publish(&self) {
        let mut clients = Vec::new();
        for number in 0..PUBLISHERS {
            let made = Client::publisher(LOCALHOST, &CODECS, self.plane.world.clone()).expect("a client");
            let client = self.join("/whip", &format!("publisher-{number}"), made, &mut clients);
            clients.push(client);
            self.publishing.fetch_add(1, Ordering::Relaxed);
        }
        // Who has just subscribed may miss what is sent in the same moment, so frames without a number come first.
        let deadline = self.plane.world.now() + JOIN_MAX;
        let mut time = 0;
        while self.reached.load(Ordering::Relaxed) < VIEWERS {
            assert!(self.plane.world.now() < deadline, "{:?}", self.plane.handle.counters());
            self.send(&mut clients, &mut time, 0);
        }
        for number in 1..=FRAMES {
            self.send(&mut clients, &mut time, number);
        }
        while self.served.load(Ordering::Relaxed) < VIEWERS {
            assert!(self.plane.world.now() < deadline, "not all are served");
            self.turn(&mut clients, |_, _| {});
        }
    }

    /// A frame of each publisher, and the time until the next.
    fn send(&self, clients: &mut [Client], time: &mut u32, number: u8) {
        let next = self.plane.world.now() + FRAME_TIME;
        *time += 3600;
        for (publisher, client) in clients.iter_mut().enumerate() {
            client.send_frame(Kind::Video, *time, &frame(publisher, number)).expect("sent");
        }
        while self.plane.world.now() < next {
            self.turn(clients, |_, _| {});
        }
    }

    fn watch(&self, viewer: usize) {
        while self.publishing.load(Ordering::Relaxed) < PUBLISHERS {
            thread::sleep(Duration::from_millis(20));
        }
        let mut clients = Vec::new();
        for number in 0..PUBLISHERS {
            let made = Client::subscriber(LOCALHOST, &CODECS, self.plane.world.clone()).expect("a client");
            let path = format!("/whip/subscribe/publisher-{number}");
            let client = self.join(&path, &format!("viewer-{viewer}"), made, &mut clients);
            clients.push(client);
        }
        let mut got: Vec<Vec<Received>> = vec![Vec::new(); PUBLISHERS];
        let mut reached = false;
        let deadline = self.plane.world.now() + JOIN_MAX;
        while !got.iter().all(|packets| is_whole(packets)) {
            let counts: Vec<usize> = got.iter().map(Vec::len).collect();
            assert!(self.plane.world.now() < deadline, "viewer {viewer} has {counts:?}");
            if !reached && got.iter().all(|packets| !packets.is_empty()) {
                reached = true;
                self.reached.fetch_add(1, Ordering::Relaxed);
            }
            self.turn(&mut clients, |publisher, event| {
                if let Event::Packet(packet) = event {
                    got[publisher].push(packet);
                }
            });
        }
        for (publisher, packets) in got.iter_mut().enumerate() {
            packets.sort_by_key(|packet| packet.sequence);
            let steps = packets.windows(2).map(|two| two[1].sequence - two[0].sequence);
            assert!(steps.into_iter().all(|step| step == 1), "a gap at viewer {viewer} from {publisher}");
            let ends = packets.iter().filter(|packet| packet.marker).map(|packet| &packet.payload[1..3]);
            let told: Vec<&[u8]> = ends.filter(|told| told[1] > 0).collect();
            let expected: Vec<[u8; 2]> = (1..=FRAMES).map(|number| [publisher as u8, number]).collect();
            assert_eq!(told, expected, "viewer {viewer}");
        }
        self.served.fetch_add(1, Ordering::Relaxed);
    }
}

/// Whether the last frame is there and nothing is missing before it.
fn is_whole(packets: &[Received]) -> bool {
    let numbers = || packets.iter().map(|packet| packet.sequence);
    let Some((first, last)) = numbers().min().zip(numbers().max()) else { return false };
    let ended = packets.iter().any(|packet| packet.marker && packet.payload[2] == FRAMES);
    ended && last - first + 1 == packets.len() as u64
}

#[tokio::test(flavor = "multi_thread")]
async fn twelve_publish_and_twenty_receive_every_packet_of_each() {
    let plane = Plane::start(config());
    tokio::task::block_in_place(|| {
        let crowd = Crowd {
            plane: &plane,
            runtime: Handle::current(),
            publishing: AtomicUsize::new(0),
            reached: AtomicUsize::new(0),
            served: AtomicUsize::new(0),
        };
        thread::scope(|threads| {
            threads.spawn(|| crowd.publish());
            for viewer in 0..VIEWERS {
                let crowd = &crowd;
                threads.spawn(move || crowd.watch(viewer));
            }
        });
    });
    let counters = plane.handle.counters();
    let forwarded = PUBLISHERS * VIEWERS * usize::from(FRAMES) * PACKETS_PER_FRAME;
    assert!(counters.packets_forwarded >= forwarded as u64, "{counters:?}");
    assert_eq!((counters.dropped_unsent, counters.failures), (0, 0));
    plane.stop().await;
}
