//! Clients, a shard and a clock for the tests.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use stagedoor_media::client::{Client, Event, Received};
use stagedoor_media::config::Timeouts;
use stagedoor_media::engine::str0m::Str0m;
use stagedoor_media::engine::{Direction, Engine, Terms};
use stagedoor_media::metrics::Counters;
use stagedoor_media::sdp::{Offer, spread_candidates};
use stagedoor_media::shard::{Command, Report, Role, Seat, Setup, Shards, Threads};
use stagedoor_media::world::{World, random_name};
use stagedoor_sfu::{Choice, Codec, Kind, PeerKey, Rules, Wanted};
use tokio::sync::mpsc;

pub const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Longer than anything here takes, also on a machine that builds something beside; reaching it fails the test.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The real clock and the crypto library's generator.
pub struct RealWorld;

impl World for RealWorld {
    #[expect(clippy::disallowed_methods, reason = "real sockets need the real clock")]
    fn now(&self) -> Instant {
        Instant::now()
    }

    #[expect(clippy::disallowed_methods, reason = "real sockets need the real clock")]
    fn wall(&self) -> Timestamp {
        Timestamp::now()
    }

    fn random(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("the generator works");
    }
}

pub fn world() -> Arc<dyn World> {
    Arc::new(RealWorld)
}

pub fn deadline(world: &Arc<dyn World>) -> Instant {
    world.now() + PATIENCE
}

/// One or several shards on a free port, and what they report.
pub struct TestShard {
    pub world: Arc<dyn World>,
    pub handle: Shards,
    pub reports: mpsc::Receiver<Report>,
    engine: Str0m,
    threads: Option<Threads>,
    next_key: u64,
    pub last_ufrag: String,
}

impl TestShard {
    /// One shard: who is connected is there at once, and nothing is lost.
    pub fn start() -> TestShard {
        TestShard::with(Timeouts::default())
    }

    /// Three shards. A connection arrives on the one where it stays a little later than its client thinks.
    pub fn spread() -> TestShard {
        TestShard::several(3, Timeouts::default())
    }

    pub fn with(timeouts: Timeouts) -> TestShard {
        TestShard::several(1, timeouts)
    }

    pub fn several(shards: usize, timeouts: Timeouts) -> TestShard {
        let world = world();
        let (sender, reports) = mpsc::channel(1024);
        // The numbered frames of these tests have no slice headers to speak of.
        let rules = Rules { bidirectional: true, ..Rules::default() };
        let address = SocketAddr::from((LOCALHOST, 0));
        let setup = Setup { shards, address, timeouts, rules, world: world.clone(), reports: sender };
        let (handle, threads) = Shards::start(setup).expect("starts");
        let engine = Str0m::new().expect("makes a certificate");
        TestShard {
            world,
            handle,
            reports,
            engine,
            threads: Some(threads),
            next_key: 1,
            last_ufrag: String::new(),
        }
    }

    /// Answers an offer as WHIP would, with these codecs for video.
    pub fn answer(
        &mut self,
        offer: &str,
        participant: &str,
        direction: Direction,
        video: &[Codec],
    ) -> (PeerKey, String) {
        let offer = Offer::parse(offer).expect("a good offer");
        let key = PeerKey(self.next_key);
        self.next_key += 1;
        let terms = Terms {
            direction,
            video: video.to_vec(),
            estimate: direction == Direction::Subscribe,
            candidates: vec![self.handle.address()],
            tcp_candidates: Vec::new(),
            ice_ufrag: self.handle.ice_ufrag(key, &*self.world, 8),
            ice_password: random_name(&*self.world, 24),
        };
        let ice_ufrag = terms.ice_ufrag.clone();
        self.last_ufrag.clone_from(&ice_ufrag);
        let answer = self.engine.answer(self.world.now(), &offer, terms).expect("an answer");
        let participant: Arc<str> = participant.into();
        let role = match direction {
            Direction::Publish => Role::Publisher { participant, tracks: answer.tracks.clone() },
            Direction::Subscribe => Role::Subscriber {
                participant,
                wanted: answer
                    .tracks
                    .iter()
                    .map(|track| Wanted { codec: track.codec, first_sequence: 65_530 })
                    .collect(),
                choice: Choice::Automatic,
            },
        };
        let seat = Seat { key, stage: "stage".into(), role, ice_ufrag, connection: answer.connection };
        self.handle.send(Command::Add(Box::new(seat))).expect("not overloaded");
        (key, spread_candidates(&answer.sdp))
    }

    pub fn publisher(&mut self, participant: &str, codecs: &[Codec]) -> (PeerKey, Client) {
        let (mut client, offer) = Client::publisher(LOCALHOST, codecs, self.world.clone()).expect("a client");
        let (key, answer) = self.answer(&offer, participant, Direction::Publish, codecs);
        client.accept(&answer).expect("a good answer");
        connect(&mut client, &self.world);
        (key, client)
    }

    pub fn subscriber(&mut self, participant: &str, codecs: &[Codec]) -> (PeerKey, Client) {
        let (mut client, offer) =
            Client::subscriber(LOCALHOST, codecs, self.world.clone()).expect("a client");
        let (key, answer) = self.answer(&offer, participant, Direction::Subscribe, codecs);
        client.accept(&answer).expect("a good answer");
        connect(&mut client, &self.world);
        (key, client)
    }

    /// Waits for a report, passing over others.
    pub fn expect_report(&mut self, wanted: Report) {
        let deadline = deadline(&self.world);
        loop {
            match self.reports.try_recv() {
                Ok(report) if report == wanted => return,
                Ok(_) => {}
                Err(_) => {
                    assert!(self.world.now() < deadline, "no {wanted:?}");
                    std::thread::yield_now();
                }
            }
        }
    }

    /// Waits until the counters satisfy a condition.
    pub fn expect_counters(&self, what: &str, condition: impl Fn(&Counters) -> bool) -> Counters {
        let deadline = deadline(&self.world);
        loop {
            let counters = self.handle.counters();
            if condition(&counters) {
                return counters;
            }
            assert!(self.world.now() < deadline, "{what}: {counters:?}");
            std::thread::yield_now();
        }
    }
}

impl Drop for TestShard {
    fn drop(&mut self) {
        self.handle.stop();
        if let Some(threads) = self.threads.take() {
            let result = threads.join();
            if !std::thread::panicking() {
                result.expect("no panic and no socket error");
            }
        }
    }
}

pub fn connect(client: &mut Client, world: &Arc<dyn World>) {
    expect_event(client, world, "connected", |event| matches!(event, Event::Connected).then_some(()));
}

/// Runs the client until an event gives a value.
pub fn expect_event<T>(
    client: &mut Client,
    world: &Arc<dyn World>,
    what: &str,
    mut pick: impl FnMut(Event) -> Option<T>,
) -> T {
    let deadline = deadline(world);
    while let Some(event) = client.next_event(deadline).expect("works") {
        if let Some(value) = pick(event) {
            return value;
        }
    }
    panic!("never: {what}");
}

/// The next packet of a kind.
pub fn expect_packet(client: &mut Client, world: &Arc<dyn World>, kind: Kind) -> Received {
    expect_event(client, world, "a packet", |event| match event {
        Event::Packet(packet) if packet.kind == kind => Some(packet),
        _ => None,
    })
}

/// An H.264 access unit of three packets: SPS, PPS and an IDR slice with a number in it.
pub fn key_frame(number: u8) -> Vec<u8> {
    [&[0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80, 0, 0, 0, 1, 0x65, number][..], &[0x11; 300]]
        .concat()
}

/// An H.264 access unit of one packet that cannot be decoded on its own.
pub fn delta_frame(number: u8) -> Vec<u8> {
    [&[0, 0, 0, 1, 0x41, number][..], &[0x22; 300]].concat()
}

/// Lets both clients do their work for a while.
pub fn run_both(
    one: &mut Client,
    two: &mut Client,
    world: &Arc<dyn World>,
    time: Duration,
    mut on_two: impl FnMut(Event),
) {
    let end = world.now() + time;
    while world.now() < end {
        let slice = world.now() + Duration::from_millis(2);
        one.run_until(slice, |_| {}).expect("works");
        let slice = world.now() + Duration::from_millis(2);
        two.run_until(slice, &mut on_two).expect("works");
    }
}
