//! A relay in user space between a client and the server that loses, delays, reorders and doubles datagrams and keeps
//! them back when there are too many, all from a seed; and what viewers see through it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use stagedoor_media::client::{Client, Event, Received};
use stagedoor_media::engine::Direction;
use stagedoor_media::shard::Report;
use stagedoor_media::world::World;
use stagedoor_sfu::{Codec, Kind};

use crate::support::*;

/// How bad the network is, in each direction.
#[derive(Debug, Clone, Copy)]
struct Weather {
    /// Datagrams lost, and sent twice, of a thousand.
    lost: u64,
    doubled: u64,
    /// The way's time, and how much longer it may be: what comes later may then arrive earlier.
    delay: Duration,
    jitter: Duration,
    /// Bits per second.
    rate: u64,
}

const FAIR: Weather = Weather {
    lost: 0,
    doubled: 0,
    delay: Duration::from_millis(20),
    jitter: Duration::ZERO,
    rate: 100_000_000,
};

/// Datagrams longer than this in the queue of a slow network are lost, as a router's are.
const QUEUE_MAX: Duration = Duration::from_millis(200);

/// A splitmix64 generator.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end.max(1)
    }
}

struct Relay {
    address: SocketAddr,
    weather: Arc<Mutex<Weather>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// A relay to `server` for one client.
    fn start(server: SocketAddr, weather: Weather, seed: u64, world: Arc<dyn World>) -> Relay {
        let front = UdpSocket::bind((LOCALHOST, 0)).expect("a free port");
        let back = UdpSocket::bind((LOCALHOST, 0)).expect("a free port");
        back.connect(server).expect("a route");
        for socket in [&front, &back] {
            socket.set_nonblocking(true).expect("set");
        }
        let address = front.local_addr().expect("bound");
        let (weather, stop) = (Arc::new(Mutex::new(weather)), Arc::new(AtomicBool::new(false)));
        let mut way = Way {
            front,
            back,
            client: None,
            queue: BinaryHeap::new(),
            free: [world.now(); 2],
            count: 0,
            dice: Dice(seed),
        };
        let (today, stopped) = (weather.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                way.turn(*today.lock().expect("no panic"), &*world);
            }
        });
        Relay { address, weather, stop, thread: Some(thread) }
    }

    fn set(&self, weather: Weather) {
        *self.weather.lock().expect("no panic") = weather;
    }

    /// The answer with the relay in the place of the server.
    fn through(&self, answer: &str, server: SocketAddr) -> String {
        answer.replace(&format!(" {} typ host", server.port()), &format!(" {} typ host", self.address.port()))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// When a datagram arrives, its number, whether it goes to the server, and what it holds.
type Travelling = (Instant, u64, bool, Vec<u8>);

/// The relay's thread: both sockets, and the datagrams on their way.
struct Way {
    front: UdpSocket,
    back: UdpSocket,
    client: Option<SocketAddr>,
    queue: BinaryHeap<Reverse<Travelling>>,
    /// When each direction has sent what it has.
    free: [Instant; 2],
    count: u64,
    dice: Dice,
}

impl Way {
    fn turn(&mut self, weather: Weather, world: &dyn World) {
        let mut buffer = [0; 2048];
        std::thread::park_timeout(Duration::from_micros(500));
        while let Ok((length, client)) = self.front.recv_from(&mut buffer) {
            self.client = Some(client);
            self.take(weather, world.now(), true, &buffer[..length]);
        }
        while let Ok(length) = self.back.recv(&mut buffer) {
            self.take(weather, world.now(), false, &buffer[..length]);
        }
        let now = world.now();
        while self.queue.peek().is_some_and(|Reverse((at, ..))| *at <= now) {
            let Some(Reverse((_, _, up, bytes))) = self.queue.pop() else { return };
            match (up, self.client) {
                (true, _) => drop(self.back.send(&bytes)),
                (false, Some(client)) => drop(self.front.send_to(&bytes, client)),
                (false, None) => {}
            }
        }
    }

    fn take(&mut self, weather: Weather, now: Instant, up: bool, bytes: &[u8]) {
        let start = self.free[usize::from(up)].max(now);
        let queued = start.saturating_duration_since(now);
        if self.dice.below(1000) < weather.lost || queued > QUEUE_MAX {
            return;
        }
        let sent = start + Duration::from_nanos(bytes.len() as u64 * 8_000_000_000 / weather.rate.max(1));
        self.free[usize::from(up)] = sent;
        let copies = if self.dice.below(1000) < weather.doubled { 2 } else { 1 };
        for _ in 0..copies {
            let jitter = Duration::from_micros(self.dice.below(weather.jitter.as_micros() as u64 + 1));
            self.count += 1;
            self.queue.push(Reverse((sent + weather.delay + jitter, self.count, up, bytes.to_vec())));
        }
    }
}

/// A subscriber behind a relay, and what it got.
struct Viewer {
    relay: Relay,
    client: Client,
    got: Vec<Received>,
}

impl Viewer {
    fn new(shard: &mut TestShard, weather: Weather, seed: u64) -> Viewer {
        let world = shard.world.clone();
        let server = shard.handle.address();
        let relay = Relay::start(server, weather, seed, world.clone());
        let (mut client, offer) =
            Client::subscriber(LOCALHOST, &[Codec::H264], world.clone()).expect("a client");
        let (key, answer) = shard.answer(&offer, "alice", Direction::Subscribe, &[Codec::H264]);
        client.accept(&relay.through(&answer, server)).expect("a good answer");
        connect(&mut client, &world);
        // The server may finish the handshake after the client.
        shard.expect_report(Report::Connected(key));
        Viewer { relay, client, got: Vec::new() }
    }

    fn run(&mut self, until: Instant) {
        let got = &mut self.got;
        let take = |event| {
            if let Event::Packet(packet) = event {
                got.push(packet);
            }
        };
        self.client.run_until(until, take).expect("works");
    }

    /// When each frame was whole, and all before it, with its time. Panics if a packet never came.
    fn whole(&self) -> Vec<(u32, Instant)> {
        let mut packets: Vec<&Received> = self.got.iter().collect();
        packets.sort_by_key(|packet| packet.sequence);
        packets.dedup_by_key(|packet| packet.sequence);
        let gaps = packets.windows(2).filter(|two| two[1].sequence != two[0].sequence + 1).count();
        assert_eq!(gaps, 0, "packets that were never had");
        let mut latest = packets[0].at;
        let mut whole = Vec::new();
        for packet in packets {
            latest = latest.max(packet.at);
            whole.extend(packet.marker.then_some((packet.time, latest)));
        }
        whole
    }
}

/// A frame's time in ticks of the video clock.
const TICKS: u32 = 3000;
const FRAME: Duration = Duration::from_millis(33);

/// A frame of three packets.
fn frame(number: u32) -> Vec<u8> {
    let unit: &[u8] = if number == 0 {
        &[0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80, 0, 0, 0, 1, 0x65]
    } else {
        &[0, 0, 0, 1, 0x41]
    };
    [unit, &[number as u8 | 1; 3000]].concat()
}

/// Shows so many frames, in real time, to all of them.
fn show(shard: &TestShard, publisher: &mut Client, viewers: &mut [Viewer], frames: std::ops::Range<u32>) {
    let world = shard.world.clone();
    let start = world.now();
    let first = frames.start;
    for number in frames {
        publisher.send_frame(Kind::Video, number * TICKS, &frame(number)).expect("sent");
        let end = start + FRAME * (number - first + 1);
        while world.now() < end {
            publisher.run_until(world.now() + Duration::from_millis(1), |_| {}).expect("works");
            viewers.iter_mut().for_each(|viewer| viewer.run(world.now() + Duration::from_millis(1)));
        }
    }
}

#[test]
fn one_viewer_without_bandwidth_disturbs_no_other() {
    let mut shard = TestShard::spread();
    let (_, mut publisher) = shard.publisher("alice", &[Codec::H264]);
    let mut viewers: Vec<Viewer> = (0..2).map(|seed| Viewer::new(&mut shard, FAIR, seed)).collect();
    show(&shard, &mut publisher, &mut viewers, 0..30);
    // A tenth of what the publisher sends.
    let jitter = Duration::from_millis(10);
    viewers[1].relay.set(Weather { rate: 75_000, lost: 50, doubled: 20, jitter, ..FAIR });
    show(&shard, &mut publisher, &mut viewers, 30..90);
    viewers[1].relay.set(FAIR);
    show(&shard, &mut publisher, &mut viewers, 90..120);
    // It comes back: what is sent at the end arrives.
    let newest = |viewer: &Viewer| viewer.got.iter().map(|packet| packet.time).max();
    let end = deadline(&shard.world);
    while newest(&viewers[1]) != Some(119 * TICKS) {
        assert!(shard.world.now() < end, "{:?}", newest(&viewers[1]));
        viewers.iter_mut().for_each(|viewer| viewer.run(shard.world.now() + Duration::from_millis(2)));
    }
    assert!(viewers[0].whole().len() >= 119);
    assert!(viewers[1].got.len() < viewers[0].got.len(), "the step was felt");
}
